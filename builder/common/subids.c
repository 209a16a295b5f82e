/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getsubids(1) is asked, because the ranges may come from another source than the files
 * (nsswitch.conf(5)). A range that root takes for itself is not written down: shadow
 * allots from SUB_UID_MIN to SUB_UID_MAX, 100000 to 600100000, and systemd's containers
 * are below 0x70000000, so no other program takes it. Two builds may use it at once: each
 * has process, mount and network namespaces of its own.
 */
#include "builder/common/subids.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <pwd.h>

#define TRY_FIRST UINT32_C(0x70000000)
#define TRY_END   UINT32_C(0x80000000)
#define TRY_MIN   UINT32_C(0x00020000) /* accounts may have smaller ids */
#define FILE_MAX  (4U << 20)

uint32_t subids_parse(const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], " ");
		uint64_t first, count;

		/* "0: NAME FIRST COUNT" */
		if (strv_len(f) == 4 && str_to_u64(f[2], UINT32_MAX, &first) == 0 &&
		    str_to_u64(f[3], UINT32_MAX, &count) == 0 && first > 0 &&
		    count >= SUBIDS_COUNT && first + count <= UINT32_MAX)
			return (uint32_t)first;
	}
	return 0;
}

struct range {
	uint64_t first, count;
};

/* Parses a line of three fields, of which one, by its index, is the first id; the last
 * one is the count. */
static bool parse_range(const char *line, const char *separator, size_t first,
			struct range *ret)
{
	_cleanup_strv_ char **f = strv_split(line, separator);

	return strv_len(f) == 3 && str_to_u64(f[first], UINT32_MAX, &ret->first) == 0 &&
	       str_to_u64(f[2], UINT32_MAX, &ret->count) == 0;
}

uint32_t subids_free(const char *subids, const char *map)
{
	_cleanup_strv_ char **used = strv_split(subids, "\n");
	_cleanup_strv_ char **mapped = strv_split(map, "\n");
	struct range r;

	for (uint64_t tried = 0; tried < TRY_END; tried += SUBIDS_COUNT) {
		const uint64_t id = (TRY_FIRST + tried) % TRY_END;
		bool ok = false;

		for (size_t i = 0; mapped && mapped[i]; i++) /* "INSIDE OUTSIDE COUNT" */
			if (parse_range(mapped[i], " ", 0, &r))
				ok |= r.first <= id &&
				      id + SUBIDS_COUNT <= r.first + r.count;
		for (size_t i = 0; ok && used && used[i]; i++) /* "NAME:FIRST:COUNT" */
			if (parse_range(used[i], ":", 1, &r))
				ok = r.first >= id + SUBIDS_COUNT ||
				     r.first + r.count <= id;
		if (ok && id >= TRY_MIN)
			return (uint32_t)id;
	}
	return 0;
}

/* Returns the first id of the range that getsubids(1) prints for the user; 0: none. */
static uint32_t query_range(const char *user, bool group)
{
	const char *const users[] = {"getsubids", user, NULL};
	const char *const groups[] = {"getsubids", "-g", user, NULL};
	struct run run = {.argv = group ? groups : users};
	_cleanup_free_ char *text = NULL;

	return run_capture(&run, &text, NULL, NULL) < 0 ? 0 : subids_parse(text);
}

static uint32_t pick_free_range(const char *subids, const char *map)
{
	_cleanup_free_ char *used = NULL, *mapped = NULL;

	(void)!file_read_regular_at(AT_FDCWD, subids, FILE_MAX, &used, NULL);
	if (file_read_regular_at(AT_FDCWD, map, FILE_MAX, &mapped, NULL) < 0)
		return 0;
	return subids_free(used ? used : "", mapped);
}

int subids_find(struct subids *ret, struct err *e)
{
	const struct passwd *account = getpwuid(geteuid());
	_cleanup_free_ char *user = account ? xstrdup(account->pw_name)
					    : xasprintf("%u", (unsigned)geteuid());

	if (!run_have("getsubids"))
		return err_set(
			e, ERR_UNABLE,
			"getsubids: not found in PATH; it is in the package uidmap");
	ret->uid = query_range(user, false);
	ret->gid = query_range(user, true);
	if (ret->uid > 0 && ret->gid > 0)
		return 0;
	if (geteuid() != 0)
		return err_set(
			e, ERR_FAILED,
			"user '%s' has no %u subordinate ids, which the programs of "
			"a foreign system run with; as root: usermod "
			"--add-subuids 100000-165535 --add-subgids 100000-165535 "
			"%s, or another range that /etc/subuid does not have",
			user, SUBIDS_COUNT, user);
	ret->uid = pick_free_range("/etc/subuid", "/proc/self/uid_map");
	ret->gid = pick_free_range("/etc/subgid", "/proc/self/gid_map");
	if (ret->uid == 0 || ret->gid == 0)
		return err_set(
			e, ERR_FAILED,
			"/proc/self/uid_map and gid_map have no %u ids that are free "
			"for the programs of a foreign system: start this container "
			"with more ids, or build outside of it",
			SUBIDS_COUNT);
	return 0;
}
