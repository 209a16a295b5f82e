/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/diff.h: which hosts are the same, and which paragraphs become one. */
#include "pxe/diff.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CLUSTER                                                                          \
	"cluster : { name = \"lab\"; boot_server = \"10.5.0.1\"; "                       \
	"node_network = \"10.5.0.0/16\"; };\n"

struct both {
	struct rack racks[2];
	struct diff_side sides[2];
	struct diff diff;
};

static void both_done(struct both *b)
{
	diff_done(&b->diff);
	for (size_t i = 0; i < 2; i++) {
		diff_side_done(&b->sides[i]);
		rack_done(&b->racks[i]);
	}
}
#define _cleanup_both_ _cleanup_(both_done)

/* Compares two rack files. */
static void compare_files(struct both *b, const char *old, const char *new)
{
	static const struct roles any = {.any = true};
	const char *const texts[] = {old, new}, *const names[] = {"old", "new"};
	struct err e;

	*b = (struct both){.racks = {{0}}};
	for (size_t i = 0; i < 2; i++) {
		_cleanup_diag_ struct diag d = {0};

		if (rack_parse(&b->racks[i], texts[i], strlen(texts[i]), names[i], 0,
			       &any, &d) < 0)
			fail_msg("%s", d.lines[0]);
		diff_side_rack(&b->sides[i], names[i], &b->racks[i], NULL, NULL);
	}
	if (diff_make(&b->diff, &b->sides[0], &b->sides[1], &e) < 0)
		fail_msg("%s", e.msg);
}

/* Compares racks that differ in their hosts. */
static void compare(struct both *b, const char *old, const char *new)
{
	_cleanup_free_ char *before = xasprintf(CLUSTER "hosts = (\n%s );", old),
			    *after = xasprintf(CLUSTER "hosts = (\n%s );", new);

	compare_files(b, before, after);
}

#define HOST(name, n, more)                                                              \
	"{ name = \"" name "\"; role = \"r\"; mac = \"02:00:00:00:00:0" n                \
	"\"; address = \"10.5.1." n "\"; " more " }"

/* Checks the values of the rack as a whole: "KEY: OLD -> NEW" between semicolons. */
static void rack_values(const char *old, const char *new, const char *want)
{
#define RACK                                                                             \
	"cluster : { name = \"lab\"; boot_server = \"10.5.0.1\"; "                       \
	"node_network = \"10.5.0.0/16\"; %s };\nhosts = ( " HOST("a", "1", "") " );"
	_cleanup_free_ char *before = xasprintf(RACK, old), *after = xasprintf(RACK, new);
	_cleanup_buf_ struct buf b = {0};
	_cleanup_both_ struct both both;

	compare_files(&both, before, after);
	for (size_t i = 0; i < both.diff.n; i++) {
		const struct diff_value *v = &both.diff.v[i];

		buf_printf(&b, "%s%s: %s -> %s", i ? "; " : "", v->key,
			   v->old ? v->old : "none", v->new ? v->new : "none");
	}
	assert_string_equal(b.p ? b.p : "", want);
	assert_int_equal(diff_is_same(&both.diff), !*want);
}

static void values_of_the_cluster_are_compared(void **state)
{
	(void)state;
	rack_values("", "", "");
	rack_values("", "strangers : { policy = \"ask\"; };", "");
	rack_values("", "strangers : { policy = \"nothing\"; };",
		    "strangers.policy: ask -> nothing");
	rack_values("strangers : { pool = \"10.5.9.1-10.5.9.9\"; };",
		    "strangers : { pool = \"10.5.9.1-10.5.9.8\"; };",
		    "strangers.pool: 10.5.9.1-10.5.9.9 -> 10.5.9.1-10.5.9.8");
	rack_values("", "dhcp_servers = [ \"10.5.0.1\", \"10.5.0.2:81\" ];",
		    "dhcp_servers: none -> 10.5.0.1:8000, 10.5.0.2:81");
}

static void one_mac_is_a_rename(void **state)
{
	_cleanup_both_ struct both b;
	const struct diff_change *c;

	(void)state;
	compare(&b, HOST("a", "1", "") "," HOST("b", "2", ""),
		HOST("b", "2", "") "," HOST("c", "1", ""));
	assert_int_equal(b.diff.appear.n, 0);
	assert_int_equal(b.diff.vanish.n, 0);
	assert_int_equal(b.diff.n_changes, 1);
	c = &b.diff.changes[0];
	assert_string_equal(c->name, "c");
	assert_string_equal(c->was, "a");
	assert_int_equal(c->n, 1);
	assert_string_equal(c->v[0].key, "name");
	assert_string_equal(c->v[0].old, "a");
	assert_string_equal(c->v[0].new, "c");
	assert_string_equal(diff_effect_kind(&c->effect), "unknown");
	assert_false(diff_is_same(&b.diff));
}

