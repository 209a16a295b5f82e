/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/tree-hosts.c: a tree that is rendered over another one is the same as one that is
 * rendered where nothing was, and hosts that did not change keep their files.
 */
#include "test-tree.h"

#include "lib/run.h"
#include "pxe/tree-parts.h"

#include <sys/syscall.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HOSTS  6
#define ROUNDS 40

/* A host of a rack file. */
struct setting {
	unsigned cbr0;    /* its third number */
	bool is_there;    /* as a host of the rack */
	bool has_console; /* of its own, which is in all of its files */
};

struct world {
	struct setting hosts[HOSTS];
	struct tree_options o;
};

/* Replaces that of the C library: with `links_fail`, those of hosts' files fail. */
static bool links_fail;

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (!links_fail || !(str_ends(new, ".cpio") || str_ends(new, ".ipxe")))
		return (int)syscall(SYS_linkat, from, old, to, new, flags);
	errno = EMLINK;
	return -1;
}

/* The numbers are the same in each run. */
static unsigned below(unsigned n)
{
	static uint32_t x = 20150129;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

static void write_rack(struct fixture *f, const struct world *w)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "cluster : { name = \"r\"; boot_server = \"172.25.0.1\";\n"
		     "gateway = \"172.25.0.1\"; "
		     "node_network = \"172.25.0.0/24\"; master = \"master\"; };\n"
		     "hosts = ( { name = \"master\"; role = \"master\";\n"
		     "mac = \"52:54:00:25:00:10\"; address = \"172.25.0.10\"; }");
	for (unsigned i = 0; i < HOSTS; i++) {
		const struct setting *h = &w->hosts[i];

		if (h->is_there)
			buf_printf(&b,
				   ",\n{ name = \"node-%u\"; role = \"node\"; %s\n"
				   "mac = \"52:54:00:25:01:%02x\"; address = "
				   "\"172.25.0.%u\"; cbr0 = \"192.168.%u.1/24\"; }",
				   i, h->has_console ? "console = \"ttyS1\";" : "", i,
				   i + 20, h->cbr0);
	}
	buf_puts(&b, " );\n");
	write_text(f->scratch, "r.cfg", b.p);
}

static void render_into(struct fixture *f, const struct world *w, const char *name,
			struct tree_counts *ret)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", f->scratch, name);
	_cleanup_free_ char *file = xasprintf("%s/r.cfg", f->scratch);
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	struct tree_options o = w->o;
	struct err e = {0};

	write_rack(f, w);
	o.secret = SECRET;
	o.ipxe_dir = f->ipxe_dir;
	if (rack_load(&rack, file, &f->image.roles, &d) < 0)
		fail_msg("%s", d.lines[0]);
	if (tree_render(&rack, &f->image, dir, &o, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Returns every path below `dir` with type, mode and target, sorted. Owned. */
static char *listing(const char *dir)
{
	const char *const argv[] = {
		"sh", "-c", "cd \"$1\" && find . -printf '%p %y %m %l\\n' | sort",
		"sh", dir,  NULL};
	struct err e = {0};
	char *out = NULL;

	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return out;
}

static void assert_same_tree(struct fixture *f, const char *a, const char *b)
{
	_cleanup_free_ char *one = xasprintf("%s/%s", f->scratch, a);
	_cleanup_free_ char *two = xasprintf("%s/%s", f->scratch, b);
	_cleanup_free_ char *list_one = listing(one), *list_two = listing(two);
	const char *const diff[] = {"diff", "-r", "--no-dereference", one, two, NULL};
	struct err e = {0};

	assert_string_equal(list_one, list_two);
	if (run_argv(diff, &e) < 0)
		fail_msg("%s", e.msg);
}

static void change(struct world *w)
{
	struct setting *h = &w->hosts[below(HOSTS)];

	switch (below(10)) {
	case 0:
		h->is_there = !h->is_there;
		break;
	case 1:
		h->has_console = !h->has_console;
		break;
	case 2:
		w->o.http_port = w->o.http_port ? 0 : 8080;
		break;
	case 3:
		break;
	default:
		h->cbr0 = (unsigned)(h - w->hosts) + HOSTS * below(40);
	}
}

enum { DAMAGES = 8 };

/* Changes a file of the tree behind its back, in each round another file or in another
 * way. */
static void damage(struct fixture *f, const char *tree, unsigned n)
{
	static const char *const names[] = {
		"http/hosts/52-54-00-25-00-10.cpio", "http/hosts/52-54-00-25-00-10.ipxe",
		"http/hosts/52-54-00-25-00-10.grub",
		"tftp/pxelinux.cfg/01-52-54-00-25-00-10", "http/boot.ipxe"};
	const char *name = names[n / DAMAGES % ARRAY_SIZE(names)];
	_cleanup_free_ char *path = xasprintf("%s/%s/%s", f->scratch, tree, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	switch (n % DAMAGES) {
	case 0:
		assert_int_equal(pwrite(fd, "#", 1, 40), 1);
		break;
	case 1:
		assert_int_equal(ftruncate(fd, 100), 0);
		break;
	case 2:
		assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) + 1), 0);
		break;
	case 3:
		assert_int_equal(fchmod(fd, 0666), 0);
		break;
	case 4:
		assert_int_equal(fchmod(fd, 0600), 0);
		break;
	case 5:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink("/etc/hostname", path), 0);
		break;
	case 6:
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0644), 0);
		break;
	default:
		assert_int_equal(unlink(path), 0);
	}
}

static void init_world(struct world *w)
{
	*w = (struct world){0};
	for (unsigned i = 0; i < HOSTS; i++)
		w->hosts[i] = (struct setting){.cbr0 = i, .is_there = i % 2 == 0};
}

