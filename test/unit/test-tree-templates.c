/* SPDX-License-Identifier: Apache-2.0 */
/* Boot trees of an image whose templates loop over the rack's hosts: only the hosts with
 * such a template get the list, by every boot loader. */
#include "test-tree.h"

#include "lib/dir.h"
#include "lib/run.h"
#include "pxe/rack-image.h"

#define NODE   "52-54-00-25-00-1a"
#define MASTER "52-54-00-25-00-10"

#define TEMPLATE(text)                                                                   \
	"\"summary\": \"of no use\", \"templates\": [ { \"path\": \"/etc/list\",\n"      \
	"\"mode\": \"0644\", \"format\": \"ini\", \"roles\": [ \"node\" ],\n"            \
	"\"text\": \"" text "\" } ],"
#define LOOP "[x]\\n{{#hosts}}\\n{{name}} = {{role}}\\n{{/hosts}}\\n"

/* Gives the image a template. Returns as image_open(). */
static int with_template(struct fixture *f, const char *template, struct err *e)
{
	static const char before[] = "\"summary\": \"of no use\",";
	_cleanup_free_ char *manifest = manifest_text(), *new = NULL;
	char *at = strstr(manifest, before);

	assert_non_null(at);
	new = xasprintf("%.*s%s%s", (int)(at - manifest), manifest, template,
			at + strlen(before));
	write_text(f->image_dir, "manifest.json", new);
	image_done(&f->image);
	return image_open(&f->image, f->image_dir, e);
}

static void render_with(struct fixture *f, const char *template, const char *name)
{
	struct tree_options o = {0};
	struct err e = {0};

	if (with_template(f, template, &e) < 0 ||
	    render(f, GOLDEN "/plain.cfg", name, o, &e) < 0)
		fail_msg("%s", e.msg);
}

static char *tree_text(const struct fixture *f, const char *tree, const char *path)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", f->scratch, tree);
	char *text = read_text(dir, path);

	if (!text)
		fail_msg("no %s", path);
	return text;
}

/* Counts a part of a file of the tree. */
static size_t count(const struct fixture *f, const char *tree, const char *path,
		    const char *part)
{
	_cleanup_free_ char *text = tree_text(f, tree, path);
	size_t n = 0;

	for (const char *s = text; (s = strstr(s, part)); s++)
		n++;
	return n;
}

static bool is_there(const struct fixture *f, const char *tree, const char *path)
{
	_cleanup_free_ char *at = xasprintf("%s/%s/%s", f->scratch, tree, path);
	struct stat st;

	return lstat(at, &st) == 0;
}

static void hosts_with_a_loop_get_the_list(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = NULL, *archive = NULL, *file = NULL, *out = NULL;
	const char *argv[] = {"cpio", "--extract",           "--quiet", "--to-stdout",
			      NULL,   "rackstrap/hosts.cfg", NULL};
	char target[64] = "";
	struct err e = {0};

	render_with(f, TEMPLATE(LOOP), "tree");
	link = xasprintf("%s/tree/http/hosts/" NODE ".rack", f->scratch);
	assert_int_equal(readlink(link, target, sizeof(target) - 1), strlen("rack.cpio"));
	assert_string_equal(target, "rack.cpio");
	assert_false(is_there(f, "tree", "http/hosts/" MASTER ".rack"));
	archive = xasprintf("%s/tree/http/hosts/rack.cpio", f->scratch);
	file = xasprintf("--file=%s", archive);
	argv[4] = file;
	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(out, "hosts = (\n"
				 "\t{ name = \"master\"; role = \"master\"; address = "
				 "\"172.25.0.10\"; },\n"
				 "\t{ name = \"node-1\"; role = \"node\"; address = "
				 "\"172.25.0.11\"; }\n);\n");
}

