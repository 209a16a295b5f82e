/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/recipe.h: what recipes that are right come to, alone and laid over each other.
 * What is wrong with a recipe, message by message, is in test/should-fail/recipe.
 */
#include "builder/base.h"
#include "builder/image.h"
#include "builder/lock-read.h"
#include "builder/recipe-parse.h"
#include "lib/file.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *top;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	unsetenv("SOURCE_DATE_EPOCH");
	return tempdir_make(tmp ? tmp : "/tmp", "test-recipe", &top);
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

/* Writes TOP/NAME, with the folders it is in; its path, owned. */
static char *put(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);
	_cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(mkdir_p_at(AT_FDCWD, dir, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644), 0);
	return TAKE_PTR(path);
}

static void load(struct recipe *r, const char *path)
{
	_cleanup_diag_ struct diag d = {0};
	int n = recipe_load(r, path, &d);

	for (size_t i = 0; i < d.n; i++)
		print_error("%s\n", d.lines[i]);
	assert_int_equal(n, 0);
	assert_int_equal(d.n, 0);
}

#define BASE                                                                             \
	"base = { type = \"suite\"; suite = \"bookworm\"; components = [ \"main\" ];\n"  \
	"         kernel = \"linux-image-x\"; packages = [ \"a\", \"b\" ]; };\n"
#define SMALL "version = 1;\nname = \"small\";\n" BASE "images = [ \"pxe\" ];\n"

/* --- one file --------------------------------------------------------------------- */

static void defaults(void **state)
{
	_cleanup_free_ char *path = put("small/recipe.cfg", SMALL), *text = NULL;
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load(&r, path);
	text = recipe_describe(&r);
	assert_string_equal(text, "recipe small\n"
				  "epoch 1435622400\n"
				  "base suite\n"
				  "suite bookworm\n"
				  "components main\n"
				  "kernel linux-image-x\n"
				  "packages a b\n"
				  "initramfs policy most compress zstd\n"
				  "squashfs zstd level 8 block 1M\n"
				  "image pxe\n");
}

static const char everything[] =
	"version = 1; name = \"all-of_it.1\"; summary = \"one line\";\n"
	"base = { type = \"suite\"; suite = \"vivid\"; components = [ \"main\", "
	"\"universe\" ];\n"
	"  mirror = \"http://archive.invalid/ubuntu\"; pockets = [ \"updates\" ];\n"
	"  keyring = \"key.gpg\"; archived = true; kernel = \"linux-image-virtual\";\n"
	"  packages = [ \"systemd\" ]; path_exclude = [ \"/usr/share/doc/*\" ]; };\n"
	"initramfs = { policy = \"most\"; modules = [ \"loop\" ];\n"
	"  tools = [ \"/sbin/blkid\" ]; compress = \"xz\"; };\n"
	"squashfs = { compression = \"gzip\"; level = 9; block = \"128K\"; };\n"
	"cmdline = \"panic=30 quiet\"; epoch = \"1500000000\";\n"
	"exclude = [ \"/usr/share/man/*\", \"/opt\" ];\n"
	"artifacts = (\n"
	"  { name = \"k\"; url = \"https://files.invalid/k.tar.gz\"; standin = true;\n"
	"    extract = ( { path = \"k/in.tar.gz\"; extract = (\n"
	"      { path = \"bin/x\"; to = \"/usr/bin/x\"; mode = \"0755\"; } ); },\n"
	"      { path = \"k/LICENSE\"; to = \"/usr/share/LICENSE\"; mode = \"644\"; } ); "
	"},\n"
	"  { name = \"bare\"; url = \"file:///srv/bare\"; to = \"/usr/bin/bare\";\n"
	"    mode = \"0750\"; sha256 = "
	"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"; } );\n"
	"files = ( { to = \"/etc/a\"; source = \"a\"; mode = \"0600\"; },\n"
	"  { to = \"/etc/b\"; content = \"two\\nlines\\n\"; },\n"
	"  { to = \"/etc/c\"; link = \"../b\"; },\n"
	"  { to = \"/srv/d\"; dir = true; mode = \"1777\"; } );\n"
	"units = [ \"x.service\", \"sub/rackstrap-node.target\" ];\n"
	"enable = [ \"ssh.service\", \"getty@tty1.service\" ];\n"
	"disable = [ \"fstrim.timer\" ]; mask = [ \"swap.target\" ];\n"
	"roles = ( { name = \"node\"; units = [ \"x.service\" ];\n"
	"  ready = [ \"http://127.0.0.1:1/\" ]; cbr0 = true; } );\n"
	"images = [ \"pxe\", \"disk\", \"iso\" ];\n"
	"media = { sector_size = 4096; slot_size = \"512M\"; cmdline = "
	"\"console=tty0\";\n"
	"  formats = [ \"qcow2\", \"zst\" ]; rack = \"rack.cfg\"; };\n";

