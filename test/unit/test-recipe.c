/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/recipe/recipe.h: the content of valid recipes. test-recipe-include.c tests how
 * recipes include others; test/should-fail/recipe has a recipe for each error message.
 */
#include "test-recipe.h"
#include "builder/base/base.h"
#include "builder/image/image-parts.h"
#include "builder/input/lock-read.h"
#include "builder/recipe/recipe-parse.h"
#include "test-roles.h"

/* --- one file --------------------------------------------------------------------- */

static void defaults_are_set(void **state)
{
	_cleanup_free_ char *path = write_file("small/recipe.cfg", SMALL), *text = NULL;
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
	"  packages = [ \"systemd\" ]; path_exclude = [ \"/usr/share/doc/*\" ];\n"
	"  limit = \"20G\"; };\n"
	"initramfs = { policy = \"most\"; modules = [ \"loop\" ];\n"
	"  tools = [ \"/sbin/blkid\" ]; compress = \"xz\"; };\n"
	"squashfs = { compression = \"gzip\"; level = 9; block = \"128K\"; };\n"
	"cmdline = \"panic=30 quiet\"; epoch = \"1500000000\";\n"
	"exclude = [ \"/usr/share/man/*\", \"/opt\" ];\n"
	"artifacts = (\n"
	"  { name = \"k\"; url = \"https://files.invalid/k.tar.gz\"; standin = true;\n"
	"    limit = \"3G\"; max_size = \"2G\";\n"
	"    extract = ( { path = \"k/in.tar.gz\"; extract = (\n"
	"      { path = \"bin/x\"; to = \"/usr/bin/x\"; mode = \"0755\"; } ); },\n"
	"      { path = \"k/LICENSE\"; to = \"/usr/share/LICENSE\"; mode = \"644\"; } ); "
	"},\n"
	"  { name = \"bare\"; url = \"file:///srv/bare\"; to = \"/usr/bin/bare\";\n"
	"    mode = \"0750\"; sha256 = "
	"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"; } );\n"
	"containers = ( { image = \"q/w:1\"; limit = \"5K\"; max_size = \"4K\"; } );\n"
	"files = ( { to = \"/etc/a\"; source = \"a\"; mode = \"0600\"; },\n"
	"  { to = \"/etc/b\"; content = \"two\\nlines\\n\"; },\n"
	"  { to = \"/etc/c\"; link = \"../b\"; },\n"
	"  { to = \"/srv/d\"; dir = true; mode = \"1777\"; } );\n"
	"units = [ \"x.service\", \"sub/rackstrap-node.target\" ];\n"
	"enable = [ \"ssh.service\", \"getty@tty1.service\" ];\n"
	"disable = [ \"fstrim.timer\" ]; mask = [ \"swap.target\" ];\n"
	"roles = ( { name = \"node\"; units = [ \"x.service\" ];\n"
	"  ready = [ \"http://127.0.0.1:1/\" ]; features = [ \"kubernetes\", \"cbr0\", "
	"\"nat\", \"calico\", \"docker\", \"network-environment\" ]; },\n"
	"  { name = \"b\"; } );\n"
	"templates = ( { path = \"/etc/t.yaml\"; file = \"t.yaml\"; mode = \"0600\";\n"
	"  format = \"yaml\"; roles = [ \"node\" ]; units = [ \"x.service\" ]; },\n"
	"  { path = \"/etc/t\"; file = \"t.yaml\"; format = \"plain\"; },\n"
	"  { path = \"/etc/network-environment\"; file = \"t.yaml\";\n"
	"    format = \"plain\"; } );\n"
	"images = [ \"pxe\", \"disk\", \"iso\" ];\n"
	"media = { sector_size = 4096; slot_size = \"512M\"; cmdline = "
	"\"console=tty0\";\n"
	"  formats = [ \"qcow2\", \"zst\" ]; rack = \"rack.cfg\"; };\n";

