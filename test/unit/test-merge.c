/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/root/layer.h, merge-plan.h, unit-links.h and merge.h: from a small base in
 * memory to the stream that becomes the root image.
 */
#include "test-archive.h"

#include "builder/root/merge.h"
#include "builder/root/unit-links.h"

#define EPOCH 1000

#define DIR(p, m)                                                                        \
	{                                                                                \
		ENTRY_DIR, p, .mode = m, .mtime = 5                                      \
	}
#define LINK(p, t)                                                                       \
	{                                                                                \
		ENTRY_SYMLINK, p, t, .mode = 0777, .mtime = 5                            \
	}
#define HARD(p, t)                                                                       \
	{                                                                                \
		ENTRY_HARDLINK, p, t, .mode = 0644, .mtime = 5                           \
	}
#define TEXT(p, m, t)                                                                    \
	{                                                                                \
		ENTRY_FILE, p, .mode = m, .mtime = 5, .caps = t, .size = sizeof(t) - 1   \
	}

/* A file's text is in `caps` because struct entry has no other field for bytes. */
static const struct entry base_entries[] = {
	DIR("./", 0755),
	LINK("./lib", "usr/lib"),
	DIR("./etc/", 0755),
	TEXT("./etc/shadow", 0640, "daemon:*:1:\nroot:*:1:\n"),
	TEXT("./etc/machine-id", 0444, "uninitialized\n"),
	TEXT("./etc/hosts", 0644, "theirs"),
	DIR("./etc/systemd/", 0755),
	DIR("./etc/systemd/system/", 0755),
	LINK("./etc/systemd/system/old-alias.service", "/lib/systemd/system/old.service"),
	DIR("./etc/systemd/system/multi-user.target.wants/", 0755),
	LINK("./etc/systemd/system/multi-user.target.wants/old.service",
	     "/lib/systemd/system/old.service"),
	DIR("./tmp/", 01777),
	DIR("./usr/", 0755),
	DIR("./usr/lib/", 0755),
	TEXT("./usr/lib/first", 0644, "data"),
	HARD("./usr/lib/second", "./usr/lib/first"),
	HARD("./usr/lib/third", "usr/lib/first"),
	DIR("./usr/lib/systemd/", 0755),
	DIR("./usr/lib/systemd/system/", 0755),
	TEXT("./usr/lib/systemd/system/old.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\n"),
	TEXT("./usr/lib/systemd/system/ssh.service", 0644,
	     "[Unit]\n[Install]\nWantedBy=a.target \\\n b.target\nAlias=sshd.service\n"
	     "RequiredBy=c.target\n"),
	TEXT("./usr/lib/systemd/system/getty@.service", 0644,
	     "[Install]\nWantedBy=getty.target\n"),
	TEXT("./usr/lib/systemd/system/bare.service", 0644, "[Service]\n"),
	DIR("./usr/share/", 0755),
	DIR("./usr/share/doc/", 0755),
	DIR("./usr/share/doc/a/", 0755),
	TEXT("./usr/share/doc/a/copyright", 0644, "c"),
	{ENTRY_FILE, "./late", .mode = 0644, .mtime = 2000, .uid = 7, .gid = 8,
	 .caps = "later", .size = 5},
};

