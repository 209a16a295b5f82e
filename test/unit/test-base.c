/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/base/base-split.h and builder/base/base-tree.h: converts a root filesystem's
 * tar into a base, with merged /usr and without (as in Ubuntu 15.04), and drops the files
 * that belong to a container or a cloud machine.
 */
#include "test-archive.h"
#include "test-tempdir.h"

#include "builder/base/base-split.h"
#include "builder/base/base-tree.h"

#define TAR ARCHIVE_FORMAT_TAR_PAX_RESTRICTED
#define STATUS                                                                           \
	"Package: linux-image-generic\nStatus: install ok installed\n"                   \
	"Architecture: amd64\nVersion: 3.19.0.15.14\n\n"                                 \
	"Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\n"          \
	"Version: 1\n\nPackage: busybox-initramfs\nStatus: install ok installed\n"       \
	"Architecture: amd64\nVersion: 1:1.22.0-9ubuntu1\n"

static char *top;

static int setup(void **state)
{
	(void)state;
	return tempdir_make("/tmp", "test-base", &top);
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

static char *text_of(const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);
	char *text = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	return text;
}

/* Returns "PATH[ -> TARGET]\n" for each entry of a tar. Owned by the caller. */
static char *list_of(const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct buf b = {0};
	struct err e = {0};

	assert_int_equal(archive_in_open(&in,
					 &(struct archive_source){.name = name, .fd = fd},
					 &e),
			 0);
	while (archive_in_next(in, &entry, &e) > 0)
		buf_printf(&b, "%s%s%s\n", entry->path, entry->target ? " -> " : "",
			   entry->target ? entry->target : "");
	return buf_take(&b);
}

static int split(const struct member *v, size_t n, char *const *modules, struct err *e)
{
	_cleanup_bytes_ struct bytes a = make_archive(TAR, ARCHIVE_FILTER_GZIP, v, n);
	_cleanup_close_ int fd = bytes_fd(a.p, a.len);
	const struct recipe r = {
		.epoch = 1435622400,
		.base = {.kernel = (char *)"linux-image-generic",
			 .where = (char *)"r.cfg:3"},
		.initramfs = {.modules = (char **)modules, .where = (char *)"r.cfg:9"},
	};
	bool damaged;

	return base_split(&r, fd, top, &damaged, e);
}

static char *const want[] = {(char *)"overlay", (char *)"virtio-net", (char *)"ext4",
			     NULL};

static void split_usr_is_kept(void **state)
{
	static const struct member v[] = {
		{"./", .type = AE_IFDIR},
		{"./bin", .type = AE_IFDIR},
		{"./bin/sh", .data = "sh"},
		{"./lib/modules/3.19.0/kernel/fs/overlay.ko", .data = "o"},
		{"./lib/modules/3.19.0/modules.builtin",
		 .data = "kernel/drivers/net/virtio_net.ko\nkernel/fs/ext4/ext4.ko\n"},
		{"./boot", .type = AE_IFDIR},
		{"./boot/vmlinuz-3.19.0-15-generic", .data = "kernel"},
		{"./boot/initrd.img-3.19.0-15-generic", .data = "\x1f\x8binitrd"},
		{"./boot/System.map-3.19.0-15-generic", .data = "map"},
		{"./vmlinuz", .type = AE_IFLNK,
		 .target = "boot/vmlinuz-3.19.0-15-generic"},
		{"./var/lib/dpkg/status", .data = STATUS},
		{"./var/lib/dpkg/info/busybox-initramfs.list", .data = "/.\n/bin/sh\n"},
		{"./dev/null", .type = AE_IFCHR},
		{"./etc/ssh/ssh_host_rsa_key", .data = "secret"},
	};
	_cleanup_free_ char *list = NULL, *packages = NULL, *owners = NULL,
			    *kernel = NULL, *initrd = NULL;
	struct err e = {0};

	(void)state;
	if (split(v, ARRAY_SIZE(v), want, &e) < 0)
		fail_msg("%s", e.msg);
	list = list_of("root.tar");
	assert_string_equal(list, "./\nbin/\nbin/sh\n"
				  "lib/modules/3.19.0/kernel/fs/overlay.ko\n"
				  "lib/modules/3.19.0/modules.builtin\nboot/\n"
				  "var/lib/dpkg/status\n"
				  "var/lib/dpkg/info/busybox-initramfs.list\n");
	packages = text_of("packages");
	assert_string_equal(packages, "busybox-initramfs 1:1.22.0-9ubuntu1 amd64\n"
				      "linux-image-generic 3.19.0.15.14 amd64\n");
	owners = text_of("owners");
	assert_string_equal(owners,
			    "/.\tbusybox-initramfs\n/bin/sh\tbusybox-initramfs\n");
	kernel = text_of("vmlinuz");
	assert_string_equal(kernel, "kernel");
	initrd = text_of("initrd.img");
	assert_string_equal(initrd, "\x1f\x8binitrd");
}

