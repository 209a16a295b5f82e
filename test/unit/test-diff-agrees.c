/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the effect of a change that `rackstrap diff` announces with that of firstboot:
 * for each change of a matrix, a host runs with the old host.cfg, gets the
 * new one, and `firstboot apply` runs on it, in namespaces of the test's own.
 */
#include "firstboot/steps.h"
#include "lib/run.h"
#include "pxe/diff.h"
#include "test-firstboot-root.h"
#include "test-lib-namespace.h"

#include <ftw.h>
#include <sys/mount.h>

#define OTHER_MAC "52:54:00:25:00:12"

/* The files of EnvironmentFile=, for the image's manifest and for systemctl. */
#define READS_DOCKER "/etc/default/docker"
#define READS_NODE   "/etc/network-environment"

/* --- the two programs ------------------------------------------------------------ */

static void write_systemctl(const struct machine *m)
{
	_cleanup_free_ char *text = NULL, *path = NULL;

	text = xasprintf(
		"#!/bin/sh\ncase $1 in show) ;; *) echo \"$@\" >>%s/systemctl.log;"
		" exit ;; esac\n"
		"while [ \"$1\" != -- ]; do shift; done; shift\n"
		"for u in \"$@\"; do\n"
		"echo LoadState=loaded; echo ActiveState=active; echo SubState=x\n"
		"case $u in\n"
		"docker*) echo 'EnvironmentFiles=" READS_DOCKER
		" (ignore_errors=yes)' ;;\n"
		"kube-kubelet* | etcd*) echo 'EnvironmentFile=" READS_NODE
		" (ignore_errors=no)' ;;\n"
		"esac; echo; done\n",
		m->dir);
	write_file(m, "bin/systemctl", text);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/systemctl", 0755, 0), 0);
	path = xasprintf("%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", m->dir);
	setenv("PATH", path, 1);
}

static void add_template(struct image *i, const char *path, const char *text)
{
	static char *roles[] = {(char *)"master", (char *)"node", NULL};
	const struct host_template t = {
		.path = (char *)path,
		.mode = 0644,
		.format = TEMPLATE_ENVIRONMENT,
		.roles = roles,
		.text = (char *)text,
		.name = (char *)path,
	};

	host_templates_add(&i->templates, &t);
}

/* Makes the image whose roles, templates and units the machine has, too. */
static void make_image(struct image *ret)
{
	static char *docker[] = {(char *)READS_DOCKER, NULL},
		    *node[] = {(char *)READS_NODE, NULL};
	_cleanup_intern_ struct intern names = {0};
	struct diag d = {0};

	*ret = (struct image){
		.name = xstrdup("tiny"),
		.cmdline = xstrdup("quiet"),
		.kernel_sha256 = xstrdup("0123456789"),
		.initrd_sha256 = xstrdup("0123456789"),
		.root_sha256 = xstrdup("0123456789abcdef0"),
		.has_accounts = true,
	};
	roles_2015(&ret->roles);
	add_template(ret, "/etc/network-environment", TEST_ENVIRONMENT);
	add_template(ret, "/etc/default/docker", TEST_DOCKER);
	assert_int_equal(host_templates_compile(&ret->templates, &ret->roles, NULL, &d),
			 0);
	for (size_t i = 0; i < ret->roles.n; i++)
		for (char **u = ret->roles.v[i].units; u && *u; u++)
			intern(&names, *u, NULL);
	ret->units = xcalloc(names.n, sizeof(*ret->units));
	for (size_t i = 0; i < names.n; i++) {
		const char *u = names.texts[i];
		char **files = str_after(u, "docker") ? docker
			       : str_after(u, "kube-kubelet") || str_after(u, "etcd")
				       ? node
				       : NULL;

		ret->units[ret->n_units++] = (struct image_unit){
			.name = xstrdup(u), .known = true, .files = strv_dup(files)};
	}
}

static void load_rack(struct rack *ret, const struct image *image, const char *host)
{
	_cleanup_free_ char *text = xasprintf(
		"cluster : { name = \"demo\"; boot_server = \"172.25.0.1\";\n"
		"node_network = \"172.25.0.0/24\"; master = \"172.25.0.10\"; };\n"
		"hosts = ( { mac = \"" NODE_MAC "\"; gateway = \"172.25.0.1\";\n%s } );",
		host);
	_cleanup_diag_ struct diag d = {0};

	if (rack_parse(ret, text, strlen(text), "rack.cfg", 0, &image->roles, &d) < 0)
		fail_msg("%s", d.lines[0]);
}

/* --- the state of the machine ---------------------------------------------------- */

static struct strv_builder seen; /* "PATH\nTEXT" */
static size_t seen_prefix;

static int see(const char *path, const struct stat *st _unused_, int type,
	       struct FTW *f _unused_)
{
	_cleanup_free_ char *text = NULL;

	if (type != FTW_F)
		return 0;
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	strv_builder_addf(&seen, "%s\n%s", path + seen_prefix, text);
	return 0;
}