/* The list comes before the archive with host.cfg, which says that all has arrived. */
static void every_loader_loads_the_list(void **state)
{
	static const struct {
		const char *path, *line;
	} node[] = {
		{"http/hosts/" NODE ".ipxe",
		 " initrd=root.cpio initrd=rack.cpio initrd=host.cpio "},
		{"http/hosts/" NODE ".ipxe",
		 "root.cpio || goto failed\n"
		 "initrd --name rack.cpio ${base}/${own}.rack || goto failed\n"
		 "initrd --name host.cpio ${base}/${own}.cpio || goto failed\n"},
		{"http/hosts/" NODE ".grub",
		 "/root.cpio \"(http,172.25.0.1:8080)/$own.rack\" "
		 "\"(http,172.25.0.1:8080)/$own.cpio\"; then\n"},
		{"tftp/pxelinux.cfg/01-" NODE,
		 "/root.cpio,http://172.25.0.1:8080/hosts/" NODE
		 ".rack,http://172.25.0.1:8080/hosts/" NODE ".cpio\n"},
	};
	static const char *const master[] = {("http/hosts/" MASTER ".ipxe"),
					     ("http/hosts/" MASTER ".grub"),
					     ("tftp/pxelinux.cfg/01-" MASTER)};
	struct tree_options o = {.http_port = 8080};
	struct fixture *f = *state;
	struct err e = {0};

	if (with_template(f, TEMPLATE(LOOP), &e) < 0 ||
	    render(f, GOLDEN "/plain.cfg", "tree", o, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ARRAY_SIZE(node); i++)
		if (count(f, "tree", node[i].path, node[i].line) != 1) {
			_cleanup_free_ char *text = tree_text(f, "tree", node[i].path);

			fail_msg("%s lacks %s:\n%s", node[i].path, node[i].line, text);
		}
	for (size_t i = 0; i < ARRAY_SIZE(master); i++)
		assert_int_equal(count(f, "tree", master[i], "rack.cpio") +
					 count(f, "tree", master[i], ".rack"),
				 0);
}

static void tree_without_a_loop_has_no_list(void **state)
{
	struct fixture *f = *state;

	render_with(f, TEMPLATE("[x]\\na = {{host.name}}\\n"), "tree");
	assert_false(is_there(f, "tree", "http/hosts/rack.cpio"));
	assert_false(is_there(f, "tree", "http/hosts/" NODE ".rack"));
	assert_int_equal(count(f, "tree", "http/hosts/" NODE ".ipxe", "rack.cpio"), 0);
}

static void list_is_the_same_each_time(void **state)
{
	_cleanup_free_ char *first = NULL, *second = NULL;
	struct fixture *f = *state;

	render_with(f, TEMPLATE(LOOP), "one");
	render_with(f, TEMPLATE(LOOP), "two");
	first = tree_text(f, "one", "http/hosts/rack.cpio");
	second = tree_text(f, "two", "http/hosts/rack.cpio");
	assert_int_equal(count(f, "one", "http/hosts/rack.cpio", "070701"), 1);
	assert_string_equal(first, second);
	/* It is written anew into an existing tree. */
	render_with(f, TEMPLATE("[x]\\n"), "one");
	assert_false(is_there(f, "one", "http/hosts/rack.cpio"));
}

#define UNKNOWN(path, mode)                                                              \
	{                                                                                \
		"\"templates\": [ { \"path\": \"" path "\", \"mode\": \"" mode           \
		"\", \"format\": \"ini\", \"text\": \"\" } ],",                          \
			"know the path, mode or format of '" path "': use a newer one"   \
	}

static void wrong_templates_of_a_manifest_are_refused(void **state)
{
	static const struct {
		const char *template, *want;
	} cases[] = {
		{"\"templates\": 5,",
		 "manifest.json: member 'templates' must be an array"},
		{"\"templates\": [ { \"path\": \"/x\" } ],",
		 "manifest.json: templates: member 'mode' must be a string"},
		{"\"templates\": [ { \"path\": \"x\", \"mode\": \"0644\", \"format\": "
		 "\"ini\", \"text\": \"\" } ],",
		 "manifest.json: templates: this version of rackstrap does not "
		 "know the path, mode or format of 'x': use a newer one, or build the "
		 "image again"},
		UNKNOWN("/../etc/x", "0644"),
		UNKNOWN("/etc/./x", "0644"),
		UNKNOWN("/etc//x", "0644"),
		UNKNOWN("/etc/", "0644"),
		UNKNOWN("/x", "7777"),
		UNKNOWN("/x", "4755"),
		UNKNOWN("/x", "0666"),
		{"\"templates\": [ { \"path\": \"/x\", \"mode\": \"0644\", \"format\": "
		 "\"toml\", \"text\": \"\" } ],",
		 "manifest.json: templates: this version of rackstrap does not "
		 "know the path, mode or format of '/x'"},
		{"\"templates\": [ { \"path\": \"/x\", \"mode\": \"0644\", \"format\": "
		 "\"ini\", \"text\": \"{{host.later}}\" } ],",
		 "manifest.json: templates: /x:1: unknown value {{host.later}} (did you "
		 "mean {{host.master}}?)"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = {0};

		assert_int_equal(with_template(f, cases[i].template, &e), -1);
		assert_non_null(strstr(e.msg, cases[i].want));
	}
}

/* Returns the complaints about a rack for the image. Owned by the caller. */
static char *check_rack(const struct fixture *f, const char *options)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};
	int r;

	text = xasprintf(
		"cluster : { name = \"x\"; node_network = \"172.25.0.0/24\";\n"
		"gateway = \"172.25.0.1\"; boot_server = \"172.25.0.1\"; master = "
		"\"m\"; %s };\n"
		"hosts = ( { name = \"m\"; role = \"master\"; mac = "
		"\"52:54:00:25:00:10\";\naddress = \"172.25.0.10\"; },\n"
		"{ name = \"n-1\"; role = \"node\"; mac = \"52:54:00:25:00:11\";\n"
		"address = \"172.25.0.11\"; cbr0 = \"192.168.1.1/24\"; },\n"
		"{ name = \"n-2\"; role = \"node\"; mac = \"52:54:00:25:00:12\";\n"
		"address = \"172.25.0.12\"; cbr0 = \"192.168.2.1/24\"; } );\n",
		options);
	if (rack_parse(&rack, text, strlen(text), "rack.cfg", CONF_NO_INCLUDE,
		       &f->image.roles, &d) < 0)
		fail_msg("%s", d.lines[0]);
	r = rack_check_image(&rack, &f->image, &d);
	assert_int_equal(r, d.n > 0 ? -1 : 0);
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&b, "%s\n", d.lines[i]);
	return xstrdup(b.p ? b.p : "");
}

