/* SPDX-License-Identifier: Apache-2.0 */
/* The steps and `apply`: files below a root. */
#include "firstboot/state.h"
#include "firstboot/steps.h"
#include "test-firstboot-root.h"
#include "test-lib-namespace.h"

#include <pthread.h>

/* --- files ------------------------------------------------------------------------ */

static struct plan_file file(enum plan_kind kind, const char *path, mode_t mode,
			     const char *data)
{
	return (struct plan_file){
		.kind = kind, .path = xstrdup(path), .mode = mode, .data = xstrdup(data)};
}

static void plan_of_files(struct plan *p, const char *env)
{
	*p = (struct plan){.files = xcalloc(4, sizeof(*p->files)), .n_files = 4};
	p->files[0] = file(PLAN_FILE, "etc/a/b/environment", 0644, env);
	p->files[1] = file(PLAN_DIR, "root/.ssh", 0700, NULL);
	p->files[2] = file(PLAN_FILE, "root/.ssh/authorized_keys", 0600, "key\n");
	p->files[3] = file(PLAN_REMOVE, "etc/old", 0644, NULL);
}

static mode_t mode_of(const struct machine *m, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(m->fb.rootfd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void test_files_are_written_and_removed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_plan_ struct plan p, q;
	struct err e;

	machine_make(&m);
	plan_of_files(&p, "A=1\n");
	plan_of_files(&q, "A=2\n");
	write_file(&m, "etc/old", PLAN_MARK "\nours\n");
	assert_int_equal(steps_run(&m.fb, &p, &e), 4);
	assert_file(&m, "etc/a/b/environment", "A=1\n");
	assert_file(&m, "root/.ssh/authorized_keys", "key\n");
	assert_file(&m, "etc/old", NULL);
	assert_int_equal(mode_of(&m, "root/.ssh"), 0700);
	assert_int_equal(mode_of(&m, "root/.ssh/authorized_keys"), 0600);
	assert_int_equal(mode_of(&m, "etc/a/b/environment"), 0644);
	assert_int_equal(steps_run(&m.fb, &p, &e), 0);
	assert_int_equal(steps_run(&m.fb, &q, &e), 1);
	assert_file(&m, "etc/a/b/environment", "A=2\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "root/.ssh", 0755, 0), 0);
	assert_int_equal(steps_run(&m.fb, &q, &e), 1);
	assert_int_equal(mode_of(&m, "root/.ssh"), 0700);
}

static void test_files_of_others_stay(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_plan_ struct plan p;
	struct err e;

	machine_make(&m);
	plan_of_files(&p, "A=1\n");
	write_file(&m, "etc/old", "# somebody else's\n" PLAN_MARK "\n");
	assert_int_equal(steps_run(&m.fb, &p, &e), 3);
	assert_file(&m, "etc/old", "# somebody else's\n" PLAN_MARK "\n");
	write_file(&m, "etc/old", "");
	assert_int_equal(steps_run(&m.fb, &p, &e), 0);
	assert_file(&m, "etc/old", "");
	/* A pipe, which nobody writes to. */
	assert_int_equal(unlinkat(m.fb.rootfd, "etc/old", 0), 0);
	assert_int_equal(mkfifoat(m.fb.rootfd, "etc/old", 0600), 0);
	assert_int_equal(steps_run(&m.fb, &p, &e), 0);
	assert_int_equal(mode_of(&m, "etc/old"), 0600);
}

/* A symlink in the place of one of our files is replaced, its target is not touched. */
static void test_symlink_is_replaced(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_plan_ struct plan p;
	struct err e;
	char target[64];

	machine_make(&m);
	plan_of_files(&p, "A=1\n");
	write_file(&m, "elsewhere", "precious\n");
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "etc/a/b", 0755), 0);
	assert_int_equal(
		symlinkat("../../../elsewhere", m.fb.rootfd, "etc/a/b/environment"), 0);
	assert_true(steps_run(&m.fb, &p, &e) > 0);
	assert_file(&m, "elsewhere", "precious\n");
	assert_file(&m, "etc/a/b/environment", "A=1\n");
	assert_int_equal(
		readlinkat(m.fb.rootfd, "etc/a/b/environment", target, sizeof(target)),
		-1);
}

