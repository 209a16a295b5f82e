/* SPDX-License-Identifier: Apache-2.0 */
/* The rack's hosts for templates: hosts.cfg is read as it was written, and a rack.cfg
 * gives the same hosts. */
#include "firstboot/model/rack-hosts.h"
#include "pxe/rack-image.h"
#include "test-roles.h"

#include "test-host.h"

static int load_text(struct rack_hosts *ret, const char *text, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	*ret = (struct rack_hosts){0};
	assert_int_equal(conf_parse(&c, text, strlen(text), "hosts.cfg", CONF_MAX_RACK,
				    CONF_NO_INCLUDE, d),
			 0);
	return rack_hosts_load(ret, conf_root(c), d);
}

static void text_is_read_as_it_was_written(void **state)
{
	static const char want[] =
		"hosts = (\n"
		"\t{ name = \"a\"; role = \"control\"; address = \"10.0.0.1\"; },\n"
		"\t{ name = \"b\"; role = \"gpu-node\"; }\n"
		");\n";
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *second = NULL;
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	rack_hosts_add(&hosts, "a", "control", 0x0a000001);
	rack_hosts_add(&hosts, "b", "gpu-node", 0);
	text = rack_hosts_text(&hosts);
	assert_string_equal(text, want);
	assert_int_equal(load_text(&again, text, &d), 0);
	second = rack_hosts_text(&again);
	assert_string_equal(second, want);
	assert_int_equal(again.v[0].address, 0x0a000001);
	assert_int_equal(again.v[1].address, 0);
}

/* It is refused when it is read: no rack is without hosts, but a file may be cut. */
static void rack_without_hosts_is_an_empty_list(void **state)
{
	_cleanup_rack_hosts_ struct rack_hosts none = {0}, again = {0};
	_cleanup_free_ char *text = rack_hosts_text(&none);
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	assert_string_equal(text, "hosts = (\n);\n");
	assert_int_equal(load_text(&again, text, &d), -1);
	assert_lines(&d,
		     "hosts.cfg:1: hosts: the list is empty, but a rack has a host\n");
}

static void wrong_entries_are_refused(void **state)
{
	static const char text[] =
		"hosts = ( { name = \"a\"; },\n"
		"{ role = \"node\"; },\n"
		"{ name = \"b\"; role = \"node\"; address = \"10.0.0.1/8\"; },\n"
		"{ name = \"c\"; role = \"node\"; address = 5; },\n"
		"{ name = \"d\"; role = \"node\"; mac = \"x\"; },\n"
		"{ name = 5; role = \"node\"; },\n"
		"{ name = \"e\"; role = \"node\"; } );\n"
		"more = 1;\n";
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	assert_int_equal(load_text(&hosts, text, &d), -1);
	assert_lines(&d, "hosts.cfg:8: unknown key 'more'\n"
			 "hosts.cfg:1: a host needs name and role\n"
			 "hosts.cfg:2: a host needs name and role\n"
			 "hosts.cfg:3: address: must be an IPv4 address\n"
			 "hosts.cfg:4: address: must be a string: write it in quotation "
			 "marks\n"
			 "hosts.cfg:5: unknown key 'mac'\n"
			 "hosts.cfg:6: name: must be a string: write it in quotation "
			 "marks\n");
	assert_int_equal(hosts.n, 1);
}

static void other_lists_are_refused(void **state)
{
	static const char *const texts[] = {"hosts = \"a\";\n",
					    "hosts = [ \"a\" ];\n",
					    "hosts = ( \"a\" );\n",
					    "hosts = ( ( ) );\n",
					    "hosts = ( );\n",
					    "# cut",
					    ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
		_cleanup_diag_ struct diag d = {0};

		if (load_text(&hosts, texts[i], &d) == 0)
			fail_msg("%s", texts[i]);
		assert_true(d.n > 0);
		assert_int_equal(hosts.n, 0);
	}
}

#define RACK                                                                             \
	"cluster : { name = \"x\"; node_network = \"172.25.0.0/24\";\n"                  \
	"gateway = \"172.25.0.1\"; boot_server = \"172.25.0.1\"; master = \"m\"; };\n"   \
	"hosts = ( { name = \"m\"; role = \"master\"; mac = \"52:54:00:25:00:10\";\n"    \
	"address = \"172.25.0.10\"; },\n"                                                \
	"{ name = \"n\"; role = \"node\"; mac = \"52:54:00:25:00:11\";\n"                \
	"address = \"172.25.0.11/24\"; cbr0 = \"192.168.1.1/24\"; } );\n"

/* A medium's rack.cfg gives the hosts that `rackstrap pxe` writes. */
static void rack_file_gives_the_same_hosts(void **state)
{
	_cleanup_rack_hosts_ struct rack_hosts of_rack = {0}, of_file = {0};
	_cleanup_free_ char *want = NULL, *got = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	roles_2015(&roles);
	if (rack_parse(&rack, RACK, strlen(RACK), "rack.cfg", CONF_NO_INCLUDE, &roles,
		       &d) < 0)
		fail_msg("%s", d.lines[0]);
	rack_hosts_of(&of_rack, &rack);
	want = rack_hosts_text(&of_rack);
	assert_int_equal(conf_parse(&c, RACK, strlen(RACK), "rack.cfg", CONF_MAX_RACK,
				    CONF_NO_INCLUDE, &d),
			 0);
	rack_hosts_load_rack(&of_file, conf_root(c));
	got = rack_hosts_text(&of_file);
	assert_string_equal(got, want);
	assert_int_equal(of_file.v[1].address, 0xac19000b);
}

static void wrong_entries_of_a_rack_file_are_left_out(void **state)
{
	static const char text[] =
		"hosts = ( { name = \"a\"; }, { name = \"b\"; role = \"r\"; address = "
		"\"dhcp\"; }, \"c\", { name = \"d\"; role = 5; },\n"
		"{ name = \"e\"; role = \"r\"; address = \"x/24\"; } );\n";
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	_cleanup_free_ char *got = NULL;
	_cleanup_conf_ struct conf *c = NULL;

	(void)state;
	assert_int_equal(conf_parse(&c, text, strlen(text), "rack.cfg", CONF_MAX_RACK,
				    CONF_NO_INCLUDE, NULL),
			 0);
	rack_hosts_load_rack(&hosts, conf_root(c));
	got = rack_hosts_text(&hosts);
	assert_string_equal(got, "hosts = (\n\t{ name = \"b\"; role = \"r\"; },\n"
				 "\t{ name = \"e\"; role = \"r\"; }\n);\n");
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(text_is_read_as_it_was_written),
		T(rack_without_hosts_is_an_empty_list),
		T(wrong_entries_are_refused),
		T(other_lists_are_refused),
		T(rack_file_gives_the_same_hosts),
		T(wrong_entries_of_a_rack_file_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