static void merged_usr_is_kept(void **state)
{
	static const struct member v[] = {
		{"./bin", .type = AE_IFLNK, .target = "usr/bin"},
		{"./lib", .type = AE_IFLNK, .target = "usr/lib"},
		{"./usr/lib/modules/6.1.0/kernel/fs/overlay.ko.xz", .data = "o"},
		{"./usr/lib/modules/6.1.0/kernel/net/virtio_net.ko.xz", .data = "o"},
		{"./usr/lib/modules/6.1.0/kernel/fs/ext4.ko.xz", .data = "o"},
		{"./boot/vmlinuz-6.1.0", .data = "kernel"},
		{"./boot/initrd.img-6.1.0", .data = "initrd"},
	};
	struct err e = {0};

	(void)state;
	if (split(v, ARRAY_SIZE(v), want, &e) < 0)
		fail_msg("%s", e.msg);
}

static void missing_kernel_or_modules_are_errors(void **state)
{
	static const struct member v[] = {
		{"./lib/modules/3.19.0/kernel/fs/overlayfs.ko", .data = "o"},
		{"./boot/vmlinuz-3.19.0", .data = "kernel"},
		{"./boot/initrd.img-3.19.0", .data = "initrd"},
		{"./boot/vmlinuz-3.19.1", .data = "kernel"},
	};
	static char *const overlay[] = {(char *)"overlay", NULL};
	struct err e = {0};

	(void)state;
	assert_int_equal(split(v, 1, NULL, &e), -1);
	assert_string_equal(e.msg, "base: linux-image-generic brought no /boot/vmlinuz-* "
				   "(r.cfg:3)");
	teardown(NULL);
	setup(NULL);
	assert_int_equal(split(v, 3, overlay, &e), -1);
	assert_string_equal(e.msg,
			    "r.cfg:9: initramfs: linux-image-generic has no module "
			    "'overlay' (did you mean 'overlayfs'?)");
	teardown(NULL);
	setup(NULL);
	assert_int_equal(split(v, 4, NULL, &e), -1);
	assert_string_equal(e.msg, "base: has both /boot/vmlinuz-3.19.0 and "
				   "/boot/vmlinuz-3.19.1: name one kernel package in the "
				   "recipe's base (r.cfg:3)");
}

/* A tar may have a path several times; the last member counts. */
static void a_later_status_replaces_the_packages(void **state)
{
	static const struct member v[] = {
		{"./boot/vmlinuz-6.1.0", .data = "kernel"},
		{"./boot/initrd.img-6.1.0", .data = "initrd"},
		{"./var/lib/dpkg/status", .data = STATUS},
		{"./var/lib/dpkg/status",
		 .data = "Package: a\nStatus: install ok installed\n"
			 "Architecture: all\nVersion: 1\n"},
	};
	_cleanup_free_ char *packages = NULL;
	struct err e = {0};

	(void)state;
	if (split(v, ARRAY_SIZE(v), NULL, &e) < 0)
		fail_msg("%s", e.msg);
	packages = text_of("packages");
	assert_string_equal(packages, "a 1 all\n");
}

static void many_large_status_files_are_refused(void **state)
{
	const size_t len = 22U << 20;
	_cleanup_free_ char *text = xmalloc(len);
	const struct member status = {"var/lib/dpkg/status", .data = text, .len = len};
	const struct member v[] = {status, status, status};
	struct err e = {0};

	(void)state;
	memset(text, 'a', len);
	assert_int_equal(split(v, ARRAY_SIZE(v), NULL, &e), -1);
	assert_string_equal(e.msg, "base: var/lib/dpkg/status: is there several times, "
				   "with more than 64 MiB in total: refused");
}

