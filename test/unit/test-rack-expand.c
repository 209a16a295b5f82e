/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/rack-expand.h. test/should-fail/rack has a rack for each error message. */
#include "builder/common/leftovers.h"
#include "pxe/rack-settings.h"
#include "test-roles.h"
#include "test/unit/test-tempdir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void put(const char *name, const char *text)
{
	_cleanup_close_ int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* Returns all hosts, one in a line, "KEY=VALUE ...". Owned by the caller. */
static char *hosts_text(const struct rack_settings *s)
{
	const struct conf_node *hosts =
		conf_member(conf_root(rack_settings_flat(s)), "hosts");
	struct buf b = {0};

	buf_puts(&b, "");
	for (size_t i = 0; i < conf_len(hosts); i++) {
		const struct conf_node *host = conf_at(hosts, i);

		for (size_t k = 0; k < conf_len(host); k++) {
			_cleanup_free_ char *value = conf_value_text(conf_at(host, k));

			buf_printf(&b, "%s%s=", k ? " " : "", conf_key(conf_at(host, k)));
			for (const char *p = value; *p; p++)
				if (!strchr("\"\n\t", *p))
					buf_add(&b, p, 1);
		}
		buf_puts(&b, "\n");
	}
	return buf_take(&b);
}

/* Reads rack.cfg with these settings, and checks its hosts. */
static void gives(const char *text, const char *want)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *is = NULL;

	put("rack.cfg", text);
	assert_int_equal(rack_settings_read(&s, "rack.cfg", &d), 0);
	assert_int_equal(d.n, 0);
	is = hosts_text(&s);
	assert_string_equal(is, want);
}

/* Does the same with a mistake. */
static void refuses(const char *text, const char *want)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};

	put("rack.cfg", text);
	assert_int_equal(rack_settings_read(&s, "rack.cfg", &d), 0);
	assert_true(s.incomplete);
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&b, "%s\n", d.lines[i]);
	assert_string_equal(b.p, want);
}

static void ranges_spread(void **state _unused_)
{
	gives("hosts = ( { name = \"n[1-3]\"; x = \"a[7-9]b\"; y = 1; } );",
	      "name=n1 x=a7b y=1\nname=n2 x=a8b y=1\nname=n3 x=a9b y=1\n");
	gives("hosts = ( { name = \"n[1-2]\"; bond = [ \"e0\", \"e[5-6]\" ];"
	      "vm = { disk = \"[3-4]G\"; cpus = 2; }; } );",
	      "name=n1 bond=[ e0, e5 ] vm={disk = 3G;cpus = 2;}\n"
	      "name=n2 bond=[ e0, e6 ] vm={disk = 4G;cpus = 2;}\n");
	gives("hosts = ( { name = \"n[1-2]\"; mac = [ \"a\", \"b\" ]; },"
	      "{ serial = ( \"s\" ); name = \"m\"; uuid = \"u\"; } );",
	      "name=n1 mac=a\nname=n2 mac=b\nname=m serial=s uuid=u\n");
	gives("hosts = ( { name = \"n[1-3]\"; mac = \"52-54-00-25-[09-0a,1f]-00\"; } );",
	      "name=n1 mac=52:54:00:25:09:00\nname=n2 mac=52:54:00:25:0a:00\n"
	      "name=n3 mac=52:54:00:25:1f:00\n");
	gives("hosts = ( { name = \"n[1-2]\"; vlan = \"[7-8]\"; } );",
	      "name=n1 vlan=7\nname=n2 vlan=8\n");
}

/* The loader refuses a number in quotation marks. */
static void ranges_in_vm_are_numbers(void **state _unused_)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct conf_node *hosts;

	put("rack.cfg", "hosts = ( { name = \"n[1-2]\"; vm = { memory = \"[1-2]G\";"
			"cpus = \"[2-3]\"; nics = \"[1,1]\"; disk = \"[7-8]\"; }; } );");
	assert_int_equal(rack_settings_read(&s, "rack.cfg", &d), 0);
	assert_false(s.incomplete);
	hosts = conf_member(conf_root(rack_settings_flat(&s)), "hosts");
	for (size_t i = 0; i < 2; i++) {
		const struct conf_node *vm = conf_member(conf_at(hosts, i), "vm");

		assert_int_equal(conf_type(conf_member(vm, "memory")), CONF_STRING);
		assert_int_equal(conf_type(conf_member(vm, "cpus")), CONF_INT);
		assert_int_equal(conf_type(conf_member(vm, "nics")), CONF_INT);
		assert_int_equal(conf_type(conf_member(vm, "disk")), CONF_STRING);
	}
}

/* An entry of one host means the same, whatever other entries the rack has: its values
 * may come from `rackstrap discover`, where machines choose them. */
