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
		CASE(folders_of_tools_are_no_links_or_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
