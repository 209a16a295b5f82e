/* SPDX-License-Identifier: Apache-2.0 */
/* The files of an image's templates, below a root: made, changed, removed, and refused
 * before anything is written. */
#include "firstboot/config.h"
#include "firstboot/plan/plan.h"
#include "firstboot/state.h"
#include "test-firstboot-root.h"

#define TWO_ROLES                                                                        \
	"roles = ( { name = \"node\"; units = [ ]; },\n"                                 \
	"  { name = \"control\"; units = [ ]; } );\n"
#define CFG(role)                                                                        \
	"name = \"a\";\nrole = \"" role "\";\nmac = \"" NODE_MAC "\";\n"                 \
	"address = \"172.25.0.11/24\";\n"
#define HOSTS                                                                            \
	"hosts = ( { name = \"a\"; role = \"node\"; address = \"172.25.0.11\"; },\n"     \
	"  { name = \"c\"; role = \"control\"; address = \"172.25.0.10\"; },\n"          \
	"  { name = \"d\"; role = \"node\"; } );\n"
#define RACK                                                                             \
	"cluster : { name = \"demo\"; node_network = \"172.25.0.0/24\";\n"               \
	"  boot_server = \"172.25.0.1\"; };\n"                                           \
	"hosts = ( { name = \"a\"; role = \"node\"; mac = \"" NODE_MAC "\";\n"           \
	"    address = \"172.25.0.11\"; },\n"                                            \
	"  { name = \"c\"; role = \"control\"; mac = \"52:54:00:25:00:10\";\n"           \
	"    address = \"172.25.0.10/24\"; },\n"                                         \
	"  { name = \"d\"; role = \"node\"; mac = \"52:54:00:25:00:12\";\n"              \
	"    address = \"dhcp\"; } );\n"

/* A file of JSON, which has no place for a mark, in a new folder, for one role; and a
 * list of the rack's hosts for the other. */
#define TEMPLATES                                                                        \
	"templates = ( { path = \"/etc/app/conf/a.json\"; mode = \"0640\";\n"            \
	"  format = \"json\"; roles = [ \"node\" ]; text = \"1-a.json\"; } );\n"
#define JSON "{ \"name\": {{host.name}}, \"mtu\": {{host.mtu.given}} }\n"

#define TEMPLATES_HOSTS                                                                  \
	"templates = ( { path = \"/etc/list\"; mode = \"0644\"; format = \"plain\";\n"   \
	"  roles = [ \"node\" ]; text = \"1-list\"; } );\n"
#define LIST                                                                             \
	"{{#hosts}}\n{{name}} {{role}} "                                                 \
	"{{#address}}{{address}}{{/address}}\n{{/hosts}}\n"                              \
	"{{#hosts.node}}{{name}}{{^last}},{{/last}}{{/hosts.node}}\n"
#define LISTED "a node 172.25.0.11\nc control 172.25.0.10\nd node \na,d\n"

static void machine_with(struct machine *m, const char *templates, const char *name,
			 const char *text)
{
	_cleanup_free_ char *path = xasprintf(TEMPLATES_DIR "/%s", name);

	machine_make_empty(m);
	write_file(m, ROLES_PATH, TWO_ROLES);
	write_file(m, TEMPLATES_CFG, templates);
	write_file(m, path, text);
	add_link(m, "eth0", NODE_MAC, 2, true);
}

static void apply(const struct machine *m, const char *cfg)
{
	struct err e;

	if (cfg)
		write_file(m, HOST_CFG, cfg);
	if (cmd_apply(&m->fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Checks that apply refuses the host with one complaint, and makes no file of a
 * template. */
static void assert_refused(const struct machine *m, const char *want)
{
	_cleanup_applied_ struct applied a = {0};
	struct err e;

	assert_int_equal(cmd_apply(&m->fb, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	applied_read(&a, &m->fb);
	assert_false(a.ok);
	assert_int_equal(strv_len(a.errors), 1);
	assert_string_equal(a.errors[0], want);
	assert_file(m, "etc/hostname", NULL);
	assert_file(m, "etc/list", NULL);
	assert_file(m, "etc/app/conf/a.json", NULL);
}

static void test_file_is_made_and_changed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct stat st;

	machine_with(&m, TEMPLATES, "1-a.json", JSON);
	apply(&m, CFG("node"));
	assert_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": false }\n");
	assert_int_equal(fstatat(m.fb.rootfd, "etc/app/conf/a.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	apply(&m, CFG("node") "mtu = 1500;");
	assert_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": true }\n");
	/* A file that somebody has changed is made anew. */
	write_file(&m, "etc/app/conf/a.json", "{}\n");
	apply(&m, NULL);
	assert_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": true }\n");
}

static void test_another_role_has_no_file(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES, "1-a.json", JSON);
	apply(&m, CFG("node"));
	apply(&m, CFG("node") "mtu = 1500;");
	apply(&m, CFG("control"));
	assert_file(&m, "etc/app/conf/a.json", NULL);
	/* Its folders were made for it. */
	assert_int_equal(faccessat(m.fb.rootfd, "etc/app", F_OK, 0), -1);
	apply(&m, CFG("node"));
	assert_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": false }\n");
}

static void test_another_image_has_no_file(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES, "1-a.json", JSON);
	apply(&m, CFG("node"));
	write_file(&m, TEMPLATES_CFG, "templates = ( );\n");
	apply(&m, CFG("node"));
	assert_file(&m, "etc/app/conf/a.json", NULL);
	write_file(&m, TEMPLATES_CFG, TEMPLATES);
	apply(&m, CFG("node"));
	assert_int_equal(unlinkat(m.fb.rootfd, TEMPLATES_CFG, 0), 0);
	apply(&m, CFG("node"));
	assert_file(&m, "etc/app/conf/a.json", NULL);
}