/* Returns all files below etc and root, with their texts. */
static char **files_of(const struct machine *m)
{
	_cleanup_free_ char *etc = xasprintf("%s/etc", m->dir),
			    *root = xasprintf("%s/root", m->dir);

	seen_prefix = strlen(m->dir);
	(void)!nftw(etc, see, 16, FTW_PHYS);
	(void)!nftw(root, see, 16, FTW_PHYS);
	return strv_builder_take(&seen);
}

static char *output(const char *const *argv)
{
	const struct run r = {.argv = argv};
	char *text = NULL;
	struct err e;

	if (run_capture(&r, &text, NULL, &e) < 0)
		text = xstrdup("");
	return text;
}

struct state {
	char **files;
	char *nat, *bridge, *name;
};

static struct state state_of(const struct machine *m)
{
	static const char *const nat[] = {"iptables-save", "-t", "nat", NULL};
	static const char *const bridge[] = {"ip", "addr", "show", "cbr0", NULL};
	struct state s = {.files = files_of(m), .bridge = output(bridge)};
	_cleanup_free_ char *saved = output(nat);
	_cleanup_strv_ char **lines = strv_split(saved, "\n");
	char name[64] = "";
	struct buf b = {0};

	for (size_t i = 0; lines && lines[i]; i++)
		if (str_after(lines[i], "-A "))
			buf_printf(&b, "%s\n", lines[i]);
	s.nat = buf_take(&b);
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	s.name = xstrdup(name);
	return s;
}

static void state_done(struct state *s)
{
	strv_free(s->files);
	free(s->nat);
	free(s->bridge);
	free(s->name);
}
#define _cleanup_state_ _cleanup_(state_done)

/* Returns the entry of a path that an entry of another list names, or NULL. */
static const char *same_path(char *const *files, const char *entry)
{
	size_t len = strcspn(entry, "\n") + 1;

	for (size_t i = 0; files && files[i]; i++)
		if (strncmp(files[i], entry, len) == 0)
			return files[i];
	return NULL;
}

/* Checks that a thing changed if and only if the announcement has it. */
static void agree(const char *change, const struct diff_effect *f, const char *what,
		  bool changed)
{
	if (strv_has(f->live, what) != changed)
		fail_msg("%s: %s: diff announced %s, firstboot did %s", change, what,
			 strv_has(f->live, what) ? "a change" : "none",
			 changed ? "it" : "not do it");
}

static void agree_files(const char *change, const struct diff_effect *f,
			const struct state *was, const struct state *is)
{
	size_t n = 0;

	for (size_t i = 0; f->live && f->live[i]; i++)
		n += f->live[i][0] == '/';
	for (size_t side = 0; side < 2; side++) {
		char *const *files = side ? is->files : was->files;

		for (size_t i = 0; files && files[i]; i++) {
			_cleanup_free_ char *path =
				xstrndup(files[i], strcspn(files[i], "\n"));
			const char *before = same_path(was->files, files[i]);
			const char *after = same_path(is->files, files[i]);
			bool changed = !before || !after || !streq(before, after);

			if (side && before)
				continue;
			agree(change, f, path, changed);
			n -= changed;
		}
	}
	if (n != 0)
		fail_msg("%s: diff announced files that firstboot did not touch", change);
}

/* --- the matrix ------------------------------------------------------------------ */

/* Returns what systemctl was called with, as the announcement would make it. Owned. */
static char *announced(const struct diff_effect *f, const char *role)
{
	_cleanup_free_ char *units = f->units ? strv_join(f->units, " ") : NULL;
	struct buf b = {0};

	for (size_t i = 0; f->live && f->live[i]; i++) {
		const char *stopped = str_after(f->live[i], "stop of ");

		if (stopped)
			buf_printf(&b, "stop %s\n", stopped);
	}
	if (units)
		buf_printf(&b, "try-restart --no-block %s\n", units);
	buf_printf(&b, "start --no-block rackstrap-%s.target\n", role);
	return buf_take(&b);
}