/* Each host is named whose file cannot be made. */
static void value_that_breaks_a_template_is_refused(void **state)
{
	static const char template[] =
		TEMPLATE("[x]\\n{{#host.docker_options}}\\na={{.}}\\n"
			 "{{/host.docker_options}}\\n");
	struct fixture *f = *state;
	_cleanup_free_ char *wrong = NULL, *right = NULL;
	struct err e = {0};

	assert_int_equal(with_template(f, template, &e), 0);
	right = check_rack(f, "docker_options = [ \"--a=b\" ];");
	assert_string_equal(right, "");
	wrong = check_rack(f, "docker_options = [ \"--a=%\" ];");
	assert_string_equal(wrong,
			    "rack.cfg:5: host 'n-1': the template /etc/list:3: the value "
			    "of {{.}} has a '%', which begins a specifier of systemd: "
			    "'--a=%'\n"
			    "rack.cfg:7: host 'n-2': the template /etc/list:3: the value "
			    "of {{.}} has a '%', which begins a specifier of systemd: "
			    "'--a=%'\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hosts_with_a_loop_get_the_list),
		T(every_loader_loads_the_list),
		T(tree_without_a_loop_has_no_list),
		T(list_is_the_same_each_time),
		T(wrong_templates_of_a_manifest_are_refused),
		T(value_that_breaks_a_template_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