static void every_key(void **state)
{
	static const char *const beside[] = {"a", "key.gpg", "x.service",
					     "sub/rackstrap-node.target"};
	_cleanup_free_ char *path = put("recipe.cfg", everything), *text = NULL;
	_cleanup_free_ char *source = xasprintf("%s/a", top);
	_cleanup_free_ char *keyring = xasprintf("%s/key.gpg", top), *want = NULL;
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		free(put(beside[i], "x"));
	load(&r, top); /* the folder names its recipe.cfg */
	text = recipe_describe(&r);
	want = xasprintf(
		"recipe all-of_it.1\nsummary one line\nepoch 1500000000\n"
		"cmdline panic=30 quiet\nbase suite\nsuite vivid\n"
		"components main universe\nmirror http://archive.invalid/ubuntu\n"
		"pockets updates\nkeyring %s\narchived\nkernel linux-image-virtual\n"
		"packages systemd\npath_exclude /usr/share/doc/*\n"
		"initramfs policy most compress xz\ninitramfs modules loop\n"
		"initramfs tools /sbin/blkid\nsquashfs gzip level 9 block 128K\n"
		"exclude /usr/share/man/*\nexclude /opt\n"
		"artifact k (stand-in) https://files.invalid/k.tar.gz\n"
		"  k/in.tar.gz\n    bin/x to /usr/bin/x 0755\n"
		"  k/LICENSE to /usr/share/LICENSE 0644\n"
		"artifact bare file:///srv/bare sha256 "
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef "
		"to /usr/bin/bare 0750\n"
		"file /etc/a 0600 from a\nfile /etc/b 0644 of 10 bytes\n"
		"link /etc/c to ../b\ndirectory /srv/d 1777\n"
		"unit x.service from x.service\n"
		"unit rackstrap-node.target from sub/rackstrap-node.target\n"
		"enable ssh.service\nenable getty@tty1.service\n"
		"disable fstrim.timer\nmask swap.target\n"
		"role node cbr0\n  units x.service\n  ready http://127.0.0.1:1/\n"
		"image pxe\nimage disk\nimage iso\n"
		"media sector_size 4096 slot_size 536870912\n"
		"media formats qcow2 zst\nmedia cmdline console=tty0\n"
		"media rack %s/rack.cfg\n",
		keyring, top);
	assert_string_equal(text, want);
	assert_string_equal(r.file, path);
	assert_string_equal(r.dir, top);
	assert_string_equal(r.files[0].text, source);
	assert_true(str_ends(r.artifacts[1].where, "/recipe.cfg:16"));
	assert_ptr_equal(r.images[0], &image_pxe);
	assert_ptr_equal(r.images[1], &image_disk);
	assert_ptr_equal(r.images[2], &image_iso);
}

static void shipped(void **state)
{
	_cleanup_recipe_ struct recipe metal = {0}, vm = {0};

	(void)state;
	load(&metal, "images/bookworm");
	load(&vm, "images/bookworm-vm/"); /* a slash more */
	assert_string_equal(vm.file, "images/bookworm-vm/recipe.cfg");
	assert_string_equal(vm.base.kernel, "linux-image-cloud-amd64");
	assert_string_equal(metal.base.kernel, "linux-image-amd64");
	assert_int_equal(vm.n_units, metal.n_units);
	assert_int_equal(strv_len(vm.base.packages), strv_len(metal.base.packages));
	assert_true(strv_len(vm.initramfs.modules) < strv_len(metal.initramfs.modules));
}