static void test_changed_file_stays(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES, "1-a.json", JSON);
	apply(&m, CFG("node"));
	write_file(&m, "etc/app/conf/a.json", "{ \"mine\": 1 }\n");
	apply(&m, CFG("control"));
	assert_file(&m, "etc/app/conf/a.json", "{ \"mine\": 1 }\n");
	/* It is not removed later either. */
	apply(&m, CFG("control") "mtu = 1500;");
	assert_file(&m, "etc/app/conf/a.json", "{ \"mine\": 1 }\n");
}

/* A file of the image under the name of a template stays on hosts of other roles. */
static void test_file_of_the_image_stays(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES, "1-a.json", JSON);
	write_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": false }\n");
	apply(&m, CFG("control"));
	assert_file(&m, "etc/app/conf/a.json", "{ \"name\": \"a\", \"mtu\": false }\n");
}

static void test_hosts_come_from_the_network(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES_HOSTS, "1-list", LIST);
	write_file(&m, HOSTS_CFG, HOSTS);
	apply(&m, CFG("node"));
	assert_file(&m, "etc/list", LISTED);
}

static void test_hosts_come_from_a_medium(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES_HOSTS, "1-list", LIST);
	write_file(&m, MEDIUM_RACK_CFG, RACK);
	apply(&m, NULL);
	assert_file(&m, "etc/list", LISTED);
}

static void test_missing_hosts_are_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES_HOSTS, "1-list", LIST);
	write_file(&m, HOST_CFG, CFG("node"));
	assert_refused(&m, "the template /etc/list loops over the hosts of the rack, "
			   "which did not come with this boot: boot this host from the "
			   "boot server, or from a medium with a rack.cfg");
	/* A role without that template does not need them. */
	apply(&m, CFG("control"));
}

static void test_wrong_hosts_are_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m, TEMPLATES_HOSTS, "1-list", LIST);
	write_file(&m, HOST_CFG, CFG("node"));
	write_file(&m, HOSTS_CFG, "hosts = ( { name = \"a\"; } );\n");
	assert_refused(&m, "hosts.cfg:1: a host needs name and role");
	write_file(&m, HOSTS_CFG, "");
	assert_refused(&m,
		       "hosts.cfg: has no list 'hosts': the file is empty or was cut: "
		       "boot this host again");
	write_file(&m, HOSTS_CFG, "@include \"/etc/passwd\"\n");
	assert_refused(&m, "hosts.cfg:1: @include is not allowed in this file");
}

/* A value that would change the file's lines is refused before anything is written. */
static void test_value_that_breaks_the_format_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_with(&m,
		     "templates = ( { path = \"/etc/list\"; mode = \"0644\";\n"
		     "  format = \"ini\"; text = \"1-list\"; } );\n",
		     "1-list", "[a]\n{{#hosts}}\nkey={{name}}\n{{/hosts}}\n");
	write_file(&m, HOST_CFG, CFG("node"));
	write_file(&m, HOSTS_CFG,
		   "hosts = ( { name = \"a\"; role = \"node\"; },\n"
		   "  { name = \"x\\n[b]\"; role = \"node\"; } );\n");
	assert_refused(&m,
		       "the template /etc/list:3: the value of {{name}} has a newline: "
		       "'x [b]'");
}