static int make_base(const struct entry *v, size_t n)
{
	int fd = memfd_create("base", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;

	o = archive_out_new(fd, "base");
	for (size_t i = 0; i < n; i++) {
		struct entry entry = v[i];

		entry.caps = NULL;
		assert_int_equal(archive_out_entry(o, &entry, NULL), 0);
		if (v[i].caps)
			assert_int_equal(archive_out_data(o, v[i].caps, v[i].size, NULL),
					 0);
	}
	assert_int_equal(archive_out_end(o, NULL), 0);
	return fd;
}

/* --- fixture ---------------------------------------------------------------------- */

struct world {
	int tar;
	struct index index;
	struct layer layer;
	struct recipe recipe;
	struct diag diag;
	char *text; /* the merged stream, one line per entry */
	struct merge_stats stats;
};

static struct world w;

static bool want_all(const char *path, void *data)
{
	(void)path;
	(void)data;
	return true;
}

/* On Ubuntu 15.04 /lib and /usr/lib are two folders, and units are in the first one. */
static const struct entry split_entries[] = {
	DIR("./", 0755),
	DIR("./bin/", 0755),
	DIR("./lib/", 0755),
	DIR("./lib/systemd/", 0755),
	DIR("./lib/systemd/system/", 0755),
	TEXT("./lib/systemd/system/ssh.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\n"),
	DIR("./etc/", 0755),
	TEXT("./etc/shadow", 0640, "root:*:1:\n"),
	DIR("./usr/", 0755),
	DIR("./usr/lib/", 0755),
	DIR("./usr/lib/systemd/", 0755),
	DIR("./usr/lib/systemd/system/", 0755),
	TEXT("./usr/lib/systemd/system/deb.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\n"),
};

static int setup_from(const struct entry *v, size_t n)
{
	w = (struct world){.tar = make_base(v, n)};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_from(base_entries, ARRAY_SIZE(base_entries));
}

static int setup_split(void **state)
{
	(void)state;
	return setup_from(split_entries, ARRAY_SIZE(split_entries));
}

static int teardown(void **state)
{
	(void)state;
	close(w.tar);
	index_done(&w.index);
	layer_done(&w.layer);
	diag_done(&w.diag);
	free(w.text);
	return 0;
}

static void file(const char *to, const char *text)
{
	layer_add_text(&w.layer, to, 0600, text, strlen(text), "t", "r.cfg:1");
}

static void list(int fd)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct buf b = {0};

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
		archive_in_open(&in, &(struct archive_source){.name = "out", .fd = fd},
				NULL),
		0);
	while (archive_in_next(in, &entry, NULL) > 0) {
		_cleanup_free_ char *path = archive_path_normal(entry->path);
		char data[128] = "";

		buf_printf(&b, "%s /%s %04o %d:%d %lld", entry_type_name(entry->type),
			   path, entry->mode, (int)entry->uid, (int)entry->gid,
			   (long long)entry->mtime);
		if (entry->target)
			buf_printf(&b, " -> %s", entry->target);
		if (entry->type == ENTRY_FILE) {
			assert_true(entry->size < sizeof(data));
			assert_int_equal(archive_in_read(in, data, sizeof(data), NULL),
					 entry->size);
			buf_printf(&b, " '%s'", data);
		}
		buf_puts(&b, "\n");
	}
	w.text = buf_take(&b);
}

