/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl ignores its configuration files and proxies from the environment (-q, --noproxy),
 * because these requests are for the host itself, its master and its boot server. With -w
 * it prints the status behind the body, on a line of its own. Messages leave out a query,
 * which may be a token: a report sends them to the boot server.
 */
#include "firstboot/http.h"
#include "firstboot/model/host.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"
#include "lib/url.h"

#include <sys/mman.h>

#define CURL                                                                             \
	"curl", "-q", "-sS", "--noproxy", "*", "--proto", "=http,https",                 \
		"--connect-timeout", "4", "--max-time", "10"
#define CURL_MS 15000 /* in case curl does not observe its own timeouts */

/* Splits "BODY\nSTATUS": cuts the last line off `text` and parses it. */
static int split_status(char *text, unsigned *status, struct err *e)
{
	char *last = strrchr(text, '\n');
	uint64_t code;

	if (!last || str_to_u64(last + 1, 999, &code) < 0 || code < 100)
		return err_set(e, ERR_FAILED, "curl printed no HTTP status");
	*last = '\0';
	*status = (unsigned)code;
	return 0;
}

/* `in`: curl's standard input, or -1. */
static int request(const char *const *argv, int in, unsigned *status, char **body,
		   struct err *e)
{
	const struct run r = {.argv = argv, .in = in, .timeout_ms = CURL_MS};
	_cleanup_free_ char *text = NULL;

	if (run_capture(&r, &text, NULL, e) < 0 || split_status(text, status, e) < 0)
		return -1;
	if (body)
		*body = TAKE_PTR(text);
	return 0;
}

int http_get(const char *url, unsigned *status, char **body, struct err *e)
{
	const char *const argv[] = {CURL, "-w", "\n%{http_code}", "--", url, NULL};

	return request(argv, -1, status, body, e);
}

int http_get_config(const char *url, size_t max, unsigned *status, char **body,
		    struct err *e)
{
	_cleanup_free_ char *size = xasprintf("%zu", max), *text = NULL;
	_cleanup_free_ char *shown = url_public(url);
	const char *const argv[] = {
		CURL, "--max-filesize", size, "-w", "\n%{http_code}", "--", url, NULL};

	if (request(argv, -1, status, &text, e) < 0)
		return err_wrap(e, "%s", shown);
	/* --max-filesize has no effect when the server does not send the size. */
	if (strlen(text) > max)
		return err_set(e, ERR_FAILED, "%s: larger than %zu bytes", shown, max);
	*body = TAKE_PTR(text);
	return 0;
}

int http_put_form(const char *url, const char *field, unsigned *status, struct err *e)
{
	const char *const argv[] = {CURL,  "-w",  "\n%{http_code}",
				    "-X",  "PUT", "--data-urlencode",
				    field, "--",  url,
				    NULL};

	return request(argv, -1, status, NULL, e);
}

/* Appends a line to a configuration of curl: NAME = "VALUE". */
static void append_option(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s = \"", name);
	for (; *value; value++)
		if (*value == '\n')
			buf_puts(b, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(b, "\\%c", *value);
		else
			buf_add(b, value, 1);
	buf_puts(b, "\"\n");
}

/* Returns a descriptor for reading the text, or -errno. */
static int memory_file(const char *text, size_t len)
{
	_cleanup_close_ int fd = memfd_create("curl", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : write_all(fd, text, len);

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : TAKE_FD(fd);
}

/* The token and the text are in a configuration on curl's standard input: every user can
 * read a command line. */
int http_put_json(const char *url, const char *json, const char *token, struct err *e)
{
	const char *const argv[] = {
		CURL, "-w", "\n%{http_code}", "-X", "PUT", "-K", "-", "--", url, NULL};
	_cleanup_buf_ struct buf b = {0};
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *shown = url_public(url);
	unsigned status;

	append_option(&b, "header", "Content-Type: application/json");
	append_option(&b, "header", "Expect:");
	if (token) {
		_cleanup_free_ char *line = xasprintf(REPORT_TOKEN_HEADER ": %s", token);

		append_option(&b, "header", line);
	}
	append_option(&b, "data-binary", json);
	fd = memory_file(b.p, b.len);
	if (fd < 0)
		return err_errno(e, fd, "%s", shown);
	if (request(argv, fd, &status, NULL, e) < 0)
		return err_wrap(e, "%s", shown);
	if (status / 100 != 2)
		return err_set(e, ERR_FAILED, "%s: the server answered %u", shown,
			       status);
	return 0;
}
