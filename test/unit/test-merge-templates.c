/* SPDX-License-Identifier: Apache-2.0 */
/* The templates of a recipe in the root image and in the manifest: firstboot and
 * `rackstrap pxe` read there what the recipe has. */
#include "builder/base/base.h"
#include "builder/image/manifest.h"
#include "builder/recipe/base-type.h"
#include "builder/root/unit-links.h"
#include "lib/file.h"
#include "pxe/image.h"
#include "test-merge.h"
#include "test-tempdir.h"

#define WHERE(n)  ((char *)"r.cfg:" #n)
#define SHA_OF(c) c c c c c c c c c c c c c c c c
#define ODD                                                                              \
	"{{host.name}} \xc3\xa9 \xe2\x80\x8b \t\"\\ "                                    \
	"{{#role.gpu_node}}x{{/role.gpu_node}}\n"

static char *nodes[] = {(char *)"gpu-node", NULL};
static char *units[] = {(char *)"ssh.service", (char *)"getty@tty1.service", NULL};

static struct role roles[] = {{.name = (char *)"control"}, {.name = (char *)"gpu-node"}};

static char *role_wheres[] = {WHERE(9), WHERE(10), NULL};
static struct recipe_template templates[] = {
	{.path = (char *)"/etc/app/b.conf",
	 .where = WHERE(1),
	 .units_where = WHERE(11),
	 .mode = 0600,
	 .format = TEMPLATE_INI,
	 .roles = nodes,
	 .units = units},
	{.path = (char *)"/etc/a",
	 .where = WHERE(2),
	 .units_where = WHERE(12),
	 .mode = 0644,
	 .format = TEMPLATE_PLAIN},
};

/* Gives the recipe two templates. */
static void fill(void)
{
	static const char *const texts[] = {
		"[x]\n{{#hosts}}\n{{name}} = {{role}}\n{{/hosts}}\n", ODD};

	w.recipe.name = (char *)"tiny";
	w.recipe.base.type = base_type_find("suite");
	w.recipe.roles = (struct roles){.v = roles, .n = 2};
	w.recipe.role_wheres = role_wheres;
	w.recipe.templates = templates;
	w.recipe.n_templates = 2;
	for (size_t i = 0; i < 2; i++) {
		const struct host_template t = {.path = templates[i].path,
						.mode = templates[i].mode,
						.format = templates[i].format,
						.roles = templates[i].roles,
						.units = templates[i].units,
						.text = (char *)texts[i],
						.name = (char *)"f"};

		host_templates_add(&w.recipe.compiled, &t);
	}
}

static void add_recipe(void)
{
	const struct inputs none = {0};

	layer_add_recipe(&w.layer, &w.recipe, &none, "VERSION"); /* a small file */
	unit_links(&w.layer, &w.index, &w.recipe);
	layer_finish(&w.layer);
	layer_check_templates(&w.layer, &w.recipe);
	assert_int_equal(w.diag.n, 0);
}

static void assert_same(const struct host_templates *got)
{
	const struct host_templates *want = &w.recipe.compiled;

	assert_int_equal(got->n, want->n);
	for (size_t i = 0; i < want->n; i++) {
		_cleanup_free_ char *r = strv_join(got->v[i].roles, " ");
		_cleanup_free_ char *u = strv_join(got->v[i].units, " ");
		_cleanup_free_ char *r2 = strv_join(want->v[i].roles, " ");
		_cleanup_free_ char *u2 = strv_join(want->v[i].units, " ");

		assert_string_equal(got->v[i].path, want->v[i].path);
		assert_int_equal(got->v[i].mode, want->v[i].mode);
		assert_int_equal(got->v[i].format, want->v[i].format);
		assert_string_equal(got->v[i].text, want->v[i].text);
		assert_int_equal(got->v[i].roles == NULL, want->v[i].roles == NULL);
		assert_int_equal(got->v[i].units == NULL, want->v[i].units == NULL);
		assert_string_equal(r ? r : "", r2 ? r2 : "");
		assert_string_equal(u ? u : "", u2 ? u2 : "");
	}
}

