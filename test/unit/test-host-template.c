/* SPDX-License-Identifier: Apache-2.0 */
/* The names and values that a host gives to templates. */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-template.h"
#include "firstboot/model/template-parts.h"
#include "test-roles.h"

#include "test-host.h"

#define SMALL_ROLES                                                                      \
	"roles = ( { name = \"control\"; }, { name = \"gpu-node\"; },\n"                 \
	"  { name = \"router\"; features = [ \"nat\" ]; },\n"                            \
	"  { name = \"kube\"; features = [ \"kubernetes\" ]; } );\n"

static void load_roles(struct roles *ret, const char *text)
{
	_cleanup_conf_ struct conf *c = NULL;
	const struct conf_node *list = NULL;
	_cleanup_diag_ struct diag d = {0};

	*ret = (struct roles){0};
	assert_int_equal(conf_parse(&c, text, strlen(text), "roles", CONF_MAX,
				    CONF_NO_INCLUDE, &d),
			 0);
	assert_int_equal(conf_get_list(conf_root(c), "roles", &list, &d), 1);
	assert_int_equal(roles_load(ret, list, &d), 0);
}

/* Compiles one template of these roles, NULL: all. Returns 0, or -1 with complaints. */
static int compile(struct host_templates *ret, const struct roles *roles,
		   const char *for_roles, const char *text, struct diag *d)
{
	_cleanup_strv_ char **names = for_roles ? strv_split(for_roles, " ") : NULL;
	const struct host_template t = {.path = (char *)"/etc/x",
					.mode = 0644,
					.format = TEMPLATE_PLAIN,
					.roles = names,
					.text = (char *)text,
					.name = (char *)"x"};

	*ret = (struct host_templates){0};
	host_templates_add(ret, &t);
	return host_templates_compile(ret, roles, NULL, d);
}

static void load_host(struct host *h, const char *cfg, const struct roles *roles)
{
	_cleanup_diag_ struct diag d = {0};

	host_init(h);
	if (load(h, cfg, &d) < 0)
		fail_msg("%s", d.lines[0]);
	host_derive(h, roles);
	if (cfg != everything && host_check(h, roles, &d) < 0)
		fail_msg("%s", d.lines[0]);
}

/* Renders a template for a host and compares the text. */
static void assert_renders(const char *roles_text, const char *for_roles,
			   const char *text, const char *cfg,
			   const struct rack_hosts *hosts, const char *want)
{
	static const struct rack_hosts none;
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_template_values_ struct template_values *v = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_host_ struct host h = {0};
	_cleanup_diag_ struct diag d = {0};

	load_roles(&roles, roles_text);
	load_host(&h, cfg, &roles);
	if (compile(&t, &roles, for_roles, text, &d) < 0)
		fail_msg("%s", d.lines[0]);
	v = host_template_values(&roles, hosts ? hosts : &none);
	if (host_templates_render(&t, &h, &roles, v, &d) < 0)
		fail_msg("%s", d.lines[0]);
	assert_string_equal(t.v[0].output, want);
}

/* Compiles a template that has mistakes, and compares the complaints. */
static void assert_refused(const char *roles_text, const char *for_roles,
			   const char *text, const char *want)
{
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};

	load_roles(&roles, roles_text);
	assert_int_equal(compile(&t, &roles, for_roles, text, &d), -1);
	assert_lines(&d, want);
}

/* Returns a template of these words with a blank between their values: "=NAME" is
 * written as it is, "?NAME" in its section, or "-" if it is missing, "!NAME" is a flag,
 * and "*NAME" a list. Owned by the caller. */
static char *template_of(const char *words)
{
	_cleanup_strv_ char **v = strv_split(words, " ");
	struct buf b = {0};

	for (size_t i = 0; v[i]; i++) {
		const char *n = v[i] + 1;

		buf_puts(&b, i ? " " : "");
		if (*v[i] == '=')
			buf_printf(&b, "{{%s}}", n);
		else if (*v[i] == '?')
			buf_printf(&b, "{{#%s}}{{%s}}{{/%s}}{{^%s}}-{{/%s}}", n, n, n, n,
				   n);
		else if (*v[i] == '!')
			buf_printf(&b, "{{#%s}}yes{{/%s}}{{^%s}}no{{/%s}}", n, n, n, n);
		else
			buf_printf(&b, "{{#%s}}({{.}}){{/%s}}{{^%s}}none{{/%s}}", n, n, n,
				   n);
	}
	return buf_take(&b);
}

