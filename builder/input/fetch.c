/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses libcurl's multi interface: one transfer for each file, CONNECTIONS of them at a
 * time. A transfer has tries; each try either ends the transfer (done, or failed for
 * good) or lets it wait for the next (fetch-transfer.c). fetch-check.c checks the result.
 *
 * Digests are computed while the bytes arrive. A resumed file is read once to catch up;
 * when it then has the wrong digest, its two parts may not belong together, so it is
 * fetched once more from the start before an error is reported.
 */
#include "builder/input/fetch.h"

#include "builder/common/progress.h"
#include "builder/common/space.h"
#include "builder/input/fetch-check.h"
#include "builder/input/fetch-transfer.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/url.h"

#include <curl/curl.h>

#define CONNECTIONS       6
#define TRIES             4
#define PAUSE_MS          500
#define CONNECT_TIMEOUT_S 20L
#define SLOW_BYTES        100L /* a second; the least that counts as answering */
#define SLOW_S            60   /* of less than that, then the transfer is broken off */
#define REDIRECTS_MAX     10L
#define DROPPED_MAX       (1U << 20) /* bytes of an error's body that are waited for */

_Static_assert(TRANSFER_CURL_TEXT >= CURL_ERROR_SIZE, "room for libcurl's texts");

/* --- callbacks --------------------------------------------------------------------- */

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *t = data;

	response_header(&t->response, line, size * count);
	return size * count;
}

static long response_code(const struct transfer *t)
{
	long code = 0;

	curl_easy_getinfo(t->h, CURLINFO_RESPONSE_CODE, &code);
	return code;
}

/* Checks the size that the server says the rest of the file has, and the room for it. */
static int check_announced(struct transfer *t)
{
	curl_off_t rest = -1;

	curl_easy_getinfo(t->h, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &rest);
	if (rest < 0)
		return 0;
	if (fetch_check_size(t->f, t->part.have + (uint64_t)rest, t->called, &t->err) < 0)
		return transfer_refuse_size(t);
	return space_check_one(&(struct space_need){t->f->dir, t->called, (uint64_t)rest},
			       &t->err);
}

/* Decides at the first byte of a body whether the transfer resumes or starts over. */
static int begin_body(struct transfer *t)
{
	t->body = true;
	if (response_code(t) == 206)
		return transfer_begin_rest(t) < 0 ? -1 : check_announced(t);
	t->response.range_total = 0; /* the header has no meaning with 200 */
	if (t->part.have > 0) {
		int r = part_start_over(&t->part);

		if (r < 0)
			return transfer_io_error(t, r);
	}
	if (check_announced(t) < 0)
		return -1;
	part_note(&t->part, response_validator(&t->response));
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	size_t len = size * count;
	int r;

	if (response_code(t) >= 300) { /* drops the body of an error; 0 with file: */
		t->dropped += len;
		return t->dropped <= DROPPED_MAX ? len : 0;
	}
	if (!t->body && begin_body(t) < 0)
		return 0;
	if (t->f->size > 0 && t->part.have + len > t->f->size) {
		err_set(&t->err, ERR_FAILED,
			"%s: longer than the %llu bytes it must have (%s)", t->called,
			(unsigned long long)t->f->size, t->f->expected_by);
		t->fresh = t->resumed;
		return 0;
	}
	if (fetch_check_size(t->f, t->part.have + len, t->called, &t->err) < 0) {
		transfer_refuse_size(t);
		return 0;
	}
	r = part_add(&t->part, data, len);
	if (r < 0) {
		transfer_io_error(t, r);
		return 0;
	}
	return len;
}

/* Ends a transfer whose redirect has an endless body, which libcurl reads by itself. */
static int on_progress(void *user, _unused_ curl_off_t total, curl_off_t now,
		       _unused_ curl_off_t up_total, _unused_ curl_off_t up)
{
	struct transfer *t = user;

	if (t->body || t->dropped > 0 || now <= (curl_off_t)DROPPED_MAX)
		return 0;
	err_set(&t->err, ERR_FAILED,
		"%s: is redirected with a body of more than %u MiB: refused", t->called,
		DROPPED_MAX >> 20);
	return 1;
}

/* --- one try ----------------------------------------------------------------------- */

static void set_trust(CURL *h)
{
	static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *file = getenv(names[i]);

		if (file && *file) {
			curl_easy_setopt(h, CURLOPT_CAINFO, file);
			return;
		}
	}
}

/* Gives libcurl the user name and password for the host of the URL. libcurl sends them to
 * the same host, port and scheme only (CURLOPT_UNRESTRICTED_AUTH); its own reading of
 * netrc files would also look up the hosts that the server redirects to. */
static void set_login(const struct fetch *x, struct transfer *t)
{
	CURLU *u = x->netrc ? curl_url() : NULL;
	const struct netrc_entry *login = NULL;
	char *host = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, t->f->url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		login = netrc_find(x->netrc, host);
	if (login) {
		curl_easy_setopt(t->h, CURLOPT_USERNAME, login->login);
		curl_easy_setopt(t->h, CURLOPT_PASSWORD, login->password);
	}
	t->has_login = login != NULL;
	curl_free(host);
	curl_url_cleanup(u);
}