static void a_host_without_a_range_has_none(void **state _unused_)
{
	gives("hosts = ( { name = \"n[1-2]\"; },"
	      "{ name = \"m\"; serial = \"A[1-3]\"; cmdline = \"x=[3]\"; "
	      "search = [ \"[1-9]\" ]; vm = { disk = \"[2]G\"; }; },"
	      "{ name = \"o\"; serial = [ \"B[1]\" ]; } );",
	      "name=n1\nname=n2\n"
	      "name=m serial=A[1-3] cmdline=x=[3] search=[ [1-9] ] vm={disk = [2]G;}\n"
	      "name=o serial=B[1]\n");
	refuses("hosts = ( { name = \"n[1-2]\"; serial = \"A[1-3]\"; } );",
		"rack.cfg:1: hosts 'n[1-2]': serial: 3 values for 2 hosts: give one for "
		"each\n");
}

static void addresses_count(void **state _unused_)
{
	gives("hosts = ( { name = \"n[1-3]\"; address = \"10.0.0.254\";"
	      "cbr0 = \"10.1.255.1/24\"; gateway = \"10.0.0.1\"; } );",
	      "name=n1 address=10.0.0.254 cbr0=10.1.255.1/24 gateway=10.0.0.1\n"
	      "name=n2 address=10.0.0.255 cbr0=10.2.0.1/24 gateway=10.0.0.1\n"
	      "name=n3 address=10.0.1.0 cbr0=10.2.1.1/24 gateway=10.0.0.1\n");
	gives("hosts = ( { name = \"n[1-2]\"; address = \"10.0.0.1/16\"; },"
	      "{ name = \"m[1-2]\"; address = \"dhcp\"; } );",
	      "name=n1 address=10.0.0.1/16\nname=n2 address=10.0.0.2/16\n"
	      "name=m1 address=dhcp\nname=m2 address=dhcp\n");
}

static void profiles_are_taken(void **state _unused_)
{
	gives("profiles = { a = { mtu = 1; vm = { cpus = 1; disk = \"1G\"; }; };"
	      "b = { mtu = 2; role = \"r\"; vm = { cpus = 2; }; }; };"
	      "hosts = ( { name = \"n\"; profiles = [ \"a\", \"b\" ]; role = \"s\"; },"
	      "{ name = \"m\"; profiles = \"a\"; vm = { disk = \"3G\"; }; } );",
	      "name=n mtu=2 vm={cpus = 2;disk = 1G;} role=s\n"
	      "name=m mtu=1 vm={cpus = 1;disk = 3G;}\n");
}

static void tables_are_read(void **state _unused_)
{
	put("t.csv", "name,mac,mtu,dns,vm.cpus,vm.disk,profiles\r\n"
		     "n1,a,,\"1.1.1.1,2.2.2.2\",,,\r\nn2,b,9000,,3,4G,p\r\n");
	gives("profiles = { p = { mtu = 7; vm = { nics = 2; }; }; };"
	      "hosts_file = \"t.csv\"; hosts = ( { name = \"m\"; } );",
	      "name=m\nname=n1 mac=a dns=[ 1.1.1.1, 2.2.2.2 ]\n"
	      "mtu=9000 vm={nics = 2;cpus = 3;disk = 4G;} name=n2 mac=b\n");
	gives("profiles = { p = { mtu = 7; }; };"
	      "hosts = ( { name = \"n[1-2]\"; hosts_file = \"t.csv\"; mtu = 5; } );",
	      "name=n1 mtu=5 mac=a dns=[ 1.1.1.1, 2.2.2.2 ]\n"
	      "name=n2 mtu=9000 mac=b vm={cpus = 3;disk = 4G;}\n");
	put("m.csv", "mac,#seen\na,often\nb,\n");
	gives("hosts = ( { name = \"n[1-2]\"; hosts_file = \"m.csv\"; } );",
	      "name=n1 mac=a\nname=n2 mac=b\n");
}

/* One table may have the rows of several entries, in any order. */
static void entries_share_a_table(void **state _unused_)
{
	put("t.csv", "mac,name\nc,m\nb,n2\na,n1\n");
	gives("hosts = ( { name = \"n[1-2]\"; hosts_file = \"t.csv\"; },"
	      "{ name = \"m\"; hosts_file = \"t.csv\"; } );",
	      "name=n1 mac=a\nname=n2 mac=b\nname=m mac=c\n");
	refuses("hosts = ( { name = \"n[1-2]\"; hosts_file = \"t.csv\"; } );",
		"t.csv:2: host 'm' is in no entry of the rack file that names this "
		"table\n");
}

static void values_keep_their_places(void **state _unused_)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};
	const struct conf_node *hosts, *host;

	put("t.csv", "name,\"mac\"\nn1,a\nn2,b\n");
	put("rack.cfg", "profiles = {\n a = {\n mtu = 1; }; };\nhosts = (\n{\n"
			"name = \"n[1-2]\";\nprofiles = [ \"a\" ];\n"
			"address = \"10.0.0.1\";\nhosts_file = \"t.csv\"; } );\n");
	assert_int_equal(rack_settings_read(&s, "rack.cfg", NULL), 0);
	hosts = conf_member(conf_root(rack_settings_flat(&s)), "hosts");
	host = conf_at(hosts, 1);
	assert_string_equal(conf_file(host), "t.csv");
	assert_int_equal(conf_line(host), 3);
	assert_int_equal(conf_line(conf_member(host, "mtu")), 3);
	assert_string_equal(conf_file(conf_member(host, "mtu")), "rack.cfg");
	assert_int_equal(conf_line(conf_member(host, "address")), 8);
	assert_string_equal(conf_file(conf_member(host, "mac")), "t.csv");
	assert_int_equal(conf_line(conf_member(host, "mac")), 3);
	assert_int_equal(conf_place(conf_member(host, "mac")).column, 4);
}

