/* SPDX-License-Identifier: Apache-2.0 */
/* Limit: users of other sources than these two files, as of a directory service, are not
 * found. */
#include "firstboot/accounts.h"
#include "lib/root.h"
#include "lib/str.h"

#define FILE_MAX (1024 * 1024)
#define ID_MAX   (UINT32_MAX - 1) /* the last one means "no id" to chown(2) */

static char *read_text(int rootfd, const char *path)
{
	char *text = NULL;

	return root_read(rootfd, path, FILE_MAX, &text, NULL) < 0 ? xstrdup("") : text;
}

void accounts_read(struct accounts *ret, int rootfd)
{
	ret->passwd = read_text(rootfd, "etc/passwd");
	ret->group = read_text(rootfd, "etc/group");
}

void accounts_done(struct accounts *a)
{
	free(a->passwd);
	free(a->group);
	*a = (struct accounts){0};
}

/* Returns the line of the name, from behind its colon, or NULL. */
static const char *find_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (*text) {
		if (strncmp(text, name, len) == 0 && text[len] == ':')
			return text + len + 1;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

/* Parses the number in a field of a line; field 0 is the one that `line` begins with. */
static int parse_field(const char *line, unsigned field, uint32_t *ret)
{
	_cleanup_free_ char *text = NULL;
	uint64_t id;

	for (; field > 0; field--) {
		line += strcspn(line, ":\n");
		if (*line != ':')
			return -ENOENT;
		line++;
	}
	text = xstrndup(line, strcspn(line, ":\n"));
	if (str_to_u64(text, ID_MAX, &id) < 0)
		return -ENOENT;
	*ret = (uint32_t)id;
	return 0;
}

int accounts_user(const struct accounts *a, const char *name, uid_t *ret_uid,
		  gid_t *ret_gid)
{
	const char *line = find_line(a->passwd, name);
	uint32_t uid, gid;

	if (streq(name, "root")) {
		*ret_uid = 0;
		*ret_gid = 0;
		return 0;
	}
	if (!line || parse_field(line, 1, &uid) < 0 || parse_field(line, 2, &gid) < 0)
		return -ENOENT;
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}

int accounts_group(const struct accounts *a, const char *name, gid_t *ret)
{
	const char *line = find_line(a->group, name);
	uint32_t gid;

	if (streq(name, "root")) {
		*ret = 0;
		return 0;
	}
	if (!line || parse_field(line, 1, &gid) < 0)
		return -ENOENT;
	*ret = gid;
	return 0;
}
