/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first wait is longer than the slowest first registration that was measured: 28 s
 * for the Calico plugin's `init`, and three look-ups of metadata.google.internal, each up
 * to 40 s with two silent name servers and a search domain (kubelet 0.20.2 under
 * emulation).
 *
 * Both notes are advice: one that cannot be read counts as absent, which restarts
 * nothing.
 */
#include "registration.h"
#include "etcd.h"
#include "http.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pool.h"
#include "state.h"

#define API_PORT 8080
#define NOTE_MAX 256

/* --- the kubelet's node ------------------------------------------------------------- */

/* The kubelet's --hostname_override. */
static char *node_name(const struct host *h)
{
	char self[NET_ADDR_LEN];

	return xstrdup(net_format_addr(h->address.addr, self));
}

static enum registration_state node_look(const struct host *h)
{
	_cleanup_free_ char *nodes = NULL, *node = NULL, *name = node_name(h);
	char master[NET_ADDR_LEN];
	unsigned status;
	struct err e;

	nodes = xasprintf("http://%s:%u/api/v1/nodes", net_format_addr(h->master, master),
			  API_PORT);
	node = xasprintf("%s/%s", nodes, name);
	if (http_get(node, &status, NULL, &e) < 0)
		return REGISTRATION_UNKNOWN;
	if (status == 200)
		return REGISTRATION_PRESENT;
	/* A server that is starting up answers 404 to everything. */
	if (status == 404 && http_get(nodes, &status, NULL, &e) == 0 && status == 200)
		return REGISTRATION_ABSENT;
	return REGISTRATION_UNKNOWN;
}

/* --- calico-node's host ------------------------------------------------------------- */

static char *calico_name(const struct host *h)
{
	return xstrdup(h->name);
}

static enum registration_state calico_look(const struct host *h)
{
	struct err e;
	int r = calico_host_is_known(h, &e);

	return r > 0    ? REGISTRATION_PRESENT
	       : r == 0 ? REGISTRATION_ABSENT
			: REGISTRATION_UNKNOWN;
}

const struct registration registrations[] = {
	{"kubelet", "kube-kubelet.service", "the API server", node_name, node_look},
	{"calico", "calico-node.service", "etcd", calico_name, calico_look},
};
const size_t n_registrations = ARRAY_SIZE(registrations);

/* --- notes in RUN_DIR --------------------------------------------------------------- */

static char *mark_path(const struct registration *r)
{
	return xasprintf(RUN_DIR "/registered-%s", r->name);
}

static char *restarts_path(const struct registration *r)
{
	return xasprintf(RUN_DIR "/restarts-%s", r->name);
}

/* Returns the note's one line, owned; NULL when there is none. */
static char *note_read(const struct firstboot *fb, const char *path)
{
	char *text = NULL;

	if (file_read_at(fb->rootfd, path, NOTE_MAX, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void note_write(const struct firstboot *fb, const char *path, const char *line)
{
	_cleanup_free_ char *have = note_read(fb, path), *text = NULL;
	struct err e;

	if (have && streq(have, line))
		return;
	text = xasprintf("%s\n", line);
	if (run_file_write(fb, path, text, 0644, &e) < 0)
		log_warn("%s", e.msg);
}

static unsigned restarts(const struct registration *r, const struct firstboot *fb)
{
	_cleanup_free_ char *path = restarts_path(r), *text = note_read(fb, path);
	uint64_t n = 0;

	return text && str_to_u64(text, 1000, &n) == 0 ? (unsigned)n : 0;
}

/* ------------------------------------------------------------------------------------ */

bool registration_applies(const struct registration *r, const struct role *role)
{
	return strv_has(role->units, r->unit);
}

enum registration_state registration_look(const struct registration *r,
					  const struct firstboot *fb,
					  const struct host *h)
{
	enum registration_state state = r->look(h);

	if (state == REGISTRATION_PRESENT) {
		_cleanup_free_ char *mark = mark_path(r), *count = restarts_path(r),
				    *subject = r->subject(h);

		note_write(fb, mark, subject);
		(void)!file_remove_at(fb->rootfd, count);
	}
	return state;
}

bool registration_is_marked(const struct registration *r, const struct firstboot *fb,
			    const struct host *h)
{
	_cleanup_free_ char *path = mark_path(r), *mark = note_read(fb, path),
			    *subject = r->subject(h);

	return mark && streq(mark, subject);
}

unsigned registration_wait_s(const struct registration *r, const struct firstboot *fb)
{
	unsigned wait = REGISTRATION_WAIT_S;

	for (unsigned n = restarts(r, fb); n > 0 && wait < REGISTRATION_WAIT_MAX_S; n--)
		wait *= 2;
	return wait < REGISTRATION_WAIT_MAX_S ? wait : REGISTRATION_WAIT_MAX_S;
}

void registration_note_restart(const struct registration *r, const struct firstboot *fb)
{
	_cleanup_free_ char *path = restarts_path(r), *line = NULL;

	line = xasprintf("%u", restarts(r, fb) + 1);
	note_write(fb, path, line);
}
