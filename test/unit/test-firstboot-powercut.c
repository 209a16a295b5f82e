/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the power while firstboot works. All file operations of an apply are recorded; for
 * every prefix of them, and for every state in which the operations that were not synced
 * may have reached the disk (see test/disk/disk.h), the test makes the disk and boots
 * firstboot from it:
 *
 *	with the same configuration: the disk is the same, byte by byte, as without it;
 *	with another one: the disk is the same as that of a blank machine with that
 *	configuration (except the number of its generation), so nothing is left of the
 *	apply that was cut off.
 *
 * With rackstrap.config= the server may also be unreachable at the boot after the cut:
 * then the disk is that of the last good configuration, the one before or the one that
 * was cut off.
 *
 * The power is also cut again during that second boot, at random points because there are
 * too many disks.
 *
 * Equal disks are tried once. For one prefix at most FATES_MAX states are tried; when
 * there are more, the test fails.
 */
#include "../disk/disk.h"
#include "firstboot/config-url.h"
#include "test-firstboot-http.h"
#include "test-firstboot-root.h"

#include <sys/mount.h>

#define FATES_MAX 4096
/* Number of second cuts for each disk: $RACKSTRAP_CUTS, or AGAIN_LONG in check-long
 * (TEST_LONG), or AGAIN. With ASan, where each boot takes twice the time, only first cuts
 * are made. */
#ifdef __SANITIZE_ADDRESS__
#define AGAIN 0
#else
#define AGAIN 1
#endif
#define AGAIN_LONG 60

#define NUMBER "generation = " /* the number of a record */

/* --- machines ----------------------------------------------------------------------- */

#define KEY                                                                              \
	"ssh-ed25519 "                                                                   \
	"AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6"

/* A secret, which each boot brings anew: only its entry may reach the disk. */
#define SECRET "bytes-of-a-key-7tq4"

static const char node_cfg[] =
	NODE_CFG "secrets = [ \"munge.key me 0440\" ];\n"
		 "dns = [ \"172.25.0.1\" ];\nssh_keys = [ \"" KEY " op@desk\" ];\n"
		 "environment = [ \"HTTP_PROXY=http://172.25.0.1:3128\" ];\n";
static const char moved_cfg[] =
	"name = \"node-7\";\nrole = \"node\";\nmac = \"" NODE_MAC "\";\n"
	"address = \"172.25.0.17/24\";\ngateway = \"172.25.0.1\";\n"
	"master = \"172.25.0.10\";\ncbr0 = \"192.168.7.1/24\";\n"
	"ssh_keys = [ \"" KEY " op@desk\" ];\n"
	"secrets = [ \"munge.key me 0400\" ];\n";
static const char master_cfg[] =
	"name = \"master\";\nrole = \"master\";\nmac = \"" NODE_MAC "\";\n"
	"address = \"172.25.0.10/24\";\nnat = false;\n";
static const char wrong_cfg[] =
	"name = \"node-1\";\nrole = \"node\";\nmac = \"" NODE_MAC "\";\n"
	"address = \"172.25.0.11\";\nssh_keys = [ \"" KEY " other@desk\" ];\n";

/* Templates of the image: a file that has no mark, in a folder of its own, for one role,
 * and one for both. */
static const char templates[] = "templates = ( { path = \"/etc/app/a.json\"; mode = "
				"\"0600\"; format = \"json\";\n"
				"  roles = [ \"node\" ]; text = \"json\"; },\n"
				"{ path = \"/etc/list\"; mode = \"0644\"; format = "
				"\"plain\"; text = \"list\"; } );\n";

