/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libguestfs with the backend "direct" (QEMU started by the library itself, no libvirt).
 * Its messages are not shown; when a call fails, they become part of the error.
 *
 * Limits: LVM, RAID and file systems are those that libguestfs's appliance knows; an
 * encrypted root is not opened. LIBGUESTFS_DEBUG=1 in the environment shows everything.
 */
#include "builder/common/guest.h"

#include "builder/common/accel.h"
#include "builder/common/guest-cache.h"
#include "builder/common/leftovers.h"
#include "builder/common/progress.h"
#include "builder/common/qcow2.h"
#include "builder/common/temp-file.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include <guestfs.h>
#include <limits.h>
#include <sys/stat.h>

#define MEMORY_MIB 512
#define NAMES_MAX  (4U << 20)

struct guest {
	guestfs_h *g;
	char *name;         /* of the image, for messages */
	struct scratch tmp; /* for libguestfs's own files */
};

static int guest_error(const struct guest *g, struct err *e, const char *what)
{
	const char *text = guestfs_last_error(g->g);

	return err_set(e, ERR_FAILED, "%s: %s: %s", g->name, what,
		       text ? text : "libguestfs gives no reason");
}

/* --- the file ---------------------------------------------------------------------- */

static int image_format(const char *path, const char *name, const char **ret,
			struct err *e)
{
	_cleanup_close_ int fd = file_open_regular_at(AT_FDCWD, path);
	int r;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", name, file_strerror(fd));
	r = qcow2_check(fd, name, e);
	if (r < 0)
		return -1;
	*ret = r > 0 ? "qcow2" : "raw";
	return 0;
}

/*
 * Gives the image a path that libguestfs can open. /proc/PID/fd/N of a file without a
 * name is not such a path, so that file is linked into a new folder beside it (*ret_dir),
 * which is needed until QEMU has opened the file.
 */
static int name_it(const char *image, const char *name, struct scratch *ret_dir,
		   char **ret, struct err *e)
{
	_cleanup_free_ char *real = realpath(image, NULL);
	char where[PATH_MAX] = "", *slash;

	if (real) {
		*ret = TAKE_PTR(real);
		return 0;
	}
	if (errno != ENOENT || readlink(image, where, sizeof(where) - 1) < 0 ||
	    !(slash = strrchr(where, '/')))
		return err_errno(e, errno, "%s", name);
	*slash = '\0';
	if (leftovers_make(ret_dir, *where ? where : "/", "disk", e) < 0)
		return -1;
	*ret = xasprintf("%s/disk", ret_dir->inside);
	if (linkat(AT_FDCWD, image, AT_FDCWD, *ret, AT_SYMLINK_FOLLOW) < 0)
		return err_set(e, ERR_FAILED,
			       "%s: its file system has no O_TMPFILE, which an image "
			       "that is not raw needs: set TMPDIR, or unpack the image",
			       where);
	return 0;
}

/* --- the machine ------------------------------------------------------------------- */

/* Finds out whether a guest runs under KVM here: libguestfs waits forever for one that
 * died. */
static int find_kvm(bool *ret, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_free_ char *run = NULL;
	struct err why = {0};

	if (leftovers_make(&s, NULL, "kvm", e) < 0)
		return -1;
	run = xasprintf("%s/run", s.path);
	if (mkdir(run, 0700) < 0)
		return err_errno(e, errno, "%s", run);
	*ret = access("/dev/kvm", R_OK | W_OK) == 0 &&
	       accel_probe(s.path, "kvm", &why) == 0;
	if (!*ret)
		log_debug("libguestfs without KVM%s%s", why.msg[0] ? ": " : "", why.msg);
	return 0;
}

/* Shows progress at every line of the machine's console. */
static void on_event(_unused_ guestfs_h *g, _unused_ void *data, _unused_ uint64_t event,
		     _unused_ int handle, _unused_ int flags, _unused_ const char *buf,
		     _unused_ size_t len, _unused_ const uint64_t *array,
		     _unused_ size_t n)
{
	progress_tick();
}

