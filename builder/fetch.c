/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface: one transfer a file, CONNECTIONS of them at a time. A
 * transfer goes through tries; each try either ends the transfer (done, or failed for
 * good) or lets it wait for its next.
 *
 * Digests are computed while the bytes arrive. A resumed file is read once to catch up;
 * when it then has the wrong digest, the two halves may not belong together, so it is
 * fetched once more from the start before anybody is told.
 */
#include "fetch.h"

#include "fetch-part.h"
#include "lib/log.h"
#include "lib/str.h"
#include "progress.h"

#include <ctype.h>

#include <curl/curl.h>

#define CONNECTIONS       4
#define TRIES             4
#define PAUSE_MS          500
#define PAUSE_MAX_MS      30000
#define CONNECT_TIMEOUT_S 20L
#define SLOW_BYTES        100L /* fewer a second for SLOW_S seconds is a dead server */
#define SLOW_S            60L
#define REDIRECTS_MAX     10L

enum state {
	WAITING, /* for retry_at */
	RUNNING,
	DONE,
	FAILED,
};

struct transfer {
	struct fetch_file *f;
	enum state state;
	CURL *h;
	struct curl_slist *headers;
	struct part part;
	uint64_t start;    /* bytes there were when this try began */
	char *validator;   /* of the response, for If-Range of the next try */
	char *range_start; /* from Content-Range */
	bool body;         /* the response's first byte was seen */
	bool resumed;      /* any try went on from bytes of another one */
	bool fresh;        /* start over whatever is there */
	unsigned tries;
	long retry_after;
	uint64_t retry_at, began;
	const char *called; /* what messages say */
	struct err err;
	char curl_err[CURL_ERROR_SIZE];
};

struct fetch {
	CURLM *multi;
	struct transfer *v;
	size_t n;
	unsigned max_tries, pause_ms;
	uint64_t began, rate_at, rate_bytes, rate;
};

static int io_error(struct transfer *t, int r)
{
	return err_errno(&t->err, r, "%s: cannot be kept", t->called);
}

/* --- callbacks --------------------------------------------------------------------- */

static char *header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return NULL;
	for (line += n + 1, len -= n + 1; len > 0 && isspace((unsigned char)*line); len--)
		line++;
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	return xstrndup(line, len);
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t len = size * count;
	char *s;

	if (len > 5 && strncmp(line, "HTTP/", 5) == 0) { /* a redirect's are not ours */
		free(TAKE_PTR(t->validator));
		free(TAKE_PTR(t->range_start));
		return len;
	}
	s = header_value(line, len, "ETag");
	if (s && s[0] == '"') { /* a weak one promises nothing about bytes */
		free(t->validator);
		t->validator = TAKE_PTR(s);
	}
	free(s);
	s = header_value(line, len, "Last-Modified");
	if (s && !t->validator)
		t->validator = TAKE_PTR(s);
	free(s);
	s = header_value(line, len, "Content-Range");
	if (s && str_after(s, "bytes ")) {
		free(t->range_start);
		t->range_start = xstrndup(s + 6, strcspn(s + 6, "-"));
	}
	free(s);
	return len;
}