static void large_names_of_modules_are_refused(void **state)
{
	const size_t len = 22U << 20;
	_cleanup_free_ char *text = xmalloc(len);
	const struct member builtin = {"lib/modules/1/modules.builtin", .data = text,
				       .len = len};
	const struct member v[] = {builtin, builtin};
	struct err e = {0};

	(void)state;
	memset(text, 'm', len);
	memcpy(text + len - 3, ".ko", 3);
	assert_int_equal(split(v, ARRAY_SIZE(v), NULL, &e), -1);
	assert_string_equal(e.msg, "base: has more than 200000 kernel modules, or more "
				   "than 32 MiB of their names: refused");
}

/* The writer of the tar would get no name at all for the target. */
static void hard_links_to_the_outside_are_refused(void **state)
{
	static const struct member v[] = {
		{"./etc/shadow", .target = "../../etc/shadow", .hard = true}};
	struct err e = {0};

	(void)state;
	assert_int_equal(split(v, ARRAY_SIZE(v), NULL, &e), -1);
	assert_string_equal(e.msg, "base: './etc/shadow' is a hard link to something "
				   "outside it");
}

/* --- trees of containers and cloud machines ---------------------------------------- */

static int tree(const struct member *v, size_t n, int filter, struct err *e)
{
	_cleanup_bytes_ struct bytes a = make_archive(TAR, filter, v, n);
	_cleanup_close_ int fd = bytes_fd(a.p, a.len);
	_cleanup_free_ char *path = xasprintf("%s/tree.tar", top);

	unlink(path);
	return base_tree_write(fd, &(struct recipe_base){0}, "u", path, e);
}

static void leftovers_of_other_systems_are_dropped(void **state)
{
	static const struct member v[] = {
		{"./", .type = AE_IFDIR},
		{"usr/sbin/policy-rc.d", .data = "exit 101"},
		{"usr/sbin/real", .data = "x"},
		{"sbin/init", .target = "usr/sbin/real", .hard = true},
		{"etc/apt/sources.list", .data = "deb gone"},
		{"etc/apt/apt.conf.d/docker-clean", .data = "x"},
		{"etc/apt/apt.conf.d/20own", .data = "x"},
		{"etc/resolv.conf", .type = AE_IFLNK, .target = "../run/resolv"},
		{"dev/sda", .type = AE_IFBLK},
		{"run/x", .type = AE_IFIFO},
		{"boot/initrd.img-3.19.0", .data = "theirs"},
		{"boot/vmlinuz-3.19.0", .data = "kernel"},
	};
	_cleanup_free_ char *list = NULL;
	struct err e = {0};

	(void)state;
	if (tree(v, ARRAY_SIZE(v), ARCHIVE_FILTER_GZIP, &e) < 0)
		fail_msg("%s", e.msg);
	list = list_of("tree.tar");
	assert_string_equal(list, "./\nusr/sbin/real\nsbin/init -> usr/sbin/real\n"
				  "etc/apt/apt.conf.d/20own\nboot/vmlinuz-3.19.0\n");
}

static void trees_over_the_limit_are_refused(void **state)
{
	static char blank[300000];
	static const struct member v[] = {{"a", .data = blank, .len = sizeof(blank)},
					  {"b", .data = blank, .len = sizeof(blank)}};
	_cleanup_bytes_ struct bytes tar = make_archive(ARCHIVE_FORMAT_TAR_PAX_RESTRICTED,
							ARCHIVE_FILTER_GZIP, v, 2);
	const struct recipe_base enough = {.limit = 700000}, less = {.limit = 500000};
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		_cleanup_close_ int fd = bytes_fd(tar.p, tar.len);

		assert_int_equal(base_tree_check(fd, i ? &less : &enough, "u", &e), -i);
	}
	assert_string_equal(e.msg, "u: at member 'b': unpacks to more than the limit of "
				   "488.3 KiB: refused (key 'limit' of the base raises "
				   "the limit)");
}