static void test_failure_names_the_file(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_plan_ struct plan p;
	struct err e;

	machine_make(&m);
	plan_of_files(&p, "A=1\n");
	write_file(&m, "etc/a", "in the way\n");
	assert_int_equal(steps_run(&m.fb, &p, &e), -1);
	assert_string_equal(e.msg, "/etc/a/b/environment: Not a directory");
	assert_file(&m, "root/.ssh/authorized_keys", NULL);
	/* A rescue continues with the remaining steps. */
	assert_int_equal(steps_files(&m.fb, &p, &e), -1);
	assert_string_equal(e.msg, "/etc/a/b/environment: Not a directory");
	assert_file(&m, "root/.ssh/authorized_keys", "key\n");
}

/* --- apply, below a root ----------------------------------------------------------- */

static void test_apply_configures_a_host(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0}, again = {0};
	_cleanup_free_ char *env = NULL;
	struct err e;

	machine_make(&m);
	write_node(&m);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/hostname", "node-1\n");
	env = read_file(&m, "etc/network-environment");
	assert_has(env, "\nDEFAULT_IPV4=172.25.0.11\n");
	applied_read(&a, &m.fb);
	assert_true(a.there);
	assert_true(a.ok);
	assert_string_equal(a.uplink, "eth0");
	assert_true(a.end_ms >= a.start_ms && a.start_ms > 0);
	assert_int_equal(strv_len(a.errors), 0);
	/* A second run in the same boot does not change the boot's phases. */
	sleep_ms(5);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	applied_read(&again, &m.fb);
	assert_int_equal(again.start_ms, a.start_ms);
	assert_int_equal(again.end_ms, a.end_ms);
}

/* A wrong configuration starts nothing of the cluster, leaves ssh access, and puts the
 * reasons into the record and on the console. */
static void test_wrong_configuration_starts_nothing(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};
	_cleanup_free_ char *console = NULL, *uplink = NULL, *path = NULL;
	struct err e;

	machine_make(&m);
	write_node(&m);
	write_file(&m, "console", "");
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	m.fb.cmdline = "rackstrap.role=nod rackstrap.cbr0=192.168.1.1";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_file(&m, "etc/hostname", NULL);
	assert_file(&m, "etc/network-environment", NULL);
	assert_file(&m, "etc/default/docker", NULL);
	uplink = read_file(&m, "etc/systemd/network/10-rackstrap-uplink.network");
	assert_has(uplink, "Address=172.25.0.11/24\n");
	applied_read(&a, &m.fb);
	assert_true(a.there);
	assert_false(a.ok);
	assert_int_equal(strv_len(a.errors), 2);
	assert_has(a.errors[0], "kernel command line: rackstrap.cbr0: must be");
	console = read_file(&m, "console");
	assert_has(console, "rackstrap: kernel command line: rackstrap.cbr0: must be");
	assert_has(console, "\nrackstrap: kernel command line: role: the image has no "
			    "role \"nod\"");
}

/* With a wrong address the host uses DHCP; after the correction the file for DHCP is
 * removed. */
static void test_corrected_configuration_ends_the_rescue(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	machine_make(&m);
	write_node(&m);
	m.fb.cmdline = "rackstrap.address=172.25.0.11";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_file(&m, "etc/systemd/network/10-rackstrap-uplink.network", NULL);
	assert_int_equal(mode_of(&m, "etc/systemd/network/90-rackstrap-rescue.network"),
			 0644);
	m.fb.cmdline = "";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/systemd/network/90-rackstrap-rescue.network", NULL);
	assert_int_equal(mode_of(&m, "etc/systemd/network/10-rackstrap-uplink.network"),
			 0644);
}