static long response_code(const struct transfer *t)
{
	long code = 0;

	curl_easy_getinfo(t->h, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

/* The first byte of a body: do we go on, or start over? */
static int begin_body(struct transfer *t)
{
	uint64_t at;

	t->body = true;
	if (response_code(t) == 206) {
		if (!t->range_start || str_to_u64(t->range_start, INT64_MAX, &at) < 0 ||
		    at != t->part.have)
			return err_set(&t->err, ERR_FAILED,
				       "%s: answered with another range than asked for",
				       t->called);
		t->resumed = true;
		return 0;
	}
	if (t->part.have > 0) {
		int r = part_start_over(&t->part);

		if (r < 0)
			return io_error(t, r);
	}
	part_note(&t->part, t->validator);
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	size_t len = size * count;
	int r;

	if (response_code(t) >= 300) /* an error's page; 0 for file: */
		return len;
	if (!t->body && begin_body(t) < 0)
		return 0;
	if (t->f->size > 0 && t->part.have + len > t->f->size) {
		err_set(&t->err, ERR_FAILED,
			"%s: longer than the %llu bytes it must have (%s)", t->called,
			(unsigned long long)t->f->size, t->f->expected_by);
		return 0;
	}
	r = part_add(&t->part, data, len);
	if (r < 0) {
		io_error(t, r);
		return 0;
	}
	return len;
}

/* --- one try ----------------------------------------------------------------------- */

static int wrong_digest(struct transfer *t, const char *got)
{
	struct fetch_file *f = t->f;

	return err_set(&t->err, ERR_FAILED,
		       "%s: %s is %s, expected %s (%s); it has %llu bytes%s", t->called,
		       digest_name(f->digest_type), got, f->digest, f->expected_by,
		       (unsigned long long)t->part.have,
		       part_is_page(&t->part) ? " and looks like a web page" : "");
}

/* All bytes are there: are they the right ones? */
static void finish(struct transfer *t)
{
	struct fetch_file *f = t->f;
	const char *got;

	part_digests(&t->part, f->sha256, f->sha512);
	f->got = t->part.have;
	got = f->digest_type == DIGEST_SHA512 ? f->sha512 : f->sha256;
	if (f->size > 0 && f->size != t->part.have)
		err_set(&t->err, ERR_FAILED, "%s: has %llu bytes, must have %llu (%s)",
			t->called, (unsigned long long)t->part.have,
			(unsigned long long)f->size, f->expected_by);
	else if (f->digest && !streq(got, f->digest))
		wrong_digest(t, got);
	else {
		t->state = DONE;
		return;
	}
	if (t->resumed) {
		log_debug("%s; fetches it once more from the start", t->err.msg);
		t->resumed = false;
		t->fresh = true;
		t->state = WAITING;
		t->retry_at = 0;
		return;
	}
	part_remove(&t->part);
	f->sha256[0] = f->sha512[0] = '\0';
	t->state = FAILED;
}

static void set_options(struct transfer *t)
{
	CURL *h = t->h;
	const char *schemes = str_after(t->f->url, "file:")    ? "file"
			      : str_after(t->f->url, "https:") ? "https"
							       : "http,https";

	curl_easy_setopt(h, CURLOPT_URL, t->f->url);
	curl_easy_setopt(h, CURLOPT_PRIVATE, t);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, schemes);
	curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(h, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "rackstrap/" RACKSTRAP_VERSION);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, SLOW_S);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->curl_err);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 256L * 1024);
}

static void want_rest(struct transfer *t, const char *validator)
{
	_cleanup_free_ char *range =
		xasprintf("Range: bytes=%llu-", (unsigned long long)t->part.have);
	_cleanup_free_ char *same = xasprintf("If-Range: %s", validator);

	t->headers = curl_slist_append(t->headers, range);
	t->headers = curl_slist_append(t->headers, same);
}

/* Prepares the file and the request. */
static int prepare(struct transfer *t)
{
	_cleanup_free_ char *validator = NULL;
	struct part *p = &t->part;
	int r = 0;

	if (p->fd < 0)
		r = part_open(p, t->f->dirfd, t->f->path, t->f->url);
	if (r < 0)
		return io_error(t, r);
	validator = t->fresh ? NULL : part_validator(p);
	r = validator ? part_catch_up(p) : part_start_over(p);
	if (r == 0 && t->f->size > 0 && p->have > t->f->size)
		r = part_start_over(p);
	if (r < 0)
		return io_error(t, r);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	if (p->have > 0)
		want_rest(t, validator);
	t->start = p->have;
	t->body = false;
	t->fresh = false;
	t->curl_err[0] = '\0';
	return 0;
}

static void start_try(struct fetch *x, struct transfer *t)
{
	t->tries++;
	if (!t->began)
		t->began = progress_now_ms();
	if (prepare(t) < 0) {
		t->state = FAILED;
		return;
	}
	if (t->f->size > 0 && t->part.have == t->f->size) { /* came in an earlier run */
		t->resumed = true;
		finish(t);
		return;
	}
	t->h = curl_easy_init();
	if (!t->h)
		abort();
	set_options(t);
	curl_multi_add_handle(x->multi, t->h);
	t->state = RUNNING;
}