/* Makes a disk with the files of an image. */
static void blank(struct disk *d)
{
	_cleanup_free_ char *passwd = xasprintf("me:x:%u:%u::/:/bin/sh\n",
						(unsigned)geteuid(), (unsigned)getegid());

	disk_init(d);
	disk_add_file(d, "etc/hostname", 0644, "localhost\n");
	disk_add_file(d, "etc/hosts", 0644, "127.0.0.1 localhost\n");
	disk_add_file(d, "etc/passwd", 0644, passwd);
	disk_add_file(d, "etc/systemd/system.conf", 0644, "[Manager]\n");
	disk_add_file(d, "root/.profile", 0644, "mesg n\n");
	disk_add_file(d, "usr/lib/os-release", 0644, "ID=test\n");
	disk_add_file(d, TEMPLATES_CFG, 0644, templates);
	disk_add_file(d, TEMPLATES_DIR "/json", 0644, "{ \"a\": {{host.name}} }\n");
	disk_add_file(d, TEMPLATES_DIR "/list", 0644,
		      "{{#host.dns}}\n{{.}}\n{{/host.dns}}\n{{host.address}}\n");
}

/* The served file, if it exists, and the value of rackstrap.config=, if the test uses a
 * server. */
static char served[80], from_server[80];

/* The roles, which are part of the image and not of the disk. */
static char roles_path[128];

static unsigned serve(const char *request _unused_, const char *content _unused_,
		      const char **body)
{
	char *text = NULL;

	if (file_read_at(AT_FDCWD, served, 1 << 16, &text, NULL) < 0)
		return 404;
	*body = text; /* not freed: used until the server ends */
	return 200;
}

/* Makes the configuration available to a machine: on the server, or from the boot
 * loader. */
static void provide_config(struct machine *m, const char *cfg, bool gone)
{
	if (!*from_server) {
		write_file(m, HOST_CFG, cfg);
		return;
	}
	m->fb.cmdline = from_server;
	if (gone)
		assert_true(file_remove_at(AT_FDCWD, served) >= 0);
	else
		assert_int_equal(file_write_at(AT_FDCWD, served, cfg, strlen(cfg), 0600),
				 0);
}

static unsigned n_boots, n_again = AGAIN;

/* Prepares a boot: the disk with this content, and an empty run/ except for the boot
 * loader's files. */
static void machine_boot(struct machine *m, const struct disk *d, const char *cfg,
			 bool gone)
{
	machine_make_empty(m);
	m->fb.roles = roles_path;
	disk_write(d, m->fb.rootfd);
	add_link(m, "eth0", NODE_MAC, 2, true);
	provide_config(m, cfg, gone);
	write_file(m, "run/rackstrap/secrets/munge.key", SECRET);
	n_boots++;
}

static void apply(const struct machine *m, const char *cfg)
{
	struct err e;
	int r = cmd_apply(&m->fb, NULL, &e);

	if (cfg == wrong_cfg)
		assert_int_equal(r, -1);
	else if (r < 0)
		fail_msg("%s", e.msg);
}

/* Checks that a secret of the configuration is there and is not on the disk. */
static void check_secret(const struct machine *m, const char *cfg, const char *disk)
{
	bool has = cfg == node_cfg || cfg == moved_cfg || cfg == wrong_cfg;

	assert_file(m, "run/rackstrap/secrets/munge.key", has ? SECRET : NULL);
	assert_null(strstr(disk, SECRET));
}

/* Boots with `cfg` and returns the resulting disk as text. Owned by the caller. */
static char *boot_text(const struct disk *d, const char *cfg, bool gone,
		       const char *except)
{
	_cleanup_machine_ struct machine m;
	char *text;

	machine_boot(&m, d, cfg, gone);
	apply(&m, cfg);
	text = tree_text(m.fb.rootfd, except);
	check_secret(&m, cfg, text);
	return text;
}

/* Boots with `cfg` and records the operations in `recording`. */
static void boot_record(const struct disk *d, const char *cfg)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *model = NULL, *real = NULL;

	machine_boot(&m, d, cfg, false);
	record_begin(m.dir, d);
	apply(&m, cfg);
	record_end();
	/* The model has the same content as the file system. */
	model = disk_text(&recording.live, NULL);
	real = tree_text(m.fb.rootfd, NULL);
	assert_string_equal(model, real);
	check_secret(&m, cfg, model);
}

/* --- the sweep ---------------------------------------------------------------------- */