static void apply(const struct machine *m, const struct rack *rack)
{
	_cleanup_free_ char *cfg = host_render(&rack->hosts[0].host);
	struct err e;

	write_file(m, HOST_CFG, cfg);
	(void)!file_remove_at(m->fb.rootfd, "systemctl.log");
	if (cmd_apply(&m->fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void try_change(struct image *image, const char *old, const char *new,
		       const char *kind)
{
	_cleanup_free_ char *console = NULL, *log = NULL, *want = NULL, *said = NULL;
	_cleanup_rack_ struct rack was = {0}, is = {0};
	_cleanup_diff_side_ struct diff_side a = {0}, b = {0};
	_cleanup_state_ struct state before = {0}, after = {0};
	_cleanup_machine_ struct machine m;
	_cleanup_diff_ struct diff d = {0};
	static const char *const remove_bridge[] = {"ip", "link", "del", "cbr0", NULL};
	static const struct diff_effect nothing;
	const struct diff_effect *f;
	struct err e;

	load_rack(&was, image, old);
	load_rack(&is, image, new);
	diff_side_rack(&a, "old", &was, image, NULL);
	diff_side_rack(&b, "new", &is, image, NULL);
	if (diff_make(&d, &a, &b, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(d.n_changes == 1 && d.appear.n == 0 && d.vanish.n == 0);
	f = d.n_changes ? &d.changes[0].effect : &nothing;
	free(output(remove_bridge));
	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	add_link(&m, "eth1", OTHER_MAC, 3, true);
	write_systemctl(&m);
	console = xasprintf("%s/console", m.dir);
	m.fb.live = true;
	m.fb.console = console;
	apply(&m, &was);
	before = state_of(&m);
	write_file(&m, "console", "");
	apply(&m, &is);
	after = state_of(&m);
	log = read_file(&m, "systemctl.log");
	want = announced(f, is.hosts[0].host.role);
	if (!streq(log, want))
		fail_msg("%s: diff announced\n%s, but firstboot did\n%s", new, want, log);
	agree_files(new, f, &before, &after);
	agree(new, f, "nat", !streq(before.nat, after.nat));
	if (!strv_has(f->boot, "cbr0"))
		agree(new, f, "cbr0", !streq(before.bridge, after.bridge));
	agree(new, f, "host name", !streq(before.name, after.name));
	said = read_file(&m, "console");
	if (strstr(said, "boot this host again") && !f->boot)
		fail_msg("%s: firstboot asks for a boot, diff does not", new);
	if (!streq(diff_effect_kind(f), kind))
		fail_msg("%s: %s, expected %s", new, diff_effect_kind(f), kind);
}

#define NAME   "name = \"node-1\"; "
#define ROLE   "role = \"node\"; "
#define ADDR   "address = \"172.25.0.11/24\"; "
#define CBR0   "cbr0 = \"192.168.1.1/24\"; "
#define NODE   NAME ROLE ADDR CBR0
#define MASTER NAME "role = \"master\"; address = \"172.25.0.10/24\";"

static void announcements_are_true(void **state _unused_)
{
	static const struct {
		const char *old, *new, *kind;
	} changes[] = {
		{NODE, NAME ROLE ADDR "cbr0 = \"192.168.2.1/24\";", "restart"},
		{NODE, NODE "cbr0_mtu = 1400;", "live"},
		{NODE "cbr0_mtu = 1400;", NODE, "boot"},
		{NODE "mtu = 1400;", NODE, "boot"},
		{NODE, NODE "nat = false;", "live"},
		{NODE, NODE "nat_exempt = [ \"10.0.0.0/8\" ];", "live"},
		{NODE, NODE "docker_options = [ \"--debug\" ];", "restart"},
		{NODE, NODE "environment = [ \"A=1\" ];", "restart"},
		{NODE, NODE "etcd = \"172.25.0.9:4001\";", "restart"},
		{NODE, NODE "dns = [ \"172.25.0.1\" ];", "restart"},
		{NODE, NODE "search = [ \"example.org\" ];", "restart"},
		{NODE, NODE "ntp = [ \"172.25.0.1\" ];", "restart"},
		{NODE, NODE "mtu = 1400;", "restart"},
		{NODE, NODE "interface = \"eth0\";", "restart"},
		{NODE,
		 NODE "ssh_keys = [ \"ssh-ed25519 "
		      "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ"
		      "GhscHR4f a\" ];",
		 "restart"},
		{NODE, NODE "console = \"ttyS0\";", "boot"},
		{NODE, NODE "vlan = 5;", "boot"},
		{NODE "vlan = 5;", NODE "vlan = 6;", "boot"},
		{NODE, NODE "bond = [ \"eth0\", \"eth1\" ];", "boot"},
		{NODE "bond = [ \"eth0\", \"eth1\" ];",
		 NODE "bond = [ \"eth0\", \"eth1\" ]; bond_miimon = 200;", "boot"},
		{NODE, NODE "report = \"http://172.25.0.9/x.json\";", "nothing"},
		{NODE, NODE "state_disk = \"/dev/vda\";", "boot"},
		{NODE, NODE "cmdline = \"panic=60\";", "boot"},
		{NODE, NODE "serial = \"A1\"; vm : { memory = \"4G\"; };", "nothing"},
		{NODE, NODE "bgp_node_peers = [ \"172.25.0.4 as 64513\" ];", "live"},
		{NODE, "name = \"b\"; " ROLE ADDR CBR0, "restart"},
		{NODE, NAME ROLE CBR0 "address = \"172.25.0.12/24\";", "restart"},
		{NODE, MASTER, "restart"},
		{MASTER, NODE, "restart"},
	};
	_cleanup_image_ struct image image;

	make_image(&image);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		try_change(&image, changes[i].old, changes[i].new, changes[i].kind);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(announcements_are_true),
	};
	size_t n = ARRAY_SIZE(tests);
	int r = become_root(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS);

	if (r == 0)
		/* Legacy iptables writes its lock file in /run. */
		(void)!mount("none", "/run", "tmpfs", 0, NULL);
	for (; r < 0 && n > 0; n--) /* cmocka 1.1.5 calls a skip "not ok" */
		printf("ok %zu - %s # SKIP no namespace to be had: %s\n", n,
		       tests[n - 1].name, strerror(-r));
	return _cmocka_run_group_tests("diff-agrees", tests, n, NULL, NULL);
}
