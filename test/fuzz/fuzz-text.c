/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes arbitrary text through every writer: the result has nothing that a terminal
 * obeys, and is one line. JSON keeps the text if it is UTF-8.
 */
#include "lib/err.h"
#include "lib/escape.h"
#include "lib/json.h"
#include "lib/text.h"
#include "lib/url.h"
#include "pxe/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool good)
{
	if (!good)
		abort();
}

static void demand_clean(const char *s, bool lines)
{
	while (*s) {
		uint32_t code = 0;
		size_t n = text_sequence(s, &code);

		demand(n > 0 && (!text_is_hidden(code) || (lines && code == '\n')));
		s += n;
	}
}

/* The text stays a text in HTML, also in a quoted attribute, and in metrics. */
static void check_escapes(const char *text)
{
	_cleanup_buf_ struct buf html = {0}, cut = {0}, label = {0};

	buf_puts(&html, "|");
	escape_html(&html, text);
	demand_clean(html.p, false);
	demand(!html.p[strcspn(html.p, "<>\"'")]);
	for (const char *s = html.p; (s = strchr(s, '&')); s++)
		demand(str_after(s, "&amp;") || str_after(s, "&lt;") ||
		       str_after(s, "&gt;") || str_after(s, "&quot;") ||
		       str_after(s, "&#39;"));
	buf_puts(&cut, "|");
	escape_html_cut(&cut, text, 5);
	demand_clean(cut.p, false);
	demand(cut.len <= 1 + 4 * strlen("&quot;") + strlen("&quot;"));
	buf_puts(&label, "|");
	escape_label(&label, text);
	demand_clean(label.p, false);
	for (const char *s = label.p; *s; s++) {
		demand(*s != '"');
		if (*s == '\\')
			demand(*++s == '\\' || *s == '"');
	}
}

static void check_urls(const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text), *public = url_public(text);
	_cleanup_free_ char *again = NULL;
	size_t len = strlen(text);

	demand(!url_has_userinfo(public) && !strchr(public, '?'));
	url_strip_userinfo(copy);
	demand(strlen(copy) <= len);
	again = xstrdup(copy);
	url_strip_userinfo(again);
	demand(streq(again, copy));
	url_strip_secrets(copy);
	demand(strlen(copy) <= len);
}

/* Puts user information with a password into a URL before a text that may not end it. */
static void check_password(const char *text)
{
	static const char *const before[] = {"http:",   "http:/",  "https:\\\\",
					     "http://", "ftp:///", "http://h/?http://",
					     "x://"};
	_cleanup_free_ char *info = xstrndup(text, strcspn(text, " \t\r\n\"`<>/?#"));

	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		_cleanup_free_ char *url =
			xasprintf("%sme:\001%s@host/", before[i], info);
		_cleanup_free_ char *public = url_public(url);

		demand(url_has_userinfo(url) && !strchr(public, '\001'));
		url_strip_userinfo(url);
		demand(!strchr(url, '\001'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct table_column columns[] = {{"A", false}, {"B", true}};
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_free_ char *clean = text_cleaned(text), *json = NULL;
	_cleanup_table_ struct table t = {0};
	_cleanup_buf_ struct buf b = {0};
	_cleanup_json_ struct json j = {0};
	struct err e = {0};

	demand_clean(clean, false);
	demand(strlen(clean) == strlen(text));
	err_set(&e, ERR_FAILED, "%s", text);
	err_wrap(&e, "%s", text);
	demand_clean(e.msg, false);
	table_init(&t, columns, 2);
	table_add(&t, text);
	table_add(&t, text);
	table_render(&t, &b);
	text_line(&b, "%s", text);
	demand_clean(b.p, true);
	json_str(&j, NULL, text);
	json = json_take(&j);
	demand_clean(json, true);
	check_escapes(text);
	check_urls(text);
	check_password(text);
	return 0;
}