static void assert_values(const char *roles_text, const char *for_roles,
			  const char *words, const char *cfg, const char *want)
{
	_cleanup_free_ char *text = template_of(words);

	assert_renders(roles_text, for_roles, text, cfg, NULL, want);
}

static void every_type_of_key_has_its_values(void **state)
{
	static const struct {
		const char *words, *want;
	} cases[] = {
		{"=host.name !host.name.given =cluster.name", "node-1 yes demo"},
		{"?host.mac", "52:54:00:25:00:11"},
		{"=host.address =host.address.prefix !host.address.given",
		 "172.25.0.11 24 yes"},
		{"?host.gateway *host.dns ?host.mtu",
		 "172.25.0.1 (172.25.0.1)(172.25.0.2) 9000"},
		{"?host.node_network ?host.node_network.ip ?host.node_network.prefix",
		 "172.25.0.0/24 172.25.0.0 24"},
		{"=host.master =host.etcd =host.etcd.ip =host.etcd.port",
		 "172.25.0.10 172.25.0.9:4002 172.25.0.9 4002"},
		{"=host.cbr0 =host.cbr0.ip =host.cbr0.prefix",
		 "192.168.1.1/24 192.168.1.1 24"},
		{"!host.nat !host.nat.given *host.nat_exempt",
		 "no yes (10.0.0.0/8)(192.0.2.0/24)"},
		{"?host.bgp_as =host.cluster_dns", "4200000010 10.100.0.10"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_values(ROLES_2015, "node", cases[i].words, everything,
			      cases[i].want);
	assert_renders(ROLES_2015, "node",
		       "{{#host.environment}}{{name}} {{value}}{{/host.environment}}",
		       everything, NULL, "HTTP_PROXY http://172.25.0.1:3128");
}

static void missing_values_are_missing(void **state)
{
	(void)state;
	assert_values(SMALL_ROLES, "control",
		      "?host.address ?host.address.prefix ?host.mac !host.mac.given "
		      "?host.mtu ?host.node_network ?host.node_network.ip "
		      "?host.node_network.prefix *host.dns ?host.interface",
		      "name = \"a\"; role = \"control\"; address = \"dhcp\";\n"
		      "interface = \"eth7\";",
		      "- - - no - - - - none eth7");
}

static void values_that_follow_from_others_are_not_given(void **state)
{
	(void)state;
	assert_values(ROLES_2015, "master",
		      "=host.master !host.master.given =host.etcd !host.etcd.given "
		      "=host.service_network !host.service_network.given",
		      "name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\";",
		      "172.25.0.10 no 172.25.0.10:4001 no 10.100.0.0/16 no");
}

static void roles_are_flags_with_underscores(void **state)
{
	(void)state;
	assert_values(SMALL_ROLES, NULL, "!role.control !role.gpu_node",
		      "name = \"a\"; role = \"gpu-node\"; address = \"10.0.0.1/8\";",
		      "no yes");
	assert_refused(
		SMALL_ROLES, NULL, "{{#role.gpu-node}}{{/role.gpu-node}}\n",
		"x:1: 'role.gpu-node' is written {{role.gpu_node}}: a '-' is a '_' "
		"in names of values\n");
	assert_refused(SMALL_ROLES, NULL, "{{#role.gpu+node}}{{/role.gpu+node}}\n",
		       "x:1: 'role.gpu+node' is no name of a value: use letters, digits "
		       "and '_', with dots in between, at most 64\n");
}

static void hosts_of_the_rack_are_listed(void **state)
{
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};

	(void)state;
	rack_hosts_add(&hosts, "c", "control", 0x0a000001);
	rack_hosts_add(&hosts, "g1", "gpu-node", 0x0a000002);
	rack_hosts_add(&hosts, "g2", "gpu-node", 0);
	rack_hosts_add(&hosts, "other", "unknown", 0x0a000003);
	assert_renders(SMALL_ROLES, NULL,
		       "{{#hosts}}\n"
		       "{{name}} {{role}} {{#address}}{{address}}{{/address}}"
		       "{{^address}}-{{/address}}\n"
		       "{{/hosts}}\n"
		       "gpu:{{#hosts.gpu_node}} {{name}}{{^last}},{{/last}}"
		       "{{/hosts.gpu_node}}\n"
		       "kube:{{#hosts.kube}} {{name}}{{/hosts.kube}}"
		       "{{^hosts.kube}} none{{/hosts.kube}}\n",
		       "name = \"c\"; role = \"control\"; address = \"10.0.0.1/8\";",
		       &hosts,
		       "c control 10.0.0.1\ng1 gpu-node 10.0.0.2\ng2 gpu-node -\n"
		       "other unknown 10.0.0.3\ngpu: g1, g2\nkube: none\n");
}

static void use_of_the_hosts_is_known(void **state)
{
	static const struct {
		const char *text;
		bool hosts, shared;
	} cases[] = {
		{"{{#hosts}}{{name}}{{/hosts}}", true, true},
		{"{{#hosts.kube}}{{name}}{{/hosts.kube}}", true, true},
		{"{{^hosts.kube}}none{{/hosts.kube}}", true, true},
		{"{{#hosts}}{{host.name}}{{/hosts}}", true, false},
		{"{{host.name}}", false, false},
		{"{{#role.kube}}x{{/role.kube}}", false, false},
		{"hosts", false, true},
	};
	_cleanup_roles_ struct roles roles = {0};

	(void)state;
	load_roles(&roles, SMALL_ROLES);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_host_templates_ struct host_templates t = {0};
		_cleanup_diag_ struct diag d = {0};
		const struct role *kube = roles_find(&roles, "kube"),
				  *router = roles_find(&roles, "router");
		const char *want = cases[i].hosts ? "x" : NULL;
		const char *found;

		assert_int_equal(compile(&t, &roles, "kube", cases[i].text, &d), 0);
		found = host_templates_use_hosts(&t, NULL);
		assert_string_equal(found ? found : "", want ? want : "");
		found = host_templates_use_hosts(&t, kube);
		assert_string_equal(found ? found : "", want ? want : "");
		assert_null(host_templates_use_hosts(&t, router));
		assert_int_equal(t.v[0].shared, cases[i].shared);
	}
}