/* --- laid over each other --------------------------------------------------------- */

static void groups_merge_and_lists_replace(void **state)
{
	static const char inner[] =
		SMALL "summary = \"inner\";\ncmdline = \"quiet\";\n"
		      "initramfs = { modules = [ \"loop\" ]; compress = \"xz\"; };\n"
		      "squashfs = { compression = \"gzip\"; level = 9; };\n"
		      "exclude = [ \"/a\", \"/b\" ];\n"
		      "files = ( { to = \"/etc/in\"; source = \"in.txt\"; } );\n";
	static const char outer[] =
		"version = 1; include = \"../inner/recipe.cfg\"; name = \"outer\";\n"
		"base = { kernel = \"k\"; };\n"
		"initramfs = { compress = \"gzip\"; };\n"
		"squashfs = { compression = \"xz\"; };\n"
		"exclude = [ \"/c\" ];\n";
	_cleanup_free_ _unused_ char *in = put("inner/recipe.cfg", inner);
	_cleanup_free_ _unused_ char *txt = put("inner/in.txt", "x");
	_cleanup_free_ char *out = put("outer/recipe.cfg", outer);
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load(&r, out);
	assert_string_equal(r.name, "outer");
	assert_string_equal(r.summary, "inner");
	assert_string_equal(r.cmdline, "quiet");
	assert_string_equal(r.base.kernel, "k");
	assert_string_equal(r.base.suite, "bookworm");
	assert_int_equal(strv_len(r.base.packages), 2);
	assert_string_equal(r.initramfs.modules[0], "loop");
	assert_string_equal(r.initramfs.compress, "gzip");
	assert_string_equal(r.squashfs.compression, "xz");
	assert_int_equal(r.squashfs.level, 0); /* the 9 was gzip's */
	assert_int_equal(strv_len(r.exclude), 1);
	/* A path belongs to the file that says it. */
	assert_int_equal(access(r.files[0].text, F_OK), 0);
	assert_string_equal(r.files[0].written, "in.txt");
}

/* The recipe that the tests of lists include. */
static const char lists[] =
	SMALL "artifacts = (\n"
	      "  { name = \"a\"; url = \"https://f.invalid/a\"; standin = true;\n"
	      "    to = \"/a\"; mode = \"0755\"; },\n"
	      "  { name = \"b\"; url = \"https://f.invalid/b\"; to = \"/b\"; mode = "
	      "\"0755\"; },\n"
	      "  { name = \"c\"; url = \"https://f.invalid/c\"; limit = \"1G\";\n"
	      "    extract = ( { path = \"x\"; to = \"/c\"; mode = \"0755\"; } ); } );\n"
	      "containers = ( { image = \"a/a:1\"; standin = true;\n"
	      "    url = \"https://f.invalid/a.tar\"; }, { image = \"b/b:1\"; } );\n"
	      "files = ( { to = \"/f/a\"; content = \"a\"; },\n"
	      "  { to = \"/f/b\"; dir = true; mode = \"0700\"; },\n"
	      "  { to = \"/f/c\"; content = \"c\"; } );\n"
	      "units = [ \"a.service\", \"b.service\",\n"
	      "  \"c.service\" ];\n";

/* Writes in/recipe.cfg and out/recipe.cfg, which includes it, and loads that. */
static void load_over(struct recipe *r, const char *outer)
{
	static const char *const units[] = {"in/a.service", "in/b.service",
					    "in/c.service", "out/b.service",
					    "out/d.service"};
	_cleanup_free_ char *out = NULL;
	_cleanup_free_ char *text = xasprintf("version = 1; name = \"outer\"; include = "
					      "\"../in/recipe.cfg\";\n%s",
					      outer);

	free(put("in/recipe.cfg", lists));
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		free(put(units[i], "[Unit]\n"));
	out = put("out/recipe.cfg", text);
	load(r, out);
}