/* Writes the layer's files of rackstrap below a root. */
static int make_root(const char *dir)
{
	int rootfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(rootfd >= 0);
	for (size_t i = 0; i < w.layer.n; i++) {
		const struct layer_item *item = &w.layer.v[i];
		_cleanup_free_ char *parent = xstrdup(item->path);

		if (item->source != LAYER_TEXT || item->type != ENTRY_FILE)
			continue;
		*strrchr(parent, '/') = '\0';
		assert_int_equal(mkdir_p_at(rootfd, parent, 0755), 0);
		assert_int_equal(file_write_at(rootfd, item->path, item->text, item->len,
					       item->mode),
				 0);
	}
	return rootfd;
}

static void firstboot_reads_the_templates_of_the_image(void **state)
{
	_cleanup_host_templates_ struct host_templates got = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_close_ int rootfd = -1;
	const struct layer_item *list, *text;
	char *dir = NULL;

	(void)state;
	fill();
	add_recipe();
	list = layer_find(&w.layer, TEMPLATES_CFG);
	text = layer_find(&w.layer, TEMPLATES_DIR "/1-b.conf");
	assert_non_null(list);
	assert_non_null(text);
	assert_int_equal(list->mode, 0644);
	assert_int_equal(text->mode, 0644);
	assert_null(layer_find(&w.layer, "etc/a"));
	assert_int_equal(tempdir_make("/tmp", "test-templates", &dir), 0);
	rootfd = make_root(dir);
	if (host_templates_read(&got, rootfd, &d) < 0)
		fail_msg("%s", d.lines[0]);
	assert_same(&got);
	rm_rf_p(&dir);
}

/* A file's name may be so long that there is no room for a number before it. */
static void long_name_is_left_out(void **state)
{
	char path[NAME_MAX + 2] = "/";
	static struct recipe_template one[] = {{.where = WHERE(1), .mode = 0644}};
	struct host_template t = {
		.path = path, .mode = 0644, .text = (char *)"x", .name = (char *)"f"};

	(void)state;
	w.recipe.name = (char *)"tiny";
	w.recipe.templates = one;
	w.recipe.n_templates = 1;
	one[0].path = path;
	memset(path + 1, 'n', NAME_MAX - 2);
	host_templates_add(&w.recipe.compiled, &t);
	path[NAME_MAX - 1] = 'n';
	host_templates_add(&w.recipe.compiled, &t);
	path[NAME_MAX] = 'n';
	host_templates_add(&w.recipe.compiled, &t);
	add_recipe();
	assert_null(layer_find(&w.layer, TEMPLATES_DIR "/1"));
	assert_non_null(layer_find(&w.layer, TEMPLATES_DIR "/2"));
	assert_non_null(layer_find(&w.layer, TEMPLATES_DIR "/3"));
}

static void image_without_templates_has_no_list(void **state)
{
	(void)state;
	fill();
	w.recipe.n_templates = 0;
	host_templates_done(&w.recipe.compiled);
	add_recipe();
	assert_null(layer_find(&w.layer, TEMPLATES_CFG));
}

/* The same recipe gives the same files, with the recipe's time. */
static void layer_is_the_same_each_time(void **state)
{
	_cleanup_free_ char *first = NULL;

	fill();
	add_recipe();
	for (size_t i = 0; i < w.layer.n; i++)
		if (w.layer.v[i].source == LAYER_TEXT && w.layer.v[i].len > 100)
			w.layer.v[i].len = 100; /* list() reads short files only */
	merged(NULL);
	has("directory /usr/lib/rackstrap/templates 0755 0:0 1000");
	has("file /usr/lib/rackstrap/templates/1-b.conf 0644 0:0 1000 "
	    "'[x]\n{{#hosts}}\n{{name}} = {{role}}\n{{/hosts}}\n'");
	first = xstrdup(w.text);
	host_templates_done(&w.recipe.compiled);
	teardown(state);
	setup(state);
	fill();
	add_recipe();
	for (size_t i = 0; i < w.layer.n; i++)
		if (w.layer.v[i].source == LAYER_TEXT && w.layer.v[i].len > 100)
			w.layer.v[i].len = 100;
	merged(NULL);
	assert_string_equal(w.text, first);
}