static void changed_tree_is_as_a_new_one(void **state)
{
	struct fixture *f = *state;
	size_t written = 0, kept = 0;
	struct world w;

	init_world(&w);
	render_into(f, &w, "tree", NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		_cleanup_free_ char *name = xasprintf("new-%u", i);
		struct tree_counts counts;

		change(&w);
		damage(f, "tree", i);
		render_into(f, &w, "tree", &counts);
		render_into(f, &w, name, NULL);
		assert_same_tree(f, "tree", name);
		written += counts.written;
		kept += counts.kept;
	}
	assert_true(written > ROUNDS / 2);
	assert_true(kept > ROUNDS);
}

/* Changes a file of the image in the tree in one of four ways. */
static void damage_image(const char *path, unsigned way)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	off_t size = lseek(fd, 0, SEEK_END);

	assert_true(size > 0);
	if (way == 0)
		assert_int_equal(fchmod(fd, 0600), 0);
	else if (way == 1)
		assert_int_equal(ftruncate(fd, size + 512), 0);
	else if (way == 2)
		assert_int_equal(ftruncate(fd, size - 1), 0);
	else if (!str_ends(path, "vmlinuz"))
		assert_int_equal(pwrite(fd, "#", 1, size - 1), 1);
	if (way == 3 && str_ends(path, "root.cpio"))
		assert_int_equal(pwrite(fd, "#", 1, 3), 1);
}

/* A copy without the modes of the files, and what a full disk or a person left of one. */
static void damaged_image_is_written_again(void **state)
{
	static const char *const names[] = {"vmlinuz", "initrd.img", "root.cpio"};
	struct fixture *f = *state;
	char id[TREE_ID_LEN];
	struct world w;

	init_world(&w);
	tree_image_id(&f->image, id);
	render_into(f, &w, "tree", NULL);
	render_into(f, &w, "new", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (unsigned way = 0; way < 4; way++) {
			_cleanup_free_ char *path = xasprintf("%s/tree/http/images/%s/%s",
							      f->scratch, id, names[i]);

			damage_image(path, way);
			render_into(f, &w, "tree", NULL);
			assert_same_tree(f, "tree", "new");
		}
}

static ino_t inode_of(struct fixture *f, const char *path)
{
	_cleanup_free_ char *full = xasprintf("%s/tree/%s", f->scratch, path);

	return inode(full);
}

static void one_changed_host_is_written(void **state)
{
	static const char changed[] = "http/hosts/52-54-00-25-01-02.cpio",
			  script[] = "http/hosts/52-54-00-25-01-02.ipxe",
			  other[] = "http/hosts/52-54-00-25-01-04.cpio";
	struct fixture *f = *state;
	struct tree_counts counts;
	ino_t was_changed, was_script, was_other;
	struct world w;

	init_world(&w);
	render_into(f, &w, "tree", &counts);
	assert_int_equal(counts.written, 4);
	assert_int_equal(counts.kept, 0);
	was_changed = inode_of(f, changed);
	was_script = inode_of(f, script);
	was_other = inode_of(f, other);
	w.hosts[2].cbr0 = 99;
	render_into(f, &w, "tree", &counts);
	assert_int_equal(counts.written, 1);
	assert_int_equal(counts.kept, 3);
	assert_int_not_equal(inode_of(f, changed), was_changed);
	assert_int_equal(inode_of(f, script), was_script); /* has no cbr0 */
	assert_int_equal(inode_of(f, other), was_other);
}

static void scripts_with_the_same_words_are_one_file(void **state)
{
	static const char *const kinds[] = {"ipxe", "grub"};
	struct fixture *f = *state;
	struct world w;

	init_world(&w);
	w.hosts[4].has_console = true;
	for (unsigned turn = 0; turn < 2; turn++) {
		render_into(f, &w, "tree", NULL);
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			ino_t inodes[3];

			for (unsigned k = 0; k < 3; k++) {
				_cleanup_free_ char *path =
					xasprintf("http/hosts/52-54-00-25-01-%02x.%s",
						  2 * k, kinds[i]);

				inodes[k] = inode_of(f, path);
			}
			assert_int_equal(inodes[0], inodes[1]);
			assert_int_not_equal(inodes[0], inodes[2]);
		}
		w.hosts[0].has_console = true; /* the one that had the name first */
		w.hosts[2].has_console = true;
		w.hosts[4].has_console = false;
	}
}

/* A file may have as many links as the file system allows. */
static void file_that_cannot_be_linked_is_written(void **state)
{
	struct fixture *f = *state;
	struct tree_counts counts;
	struct world w;

	init_world(&w);
	render_into(f, &w, "tree", NULL);
	links_fail = true;
	render_into(f, &w, "tree", &counts);
	links_fail = false;
	assert_int_equal(counts.written, 4);
	render_into(f, &w, "new", NULL);
	assert_same_tree(f, "tree", "new");
}

/* Another user could exchange a file of it between reading and linking. */
static void nothing_is_linked_from_a_folder_that_others_write_to(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *hosts = xasprintf("%s/tree/http/hosts", f->scratch);
	struct tree_counts counts;
	struct world w;

	init_world(&w);
	render_into(f, &w, "tree", NULL);
	assert_int_equal(chmod(hosts, 0770), 0);
	render_into(f, &w, "tree", &counts);
	assert_int_equal(counts.written, 4);
	render_into(f, &w, "tree", &counts);
	assert_int_equal(counts.written, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(changed_tree_is_as_a_new_one),
		T(damaged_image_is_written_again),
		T(one_changed_host_is_written),
		T(scripts_with_the_same_words_are_one_file),
		T(file_that_cannot_be_linked_is_written),
		T(nothing_is_linked_from_a_folder_that_others_write_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