/* Describes what is in a list's place, without the folder of the test. Owned. */
static char *described(const struct recipe *r)
{
	_cleanup_free_ char *text = recipe_describe(r);
	const char *begin = strstr(text, "artifact "), *end = strstr(text, "image pxe");
	struct buf b = {0};

	for (const char *s = begin ? begin : end; s < end;) {
		const char *rest = str_after(s, top);

		if (!rest)
			buf_add(&b, s, 1);
		s = rest ? rest + 1 : s + 1;
	}
	return buf_take(&b);
}

static void entries_replace_their_like(void **state)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_free_ char *text = NULL;

	(void)state;
	load_over(&r,
		  "artifacts = (\n"
		  "  { name = \"d\"; url = \"https://f.invalid/d\"; to = \"/d\"; mode = "
		  "\"0755\"; },\n"
		  "  { name = \"a\"; url = \"https://f.invalid/2\"; to = \"/2\"; mode = "
		  "\"0644\"; } );\n"
		  "containers = ( { image = \"a/a:1\"; }, { image = \"a/a:2\"; } );\n"
		  "files = ( { to = \"/f/b\"; link = \"a\"; },\n"
		  "  { to = \"/f/d\"; content = \"\"; } );\n"
		  "units = [ \"d.service\", \"b.service\" ];\n");
	text = described(&r);
	/* In its place, whole: no stand-in, no mode 0700. */
	assert_string_equal(
		text, "artifact a https://f.invalid/2 to /2 0644 (out/recipe.cfg:4)\n"
		      "artifact b https://f.invalid/b to /b 0755 (in/recipe.cfg:9)\n"
		      "artifact c https://f.invalid/c (in/recipe.cfg:10)\n"
		      "  x to /c 0755\n"
		      "artifact d https://f.invalid/d to /d 0755 (out/recipe.cfg:3)\n"
		      "container a/a:1 from docker://docker.io/a/a:1 (out/recipe.cfg:5)\n"
		      "container b/b:1 from docker://docker.io/b/b:1 (in/recipe.cfg:13)\n"
		      "container a/a:2 from docker://docker.io/a/a:2 (out/recipe.cfg:5)\n"
		      "file /f/a 0644 of 1 bytes (in/recipe.cfg:14)\n"
		      "link /f/b to a (out/recipe.cfg:6)\n"
		      "file /f/c 0644 of 1 bytes (in/recipe.cfg:16)\n"
		      "file /f/d 0644 of 0 bytes (out/recipe.cfg:7)\n"
		      "unit a.service from a.service (in/recipe.cfg:17)\n"
		      "unit b.service from b.service (out/recipe.cfg:8)\n"
		      "unit c.service from c.service (in/recipe.cfg:18)\n"
		      "unit d.service from d.service (out/recipe.cfg:8)\n");
	assert_true(str_ends(r.units[1].source, "/out/b.service"));
	/* The artifacts of the containers come last. */
	assert_int_equal(r.n_artifacts, 7);
	assert_string_equal(r.artifacts[4].url, "docker://docker.io/a/a:1");
	assert_false(r.artifacts[4].standin);
}

static void entries_are_removed(void **state)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_free_ char *text = NULL;

	(void)state;
	load_over(&r, "remove = { artifacts = [ \"a\", \"c\" ];\n"
		      "  containers = [ \"b/b:1\" ]; files = ( \"/f/b\" );\n"
		      "  units = [ \"c.service\", \"a.service\" ]; };\n"
		      "units = [ \"d.service\" ];\n");
	text = described(&r);
	assert_string_equal(
		text, "artifact b https://f.invalid/b to /b 0755 (in/recipe.cfg:9)\n"
		      "container a/a:1 (stand-in) from https://f.invalid/a.tar "
		      "(in/recipe.cfg:12)\n"
		      "file /f/a 0644 of 1 bytes (in/recipe.cfg:14)\n"
		      "file /f/c 0644 of 1 bytes (in/recipe.cfg:16)\n"
		      "unit b.service from b.service (in/recipe.cfg:17)\n"
		      "unit d.service from d.service (out/recipe.cfg:5)\n");
}

