/* SPDX-License-Identifier: Apache-2.0 */
/* Needs of folders on one file system, by its device number, are added up. */
#include "builder/common/space.h"

#include "builder/common/progress.h"
#include "lib/str.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#define NEEDS_MAX 8

char *space_folder(const char *path)
{
	char *at = xstrdup(path);
	struct stat st;

	while (stat(at, &st) < 0 && !streq(at, "/") && !streq(at, ".")) {
		char *slash = strrchr(at, '/');

		if (!slash) {
			free(at);
			return xstrdup(".");
		}
		slash[slash == at] = '\0'; /* "/x": the slash stays */
	}
	return at;
}

/* A need with its file system. */
struct placed {
	const struct space_need *need;
	dev_t dev;
	uint64_t room;
	bool known;
};

static struct placed find_room(const struct space_need *need)
{
	_cleanup_free_ char *folder = space_folder(need->folder);
	struct placed p = {.need = need};
	struct statvfs fs;
	struct stat st;

	if (need->bytes == 0 || stat(folder, &st) < 0 || statvfs(folder, &fs) < 0)
		return p;
	p.dev = st.st_dev;
	p.room = (uint64_t)fs.f_bavail * fs.f_frsize;
	p.known = true;
	return p;
}

/* Checks the file system of the i-th need, together with the later needs that are on it.
 */
static void check_one(struct placed *v, size_t n, size_t i, struct diag *d)
{
	_cleanup_buf_ struct buf parts = {0};
	char size[PROGRESS_SIZE_LEN], room[PROGRESS_SIZE_LEN];
	uint64_t sum = 0;

	for (size_t k = i; k < n; k++) {
		if (!v[k].known || v[k].dev != v[i].dev)
			continue;
		sum += v[k].need->bytes;
		buf_printf(&parts, "%s%s in %s: %s", parts.len > 0 ? ", " : "",
			   v[k].need->what, v[k].need->folder,
			   progress_size(v[k].need->bytes, size));
		v[k].known = k == i; /* counted */
	}
	if (sum <= v[i].room)
		return;
	diag_add(d, "not enough space: %s are free, at least %s are needed (%s)",
		 progress_size(v[i].room, room), progress_size(sum, size), parts.p);
}

void space_check(const struct space_need *v, size_t n, struct diag *d)
{
	struct placed placed[NEEDS_MAX] = {0};

	for (size_t i = 0; i < n && i < NEEDS_MAX; i++)
		placed[i] = find_room(&v[i]);
	for (size_t i = 0; i < n && i < NEEDS_MAX; i++)
		if (placed[i].known)
			check_one(placed, n, i, d);
}

int space_check_one(const struct space_need *need, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	space_check(need, 1, &d);
	if (diag_err(&d, e) == 0)
		return 0;
	if (e)
		e->code = ERR_UNABLE;
	return -1;
}
