/* SPDX-License-Identifier: Apache-2.0 */
/* The mark of a state disk: who this host is, whose a disk is, and how both compare. */
#include "test-firstboot-root.h"

#include "firstboot/owner.h"

#include <sys/stat.h>

#define UUID_1 "4c4c4544-0051-3510-8052-b7c04f4e3231"
#define UUID_2 "4c4c4544-0051-3510-8052-b7c04f4e3232"

/* Returns what a mark with this text says, owned by the caller. */
static struct owner disk(const struct machine *m, const char *text)
{
	struct owner o = {0};
	struct err e;

	write_file(m, OWNER_CFG, text);
	if (owner_read(&o, m->fb.rootfd, &e) < 0)
		fail_msg("%s", e.msg);
	return o;
}

static void test_host_is_known_without_a_state_disk(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_owner_ struct owner a = {0}, b = {0}, c = {0};

	machine_make(&m);
	write_node(&m);
	write_file(&m, STATE_CFG, "name = \"node-2\"; cluster = \"b\";");
	write_file(&m, "sys/class/dmi/id/product_serial", "Default string\n");
	write_file(&m, "sys/class/dmi/id/product_uuid", UUID_1 "\n");
	owner_of_host(&a, &m.fb);
	assert_string_equal(a.name, "node-1");
	assert_null(a.cluster);
	assert_null(a.machine.serial);
	assert_string_equal(a.machine.uuid, UUID_1);
	assert_int_equal(a.machine.n_macs, 1);
	m.fb.cmdline = "rackstrap.name=x rackstrap.cluster=y";
	owner_of_host(&b, &m.fb);
	assert_string_equal(b.name, "x");
	assert_string_equal(b.cluster, "y");
	/* A name that the host could not have is none. */
	m.fb.cmdline = "";
	write_file(&m, HOST_CFG, "name = 1;\nfoo;");
	owner_of_host(&c, &m.fb);
	assert_null(c.name);
}

static void test_marks_are_compared(void **state _unused_)
{
#define NAME    "name = \"node-1\";"
#define NAME_2  "name = \"node-2\";"
#define RACK    "cluster = \"demo\";"
#define RACK_2  "cluster = \"other\";"
#define ID      "uuid = \"" UUID_1 "\";"
#define ID_2    "uuid = \"" UUID_2 "\";"
#define CHASSIS "serial = \"C1\";"
#define MACS    "macs = [ \"52:54:00:25:00:11\", \"52:54:00:25:00:12\" ];"
#define MACS_2  "macs = [ \"52:54:00:25:00:13\" ];"
#define MACS_12 "macs = [ \"52:54:00:25:00:13\", \"52:54:00:25:00:12\" ];"
	static const struct {
		const char *host, *disk, *from, *want;
	} cases[] = {
		{NAME RACK ID, NAME RACK ID, NULL, "same"},
		{NAME RACK ID, NAME RACK, NULL, "same"},
		{NAME ID, NAME RACK ID, NULL, "same"},
		{NAME RACK ID, NAME RACK ID_2, NULL, "replaced"},
		{NAME RACK "serial = \"A\";", NAME RACK "serial = \"b\";", NULL,
		 "replaced"},
		{NAME RACK "serial = \"A\";" ID, NAME RACK "serial = \"a\";" ID_2, NULL,
		 "same"},
		{NAME RACK ID, NAME_2 RACK ID, NULL, "renamed"},
		{NAME RACK ID, NAME_2 RACK ID_2, NULL, "other"},
		{NAME RACK, NAME_2 RACK, NULL, "other"},
		/* The same machine in another rack would bring that rack's data. */
		{NAME RACK ID, NAME RACK_2 ID, NULL, "other"},
		{NAME RACK ID, NAME_2 RACK_2 ID, NULL, "other"},
		/* Machines in one chassis have its serial number. */
		{NAME RACK CHASSIS ID, NAME_2 RACK CHASSIS ID_2, NULL, "other"},
		{NAME RACK CHASSIS ID, CHASSIS ID_2, NULL, "other"},
		{CHASSIS ID, NAME RACK CHASSIS ID_2, NULL, "unsure"},
		{NAME RACK CHASSIS, NAME_2 RACK CHASSIS ID_2, NULL, "renamed"},
		/* Without a name. */
		{ID, NAME RACK ID, NULL, "same"},
		{ID, NAME RACK ID_2, NULL, "unsure"},
		{ID, NAME RACK, NULL, "unsure"},
		{NAME RACK ID, ID, NULL, "same"},
		{NAME RACK ID, ID_2, NULL, "other"},
		/* Network cards count if there is no serial number or UUID. */
		{NAME RACK MACS, NAME_2 RACK MACS_12, NULL, "renamed"},
		{NAME RACK MACS, NAME_2 RACK MACS_2, NULL, "other"},
		{NAME RACK MACS, NAME RACK MACS_2, NULL, "replaced"},
		{MACS ID, MACS ID_2, NULL, "unsure"},
		/* rackstrap.state_from= */
		{NAME RACK ID, NAME_2 RACK ID_2, "node-2", "given"},
		{NAME RACK ID, NAME_2 RACK ID_2, "demo/node-2", "given"},
		{NAME RACK ID, NAME_2 RACK ID_2, "other/node-2", "other"},
		{NAME RACK ID, NAME_2 RACK ID_2, "dem/node-2", "other"},
		{NAME RACK ID, NAME_2 RACK ID_2, "node-3", "other"},
		{NAME RACK ID, NAME_2 RACK ID_2, "", "other"},
		{NAME RACK ID, NAME RACK_2 ID, "other/", "given"},
		{NAME RACK ID, NAME_2 RACK_2 ID, "other/", "other"},
		{NAME RACK ID, ID_2, "/", "other"},
		{NAME RACK ID, ID_2, UUID_2, "given"},
		{NAME RACK ID, CHASSIS ID_2, "c1", "given"},
		{NAME RACK ID, ID_2 MACS_2, "52:54:00:25:00:13", "given"},
		{NAME RACK ID, ID_2 MACS_2, "52:54:00:25:00:11", "other"},
	};
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_owner_ struct owner a = disk(&m, cases[i].host),
					     b = disk(&m, cases[i].disk);
		const char *got = claim_name(owner_compare(&a, &b, true, cases[i].from));

		if (!streq(got, cases[i].want))
			fail_msg("%s / %s / %s: %s, not %s", cases[i].host, cases[i].disk,
				 cases[i].from ? cases[i].from : "", got, cases[i].want);
	}
}