static void all_entries_are_removed(void **state)
{
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load_over(&r,
		  "remove = { artifacts = [ \"a\", \"b\", \"c\" ]; containers = [ ];\n"
		  "  files = [ \"/f/a\", \"/f/c\", \"/f/b\" ]; };\n");
	assert_int_equal(r.n_artifacts, 2); /* the containers' */
	assert_int_equal(r.n_containers, 2);
	assert_int_equal(r.n_files, 0);
	assert_int_equal(r.n_units, 3);
}

/* Each file is laid over all that came before it: what the second removes the third can
 * add again, at the end, and what the second added it can replace or remove. */
static void entries_of_three_files(void **state)
{
	_cleanup_free_ _unused_ char *a =
		put("a.cfg", SMALL "files = ( { to = \"/a\"; content = \"\"; },\n"
				   "  { to = \"/b\"; content = \"\"; } );\n");
	_cleanup_free_ _unused_ char *b =
		put("b.cfg", "version = 1; name = \"b\"; include = \"a.cfg\";\n"
			     "remove = { files = [ \"/a\" ]; };\n"
			     "files = ( { to = \"/c\"; content = \"\"; },\n"
			     "  { to = \"/d\"; content = \"\"; } );\n");
	_cleanup_free_ char *c =
		put("c.cfg", "version = 1; name = \"c\"; include = \"b.cfg\";\n"
			     "remove = { files = [ \"/d\" ]; };\n"
			     "files = ( { to = \"/a\"; content = \"3\"; },\n"
			     "  { to = \"/c\"; content = \"3\"; } );\n");
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load(&r, c);
	assert_int_equal(r.n_files, 3);
	assert_string_equal(r.files[0].to, "/b");
	assert_string_equal(r.files[1].to, "/c");
	assert_string_equal(r.files[1].text, "3");
	assert_string_equal(r.files[2].to, "/a");
}

/* Messages and plans call an included file what its reader would, unless that is another
 * file. */
static void included_paths_are_tidy(void **state)
{
	_cleanup_free_ _unused_ char *a = put("a/b/in.cfg", SMALL);
	_cleanup_free_ char *path = xasprintf("%s/a/./b/../b/in.cfg", top), *tidy = NULL;
	_cleanup_free_ char *link = xasprintf("%s/l", top), *same = NULL;
	_cleanup_free_ char *through = xasprintf("%s/l/../in.cfg", top);
	_cleanup_free_ char *want = xasprintf("%s/a/b/in.cfg", top);
	_cleanup_free_ _unused_ char *other = put("a/in.cfg", SMALL);
	_cleanup_free_ _unused_ char *decoy = put("in.cfg", SMALL);
	_cleanup_free_ char *up = recipe_tidy_path("../nowhere/../x");

	(void)state;
	tidy = recipe_tidy_path(path);
	assert_string_equal(tidy, want);
	assert_int_equal(symlink("a/b", link), 0);
	same = recipe_tidy_path(through);
	assert_string_equal(same, through);
	assert_string_equal(up, "../nowhere/../x");
}

static void include_in_include(void **state)
{
	_cleanup_free_ _unused_ char *a = put("a.cfg", SMALL);
	_cleanup_free_ _unused_ char *b =
		put("sub/b.cfg", "version = 1; name = \"b\"; include = \"../a.cfg\";\n"
				 "cmdline = \"b\";\n");
	_cleanup_free_ char *c =
		put("c.cfg", "version = 1; name = \"c\"; include = \"sub/b.cfg\";\n");
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load(&r, c);
	assert_string_equal(r.name, "c");
	assert_string_equal(r.cmdline, "b");
	assert_string_equal(r.base.suite, "bookworm");
}

static void a_folder_is_included(void **state)
{
	static const char *const written[] = {"in", "in/", "./in/.", "in/recipe.cfg"};
	_cleanup_free_ _unused_ char *in =
		put("in/recipe.cfg", SMALL "cmdline = \"in\";\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		_cleanup_free_ char *text =
			xasprintf("version = 1; name = \"o\"; include = \"%s\";\n"
				  "remove = { };\n",
				  written[i]);
		_cleanup_free_ char *out = put("out.cfg", text);
		_cleanup_recipe_ struct recipe r = {0};

		load(&r, out);
		assert_string_equal(r.cmdline, "in");
	}
}

