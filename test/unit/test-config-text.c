/* SPDX-License-Identifier: Apache-2.0 */
/* Adds ssh keys to the text of a configuration, in all the ways in which it can be
 * written. */
#include "builder/recipe/config-text.h"
#include "lib/file.h"
#include "lib/str.h"
#include "test-roles.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIJQdqrdrD2gBQk4VJ4fX7EuSPiuXUWHeLxYyvRp7NmKi"
#define KEY  "ssh-ed25519 " BLOB " op@desk"
#define HOST                                                                             \
	"name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\";\n"               \
	"master = \"172.25.0.10\";\n"
#define RACK(cluster, a, b)                                                              \
	"cluster : {\n\tname = \"x\"; node_network = \"172.25.0.0/24\";\n"               \
	"\tgateway = \"172.25.0.1\"; boot_server = \"172.25.0.1\"; master = "            \
	"\"m\";\n" cluster "};\nhosts = (\n"                                             \
	"\t{ name = \"m\"; role = \"master\"; mac = \"52:54:00:25:00:10\";\n"            \
	"\t  address = \"172.25.0.10\"; " a " },\n"                                      \
	"\t{ name = \"n\"; role = \"node\"; mac = \"52:54:00:25:00:11\";\n"              \
	"\t  address = \"172.25.0.11\"; cbr0 = \"192.168.1.1/24\"; " b " }\n);\n"

static const struct host_templates no_templates;

static char *add(const char *text, bool rack, int want)
{
	_cleanup_config_text_ struct config_text c = {
		.name = xstrdup("x.cfg"),
		.rack = rack,
		.text = xstrdup(text),
		.len = strlen(text),
	};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};
	int r;

	roles_2015(&roles);
	r = config_text_check(&c, &roles, &no_templates, &d);
	if (r < 0)
		fail_msg("%s", d.lines[0]);
	r = config_text_add_key(&c, KEY, &roles, &d);
	if (r != want)
		fail_msg("%s", d.n > 0 ? d.lines[0] : c.text);
	if (r < 0)
		return xstrdup(d.lines[0]);
	return TAKE_PTR(c.text);
}

#define assert_add(text, rack, want)                                                     \
	do {                                                                             \
		_cleanup_free_ char *got_ = add(text, rack, 0);                          \
		assert_string_equal(got_, want);                                         \
	} while (0)

static void test_key_is_added_to_a_host(void **state)
{
	(void)state;
	assert_add(HOST, false, HOST "\nssh_keys = [ \"" KEY "\" ];\n");
	assert_add(HOST "ssh_keys = [ ]; # none\n", false,
		   HOST "ssh_keys = [ \"" KEY "\"  ]; # none\n");
	assert_add(HOST "ssh_keys = (\"ssh-ed25519 " BLOB " a@b\");", false,
		   HOST "ssh_keys = ( \"" KEY "\",\"ssh-ed25519 " BLOB " a@b\");");
	assert_add(HOST "ssh_keys =\n\t[\n\t\"ssh-ed25519 " BLOB " a@b\" ];", false,
		   HOST "ssh_keys =\n\t[ \"" KEY "\",\n\t\"ssh-ed25519 " BLOB
			" a@b\" ];");
}

static void test_existing_key_is_not_added_again(void **state)
{
	(void)state;
	assert_add(HOST "ssh_keys = [ \"" KEY "\" ];", false,
		   HOST "ssh_keys = [ \"" KEY "\" ];");
}

static void test_key_is_added_to_a_rack(void **state)
{
	(void)state;
	assert_add(RACK("", "", ""), true,
		   "cluster : {\n\tssh_keys = [ \"" KEY "\" ];\n\tname = \"x\"; "
		   "node_network = \"172.25.0.0/24\";\n"
		   "\tgateway = \"172.25.0.1\"; boot_server = \"172.25.0.1\"; master = "
		   "\"m\";\n};\nhosts = (\n"
		   "\t{ name = \"m\"; role = \"master\"; mac = \"52:54:00:25:00:10\";\n"
		   "\t  address = \"172.25.0.10\";  },\n"
		   "\t{ name = \"n\"; role = \"node\"; mac = \"52:54:00:25:00:11\";\n"
		   "\t  address = \"172.25.0.11\"; cbr0 = \"192.168.1.1/24\";  }\n);\n");
	/* The cluster's keys are not added to a host that has keys of its own. */
	assert_add(RACK("\tssh_keys = [ ];\n", "", "ssh_keys = [ ];"), true,
		   RACK("\tssh_keys = [ \"" KEY "\"  ];\n", "",
			"ssh_keys = [ \"" KEY "\"  ];"));
}

