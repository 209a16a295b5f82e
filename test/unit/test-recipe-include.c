/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/recipe/recipe.h: recipes that include others and change them.
 * test/should-fail/recipe has a recipe for each error message.
 */
#include "builder/recipe/recipe-parse.h"
#include "test-recipe.h"

/* --- includes --------------------------------------------------------------------- */

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
	_cleanup_free_ _unused_ char *in = write_file("inner/recipe.cfg", inner);
	_cleanup_free_ _unused_ char *txt = write_file("inner/in.txt", "x");
	_cleanup_free_ char *out = write_file("outer/recipe.cfg", outer);
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
	assert_int_equal(r.squashfs.level, 0); /* the level 9 belonged to gzip */
	assert_int_equal(strv_len(r.exclude), 1);
	/* A relative path is relative to the file that contains it. */
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

/* Writes in/recipe.cfg and out/recipe.cfg, which includes it, and loads the latter. */
static void load_over(struct recipe *r, const char *outer)
{
	static const char *const units[] = {"in/a.service", "in/b.service",
					    "in/c.service", "out/b.service",
					    "out/d.service"};
	_cleanup_free_ char *out = NULL;
	_cleanup_free_ char *text = xasprintf("version = 1; name = \"outer\"; include = "
					      "\"../in/recipe.cfg\";\n%s",
					      outer);

	free(write_file("in/recipe.cfg", lists));
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		free(write_file(units[i], "[Unit]\n"));
	out = write_file("out/recipe.cfg", text);
	load(r, out);
}

/* Returns a description of the recipe's lists, without the test folder's path. Owned by
 * the caller. */
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

