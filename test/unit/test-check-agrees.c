/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node accepts what `rackstrap check` accepts, with the same values: a property of
 * generated rack files, for an image of 2015, one whose roles have no feature, and one
 * that has roles of many kinds. Each is written in many of the ways that libconfig
 * allows, with usual, unusual and wrong values. If check accepts it, every host is given
 * to firstboot in every way in which it reaches a node: as the host.cfg and kernel
 * command line of a boot tree, out of that tree's cpio archive, and as the rack.cfg of a
 * medium, as build and customize write it, found by the MAC address, serial number and
 * UUID.
 *
 * RACKS sets the number of racks (default 500, 50000 with TEST_LONG), SEED the first one.
 * A failure names its seed: SEED=n RACKS=1 repeats it.
 */
#include "builder/recipe/config-text.h"
#include "firstboot/config.h"
#include "firstboot/model/sha256.h"
#include "pxe/kernel-cmdline.h"
#include "pxe/tree-parts.h"
#include "test-random-rack.h"
#include "test-templates-agree.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* --- the property ------------------------------------------------------------------- */

struct fixture {
	unsigned seed;
	struct machine m;
	char *dir, *path;
	struct rack rack;
	struct roles roles[KINDS];
	struct image image;              /* of the rack's kind */
	struct host_templates templates; /* of the kind with the roles of 2015 */
	char *templates_cfg;
	struct config_text medium;
};

/* Gives the image its roles, and templates to the one of 2015. */
static void use_image(struct fixture *f, size_t kind)
{
	bool has = kind == 0;

	f->image.roles = f->roles[kind];
	f->image.templates = has ? f->templates : (struct host_templates){0};
	write_file(&f->m, TEMPLATES_CFG, has ? f->templates_cfg : "templates = ( );\n");
}

static void fail_at(const struct fixture *f, const struct rack_host *h, const char *way,
		    const char *what)
{
	_cleanup_free_ char *text = NULL;

	(void)!file_read_at(AT_FDCWD, f->path, CONF_MAX_RACK, &text, NULL);
	fail_msg("SEED=%u: host '%s', %s: %s\n%s", f->seed, h->host.name, way, what,
		 text);
}

/* Removes what an earlier host has left in the machine's root. */
static void clear(const struct fixture *f)
{
	static const char *const names[] = {"run",  "sys", "rackstrap",
					    "boot", "etc", "var"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(rm_rf_at(f->m.fb.rootfd, names[i]), 0);
}

/* Loads the configuration as firstboot does, and compares it with what check has. */
static void expect_same(struct fixture *f, const struct rack_host *h, const char *cmdline,
			const char *way)
{
	_cleanup_config_ struct config c = {0};
	const char *file;

	f->m.fb.cmdline = cmdline;
	if (config_load(&c, &f->m.fb) < 0)
		fail_at(f, h, way, c.complaints.lines[0]);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		_cleanup_free_ char *want = host_format(&h->host, (enum host_key_id)i);
		_cleanup_free_ char *is = host_format(&c.host, (enum host_key_id)i);

		if (i == HOST_REPORT || i == HOST_REPORT_TOKEN || streq(want, is))
			continue;
		free(want);
		want = xasprintf("%s is %s, not as for check", host_key(i)->name, is);
		fail_at(f, h, way, want);
	}
	file = agree_differs(&f->image.templates, &f->image.roles, &f->rack, &h->host,
			     &c);
	if (file)
		fail_at(f, h, way, file);
	clear(f);
}

static void add_own_link(const struct fixture *f, const struct rack_host *h)
{
	char mac[NET_MAC_LEN];

	add_link(&f->m, "eth0", net_format_mac(h->host.mac, ':', mac), 2, true);
}

