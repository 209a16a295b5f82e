/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/host-needs.h: the complaint about each thing that an image with roles
 * lacks. */
#include "builder/root/host-needs.h"

#include "test-archive.h"

#include "builder/root/merge-plan.h"
#include "builder/root/unit-links.h"
#include "firstboot/model/feature.h"

#define FILE(p)                                                                          \
	{                                                                                \
		.type = ENTRY_FILE, .path = p, .mode = 0755                              \
	}

/* Everything that a host needs. */
static const char *const whole[] = {
	"usr/bin/curl",
	"usr/bin/systemctl",
	"usr/sbin/init",
	"usr/sbin/iptables-restore",
	"usr/bin/docker",
	"usr/bin/busybox",
	"etc/shadow",
	"usr/lib/systemd/system/systemd-networkd.service",
	"usr/lib/systemd/system/docker.service",
	"etc/systemd/system/multi-user.target.wants/ssh.service",
	NULL,
};

static const char *const texts[][2] = {
	{"etc/shadow", "root:*:1:\n"},
	{"usr/lib/systemd/system/systemd-networkd.service",
	 "[Install]\nWantedBy=multi-user.target\n"},
};

static const char *text_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (streq(texts[i][0], path))
			return texts[i][1];
	return "";
}

/* Returns a tar of the files but `without`. */
static int make_base(const char *without)
{
	int fd = memfd_create("base", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = archive_out_new(fd, "base");

	for (size_t i = 0; whole[i]; i++) {
		const char *text = text_of(whole[i]);
		struct entry entry = FILE(whole[i]);

		if (without && streq(whole[i], without))
			continue;
		entry.size = strlen(text);
		assert_int_equal(archive_out_entry(o, &entry, NULL), 0);
		assert_int_equal(archive_out_data(o, text, entry.size, NULL), 0);
	}
	assert_int_equal(archive_out_end(o, NULL), 0);
	return fd;
}

static bool want_all(const char *path, void *data)
{
	(void)path;
	(void)data;
	return true;
}

static char *role_wheres[] = {(char *)"r.cfg:9", NULL};

/* The recipe of a role with everything that recipe_product_add() would add. */
static struct role role = {.name = (char *)"node", .features = FEATURE_BIT(FEATURE_NAT)};
static struct recipe_switch enable[] = {
	{.unit = (char *)RECIPE_NETWORKD, .where = (char *)"r.cfg:9", .why = "WHY"},
	{.unit = (char *)RECIPE_SSH_KEYS, .where = (char *)"r.cfg:9"},
};
static struct recipe_container container = {.image = (char *)"a:1",
					    .where = (char *)"r.cfg:7"};

static struct recipe recipe(void)
{
	return (struct recipe){
		.base.where = (char *)"r.cfg:3",
		.roles = {.v = &role, .n = 1},
		.roles_where = (char *)"r.cfg:9",
		.role_wheres = role_wheres,
		.enable = {enable, ARRAY_SIZE(enable)},
		.containers = &container,
		.n_containers = 1,
	};
}

/* Checks the image without one file of the base. Empty `d` with diag_done(). */
static void plan(const struct recipe *r, const char *without, struct diag *d)
{
	_cleanup_close_ int fd = make_base(without);
	_cleanup_index_ struct index index = {0};
	struct layer l = {.base = &index, .d = d};

	assert_int_equal(index_read(&index, fd, NULL, want_all, NULL, NULL), 0);
	layer_add_text(&l, RECIPE_UNIT_DIR RECIPE_SSH_KEYS, 0644,
		       "[Install]\nWantedBy=multi-user.target\n", 38, "o", RECIPE_OWN);
	unit_links(&l, &index, r);
	layer_finish(&l);
	merge_plan(&index, &l, r->exclude, d);
	host_needs_check(&l, &index, r, false);
	layer_done(&l);
}

static void complains(const struct recipe *r, const char *without, const char *want)
{
	_cleanup_diag_ struct diag d = {0};

	plan(r, without, &d);
	if (!want && d.n > 0)
		fail_msg("unexpected: %s", d.lines[0]);
	if (!want)
		return;
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0], want);
}

static void whole_image_passes(void **state)
{
	struct recipe r = recipe();

	(void)state;
	complains(&r, NULL, NULL);
}

static void missing_programs_are_named(void **state)
{
	struct recipe r = recipe();

	(void)state;
	complains(
		&r, "usr/bin/curl",
		"r.cfg:9: roles: the image has no program 'curl', but firstboot fetches "
		"settings and sends reports with it: add the package curl to the base "
		"(r.cfg:3), and do not exclude it");
	complains(
		&r, "usr/sbin/init",
		"r.cfg:9: roles: the image has no program 'init', but the kernel starts "
		"it: add the package systemd-sysv to the base (r.cfg:3), and do not "
		"exclude it");
	complains(&r, "usr/bin/systemctl",
		  "r.cfg:9: roles: the image has no program 'systemctl', but firstboot "
		  "starts units with it: add the package systemd to the base (r.cfg:3), "
		  "and do not exclude it");
	complains(&r, "usr/sbin/iptables-restore",
		  "r.cfg:9: roles: the image has no program 'iptables-restore', but "
		  "feature 'nat' runs it on every host: add the package iptables "
		  "to the base (r.cfg:3), and do not exclude it");
	complains(&r, "usr/bin/busybox",
		  "r.cfg:3: base: has no busybox, which the boot script in the initrd "
		  "needs: add the package busybox to 'packages'");
}