static void test_wrong_templates_are_refused(void **state _unused_)
{
	static const struct {
		const char *cfg, *want;
	} cases[] = {
		{"templates = ( { path = \"etc/x\"; mode = \"0644\"; format = \"plain\"; "
		 "text = \"1-list\"; } );",
		 TEMPLATES_CFG ":1: must be a template: { path = ...; mode = ...; "
			       "format = ...; text = ...; }"},
		{"templates = ( { path = \"/etc/x\"; mode = \"0644\"; format = "
		 "\"toml\"; text = \"1-list\"; } );",
		 TEMPLATES_CFG ":1: must be a template: { path = ...; mode = ...; "
			       "format = ...; text = ...; }"},
		{"templates = ( { path = \"/etc/x\"; mode = \"0644\"; format = "
		 "\"plain\"; text = \"../1-list\"; } );",
		 TEMPLATES_CFG ":1: must be a template: { path = ...; mode = ...; "
			       "format = ...; text = ...; }"},
		{"templates = ( { path = \"/etc/x\"; mode = 644; format = \"plain\"; "
		 "text = \"1-list\"; } );",
		 TEMPLATES_CFG ":1: mode: must be a string: write it in quotation marks"},
		{"templates = ( { path = \"/etc/x\"; mode = \"0644\"; format = "
		 "\"plain\"; text = \"none\"; } );",
		 TEMPLATES_CFG ":1: /" TEMPLATES_DIR "/none: No such file or directory"},
		{"templates = ( { path = \"/etc/x\"; mode = \"0644\"; format = "
		 "\"plain\"; text = \"1-list\"; } );",
		 "/etc/x:1: unknown value {{host.nme}} (did you mean {{host.name}}?)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_machine_ struct machine m;

		machine_with(&m, cases[i].cfg, "1-list", "{{host.nme}}\n");
		write_file(&m, HOST_CFG, CFG("node"));
		assert_refused(&m, cases[i].want);
	}
}

/* The part before a zero byte is not taken for the whole template. */
static void test_zero_byte_is_refused(void **state _unused_)
{
	static const char text[] = "a\0{{host.nme}}\n";
	_cleanup_machine_ struct machine m;

	machine_with(&m,
		     "templates = ( { path = \"/etc/list\"; mode = \"0644\"; format = "
		     "\"plain\"; text = \"1-list\"; } );",
		     "1-list", "a\n");
	write_file(&m, HOST_CFG, CFG("node"));
	assert_int_equal(file_write_at(m.fb.rootfd, TEMPLATES_DIR "/1-list", text,
				       sizeof(text) - 1, 0644),
			 0);
	assert_refused(&m, TEMPLATES_CFG ":1: /" TEMPLATES_DIR
					 "/1-list: has a zero byte, and is no text");
}

static void test_plan_has_the_file(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	static const char *const roles[] = {"node", "control"};

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_config_ struct config c = {0};
		_cleanup_plan_ struct plan p = {0};

		machine_with(&m, TEMPLATES, "1-a.json", JSON);
		write_file(&m, HOST_CFG, i == 0 ? CFG("node") : CFG("control"));
		assert_int_equal(config_load(&c, &m.fb), 0);
		plan_make(&p, &c.host, c.role, &c.templates, "eth0");
		text = plan_text(&p);
		assert_has(text, i == 0 ? "file /etc/app/conf/a.json 0640\n"
					  "    { \"name\": \"a\", \"mtu\": false }\n"
					: "no file /etc/app/conf/a.json\n");
		if (i == 0)
			machine_done(&m);
	}
}

/* `firstboot check FILE` makes the files, too, but writes none. */
static void test_check_makes_the_files(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *path = NULL;
	struct {
		const char *hosts;
		int want;
	} cases[] = {{NULL, -1}, {"hosts = ( { name = \"a\"; } );", -1}, {HOSTS, 0}};

	machine_with(&m, TEMPLATES_HOSTS, "1-list", LIST);
	write_file(&m, "a.cfg", CFG("node"));
	path = xasprintf("%s/a.cfg", m.dir);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_config_ struct config c = {0};

		if (cases[i].hosts)
			write_file(&m, HOSTS_CFG, cases[i].hosts);
		assert_int_equal(config_load_file(&c, &m.fb, path), cases[i].want);
		assert_int_equal(c.complaints.n, cases[i].want ? 1 : 0);
	}
	assert_file(&m, "etc/list", NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_made_and_changed),
		cmocka_unit_test(test_another_role_has_no_file),
		cmocka_unit_test(test_another_image_has_no_file),
		cmocka_unit_test(test_changed_file_stays),
		cmocka_unit_test(test_file_of_the_image_stays),
		cmocka_unit_test(test_hosts_come_from_the_network),
		cmocka_unit_test(test_hosts_come_from_a_medium),
		cmocka_unit_test(test_missing_hosts_are_refused),
		cmocka_unit_test(test_wrong_hosts_are_refused),
		cmocka_unit_test(test_value_that_breaks_the_format_is_refused),
		cmocka_unit_test(test_wrong_templates_are_refused),
		cmocka_unit_test(test_zero_byte_is_refused),
		cmocka_unit_test(test_plan_has_the_file),
		cmocka_unit_test(test_check_makes_the_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
