/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libguestfs starts supermin(1), which locks .guestfs-UID/lock (fcntl(2)) until it ends,
 * makes the machine in .guestfs-UID/appliance.d.XXXXXXXX, and renames that folder to
 * appliance.d. A machine that is replaced gets such a name, too. So while nobody holds
 * the lock, nobody uses these folders.
 */
#include "builder/common/guest-cache.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <sys/stat.h>

#define INCOMPLETE "appliance.d."

const char *guest_cache_dir(void)
{
	const char *dir = getenv("LIBGUESTFS_CACHEDIR");

	return dir && *dir ? dir : "/var/tmp";
}

/* Takes supermin's lock. Returns its descriptor, or -1 when another process holds it. */
static int take_lock(int dir)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(dir, "lock", O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void sweep(int dir, const char *path)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_close_ int lock = -1;

	if (dir_names_at(dir, ".", &names) < 0)
		return;
	for (size_t i = 0; names && names[i]; i++) {
		if (!str_after(names[i], INCOMPLETE))
			continue;
		if (lock < 0)
			lock = take_lock(dir);
		if (lock < 0)
			return;
		log_debug("removing what a killed process left: %s/%s", path, names[i]);
		rm_rf_at(dir, names[i]);
	}
}

void guest_cache_sweep(void)
{
	_cleanup_free_ char *path =
		xasprintf("%s/.guestfs-%u", guest_cache_dir(), (unsigned)geteuid());
	_cleanup_close_ int dir =
		open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	/* libguestfs refuses a folder of another user as well. */
	if (dir >= 0 && fstat(dir, &st) == 0 && file_is_private(&st))
		sweep(dir, path);
}