static void test_missing_link_leads_to_rescue(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};
	struct err e;

	machine_make(&m);
	write_node(&m);
	m.fb.cmdline = "rackstrap.mac=52:54:00:25:00:99";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_file(&m, "etc/network-environment", NULL);
	assert_int_equal(mode_of(&m, "etc/systemd/network/90-rackstrap-rescue.network"),
			 0644);
	applied_read(&a, &m.fb);
	assert_int_equal(strv_len(a.errors), 1);
	assert_has(a.errors[0], "mac: no link has 52:54:00:25:00:99; there are: eth0");
}

static void test_missing_configuration_leads_to_rescue(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	applied_read(&a, &m.fb);
	assert_int_equal(strv_len(a.errors), 1);
	assert_has(a.errors[0], "this machine has eth0 (" NODE_MAC ")");
	assert_int_equal(mode_of(&m, "etc/systemd/network/90-rackstrap-rescue.network"),
			 0644);
}

/* Even with very many mistakes the record stays small enough to be read back. */
static void test_record_of_many_mistakes_is_short(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};
	_cleanup_buf_ struct buf b = {0};
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	buf_puts(&b, NODE_CFG);
	for (unsigned i = 0; i < 900; i++)
		buf_printf(&b, "wrong_%u = %u;\n", i, i);
	write_file(&m, HOST_CFG, b.p);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	applied_read(&a, &m.fb);
	assert_true(a.there);
	assert_int_equal(strv_len(a.errors), 51);
	assert_string_equal(a.errors[50], "and 850 more mistakes");
}

/* The state disk is named on the command line, but the boot script did not mount it. */
static void test_unused_state_disk_is_a_warning(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0}, good = {0};
	struct err e;

	machine_make(&m);
	write_node(&m);
	write_file(&m, "run/rackstrap/boot.cfg",
		   "state = \"ram\";\nwarnings = [ \"one\", \"two\" ];\n");
	m.fb.cmdline = "rackstrap.state=none rackstrap.state=/dev/sda";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	applied_read(&a, &m.fb);
	assert_int_equal(strv_len(a.warnings), 3);
	assert_has(a.warnings[0], "/dev/sda is not used as the state disk");
	assert_string_equal(a.warnings[1], "one"); /* the boot script's */
	assert_string_equal(a.warnings[2], "two");
	write_file(&m, "run/rackstrap/boot.cfg",
		   "state = \"/dev/sda\";\nwarnings = [ ];\n");
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	applied_read(&good, &m.fb);
	assert_int_equal(strv_len(good.warnings), 0);
}

/* Adds the link after a delay, like a card whose driver loads late. */
static void *late_link(void *m)
{
	usleep(300000);
	add_link(m, "eth0", NODE_MAC, 2, true);
	return NULL;
}

static void test_rescue_waits_for_a_late_link(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	pthread_t late;
	struct err e;

	machine_make(&m);
	write_file(&m, HOST_CFG, NODE_CFG "search = [ \"-\" ];\n");
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "sys/class/net", 0755), 0);
	m.fb.link_timeout = 600;
	assert_int_equal(pthread_create(&late, NULL, late_link, &m), 0);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	pthread_join(late, NULL);
	assert_int_equal(mode_of(&m, "etc/systemd/network/10-rackstrap-uplink.network"),
			 0644);
}

#define SSH_KEY                                                                          \
	"\"rackstrap.ssh_keys=ssh-ed25519 "                                              \
	"AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6\""

/* A change of role removes all files of the old role; keys that were dropped are
 * removed. */