static void every_key_is_read(void **state)
{
	static const char *const beside[] = {"a", "key.gpg", "t.yaml", "x.service",
					     "sub/rackstrap-node.target"};
	_cleanup_free_ char *path = write_file("recipe.cfg", everything), *text = NULL;
	_cleanup_free_ char *source = xasprintf("%s/a", top);
	_cleanup_free_ char *keyring = xasprintf("%s/key.gpg", top), *want = NULL;
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		free(write_file(beside[i], "x"));
	load(&r, top); /* a folder stands for its recipe.cfg */
	text = recipe_describe(&r);
	want = xasprintf(
		"recipe all-of_it.1\nsummary one line\nepoch 1500000000\n"
		"cmdline panic=30 quiet\nbase suite limit 21474836480\nsuite vivid\n"
		"components main universe\nmirror http://archive.invalid/ubuntu\n"
		"pockets updates\nkeyring %s\narchived\nkernel linux-image-virtual\n"
		"packages systemd\npath_exclude /usr/share/doc/*\n"
		"initramfs policy most compress xz\ninitramfs modules loop\n"
		"initramfs tools /sbin/blkid\nsquashfs gzip level 9 block 128K\n"
		"exclude /usr/share/man/*\nexclude /opt\n"
		"artifact k (stand-in) https://files.invalid/k.tar.gz "
		"limit 3221225472 max_size 2147483648\n"
		"  k/in.tar.gz\n    bin/x to /usr/bin/x 0755\n"
		"  k/LICENSE to /usr/share/LICENSE 0644\n"
		"artifact bare file:///srv/bare sha256 "
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef "
		"to /usr/bin/bare 0750\n"
		"container q/w:1 from docker://docker.io/q/w:1 limit 5120 max_size 4096\n"
		"file /etc/a 0600 from a\nfile /etc/b 0644 of 10 bytes\n"
		"link /etc/c to ../b\ndirectory /srv/d 1777\n"
		"template /etc/t.yaml 0600 yaml from t.yaml\n  roles node\n"
		"  units x.service\ntemplate /etc/t 0644 plain from t.yaml\n"
		"template /etc/network-environment 0644 plain from t.yaml\n"
		"unit x.service from x.service\n"
		"unit rackstrap-node.target from sub/rackstrap-node.target\n"
		"unit rackstrap-firstboot.service of rackstrap\n"
		"unit rackstrap-report.service of rackstrap\n"
		"unit rackstrap-ssh-keys.service of rackstrap\n"
		"unit rackstrap-containers.service of rackstrap\n"
		"unit rackstrap-b.target of rackstrap\n"
		"unit rackstrap-heal.timer of rackstrap\n"
		"unit rackstrap-heal.service of rackstrap\n"
		"enable ssh.service\nenable getty@tty1.service\n"
		"enable rackstrap-firstboot.service\n"
		"enable rackstrap-report.service\n"
		"enable rackstrap-ssh-keys.service\n"
		"enable systemd-networkd.service\n"
		"enable rackstrap-containers.service\n"
		"disable fstrim.timer\nmask swap.target\n"
		"role node\n  features pods cbr0 nat kubernetes calico docker "
		"network-environment\n  units x.service rackstrap-heal.timer\n  ready "
		"http://127.0.0.1:1/\nrole b\n"
		"image pxe\nimage disk\nimage iso\n"
		"media sector_size 4096 slot_size 536870912\n"
		"media formats qcow2 zst\nmedia cmdline console=tty0\n"
		"media rack %s/rack.cfg\n",
		keyring, top);
	assert_string_equal(text, want);
	assert_string_equal(r.file, path);
	assert_string_equal(r.dir, top);
	assert_string_equal(r.files[0].text, source);
	assert_true(str_ends(r.artifacts[1].where, "/recipe.cfg:18"));
	assert_ptr_equal(r.images[0], &image_pxe);
	assert_ptr_equal(r.images[1], &image_disk);
	assert_ptr_equal(r.images[2], &image_iso);
}

static void shipped_recipes_are_valid(void **state)
{
	_cleanup_recipe_ struct recipe metal = {0}, vm = {0};

	(void)state;
	load(&metal, "images/bookworm");
	load(&vm, "images/bookworm-vm/"); /* with a trailing slash */
	assert_string_equal(vm.file, "images/bookworm-vm/recipe.cfg");
	assert_string_equal(vm.base.kernel, "linux-image-cloud-amd64");
	assert_string_equal(metal.base.kernel, "linux-image-amd64");
	assert_int_equal(vm.n_units, metal.n_units);
	assert_int_equal(strv_len(vm.base.packages), strv_len(metal.base.packages));
	assert_true(strv_len(vm.initramfs.modules) < strv_len(metal.initramfs.modules));
}

/* --- rackstrap's own units ---------------------------------------------------------- */

static const struct recipe_unit *find_unit(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->n_units; i++)
		if (streq(r->units[i].name, name))
			return &r->units[i];
	return NULL;
}

static bool enables(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->enable.n; i++)
		if (streq(r->enable.v[i].unit, name))
			return true;
	return false;
}