static void set_options(const struct fetch *x, struct transfer *t)
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
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)x->stall_s);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->curl_err);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 256L * 1024);
	set_trust(h);
	set_login(x, t);
}

static void want_rest(struct transfer *t, const char *validator)
{
	_cleanup_free_ char *range =
		xasprintf("Range: bytes=%llu-", (unsigned long long)t->part.have);
	_cleanup_free_ char *same = xasprintf("If-Range: %s", validator);

	t->headers = curl_slist_append(t->headers, range);
	t->headers = curl_slist_append(t->headers, same);
	free(t->if_range);
	t->if_range = xstrdup(validator);
}

/* Prepares the file and the request. */
static int prepare(struct transfer *t)
{
	_cleanup_free_ char *validator = NULL;
	struct part *p = &t->part;
	int r = 0;

	p->want_sha512 =
		t->f->want_sha512 || (t->f->digest_type == DIGEST_SHA512 && t->f->digest);
	if (p->fd < 0)
		r = part_open(p, t->f->dirfd, t->f->path, t->place);
	if (r < 0)
		return transfer_io_error(t, r);
	validator = t->fresh ? NULL : part_validator(p);
	t->resumed = t->resumed && !t->fresh;
	r = validator ? part_catch_up(p) : part_start_over(p);
	if (r == 0 && ((t->f->size > 0 && p->have > t->f->size) ||
		       fetch_check_size(t->f, p->have, t->called, NULL) < 0 ||
		       transfer_is_doubtful(t)))
		r = part_start_over(p);
	if (r < 0)
		return transfer_io_error(t, r);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	if (p->have > 0)
		want_rest(t, validator);
	response_done(&t->response);
	t->response.framed = str_after(t->f->url, "file:") != NULL;
	t->body = false;
	t->dropped = 0;
	t->fresh = false;
	t->err.msg[0] = '\0';
	t->curl_err[0] = '\0';
	return 0;
}

static void start_try(struct fetch *x, struct transfer *t)
{
	t->tries++;
	if (!t->began)
		t->began = progress_now_ms();
	if (fetch_check_size(t->f, t->f->size, t->called, &t->err) < 0 ||
	    prepare(t) < 0) {
		transfer_fail(t);
		return;
	}
	if (t->f->size > 0 &&
	    t->part.have == t->f->size) { /* fetched by an earlier run */
		t->resumed = true;
		transfer_finish(x, t);
		return;
	}
	t->h = curl_easy_init();
	if (!t->h)
		abort();
	set_options(x, t);
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
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

/* Returns the URL where the redirects ended, without what may be a secret. Owned by the
 * caller. */
static char *effective_url(const struct transfer *t)
{
	char *url = NULL;

	curl_easy_getinfo(t->h, CURLINFO_EFFECTIVE_URL, &url);
	url = url ? url_public(url) : NULL;
	if (url)
		url_strip_secrets(url);
	return url;
}

/* Returns libcurl's message without secrets. It quotes a proxy that it cannot use, with
 * user name and password, and the environment's value need not be a URL. */
static const char *curl_said(struct transfer *t, CURLcode result)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY",
					    "all_proxy", "ALL_PROXY"};

	if (!t->curl_err[0])
		return curl_easy_strerror(result);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *proxy = getenv(names[i]);

		if (proxy && *proxy && strstr(t->curl_err, proxy))
			return "the proxy in the environment cannot be used";
	}
	url_strip_secrets(t->curl_err);
	return t->curl_err;
}

static void curl_failed(struct fetch *x, struct transfer *t, CURLcode result)
{
	const char *said = curl_said(t, result);

	if (result == CURLE_UNSUPPORTED_PROTOCOL)
		err_set(&t->err, ERR_FAILED,
			"%s: redirected to a scheme that is not allowed (%s)", t->called,
			said);
	else
		err_set(&t->err, ERR_FAILED, "%s: %s", t->called, said);
	if (transient_error(result))
		transfer_try_again(x, t, 0);
	else
		transfer_fail(t);
}

/* Handles the end of a response. */
static void handle_response(struct fetch *x, struct transfer *t)
{
	long code = response_code(t);
	_cleanup_free_ char *last = NULL;
	curl_off_t retry_after = 0;

	if (code < 300) {
		/* on_body() is not called for an empty body. */
		if (t->body || begin_body(t) == 0)
			transfer_finish(x, t);
		else if (t->fresh)
			transfer_try_again(x, t, 0);
		else
			transfer_fail(t);
		return;
	}
	curl_easy_getinfo(t->h, CURLINFO_RETRY_AFTER, &retry_after);
	t->fresh = code == 416;
	last = effective_url(t);
	transfer_refused(t, code, last);
	if (code == 416 || transient_code(code))
		transfer_try_again(x, t, (long)retry_after);
	else
		transfer_fail(t);
}