/* A guess looks at all names, which may be as many as the wrong ones. */
static void guesses_end(void **state)
{
	_cleanup_free_ _unused_ char *in = put(
		"in.cfg", SMALL "files = ( { to = \"/etc/motd\"; content = \"\"; } );\n");
	_cleanup_free_ char *out = NULL, *text = NULL;
	struct buf b = {0};
	_cleanup_diag_ struct diag d = {0};
	struct recipe r = {0};

	(void)state;
	buf_puts(&b, "version = 1; name = \"o\"; include = \"in.cfg\";\n"
		     "remove = { files = [ \"/etc/motx\"");
	for (int i = 0; i < 20; i++)
		buf_puts(&b, ", \"/etc/motx\"");
	buf_puts(&b, " ]; };\n");
	text = buf_take(&b);
	out = put("out.cfg", text);
	assert_int_equal(recipe_load(&r, out, &d), -1);
	assert_int_equal(d.n, 21);
	for (size_t i = 0; i < d.n; i++)
		assert_int_equal(strstr(d.lines[i], "(did you mean '/etc/motd'?)") !=
					 NULL,
				 i < 20);
}

static void a_plan_has_no_control_characters(void **state)
{
	_cleanup_free_ char *path =
		put("r.cfg",
		    SMALL "summary = \"a\\x1b[2Jb\";\nexclude = [ \"/a\\nroot\" ];\n"
			  "artifacts = ( { name = \"x\\x07\\ty\"; to = \"/x\\x7f\";\n"
			  "url = \"https://f.invalid/x\"; mode = \"0644\"; } );\n");
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_free_ char *text = NULL;

	(void)state;
	load(&r, path);
	text = recipe_describe(&r);
	assert_non_null(strstr(text, "\nsummary a?[2Jb\n"));
	assert_non_null(strstr(text, "\nexclude /a root\n"));
	assert_non_null(
		strstr(text, "\nartifact x? y https://f.invalid/x to /x? 0644\n"));
}

/* A mistake is told with the file it stands in, and nothing comes out. */
static void mistake_in_an_included_file(void **state)
{
	_cleanup_free_ _unused_ char *in = put("in.cfg", SMALL "cmdline = 7;\n");
	_cleanup_free_ char *out =
		put("out.cfg", "version = 1; name = \"o\";\ninclude = \"in.cfg\";\n"
			       "epoch = \"soon\";\n");
	_cleanup_free_ char *first = xasprintf("%s:6: cmdline: must be a string", in);
	_cleanup_diag_ struct diag d = {0};
	struct recipe r = {0};

	(void)state;
	assert_int_equal(recipe_load(&r, out, &d), -1);
	assert_int_equal(d.n, 2);
	assert_non_null(str_after(d.lines[0], first));
	assert_non_null(strstr(d.lines[1], "/out.cfg:3: epoch: "));
	assert_null(r.name);
}

static void includes_end(void **state)
{
	_cleanup_free_ char *path =
		put("r.cfg", "version = 1; name = \"r\"; include = \"r.cfg\";\n");
	_cleanup_diag_ struct diag d = {0};
	struct recipe r = {0};

	(void)state;
	assert_int_equal(recipe_load(&r, path, &d), -1);
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(d.lines[0], "include: more than 8 files deep"));
}

/* --- the environment -------------------------------------------------------------- */

static void epoch_of_the_environment_wins(void **state)
{
	_cleanup_free_ char *path = put("r.cfg", SMALL "epoch = \"5\";\n");
	_cleanup_recipe_ struct recipe r = {0}, empty = {0};
	_cleanup_diag_ struct diag d = {0};
	struct recipe none = {0};

	(void)state;
	setenv("SOURCE_DATE_EPOCH", "77", 1);
	load(&r, path);
	assert_int_equal(r.epoch, 77);
	setenv("SOURCE_DATE_EPOCH", "", 1);
	load(&empty, path);
	assert_int_equal(empty.epoch, 5);
	setenv("SOURCE_DATE_EPOCH", "4294967296", 1); /* squashfs has 32 bits */
	assert_int_equal(recipe_load(&none, path, &d), -1);
	assert_string_equal(d.lines[0], "SOURCE_DATE_EPOCH: must be seconds since 1970, "
					"not '4294967296'");
	unsetenv("SOURCE_DATE_EPOCH");
}