struct second {
	const char *cfg;    /* configuration of the boot after the cut */
	const char *except; /* prefix of lines to ignore; NULL: none */
	char *want;
	char * or ; /* another allowed result, or NULL */
	bool gone;  /* the configuration's server is unreachable */
};

struct sweep {
	struct disk before;
	struct record cut; /* the apply that is cut off */
	struct second second[4];
	size_t n;
	uint64_t *seen; /* digests of the disks that were tried */
	size_t n_seen;
	unsigned long points, disks, again;
	unsigned most; /* maximum of operations of one prefix that were not synced */
	bool second_cut;
	char **outcomes; /* all distinct contents of a file, for the model's test */
	uint64_t random;
};

static uint64_t fnv(const char *s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h;
}

static unsigned pick(struct sweep *s, unsigned below)
{
	s->random = s->random * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(s->random >> 33) % below;
}

static bool is_new(struct sweep *s, const struct disk *d)
{
	_cleanup_free_ char *text = disk_text(d, NULL);
	uint64_t h = fnv(text);

	for (size_t i = 0; i < s->n_seen; i++)
		if (s->seen[i] == h)
			return false;
	s->seen = xrealloc(s->seen, (s->n_seen + 1) * sizeof(*s->seen));
	s->seen[s->n_seen++] = h;
	return true;
}

static void fail_with_disks(const char *what, const struct disk *d, const char *want,
			    const char *got)
{
	_cleanup_free_ char *disk = disk_text(d, NULL);

	fail_msg("%s\n--- the disk\n%s--- wanted\n%s--- got\n%s", what, disk, want, got);
}

static void assert_becomes(const struct disk *d, const struct second *n, const char *what)
{
	_cleanup_free_ char *got = boot_text(d, n->cfg, n->gone, n->except);

	if (!streq(got, n->want) && !(n->or &&streq(got, n->or)))
		fail_with_disks(what, d, n->want, got);
}

/* Cuts the second boot at random points and checks the third boot. */
static void cut_again(struct sweep *s, const struct disk *d, const struct second *n)
{
	static struct record cut;
	static struct disk after;
	uint8_t fate[DISK_OPS] = {0};
	unsigned prefix, open[DISK_OPS], n_open;

	boot_record(d, n->cfg);
	cut = recording;
	for (unsigned i = 0; i < n_again && cut.n > 0; i++) {
		prefix = pick(s, cut.n + 1);
		n_open = volatile_ops(&cut, prefix, open);
		memset(fate, 0, sizeof(fate));
		for (unsigned k = 0; k < n_open; k++)
			fate[open[k]] = (uint8_t)pick(s, op_fates(&cut.op[open[k]]));
		disk_after(&after, d, &cut, prefix, fate);
		assert_becomes(&after, n, "cut twice");
		s->again++;
	}
}

static void try_disk(struct sweep *s, unsigned prefix, const uint8_t *fate)
{
	static struct disk d;

	s->points++;
	disk_after(&d, &s->before, &s->cut, prefix, fate);
	if (!is_new(s, &d))
		return;
	s->disks++;
	for (size_t i = 0; i < s->n; i++) {
		char what[64];

		snprintf(what, sizeof(what), "cut after operation %u, second boot %zu",
			 prefix, i);
		assert_becomes(&d, &s->second[i], what);
		if (s->second_cut)
			cut_again(s, &d, &s->second[i]);
	}
}

/* Tries every combination of fates of the operations that are not synced, by counting in
 * mixed radix. */
static void try_prefix(struct sweep *s, unsigned prefix,
		       void (*try)(struct sweep *s, unsigned prefix, const uint8_t *fate))
{
	unsigned open[DISK_OPS], n = volatile_ops(&s->cut, prefix, open), ways = 1, i;
	uint8_t fate[DISK_OPS] = {0};

	if (n > s->most)
		s->most = n;
	for (i = 0; i < n; i++) {
		ways *= op_fates(&s->cut.op[open[i]]);
		assert_true(ways <= FATES_MAX);
	}
	do {
		try(s, prefix, fate);
		for (i = 0; i < n; i++) {
			if (++fate[open[i]] < op_fates(&s->cut.op[open[i]]))
				break;
			fate[open[i]] = 0;
		}
	} while (i < n);
}

