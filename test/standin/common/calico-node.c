/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the container calico-node in the real Docker. The original pulls the image from
 * Docker's registry if it is absent. A rehearsed rack has no way out, so the stand-in
 * imports an image that contains only this program, with the label rackstrap.standin. An
 * image that exists already is used unchanged.
 */
#include "lib/file.h"
#include "lib/str.h"
#include "test/standin/common/calico.h"
#include "test/standin/common/tar.h"

#define CONTAINER "calico-node"
#define SELF_MAX  (16u * 1024 * 1024)

static int expect(int status, int want, int or_want, const char *what,
		  const json_t *answer, struct err *e)
{
	if (status < 0)
		return err_wrap(e, "%s", what);
	if (status == want || status == or_want)
		return 0;
	return err_set(e, ERR_FAILED, "%s: Docker says %d: %s", what, status,
		       docker_message(answer));
}

static int import_image(struct calico *c, const char *repo, const char *tag,
			struct err *e)
{
	_cleanup_free_ char *self = NULL;
	_cleanup_buf_ struct buf tar = {0}, path = {0};
	_cleanup_http_answer_ struct http_answer a = {0};
	size_t len;
	int r = file_read_at(AT_FDCWD, "/proc/self/exe", SELF_MAX, &self, &len);

	if (r < 0)
		return err_errno(e, r, "/proc/self/exe");
	tar_file(&tar, "calicoctl", 0755, self, len);
	tar_end(&tar);
	buf_puts(&path, "/images/create?fromSrc=-&repo=");
	http_escape(&path, repo);
	buf_puts(&path, "&tag=");
	http_escape(&path, tag);
	buf_puts(&path, "&changes=");
	http_escape(&path, "LABEL rackstrap.standin=true");
	buf_puts(&path, "&changes=");
	http_escape(&path, "CMD [\"/calicoctl\", \"" CALICO_STANDIN_WORD "\"]");
	if (http_call(&c->docker,
		      &(struct http_request){.method = "POST",
					     .path = path.p,
					     .type = "application/x-tar",
					     .body = tar.p,
					     .len = tar.len,
					     .timeout_ms = 120000},
		      &a, e) < 0)
		return -1;
	if (a.status != 200 || strstr(a.body, "\"error\""))
		return err_set(e, ERR_FAILED, "importing %s:%s: Docker says %d: %.200s",
			       repo, tag, a.status, a.body);
	return 0;
}

static int ensure_image(struct calico *c, const char *image, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/images/%s/json", image);
	_cleanup_free_ char *repo = xstrdup(image);
	_cleanup_json_t_ json_t *answer = NULL;
	const char *tag = "latest";
	char *colon;
	int status = docker_call(&c->docker, "GET", path, NULL, &answer, e);

	if (status == 200)
		return 0;
	if (expect(status, 404, 404, "looking for the image", answer, e) < 0)
		return -1;
	colon = strrchr(repo, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		tag = colon + 1;
	}
	printf("%s is not here; importing rackstrap's stand-in under its name\n", image);
	return import_image(c, repo, tag, e);
}

static json_t *container_config(const struct calico *c, const char *image, const char *ip,
				const char *ip6)
{
	_cleanup_strv_ char **env = NULL;
	json_t *list = json_array();

	strv_addf(&env, "HOSTNAME=%s", c->host);
	strv_addf(&env, "POWERSTRIP_UNIX_SOCKET=NO");
	strv_addf(&env, "IP=%s", ip);
	strv_addf(&env, "IP6=%s", ip6);
	strv_addf(&env, "ETCD_AUTHORITY=%s", c->etcd_authority);
	strv_addf(&env, "FELIX_ETCDADDR=%s", c->etcd_authority);
	for (size_t i = 0; i < strv_len(env); i++)
		json_array_append_new(list, json_string(env[i]));
	/* The original requests the restart policy "Always", which Docker 1.7 treats as
	 * none and later versions refuse. */
	return json_pack("{s:s, s:o, s:{s:s}, s:{s:b, s:s, s:[s,s,s]}}", "Image", image,
			 "Env", list, "Labels", "rackstrap.standin", "true", "HostConfig",
			 "Privileged", 1, "NetworkMode", "host", "Binds",
			 "/var/run:/host-var-run:rw", "/proc:/proc_host:rw",
			 "/var/log/calico:/var/log/calico:rw");
}

int calico_container_run(struct calico *c, const char *image, const char *ip,
			 const char *ip6, char **id, struct err *e)
{
	_cleanup_json_t_ json_t *removed = NULL, *created = NULL, *started = NULL;
	_cleanup_json_t_ json_t *config = container_config(c, image, ip, ip6);
	_cleanup_free_ char *start = NULL;
	const char *got;
	int status;

	status = docker_call(&c->docker, "DELETE", "/containers/" CONTAINER "?force=1",
			     NULL, &removed, e);
	if (expect(status, 204, 404, "removing the old container", removed, e) < 0)
		return -1;
	if (ensure_image(c, image, e) < 0)
		return -1;
	status = docker_call(&c->docker, "POST", "/containers/create?name=" CONTAINER,
			     config, &created, e);
	if (expect(status, 201, 201, "creating the container", created, e) < 0)
		return -1;
	got = json_string_value(json_object_get(created, "Id"));
	if (!got)
		return err_set(e, ERR_FAILED,
			       "creating the container: an answer without Id");
	start = xasprintf("/containers/%s/start", got);
	status = docker_call(&c->docker, "POST", start, NULL, &started, e);
	if (expect(status, 204, 304, "starting the container", started, e) < 0)
		return -1;
	*id = xstrdup(got);
	return 0;
}

int calico_container_running(struct calico *c, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	int status = docker_call(&c->docker, "GET", "/containers/" CONTAINER "/json",
				 NULL, &answer, e);

	if (expect(status, 200, 404, CONTAINER, answer, e) < 0)
		return -1;
	return json_is_true(json_object_get(json_object_get(answer, "State"), "Running"));
}

int calico_container_stop(struct calico *c, struct err *e)
{
	_cleanup_json_t_ json_t *answer = NULL;
	int status = docker_call(&c->docker, "POST", "/containers/" CONTAINER "/stop",
				 NULL, &answer, e);

	return status == 304 ? 0
			     : expect(status, 204, 404, "stopping " CONTAINER, answer, e);
}
