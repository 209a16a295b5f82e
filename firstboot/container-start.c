/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands are those that Docker has had since 1.3. `docker create` would ask a
 * registry for an image that is not there, so it is only run when the image is loaded.
 * The container keeps its image's own command and Docker's default network, since that is
 * where a host is found wanting (resolv.conf, bridge, storage driver, cgroups); it is
 * killed as soon as it has started.
 */
#include "container-start.h"
#include "containers.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "state.h"

#include <sys/file.h>

#define MARK      RUN_DIR "/container-started"
#define LOCK      RUN_DIR "/container-start.lock"
#define NAME      "rackstrap-start-test"
#define DOCKER_MS 120000

bool container_start_applies(const struct firstboot *fb, const struct role *role)
{
	return strv_has(role->units, "docker.service") &&
	       faccessat(fb->rootfd, CONTAINERS_CFG, F_OK, 0) == 0 &&
	       faccessat(fb->rootfd, MARK, F_OK, 0) < 0;
}

/* Runs a docker command; what it prints goes to the journal. */
static int docker(const char *const *argv, struct err *e)
{
	return run(&(struct run){.argv = argv, .timeout_ms = DOCKER_MS}, e);
}

/* Removes the container; that there is none is not a failure. */
static int remove_container(struct err *e)
{
	static const char *const argv[] = {"docker", "rm", "-f", NAME, NULL};

	if (docker(argv, e) == 0)
		return 0;
	/* "no such id: x" (1.7), "No such container: x" */
	return strcasestr(e->msg, "no such ") ? 0 : -1;
}

/* Returns the container whose archive is the smallest; NULL: there is none. */
static const struct container *smallest(const struct firstboot *fb,
					const struct containers *c)
{
	const struct container *best = NULL;
	off_t size = 0;
	struct stat st;

	for (size_t i = 0; i < c->n; i++) {
		if (fstatat(fb->rootfd, c->v[i].file + 1, &st, 0) < 0)
			continue;
		if (!best || st.st_size < size) {
			best = &c->v[i];
			size = st.st_size;
		}
	}
	return best;
}

static int start(const char *image, struct err *e)
{
	const char *const create[] = {"docker", "create", "--name=" NAME, image, NULL};
	static const char *const run_it[] = {"docker", "start", NAME, NULL};
	struct err removal;
	int r;

	if (remove_container(e) < 0) /* one of a test that was cut off */
		return -1;
	r = docker(create, e);
	if (r == 0)
		r = docker(run_it, e);
	if (remove_container(&removal) < 0 && r == 0) {
		*e = removal;
		return -1;
	}
	return r;
}

/* Waits for another run that is making the test; the container has one name. */
static int take_lock(const struct firstboot *fb)
{
	int fd, r = mkdir_p_at(fb->rootfd, RUN_DIR, 0755);

	if (r < 0)
		return r;
	fd = openat(fb->rootfd, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			r = -errno;
			close(fd);
			return r;
		}
	return fd;
}

int container_start(const struct firstboot *fb, struct err *e)
{
	_cleanup_close_ int lock = take_lock(fb);
	_cleanup_containers_ struct containers c = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct container *one;
	int r;

	if (lock < 0)
		return err_errno(e, lock, "/" LOCK);
	if (faccessat(fb->rootfd, MARK, F_OK, 0) == 0)
		return 0;
	containers_read(&c, fb, &d);
	one = smallest(fb, &c);
	if (!one)
		return 0; /* `firstboot containers` says what is wrong with the list */
	r = container_is_loaded(one, e);
	if (r == 0)
		return err_set(e, ERR_FAILED, "the container image %s is not loaded yet",
			       one->image);
	if (r > 0)
		r = start(one->image, e);
	if (r < 0)
		return err_wrap(e, "Docker starts no container of %s", one->image);
	log_info("Docker starts containers: one of %s was started and removed",
		 one->image);
	return run_file_write(fb, MARK, one->image, 0644, e);
}