/* Adds a second boot without the server: it uses the last good configuration, which is
 * the one before or the one that was cut off. */
static void without_server(struct sweep *s, const char *base, const char *cfg)
{
	struct second *n = &s->second[s->n++];
	static struct disk done;

	boot_record(&s->before, cfg);
	done = recording.live;
	*n = (struct second){.cfg = cfg, .gone = true, .except = NUMBER};
	n->want = boot_text(&s->before, base, true, NUMBER);
	n->or = boot_text(&done, cfg, true, NUMBER);
	assert_string_not_equal(n->want, n->or);
}

/*
 * Cuts off an apply of `cfg` on the disk that `base` makes of a blank disk (NULL: the
 * blank disk itself). `others` (ends with NULL) are the configurations of the boot after
 * the cut; the first one is `cfg` itself, or after a rescue the next configuration.
 */
static void sweep(const char *name, const char *base, const char *cfg,
		  const char *const *others, bool second_cut)
{
	static struct sweep s;
	static struct disk clean;

	s = (struct sweep){.second_cut = second_cut, .random = 42};
	blank(&clean);
	s.before = clean;
	if (base) {
		boot_record(&clean, base);
		s.before = recording.live;
	}
	boot_record(&s.before, cfg);
	s.cut = recording;
	assert_true(s.cut.n > 0);
	for (; others[s.n]; s.n++) {
		struct second *n = &s.second[s.n];
		bool same =
			others[s.n] == cfg || (cfg == wrong_cfg && base == others[s.n]);

		n->cfg = others[s.n];
		n->except = same ? NULL : NUMBER;
		n->want = boot_text(same ? &s.before : &clean, n->cfg, false, n->except);
	}
	if (*from_server)
		without_server(&s, base, cfg);
	for (unsigned prefix = 0; prefix <= s.cut.n; prefix++)
		try_prefix(&s, prefix, try_disk);
	printf("# %s: %u operations, %lu cut points (at most %u operations not synced), "
	       "%lu different disks, %zu second boots each, %lu cut again\n",
	       name, s.cut.n, s.points, s.most, s.disks, s.n, s.again);
	for (size_t i = 0; i < s.n; i++) {
		free(s.second[i].want);
		free(s.second[i].or);
	}
	free(s.seen);
	disk_forget();
}

static void test_first_boot_survives_a_cut(void **state _unused_)
{
	sweep("first boot", NULL, node_cfg,
	      (const char *const[]){node_cfg, moved_cfg, master_cfg, NULL}, true);
}

static void test_change_of_address_survives_a_cut(void **state _unused_)
{
	sweep("change of address", node_cfg, moved_cfg,
	      (const char *const[]){moved_cfg, node_cfg, master_cfg, NULL}, true);
}

static void test_change_of_role_survives_a_cut(void **state _unused_)
{
	sweep("change of role", node_cfg, master_cfg,
	      (const char *const[]){master_cfg, node_cfg, NULL}, true);
	sweep("and back", master_cfg, node_cfg,
	      (const char *const[]){node_cfg, master_cfg, NULL}, false);
}

static void test_rescue_survives_a_cut(void **state _unused_)
{
	sweep("rescue", node_cfg, wrong_cfg,
	      (const char *const[]){node_cfg, master_cfg, NULL}, true);
}

/* The configuration comes by rackstrap.config=, and the last good one is kept. */
static void test_configuration_by_url_survives_a_cut(void **state _unused_)
{
	_cleanup_server_ struct server s;

	server_start(&s, 0, serve);
	snprintf(from_server, sizeof(from_server),
		 "rackstrap.config=http://127.0.0.1:%u/host.cfg", s.port);
	sweep("change of address, by rackstrap.config=", node_cfg, moved_cfg,
	      (const char *const[]){moved_cfg, node_cfg, NULL}, false);
	from_server[0] = '\0';
}

/* --- self-test of the model -------------------------------------------------------- */