static void entries_replace_those_of_the_same_name(void **state)
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
	/* The new entry replaces the old one completely, in its place: the keys standin
	 * and mode are gone. */
	assert_string_equal(
		text,
		"artifact a https://f.invalid/2 to /2 0644 (out/recipe.cfg:4)\n"
		"artifact b https://f.invalid/b to /b 0755 (in/recipe.cfg:9)\n"
		"artifact c https://f.invalid/c limit 1073741824 (in/recipe.cfg:10)\n"
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

/* Templates are laid over each other by their paths, and are compiled for the roles of
 * the outer recipe. */
static void templates_are_replaced_and_removed(void **state)
{
	static const char inner[] =
		SMALL "roles = ( { name = \"node\"; } );\n"
		      "templates = (\n"
		      "  { path = \"/t/a\"; file = \"a\"; format = \"plain\"; mode = "
		      "\"0600\"; },\n"
		      "  { path = \"/t/b\"; file = \"b\"; format = \"plain\"; roles = [ "
		      "\"node\" ]; },\n"
		      "  { path = \"/t/c\"; file = \"a\"; format = \"json\"; } );\n";
	static const char outer[] =
		"version = 1; include = \"../in/recipe.cfg\"; name = \"outer\";\n"
		"roles = ( { name = \"web\"; } );\n"
		"remove = { templates = [ \"/t/b\" ]; };\n"
		"templates = ( { path = \"/t/d\"; file = \"d\"; format = \"ini\"; },\n"
		"  { path = \"/t/a\"; file = \"a\"; format = \"yaml\"; } );\n";
	static const char *const files[][2] = {{"in/recipe.cfg", inner},
					       {"in/a", "{{host.name}}\n"},
					       {"in/b", "{{#role.node}}{{/role.node}}\n"},
					       {"out/a", "web: {{host.name}}\n"},
					       {"out/d", "[web]\n"}};
	_cleanup_free_ char *out = write_file("out/recipe.cfg", outer), *json = NULL;
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		free(write_file(files[i][0], files[i][1]));
	load(&r, out);
	assert_int_equal(r.n_templates, 3);
	assert_int_equal(r.compiled.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(r.compiled.v[i].path, r.templates[i].path);
	assert_string_equal(r.compiled.v[0].path, "/t/a");
	assert_int_equal(r.compiled.v[0].format, TEMPLATE_YAML);
	assert_int_equal(r.compiled.v[0].mode, 0644);
	assert_string_equal(r.compiled.v[0].text, "web: {{host.name}}\n");
	assert_string_equal(r.compiled.v[1].path, "/t/c");
	assert_string_equal(r.compiled.v[1].text, "{{host.name}}\n");
	assert_string_equal(r.compiled.v[2].path, "/t/d");
	json = recipe_describe_json(&r);
	assert_non_null(strstr(json, "\"path\": \"/t/a\",\n      \"format\": \"yaml\",\n"
				     "      \"file\": \"a\",\n"));
}

static void all_entries_are_removed(void **state)
{
	_cleanup_recipe_ struct recipe r = {0};

	(void)state;
	load_over(&r,
		  "remove = { artifacts = [ \"a\", \"b\", \"c\" ]; containers = [ ];\n"
		  "  files = [ \"/f/a\", \"/f/c\", \"/f/b\" ]; };\n");
	assert_int_equal(r.n_artifacts, 2); /* those of the containers */
	assert_int_equal(r.n_containers, 2);
	assert_int_equal(r.n_files, 0);
	assert_int_equal(r.n_units, 3);
}

/* Each file changes the result of all files before it: the third can add again, at the
 * end, an entry that the second removed, and can replace or remove an entry that the
 * second added. */
static void three_files_change_one_list(void **state)
{
	_cleanup_free_ _unused_ char *a =
		write_file("a.cfg", SMALL "files = ( { to = \"/a\"; content = \"\"; },\n"
					  "  { to = \"/b\"; content = \"\"; } );\n");
	_cleanup_free_ _unused_ char *b =
		write_file("b.cfg", "version = 1; name = \"b\"; include = \"a.cfg\";\n"
				    "remove = { files = [ \"/a\" ]; };\n"
				    "files = ( { to = \"/c\"; content = \"\"; },\n"
				    "  { to = \"/d\"; content = \"\"; } );\n");
	_cleanup_free_ char *c =
		write_file("c.cfg", "version = 1; name = \"c\"; include = \"b.cfg\";\n"
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

/* Messages and plans name an included file by its path without "." and "..", unless that
 * is the path of another file. */
static void included_paths_are_tidy(void **state)
{
	_cleanup_free_ _unused_ char *a = write_file("a/b/in.cfg", SMALL);
	_cleanup_free_ char *path = xasprintf("%s/a/./b/../b/in.cfg", top), *tidy = NULL;
	_cleanup_free_ char *link = xasprintf("%s/l", top), *same = NULL;
	_cleanup_free_ char *through = xasprintf("%s/l/../in.cfg", top);
	_cleanup_free_ char *want = xasprintf("%s/a/b/in.cfg", top);
	_cleanup_free_ _unused_ char *other = write_file("a/in.cfg", SMALL);
	_cleanup_free_ _unused_ char *decoy = write_file("in.cfg", SMALL);
	_cleanup_free_ char *up = recipe_tidy_path("../nowhere/../x");

	(void)state;
	tidy = recipe_tidy_path(path);
	assert_string_equal(tidy, want);
	assert_int_equal(symlink("a/b", link), 0);
	same = recipe_tidy_path(through);
	assert_string_equal(same, through);
	assert_string_equal(up, "../nowhere/../x");
}

static void includes_nest(void **state)
{
	_cleanup_free_ _unused_ char *a = write_file("a.cfg", SMALL);
	_cleanup_free_ _unused_ char *b = write_file(
		"sub/b.cfg", "version = 1; name = \"b\"; include = \"../a.cfg\";\n"
			     "cmdline = \"b\";\n");
	_cleanup_free_ char *c = write_file(
		"c.cfg", "version = 1; name = \"c\"; include = \"sub/b.cfg\";\n");
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
		write_file("in/recipe.cfg", SMALL "cmdline = \"in\";\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(written); i++) {
		_cleanup_free_ char *text =
			xasprintf("version = 1; name = \"o\"; include = \"%s\";\n"
				  "remove = { };\n",
				  written[i]);
		_cleanup_free_ char *out = write_file("out.cfg", text);
		_cleanup_recipe_ struct recipe r = {0};

		load(&r, out);
		assert_string_equal(r.cmdline, "in");
	}
}

/* Suggestions are made only for the first 20 wrong names: each is compared with all
 * names. */
static void suggestions_are_limited(void **state)
{
	_cleanup_free_ _unused_ char *in = write_file(
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
	out = write_file("out.cfg", text);
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
		write_file("r.cfg", SMALL
			   "summary = \"a\\x1b[2Jb\";\nexclude = [ \"/a\\nroot\" ];\n"
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

/* A mistake is reported with the file that contains it, and no recipe is returned. */
static void mistake_names_the_included_file(void **state)
{
	_cleanup_free_ _unused_ char *in = write_file("in.cfg", SMALL "cmdline = 7;\n");
	_cleanup_free_ char *out = write_file(
		"out.cfg", "version = 1; name = \"o\";\ninclude = \"in.cfg\";\n"
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

static void includes_are_limited(void **state)
{
	_cleanup_free_ char *path =
		write_file("r.cfg", "version = 1; name = \"r\"; include = \"r.cfg\";\n");
	_cleanup_diag_ struct diag d = {0};
	struct recipe r = {0};

	(void)state;
	assert_int_equal(recipe_load(&r, path, &d), -1);
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(d.lines[0], "include: more than 8 files deep"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(groups_merge_and_lists_replace),
		CASE(entries_replace_those_of_the_same_name),
		CASE(entries_are_removed),
		CASE(templates_are_replaced_and_removed),
		CASE(all_entries_are_removed),
		CASE(three_files_change_one_list),
		CASE(included_paths_are_tidy),
		CASE(includes_nest),
		CASE(a_folder_is_included),
		CASE(a_plan_has_no_control_characters),
		CASE(suggestions_are_limited),
		CASE(mistake_names_the_included_file),
		CASE(includes_are_limited),
	};

	return cmocka_run_group_tests_name("recipe-include", tests, NULL, NULL);
}