/* Checks the host.cfg and the kernel command line of a boot tree. */
static void check_tree(struct fixture *f, const struct rack_host *h)
{
	const struct tree_options o = {0};
	struct tree_host_texts t;
	_cleanup_free_ char *words = NULL, *list = NULL;
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	struct tree_plan p;
	struct err e = {0};

	if (tree_plan(&p, &f->rack, &f->image, &o, &e) < 0 ||
	    tree_host_texts(&p, h, &t, &e) < 0 ||
	    cmdline_build(h, &f->image, &words, &e) < 0)
		fail_at(f, h, "pxe", e.msg);
	add_own_link(f, h);
	write_file(&f->m, HOST_CFG, t.host_cfg);
	rack_hosts_of(&hosts, &f->rack);
	list = rack_hosts_text(&hosts);
	write_file(&f->m, HOSTS_CFG, list);
	expect_same(f, h, words, "boot tree's host.cfg");
	tree_host_texts_done(&t);
}

/* Returns the text of a file in a cpio archive ("newc", pxe/cpio.c); owned. */
static char *member_of(const char *cpio, size_t len, const char *member)
{
	for (size_t at = 0; at + 110 < len;) {
		char size[9] = "", name[9] = "";
		size_t name_len, data;

		assert_memory_equal(cpio + at, "070701", 6);
		memcpy(size, cpio + at + 54, 8);
		memcpy(name, cpio + at + 94, 8);
		name_len = strtoul(name, NULL, 16);
		data = (at + 110 + name_len + 3) / 4 * 4;
		if (streq(cpio + at + 110, member))
			return xstrndup(cpio + data, strtoul(size, NULL, 16));
		at = (data + strtoul(size, NULL, 16) + 3) / 4 * 4;
	}
	fail_msg("no %s in the archive", member);
	return NULL;
}

/* Writes a file out of an archive of the tree to the machine's root. */
static void unpack(const struct fixture *f, const char *tree,
		   const struct host_file *file, const struct rack_host *h,
		   const char *member, const char *to)
{
	_cleanup_free_ char *at = host_file_path(file, h->host.mac, '-');
	_cleanup_free_ char *path = xasprintf("%s/%s", tree, at), *cpio = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	assert_int_equal(file_read_at(AT_FDCWD, path, CONF_MAX * 2, &cpio, &len), 0);
	text = member_of(cpio, len, member);
	write_file(&f->m, to, text);
}

/* Checks what is in the cpio archives of a tree on disk. */
static void check_cpios(struct fixture *f)
{
	static char secret[] = SUM;
	const struct tree_options o = {.ipxe_dir = f->dir, .secret = secret};
	_cleanup_free_ char *tree = xasprintf("%s/tree", f->dir);
	struct err e = {0};

	if (tree_render(&f->rack, &f->image, tree, &o, NULL, &e) < 0)
		fail_at(f, &f->rack.hosts[0], "pxe", e.msg);
	for (size_t i = 0; i < f->rack.n_hosts; i++) {
		const struct rack_host *h = &f->rack.hosts[i];

		add_own_link(f, h);
		unpack(f, tree, &host_cpio_file, h, "rackstrap/host.cfg", HOST_CFG);
		if (f->image.templates.n > 0)
			unpack(f, tree, &host_rack_file, h, "rackstrap/hosts.cfg",
			       HOSTS_CFG);
		expect_same(f, h, "", "boot tree's cpio archive");
	}
}

/* Checks the rack.cfg of a medium, for a machine with this MAC address, serial number or
 * UUID. */
static void check_medium(struct fixture *f, const struct rack_host *h, const char *id)
{
	_cleanup_free_ char *way = xasprintf("medium's rack.cfg, found by %s", id);
	_cleanup_free_ char *serial = xasprintf(" %s \n", h->serial ? h->serial : "");
	_cleanup_free_ char *uuid = xasprintf("%s\n", h->uuid ? h->uuid : "");

	if (streq(id, "mac"))
		add_own_link(f, h);
	else
		add_link(&f->m, "eth0", "52:54:00:ff:ff:ff", 2, true);
	if (streq(id, "serial"))
		write_file(&f->m, "sys/class/dmi/id/product_serial", serial);
	if (streq(id, "uuid"))
		write_file(&f->m, "sys/class/dmi/id/product_uuid", uuid);
	write_file(&f->m, MEDIUM_RACK_CFG, f->medium.text);
	expect_same(f, h, "", way);
}

