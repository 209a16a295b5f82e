/* SPDX-License-Identifier: Apache-2.0 */
/* Root may write everywhere, but not in a user namespace, where another user's files have
 * no owner that it knows: for root, others' folders count as closed unless all may write
 * to them. */
#include "builder/common/foreign.h"

#include "lib/str.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

bool foreign_can_use(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0 || st.st_uid == geteuid())
		return true;
	if (geteuid() == 0)
		return st.st_mode & S_IWOTH;
	return faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

static char *user_name(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw ? xasprintf("'%s'", pw->pw_name) : xasprintf("%u", (unsigned)uid);
}

int foreign_err(const char *what, const char *dir, const char *advice, struct err *e)
{
	_cleanup_free_ char *owner = NULL, *self = user_name(geteuid());
	struct stat st;

	if (stat(dir, &st) < 0)
		return err_errno(e, errno, "%s%s", what, dir);
	owner = user_name(st.st_uid);
	return err_set(e, ERR_FAILED,
		       "%s%s belongs to user %s, and user %s cannot use it: %s", what,
		       dir, owner, self, advice);
}