static bool transient_code(long code)
{
	return code == 408 || code == 429 || code == 500 || code == 502 || code == 503 ||
	       code == 504;
}

static bool transient_error(CURLcode r)
{
	switch (r) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

static uint64_t pause_before(const struct fetch *x, const struct transfer *t)
{
	uint64_t ms = x->pause_ms;

	for (unsigned i = 1; i < t->tries && ms < PAUSE_MAX_MS; i++)
		ms *= 2;
	if (t->retry_after > 0 && (uint64_t)t->retry_after * 1000 > ms)
		ms = (uint64_t)t->retry_after * 1000;
	return ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
}

/* Fails the transfer, or lets it wait for another try. The message is in t->err. */
static void try_again(struct fetch *x, struct transfer *t)
{
	uint64_t ms = pause_before(x, t);

	if (t->tries >= x->max_tries) {
		if (t->tries > 1)
			err_set(&t->err, ERR_FAILED, "%s (tried %u times)", t->err.msg,
				t->tries);
		t->state = FAILED;
		return;
	}
	log_debug("%s; tries again in %llu ms", t->err.msg, (unsigned long long)ms);
	t->state = WAITING;
	t->retry_at = progress_now_ms() + ms;
}

static void end_try(struct fetch *x, struct transfer *t, CURLcode result)
{
	const char *said = t->curl_err[0] ? t->curl_err : curl_easy_strerror(result);
	long code = response_code(t);
	curl_off_t retry_after = 0;

	curl_easy_getinfo(t->h, CURLINFO_RETRY_AFTER, &retry_after);
	t->retry_after = (long)retry_after;
	if (result == CURLE_OK && code < 300) {
		/* An empty body never came to on_body. */
		if (t->body || code == 206 || begin_body(t) == 0)
			finish(t);
		else
			t->state = FAILED;
	} else if (result == CURLE_OK && code == 416) {
		t->fresh = true;
		err_set(&t->err, ERR_FAILED, "%s: no such range", t->called);
		try_again(x, t);
	} else if (result == CURLE_OK) {
		err_set(&t->err, ERR_FAILED, "%s: the server answered %ld", t->called,
			code);
		if (transient_code(code))
			try_again(x, t);
		else
			t->state = FAILED;
	} else if (result == CURLE_WRITE_ERROR && t->err.msg[0]) {
		t->state = FAILED; /* the callback has said why */
	} else {
		err_set(&t->err, ERR_FAILED, "%s: %s", t->called, said);
		if (transient_error(result))
			try_again(x, t);
		else
			t->state = FAILED;
	}
	curl_multi_remove_handle(x->multi, t->h);
	curl_easy_cleanup(t->h);
	t->h = NULL;
}

/* --- all of them ------------------------------------------------------------------- */

static void show(struct fetch *x)
{
	char have[PROGRESS_SIZE_LEN], rate[PROGRESS_SIZE_LEN];
	const char *name = "";
	uint64_t bytes = 0, now = progress_now_ms();
	size_t done = 0;

	if (!progress_live())
		return;
	for (size_t i = 0; i < x->n; i++) {
		bytes += x->v[i].part.have;
		done += x->v[i].state == DONE;
		if (x->v[i].state == RUNNING && !*name)
			name = x->v[i].f->name;
	}
	if (now - x->rate_at >= 1000) {
		x->rate = bytes > x->rate_bytes
				  ? (bytes - x->rate_bytes) * 1000 / (now - x->rate_at)
				  : 0;
		x->rate_at = now;
		x->rate_bytes = bytes;
	}
	progress_show("fetches %zu of %zu: %s, %s/s (%s)", done, x->n,
		      progress_size(bytes, have), progress_size(x->rate, rate), name);
}

static void tell_done(const struct transfer *t)
{
	uint64_t ms = progress_now_ms() - t->began;
	char size[PROGRESS_SIZE_LEN];

	progress_clear();
	log_info("fetched %s: %s (%llu.%llu s)", t->f->name,
		 progress_size(t->part.have, size), (unsigned long long)(ms / 1000),
		 (unsigned long long)(ms % 1000 / 100));
}

static void collect(struct fetch *x)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(x->multi, &left))) {
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		end_try(x, t, m->data.result);
		if (t->state == DONE)
			tell_done(t);
	}
}