/*
 * Starts the programs of libguestfs with its folder as $TMPDIR: supermin and QEMU make
 * files there that stay when they are killed, and the folder is removed in any case. The
 * caller has a single thread.
 */
static int launch_in_folder(struct guest *g)
{
	const char *now = getenv("TMPDIR");
	_cleanup_free_ char *old = now ? xstrdup(now) : NULL;
	int r;

	setenv("TMPDIR", g->tmp.path, 1);
	r = guestfs_launch(g->g);
	if (old)
		setenv("TMPDIR", old, 1);
	else
		unsetenv("TMPDIR");
	return r;
}

/* Without KVM this takes ten seconds and more. */
static int start(struct guest *g, bool kvm)
{
	int r, handle = guestfs_set_event_callback(
		       g->g, on_event, GUESTFS_EVENT_APPLIANCE | GUESTFS_EVENT_PROGRESS,
		       0, NULL);

	log_info("%s: starting libguestfs's machine (%s)", g->name,
		 kvm ? "KVM" : "emulation: this takes a while");
	stages_name("starting libguestfs's machine");
	r = launch_in_folder(g);
	stages_name("reading the disk image");
	if (handle >= 0)
		guestfs_delete_event_callback(g->g, handle);
	return r;
}

static int launch(struct guest *g, const char *path, const char *format, unsigned sector,
		  struct err *e)
{
	const struct guestfs_add_drive_opts_argv how = {
		.bitmask = GUESTFS_ADD_DRIVE_OPTS_READONLY_BITMASK |
			   GUESTFS_ADD_DRIVE_OPTS_FORMAT_BITMASK |
			   (sector ? GUESTFS_ADD_DRIVE_OPTS_BLOCKSIZE_BITMASK : 0),
		.readonly = 1,
		.format = format,
		.blocksize = (int)sector,
	};
	bool kvm;

	if (find_kvm(&kvm, e) < 0)
		return -1;
	if (leftovers_make(&g->tmp, NULL, "guest", e) < 0)
		return -1;
	if (guestfs_set_tmpdir(g->g, g->tmp.path) < 0 ||
	    guestfs_set_cachedir(g->g, guest_cache_dir()) < 0 ||
	    guestfs_set_backend(g->g, "direct") < 0 ||
	    guestfs_set_memsize(g->g, MEMORY_MIB) < 0 ||
	    (!kvm && guestfs_set_backend_setting(g->g, "force_tcg", "1") < 0))
		return guest_error(g, e, "libguestfs");
	if (guestfs_add_drive_opts_argv(g->g, path, &how) < 0)
		return guest_error(g, e, "libguestfs");
	if (start(g, kvm) < 0)
		return guest_error(g, e,
				   "libguestfs did not start (it needs a kernel in /boot "
				   "that you may read, as of linux-image-cloud-amd64)");
	return 0;
}

static struct guest *guest_new(const char *name)
{
	struct guest *g = xcalloc(1, sizeof(*g));

	g->name = xstrdup(name);
	g->tmp = (struct scratch)SCRATCH_INIT;
	return g;
}

/* Makes the handle. libguestfs reads LIBGUESTFS_* from the environment, but not TMPDIR,
 * which it would refuse, with a line of its own, when it is empty or relative: it gets a
 * folder of ours. */
static int make_handle(struct guest *g, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder env = {0};

	g->g = guestfs_create_flags(GUESTFS_CREATE_NO_ENVIRONMENT);
	if (!g->g)
		return err_errno(e, errno, "libguestfs");
	guestfs_set_error_handler(g->g, NULL, NULL);
	for (char **v = environ; *v; v++)
		if (!str_after(*v, "TMPDIR="))
			strv_builder_add(&env, *v);
	if (env.n > 0 && guestfs_parse_environment_list(g->g, env.v) < 0)
		return guest_error(g, e, "libguestfs");
	return 0;
}

