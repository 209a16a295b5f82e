/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request paths have no version, so each daemon answers in its own newest one. The
 * fields that are read here are the same in 1.19 (Docker 1.7.0) and 1.41 (20.10).
 */
#include "test/standin/common/docker-client.h"

#include "lib/file.h"
#include "lib/str.h"
#include "test/standin/common/docker.h"

#define CALL_MS 300000u
#define WAIT_MS 0x7fffffffu /* 25 days */

static int fail(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return 1;
}

static int call_for(unsigned ms, const char *method, const char *path, const char *type,
		    const void *body, size_t len, struct http_answer *a, struct err *e)
{
	const char *host = getenv("DOCKER_HOST");
	struct http_target t;
	const struct http_request r = {.method = method,
				       .path = path,
				       .type = type,
				       .body = body,
				       .len = len,
				       .timeout_ms = ms};

	if (docker_target_parse(host ? host : "unix://" DOCKER_SOCKET, &t, e) < 0)
		return -1;
	return http_call(&t, &r, a, e);
}

static int call(const char *method, const char *path, const char *type, const void *body,
		size_t len, struct http_answer *a, struct err *e)
{
	return call_for(CALL_MS, method, path, type, body, len, a, e);
}

/* Prints "Error response from daemon: PREFIX..." and the daemon's own message. */
static void daemon_error(const struct http_answer *a, const char *prefix)
{
	_cleanup_json_t_ json_t *answer = json_loadb(a->body, a->len, 0, NULL);
	const char *message = docker_message(answer);

	fprintf(stderr, "Error response from daemon: %s%s\n", prefix,
		*message ? message : a->body);
}

/* Returns "/containers/NAME" and `rest`; owned by the caller. */
static char *container_path(const char *name, const char *rest)
{
	struct buf b = {0};

	buf_puts(&b, "/containers/");
	http_escape(&b, name);
	buf_puts(&b, rest);
	return buf_take(&b);
}

/* --- images ------------------------------------------------------------------------ */

static int run_load(int argc, char **argv)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *tar = NULL;
	struct err e = {0};
	size_t len;
	int r;

	if (argc != 3 || !streq(argv[1], "-i"))
		return -1;
	r = file_read_at(AT_FDCWD, argv[2], 1U << 30, &tar, &len);
	if (r < 0)
		return fail(strerror(-r));
	if (call("POST", "/images/load", "application/x-tar", tar, len, &a, &e) < 0)
		return fail(e.msg);
	return a.status == 200 && !strstr(a.body, "\"error\"") ? 0 : fail(a.body);
}

static int run_inspect(int argc, char **argv)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *path = NULL;
	_cleanup_json_t_ json_t *j = NULL;
	struct err e = {0};

	if (argc != 3 || !streq(argv[1], "--format={{.Id}}"))
		return -1;
	path = xasprintf("/images/%s/json", argv[2]);
	if (call("GET", path, NULL, NULL, 0, &a, &e) < 0)
		return fail(e.msg);
	if (a.status == 404) {
		fprintf(stderr, "Error: No such image or container: %s\n", argv[2]);
		return 1;
	}
	j = json_loadb(a.body, a.len, 0, NULL);
	if (a.status != 200 || !json_string_value(json_object_get(j, "Id")))
		return fail(a.body);
	puts(json_string_value(json_object_get(j, "Id")));
	return 0;
}

/* --- containers -------------------------------------------------------------------- */

/* Reports that the image is not local. The original would pull it from its registry
 * now. */
static int no_image(const char *image)
{
	const char *slash = strrchr(image, '/');
	const char *tag = strchr(slash ? slash : image, ':') ? "" : ":latest";

	fprintf(stderr, "Unable to find image '%s%s' locally\n", image, tag);
	fprintf(stderr,
		"Error while pulling image: %s%s: the stand-in asks no registry\n", image,
		tag);
	return 1;
}

