/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what becomes of a transfer after a try: done, failed for good, or another
 * try. */
#include "builder/input/fetch-transfer.h"

#include "builder/common/mistakes.h"
#include "builder/common/progress.h"
#include "builder/input/fetch-check.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/url.h"

#define PAUSE_MAX_MS      30000
#define RETRY_AFTER_MAX_S 300L /* of Retry-After; a longer pause ends the transfer */
#define SAID_MS           3000 /* a longer pause is logged */
#define PROGRESS_BYTES    (256U * 1024) /* after so many, tries count from 1 again */

int transfer_io_error(struct transfer *t, int r)
{
	return err_errno(&t->err, r, "%s: cannot be kept", t->called);
}

int transfer_begin_rest(struct transfer *t)
{
	const struct response *r = &t->response;
	const char *is = r->etag ? r->etag : r->last_modified;
	bool ends = r->range_total > 0 || t->f->size > 0 || t->f->digest;

	if (r->has_range && r->range_start == t->part.have && is && t->if_range &&
	    streq(is, t->if_range) && ends) {
		t->resumed = true;
		return 0;
	}
	t->fresh = true;
	return err_set(&t->err, ERR_FAILED,
		       "%s: answered with another range or another "
		       "file than requested",
		       t->called);
}

int transfer_refuse_size(struct transfer *t)
{
	t->fresh = false;
	part_remove(&t->part);
	return -1;
}

static uint64_t pause_before(const struct fetch *x, const struct transfer *t,
			     long retry_after_s)
{
	uint64_t ms = x->pause_ms, retry_after_ms = (uint64_t)retry_after_s * 1000;

	for (unsigned i = 1; i < t->tries && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	if (ms > PAUSE_MAX_MS)
		ms = PAUSE_MAX_MS;
	return retry_after_ms > ms ? retry_after_ms : ms;
}

void transfer_fail(struct transfer *t)
{
	t->state = FAILED;
	if (t->part.fd >= 0)
		part_note_have(&t->part);
	part_close(&t->part);
}

void transfer_try_again(struct fetch *x, struct transfer *t, long retry_after_s)
{
	uint64_t ms;

	/* No limit on tries while there is progress: a bad line takes its time. */
	if (!t->fresh && t->part.have >= t->mark + PROGRESS_BYTES) {
		t->mark = t->part.have;
		t->tries = 1;
	}
	ms = pause_before(x, t, retry_after_s);
	if (retry_after_s > RETRY_AFTER_MAX_S) {
		err_set(&t->err, ERR_FAILED, "%s, and asks to retry in %ld s", t->err.msg,
			retry_after_s);
		transfer_fail(t);
		return;
	}
	if (t->tries >= x->max_tries) {
		if (t->tries > 1)
			err_set(&t->err, ERR_FAILED, "%s (tried %u times)", t->err.msg,
				t->tries);
		transfer_fail(t);
		return;
	}
	progress_clear();
	log_line(ms >= SAID_MS ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
		 "%s; trying again in %llu.%llu s", t->err.msg,
		 (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000 / 100));
	t->state = WAITING;
	t->retry_at = progress_now_ms() + ms;
}

/* A resumed file with a wrong digest may be right when it is fetched in one piece. */
static bool once_more(struct transfer *t)
{
	if (!t->resumed)
		return false;
	log_debug("%s; fetching it once more from the start", t->err.msg);
	t->resumed = false;
	t->fresh = true;
	t->state = WAITING;
	t->retry_at = 0;
	return true;
}

void transfer_finish(struct fetch *x, struct transfer *t)
{
	switch (fetch_check(t->f, &t->part, &t->response, t->called, &t->err)) {
	case FETCH_GOOD:
		part_close(&t->part);
		t->state = DONE;
		return;
	case FETCH_CUT:
		transfer_try_again(x, t, 0);
		return;
	case FETCH_WRONG:
		if (once_more(t))
			return;
		part_remove(&t->part);
		transfer_fail(t);
		return;
	}
}

bool transfer_is_doubtful(const struct transfer *t)
{
	return t->tries == 1 && t->part.have > 0 && !t->f->digest && !t->f->weak &&
	       !part_is_noted(&t->part);
}

void transfer_refused(struct transfer *t, long code, const char *last)
{
	_cleanup_free_ char *asked = url_server(t->f->url),
			    *answered = last ? url_server(last) : NULL;

	if (answered && !streq(asked, answered))
		err_set(&t->err, ERR_FAILED, "%s: redirected to %s, which answered %ld%s",
			t->called, answered, code,
			code == 401 ? ": it wants a user name and password, which are "
				      "not sent behind a redirect: fetch from that "
				      "server itself (--mirror) with --netrc-file"
				    : "");
	else
		err_set(&t->err, ERR_FAILED, "%s: the server answered %ld%s", t->called,
			code,
			code != 401 ? ""
			: t->has_login
				? ": it does not accept the user name and password"
				: ": it wants a user name and password: give them with "
				  "--netrc-file");
}

void transfer_report_done(const struct fetch *x, const struct transfer *t)
{
	uint64_t ms = progress_now_ms() - t->began;
	char size[PROGRESS_SIZE_LEN];

	if (x->quiet)
		return;
	progress_clear();
	log_info("fetched %s: %s (%llu.%llu s)", t->f->name,
		 progress_size(t->part.have, size), (unsigned long long)(ms / 1000),
		 (unsigned long long)(ms % 1000 / 100));
}

void transfer_init(struct transfer *t, struct fetch_file *f)
{
	*t = (struct transfer){.f = f, .part.fd = -1};
	t->place =
		f->shown && !strchr(f->shown, '?') ? url_public(f->url) : xstrdup(f->url);
	url_strip_userinfo(t->place);
	t->called = f->shown ? f->shown : t->place;
}

int fetch_verdict(const struct fetch *x, struct err *e)
{
	_cleanup_mistakes_ struct mistakes m = {0};

	for (size_t i = 0; i < x->n; i++) {
		const struct transfer *t = &x->v[i];
		struct err one = t->err;

		if (t->state != FAILED)
			continue;
		if (!streq(t->called, t->place))
			err_set(&one, t->err.code, "%s (from %s)", t->err.msg, t->place);
		mistakes_add(&m, &one);
	}
	return mistakes_err(&m, e);
}