static void hostile_trees_are_refused(void **state)
{
	static const struct {
		struct member m;
		const char *why;
	} cases[] = {
		{{"../etc/passwd", .data = "!"},
		 "u: member '../etc/passwd' has '..' in its name: archive refused"},
		{{"h", .target = "/etc/shadow", .hard = true},
		 "u: member 'h' is a hard link to something outside it: archive refused"},
		{{"h", .target = "../etc/shadow", .hard = true},
		 "u: member 'h' is a hard link to something outside it: archive refused"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = {0};

		assert_int_equal(tree(&cases[i].m, 1, ARCHIVE_FILTER_NONE, &e), -1);
		assert_string_equal(e.msg, cases[i].why);
	}
}

#define LONG "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* Members that tar(1) cannot extract behind the others. */
static void members_that_cannot_be_extracted_are_refused(void **state)
{
	static const struct {
		struct member v[3];
		const char *why;
	} cases[] = {
		{{{"a", .target = "gone", .hard = true}},
		 "a' is a hard link to 'gone', but no member before it has that name"},
		{{{"a", .target = "b", .hard = true}, {"b", .data = ""}},
		 "a' is a hard link to 'b', but no member before it has that name"},
		{{{"a", .target = "./a", .hard = true}}, "a' is a hard link to itself"},
		{{{"d/", .type = AE_IFDIR}, {"a", .target = "d", .hard = true}},
		 "a' is a hard link to 'd', which is a folder"},
		{{{"d/x", .data = ""}, {"a", .target = "d", .hard = true}},
		 "a' is a hard link to 'd', which is a folder"},
		{{{"etc/hostname", .data = ""},
		  {"a", .target = "etc/hostname", .hard = true}},
		 "a' is a hard link to 'etc/hostname', which a base does not have"},
		{{{"x/" LONG LONG LONG LONG, .data = ""}},
		 "x/" LONG LONG LONG LONG
		 "' has a name of more than 255 bytes in its path"},
		{{{"x", .data = ""}, {"x/a", .data = ""}},
		 "x/a' is below 'x', which is a file"},
		{{{"x", .data = ""},
		  {"h", .target = "x", .hard = true},
		  {"h/a/b", .data = ""}},
		 "h/a/b' is below 'h', which is a file"},
		{{{"l", .type = AE_IFLNK, .target = "gone"}, {"l/x", .data = ""}},
		 "l/x' is below the symlink 'l', which does not lead to a folder "
		 "before it"},
		{{{"l", .type = AE_IFLNK, .target = "m"},
		  {"m", .type = AE_IFLNK, .target = "l"},
		  {"l/x", .data = ""}},
		 "l/x' is below the symlink 'l', which does not lead to a folder "
		 "before it"},
		{{{"l", .type = AE_IFLNK, .target = "/f"},
		  {"f", .data = ""},
		  {"l/x", .data = ""}},
		 "l/x' is below 'f', which is a file"},
		{{{"d/x", .data = ""}, {"d", .data = ""}},
		 "d' replaces a folder that is not empty"},
		{{{"l", .type = AE_IFLNK, .target = "/x"}, {"l", .data = ""}},
		 "l' replaces a symlink to '/x', which tar(1) would keep"},
		/* Names are judged by where they lead. */
		{{{"usr/share/e", .type = AE_IFLNK, .target = "../../etc"},
		  {"etc/x", .data = ""},
		  {"usr/share/e/apt", .type = AE_IFLNK, .target = "/home"}},
		 "usr/share/e/apt' is not a folder, but tools write below it"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *why =
			xasprintf("u: member '%s: archive refused", cases[i].why);
		struct err e = {0};
		size_t n = 1;

		while (n < 3 && cases[i].v[n].path)
			n++;
		assert_int_equal(tree(cases[i].v, n, ARCHIVE_FILTER_NONE, &e), -1);
		assert_string_equal(e.msg, why);
	}
}

/* A member below a symlink, wherever that leads, is written with its real path. */
static void members_below_symlinks_are_kept(void **state)
{
	static const struct member v[] = {
		{"usr/lib/", .type = AE_IFDIR},
		{"lib", .type = AE_IFLNK, .target = "usr/lib"},
		{"lib/a", .data = ""},
		{"lib/new/b", .data = ""},
		{"usr/lib64", .type = AE_IFLNK, .target = "./../lib/new"},
		{"usr/lib64/c", .data = ""},
		{"opt", .type = AE_IFLNK, .target = "/usr/../usr/lib64"},
		{"opt/d", .data = ""},
		{"opt/h", .target = "usr/lib64/c", .hard = true},
		{"run/", .type = AE_IFDIR},
		{"var/run", .type = AE_IFLNK, .target = "../run"},
		{"var/run/dropped", .data = ""},
		{"var/fifo", .type = AE_IFIFO},
		{"var/again", .target = "var/fifo", .hard = true},
		{"usr/lib/a", .target = "lib/a", .hard = true}, /* itself */
		{"e/", .type = AE_IFDIR},
		{"e", .type = AE_IFLNK, .target = "usr"}, /* replaces an empty folder */
		{"e/x", .data = ""},
		{"e", .type = AE_IFDIR}, /* tar(1) replaces the link by it */
		{"e/y", .data = ""},
		{"opt", .type = AE_IFLNK, .target = "/usr/../usr/lib64"},
	};
	_cleanup_free_ char *list = NULL;
	struct err e = {0};

	(void)state;
	if (tree(v, ARRAY_SIZE(v), ARCHIVE_FILTER_NONE, &e) < 0)
		fail_msg("%s", e.msg);
	list = list_of("tree.tar");
	assert_string_equal(list,
			    "usr/lib/\nlib -> usr/lib\nusr/lib/a\nusr/lib/new/b\n"
			    "usr/lib64 -> ./../lib/new\nusr/lib/new/c\n"
			    "opt -> /usr/../usr/lib64\nusr/lib/new/d\n"
			    "usr/lib/new/h -> usr/lib/new/c\nrun/\nvar/run -> ../run\n"
			    "e/\ne -> usr\nusr/x\ne/\ne/y\n"
			    "opt -> /usr/../usr/lib64\n");
}

/* Tools of the build machine write and delete below these paths. */
static void folders_of_tools_are_no_links_or_files(void **state)
{
	static const char *const paths[] = {
		".",
		"./run",
		"tmp",
		"dev",
		"proc",
		"sys",
		"boot",
		"etc",
		"etc/apt",
		"var",
		"var/cache",
		"var/cache/apt",
		"var/lib/apt",
		"var/log",
		"var/tmp",
		"var/lib/apt/lists",
		"var/lib/dpkg",
		"usr/share",
		"etc/dpkg",
		"etc/apt/apt.conf.d",
		"var/lib/dpkg/info",
		"root",
		"usr",
		"usr/share/initramfs-tools",
	};

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(paths); i++) {
		const char *path = paths[i / 3];
		const struct member v[] = {
			{"etc/passwd", .data = "x"},
			{path,
			 .target = i % 3 == 0   ? "/etc"
				   : i % 3 == 1 ? "etc/passwd"
						: NULL,
			 .hard = i % 3 == 1, .data = i % 3 == 2 ? "x" : NULL},
		};
		_cleanup_free_ char *why = xasprintf(
			"u: member '%s' is not a folder, but tools write below it: "
			"archive refused",
			path);
		struct err e = {0};

		assert_int_equal(tree(v, ARRAY_SIZE(v), ARCHIVE_FILTER_NONE, &e), -1);
		assert_string_equal(e.msg, why);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(split_usr_is_kept),
		CASE(merged_usr_is_kept),
		CASE(missing_kernel_or_modules_are_errors),
		CASE(a_later_status_replaces_the_packages),
		CASE(many_large_status_files_are_refused),
		CASE(large_names_of_modules_are_refused),
		CASE(hard_links_to_the_outside_are_refused),
		CASE(leftovers_of_other_systems_are_dropped),
		CASE(trees_over_the_limit_are_refused),
		CASE(hostile_trees_are_refused),
		CASE(members_that_cannot_be_extracted_are_refused),
		CASE(members_below_symlinks_are_kept),
		CASE(folders_of_tools_are_no_links_or_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
