/* SPDX-License-Identifier: Apache-2.0 */
/* A host's secrets: entries, users and groups, the step, and `apply`. */
#include "firstboot/accounts.h"
#include "firstboot/model/secret-entry.h"
#include "firstboot/secrets.h"
#include "firstboot/state.h"
#include "test-firstboot-root.h"

/* --- entries ---------------------------------------------------------------------- */

static void test_entries_are_parsed(void **state _unused_)
{
	struct secret_entry e;
	char name[SECRET_NAME_MAX + 2];

	assert_null(secret_entry_parse("munge.key munge 0400", &e));
	assert_string_equal(e.name, "munge.key");
	assert_string_equal(e.user, "munge");
	assert_string_equal(e.group, "");
	assert_int_equal(e.mode, 0400);
	assert_null(secret_entry_parse("T-1_a www-data:_tls 660", &e));
	assert_string_equal(e.group, "_tls");
	assert_int_equal(e.mode, 0660);
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_non_null(secret_name_wrong(name));
	name[sizeof(name) - 2] = '\0';
	assert_null(secret_name_wrong(name));
}

static void test_wrong_entries_are_refused(void **state _unused_)
{
	static const char *const wrong[] = {
		"",
		"munge.key",
		"munge.key munge",
		"a munge 0400 x",
		"../a munge 0400",
		".a munge 0400",
		"-a munge 0400",
		"a\tb munge 0400",
		"a/b munge 0400",
		"a 0 0400",
		"a : 0400",
		"a munge: 0400",
		"a :munge 0400",
		"a a:b:c 0400",
		"a mu/nge 0400",
		"a munge 0404",
		"a munge 0402",
		"a munge 0700",
		"a munge 04400",
		"a munge 4400",
		"a munge 08",
		"a munge 0",
		"a munge 000",
		"a munge 0200",
		"a munge u=r",
		"a -munge 0400",
		"a Xaaaaaaaaaabbbbbbbbbbccccccccccddddd 0400",
	};
	struct secret_entry e;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (!secret_entry_parse(wrong[i], &e))
			fail_msg("'%s' is accepted", wrong[i]);
}

/* --- users and groups ------------------------------------------------------------- */

static void test_accounts_are_found(void **state _unused_)
{
	_cleanup_accounts_ struct accounts a = {0};
	_cleanup_machine_ struct machine m;
	uid_t uid = 1;
	gid_t gid = 1;

	machine_make(&m);
	accounts_read(&a, m.fb.rootfd);
	assert_int_equal(accounts_user(&a, "root", &uid, &gid), 0);
	assert_int_equal(uid + gid, 0);
	assert_int_equal(accounts_user(&a, "munge", &uid, &gid), -ENOENT);
	accounts_done(&a);
	write_file(&m, "etc/passwd",
		   "root:x:0:0:root:/root:/bin/sh\n"
		   "munger:x:900:900::/:/bin/sh\n\n"
		   "munge:x:901:902::/:/bin/sh\n"
		   "short:x:903\n"
		   "empty:x::1::/:\n"
		   "large:x:4294967295:1::/:\n"
		   "nis:x:1x:1::/:\n"
		   "+::::::\n"
		   "last:x:904:905");
	write_file(&m, "etc/group", "munge:x:902:\ntls:x:910:a,b\nbad:x\ncut:x:911");
	accounts_read(&a, m.fb.rootfd);
	assert_int_equal(accounts_user(&a, "munge", &uid, &gid), 0);
	assert_int_equal(uid, 901);
	assert_int_equal(gid, 902);
	assert_int_equal(accounts_user(&a, "last", &uid, &gid), 0);
	assert_int_equal(gid, 905);
	for (const char *const *s = (const char *const[]){"mung", "short", "empty",
							  "large", "nis", NULL};
	     *s; s++)
		assert_int_equal(accounts_user(&a, *s, &uid, &gid), -ENOENT);
	assert_int_equal(accounts_group(&a, "tls", &gid), 0);
	assert_int_equal(gid, 910);
	assert_int_equal(accounts_group(&a, "cut", &gid), 0);
	assert_int_equal(gid, 911);
	assert_int_equal(accounts_group(&a, "bad", &gid), -ENOENT);
	assert_int_equal(accounts_group(&a, "x", &gid), -ENOENT);
}

/* --- apply ------------------------------------------------------------------------ */

/* Writes a host with two secrets, of users that this test may give files to: with root's
 * rights anybody, else itself. */
