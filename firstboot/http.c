/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl ignores its configuration files and proxies from the environment (-q, --noproxy),
 * because these requests are for the host itself, its master and its boot server. With -w
 * it prints the status behind the body, on a line of its own.
 */
#include "firstboot/http.h"
#include "lib/run.h"
#include "lib/str.h"

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
	const char *const argv[] = {
		CURL, "--max-filesize", size, "-w", "\n%{http_code}", "--", url, NULL};

	if (request(argv, -1, status, &text, e) < 0)
		return err_wrap(e, "%s", url);
	/* --max-filesize has no effect when the server does not send the size. */
	if (strlen(text) > max)
		return err_set(e, ERR_FAILED, "%s: larger than %zu bytes", url, max);
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

int http_put_file(const char *url, int fd, struct err *e)
{
	/* With "-" curl would not send the size, which some servers need. */
	const char *const argv[] = {CURL,
				    "-w",
				    "\n%{http_code}",
				    "-H",
				    "Content-Type: application/json",
				    "-H",
				    "Expect:",
				    "-T",
				    "/proc/self/fd/0",
				    "--",
				    url,
				    NULL};
	unsigned status;

	if (request(argv, fd, &status, NULL, e) < 0)
		return err_wrap(e, "%s", url);
	if (status / 100 != 2)
		return err_set(e, ERR_FAILED, "%s: the server answered %u", url, status);
	return 0;
}
