/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what the readers take, and makes the error messages. */
#include "builder/common/archive-limit.h"

#include "builder/common/progress.h"
#include "lib/str.h"

#define SHOWN_MAX 256 /* bytes of a member's name in a message */

/* Refuses the archive. `what` says what it has too much of. */
static int refuse(const struct archive_limit *l, const char *name, const char *member,
		  const char *what, struct err *e)
{
	const char *cut = member && strlen(member) > SHOWN_MAX ? "..." : "";

	return err_set(e, ERR_FAILED, "%s: %s%.*s%s%s%s: refused%s%s%s", name,
		       member ? "at member '" : "", SHOWN_MAX, member ? member : "", cut,
		       member ? "': " : "", what, l && l->raise ? " (" : "",
		       l && l->raise ? l->raise : "",
		       l && l->raise ? " raises the limit)" : "");
}

int archive_limit_bytes(struct archive_limit *l, uint64_t bytes, const char *name,
			const char *member, struct err *e)
{
	_cleanup_free_ char *what = NULL;
	char size[PROGRESS_SIZE_LEN];

	if (l->bytes == 0 || bytes <= l->bytes - l->used) {
		l->used += bytes;
		return 0;
	}
	what = xasprintf("unpacks to more than the limit of %s",
			 progress_size(l->bytes, size));
	return refuse(l, name, member, what, e);
}

int archive_limit_member(struct archive_limit *l, const char *name, const char *path,
			 const char *target, struct err *e)
{
	size_t n = strlen(path), m = target ? strlen(target) : 0;
	uint64_t members = l->members ? l->members : ARCHIVE_MEMBERS_MAX;
	_cleanup_free_ char *what = NULL;

	l->n_members++;
	l->names += n + m;
	if (l->n_members > members)
		what = xasprintf("has more than %llu members",
				 (unsigned long long)members);
	else if (n > ARCHIVE_NAME_MAX || m > ARCHIVE_NAME_MAX)
		what = xasprintf("member %llu has a %s of more than %d bytes",
				 (unsigned long long)l->n_members,
				 n > ARCHIVE_NAME_MAX ? "name" : "target",
				 ARCHIVE_NAME_MAX);
	else if (l->names > ARCHIVE_NAMES_MAX)
		what = xasprintf("has more than %u MiB of members' names",
				 ARCHIVE_NAMES_MAX >> 20);
	return what ? refuse(NULL, name, NULL, what, e) : 0;
}

uint64_t archive_limit_window(unsigned outer)
{
	static const unsigned mib[] = {ARCHIVE_WINDOW_MAX >> 20, 64, 16, 8};

	return outer < ARRAY_SIZE(mib) ? (uint64_t)mib[outer] << 20 : 0;
}