static void assert_line(const char *text, const char *line)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	if (!strv_has(lines, line))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void roles_bring_what_a_host_needs(void **state)
{
	static const char *const units[] = {
		"rackstrap-firstboot.service", "rackstrap-report.service",
		"rackstrap-ssh-keys.service", "rackstrap-big.target",
		"rackstrap-small.target"};
	_cleanup_free_ char *path = write_file(
		"r.cfg", SMALL
		"roles = ( { name = \"big\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\" ]; },\n"
		"{ name = \"small\"; } );\n");
	_cleanup_recipe_ struct recipe r = {0};
	const char *text;

	(void)state;
	load(&r, path);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		assert_non_null(find_unit(&r, units[i]));
	assert_true(enables(&r, "rackstrap-firstboot.service"));
	assert_true(enables(&r, "rackstrap-report.service"));
	assert_true(enables(&r, "rackstrap-ssh-keys.service"));
	assert_true(enables(&r, "systemd-networkd.service"));
	text = find_unit(&r, "rackstrap-small.target")->text;
	assert_line(text, "Description=rackstrap small");
	assert_line(text, "Conflicts=rackstrap-big.target");
	text = find_unit(&r, "rackstrap-heal.timer")->text;
	assert_line(text, "PartOf=rackstrap-big.target");
	assert_line(text, "WantedBy=rackstrap-big.target");
	assert_true(strv_has(r.roles.v[0].units, "rackstrap-heal.timer"));
	assert_null(r.roles.v[1].units);
	assert_null(find_unit(&r, "rackstrap-containers.service"));
}

static void image_without_roles_gets_no_units(void **state)
{
	_cleanup_free_ char *path = write_file("r.cfg", SMALL);
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load(&r, path);
	assert_int_equal(r.n_units, 0);
	assert_int_equal(r.enable.n, 0);
}

/* The recipe has a unit, a file in the place of one, and masks and disables others. */
static void recipe_replaces_rackstraps_units(void **state)
{
	_cleanup_free_ char *path = write_file(
		"r.cfg", SMALL
		"roles = ( { name = \"node\"; features = [ \"kubernetes-master\", "
		"\"nat\", \"calico\", \"docker\" ]; } );\n"
		"units = [ \"rackstrap-node.target\" ];\n"
		"files = ( { to = \"/etc/systemd/system/rackstrap-report.service\";\n"
		"            content = \"x\"; } );\n"
		"mask = [ \"rackstrap-ssh-keys.service\" ];\n"
		"disable = [ \"systemd-networkd.service\",\n"
		"            \"rackstrap-heal.timer\" ];\n");
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	free(write_file("rackstrap-node.target", "[Unit]\n"));
	load(&r, path);
	assert_null(find_unit(&r, "rackstrap-node.target")->text);
	assert_null(find_unit(&r, "rackstrap-report.service"));
	assert_true(enables(&r, "rackstrap-report.service"));
	assert_null(find_unit(&r, "rackstrap-ssh-keys.service"));
	assert_false(enables(&r, "rackstrap-ssh-keys.service"));
	assert_false(enables(&r, "systemd-networkd.service"));
	assert_null(find_unit(&r, "rackstrap-heal.timer"));
	assert_null(r.roles.v[0].units);
}

static void assert_same_words(char *const *a, char *const *b)
{
	assert_int_equal(strv_len(a), strv_len(b));
	for (size_t i = 0; a && a[i]; i++)
		assert_string_equal(a[i], b[i]);
}

static void assert_same_roles(const struct roles *a, const struct roles *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_string_equal(a->v[i].name, b->v[i].name);
		assert_same_words(a->v[i].units, b->v[i].units);
		assert_same_words(a->v[i].ready, b->v[i].ready);
		assert_int_equal(a->v[i].features, b->v[i].features);
	}
}

/* The roles that tests use are those of the recipe from which every bookworm image is
 * baked. */
static void roles_of_tests_match_the_recipe(void **state)
{
	_cleanup_roles_ struct roles tested = {0}, file = {0};
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	roles_2015(&tested);
	load(&r, "images/bookworm");
	assert_same_roles(&tested, &r.roles);
	assert_int_equal(roles_read(&file, "test/data/roles.cfg", NULL), 0);
	assert_same_roles(&file, &r.roles);
}

/* --- the environment -------------------------------------------------------------- */