static void write_host(struct machine *m)
{
	unsigned uid = geteuid() == 0 ? 4711 : geteuid(),
		 gid = geteuid() == 0 ? 4712 : getegid();
	_cleanup_free_ char *passwd = xasprintf("me:x:%u:%u::/:/bin/sh\n", uid, gid);
	_cleanup_free_ char *group = xasprintf("us:x:%u:\n", gid);

	write_node(m);
	write_file(m, "etc/passwd", passwd);
	write_file(m, "etc/group", group);
	write_file(m, HOST_CFG,
		   NODE_CFG "secrets = [ \"munge.key me 0400\", \"tls me:us "
			    "0440\" ];\n");
	write_file(m, SECRETS_DIR "/munge.key", "munge");
	write_file(m, SECRETS_DIR "/tls", "tls");
	assert_int_equal(fchmodat(m->fb.rootfd, SECRETS_DIR "/munge.key", 0400, 0), 0);
	assert_int_equal(fchmodat(m->fb.rootfd, SECRETS_DIR "/tls", 0400, 0), 0);
	assert_int_equal(fchmodat(m->fb.rootfd, SECRETS_DIR, 0700, 0), 0);
}

static void assert_mode(const struct machine *m, const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(m->fb.rootfd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	if (geteuid() == 0 && S_ISREG(st.st_mode)) {
		assert_int_equal(st.st_uid, 4711);
		assert_int_equal(st.st_gid, 4712);
	}
}

static void assert_given(const struct machine *m)
{
	assert_mode(m, SECRETS_DIR, 0711);
	assert_mode(m, SECRETS_DIR "/munge.key", 0400);
	assert_mode(m, SECRETS_DIR "/tls", 0440);
	assert_file(m, SECRETS_DIR "/munge.key", "munge");
	assert_file(m, SECRETS_DIR "/tls", "tls");
}

static void test_secrets_get_owner_and_mode(void **state _unused_)
{
	_cleanup_strv_ char **entries = NULL;
	_cleanup_machine_ struct machine m;
	struct plan p = {0};
	struct err e;

	machine_make(&m);
	write_host(&m);
	if (cmd_apply(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_given(&m);
	assert_file(&m, "etc/hostname", "node-1\n");
	/* A second run changes nothing. */
	strv_add(&entries, "munge.key me 0400");
	strv_add(&entries, "tls me:us 0440");
	p.secrets = entries;
	assert_int_equal(secrets_apply(&m.fb, &p, &e), 0);
	/* Owner and mode are set again after an interrupted run. */
	assert_int_equal(fchmodat(m.fb.rootfd, SECRETS_DIR "/tls", 0400, 0), 0);
	assert_int_equal(fchmodat(m.fb.rootfd, SECRETS_DIR, 0700, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(m.fb.rootfd, SECRETS_DIR "/tls", 0, 0, 0), 0);
	assert_int_equal(secrets_apply(&m.fb, &p, &e), 2);
	assert_given(&m);
}

static void test_other_files_are_removed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	machine_make(&m);
	write_host(&m);
	write_file(&m, SECRETS_DIR "/old", "old");
	assert_int_equal(mkdir_p_at(m.fb.rootfd, SECRETS_DIR "/folder", 0755), 0);
	assert_int_equal(symlinkat("/etc/passwd", m.fb.rootfd, SECRETS_DIR "/link"), 0);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_given(&m);
	assert_file(&m, SECRETS_DIR "/old", NULL);
	assert_int_equal(faccessat(m.fb.rootfd, SECRETS_DIR "/folder", F_OK, 0), -1);
	assert_int_equal(
		faccessat(m.fb.rootfd, SECRETS_DIR "/link", F_OK, AT_SYMLINK_NOFOLLOW),
		-1);
	/* A host without secrets keeps none. */
	write_file(&m, HOST_CFG, NODE_CFG);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_file(&m, SECRETS_DIR "/tls", NULL);
	assert_mode(&m, SECRETS_DIR, 0700);
}

/* Expects that apply refuses the host with these errors, and writes nothing of it. */
static void expect_refused(struct machine *m, const char *const *errors)
{
	_cleanup_applied_ struct applied a = {0};
	struct err e;

	assert_int_equal(cmd_apply(&m->fb, NULL, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	applied_read(&a, &m->fb);
	for (size_t i = 0; errors[i]; i++)
		assert_string_equal(a.errors[i], errors[i]);
	assert_false(a.ok);
	assert_file(m, "etc/hostname", NULL);
	assert_mode(m, SECRETS_DIR, 0700);
	/* Its operator can log in. */
	assert_int_equal(faccessat(m->fb.rootfd,
				   "etc/systemd/network/10-rackstrap-uplink.network",
				   F_OK, 0),
			 0);
}

#define MISSING(name)                                                                    \
	"host.cfg:8: secrets: '" name "' did not come with this boot: boot the host "    \
	"again from the boot server, with `rackstrap pxe` of a rack file that has the "  \
	"secret"

static void test_missing_secrets_are_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_machine_ struct machine other;

	machine_make(&m);
	write_host(&m);
	assert_int_equal(unlinkat(m.fb.rootfd, SECRETS_DIR "/tls", 0), 0);
	expect_refused(&m, (const char *const[]){MISSING("tls"), NULL});
	assert_file(&m, SECRETS_DIR "/munge.key", "munge");
	/* Without the folder, all are. */
	machine_make(&other);
	write_host(&other);
	assert_int_equal(rm_rf_at(other.fb.rootfd, SECRETS_DIR), 0);
	assert_int_equal(mkdir_p_at(other.fb.rootfd, "run/rackstrap/s", 0700), 0);
	assert_int_equal(renameat(other.fb.rootfd, "run/rackstrap/s", other.fb.rootfd,
				  SECRETS_DIR),
			 0);
	assert_int_equal(fchmodat(other.fb.rootfd, SECRETS_DIR, 0700, 0), 0);
	expect_refused(&other,
		       (const char *const[]){MISSING("munge.key"), MISSING("tls"), NULL});
}

static void test_unknown_users_are_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_host(&m);
	write_file(&m, "etc/group", "others:x:1:\n");
	write_file(&m, HOST_CFG,
		   NODE_CFG
		   "secrets = [ \"munge.key mung 0400\", \"tls me:us 0440\" ];\n");
	expect_refused(&m, (const char *const[]){
				   "host.cfg:8: secrets: 'munge.key': this image has no "
				   "user 'mung' in /etc/passwd",
				   "host.cfg:8: secrets: 'tls': this image has no group "
				   "'us' in /etc/group",
				   NULL});
}

static void test_links_and_pipes_are_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_host(&m);
	assert_int_equal(unlinkat(m.fb.rootfd, SECRETS_DIR "/munge.key", 0), 0);
	assert_int_equal(unlinkat(m.fb.rootfd, SECRETS_DIR "/tls", 0), 0);
	assert_int_equal(symlinkat("../host.cfg", m.fb.rootfd, SECRETS_DIR "/munge.key"),
			 0);
	assert_int_equal(mkfifoat(m.fb.rootfd, SECRETS_DIR "/tls", 0400), 0);
	expect_refused(&m, (const char *const[]){"host.cfg:8: secrets: /" SECRETS_DIR
						 "/munge.key: is a symbolic link",
						 "host.cfg:8: secrets: /" SECRETS_DIR
						 "/tls: is not a regular file",
						 NULL});
}

/* Returns a rack whose cluster has a secret for one role. Owned by the caller. */
static char *medium_rack(const char *role)
{
	return xasprintf(
		"cluster : { name = \"c\"; boot_server = \"172.25.0.1\"; master = "
		"\"node-1\"; gateway = \"172.25.0.1\";\n"
		"  secrets = ( { file = \"a\"; roles = [ \"%s\" ]; } ); };\n"
		"hosts = ( { name = \"node-1\"; role = \"master\"; mac = \"" NODE_MAC
		"\"; address = \"172.25.0.11\"; } );\n",
		role);
}

static void test_a_medium_has_no_secrets(void **state _unused_)
{
	_cleanup_free_ char *others = medium_rack("node"), *ours = medium_rack("master");
	_cleanup_applied_ struct applied a = {0};
	_cleanup_machine_ struct machine m;
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, MEDIUM_RACK_CFG, others);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	write_file(&m, MEDIUM_RACK_CFG, ours);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	applied_read(&a, &m.fb);
	assert_string_equal(
		a.errors[0],
		"boot medium's rack.cfg:2: secrets: this machine booted from a "
		"medium, which has none: boot it from the boot server, or "
		"leave them out");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries_are_parsed),
		cmocka_unit_test(test_wrong_entries_are_refused),
		cmocka_unit_test(test_accounts_are_found),
		cmocka_unit_test(test_secrets_get_owner_and_mode),
		cmocka_unit_test(test_other_files_are_removed),
		cmocka_unit_test(test_missing_secrets_are_refused),
		cmocka_unit_test(test_unknown_users_are_refused),
		cmocka_unit_test(test_links_and_pipes_are_refused),
		cmocka_unit_test(test_a_medium_has_no_secrets),
	};

	return cmocka_run_group_tests_name("firstboot-secrets", tests, NULL, NULL);
}
