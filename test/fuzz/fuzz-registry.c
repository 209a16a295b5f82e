/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the header lines of a server's answer, one per line; reads the
 * first line also as the name of a container image and as a URL.
 */
#include "builder/input/fetch-response.h"
#include "builder/input/mirror.h"
#include "builder/recipe/container-name.h"
#include "test/fuzz/fuzz-file.h"

static void try_headers(char *const *lines)
{
	struct response r = {0};
	const char *validator;

	for (; lines && *lines; lines++) {
		response_header(&r, *lines, strlen(*lines));
		demand(r.has_range || (r.range_start == 0 && r.range_total == 0), *lines);
		demand(r.range_total == 0 || r.range_start < r.range_total, *lines);
		demand(!r.etag || r.etag[0] == '"', *lines);
	}
	validator = response_validator(&r);
	demand(!validator || !strpbrk(validator, "\r\n"), "a validator of two lines");
	response_done(&r);
}

static void try_image(const char *text)
{
	_cleanup_free_ char *name = xstrdup(text), *url = container_name_url(text, NULL);
	struct container_name as;

	if (container_name_parse(name, &as) < 0) {
		demand(!url, text);
		return;
	}
	demand(url && str_after(url, REGISTRY_SCHEME), text);
	demand(*as.repository && *as.tag && str_ends(url, as.tag), text);
}

static void try_url(const char *text)
{
	static const char *const mirrors[] = {"https://a/=/srv/a", "http://mirror/x",
					      NULL};
	_cleanup_free_ char *path = mirror_path(text), *inside = NULL;
	_cleanup_free_ char *found = mirror_find((char *const *)mirrors, text, text);
	_cleanup_free_ char *applied = mirror_apply((char *const *)mirrors, text);

	demand(found && applied, text);
	if (!path)
		return;
	inside = xasprintf("/%s/", path);
	demand(*path && !strstr(inside, "/../") && !strstr(inside, "/./"), path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	try_headers(lines);
	if (lines) {
		try_image(lines[0]);
		try_url(lines[0]);
	}
	return 0;
}