static void epoch_of_the_environment_wins(void **state)
{
	_cleanup_free_ char *path = write_file("r.cfg", SMALL "epoch = \"5\";\n");
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

/* Keys beside those of a suite, and keys of a role. */
static const char *const tar_keys[] = {"url",    "public_query", "sha256",
				       "sha512", "image",        "digest",
				       "layer",  "max_size",     NULL};
static const char *const disk_keys[] = {"url",    "public_query", "sha256",
					"sha512", "max_size",     NULL};
static const char *const role_keys[] = {"name", "units", "ready", "features", NULL};

/* Returns the text between ".Ss TITLE" and the next section. Owned by the caller. */
static char *section(const char *page, const char *title)
{
	_cleanup_free_ char *head = xasprintf("\n.Ss %s\n", title);
	const char *s = strstr(page, head), *end = NULL;

	if (!s)
		fail_msg("man/recipe.cfg.5 has no section '%s'", title);
	s += strlen(head);
	end = strstr(s, "\n.S");
	while (end && end[3] != 's' && end[3] != 'h') /* as .Sx */
		end = strstr(end + 1, "\n.S");
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

static void man_page_has_every_key(void **state)
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
	bad += lacks(page, "Keys of media", recipe_media_keys);
	bad += lacks(page, "Keys of an artifact", recipe_artifact_keys);
	bad += lacks(page, "Keys of a member", recipe_extract_keys);
	bad += lacks(page, "Keys of a container", recipe_container_keys);
	bad += lacks(page, "Keys of a file", recipe_file_keys);
	bad += lacks(page, "Keys of a template", recipe_template_keys);
	bad += lacks(page, "Keys of a role", role_keys);
	bad += lacks(page, "Keys of remove", recipe_remove_keys);
	assert_int_equal(bad, 0);
}

/* The page lists each feature with its keys and with those that it includes. */
static void man_page_has_every_feature(void **state)
{
	_cleanup_free_ char *page = NULL, *list = NULL;
	_cleanup_strv_ char **names = feature_names(FEATURES_ALL);

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, "man/recipe.cfg.5", 1 << 20, &page, NULL),
			 0);
	assert_int_equal(lacks(page, "Features of a role", (const char *const *)names),
			 0);
	list = section(page, "Features of a role");
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *f = features[i];
		_cleanup_free_ char *head = xasprintf(".It Cm %s\n", f->name);
		const char *at = strstr(list, head) + strlen(head);
		const char *end = strstr(at, "\n.It ");
		_cleanup_free_ char *text =
			xstrndup(at, end ? (size_t)(end - at) : strlen(at));
		_cleanup_strv_ char **included = feature_names(f->includes);

		for (size_t k = 0; k < f->n_keys; k++)
			if (!strstr(text, f->keys[k].name))
				fail_msg("%s: no word of its key %s", f->name,
					 f->keys[k].name);
		for (size_t k = 0; included && included[k]; k++)
			if (!strstr(text, included[k]))
				fail_msg("%s: no word of %s", f->name, included[k]);
		if (f->program && !strstr(text, f->program))
			fail_msg("%s: no word of %s", f->name, f->program);
	}
}

static void lock_man_page_has_every_key(void **state)
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

/* Returns the text of example `n` (0, 1, ...) of a page, which has no markup but
 * backslashes. Owned by the caller. */
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

/* The page's example can be read, and is the same when it is written again. */
static void lock_man_page_example_is_valid(void **state)
{
	_cleanup_free_ char *text = example("man/recipe.lock.5", 0);
	_cleanup_free_ char *path = write_file("recipe.lock", text), *again = NULL,
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
	other = write_file("again.lock", again);
	if (lock_read(&m, other, &d) < 0)
		fail_msg("%s", d.lines[0]);
	third = lock_render(&m);
	assert_string_equal(again, third);
}

/* The page's examples are valid recipes; the second one includes the first. */
static void man_page_examples_are_valid(void **state)
{
	_cleanup_free_ char *text = example("man/recipe.cfg.5", 0);
	_cleanup_free_ char *other = example("man/recipe.cfg.5", 1);
	_cleanup_free_ char *path = write_file("small/recipe.cfg", text);
	_cleanup_free_ char *variant = write_file("small-metal/recipe.cfg", other);
	_cleanup_recipe_ struct recipe r = {0}, v = {0};

	(void)state;
	free(write_file("small/tool.service", "[Service]\n"));
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
	const struct CMUnitTest tests[] = {
		CASE(defaults_are_set),
		CASE(every_key_is_read),
		CASE(shipped_recipes_are_valid),
		CASE(roles_bring_what_a_host_needs),
		CASE(image_without_roles_gets_no_units),
		CASE(recipe_replaces_rackstraps_units),
		CASE(roles_of_tests_match_the_recipe),
		CASE(epoch_of_the_environment_wins),
		CASE(man_page_has_every_key),
		CASE(man_page_has_every_feature),
		CASE(man_page_examples_are_valid),
		CASE(lock_man_page_has_every_key),
		CASE(lock_man_page_example_is_valid),
	};

	return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