/* Values of one host are not left for the next one. */
static void next_host_has_its_own_values(void **state)
{
	_cleanup_free_ char *text =
		template_of("=host.name ?host.mac ?host.master ?host.etcd.port ?host.mtu "
			    "*host.dns !host.nat !host.mtu.given !role.router !role.kube "
			    "?host.service_network");
	static const struct {
		const char *cfg, *want;
	} cases[] = {
		{"name = \"k\"; role = \"kube\"; address = \"172.25.0.1/24\";\n"
		 "mtu = 9000; mac = \"52:54:00:00:00:01\"; master = \"172.25.0.9\";\n"
		 "dns = [ \"10.0.0.3\" ];",
		 "k 52:54:00:00:00:01 172.25.0.9 4001 9000 (10.0.0.3) no yes no yes "
		 "10.100.0.0/16"},
		{"name = \"r\"; role = \"router\"; address = \"172.25.0.2/24\";\n"
		 "nat = true;",
		 "r - - - - none yes no yes no -"},
		{"name = \"c\"; role = \"control\"; address = \"dhcp\";",
		 "c - - - - none no no no no -"},
	};
	const struct rack_hosts none = {0};
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_template_values_ struct template_values *v = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	load_roles(&roles, SMALL_ROLES);
	if (compile(&t, &roles, NULL, text, &d) < 0)
		fail_msg("%s", d.lines[0]);
	v = host_template_values(&roles, &none);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		_cleanup_host_ struct host h = {0};

		load_host(&h, cases[i % 3].cfg, &roles);
		assert_int_equal(host_templates_render(&t, &h, &roles, v, &d), 0);
		assert_string_equal(t.v[0].output, cases[i % 3].want);
	}
}

static void only_hosts_of_the_role_have_the_file(void **state)
{
	const struct rack_hosts none = {0};
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_template_values_ struct template_values *v = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_host_ struct host control = {0}, kube = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	load_roles(&roles, SMALL_ROLES);
	load_host(&control, "name = \"c\"; role = \"control\"; address = \"dhcp\";",
		  &roles);
	load_host(&kube,
		  "name = \"k\"; role = \"kube\"; address = \"10.0.0.1/8\"; "
		  "master = \"10.0.0.9\";",
		  &roles);
	assert_int_equal(compile(&t, &roles, "kube router", "x\n", &d), 0);
	v = host_template_values(&roles, &none);
	assert_int_equal(host_templates_render(&t, &kube, &roles, v, &d), 0);
	assert_string_equal(t.v[0].output, "x\n");
	assert_int_equal(host_templates_render(&t, &control, &roles, v, &d), 0);
	assert_null(t.v[0].output);
}