int guest_open_ro(struct guest **ret, const char *image, const char *name,
		  unsigned sector, struct err *e)
{
	_cleanup_guest_ struct guest *g = guest_new(name);
	_cleanup_scratch_ struct scratch dir = SCRATCH_INIT;
	_cleanup_free_ char *path = NULL;
	const char *format = NULL;

	if (image_format(image, name, &format, e) < 0 ||
	    name_it(image, name, &dir, &path, e) < 0 || make_handle(g, e) < 0)
		return -1;
	if (launch(g, path, format, sector, e) < 0)
		return -1;
	*ret = TAKE_PTR(g);
	return 0;
}

void guest_free(struct guest *g)
{
	if (!g)
		return;
	if (g->g)
		guestfs_close(g->g);
	scratch_done(&g->tmp);
	free(g->name);
	free(g);
}

void guest_free_p(struct guest **g)
{
	guest_free(*g);
}

/* --- the system on it -------------------------------------------------------------- */

/* Pairs of mount point and device, so that "/" comes before "/boot". */
static int by_length(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	size_t nx = strlen(x[0]), ny = strlen(y[0]);

	return nx != ny ? (nx > ny) - (nx < ny) : strcmp(x[0], y[0]);
}

/* Mounts all file systems of fstab. Only the root has to be there: the system itself also
 * boots without another one (nofail). */
static int mount_all(struct guest *g, const char *root, struct err *e)
{
	_cleanup_strv_ char **points = guestfs_inspect_get_mountpoints(g->g, root);
	size_t n = strv_len(points) / 2;

	if (!points || n == 0)
		return guest_error(g, e, "its file systems");
	qsort(points, n, 2 * sizeof(*points), by_length);
	for (size_t i = 0; i < n; i++)
		if (guestfs_mount_ro(g->g, points[2 * i + 1], points[2 * i]) < 0 &&
		    streq(points[2 * i], "/"))
			return guest_error(g, e, "its root file system");
	return 0;
}

int guest_mount_os(struct guest *g, char **ret_name, struct err *e)
{
	_cleanup_strv_ char **roots = guestfs_inspect_os(g->g);
	_cleanup_free_ char *type = NULL, *name = NULL, *distro = NULL;

	if (!roots)
		return guest_error(g, e, "looking for an operating system");
	if (!roots[0])
		return err_set(e, ERR_FAILED, "%s: no operating system found on it",
			       g->name);
	if (roots[1])
		return err_set(e, ERR_FAILED,
			       "%s: more than one operating system on it (%s, %s)",
			       g->name, roots[0], roots[1]);
	type = guestfs_inspect_get_type(g->g, roots[0]);
	if (!type || !streq(type, "linux"))
		return err_set(e, ERR_FAILED, "%s: %s is not Linux", g->name,
			       type ? type : "its operating system");
	name = guestfs_inspect_get_product_name(g->g, roots[0]);
	if (mount_all(g, roots[0], e) < 0)
		return -1;
	distro = guestfs_inspect_get_distro(g->g, roots[0]);
	if (ret_name) /* Debian's product name is only its version */
		*ret_name = xasprintf("%s%s%s", distro ? distro : "Linux",
				      name ? ", " : "", name ? name : "");
	return 0;
}

int guest_tar_out(struct guest *g, int fd, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/dev/fd/%d", fd);

	if (guestfs_tar_out_opts(g->g, "/", path, GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
				 GUESTFS_TAR_OUT_OPTS_XATTRS, 1, -1) < 0)
		return guest_error(g, e, "reading its files");
	return 0;
}

/* --- any file system ---------------------------------------------------------------- */

