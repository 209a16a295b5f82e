/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot containers` loads the container images that were baked in (a recipe's
 * containers) with `docker load`, so that a host needs no registry. An image that Docker
 * has already, on the state disk, is not loaded again. The digest of the archive is
 * checked before, and the id of the image after loading: Docker before 1.10 uses the id
 * of version 1, later versions the digest of the configuration. Docker gets the open
 * archive that was checked, not its path, which would lead out of another root.
 *
 * Docker may not answer for a while and may be restarted meanwhile: failures are retried,
 * except for a damaged archive.
 */
#include "firstboot/feature/docker.h"
#include "firstboot/feature.h"
#include "firstboot/model/sha256.h"
#include "firstboot/state.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/run.h"
#include "lib/str.h"

#define LOAD_S    600 /* --timeout */
#define PAUSE_MS  1000
#define DOCKER_MS 300000

#define MARK       RUN_DIR "/container-started"
#define NAME       "rackstrap-start-test"
#define INSPECT_MS 15000
#define START_MS   60000 /* the slowest start that was measured took 20 s */

static const char *const keys[] = {"image", "file", "sha256", "id", "config", NULL};

/* Reads Docker's id of the image of that name. Returns 1 and sets *ret, owned by the
 * caller; 0 when there is no such image; or -1. */
static int docker_id(const char *image, unsigned timeout_ms, char **ret, struct err *e)
{
	const char *const argv[] = {"docker", "inspect", "--format={{.Id}}", image, NULL};
	const struct run r = {.argv = argv, .timeout_ms = timeout_ms};

	if (run_capture(&r, ret, NULL, e) == 0) {
		(*ret)[strcspn(*ret, "\n")] = '\0';
		return 1;
	}
	/* "Error: No such image or container: x" (1.7), "Error: No such object: x" */
	return strstr(e->msg, "No such ") ? 0 : -1;
}

int container_is_loaded(const struct container *c, unsigned timeout_ms, struct err *e)
{
	_cleanup_free_ char *id = NULL;
	const char *hex;
	int r = docker_id(c->image, timeout_ms, &id, e);

	if (r <= 0)
		return r;
	hex = str_after(id, "sha256:");
	hex = hex ? hex : id;
	return streq(hex, c->id) || streq(hex, c->config);
}

/* Opens the archive and checks its digest. Returns the descriptor, at the beginning of
 * the archive, or -1. */
static int open_archive(const struct firstboot *fb, const struct container *c,
			bool *ret_damaged, struct err *e)
{
	_cleanup_close_ int fd = root_open_regular(fb->rootfd, c->file);
	char hex[DIGEST_LEN];
	int r = fd < 0 ? fd : digest_sha256_fd(fd, hex);

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s", c->file, file_strerror(r));
	*ret_damaged = !streq(hex, c->sha256);
	if (*ret_damaged)
		return err_set(e, ERR_FAILED, "%s is damaged: sha256 %s, expected %s",
			       c->file, hex, c->sha256);
	return TAKE_FD(fd);
}

/* Loads the image unless Docker has it. Returns 1 when it was loaded, 0 when Docker had
 * it, or -1; *ret_damaged then tells that a retry cannot help. */
static int load(const struct firstboot *fb, const struct container *c, bool *ret_damaged,
		struct err *e)
{
	static const char *const argv[] = {"docker", "load", "-i", "/proc/self/fd/0",
					   NULL};
	struct run docker_load = {.argv = argv, .timeout_ms = DOCKER_MS};
	int r = container_is_loaded(c, DOCKER_MS, e);
	_cleanup_close_ int fd = -1;

	if (r != 0)
		return r < 0 ? -1 : 0;
	docker_load.in = fd = open_archive(fb, c, ret_damaged, e);
	if (fd < 0 || run(&docker_load, e) < 0)
		return -1;
	r = container_is_loaded(c, DOCKER_MS, e);
	if (r == 0)
		return err_set(e, ERR_FAILED,
			       "docker did not load the image with the id %s", c->id);
	return r;
}

/* Loads the image, with retries until `end`. */
static int load_retrying(const struct firstboot *fb, const struct container *c,
			 uint64_t end, struct err *e)
{
	bool damaged = false;
	int r;

	while ((r = load(fb, c, &damaged, e)) < 0) {
		if (damaged || now_ms() + PAUSE_MS >= end)
			return err_wrap(e, "container '%s'", c->image);
		log_debug("%s: %s; trying again", c->image, e->msg);
		sleep_ms(PAUSE_MS);
	}
	log_info("container %s %s", c->image, r ? "loaded" : "is loaded already");
	return 0;
}

/* --- the list ---------------------------------------------------------------------- */

static bool parse(struct container *c, const struct conf_node *n, struct diag *d)
{
	const char **const fields[] = {&c->image, &c->file, &c->sha256, &c->id,
				       &c->config};
	size_t before = d->n;

	(void)!conf_check_keys(n, keys, d);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (conf_get_str(n, keys[i], fields[i], d) == 0)
			conf_complain(n, d, "%s: missing", keys[i]);
	if (c->file && c->file[0] != '/')
		conf_complain(n, d, "file: must be an absolute path");
	return d->n == before;
}

void containers_read(struct containers *ret, const struct firstboot *fb, struct diag *d)
{
	const struct conf_node *list = NULL;

	*ret = (struct containers){0};
	if (root_access(fb->rootfd, CONTAINERS_CFG) == -ENOENT)
		return;
	if (conf_read_root(&ret->conf, fb->rootfd, CONTAINERS_CFG, "/" CONTAINERS_CFG,
			   CONF_MAX_IMAGE, d) < 0)
		return;
	(void)!conf_get_list(conf_root(ret->conf), "containers", &list, d);
	ret->v = xcalloc(conf_len(list) + 1, sizeof(*ret->v));
	for (size_t i = 0; i < conf_len(list); i++) {
		struct container c = {0};

		if (parse(&c, conf_at(list, i), d))
			ret->v[ret->n++] = c;
	}
}

void containers_done(struct containers *c)
{
	conf_free(c->conf);
	free(c->v);
	*c = (struct containers){0};
}

int cmd_containers(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	uint64_t end = now_ms() + (uint64_t)(fb->timeout ? fb->timeout : LOAD_S) * 1000;
	_cleanup_containers_ struct containers c = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf failed = {0};

	containers_read(&c, fb, &d);
	if (c.n == 0 && d.n == 0)
		log_info("no containers are baked in");
	for (size_t i = 0; i < c.n; i++)
		if (load_retrying(fb, &c.v[i], end, e) < 0)
			buf_printf(&failed, "%s%s", failed.len > 0 ? "; " : "", e->msg);
	if (diag_err(&d, e) < 0)
		return -1;
	return failed.len > 0 ? err_set(e, ERR_FAILED, "%s", failed.p) : 0;
}

/* --- the test ----------------------------------------------------------------------- */

/*
 * All commands exist since Docker 1.3. `docker create` would ask a registry for a missing
 * image, so it is run only when the image is loaded. The container keeps its image's
 * command and Docker's default network, because these need resolv.conf, the bridge, the
 * storage driver and cgroups, which the test is about. It is killed as soon as it has
 * started.
 */

/* Runs a docker command and discards its output. */
static int docker(const char *const *argv, struct err *e)
{
	const struct run r = {.argv = argv, .timeout_ms = START_MS};
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

static int start_one(const char *image, struct err *e)
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
static int test_image(const struct container *c, struct err *e)
{
	int r = container_is_loaded(c, INSPECT_MS, e);

	if (r == 0)
		return err_set(e, ERR_FAILED, "the container image %s is not loaded yet",
			       c->image);
	if (r > 0)
		r = start_one(c->image, e);
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
		int r = test_image(order[i], e);

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

/* A daemon that answers and loads images may still start none. The test is not necessary
 * when no container image is baked in, or it was passed in this boot. */
static char *fault(const struct firstboot *fb, bool test)
{
	struct err e;

	if (root_access(fb->rootfd, CONTAINERS_CFG) < 0 ||
	    root_access(fb->rootfd, MARK) == 0)
		return NULL;
	if (!test)
		return xstrdup("no container has been started for a test yet");
	return container_start(fb, &e) < 0 ? xstrdup(e.msg) : NULL;
}

const struct feature_code code_docker = {
	.id = FEATURE_DOCKER,
	.fault = fault,
};