/* Starts what may start. Returns how many are still to come, *wait for poll's sake. */
static size_t start_due(struct fetch *x, int *wait)
{
	uint64_t now = progress_now_ms();
	size_t running = 0, open = 0;

	*wait = 1000;
	for (size_t i = 0; i < x->n; i++)
		running += x->v[i].state == RUNNING;
	for (size_t i = 0; i < x->n; i++) {
		struct transfer *t = &x->v[i];

		if (t->state == WAITING && t->retry_at <= now && running < CONNECTIONS) {
			start_try(x, t);
			running += t->state == RUNNING;
			if (t->state == DONE)
				tell_done(t);
			if (t->state == WAITING)
				*wait = 0;
		}
		if (t->state == WAITING && t->retry_at > now &&
		    t->retry_at - now < (uint64_t)*wait)
			*wait = (int)(t->retry_at - now);
		open += t->state == WAITING || t->state == RUNNING;
	}
	return open;
}

static int loop(struct fetch *x, struct err *e)
{
	int wait, running;

	while (start_due(x, &wait) > 0) {
		CURLMcode r = curl_multi_perform(x->multi, &running);

		collect(x);
		show(x);
		if (r == CURLM_OK)
			r = curl_multi_poll(x->multi, NULL, 0,
					    progress_live() && wait > 100 ? 100 : wait,
					    NULL);
		if (r != CURLM_OK)
			return err_set(e, ERR_FAILED, "libcurl: %s",
				       curl_multi_strerror(r));
		collect(x);
	}
	progress_clear();
	return 0;
}

static void transfer_init(struct transfer *t, struct fetch_file *f)
{
	*t = (struct transfer){.f = f, .part.fd = -1};
	t->called = f->shown ? f->shown : f->url;
}

static void transfer_done(struct fetch *x, struct transfer *t)
{
	if (t->h) {
		curl_multi_remove_handle(x->multi, t->h);
		curl_easy_cleanup(t->h);
	}
	curl_slist_free_all(t->headers);
	part_done(&t->part);
	free(t->validator);
	free(t->range_start);
}

static int verdict(const struct fetch *x, struct err *e)
{
	struct diag d = {0};
	int r;

	for (size_t i = 0; i < x->n; i++) {
		const struct transfer *t = &x->v[i];

		if (t->state == FAILED && streq(t->called, t->f->url))
			diag_add(&d, "%s", t->err.msg);
		else if (t->state == FAILED)
			diag_add(&d, "%s (from %s)", t->err.msg, t->f->url);
	}
	r = diag_err(&d, e);
	if (r < 0 && e)
		e->code = ERR_FAILED;
	diag_done(&d);
	return r;
}

int fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
	      struct err *e)
{
	struct fetch x = {
		.n = n,
		.max_tries = o && o->tries ? o->tries : TRIES,
		.pause_ms = o && o->pause_ms ? o->pause_ms : PAUSE_MS,
		.rate_at = progress_now_ms(),
	};
	int r;

	if (n == 0)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return err_set(e, ERR_FAILED, "libcurl cannot be used");
	x.multi = curl_multi_init();
	if (!x.multi)
		abort();
	x.v = xcalloc(n, sizeof(*x.v));
	for (size_t i = 0; i < n; i++)
		transfer_init(&x.v[i], &v[i]);
	r = loop(&x, e);
	if (r == 0)
		r = verdict(&x, e);
	for (size_t i = 0; i < n; i++)
		transfer_done(&x, &x.v[i]);
	free(x.v);
	curl_multi_cleanup(x.multi);
	return r;
}