static void a_plain_rack_is_not_copied(void **state _unused_)
{
	_cleanup_rack_settings_ struct rack_settings s = {0};

	put("rack.cfg", "hosts = ( { name = \"n\"; mac = \"a\"; x = \"[1-2]\"; } );");
	assert_int_equal(rack_settings_read(&s, "rack.cfg", NULL), 0);
	assert_null(s.expanded);
}

/* Complaints about a value that many hosts have are one, and its place is right. */
static void a_mistake_is_told_once(void **state _unused_)
{
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};
	struct rack r;

	roles_2015(&roles);
	put("rack.cfg", "cluster = { name = \"d\"; boot_server = \"10.0.0.1\"; gateway = "
			"\"10.0.0.1\";"
			"master = \"10.0.0.9\"; node_network = \"10.0.0.0/24\"; };\n"
			"profiles = { a = {\n mtu = \"x\"; }; };\n"
			"hosts = ( { name = \"n[1-9]\"; profiles = \"a\"; role = "
			"\"node\";\n"
			"mac = \"52:54:00:25:00:[11-19]\"; address = \"10.0.0.11\";\n"
			"cbr0 = \"192.168.1.1/24\"; vlan = 5000; foo = 1; } );\n");
	assert_int_equal(rack_load(&r, "rack.cfg", &roles, &d), -1);
	assert_int_equal(d.n, 3);
	assert_int_equal(diag_count(&d), 3);
	assert_string_equal(
		d.lines[0],
		"rack.cfg:3: profile 'a': mtu: must be 0 or a positive number");
	assert_string_equal(d.lines[1], "rack.cfg:6: host 'n1': unknown key 'foo'");
	assert_string_equal(d.lines[2], "rack.cfg:6: vlan: must be 1 to 4094, or 0 for "
					"none, not 5000");
}

static void a_million_hosts_are_refused(void **state _unused_)
{
	refuses("hosts = ( { name = \"n[1-1000000]\"; } );",
		"rack.cfg:1: hosts 'n[1-1000000]': more than 100000 hosts\n");
	refuses("hosts = ( { name = \"n[1-60000]\"; },\n{ name = \"m[1-60000]\"; } );",
		"rack.cfg:2: hosts 'm[1-60000]': more than 100000 hosts\n");
}

/* The text that a rack is expanded to gives the same hosts. */
static void the_text_is_read_again(void **state _unused_)
{
	_cleanup_rack_settings_ struct rack_settings s = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *is = NULL, *was = NULL;

	put("t.csv", "name,mac,mtu\nn1,\"a\"\"b\\c\",1\nn2,b,\n");
	put("rack.cfg", "cluster = { f = 1.5; big = 4294967296L; e = ( ); g = ( ( 1, "
			"\"\\n\" ), { } ); b = false; };\n"
			"hosts = ( { name = \"n[1-2]\"; hosts_file = \"t.csv\"; } );");
	assert_int_equal(rack_settings_read(&s, "rack.cfg", NULL), 0);
	text = conf_text(rack_settings_flat(&s));
	assert_int_equal(rack_settings_parse(&again, text, strlen(text), "again.cfg",
					     CONF_NO_INCLUDE, NULL),
			 0);
	was = hosts_text(&s);
	is = hosts_text(&again);
	assert_string_equal(is, was);
	free(is);
	is = conf_text(again.written);
	assert_string_equal(is, text);
}

static int enter(void **state)
{
	char *path = NULL;

	if (tempdir_make("/tmp", "test-rack-expand", &path) < 0)
		return -1;
	*state = path;
	return chdir(path);
}

static int leave(void **state)
{
	_cleanup_free_ char *path = *state;

	return chdir("/") < 0 || leftovers_remove_tree(path) < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_spread),
		cmocka_unit_test(ranges_in_vm_are_numbers),
		cmocka_unit_test(a_host_without_a_range_has_none),
		cmocka_unit_test(addresses_count),
		cmocka_unit_test(profiles_are_taken),
		cmocka_unit_test(tables_are_read),
		cmocka_unit_test(entries_share_a_table),
		cmocka_unit_test(values_keep_their_places),
		cmocka_unit_test(a_plain_rack_is_not_copied),
		cmocka_unit_test(a_mistake_is_told_once),
		cmocka_unit_test(a_million_hosts_are_refused),
		cmocka_unit_test(the_text_is_read_again),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