static void test_change_of_role_removes_old_files(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *env = NULL;
	struct err e;

	machine_make(&m);
	write_node(&m);
	m.fb.cmdline = "rackstrap.dns=172.25.0.1 " SSH_KEY;
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_int_equal(mode_of(&m, "root/.ssh/authorized_keys"), 0600);
	assert_int_equal(mode_of(&m, "etc/resolv.conf"), 0644);
	write_file(&m, HOST_CFG,
		   "name = \"master\"; role = \"master\"; address = \"172.25.0.10/24\";");
	m.fb.cmdline = "";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "root/.ssh/authorized_keys", NULL);
	assert_file(&m, "etc/resolv.conf",
		    PLAN_MARK "\n# This host has no name servers (no `dns`).\n");
	assert_file(&m, "etc/hostname", "master\n");
	env = read_file(&m, "etc/network-environment");
	assert_null(strstr(env, "172.25.0.11"));
	assert_has(env, "DEFAULT_IPV4=172.25.0.10\n");
}

static void apply(struct machine *m, const char *cmdline, int want)
{
	struct err e = {0};

	m->fb.cmdline = cmdline;
	if (cmd_apply(&m->fb, NULL, &e) != want)
		fail_msg("%s", e.msg);
}

static bool is_dir(const struct machine *m, const char *path)
{
	struct stat st;

	return fstatat(m->fb.rootfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* A directory that firstboot has made goes with the last file in it. */
static void test_empty_directory_is_removed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_node(&m);
	apply(&m, SSH_KEY, 0);
	assert_true(is_dir(&m, "root/.ssh"));
	assert_true(is_dir(&m, "etc/sysctl.d"));
	apply(&m, "rackstrap.role=nobody", -1); /* a rescue keeps what there is */
	assert_int_equal(mode_of(&m, "root/.ssh/authorized_keys"), 0600);
	apply(&m, "", 0);
	assert_false(is_dir(&m, "root"));
	assert_true(is_dir(&m, "etc/sysctl.d"));
	/* Also after a rescue that has made it. */
	apply(&m, "rackstrap.role=nobody " SSH_KEY, -1);
	assert_true(is_dir(&m, "root/.ssh"));
	apply(&m, "", 0);
	assert_false(is_dir(&m, "root"));
	/* And any other directory. */
	write_file(&m, ROLES_PATH, "roles = ( { name = \"plain\"; units = [ ]; } );");
	write_file(&m, HOST_CFG, "name = \"a\"; role = \"plain\"; address = \"dhcp\";");
	apply(&m, "", 0);
	assert_false(is_dir(&m, "etc/sysctl.d"));
	assert_false(is_dir(&m, "etc/default"));
}

static void test_directory_of_others_stays(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_node(&m);
	/* It was there before. */
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "root/.ssh", 0700), 0);
	apply(&m, SSH_KEY, 0);
	apply(&m, "", 0);
	assert_file(&m, "root/.ssh/authorized_keys", NULL);
	assert_true(is_dir(&m, "root/.ssh"));
	assert_int_equal(unlinkat(m.fb.rootfd, "root/.ssh", AT_REMOVEDIR), 0);
	/* Somebody has put something into it, and is its owner from then on. */
	apply(&m, SSH_KEY, 0);
	write_file(&m, "root/.ssh/known_hosts", "a host\n");
	apply(&m, "", 0);
	assert_file(&m, "root/.ssh/known_hosts", "a host\n");
	assert_int_equal(unlinkat(m.fb.rootfd, "root/.ssh/known_hosts", 0), 0);
	apply(&m, SSH_KEY, 0);
	apply(&m, "", 0);
	assert_true(is_dir(&m, "root/.ssh"));
	assert_int_equal(unlinkat(m.fb.rootfd, "root/.ssh", AT_REMOVEDIR), 0);
	/* It was made after firstboot had removed its own. */
	apply(&m, SSH_KEY, 0);
	apply(&m, "", 0);
	assert_false(is_dir(&m, "root/.ssh"));
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "root/.ssh", 0700), 0);
	apply(&m, "rackstrap.mtu=1400", 0);
	assert_true(is_dir(&m, "root/.ssh"));
}

/* Every apply leaves a resolv.conf, also for a host that must not be configured; the
 * image's own stays unless the host has name servers. */