static void end_try(struct fetch *x, struct transfer *t, CURLcode result)
{
	if (result == CURLE_OK || t->dropped > DROPPED_MAX) {
		handle_response(x, t);
		if (t->state == DONE)
			t->f->from = effective_url(t);
	} else if ((result == CURLE_WRITE_ERROR || result == CURLE_ABORTED_BY_CALLBACK) &&
		   t->err.msg[0]) {
		/* A callback has set the error. */
		if (t->fresh)
			transfer_try_again(x, t, 0);
		else
			transfer_fail(t);
	} else {
		curl_failed(x, t, result);
	}
	curl_multi_remove_handle(x->multi, t->h);
	curl_easy_cleanup(t->h);
	t->h = NULL;
}

/* --- all of them ------------------------------------------------------------------- */

/* Adds "  kubernetes   45 %  12.3 MiB of 27.0 MiB". */
static void show_file(const struct transfer *t, char ***lines)
{
	char have[PROGRESS_SIZE_LEN], all[PROGRESS_SIZE_LEN];
	uint64_t total = t->f->size;
	curl_off_t length = -1;

	if (t->state != RUNNING && (t->state != WAITING || t->tries == 0))
		return;
	if (t->h)
		curl_easy_getinfo(t->h, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	if (total == 0 && length > 0 && !t->resumed)
		total = (uint64_t)length;
	progress_size(t->part.have, have);
	if (t->state == WAITING)
		strv_addf(lines, "  %-24s %s, waiting for its next try", t->f->name,
			  have);
	else if (total > 0)
		strv_addf(lines, "  %-24s %3u %%  %s of %s", t->f->name,
			  (unsigned)(t->part.have * 100 / total), have,
			  progress_size(total, all));
	else
		strv_addf(lines, "  %-24s %s", t->f->name, have);
}

/* Shows a line for each file under way, and one for all of them. */
static void show(struct fetch *x)
{
	char have[PROGRESS_SIZE_LEN], rate[PROGRESS_SIZE_LEN];
	_cleanup_strv_ char **lines = NULL;
	uint64_t bytes = 0, now = progress_now_ms();
	size_t done = 0;

	if (!progress_due())
		return;
	for (size_t i = 0; i < x->n; i++) {
		bytes += x->v[i].part.have;
		done += x->v[i].state == DONE;
		show_file(&x->v[i], &lines);
	}
	if (now - x->rate_at >= 1000) {
		x->rate = bytes > x->rate_bytes
				  ? (bytes - x->rate_bytes) * 1000 / (now - x->rate_at)
				  : 0;
		x->rate_at = now;
		x->rate_bytes = bytes;
	}
	strv_addf(&lines, "fetching: %zu of %zu, %s, %s/s", done, x->n,
		  progress_size(bytes, have), progress_size(x->rate, rate));
	progress_show_lines(lines);
}

/* Handles the transfers that have ended. Returns whether there was one. */
static bool collect(struct fetch *x)
{
	bool any = false;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(x->multi, &left))) {
		struct transfer *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		any = true;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		end_try(x, t, m->data.result);
		if (t->state == DONE)
			transfer_report_done(x, t);
	}
	return any;
}

/* Starts the transfers that may start. Returns how many are not finished, and sets *wait,
 * the timeout for poll. */
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
				transfer_report_done(x, t);
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
		bool any = collect(x);

		show(x);
		if (r == CURLM_OK && !any)
			r = curl_multi_poll(x->multi, NULL, 0,
					    progress_live() && wait > 100 ? 100 : wait,
					    NULL);
		if (r != CURLM_OK)
			return err_set(e, ERR_FAILED, "libcurl: %s",
				       curl_multi_strerror(r));
	}
	progress_clear();
	return 0;
}

static void transfer_done(struct fetch *x, struct transfer *t)
{
	if (t->h) {
		curl_multi_remove_handle(x->multi, t->h);
		curl_easy_cleanup(t->h);
	}
	curl_slist_free_all(t->headers);
	part_done(&t->part);
	response_done(&t->response);
	free(t->if_range);
	free(t->place);
}

/* Returns the caller's value, else the environment's, else `usual`. */
static unsigned setting(unsigned option, const char *name, unsigned usual)
{
	const char *s = getenv(name);
	uint64_t n;

	if (option > 0)
		return option;
	return s && str_to_u64(s, 3600000, &n) == 0 && n > 0 ? (unsigned)n : usual;
}

int fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
	      struct err *e)
{
	static const struct fetch_options usual;
	struct fetch x = {
		.n = n,
		.rate_at = progress_now_ms(),
	};
	int r;

	if (n == 0)
		return 0;
	o = o ? o : &usual;
	x.max_tries = o->tries ? o->tries : TRIES;
	x.quiet = o->quiet;
	x.netrc = o->netrc;
	x.pause_ms = setting(o->pause_ms, "RACKSTRAP_FETCH_PAUSE", PAUSE_MS);
	x.stall_s = setting(o->stall_s, "RACKSTRAP_FETCH_STALL", SLOW_S);
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
		r = fetch_verdict(&x, e);
	for (size_t i = 0; i < n; i++)
		transfer_done(&x, &x.v[i]);
	free(x.v);
	curl_multi_cleanup(x.multi);
	return r;
}