/* --- the man page ----------------------------------------------------------------- */

/* Besides those of a suite. */
static const char *const tar_keys[] = {"url",    "sha256", "sha512", "image",
				       "digest", "layer",  NULL};
static const char *const disk_keys[] = {"url", "sha256", "sha512", NULL};
static const char *const role_keys[] = {"name", "units", "ready", "cbr0", "master", NULL};

/* The text between ".Ss TITLE" and the next section, owned. */
static char *section(const char *page, const char *title)
{
	_cleanup_free_ char *head = xasprintf("\n.Ss %s\n", title);
	const char *s = strstr(page, head), *end = NULL;

	if (!s)
		fail_msg("man/recipe.cfg.5 has no section '%s'", title);
	s += strlen(head);
	end = strstr(s, "\n.S");
	assert_non_null(end);
	return xstrndup(s, (size_t)(end - s) + 1);
}

static size_t lacks(const char *page, const char *title, const char *const *keys)
{
	_cleanup_free_ char *text = section(page, title);
	size_t bad = 0;

	for (size_t i = 0; keys[i]; i++) {
		_cleanup_free_ char *entry = xasprintf(".It Cm %s\n", keys[i]);

		if (!strstr(text, entry)) {
			print_error("%s: no entry for %s\n", title, keys[i]);
			bad++;
		}
	}
	for (const char *s = text; (s = strstr(s, ".It Cm ")); s++) {
		_cleanup_free_ char *key = xstrndup(s + 7, strcspn(s + 7, " \n"));

		if (!strv_has((char *const *)keys, key)) {
			print_error("%s: there is no key %s\n", title, key);
			bad++;
		}
	}
	return bad;
}

static void man_page(void **state)
{
	_cleanup_free_ char *page = NULL;
	size_t bad = 0;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, "man/recipe.cfg.5", 1 << 20, &page, NULL),
			 0);
	bad += lacks(page, "Keys of the file", recipe_keys);
	bad += lacks(page, "Keys of base", base_suite.keys);
	for (size_t i = 0; base_suite.keys[i]; i++)
		bad += !strv_has((char *const *)base_tar.keys, base_suite.keys[i]) ||
		       !strv_has((char *const *)base_disk.keys, base_suite.keys[i]);
	for (size_t i = 0; tar_keys[i]; i++)
		bad += !strv_has((char *const *)base_tar.keys, tar_keys[i]);
	for (size_t i = 0; disk_keys[i]; i++)
		bad += !strv_has((char *const *)base_disk.keys, disk_keys[i]);
	bad += lacks(page, "Keys of a base that is a tar", tar_keys);
	bad += lacks(page, "Keys of a base that is a disk", disk_keys);
	bad += lacks(page, "Keys of initramfs", recipe_initramfs_keys);
	bad += lacks(page, "Keys of squashfs", recipe_squashfs_keys);
	bad += lacks(page, "Keys of an artifact", recipe_artifact_keys);
	bad += lacks(page, "Keys of a member", recipe_extract_keys);
	bad += lacks(page, "Keys of a container", recipe_container_keys);
	bad += lacks(page, "Keys of a file", recipe_file_keys);
	bad += lacks(page, "Keys of a role", role_keys);
	bad += lacks(page, "Keys of remove", recipe_remove_keys);
	assert_int_equal(bad, 0);
}

static void lock_man_page(void **state)
{
	_cleanup_free_ char *page = NULL;
	size_t bad = 0;

	(void)state;
	assert_int_equal(
		file_read_at(AT_FDCWD, "man/recipe.lock.5", 1 << 20, &page, NULL), 0);
	bad += lacks(page, "Keys of the file", lock_keys);
	bad += lacks(page, "Keys of an input", lock_input_keys);
	bad += lacks(page, "Keys of the base", lock_base_keys);
	bad += lacks(page, "Keys of a release", lock_release_keys);
	bad += lacks(page, "Keys of a package", lock_package_keys);
	assert_int_equal(bad, 0);
}