static void test_disk_without_a_mark_has_a_host_name(void **state _unused_)
{
	struct owner host = {.name = (char *)"node-1"}, unknown = {0};
	_cleanup_machine_ struct machine m;
	_cleanup_owner_ struct owner none = {0}, own = {0}, other = {0};
	struct err e;

	machine_make(&m);
	assert_int_equal(owner_read(&none, m.fb.rootfd, &e), 0);
	assert_int_equal(owner_compare(&host, &none, false, NULL), CLAIM_UNMARKED);
	write_file(&m, "rackstrap/upper/etc/hostname", "node-1\n");
	assert_int_equal(owner_read(&own, m.fb.rootfd, &e), 0);
	assert_int_equal(owner_compare(&host, &own, false, NULL), CLAIM_UNMARKED);
	write_file(&m, "rackstrap/upper/etc/hostname", "node-2\n");
	assert_int_equal(owner_read(&other, m.fb.rootfd, &e), 0);
	assert_int_equal(owner_compare(&host, &other, false, NULL), CLAIM_OTHER);
	assert_int_equal(owner_compare(&unknown, &other, false, NULL), CLAIM_UNMARKED);
	assert_int_equal(owner_compare(&host, &other, false, "node-2"), CLAIM_GIVEN);
}

static void test_foreign_marks_do_no_harm(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_owner_ struct owner o = {0}, fifo = {0}, hostile = {0};
	_cleanup_free_ char *text = NULL;
	struct err e;

	machine_make(&m);
	write_file(&m, OWNER_CFG, "name = ");
	assert_int_equal(owner_read(&o, m.fb.rootfd, &e), -1);
	assert_has(e.msg, OWNER_CFG ":1: 'name' has no value");
	write_file(&m, OWNER_CFG, "name = 5; cluster = \"demo\"; macs = [ ];");
	assert_int_equal(owner_read(&o, m.fb.rootfd, &e), 0);
	assert_null(o.cluster);
	assert_int_equal(file_remove_at(m.fb.rootfd, OWNER_CFG) < 0, 0);
	assert_int_equal(mkfifoat(m.fb.rootfd, OWNER_CFG, 0600), 0);
	assert_int_equal(owner_read(&fifo, m.fb.rootfd, &e), -1);
	assert_int_equal(file_remove_at(m.fb.rootfd, OWNER_CFG) < 0, 0);
	hostile = disk(&m, "name = \"a\\x1b[2J\nb\"; cluster = 7; uuid = \"" UUID_1
			   "\"; macs = [ \"x\", \"52:54:00:25:00:11\" ]; new = 1;");
	text = owner_text(&hostile);
	assert_null(strpbrk(text, "\x1b\n"));
	assert_has(text, "(uuid " UUID_1 ", mac 52:54:00:25:00:11)");
}