static int do_merge(char *const *exclude, struct digest *tap, struct err *e)
{
	_cleanup_close_ int fd = memfd_create("out", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;
	const struct merge m = {
		.base = &w.index,
		.tar = w.tar,
		.tap = tap,
		.layer = &w.layer,
		.epoch = EPOCH,
	};

	layer_finish(&w.layer);
	merge_plan(&w.index, &w.layer, exclude, &w.diag);
	for (size_t i = 0; i < w.diag.n; i++)
		print_error("%s\n", w.diag.lines[i]);
	assert_int_equal(w.diag.n, 0);
	o = archive_out_new(fd, "out");
	if (merge(&m, o, &w.stats, e) < 0)
		return -1;
	assert_int_equal(archive_out_end(o, e), 0);
	list(fd);
	return 0;
}

static void merged(char *const *exclude)
{
	struct err e = {0};

	if (do_merge(exclude, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static size_t count(const char *part)
{
	size_t n = 0;

	for (const char *s = w.text; (s = strstr(s, part)); s++)
		n++;
	return n;
}

static void has(const char *line)
{
	_cleanup_free_ char *whole = xasprintf("%s\n", line);

	if (count(whole) != 1)
		fail_msg("%zu of '%s' in:\n%s", count(whole), line, w.text);
}

static void lacks(const char *path)
{
	_cleanup_free_ char *part = xasprintf(" /%s ", path);

	if (count(part) != 0)
		fail_msg("'%s' is in:\n%s", path, w.text);
}

/* Checks the complaints of layer and plan. */
static void refused(const char *const *want, size_t n)
{
	layer_finish(&w.layer);
	merge_plan(&w.index, &w.layer, NULL, &w.diag);
	for (size_t i = 0; i < n && i < w.diag.n; i++)
		assert_string_equal(w.diag.lines[i], want[i]);
	assert_int_equal(w.diag.n, n);
}

/* --- precedence ------------------------------------------------------------------- */

static void base_alone_is_copied(void **state)
{
	(void)state;
	merged(NULL);
	assert_non_null(str_after(w.text, "directory / 0755 0:0 5\n"));
	has("symlink /lib 0777 0:0 5 -> usr/lib");
	has("hard link /usr/lib/second 0644 0:0 5 -> usr/lib/first");
	has("directory /tmp 1777 0:0 5");
	has("file /late 0644 7:8 1000 'later'"); /* later times are set to the epoch */
	assert_int_equal(w.stats.entries, ARRAY_SIZE(base_entries));
}

static void entries_of_the_recipe_win(void **state)
{
	(void)state;
	file("/etc/hosts", "ours");
	file("/lib/new/deep/x", "x"); /* follows the link, makes parents */
	layer_add_link(&w.layer, "/etc/shadow-link", "shadow", "t", "r.cfg:2");
	layer_add(&w.layer, ENTRY_DIR, "/tmp", 0700, "t", "r.cfg:3");
	layer_add_link(&w.layer, "/usr/lib/second", "first", "t", "r.cfg:4");
	merged(NULL);
	has("file /etc/hosts 0600 0:0 1000 'ours'");
	assert_int_equal(count(" /etc/hosts "), 1);
	has("file /usr/lib/new/deep/x 0600 0:0 1000 'x'");
	has("directory /usr/lib/new 0755 0:0 1000");
	has("directory /usr/lib/new/deep 0755 0:0 1000");
	has("symlink /etc/shadow-link 0777 0:0 1000 -> shadow");
	has("directory /tmp 0700 0:0 1000");
	assert_int_equal(count(" /tmp "), 1);
	has("symlink /usr/lib/second 0777 0:0 1000 -> first");
	has("hard link /usr/lib/third 0644 0:0 5 -> usr/lib/first");
	assert_string_equal(layer_find(&w.layer, "etc/hosts")->sha256,
			    "ae0bec9e9d33c56354bd612c8a6010840324"
			    "fc5b9786ce0a18b696b304b09397");
}

/* A folder of the base that gets another mode keeps its place in the stream: before its
 * content, which stays. */
static void folder_with_new_mode_keeps_its_content(void **state)
{
	const char *folder, *in_it;

	(void)state;
	layer_add(&w.layer, ENTRY_DIR, "/usr/share/doc", 0700, "t", "r.cfg:1");
	merged(NULL);
	folder = strstr(w.text, "directory /usr/share/doc 0700 0:0 1000\n");
	in_it = strstr(w.text, "file /usr/share/doc/a/copyright ");
	assert_non_null(folder);
	assert_non_null(in_it);
	assert_true(folder < in_it);
	assert_int_equal(count(" /usr/share/doc "), 1);
}

static void excluded_hard_link_is_moved_to_next_name(void **state)
{
	char *exclude[] = {(char *)"/usr/lib/first", NULL};

	(void)state;
	merged(exclude);
	lacks("usr/lib/first");
	has("file /usr/lib/second 0644 0:0 5 'data'");
	has("hard link /usr/lib/third 0644 0:0 5 -> usr/lib/second");
	assert_int_equal(w.stats.entries, ARRAY_SIZE(base_entries) - 1);
}

static void excludes_apply_to_the_base(void **state)
{
	char *exclude[] = {(char *)"/usr/share/*", (char *)"/etc/h?sts", (char *)"/lat",
			   NULL};

	(void)state;
	file("/usr/share/doc/ours", "kept"); /* excludes apply only to the base */
	merged(exclude);
	has("directory /usr/share 0755 0:0 5");
	has("directory /usr/share/doc 0755 0:0 5"); /* the parent of our file stays */
	has("file /usr/share/doc/ours 0600 0:0 1000 'kept'");
	lacks("usr/share/doc/a");
	lacks("usr/share/doc/a/copyright");
	lacks("etc/hosts");
	assert_int_equal(count(" /late "), 1); /* a name does not match as a prefix */
}

/* --- conflicts -------------------------------------------------------------------- */

static void conflicts_are_refused(void **state)
{
	static const char *const want[] = {
		"r.cfg:1: /etc/hosts is written already (r.cfg:1)",
		"r.cfg:1: /etc/hosts/below cannot be inside /etc/hosts, which is a file "
		"(r.cfg:1)",
		"r.cfg:1: /late/below cannot be inside /late, which is a file in the "
		"base",
		"r.cfg:1: /usr/lib is a directory in the base",
	};

	(void)state;
	file("/etc/hosts", "a");
	file("/etc//./hosts", "b");
	file("/etc/hosts/below", "c");
	file("/late/below", "d");
	file("/usr/lib", "e");
	/* an entry that replaces the base's link is not inside its target */
	refused(want, ARRAY_SIZE(want));
}

static void unlocked_root_is_refused(void **state)
{
	static const char *const want[] = {"r.cfg:1: /etc/shadow: root must be locked "
					   "(root:*:); log in with ssh keys"};

	(void)state;
	file("/etc/shadow", "bin:*:1:\nroot:$6$x$y:1:\n");
	refused(want, 1);
}

static void missing_root_is_refused(void **state)
{
	static const char *const want[] = {
		"r.cfg:1: /etc/shadow has no line for root: anybody could "
		"log in as root"};

	(void)state;
	file("/etc/shadow", "toor:*:1:\n");
	refused(want, 1);
}

static void world_writable_files_are_refused(void **state)
{
	static const struct entry bad[] = {
		DIR("./", 0755),
		DIR("./etc", 0755),
		TEXT("./etc/shadow", 0640, "root:!:1:\n"),
		TEXT("./open", 0666, "x"),
		DIR("./drop", 0777),
		LINK("./link", "open"), /* a symlink's mode does not count */
	};
	static const char *const want[] = {
		"base: /open is a file that everybody may write to (mode 0666): exclude "
		"it, or replace it by an entry of 'files'",
		"base: /drop is a directory that everybody may write to (mode 0777): "
		"exclude it, or replace it by an entry of 'files'",
	};

	teardown(state);
	w = (struct world){.tar = make_base(bad, ARRAY_SIZE(bad))};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	refused(want, 2);
}

static void dangling_hard_link_is_refused(void **state)
{
	static const struct entry bad[] = {
		DIR("./", 0755),
		DIR("./etc", 0755),
		TEXT("./etc/shadow", 0640, "root:!:1:\n"),
		HARD("./a", "b"),
	};
	static const char *const want[] = {"base: /a is a hard link to /b, which is not "
					   "a file before it in root.tar"};

	teardown(state);
	w = (struct world){.tar = make_base(bad, ARRAY_SIZE(bad))};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	refused(want, 1);
}

static void set_base(const struct entry *v, size_t n)
{
	teardown(NULL);
	setup_from(v, n);
}

#define SHADOW                                                                           \
	DIR("./", 0755), DIR("./etc", 0755), TEXT("./etc/shadow", 0640, "root:!:1:\n")

/* tar(1) extracts it so: a link that came in between keeps the first file's data. */
static void the_last_of_several_members_wins(void **state)
{
	static const struct entry twice[] = {
		SHADOW,
		TEXT("./a", 0644, "old"),
		HARD("./kept", "a"),
		TEXT("./a", 0600, "new"),
		HARD("./b", "./a"),
		DIR("./d", 0700),
		TEXT("./d/x", 0644, "x"),
		DIR("./d/", 0711),
		LINK("./l", "a"),
		LINK("./l", "b"),
	};

	(void)state;
	set_base(twice, ARRAY_SIZE(twice));
	merged(NULL);
	has("file /a 0600 0:0 5 'new'");
	assert_int_equal(count(" /a "), 1);
	has("file /kept 0644 0:0 5 'old'");
	has("hard link /b 0644 0:0 5 -> a");
	has("directory /d 0711 0:0 5");
	assert_int_equal(count(" /d "), 1);
	has("symlink /l 0777 0:0 5 -> b");
	assert_int_equal(w.stats.entries, ARRAY_SIZE(twice) - 3);
}

static void hard_links_are_followed(void **state)
{
	static const struct entry links[] = {
		SHADOW,           TEXT("./a", 0644, "a"), HARD("./b", "a"),
		HARD("./c", "b"), LINK("./s", "a"),       HARD("./t", "s"),
		HARD("./u", "t"),
	};

	(void)state;
	set_base(links, ARRAY_SIZE(links));
	merged(NULL);
	has("hard link /c 0644 0:0 5 -> a");
	has("symlink /t 0777 0:0 5 -> a");
	has("symlink /u 0777 0:0 5 -> a");
}

static void times_are_limited(void **state)
{
	static const struct entry times[] = {
		SHADOW,
		{ENTRY_DIR, "./before", .mode = 0755, .mtime = -5},
		{ENTRY_DIR, "./after", .mode = 0755, .mtime = 1LL << 40},
	};

	(void)state;
	set_base(times, ARRAY_SIZE(times));
	merged(NULL);
	has("directory /before 0755 0:0 0");
	has("directory /after 0755 0:0 1000");
}

static void members_in_a_file_are_refused(void **state)
{
	static const struct entry in[] = {
		SHADOW,
		DIR("./a", 0755),
		TEXT("./a/b", 0644, "x"),
		TEXT("./a", 0644, "x"),
	};
	static const char *const want[] = {"base: /a/b is in /a, which is a file"};

	(void)state;
	set_base(in, ARRAY_SIZE(in));
	refused(want, 1);
}

static void loop_of_symlinks_is_refused(void **state)
{
	static const struct entry round[] = {
		DIR("./", 0755),
		LINK("./a", "b"),
		LINK("./b", "a"),
	};

	teardown(state);
	w = (struct world){.tar = make_base(round, ARRAY_SIZE(round))};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	file("/a/x", "x");
	assert_int_equal(w.diag.n, 1);
	assert_string_equal(
		w.diag.lines[0],
		"r.cfg:1: /a/x: symlinks of the base form a loop or lead to '/'");
}

/* The caller compares the base's digest with the one that it must have. */
static void tap_gets_the_whole_base(void **state)
{
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256),
				       *again = digest_new(DIGEST_SHA256);
	char want[DIGEST_HEX_MAX], got[DIGEST_HEX_MAX];
	_cleanup_index_ struct index index = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(lseek(w.tar, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(w.tar, DIGEST_SHA256, want, NULL), 0);
	assert_int_equal(do_merge(NULL, tap, &e), 0);
	assert_string_equal(digest_hex(tap, got), want);
	assert_int_equal(index_read(&index, w.tar, again, want_all, NULL, &e), 0);
	assert_string_equal(digest_hex(again, got), want);
}

/* --- units ------------------------------------------------------------------------ */

static struct recipe_switches switches(struct recipe_switch *v, size_t n)
{
	return (struct recipe_switches){v, n};
}

#define SWITCH(u)                                                                        \
	{                                                                                \
		.unit = (char *)(u), .where = (char *)"r.cfg:9"                          \
	}
#define SYSTEM "/etc/systemd/system/"

static void units_are_enabled_and_masked(void **state)
{
	struct recipe_switch enable[] = {SWITCH("ssh.service"),
					 SWITCH("getty@tty1.service"),
					 SWITCH("own.service")};
	struct recipe_switch disable[] = {SWITCH("old.service")};
	struct recipe_switch mask[] = {SWITCH("bare.service")};
	char *role_units[] = {(char *)"own.service", (char *)"ssh.service", NULL};
	struct role role = {.name = (char *)"node", .units = role_units};

	(void)state;
	w.recipe.enable = switches(enable, 3);
	w.recipe.disable = switches(disable, 1);
	w.recipe.mask = switches(mask, 1);
	w.recipe.roles.v = &role;
	w.recipe.roles.n = 1;
	w.recipe.roles_where = (char *)"r.cfg:10";
	file(SYSTEM "own.service",
	     "[Service]\nWantedBy=no.target\n[Install]\nWantedBy=x.target\nWantedBy=\n"
	     "WantedBy=y.target\n");
	unit_links(&w.layer, &w.index, &w.recipe);
	merged(NULL);
#define LINKED(at, to) has("symlink " SYSTEM at " 0777 0:0 1000 -> " to)
	LINKED("a.target.wants/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("b.target.wants/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("c.target.requires/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("sshd.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("getty.target.wants/getty@tty1.service",
	       "/usr/lib/systemd/system/getty@.service");
	LINKED("y.target.wants/own.service", "/etc/systemd/system/own.service");
	LINKED("bare.service", "/dev/null");
	LINKED("rackstrap-node.target.wants/own.service",
	       "/etc/systemd/system/own.service");
	LINKED("rackstrap-node.target.wants/ssh.service",
	       "/usr/lib/systemd/system/ssh.service");
	assert_int_equal(count("x.target.wants"), 0); /* an empty value clears the list */
	assert_int_equal(count("no.target.wants"), 0); /* not in [Install] */
	lacks("etc/systemd/system/old-alias.service");
	lacks("etc/systemd/system/multi-user.target.wants/old.service");
	assert_int_equal(count(" /usr/lib/systemd/system/old.service "), 1);
}

static void split_usr_is_kept(void **state)
{
	struct recipe_switch enable[] = {SWITCH("ssh.service"), SWITCH("deb.service")};

	(void)state;
	w.recipe.enable = switches(enable, 2);
	file("/lib/modules-load.d/x.conf", "m");
	file("/usr/lib/rackstrap/y", "y");
	file("/bin/z", "z");
	unit_links(&w.layer, &w.index, &w.recipe);
	merged(NULL);
	LINKED("multi-user.target.wants/ssh.service", "/lib/systemd/system/ssh.service");
	LINKED("sshd.service", "/lib/systemd/system/ssh.service");
	LINKED("multi-user.target.wants/deb.service",
	       "/usr/lib/systemd/system/deb.service");
	has("file /lib/modules-load.d/x.conf 0600 0:0 1000 'm'");
	has("directory /lib/modules-load.d 0755 0:0 1000");
	has("file /usr/lib/rackstrap/y 0600 0:0 1000 'y'");
	has("file /bin/z 0600 0:0 1000 'z'");
	lacks("usr/lib/modules-load.d");
	lacks("usr/bin");
}

static void missing_units_are_refused(void **state)
{
	struct recipe_switch enable[] = {SWITCH("absent.service"),
					 SWITCH("bare.service")};
	struct recipe_switch disable[] = {SWITCH("gone.timer")};
	char *role_units[] = {(char *)"nowhere.service", NULL};
	struct role role = {.name = (char *)"node", .units = role_units};
	static const char *const want[] = {
		"r.cfg:9: disable: neither the recipe nor the base has a unit "
		"'gone.timer'",
		"r.cfg:9: enable: neither the recipe nor the base has a unit "
		"'absent.service'",
		"r.cfg:9: enable: 'bare.service' (/usr/lib/systemd/system/bare.service) "
		"has no [Install] section with WantedBy=, RequiredBy= or Alias=",
		"r.cfg:10: role 'node': neither the recipe nor the base has a unit "
		"'nowhere.service'",
	};

	(void)state;
	w.recipe.enable = switches(enable, 2);
	w.recipe.disable = switches(disable, 1);
	w.recipe.roles.v = &role;
	w.recipe.roles.n = 1;
	w.recipe.roles_where = (char *)"r.cfg:10";
	unit_links(&w.layer, &w.index, &w.recipe);
	refused(want, ARRAY_SIZE(want));
}

static void links_outside_of_the_folder_are_refused(_unused_ void **state)
{
	struct recipe_switch enable[] = {SWITCH("own.service")};
	static const char *const want[] = {
		"r.cfg:9: own.service: [Install] WantedBy=a/b is not supported",
		"r.cfg:9: own.service: [Install] WantedBy=%t is not supported",
		"r.cfg:9: own.service: [Install] Alias=.. is not supported",
		"r.cfg:9: own.service: [Install] Alias=%i is not supported",
	};

	w.recipe.enable = switches(enable, 1);
	file(SYSTEM "own.service", "[Install]\nWantedBy=a/b %t\nAlias=.. %i\n");
	unit_links(&w.layer, &w.index, &w.recipe);
	refused(want, ARRAY_SIZE(want));
}

/* --- artifacts -------------------------------------------------------------------- */

/* Members are extracted from a nested archive and from a zip that has its sizes after the
 * data; an artifact can also be a plain file. */
static void artifacts_are_extracted(void **state)
{
	static const struct member core[] = {{"bin/x", .data = "program"},
					     {"bin/y", .data = "another"}};
	_cleanup_bytes_ struct bytes inner = make_archive(
		ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP, core, 2);
	const struct member top[] = {{"in.tgz", .data = inner.p, .len = inner.len}};
	_cleanup_bytes_ struct bytes tar = make_archive(ARCHIVE_FORMAT_TAR_PAX_RESTRICTED,
							ARCHIVE_FILTER_XZ, top, 1);
	_cleanup_bytes_ struct bytes zip =
		make_archive(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, core, 2);
	struct recipe_extract bin[] = {{.path = (char *)"bin/y",
					.to = (char *)"/opt/y",
					.mode = 0750,
					.where = (char *)"r.cfg:5"}};
	struct recipe_extract in[] = {
		{.path = (char *)"in.tgz", .v = bin, .n = 1, .where = (char *)"r.cfg:4"}};
	struct recipe_extract flat[] = {{.path = (char *)"bin/x",
					 .to = (char *)"/opt/x",
					 .mode = 0755,
					 .where = (char *)"r.cfg:6"}};
	struct recipe_artifact v[] = {
		{.limit = 1 << 20,
		 .name = (char *)"tar",
		 .url = (char *)"u:tar",
		 .v = in,
		 .n = 1},
		{.limit = 1 << 20,
		 .name = (char *)"zip",
		 .url = (char *)"u:zip",
		 .v = flat,
		 .n = 1},
		{.limit = 1 << 20,
		 .name = (char *)"bare",
		 .url = (char *)"u:bare",
		 .to = (char *)"/opt/bare",
		 .mode = 0700,
		 .where = (char *)"r.cfg:7"},
	};
	struct input input[] = {
		{&v[0], {.fd = bytes_fd(tar.p, tar.len)}, NULL},
		{&v[1], {.fd = bytes_fd(zip.p, zip.len)}, NULL},
		{&v[2], {.fd = bytes_fd("bare bytes", 10), .size = 10}, NULL},
	};
	struct inputs inputs = {.v = input, .n = 3};
	struct roles none = {0};

	(void)state;
	w.recipe.name = (char *)"r";
	w.recipe.roles = none;
	layer_add_recipe(&w.layer, &w.recipe, &inputs, "LICENSE");
	/* One byte replaces the content of firstboot. */
	for (size_t i = 0; i < w.layer.n; i++)
		if (streq(w.layer.v[i].path, "usr/sbin/firstboot")) {
			w.layer.v[i].source = LAYER_TEXT;
			w.layer.v[i].text = xstrdup("f");
			w.layer.v[i].len = 1;
		}
	merged(NULL);
	has("file /opt/y 0750 0:0 1000 'another'");
	has("file /opt/x 0755 0:0 1000 'program'");
	has("file /opt/bare 0700 0:0 1000 'bare bytes'");
	has("file /usr/sbin/firstboot 0755 0:0 1000 'f'");
	has("file /etc/machine-id 0444 0:0 1000 ''");
	assert_int_equal(layer_find(&w.layer, "opt/x")->size, 7);
	assert_string_equal(layer_find(&w.layer, "opt/y")->origin, "tar: in.tgz: bin/y");
	for (size_t i = 0; i < 3; i++)
		close(input[i].blob.fd);
}

/* A unit of the base may name any number of targets: quadratic code needs minutes. */
static void unit_with_many_targets_is_linked(void **state)
{
	struct recipe_switch enable[] = {SWITCH("many.service")};
	struct buf b = {0};

	(void)state;
	alarm(60);
	buf_puts(&b, "[Install]\n");
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&b, "WantedBy=%u.target\n", i);
	file("/etc/systemd/system/many.service", b.p);
	w.recipe.enable = switches(enable, 1);
	unit_links(&w.layer, &w.index, &w.recipe);
	assert_int_equal(w.diag.n, 0);
	assert_int_equal(w.layer.n, 100001);
	layer_finish(&w.layer);
	assert_non_null(layer_find(&w.layer, "etc/systemd/system/99999.target.wants/"
					     "many.service"));
	alarm(0);
	buf_done(&b);
}

/* A path is followed in one pass, and is not longer than the kernel allows. */
static void long_paths_are_refused(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	char *path;

	(void)state;
	for (unsigned i = 0; i < 2047; i++)
		buf_puts(&b, "a/");
	path = index_resolve(&w.index, b.p, true);
	assert_non_null(path);
	assert_int_equal(strlen(path), 2 * 2047 - 1);
	free(path);
	alarm(60);
	for (unsigned i = 0; i < 1000000; i++)
		buf_puts(&b, "a/");
	assert_null(index_resolve(&w.index, b.p, true));
	alarm(0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(base_alone_is_copied),
		CASE(entries_of_the_recipe_win),
		CASE(folder_with_new_mode_keeps_its_content),
		CASE(excluded_hard_link_is_moved_to_next_name),
		CASE(excludes_apply_to_the_base),
		CASE(conflicts_are_refused),
		CASE(unlocked_root_is_refused),
		CASE(missing_root_is_refused),
		CASE(world_writable_files_are_refused),
		CASE(dangling_hard_link_is_refused),
		CASE(the_last_of_several_members_wins),
		CASE(hard_links_are_followed),
		CASE(times_are_limited),
		CASE(members_in_a_file_are_refused),
		CASE(loop_of_symlinks_is_refused),
		CASE(tap_gets_the_whole_base),
		CASE(units_are_enabled_and_masked),
		CASE(unit_with_many_targets_is_linked),
		CASE(long_paths_are_refused),
		cmocka_unit_test_setup_teardown(split_usr_is_kept, setup_split, teardown),
		CASE(missing_units_are_refused),
		CASE(links_outside_of_the_folder_are_refused),
		CASE(artifacts_are_extracted),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
