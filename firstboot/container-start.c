/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All commands exist since Docker 1.3. `docker create` would ask a registry for a missing
 * image, so it is run only when the image is loaded. The container keeps its image's
 * command and Docker's default network, because these need resolv.conf, the bridge, the
 * storage driver and cgroups, which the test is about. It is killed as soon as it has
 * started.
 */
#include "firstboot/container-start.h"
#include "firstboot/containers.h"
#include "firstboot/state.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/run.h"

#define MARK       RUN_DIR "/container-started"
#define NAME       "rackstrap-start-test"
#define INSPECT_MS 15000
#define DOCKER_MS  60000 /* the slowest start that was measured took 20 s */

bool container_start_applies(const struct firstboot *fb, const struct role *role)
{
	return strv_has(role->units, "docker.service") &&
	       root_access(fb->rootfd, CONTAINERS_CFG) == 0 &&
	       root_access(fb->rootfd, MARK) < 0;
}

/* Runs a docker command and discards its output. */
static int docker(const char *const *argv, struct err *e)
{
	const struct run r = {.argv = argv, .timeout_ms = DOCKER_MS};
	_cleanup_free_ char *text = NULL;

	return run_capture(&r, &text, NULL, e);
}

/* Removes the container. A missing container is not a failure. */
static int remove_container(struct err *e)
{
	static const char *const argv[] = {"docker", "rm", "-f", NAME, NULL};

	if (docker(argv, e) == 0)
		return 0;
	/* The words of Docker 1.7 and of later versions. */
	return strcasestr(e->msg, "no such id") || strcasestr(e->msg, "no such container")
		       ? 0
		       : -1;
}

/* Orders containers by the size of their archives; one without an archive comes last. */
static int by_size(const void *a, const void *b, void *fb)
{
	const struct container *const *x = a, *const *y = b;
	const int rootfd = ((const struct firstboot *)fb)->rootfd;
	struct stat sx = {.st_size = INT64_MAX}, sy = sx;

	(void)!root_stat(rootfd, (*x)->file, 0, &sx);
	(void)!root_stat(rootfd, (*y)->file, 0, &sy);
	return (sx.st_size > sy.st_size) - (sx.st_size < sy.st_size);
}

static int start(const char *image, struct err *e)
{
	const char *const create[] = {"docker", "create", "--name=" NAME, image, NULL};
	static const char *const run_it[] = {"docker", "start", NAME, NULL};
	struct err removal;
	int r;

	if (remove_container(e) < 0) /* of a test that was interrupted */
		return -1;
	r = docker(create, e);
	if (r < 0)
		return -1;
	r = docker(run_it, e);
	if (remove_container(&removal) < 0 && r == 0) {
		*e = removal;
		return -1;
	}
	return r;
}

/* Tests with one image. Returns 1 when it passed, 0 when the image has no command, or
 * -1. */
static int test(const struct container *c, struct err *e)
{
	int r = container_is_loaded(c, INSPECT_MS, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "the container image %s is not loaded yet",
			       c->image);
	if (r > 0)
		r = start(c->image, e);
	if (r == 0)
		return 1;
	if (strcasestr(e->msg, "no command specified"))
		return 0;
	return err_wrap(e, "Docker cannot start a container of %s", c->image);
}

int container_start(const struct firstboot *fb, struct err *e)
{
	_cleanup_free_ const struct container **order = NULL;
	_cleanup_containers_ struct containers c = {0};
	_cleanup_diag_ struct diag d = {0};

	containers_read(&c, fb, &d);
	order = xcalloc(c.n + 1, sizeof(*order));
	for (size_t i = 0; i < c.n; i++)
		order[i] = &c.v[i];
	qsort_r(order, c.n, sizeof(*order), by_size, (void *)fb);
	for (size_t i = 0; i < c.n; i++) {
		int r = test(order[i], e);

		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		log_info("Docker starts containers: one of %s was started and removed",
			 order[i]->image);
		return run_file_write(fb, MARK, order[i]->image, 0644, e);
	}
	return 0; /* `firstboot containers` reports mistakes in the list */
}