static void name_decides_before_the_mac(void **state)
{
	_cleanup_both_ struct both b;

	(void)state;
	compare(&b, HOST("a", "1", "") "," HOST("b", "2", ""),
		HOST("a", "2", "") "," HOST("b", "1", ""));
	assert_int_equal(b.diff.n_changes, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_null(b.diff.changes[i].was);
		assert_string_equal(b.diff.changes[i].v[0].key, "mac");
		assert_string_equal(diff_effect_kind(&b.diff.changes[i].effect), "boot");
	}
}

static void other_name_and_mac_is_another_host(void **state)
{
	_cleanup_both_ struct both b;

	(void)state;
	compare(&b, HOST("a", "1", ""), HOST("b", "2", "") "," HOST("c", "3", ""));
	assert_int_equal(b.diff.n_changes, 0);
	assert_int_equal(b.diff.appear.n, 2);
	assert_string_equal(b.diff.appear.v[1].name, "c");
	assert_int_equal(b.diff.vanish.n, 1);
	assert_string_equal(b.diff.vanish.v[0].name, "a");
}

static void other_words_are_the_same(void **state)
{
	_cleanup_both_ struct both b;
	_cleanup_free_ char *text = NULL;

	(void)state;
	compare(&b, HOST("a", "1", "cmdline = \"a  b\"; mtu = 0; nat = true;"),
		HOST("a", "1", "cmdline = \"a b\"; search = [ ];"));
	text = diff_text(&b.diff);
	assert_string_equal(text, "");
	assert_true(diff_is_same(&b.diff));
}

/* Returns the number of lines that begin without a blank. */
static size_t paragraphs(const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	size_t n = 0;

	for (size_t i = 0; lines && lines[i]; i++)
		n += lines[i][0] != ' ';
	return n;
}

static void more_than_five_alike_are_folded(void **state)
{
	(void)state;
	for (size_t n = 5; n <= 6; n++) {
		_cleanup_buf_ struct buf old = {0}, new = {0};
		_cleanup_free_ char *text = NULL;
		_cleanup_both_ struct both b;

		for (size_t i = 1; i <= n; i++)
			for (size_t k = 0; k < 2; k++)
				buf_printf(k ? &new : &old,
					   "%s{ name = \"h%zu\"; role = \"r\"; mac = "
					   "\"02:00:00:00:00:0%zu\"; address = "
					   "\"10.5.1.%zu\"; mtu = %zu; }",
					   i > 1 ? ",\n" : "", i, i, i,
					   k ? 1400 + i : 1500);
		compare(&b, old.p, new.p);
		text = diff_text(&b.diff);
		assert_int_equal(paragraphs(text), n == 5 ? 5 + 1 : 1 + 1);
		assert_non_null(strstr(text, n == 5 ? "h5\n    mtu: 1500 -> 1405\n"
						    : "6 hosts (h1, h2, h3 and 3 more), "
						      "each with other values; of h1:\n"
						      "    mtu: 1500 -> 1401\n"));
	}
}

static void tree_with_a_host_twice_is_refused(void **state)
{
	_cleanup_rm_rf_ char *dir = make_scratch();
	struct diff_side side;
	struct err e;

	(void)state;
	write_text(dir, TREE_INFO,
		   "version = 1; rack = \"r\"; image = \"i\"; boot_server = \"10.5.0.1\";"
		   "http_port = 80; proxy_dhcp = false; hosts = (\n"
		   "{ name = \"a\"; role = \"r\"; mac = \"02:00:00:00:00:01\"; },\n"
		   "{ name = \"a\"; role = \"r\"; mac = \"02:00:00:00:00:02\"; } );");
	assert_int_equal(diff_side_tree(&side, dir, NULL, &e), -1);
	assert_int_equal(e.code, ERR_UNABLE);
	assert_non_null(strstr(e.msg, "/tree.cfg: host 'a' is there twice"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_the_cluster_are_compared),
		cmocka_unit_test(one_mac_is_a_rename),
		cmocka_unit_test(name_decides_before_the_mac),
		cmocka_unit_test(other_name_and_mac_is_another_host),
		cmocka_unit_test(other_words_are_the_same),
		cmocka_unit_test(more_than_five_alike_are_folded),
		cmocka_unit_test(tree_with_a_host_twice_is_refused),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