/* The text of example `n` (0, 1, ...) of a page, which has no markup but backslashes.
 * Owned. */
static char *example(const char *file, size_t n)
{
	static const char begin[] = ".Bd -literal\n";
	_cleanup_free_ char *page = NULL;
	const char *s, *end;
	char *text, *e;

	assert_int_equal(file_read_at(AT_FDCWD, file, 1 << 20, &page, NULL), 0);
	s = strstr(page, ".Sh EXAMPLES\n");
	assert_non_null(s);
	for (size_t i = 0; i <= n; i++) {
		s = strstr(s, begin);
		assert_non_null(s);
		s += strlen(begin);
	}
	end = strstr(s, ".Ed\n");
	assert_non_null(end);
	text = xstrndup(s, (size_t)(end - s));
	while ((e = strstr(text, "\\e"))) /* roff's backslash */
		memmove(e + 1, e + 2, strlen(e + 2) + 1);
	return text;
}

/* What it shows can be read, and reads the same when it is written again. */
static void lock_man_page_example(void **state)
{
	_cleanup_free_ char *text = example("man/recipe.lock.5", 0);
	_cleanup_free_ char *path = put("recipe.lock", text), *again = NULL,
			    *third = NULL;
	_cleanup_free_ char *other = NULL;
	_cleanup_lock_ struct lock l = {0}, m = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	if (lock_read(&l, path, &d) < 0)
		fail_msg("%s", d.lines[0]);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.v[0].size, 1157120);
	assert_string_equal(l.v[0].from, "https://cdn.example/tool-1.0.tar.gz");
	assert_int_equal(strv_len(l.base.wanted), 2);
	assert_int_equal(l.base.n_releases, 1);
	assert_int_equal(l.base.n_packages, 1);
	assert_non_null(lock_package_find(&l.base, "adduser", "all"));
	again = lock_render(&l);
	other = put("again.lock", again);
	if (lock_read(&m, other, &d) < 0)
		fail_msg("%s", d.lines[0]);
	third = lock_render(&m);
	assert_string_equal(again, third);
}

/* The page's own examples are recipes, the second one laid over the first. */
static void man_page_examples(void **state)
{
	_cleanup_free_ char *text = example("man/recipe.cfg.5", 0);
	_cleanup_free_ char *other = example("man/recipe.cfg.5", 1);
	_cleanup_free_ char *path = put("small/recipe.cfg", text);
	_cleanup_free_ char *variant = put("small-metal/recipe.cfg", other);
	_cleanup_recipe_ struct recipe r = {0}, v = {0};

	(void)state;
	free(put("small/tool.service", "[Service]\n"));
	free(put("small/rackstrap-node.target", "[Unit]\n"));
	load(&r, path);
	assert_string_equal(r.files[0].text, "hello\n");
	load(&v, variant);
	assert_string_equal(v.base.kernel, "linux-image-amd64");
	assert_int_equal(v.n_artifacts, r.n_artifacts);
	assert_string_equal(v.artifacts[0].name, r.artifacts[0].name);
	assert_string_not_equal(v.artifacts[0].digest, r.artifacts[0].digest);
	assert_int_equal(v.n_files, r.n_files - 1);
	assert_int_equal(v.n_units, r.n_units);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(defaults),
		CASE(every_key),
		CASE(shipped),
		CASE(groups_merge_and_lists_replace),
		CASE(entries_replace_their_like),
		CASE(entries_are_removed),
		CASE(all_entries_are_removed),
		CASE(entries_of_three_files),
		CASE(included_paths_are_tidy),
		CASE(include_in_include),
		CASE(a_folder_is_included),
		CASE(a_plan_has_no_control_characters),
		CASE(guesses_end),
		CASE(mistake_in_an_included_file),
		CASE(includes_end),
		CASE(epoch_of_the_environment_wins),
		CASE(man_page),
		CASE(man_page_examples),
		CASE(lock_man_page),
		CASE(lock_man_page_example),
	};

	return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
