/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REGISTRATION_WAIT_S is longer than the slowest first registration that was measured: 28
 * s for the Calico plugin's `init`, and three look-ups of metadata.google.internal of up
 * to 40 s each, with two name servers that do not answer and a search domain (kubelet
 * 0.20.2 under emulation).
 *
 * A record in RUN_DIR that cannot be read counts as absent: then nothing is restarted.
 */
#include "firstboot/registration.h"
#include "firstboot/state.h"
#include "lib/log.h"
#include "lib/root.h"

#define NOTE_MAX 256

#define RESTARTS_MAX 10 /* largest count: more restarts do not make the wait longer */

/* --- records in RUN_DIR ------------------------------------------------------------- */

static char *mark_path(const struct registration *r)
{
	return xasprintf(RUN_DIR "/registered-%s", r->name);
}

static char *restarts_path(const struct registration *r)
{
	return xasprintf(RUN_DIR "/restarts-%s", r->name);
}

/* Returns the one line of a record, owned by the caller, or NULL. */
static char *record_read(const struct firstboot *fb, const char *path)
{
	char *text = NULL;

	if (root_read(fb->rootfd, path, NOTE_MAX, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void record_write(const struct firstboot *fb, const char *path, const char *line)
{
	_cleanup_free_ char *have = record_read(fb, path), *text = NULL;
	struct err e;

	if (have && streq(have, line))
		return;
	text = xasprintf("%s\n", line);
	if (run_file_write(fb, path, text, 0644, &e) < 0)
		log_warn("%s", e.msg);
}

/* Returns the record of a registration, "NAME at ADDRESS:PORT". Owned by the caller. */
static char *mark_of(const struct registration *r, const struct host *h)
{
	_cleanup_free_ char *subject = r->subject(h), *server = r->server(h);

	return xasprintf("%s at %s", subject, server);
}

static unsigned restarts(const struct registration *r, const struct firstboot *fb)
{
	_cleanup_free_ char *path = restarts_path(r), *text = record_read(fb, path);
	uint64_t n = 0;

	return text && str_to_u64(text, RESTARTS_MAX, &n) == 0 ? (unsigned)n : 0;
}

/* --- interface ---------------------------------------------------------------------- */

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
		_cleanup_free_ char *path = mark_path(r), *count = restarts_path(r),
				    *mark = mark_of(r, h);

		record_write(fb, path, mark);
		(void)!root_remove(fb->rootfd, count);
	}
	return state;
}

bool registration_is_marked(const struct registration *r, const struct firstboot *fb,
			    const struct host *h)
{
	_cleanup_free_ char *path = mark_path(r), *have = record_read(fb, path),
			    *mark = mark_of(r, h);

	return have && streq(have, mark);
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
	unsigned n = restarts(r, fb);

	line = xasprintf("%u", n < RESTARTS_MAX ? n + 1 : n);
	record_write(fb, path, line);
}
