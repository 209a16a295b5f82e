/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares plans with golden files: test/golden/firstboot/NAME.cfg gives NAME.plan, byte
 * for byte; a NAME that begins with "rescue" is a host that must not be configured, and
 * one with "web" is of an image without features and templates. GOLDEN_UPDATE=1 in the
 * environment rewrites the files; review the differences before you commit them.
 */
#include "firstboot/feature/nat.h"
#include "firstboot/model/host-check.h"
#include "firstboot/plan/plan-files.h"
#include "firstboot/plan/plan.h"
#include "lib/file.h"
#include "test-roles.h"
#include "test-templates.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DIR_GOLDEN "test/golden/firstboot/"
#define UPLINK     "eth0"
#define MAC_1      "52:54:00:25:00:11"
#define MAC_2      "52:54:00:25:00:12"
#define DIRECTIVES "test/data/systemd-219-networkd-directives.txt"

static void all_roles(struct roles *r)
{
	roles_2015(r);
	r->v = xrealloc(r->v, (r->n + 1) * sizeof(*r->v));
	r->v[r->n++] = (struct role){.name = xstrdup("plain")};
}

/* Returns true for the file of a host whose image has no features. */
static bool is_web(const char *path)
{
	return strstr(path, "/web") != NULL;
}

static void roles_for(struct roles *r, const char *path)
{
	if (is_web(path))
		roles_of_text(r, ROLES_WEB);
	else
		all_roles(r);
}

static void load(struct host *h, const char *path)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};

	host_init(h);
	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX, 0, &d) < 0 ||
	    host_load_conf(h, conf_root(c), "", &d) < 0)
		fail_msg("%s", d.lines[0]);
	roles_for(&roles, path);
	host_derive(h, &roles);
}

/* Checks that a file for networkd has only lines that systemd 219 knows, the oldest
 * version that is supported. */
static void assert_networkd_219(const struct plan_file *f, char *const *known)
{
	_cleanup_strv_ char **lines = strv_split(f->data, "\n");
	_cleanup_free_ char *section = NULL;

	for (size_t i = 0; lines[i]; i++) {
		_cleanup_free_ char *directive = NULL;

		if (lines[i][0] == '#')
			continue;
		if (lines[i][0] == '[') {
			free(section);
			section = xstrndup(lines[i] + 1, strcspn(lines[i], "]") - 1);
			continue;
		}
		directive = xasprintf("%s.%.*s", section, (int)strcspn(lines[i], "="),
				      lines[i]);
		/* It is ignored there, see DHCP_SECTION in plan-files.c. */
		if (streq(directive, "DHCP.ClientIdentifier"))
			continue;
		if (!strv_has(known, directive))
			fail_msg("/%s: systemd 219 does not know %s", f->path, directive);
	}
}

static void assert_networkd(const struct plan *p)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **known = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, DIRECTIVES, 1 << 20, &text, NULL), 0);
	known = strv_split(text, "\n");
	for (size_t i = 0; i < p->n_files; i++)
		if (p->files[i].kind == PLAN_FILE &&
		    str_after(p->files[i].path, "etc/systemd/network/"))
			assert_networkd_219(&p->files[i], known);
}

/* Returns the devices of the host's uplink: a bond has two. */
static const char *devices_of(const struct host *h)
{
	return strv_len(h->bond) ? "eth0 eth1" : UPLINK;
}

static void make_plan(struct plan *p, const struct host *h, const struct roles *roles,
		      const char *devices)
{
	_cleanup_host_templates_ struct host_templates templates;
	_cleanup_diag_ struct diag d = {0};

	if (templates_2015_render(&templates, roles, h, &d) < 0)
		fail_msg("%s", d.lines[0]);
	plan_make(p, h, roles_find(roles, h->role), &templates, devices);
}

static char *plan_of(const char *path)
{
	_cleanup_plan_ struct plan p = {0};
	_cleanup_roles_ struct roles roles;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_host_ struct host h;
	bool bad[HOST_KEY_COUNT] = {false};
	int r;

	roles_for(&roles, path);
	load(&h, path);
	r = host_check_keys(&h, &roles, &d, bad);
	if (strstr(path, "/rescue")) {
		assert_int_equal(r, -1);
		plan_make_rescue(&p, &h, bad, devices_of(&h));
	} else {
		if (r < 0)
			fail_msg("%s", d.lines[0]);
		if (is_web(path))
			plan_make(&p, &h, roles_find(&roles, h.role),
				  &(struct host_templates){0}, UPLINK);
		else
			make_plan(&p, &h, &roles, devices_of(&h));
	}
	assert_networkd(&p);
	return plan_text(&p);
}

static void test_one(void **state)
{
	const char *cfg = *state;
	_cleanup_free_ char *base = xstrndup(cfg, strlen(cfg) - strlen(".cfg"));
	_cleanup_free_ char *golden = xasprintf("%s.plan", base);
	_cleanup_free_ char *got = plan_of(cfg), *want = NULL;

	if (getenv("GOLDEN_UPDATE"))
		assert_int_equal(file_write_at(AT_FDCWD, golden, got, strlen(got), 0644),
				 0);
	assert_int_equal(file_read_at(AT_FDCWD, golden, 1 << 20, &want, NULL), 0);
	assert_string_equal(got, want);
}