static void names_follow_the_features_of_the_roles(void **state)
{
	(void)state;
	/* Every role has the feature: always given. */
	assert_renders(SMALL_ROLES, "kube", "{{host.master}} {{host.address}}\n",
		       "name = \"k\"; role = \"kube\"; address = \"10.0.0.1/8\"; "
		       "master = \"10.0.0.9\";",
		       NULL, "10.0.0.9 10.0.0.1\n");
	/* One of them has it. */
	assert_refused(SMALL_ROLES, "kube router", "{{host.master}}\n",
		       "x:1: {{host.master}} may be missing: put it into "
		       "{{#host.master}}...{{/host.master}}\n");
	assert_refused(SMALL_ROLES, "kube router",
		       "{{#host.master}}{{host.cluster_dns}}{{/host.master}}\n",
		       "x:1: unknown value {{host.cluster_dns}} (only a template whose "
		       "roles all have feature 'kubernetes' has it)\n");
	assert_refused(SMALL_ROLES, "control", "{{host.address}}\n",
		       "x:1: {{host.address}} may be missing: put it into "
		       "{{#host.address}}...{{/host.address}}\n");
	/* None has it. */
	assert_refused(SMALL_ROLES, "control router",
		       "{{#host.master}}{{/host.master}}\n",
		       "x:1: unknown value {{host.master}} (feature 'kubernetes' has "
		       "it)\n");
	assert_refused(SMALL_ROLES, "control router",
		       "{{host.cluster_dns}}{{host.pools}}{{host.pools.given}}\n",
		       "x:1: unknown value {{host.cluster_dns}} (feature 'kubernetes' "
		       "has it)\n"
		       "x:1: unknown value {{host.pools}} (feature 'calico' has it)\n"
		       "x:1: unknown value {{host.pools.given}} (feature 'calico' "
		       "has it)\n");
}

static void names_of_a_loop_are_hinted_at(void **state)
{
	(void)state;
	assert_refused(SMALL_ROLES, NULL,
		       "{{#hosts}}{{hosts.name}}{{mac}}{{hosts.mac}}{{/hosts}}\n",
		       "x:1: unknown value {{hosts.name}} (did you mean {{name}}?)\n"
		       "x:1: unknown value {{mac}} (an element of {{#hosts}} has name, "
		       "role and address)\n"
		       "x:1: unknown value {{hosts.mac}} (an element of {{#hosts}} has "
		       "name, role and address)\n");
	assert_refused(SMALL_ROLES, NULL, "{{hosts.name}}\n",
		       "x:1: unknown value {{hosts.name}} (did you mean "
		       "{{#hosts}}{{name}}{{/hosts}}?)\n");
	assert_refused(
		"roles = ( { name = \"web-front\"; } );\n", NULL,
		"{{#hosts.web-front}}{{/hosts.web-front}}\n",
		"x:1: 'hosts.web-front' is written {{hosts.web_front}}: a '-' is a "
		"'_' in names of values\n");
}

static void wrong_names_are_refused(void **state)
{
	(void)state;
	assert_refused(SMALL_ROLES, NULL, "{{host.nme}}\n",
		       "x:1: unknown value {{host.nme}} (did you mean {{host.name}}?)\n");
	assert_refused(
		SMALL_ROLES, NULL, "\n{{role.name}}\n",
		"x:2: unknown value {{role.name}} (did you mean {{host.name}}?)\n");
	assert_refused(SMALL_ROLES, NULL, "{{role.kube}}\n",
		       "x:1: {{role.kube}} is a flag: write "
		       "{{#role.kube}}...{{/role.kube}}\n");
	assert_refused(SMALL_ROLES, NULL, "{{role}}\n",
		       "x:1: {{role}} is known only within {{#hosts}}...{{/hosts}}\n");
	assert_refused(SMALL_ROLES, NULL, "{{#hosts}}{{address}}{{/hosts}}\n",
		       "x:1: {{address}} may be missing: put it into "
		       "{{#address}}...{{/address}}\n");
	assert_refused(SMALL_ROLES, NULL, "{{#hosts.nodes}}{{name}}{{/hosts.nodes}}\n",
		       "x:1: unknown value {{hosts.nodes}} (did you mean "
		       "{{hosts.router}}?)\n");
	assert_refused(SMALL_ROLES, NULL, "{{host.dns}}\n",
		       "x:1: {{host.dns}} is a list: write "
		       "{{#host.dns}}...{{/host.dns}}\n");
}