static void check_host(struct fixture *f, const struct rack_host *h)
{
	check_tree(f, h);
	check_medium(f, h, "mac");
	if (h->serial)
		check_medium(f, h, "serial");
	if (h->uuid)
		check_medium(f, h, "uuid");
}

/* Returns true if check accepts the rack. */
static bool try_rack(struct fixture *f)
{
	const struct kind *k = &kinds[f->seed % KINDS];
	const struct roles *roles = &f->roles[f->seed % KINDS];
	_cleanup_diag_ struct diag d = {0};
	bool accepted;

	seed(f->seed);
	f->path = make_rack(f->dir, k, roles);
	write_file(&f->m, ROLES_PATH, k->text);
	use_image(f, f->seed % KINDS);
	accepted = rack_load(&f->rack, f->path, roles, &d) == 0 &&
		   rack_check_image(&f->rack, &f->image, &d) == 0;
	if (accepted) {
		const struct rack_host *first = &f->rack.hosts[0];

		f->medium = (struct config_text){.rack = true};
		if (config_text_load(&f->medium, f->path, NULL, &d) < 0 ||
		    config_text_check(&f->medium, roles, &f->image.templates, &d) < 0)
			fail_at(f, first, "medium", d.lines[0]);
		for (size_t i = 0; i < f->rack.n_hosts; i++)
			check_host(f, &f->rack.hosts[i]);
		config_text_done(&f->medium);
		if (one_in(10))
			check_cpios(f);
	}
	rack_done(&f->rack);
	free(f->path);
	return accepted;
}

static unsigned from_env(const char *name, unsigned otherwise)
{
	const char *s = getenv(name);

	return s && *s ? (unsigned)strtoul(s, NULL, 10) : otherwise;
}

/* Writes an empty file of the image. */
static void write_part(const struct fixture *f, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", f->dir, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, "", 0, 0644), 0);
}

static void check_and_firstboot_agree(_unused_ void **state)
{
	static char sum[] = SUM;
	static char name[] = "tiny";
	unsigned n = from_env("RACKS", getenv("TEST_LONG") ? 50000 : 500);
	unsigned first = from_env("SEED", 0), accepted[KINDS] = {0};
	struct fixture f = {0};

	machine_make(&f.m);
	log_setup("test", LOG_LEVEL_ERROR);
	f.dir = xasprintf("%s/rack", f.m.dir);
	assert_int_equal(mkdir(f.dir, 0755), 0);
	for (size_t i = 0; i < KINDS; i++)
		roles_of_text(&f.roles[i], kinds[i].text);
	f.image = (struct image){.name = name,
				 .cmdline = name,
				 .kernel_sha256 = sum,
				 .initrd_sha256 = sum,
				 .root_sha256 = sum,
				 .dir = f.dir};
	agree_setup(&f.templates, &f.roles[0], &f.m);
	f.templates_cfg = read_file(&f.m, TEMPLATES_CFG);
	for (enum image_part part = 0; part < IMAGE_PARTS; part++)
		write_part(&f, image_part_names[part]);
	for (f.seed = first; f.seed < first + n; f.seed++)
		accepted[f.seed % KINDS] += try_rack(&f);
	for (size_t i = 0; i < KINDS; i++) {
		print_message("# %u of %u racks with image %zu accepted\n", accepted[i],
			      n / (unsigned)KINDS, i);
		assert_true(n < 100 || accepted[i] >= n / KINDS / 4);
		roles_done(&f.roles[i]);
	}
	free(f.dir);
	free(f.templates_cfg);
	host_templates_done(&f.templates);
	machine_done(&f.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_and_firstboot_agree),
	};

	return cmocka_run_group_tests_name("check-agrees", tests, NULL, NULL);
}