/* Packets from pods to pods and to hosts keep their address; everything else is
 * masqueraded. */
static void test_pod_traffic_is_not_masqueraded(void **state _unused_)
{
	_cleanup_strv_ char **rules = NULL;
	_cleanup_plan_ struct plan p = {0};
	_cleanup_roles_ struct roles roles;
	_cleanup_host_ struct host h;

	all_roles(&roles);
	load(&h, DIR_GOLDEN "node.cfg");
	make_plan(&p, &h, &roles, "enp1s0");
	rules = nat_rules(p.host, p.uplink);
	assert_int_equal(strv_len(rules), 3);
	assert_string_equal(rules[0],
			    "-A " NAT_CHAIN " -d 192.168.0.0/16 -o enp1s0 -j RETURN");
	assert_string_equal(rules[1],
			    "-A " NAT_CHAIN " -d 172.25.0.0/24 -o enp1s0 -j RETURN");
	assert_string_equal(rules[2], "-A " NAT_CHAIN " -j MASQUERADE");
}

/* The rules name the interface that has the address. */
static void test_nat_rules_name_the_vlan(void **state _unused_)
{
	_cleanup_strv_ char **rules = NULL;
	_cleanup_plan_ struct plan p = {0};
	_cleanup_roles_ struct roles roles;
	_cleanup_host_ struct host h;

	all_roles(&roles);
	load(&h, DIR_GOLDEN "node-bond-vlan.cfg");
	make_plan(&p, &h, &roles, "eth0 eth1");
	rules = nat_rules(p.host, p.uplink);
	assert_string_equal(rules[0],
			    "-A " NAT_CHAIN " -d 192.168.0.0/16 -o vlan100 -j RETURN");
}

/* A rescue without a known uplink uses DHCP on every link, even when the host has an
 * address. */
static void test_rescue_without_uplink_uses_every_link(void **state _unused_)
{
	const bool bad[HOST_KEY_COUNT] = {false};
	_cleanup_plan_ struct plan p = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_host_ struct host h;

	load(&h, DIR_GOLDEN "rescue-static.cfg");
	plan_make_rescue(&p, &h, bad, NULL);
	text = plan_text(&p);
	assert_non_null(strstr(text, "DHCP=ipv4"));
	assert_null(strstr(text, "172.25.0.11"));
	assert_null(strstr(text, "start "));
	assert_null(strstr(text, "network-environment"));
}

/* Without a MAC address networkd makes one up, which no DHCP server knows. */
static void test_bond_has_an_address_of_a_link(void **state _unused_)
{
	static const struct {
		const char *keys, *mac;
	} cases[] = {
		{"bond = [ \"eth1\", \"" MAC_1 "\", \"" MAC_2 "\" ];",
		 "MACAddress=" MAC_1 "\n"},
		{"bond = [ \"" MAC_1 "\" ]; mac = \"" MAC_2 "\";",
		 "MACAddress=" MAC_2 "\n"},
		{"bond = [ \"eth1\" ];", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_conf_ struct conf *c = NULL;
		_cleanup_free_ char *text = NULL;
		_cleanup_host_ struct host h;

		host_init(&h);
		assert_int_equal(conf_parse(&c, cases[i].keys, strlen(cases[i].keys), "x",
					    CONF_MAX, 0, NULL),
				 0);
		assert_int_equal(host_load_conf(&h, conf_root(c), "", NULL), 0);
		text = file_bond(&h);
		if (cases[i].mac)
			assert_non_null(strstr(text, cases[i].mac));
		else
			assert_null(strstr(text, "MACAddress"));
	}
}

int main(void)
{
	static const struct CMUnitTest fixed[] = {
		cmocka_unit_test(test_bond_has_an_address_of_a_link),
		cmocka_unit_test(test_pod_traffic_is_not_masqueraded),
		cmocka_unit_test(test_nat_rules_name_the_vlan),
		cmocka_unit_test(test_rescue_without_uplink_uses_every_link),
	};
	struct CMUnitTest tests[64] = {{0}};
	size_t n = 0;
	glob_t g;
	int r;

	if (glob(DIR_GOLDEN "*.cfg", 0, NULL, &g) != 0)
		return 1;
	for (size_t i = 0; i < g.gl_pathc && n + ARRAY_SIZE(fixed) < ARRAY_SIZE(tests);
	     i++)
		tests[n++] = (struct CMUnitTest){.name = g.gl_pathv[i],
						 .test_func = test_one,
						 .initial_state = g.gl_pathv[i]};
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		tests[n++] = fixed[i];
	r = _cmocka_run_group_tests("firstboot-plan", tests, n, NULL, NULL);
	globfree(&g);
	return r;
}