/* Runs `firstboot claim` for the machine's own folder. Returns as cmd_claim(). */
static int claim(const struct machine *m, bool dry_run)
{
	struct firstboot fb = m->fb;
	char *args[] = {(char *)m->dir, NULL};
	struct err e;

	fb.dry_run = dry_run;
	return cmd_claim(&fb, args, &e);
}

static void test_disk_is_marked(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_node(&m);
	write_file(&m, "sys/class/dmi/id/product_uuid", UUID_1 "\n");
	assert_int_equal(claim(&m, true), 0);
	assert_file(&m, OWNER_CFG, NULL);
	assert_int_equal(claim(&m, false), 0);
#define MARK(name, rack)                                                                 \
	"# The host whose state disk this is: see firstboot(8).\nname = \"" name         \
	"\";\n" rack "uuid = \"" UUID_1 "\";\nmacs = [\n  \"" NODE_MAC "\" ];\n"
	assert_file(&m, OWNER_CFG, MARK("node-1", ""));
	/* A boot that does not know its name keeps the one on the disk. */
	assert_int_equal(file_remove_at(m.fb.rootfd, HOST_CFG) < 0, 0);
	assert_int_equal(claim(&m, false), 0);
	assert_file(&m, OWNER_CFG, MARK("node-1", ""));
	m.fb.cmdline = "rackstrap.name=node-9 rackstrap.cluster=demo";
	assert_int_equal(claim(&m, false), 0);
	assert_file(&m, OWNER_CFG, MARK("node-9", "cluster = \"demo\";\n"));
	/* Another host's disk is not marked. */
	m.fb.cmdline = "rackstrap.name=node-9 rackstrap.cluster=other";
	assert_int_equal(claim(&m, false), 0);
	assert_file(&m, OWNER_CFG, MARK("node-9", "cluster = \"demo\";\n"));
}

/* The id is the same at every boot, and only for this machine. */
static void test_machine_id_is_derived(void **state _unused_)
{
	struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};
	struct mac ab[] = {a, b}, ba[] = {b, a};
	struct machine_id one = {.macs = ab, .n_macs = 2},
			  same = {.macs = ba, .n_macs = 2},
			  other = {.macs = ba, .n_macs = 1}, none = {0},
			  uuid = {.uuid = (char *)UUID_1, .macs = ab, .n_macs = 2};
	char x[SYSTEMD_ID_LEN], y[SYSTEMD_ID_LEN];

	assert_false(machine_id_derive(&none, NULL, x));
	assert_true(machine_id_derive(&one, NULL, x));
	assert_int_equal(strspn(x, "0123456789abcdef"), 32);
	assert_true(machine_id_derive(&same, NULL, y));
	assert_string_equal(x, y);
	assert_true(machine_id_derive(&other, &a, y)); /* the host's own */
	assert_string_equal(x, y);
	assert_true(machine_id_derive(&other, NULL, y));
	assert_string_not_equal(x, y);
	assert_true(machine_id_derive(&uuid, NULL, y));
	assert_string_not_equal(x, y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_is_known_without_a_state_disk),
		cmocka_unit_test(test_marks_are_compared),
		cmocka_unit_test(test_disk_without_a_mark_has_a_host_name),
		cmocka_unit_test(test_foreign_marks_do_no_harm),
		cmocka_unit_test(test_disk_is_marked),
		cmocka_unit_test(test_machine_id_is_derived),
	};

	return cmocka_run_group_tests_name("firstboot-owner", tests, NULL, NULL);
}