static void manifest_has_the_templates(void **state)
{
	static char none[] = "", vmlinuz[] = "vmlinuz", initrd[] = "initrd.img",
		    root[] = "root.squashfs";
	struct output outputs[] = {{.path = vmlinuz}, {.path = initrd}, {.path = root}};
	const struct base base = {.packages = none};
	const struct inputs inputs = {0};
	const struct manifest m = {.r = &w.recipe,
				   .base = &base,
				   .inputs = &inputs,
				   .layer = &w.layer,
				   .index = &w.index,
				   .stats = &w.stats,
				   .outputs = outputs,
				   .n_outputs = 3};
	_cleanup_image_ struct image image = {0};
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		snprintf(outputs[i].sha256, sizeof(outputs[i].sha256), SHA_OF("0123"));
	fill();
	add_recipe();
	text = manifest_render(&m);
	if (image_parse(&image, NULL, text, strlen(text), &e) < 0)
		fail_msg("%s\n%s", e.msg, text);
	assert_same(&image.templates);
	assert_non_null(image.templates.v[0].compiled);
}

static void files_that_cannot_be_made_are_refused(void **state)
{
	static struct recipe_template wrong[] = {
		{.path = (char *)"/etc/systemd", .where = WHERE(1)},
		{.path = (char *)"/etc/hosts/x", .where = WHERE(2)},
		{.path = (char *)"/lib/mine", .where = WHERE(3)},
		{.path = (char *)"/srv/data", .where = WHERE(4)},
		{.path = (char *)"/etc/new", .where = WHERE(5)},
		{.path = (char *)"/etc/new/x", .where = WHERE(6)},
		{.path = (char *)"/usr/share/doc/a/copyright", .where = WHERE(7)},
		{.path = (char *)"/lib/rackstrap/x", .where = WHERE(8)},
		{.path = (char *)"/lib/rackstrap", .where = WHERE(9)},
		{.path = (char *)"/lib/rackstrap-x", .where = WHERE(10)},
	};
	static const char *const want[] = {
		"r.cfg:1: /etc/systemd is a directory in the base",
		"r.cfg:2: /etc/hosts/x cannot be inside /etc/hosts, which is a file in "
		"the base",
		"r.cfg:3: /usr/lib/mine is a file already (r.cfg:1)",
		"r.cfg:4: /srv/data is a directory already (r.cfg:1)",
		"r.cfg:6: /etc/new/x cannot be inside /etc/new, which is the file of a "
		"template (r.cfg:5)",
		"r.cfg:8: /lib/rackstrap/x: /usr/lib/rackstrap/x is made by firstboot "
		"itself",
		"r.cfg:8: /lib/rackstrap/x cannot be inside /lib/rackstrap, which is the "
		"file of a template (r.cfg:9)",
		"r.cfg:9: /lib/rackstrap: /usr/lib/rackstrap is a folder of files that "
		"firstboot makes itself",
	};

	(void)state;
	w.recipe.templates = wrong;
	w.recipe.n_templates = ARRAY_SIZE(wrong);
	file("/usr/lib/mine", "m");
	file("/srv/data/x", "x");
	layer_finish(&w.layer);
	layer_check_templates(&w.layer, &w.recipe);
	for (size_t i = 0; i < ARRAY_SIZE(want) && i < w.diag.n; i++)
		assert_string_equal(w.diag.lines[i], want[i]);
	assert_int_equal(w.diag.n, ARRAY_SIZE(want));
}

static void missing_units_are_refused(void **state)
{
	static char *names[] = {(char *)"ssh.service", (char *)"gone.service", NULL};
	static struct recipe_template wrong[] = {
		{.path = (char *)"/etc/x", .units_where = WHERE(1), .units = names}};

	(void)state;
	w.recipe.templates = wrong;
	w.recipe.n_templates = 1;
	unit_links(&w.layer, &w.index, &w.recipe);
	assert_int_equal(w.diag.n, 1);
	assert_string_equal(w.diag.lines[0],
			    "r.cfg:1: template: units: neither the recipe nor the base "
			    "has a unit 'gone.service'");
}

static int clean(void **state)
{
	host_templates_done(&w.recipe.compiled);
	return teardown(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, clean)
int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(firstboot_reads_the_templates_of_the_image),
		CASE(long_name_is_left_out),
		CASE(image_without_templates_has_no_list),
		CASE(layer_is_the_same_each_time),
		CASE(manifest_has_the_templates),
		CASE(files_that_cannot_be_made_are_refused),
		CASE(missing_units_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