static void test_resolv_conf_is_always_there(void **state _unused_)
{
	static const char none[] =
		PLAN_MARK "\n# This host has no name servers (no `dns`).\n";
	_cleanup_machine_ struct machine m;
	struct err e;

	machine_make(&m);
	write_node(&m);
	m.fb.cmdline = "rackstrap.role=nobody";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_file(&m, "etc/resolv.conf", none);
	write_file(&m, "etc/resolv.conf", "nameserver 10.0.0.1\n");
	m.fb.cmdline = "";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf", "nameserver 10.0.0.1\n");
	m.fb.cmdline = "rackstrap.dns=172.25.0.1,172.25.0.2 rackstrap.search=a.example";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf",
		    PLAN_MARK "\nnameserver 172.25.0.1\nnameserver 172.25.0.2\n"
			      "search a.example\n");
	m.fb.cmdline = "rackstrap.search=a.example";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf",
		    PLAN_MARK "\n# This host has no name servers (no `dns`).\n"
			      "search a.example\n");
	/* A symlink into /run, where a program that starts later will write the file. */
	assert_int_equal(file_symlink_at(m.fb.rootfd, "etc/resolv.conf",
					 "../run/resolve/stub.conf"),
			 1);
	m.fb.cmdline = "";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "run/resolve/stub.conf", none);
	assert_file(&m, "etc/resolv.conf", none);
	write_file(&m, "run/resolve/stub.conf", "nameserver 127.0.0.53\n");
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf", "nameserver 127.0.0.53\n");
	/* Symlinks that lead nowhere. */
	assert_int_equal(file_symlink_at(m.fb.rootfd, "etc/resolv.conf", "nowhere"), 1);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf", none);
	assert_int_equal(file_symlink_at(m.fb.rootfd, "etc/resolv.conf", "resolv.conf"),
			 1);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, "etc/resolv.conf", none);
}

static void test_rendered_file_with_a_blank_is_removed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_node(&m);
	write_file(&m, ROLES_PATH, "roles = ( { name = \"a\"; }, { name = \"b\"; } );");
	write_file(&m, TEMPLATES_CFG,
		   "templates = ( { path = \"/etc/x y/z\"; mode = \"0644\"; "
		   "format = \"plain\"; text = \"t\"; roles = [ \"a\" ]; } );");
	write_file(&m, HOST_CFG, "name = \"a\"; role = \"a\"; address = \"dhcp\";");
	write_file(&m, TEMPLATES_DIR "/t", "{{host.role}}\n");
	apply(&m, "", 0);
	assert_file(&m, "etc/x y/z", "a\n");
	apply(&m, "rackstrap.role=b", 0);
	assert_file(&m, "etc/x y/z", NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_written_and_removed),
		cmocka_unit_test(test_files_of_others_stay),
		cmocka_unit_test(test_symlink_is_replaced),
		cmocka_unit_test(test_failure_names_the_file),
		cmocka_unit_test(test_apply_configures_a_host),
		cmocka_unit_test(test_wrong_configuration_starts_nothing),
		cmocka_unit_test(test_corrected_configuration_ends_the_rescue),
		cmocka_unit_test(test_missing_link_leads_to_rescue),
		cmocka_unit_test(test_missing_configuration_leads_to_rescue),
		cmocka_unit_test(test_record_of_many_mistakes_is_short),
		cmocka_unit_test(test_unused_state_disk_is_a_warning),
		cmocka_unit_test(test_rescue_waits_for_a_late_link),
		cmocka_unit_test(test_change_of_role_removes_old_files),
		cmocka_unit_test(test_empty_directory_is_removed),
		cmocka_unit_test(test_directory_of_others_stays),
		cmocka_unit_test(test_rendered_file_with_a_blank_is_removed),
		cmocka_unit_test(test_resolv_conf_is_always_there),
	};

	/* Whatever a case does, it does not reach this machine. */
	(void)!become_root(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS);
	return cmocka_run_group_tests_name("firstboot-steps", tests, NULL, NULL);
}