/* A text that only looks like the key is refused. */
static void test_misleading_text_is_refused(void **state)
{
	_cleanup_free_ char *said = NULL;

	(void)state;
	said = add(HOST "/* ssh_keys = [ */ ssh_keys = [ ];", false, -1);
	assert_string_equal(said,
			    "x.cfg: ssh_keys: the list is written in a way in which "
			    "a key cannot be added: add the key yourself");
}

/* Returns the complaint about a text, or "" when it is right. Owned by the caller. */
static char *complaint(const char *text, bool rack)
{
	_cleanup_config_text_ struct config_text c = {
		.name = xstrdup("x.cfg"),
		.rack = rack,
		.text = xstrdup(text),
		.len = strlen(text),
	};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};

	roles_2015(&roles);
	if (config_text_check(&c, &roles, &no_templates, &d) == 0)
		return xstrdup("");
	assert_int_equal(d.n, 1);
	return xstrdup(d.lines[0]);
}

#define assert_complaint(text, rack, want)                                               \
	do {                                                                             \
		_cleanup_free_ char *got_ = complaint(text, rack);                       \
		assert_string_equal(got_, want);                                         \
	} while (0)

static void test_secrets_are_refused(void **state)
{
	(void)state;
	assert_complaint(HOST "secrets = [ \"a root 0400\" ];\n", false,
			 "x.cfg:3: secrets are not written to a medium: only the boot "
			 "server gives them to a host, so boot it by PXE or leave them "
			 "out");
	assert_complaint(HOST "secrets = [ ];\n", false, "");
	/* The file is not looked for. */
	assert_complaint(RACK("", "", "secrets = ( { file = \"/absent\"; } );"), true,
			 "x.cfg:9: host 'n': secrets are not written to a medium: only "
			 "the boot server gives them to a host, so boot it by PXE or "
			 "leave them out");
	assert_complaint(RACK("secrets = ( { file = \"a\"; } );", "", ""), true,
			 "x.cfg:4: host 'm': secrets are not written to a medium: only "
			 "the boot server gives them to a host, so boot it by PXE or "
			 "leave them out");
}

static void write_at(const char *dir, const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644), 0);
}

/* A medium has one file: what it includes is written into it. A text without an include
 * stays as it is, with its comments. */
static void test_included_files_are_merged(_unused_ void **state)
{
	char dir[] = "/tmp/test-config-text.XXXXXX";
	static const char plain[] = "# @include \"x\"\n" HOST;
	_cleanup_config_text_ struct config_text c = {0}, rack = {.rack = true};
	_cleanup_config_text_ struct config_text none = {0}, wrong = {.rack = true},
						 places = {.rack = true};
	_cleanup_free_ char *one = NULL, *two = NULL, *three = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0}, said = {0};

	roles_2015(&roles);
	assert_non_null(mkdtemp(dir));
	one = xasprintf("%s/host.cfg", dir);
	two = xasprintf("%s/rack.cfg", dir);
	three = xasprintf("%s/none.cfg", dir);
	write_at(dir, "host.cfg", plain);
	assert_int_equal(config_text_load(&c, one, NULL, &d), 0);
	assert_string_equal(c.text, plain);
	write_at(dir, "hosts.cfg",
		 "{ name = \"m\"; role = \"master\"; mac = \"52:54:00:25:00:10\";\n"
		 "  address = \"172.25.0.10\"; }\n");
	write_at(dir, "rack.cfg",
		 "cluster : { name = \"x\"; node_network = \"172.25.0.0/24\";\n"
		 "gateway = \"172.25.0.1\"; boot_server = \"172.25.0.1\"; master = "
		 "\"m\"; };\nhosts = (\n@include \"hosts.cfg\"\n);\n");
	assert_int_equal(config_text_load(&rack, two, NULL, &d), 0);
	assert_null(strstr(rack.text, "@include"));
	assert_int_equal(rack.len, strlen(rack.text));
	assert_int_equal(config_text_check(&rack, &roles, &no_templates, &d), 0);
	write_at(dir, "hosts.cfg",
		 "\n{ name = \"m\"; role = \"none\"; mac = \"52:54:00:25:00:10\";\n"
		 "  address = \"172.25.0.10\"; }\n");
	assert_int_equal(config_text_load(&places, two, NULL, &d), 0);
	assert_int_equal(config_text_check(&places, &roles, &no_templates, &said), -1);
	assert_int_equal(said.n, 1);
	assert_non_null(strstr(said.lines[0], "/hosts.cfg:2: "));
	assert_int_equal(config_text_add_key(&rack, KEY, &roles, &d), 0);
	assert_non_null(strstr(rack.text, BLOB));
	assert_int_equal(d.n, 0);
	assert_int_equal(config_text_load(&none, three, NULL, &d), -1);
	write_at(dir, "hosts.cfg", "\n{ name = ; }\n");
	assert_int_equal(config_text_load(&wrong, two, NULL, &d), -1);
	assert_int_equal(d.n, 2);
	assert_non_null(strstr(d.lines[1], "hosts.cfg:2: "));
	assert_int_equal(rm_rf_at(AT_FDCWD, dir), 0);
}