static void note_outcome(struct sweep *s, unsigned prefix, const uint8_t *fate)
{
	static struct disk d;
	_cleanup_buf_ struct buf b = {0};
	int node;

	disk_after(&d, &s->before, &s->cut, prefix, fate);
	node = disk_find(&d, "etc/hostname");
	assert_true(node >= 0);
	for (size_t i = 0; i < d.node[node].len; i++)
		buf_printf(&b, "%c", d.node[node].data[i] ? d.node[node].data[i] : '0');
	if (!strv_has(s->outcomes, b.p ? b.p : ""))
		strv_add(&s->outcomes, b.p ? b.p : "");
}

/* Replaces etc/hostname with or without fsync of the data and of the name. Returns all
 * contents that it may have after a cut. Owned by the caller. */
static char **replaced(bool sync_data, bool sync_name)
{
	_cleanup_machine_ struct machine m;
	static struct disk clean;
	static struct sweep s;
	int fd;

	blank(&clean);
	s = (struct sweep){.before = clean};
	machine_boot(&m, &clean, node_cfg, false);
	record_begin(m.dir, &clean);
	fd = openat(m.fb.rootfd, "etc/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0644);
	assert_int_equal(write_all(fd, "new\n", 4), 0);
	assert_true(!sync_data || fsync(fd) == 0);
	close(fd);
	assert_int_equal(renameat(m.fb.rootfd, "etc/new", m.fb.rootfd, "etc/hostname"),
			 0);
	assert_true(!sync_name || fsync_parent_at(m.fb.rootfd, "etc/hostname") == 0);
	record_end();
	s.cut = recording;
	try_prefix(&s, s.cut.n, note_outcome);
	return s.outcomes;
}

static void test_model_has_every_outcome(void **state _unused_)
{
	static const char *const all[] = {"localhost\n", "new\n", "", "ne", "0000"};
	_cleanup_strv_ char **naive = replaced(false, false);
	_cleanup_strv_ char **unnamed = replaced(true, false);
	_cleanup_strv_ char **careless = replaced(false, true);
	_cleanup_strv_ char **careful = replaced(true, true);

	assert_int_equal(strv_len(naive), ARRAY_SIZE(all));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_true(strv_has(naive, all[i]));
		assert_int_equal(strv_has(unnamed, all[i]), i < 2);
		assert_int_equal(strv_has(careless, all[i]), i > 0);
	}
	assert_int_equal(strv_len(careful), 1);
	assert_string_equal(careful[0], "new\n");
	disk_forget();
}

/* A second apply of the same configuration changes nothing. */
static void test_second_apply_changes_nothing(void **state _unused_)
{
	static struct disk clean, done;

	blank(&clean);
	boot_record(&clean, node_cfg);
	done = recording.live;
	boot_record(&done, node_cfg);
	assert_int_equal(recording.n, 0);
	boot_record(&done, wrong_cfg);
	done = recording.live;
	boot_record(&done, wrong_cfg);
	assert_int_equal(recording.n, 0);
	disk_forget();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_boot_survives_a_cut),
		cmocka_unit_test(test_change_of_address_survives_a_cut),
		cmocka_unit_test(test_change_of_role_survives_a_cut),
		cmocka_unit_test(test_rescue_survives_a_cut),
		cmocka_unit_test(test_second_apply_changes_nothing),
		cmocka_unit_test(test_configuration_by_url_survives_a_cut),
		cmocka_unit_test(test_model_has_every_outcome),
	};
	const char *cuts = getenv("RACKSTRAP_CUTS");
	struct machine m;
	int r;

	umask(022);
	if (cuts)
		n_again = (unsigned)strtoul(cuts, NULL, 10);
	else if (getenv("TEST_LONG"))
		n_again = AGAIN_LONG;
	machine_make(&m);
	snprintf(served, sizeof(served), "%s/served", m.dir);
	snprintf(roles_path, sizeof(roles_path), "%s/" ROLES_PATH, m.dir);
	r = _cmocka_run_group_tests("firstboot-powercut", tests, ARRAY_SIZE(tests), NULL,
				    NULL);
	printf("# %u boots\n", n_boots);
	machine_done(&m);
	return r;
}
