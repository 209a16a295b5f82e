/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last good file ends in a comment with its URL, because a file from another URL may
 * describe another host.
 */
#include "firstboot/config-url.h"
#include "firstboot/cmdline.h"
#include "firstboot/http.h"
#include "firstboot/model/conf.h"
#include "firstboot/model/words.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/url.h"

#define TRIES    5
#define PAUSE_MS 500 /* about; doubled after each try */

char *config_url(const struct firstboot *fb)
{
	return cmdline_value(fb, "config");
}

/* Returns the comment at the end of the last good file. Owned. */
static char *mark(const char *url)
{
	return xasprintf("\n# rackstrap.config=%s\n", url);
}

/* Returns true when a retry cannot help: for 4xx, except Request Timeout and Too Many
 * Requests (RFC 9110 15.5.9, RFC 6585 4). */
static bool refused(unsigned status)
{
	return status / 100 == 4 && status != 408 && status != 429;
}

/* Fetches the file, with retries. Returns its text, owned by the caller, or NULL. */
static char *fetch(const char *url, struct err *e)
{
	_cleanup_free_ char *shown = url_public(url);

	for (unsigned try = 0; try < TRIES; try++) {
		char *body = NULL;
		unsigned status = 0;

		if (try > 0)
			sleep_about_ms(PAUSE_MS << (try - 1));
		if (http_get_config(url, CONF_MAX, &status, &body, e) == 0 &&
		    status == 200)
			return body;
		if (status && status != 200)
			err_set(e, ERR_FAILED, "%s: the server answered %u", shown,
				status);
		free(body);
		log_debug("%s", e->msg);
		if (refused(status))
			break;
	}
	return NULL;
}

/* Returns the last good file from this URL, without the mark, owned by the caller; NULL
 * when there is none. */
static char *last_good(const struct firstboot *fb, const char *url)
{
	_cleanup_free_ char *text = NULL, *end = mark(url);
	size_t len = 0, n = strlen(end);

	if (root_read(fb->rootfd, LAST_GOOD_CFG, 2 * CONF_MAX, &text, &len) < 0 ||
	    len < n || memcmp(text + len - n, end, n) != 0)
		return NULL;
	return xstrndup(text, len - n);
}

static int write_file(const struct firstboot *fb, const char *path, const char *text)
{
	int r = root_sweep(fb->rootfd, path);

	return r < 0 ? r : root_update(fb->rootfd, path, text, strlen(text), 0600);
}

void config_url_fetch(const struct firstboot *fb, char ***warnings)
{
	_cleanup_free_ char *url = config_url(fb), *text = NULL;
	struct err e = {0};
	int r;

	if (!url || word_url_wrong(url))
		return;
	text = fetch(url, &e);
	if (!text) {
		text = last_good(fb, url);
		strv_addf(warnings, "%s; %s", e.msg,
			  text ? "using the last good configuration from there"
			       : "there is no earlier good configuration");
	}
	if (!text)
		return;
	r = root_mkdir_p(fb->rootfd, RUN_DIR, 0755);
	if (r == 0)
		r = write_file(fb, CONFIG_CFG, text);
	if (r < 0)
		strv_addf(warnings, "/" CONFIG_CFG ": %s", strerror(-r));
}

int config_url_keep(const struct firstboot *fb, struct err *e)
{
	_cleanup_free_ char *url = config_url(fb), *text = NULL, *end = NULL;
	_cleanup_buf_ struct buf b = {0};
	int r;

	if (!url || root_read(fb->rootfd, CONFIG_CFG, CONF_MAX, &text, NULL) < 0)
		return 0;
	end = mark(url);
	buf_printf(&b, "%s%s", text, end);
	r = root_mkdir_p(fb->rootfd, "var/lib/rackstrap", 0755);
	if (r == 0)
		r = write_file(fb, LAST_GOOD_CFG, b.p);
	return r < 0 ? root_err(e, r, fb->rootfd, LAST_GOOD_CFG) : 0;
}