/* --- templates of the image --------------------------------------------------------- */

/* Checks a host.cfg or rack.cfg for an image with one template for nodes. Returns the
 * complaints. Owned by the caller. */
static char *check_with(const char *template, const char *text, bool is_rack)
{
	static char *nodes[] = {(char *)"node", NULL};
	const struct host_template one = {.path = (char *)"/etc/x",
					  .format = TEMPLATE_INI,
					  .roles = nodes,
					  .text = (char *)template,
					  .name = (char *)"/etc/x"};
	_cleanup_config_text_ struct config_text c = {
		.name = xstrdup("x.cfg"),
		.rack = is_rack,
		.text = xstrdup(text),
		.len = strlen(text),
	};
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};
	int r;

	roles_2015(&roles);
	host_templates_add(&t, &one);
	if (host_templates_compile(&t, &roles, NULL, &d) < 0)
		fail_msg("%s", d.lines[0]);
	r = config_text_check(&c, &roles, &t, &d);
	assert_int_equal(r, d.n > 0 ? -1 : 0);
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&b, "%s\n", d.lines[i]);
	return xstrdup(b.p ? b.p : "");
}

#define assert_checked(template, text, rack, want)                                       \
	do {                                                                             \
		_cleanup_free_ char *got_ = check_with(template, text, rack);            \
		assert_string_equal(got_, want);                                         \
	} while (0)

#define NODE                                                                             \
	"name = \"n\";\nrole = \"node\"; address = \"172.25.0.11/24\";\n"                \
	"master = \"172.25.0.10\"; gateway = \"172.25.0.1\"; cbr0 = "                    \
	"\"192.168.1.1/24\";\n"
#define PERCENT   "has a '%', which begins a specifier of systemd: '--a=50%'\n"
#define EACH_HOST "[x]\n{{#hosts}}\n{{name}}={{role}}\n{{/hosts}}\n"
#define DOCKER    "[x]\n{{#host.docker_options}}\na={{.}}\n{{/host.docker_options}}\n"

/* A medium's host.cfg comes without the other hosts of a rack. */
static void test_template_over_hosts_needs_a_rack(void **state)
{
	(void)state;
	assert_checked(EACH_HOST, NODE, false,
		       "x.cfg:2: role 'node': the template /etc/x needs the hosts of the "
		       "rack: give the medium a rack.cfg\n");
	assert_checked(EACH_HOST, HOST, false, ""); /* another role */
	assert_checked(EACH_HOST, RACK("", "", ""), true, "");
}

static void test_value_that_breaks_a_template_is_refused(void **state)
{
	(void)state;
	assert_checked(DOCKER, NODE "docker_options = [ \"--a\" ];", false, "");
	assert_checked(DOCKER, NODE "docker_options = [ \"--a=50%\" ];", false,
		       "x.cfg:1: the template /etc/x:3: the value of {{.}} " PERCENT);
	assert_checked(DOCKER, RACK("", "", "docker_options = [ \"--a=50%\" ];"), true,
		       "x.cfg:8: host 'n': the template /etc/x:3: the value of "
		       "{{.}} " PERCENT);
	/* The master has no such file. */
	assert_checked(DOCKER, RACK("", "docker_options = [ \"--a=50%\" ];", ""), true,
		       "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secrets_are_refused),
		cmocka_unit_test(test_included_files_are_merged),
		cmocka_unit_test(test_key_is_added_to_a_host),
		cmocka_unit_test(test_existing_key_is_not_added_again),
		cmocka_unit_test(test_key_is_added_to_a_rack),
		cmocka_unit_test(test_misleading_text_is_refused),
		cmocka_unit_test(test_template_over_hosts_needs_a_rack),
		cmocka_unit_test(test_value_that_breaks_a_template_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