static void too_many_are_refused(void **state)
{
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};
	struct host_template one;

	(void)state;
	load_roles(&roles, SMALL_ROLES);
	assert_int_equal(compile(&t, &roles, NULL, "x\n", &d), 0);
	one = t.v[0];
	while (t.n < HOST_TEMPLATES_MAX)
		host_templates_add(&t, &one);
	assert_int_equal(host_templates_compile(&t, &roles, NULL, &d), 0);
	host_templates_add(&t, &one);
	assert_int_equal(host_templates_compile(&t, &roles, NULL, &d), -1);
	assert_lines(&d,
		     "257 templates and 4 roles are too many: at most 256 of each are "
		     "allowed\n");
}

/* The manifest has their texts, and is read with a limit. */
static void too_much_text_is_refused(void **state)
{
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *text = xmalloc(TEMPLATE_MAX + 1);

	(void)state;
	memset(text, 'x', TEMPLATE_MAX);
	text[TEMPLATE_MAX] = '\0';
	load_roles(&roles, SMALL_ROLES);
	assert_int_equal(compile(&t, &roles, NULL, text, &d), 0);
	while (t.n < HOST_TEMPLATES_TEXT_MAX / TEMPLATE_MAX)
		host_templates_add(&t, &(struct host_template){.path = t.v[0].path,
							       .text = text,
							       .name = t.v[0].name});
	assert_int_equal(host_templates_compile(&t, &roles, NULL, &d), 0);
	host_templates_add(&t, &(struct host_template){.path = t.v[0].path,
						       .text = (char *)"x",
						       .name = t.v[0].name});
	assert_int_equal(host_templates_compile(&t, &roles, NULL, &d), -1);
	assert_lines(&d, "all templates together have 2097153 bytes: at most 2097152 are "
			 "allowed\n");
}

/* No template can read a secret. */
static void secrets_are_no_names(void **state)
{
	static const enum host_key_id hidden[] = {HOST_REPORT, HOST_REPORT_TOKEN,
						  HOST_SECRETS};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		const char *name = host_key(hidden[i])->name;
		_cleanup_free_ char *text = xasprintf("{{#host.%s}}x{{/host.%s}}\n"
						      "{{#host.%s.given}}x"
						      "{{/host.%s.given}}\n",
						      name, name, name, name);
		_cleanup_host_templates_ struct host_templates t = {0};
		_cleanup_roles_ struct roles roles = {0};
		_cleanup_diag_ struct diag d = {0};

		roles_2015(&roles);
		assert_int_equal(compile(&t, &roles, NULL, text, &d), -1);
		assert_int_equal(d.n, 2);
		assert_non_null(strstr(d.lines[0], "x:1: unknown value"));
		assert_non_null(strstr(d.lines[0], " (no template has "));
		assert_non_null(strstr(d.lines[0], " (no template has "));
		assert_non_null(strstr(d.lines[1], "x:2: unknown value"));
	}
}

static void value_that_breaks_the_format_is_refused(void **state)
{
	const struct rack_hosts none = {0};
	_cleanup_host_templates_ struct host_templates t = {0};
	_cleanup_template_values_ struct template_values *v = NULL;
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_host_ struct host h = {0};
	_cleanup_diag_ struct diag d = {0};
	bool checked[1] = {false};

	(void)state;
	load_roles(&roles, ROLES_2015);
	load_host(&h, everything, &roles);
	assert_int_equal(
		compile(&t, &roles, "node",
			"a\n{{#host.docker_options}}{{.}}{{/host.docker_options}}\n", &d),
		0);
	free(h.f.docker.options[0]);
	h.f.docker.options[0] = xstrdup("a\tb");
	v = host_template_values(&roles, &none);
	assert_int_equal(host_templates_check(&t, &h, &roles, v, checked, &d), -1);
	assert_int_equal(host_templates_render(&t, &h, &roles, v, &d), -1);
	assert_lines(
		&d,
		"the template x:2: the value of {{.}} has a control character: 'a b'\n"
		"the template x:2: the value of {{.}} has a control character: 'a b'\n");
	assert_null(t.v[0].output);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_type_of_key_has_its_values),
		T(missing_values_are_missing),
		T(values_that_follow_from_others_are_not_given),
		T(roles_are_flags_with_underscores),
		T(hosts_of_the_rack_are_listed),
		T(use_of_the_hosts_is_known),
		T(next_host_has_its_own_values),
		T(only_hosts_of_the_role_have_the_file),
		T(names_follow_the_features_of_the_roles),
		T(wrong_names_are_refused),
		T(names_of_a_loop_are_hinted_at),
		T(too_many_are_refused),
		T(too_much_text_is_refused),
		T(secrets_are_no_names),
		T(value_that_breaks_the_format_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