int guest_stat(struct guest *g, const char *path, struct guest_stat *ret, struct err *e)
{
	struct guestfs_statns *st = guestfs_lstatns(g->g, path);

	if (!st)
		return guestfs_last_errno(g->g) == ENOENT ? 0 : guest_error(g, e, path);
	ret->mode = (unsigned)st->st_mode;
	ret->size = (uint64_t)st->st_size;
	guestfs_free_statns(st);
	return 1;
}

/* libguestfs reads a file into memory whatever its size, a device for ever, and waits for
 * the other end of a pipe. */
static int check_file(struct guest *g, const char *path, size_t max, struct err *e)
{
	struct guestfs_statns *st = guestfs_statns(g->g, path);
	bool file = st && S_ISREG(st->st_mode);
	uint64_t size = st ? (uint64_t)st->st_size : 0;

	if (!st)
		return guest_error(g, e, path);
	guestfs_free_statns(st);
	if (!file)
		return err_set(e, ERR_FAILED, "%s: %s: is not a file", g->name, path);
	if (size > max)
		return err_set(e, ERR_FAILED, "%s: %s: has more than %zu KiB: refused",
			       g->name, path, max >> 10);
	return 0;
}

int guest_mount(struct guest *g, const char *device, const char *at, struct err *e)
{
	if (guestfs_mkmountpoint(g->g, at) < 0 || guestfs_mount_ro(g->g, device, at) < 0)
		return guest_error(g, e, device);
	return 0;
}

int guest_mount_file(struct guest *g, const char *file, const char *at, struct err *e)
{
	if (check_file(g, file, SIZE_MAX, e) < 0)
		return -1;
	if (guestfs_mkmountpoint(g->g, at) < 0 || guestfs_mount_loop(g->g, file, at) < 0)
		return guest_error(g, e, file);
	return 0;
}

int guest_readlink(struct guest *g, const char *path, char **ret, struct err *e)
{
	*ret = guestfs_readlink(g->g, path);
	return *ret ? 0 : guest_error(g, e, path);
}

int guest_read(struct guest *g, const char *path, size_t max, char **ret, size_t *ret_len,
	       struct err *e)
{
	if (check_file(g, path, max, e) < 0)
		return -1;
	*ret = guestfs_read_file(g->g, path, ret_len);
	return *ret ? 0 : guest_error(g, e, path);
}

int guest_sha256(struct guest *g, const char *path, char **ret, struct err *e)
{
	if (check_file(g, path, SIZE_MAX, e) < 0)
		return -1;
	*ret = guestfs_checksum(g->g, "sha256", path);
	return *ret ? 0 : guest_error(g, e, path);
}

/* Reads the names of everything below the folder, each with a NUL behind it. They go
 * through a file, because a file system may have any number of them. */
static int read_names(struct guest *g, const char *dir, char **ret, size_t *ret_len,
		      struct err *e)
{
	_cleanup_close_ int fd = temp_file_open(e);
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd);
	int r;

	if (fd < 0)
		return -1;
	if (guestfs_find0(g->g, dir, path) < 0)
		return guest_error(g, e, dir);
	r = file_read_regular_at(AT_FDCWD, path, NAMES_MAX, ret, ret_len);
	if (r == -EFBIG)
		return err_set(e, ERR_FAILED,
			       "%s: %s: has more than %u MiB of files' names: refused",
			       g->name, dir, NAMES_MAX >> 20);
	return r < 0 ? err_errno(e, r, "%s", g->name) : 0;
}

int guest_files(struct guest *g, const char *dir, char ***ret, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder files = {0};
	_cleanup_free_ char *names = NULL;
	size_t len = 0;

	if (read_names(g, dir, &names, &len, e) < 0)
		return -1;
	for (const char *s = names; s < names + len; s += strlen(s) + 1) {
		const char *name = s + strspn(s, "/");
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
		int file = guestfs_is_file(g->g, path);

		if (file < 0)
			return guest_error(g, e, path);
		if (file > 0)
			strv_builder_add(&files, name);
	}
	strv_sort(files.v);
	*ret = strv_builder_take(&files);
	return 0;
}