static int create(const char *name, const char *image, char **command)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_json_t_ json_t *config = NULL, *answer = NULL;
	_cleanup_free_ char *body = NULL;
	_cleanup_buf_ struct buf path = {0};
	struct err e = {0};
	const char *id;

	config = json_pack("{s:s, s:{}}", "Image", image, "HostConfig");
	if (*command) {
		json_t *words = json_array();

		for (; *command; command++)
			json_array_append_new(words, json_string(*command));
		json_object_set_new(config, "Cmd", words);
	}
	body = json_dumps(config, JSON_COMPACT);
	if (!body)
		return fail("a word of the command line is not UTF-8");
	buf_puts(&path, "/containers/create");
	if (name) {
		buf_puts(&path, "?name=");
		http_escape(&path, name);
	}
	if (call("POST", path.p, "application/json", body, strlen(body), &a, &e) < 0)
		return fail(e.msg);
	if (a.status == 404)
		return no_image(image);
	answer = json_loadb(a.body, a.len, 0, NULL);
	id = json_string_value(json_object_get(answer, "Id"));
	if (a.status != 201 || !id) {
		daemon_error(&a, "");
		return 1;
	}
	puts(id);
	return 0;
}

static int run_create(int argc, char **argv)
{
	const char *name = NULL;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		name = str_after(argv[i], "--name=");
		if (!name && streq(argv[i], "--name"))
			name = ++i < argc ? argv[i] : NULL;
		if (name)
			continue;
		fprintf(stderr, "docker: create takes --name=NAME only in the stand-in.\n"
				"See 'docker create --help'.\n");
		return 2;
	}
	if (i >= argc) {
		fprintf(stderr, "docker: \"create\" requires a minimum of 1 argument.\n"
				"See 'docker create --help'.\n");
		return 1;
	}
	return create(name, argv[i], argv + i + 1);
}

/* Prints the names for which a command failed, in the original's words. Returns the
 * command's exit status. */
static int failed(const char *what, char **names)
{
	_cleanup_free_ char *list = NULL;

	if (!names)
		return 0;
	list = strv_join(names, " ");
	fprintf(stderr, "Error: failed to %s containers: [%s]\n", what, list);
	return 1;
}

/* Sends a request about a container. Prints its name on success; otherwise prints the
 * error and adds the name to `failures`. */
static void act(const char *method, const char *rest, const char *name,
		const char *prefix, char ***failures)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *path = container_path(name, rest);
	struct err e = {0};

	if (call(method, path, NULL, NULL, 0, &a, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
	} else if (a.status < 400) {
		puts(name);
		return;
	} else if (a.status == 404) {
		fprintf(stderr, "Error response from daemon: no such id: %s\n", name);
	} else {
		daemon_error(&a, prefix);
	}
	strv_add(failures, name);
}

static int run_start(int argc, char **argv)
{
	_cleanup_strv_ char **failures = NULL;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-')
			return -1;
	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *prefix =
			xasprintf("Cannot start container %s: ", argv[i]);

		act("POST", "/start", argv[i], prefix, &failures);
	}
	return argc < 2 ? -1 : failed("start", failures);
}

/* Waits for the container to end and prints its exit status. */
static int run_wait(int argc, char **argv)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *path = NULL;
	_cleanup_json_t_ json_t *answer = NULL;
	struct err e = {0};

	if (argc != 2)
		return -1;
	path = container_path(argv[1], "/wait");
	if (call_for(WAIT_MS, "POST", path, NULL, NULL, 0, &a, &e) < 0)
		return fail(e.msg);
	answer = json_loadb(a.body, a.len, 0, NULL);
	if (a.status != 200) {
		daemon_error(&a, "");
		return 1;
	}
	printf("%lld\n",
	       (long long)json_integer_value(json_object_get(answer, "StatusCode")));
	return 0;
}

static int run_rm(int argc, char **argv)
{
	_cleanup_strv_ char **failures = NULL;

	if (argc < 3 || !streq(argv[1], "-f"))
		return -1;
	for (int i = 2; i < argc; i++)
		act("DELETE", "?force=1", argv[i], "", &failures);
	return failed("remove", failures);
}

int docker_client(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{"create", run_create}, {"inspect", run_inspect}, {"load", run_load},
		{"rm", run_rm},         {"start", run_start},     {"wait", run_wait},
	};

	for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(commands); i++)
		if (streq(argv[0], commands[i].name))
			return commands[i].run(argc, argv);
	return -1;
}
