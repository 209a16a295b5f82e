/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/tree.h: options and kernel words of a tree that are refused, and its tree.cfg. */
#include "test-tree.h"

#include "pxe/dhcp-server.h"

/* --- options that cannot be combined ---------------------------------------------- */

static void bad_options_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t",
				(struct tree_options){.interface = "eth0\nport=53"}, &e),
			 -1);
	assert_string_equal(e.msg, "'eth0 port=53' is not the name of an interface");
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t",
				(struct tree_options){.router_advert = true}, &e),
			 -1);
	assert_string_equal(e.msg, "router advertisements need the interface's name");
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t",
				(struct tree_options){.dhcp = dhcp_server_find("kea")},
				&e),
			 -1);
	assert_string_equal(e.msg, "DHCP by kea needs the interface's name");
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t",
				(struct tree_options){.dhcp = dhcp_server_find("kea"),
						      .interface = "eno1",
						      .proxy_dhcp = true},
				&e),
			 -1);
	assert_string_equal(e.msg,
			    "DHCP by kea cannot leave addresses to another server");
	free(f->image.name);
	f->image.name = xstrdup("tiny; reboot");
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "t", (struct tree_options){0}, &e), -1);
	assert_string_equal(e.msg, "the image's name 'tiny; reboot' cannot stand in a "
				   "boot script");
}

static void bad_kernel_words_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	free(f->image.cmdline);
	f->image.cmdline = xstrdup("quiet ${net0/mac}");
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "t", (struct tree_options){0}, &e), -1);
	assert_non_null(strstr(e.msg, "host 'master': kernel command line: must not hold "
				      "'$': quiet ${net0/mac} boot=rackstrap"));
	free(f->image.cmdline);
	f->image.cmdline = xcalloc(1, 1901);
	memset(f->image.cmdline, 'x', 1900);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "t", (struct tree_options){0}, &e), -1);
	assert_non_null(strstr(e.msg, "are too long (at most 1900)"));
}

static void tree_without_ipxe_has_no_ipxe_files(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = xasprintf("%s/t", f->scratch);
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "t",
				(struct tree_options){.ipxe_dir = "/nonexistent"}, &e),
			 0);
	assert_null(read_text(dir, "tftp/undionly.kpxe"));
}

/* --- tree.cfg --------------------------------------------------------------------- */

static void tree_info_is_read_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = xasprintf("%s/t", f->scratch);
	_cleanup_tree_info_ struct tree_info i = {0};
	struct tree_options o = {.interface = "eno1", .http_port = 8080};
	char mac[NET_MAC_LEN];
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/tags.cfg", "t", o, &e), 0);
	assert_int_equal(tree_info_read(&i, dir, &e), 0);
	assert_string_equal(i.name, "tags");
	assert_string_equal(i.image, "tiny");
	assert_string_equal(i.interface, "eno1");
	assert_int_equal(i.http_port, 8080);
	assert_int_equal(i.boot_server, 0x0a000001);
	assert_false(i.proxy_dhcp);
	assert_int_equal(i.n_hosts, 3);
	assert_string_equal(i.hosts[2].name, "far");
	assert_string_equal(i.hosts[2].columns.v[FEATURE_CBR0], "172.16.2.1/24");
	assert_string_equal(net_format_mac(i.hosts[2].mac, ':', mac),
			    "02:00:00:00:00:03");
	assert_null(i.hosts[0].columns.v[FEATURE_CBR0]);
	assert_ptr_equal(i.dhcp, &dhcp_servers[0]);
	tree_info_done(&i);
	o.dhcp = dhcp_server_find("kea");
	assert_int_equal(render(f, GOLDEN "/tags.cfg", "t", o, &e), 0);
	assert_int_equal(tree_info_read(&i, dir, &e), 0);
	assert_string_equal(i.dhcp->name, "kea");
}

static void other_folders_have_no_tree_info(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *want =
		xasprintf("%s is not a boot tree (there is no "
			  "tree.cfg): render one with `rackstrap pxe`",
			  f->scratch);
	_cleanup_free_ char *loop = xasprintf("%s/tree.cfg", f->scratch);
	_cleanup_free_ char *why =
		xasprintf("%s: Too many levels of symbolic links", loop);
	struct tree_info i;
	struct err e = {0};

	assert_int_equal(tree_info_read(&i, f->scratch, &e), -1);
	assert_string_equal(e.msg, want);
	/* A tree that cannot be looked into is not called another folder. */
	assert_int_equal(symlink("tree.cfg", loop), 0);
	assert_int_equal(tree_info_read(&i, f->scratch, &e), -1);
	assert_string_equal(e.msg, why);
	assert_int_equal(unlink(loop), 0);
	write_text(
		f->scratch, "tree.cfg",
		"version = 1; rack = \"r\"; image = \"i\"; boot_server = \"10.0.0.1\";\n"
		"http_port = 80; proxy_dhcp = false; hosts = (\n"
		"{ name = \"../../etc/passwd\"; role = \"node\"; "
		"mac = \"02:00:00:00:00:03\"; } );\n");
	assert_int_equal(tree_info_read(&i, f->scratch, &e), -1);
	assert_non_null(strstr(e.msg, "tree.cfg:3: name: cannot be a host's name"));
	assert_int_equal(e.code, ERR_FAILED);
	write_text(f->scratch, "tree.cfg",
		   "version = 1; rack = \"r\"; image = \"i\"; boot_server = "
		   "\"10.0.0.1\";\ndhcp = \"dhcpd\"; http_port = 80; proxy_dhcp = false; "
		   "hosts = ();\n");
	assert_int_equal(tree_info_read(&i, f->scratch, &e), -1);
	assert_non_null(strstr(e.msg, "dhcp: there is no DHCP server 'dhcpd'"));
}

static void a_value_of_another_type_is_refused(void **state)
{
	static const char *const keys[] = {"dhcp", "interface", "strangers_pool"};
	struct fixture *f = *state;

	for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
		_cleanup_free_ char *text = xasprintf(
			"version = 1; rack = \"r\"; image = \"i\"; boot_server = "
			"\"10.0.0.1\"; http_port = 80; proxy_dhcp = false; %s = 5; "
			"hosts = ();\n",
			keys[k]);
		_cleanup_free_ char *want = xasprintf(": %s: must be a string", keys[k]);
		_cleanup_tree_info_ struct tree_info i = {0};
		struct err e = {0};

		write_text(f->scratch, "tree.cfg", text);
		assert_int_equal(tree_info_read(&i, f->scratch, &e), -1);
		assert_non_null(strstr(e.msg, want));
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(bad_options_are_refused),
		T(bad_kernel_words_are_refused),
		T(tree_without_ipxe_has_no_ipxe_files),
		T(tree_info_is_read_back),
		T(other_folders_have_no_tree_info),
		T(a_value_of_another_type_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