/* Removes the program of each feature, for a role that has the feature and for one that
 * has all others. */
static void programs_of_features_are_needed(void **state)
{
	struct recipe r = recipe();
	size_t n = 0;

	(void)state;
	for (size_t i = 0; whole[i]; i++) {
		const char *program = strrchr(whole[i], '/') + 1;

		for (size_t k = 0; k < FEATURE_COUNT; k++) {
			const struct feature *f = features[k];
			struct role with = {.name = (char *)"with",
					    .features = FEATURE_BIT(k)};
			struct role without = {.name = (char *)"without",
					       .features =
						       FEATURES_ALL & ~FEATURE_BIT(k)};
			_cleanup_free_ char *want = NULL;

			if (!f->program || !streq(f->program, program))
				continue;
			want = xasprintf(
				"r.cfg:9: roles: the image has no program '%s', "
				"but feature '%s' runs it on every host: add the "
				"package %s to the base (r.cfg:3), and do not "
				"exclude it",
				program, f->name, f->package);
			r.roles.v = &with;
			complains(&r, whole[i], want);
			r.roles.v = &without;
			complains(&r, whole[i], NULL);
			n++;
		}
	}
	for (size_t k = 0; k < FEATURE_COUNT; k++)
		n -= features[k]->program != NULL;
	assert_int_equal(n, 0); /* `whole` has all of them */
}

/* Only hosts of a cluster have NAT rules. */
static void plain_role_needs_no_program(void **state)
{
	struct recipe r = recipe();
	struct role plain = {.name = (char *)"node"};

	(void)state;
	r.roles.v = &plain;
	complains(&r, "usr/sbin/iptables-restore", NULL);
	complains(&r, "usr/bin/docker", NULL);
}

static void excluded_program_is_missing(void **state)
{
	char *exclude[] = {(char *)"/usr/bin/curl", NULL};
	struct recipe r = recipe();
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	r.exclude = exclude;
	plan(&r, NULL, &d);
	assert_int_equal(d.n, 1);
	assert_non_null(strstr(d.lines[0], "no program 'curl'"));
}

static void network_service_must_be_there_and_enabled(void **state)
{
	struct recipe r = recipe();

	(void)state;
	complains(&r, "usr/lib/systemd/system/systemd-networkd.service",
		  "r.cfg:9: roles: the base has no unit "
		  "'systemd-networkd.service', but an image with roles needs "
		  "it: WHY");
	r.enable = (struct recipe_switches){enable + 1, 1};
	complains(&r, NULL,
		  "r.cfg:9: roles: no service that configures the network is enabled: do "
		  "not disable or mask 'systemd-networkd.service', or enable another");
}

static void sshd_needs_keys(void **state)
{
	struct recipe r = recipe();

	(void)state;
	r.enable.n = 1;
	complains(&r, NULL,
		  "r.cfg:9: roles: 'ssh.service' is enabled, but not "
		  "'rackstrap-ssh-keys.service', which makes the host's key: sshd would "
		  "not start; a unit of this name in 'units' replaces it");
	complains(&r, "etc/systemd/system/multi-user.target.wants/ssh.service", NULL);
}

static void containers_need_docker(void **state)
{
	struct recipe r = recipe();

	(void)state;
	complains(
		&r, "usr/lib/systemd/system/docker.service",
		"r.cfg:7: container a:1: the image has no unit 'docker.service', and so "
		"no Docker to load it into");
	r.n_containers = 0;
	complains(&r, "usr/lib/systemd/system/docker.service", NULL);
}

static void image_without_roles_is_not_checked(void **state)
{
	struct recipe r = recipe();

	(void)state;
	r.roles.n = 0;
	complains(&r, "usr/bin/curl", NULL);
}

static void image_without_files_is_refused(void **state)
{
	char *exclude[] = {(char *)"/[a-z]*", NULL};
	struct recipe r = {.exclude = exclude, .exclude_where = (char *)"r.cfg:4"};

	(void)state;
	complains(&r, NULL,
		  "r.cfg:4: exclude: no file of the base is left, and the recipe adds "
		  "none: the root image would be empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_image_passes),
		cmocka_unit_test(missing_programs_are_named),
		cmocka_unit_test(programs_of_features_are_needed),
		cmocka_unit_test(plain_role_needs_no_program),
		cmocka_unit_test(excluded_program_is_missing),
		cmocka_unit_test(image_without_files_is_refused),
		cmocka_unit_test(network_service_must_be_there_and_enabled),
		cmocka_unit_test(sshd_needs_keys),
		cmocka_unit_test(containers_need_docker),
		cmocka_unit_test(image_without_roles_is_not_checked),
	};

	return cmocka_run_group_tests_name("host-needs", tests, NULL, NULL);
}
