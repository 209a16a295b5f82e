/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/root/unit-links.h and layer.h: units are enabled, artifacts extracted, in the
 * root image.
 */
#include "test-merge.h"

#include "builder/root/unit-links.h"

#include <sys/time.h>

/* --- fixture ---------------------------------------------------------------------- */

/* On Ubuntu 15.04 /lib and /usr/lib are two folders, and units are in the first one. */
static const struct entry split_entries[] = {
	DIR("./", 0755),
	DIR("./bin/", 0755),
	DIR("./lib/", 0755),
	DIR("./lib/systemd/", 0755),
	DIR("./lib/systemd/system/", 0755),
	TEXT("./lib/systemd/system/ssh.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\n"),
	DIR("./etc/", 0755),
	TEXT("./etc/shadow", 0640, "root:*:1:\n"),
	DIR("./usr/", 0755),
	DIR("./usr/lib/", 0755),
	DIR("./usr/lib/systemd/", 0755),
	DIR("./usr/lib/systemd/system/", 0755),
	TEXT("./usr/lib/systemd/system/deb.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\n"),
};

static int setup_split(void **state)
{
	(void)state;
	return setup_from(split_entries, ARRAY_SIZE(split_entries));
}

/* --- units ------------------------------------------------------------------------ */

static struct recipe_switches switches(struct recipe_switch *v, size_t n)
{
	return (struct recipe_switches){v, n};
}

#define SWITCH(u)                                                                        \
	{                                                                                \
		.unit = (char *)(u), .where = (char *)"r.cfg:9"                          \
	}
#define SYSTEM "/etc/systemd/system/"

static char *role_wheres[] = {(char *)"r.cfg:10", (char *)"r.cfg:11", NULL};

static void units_are_enabled_and_masked(void **state)
{
	struct recipe_switch enable[] = {SWITCH("ssh.service"),
					 SWITCH("getty@tty1.service"),
					 SWITCH("own.service")};
	struct recipe_switch disable[] = {SWITCH("old.service")};
	struct recipe_switch mask[] = {SWITCH("bare.service")};
	char *role_units[] = {(char *)"own.service", (char *)"ssh.service", NULL};
	struct role role = {.name = (char *)"node", .units = role_units};

	(void)state;
	w.recipe.enable = switches(enable, 3);
	w.recipe.disable = switches(disable, 1);
	w.recipe.mask = switches(mask, 1);
	w.recipe.roles.v = &role;
	w.recipe.roles.n = 1;
	w.recipe.role_wheres = role_wheres;
	file(SYSTEM "own.service",
	     "[Service]\nWantedBy=no.target\n[Install]\nWantedBy=x.target\nWantedBy=\n"
	     "WantedBy=y.target\n");
	unit_links(&w.layer, &w.index, &w.recipe);
	merged(NULL);
#define LINKED(at, to) has("symlink " SYSTEM at " 0777 0:0 1000 -> " to)
	LINKED("a.target.wants/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("b.target.wants/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("c.target.requires/ssh.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("sshd.service", "/usr/lib/systemd/system/ssh.service");
	LINKED("getty.target.wants/getty@tty1.service",
	       "/usr/lib/systemd/system/getty@.service");
	LINKED("y.target.wants/own.service", "/etc/systemd/system/own.service");
	LINKED("bare.service", "/dev/null");
	LINKED("rackstrap-node.target.wants/own.service",
	       "/etc/systemd/system/own.service");
	LINKED("rackstrap-node.target.wants/ssh.service",
	       "/usr/lib/systemd/system/ssh.service");
	assert_int_equal(count("x.target.wants"), 0); /* an empty value clears the list */
	assert_int_equal(count("no.target.wants"), 0); /* not in [Install] */
	lacks("etc/systemd/system/old-alias.service");
	lacks("etc/systemd/system/multi-user.target.wants/old.service");
	assert_int_equal(count(" /usr/lib/systemd/system/old.service "), 1);
}

static void split_usr_is_kept(void **state)
{
	struct recipe_switch enable[] = {SWITCH("ssh.service"), SWITCH("deb.service")};

	(void)state;
	w.recipe.enable = switches(enable, 2);
	file("/lib/modules-load.d/x.conf", "m");
	file("/usr/lib/rackstrap/y", "y");
	file("/bin/z", "z");
	unit_links(&w.layer, &w.index, &w.recipe);
	merged(NULL);
	LINKED("multi-user.target.wants/ssh.service", "/lib/systemd/system/ssh.service");
	LINKED("sshd.service", "/lib/systemd/system/ssh.service");
	LINKED("multi-user.target.wants/deb.service",
	       "/usr/lib/systemd/system/deb.service");
	has("file /lib/modules-load.d/x.conf 0600 0:0 1000 'm'");
	has("directory /lib/modules-load.d 0755 0:0 1000");
	has("file /usr/lib/rackstrap/y 0600 0:0 1000 'y'");
	has("file /bin/z 0600 0:0 1000 'z'");
	lacks("usr/lib/modules-load.d");
	lacks("usr/bin");
}

static void missing_units_are_refused(void **state)
{
	struct recipe_switch enable[] = {SWITCH("absent.service"),
					 SWITCH("bare.service")};
	struct recipe_switch disable[] = {SWITCH("gone.timer")};
	char *role_units[] = {(char *)"nowhere.service", NULL};
	struct role role = {.name = (char *)"node", .units = role_units};
	static const char *const want[] = {
		"r.cfg:9: disable: neither the recipe nor the base has a unit "
		"'gone.timer'",
		"r.cfg:9: enable: neither the recipe nor the base has a unit "
		"'absent.service'",
		"r.cfg:9: enable: 'bare.service' (/usr/lib/systemd/system/bare.service) "
		"has no [Install] section with WantedBy=, RequiredBy= or Alias=",
		"r.cfg:10: role 'node': neither the recipe nor the base has a unit "
		"'nowhere.service'",
	};

	(void)state;
	w.recipe.enable = switches(enable, 2);
	w.recipe.disable = switches(disable, 1);
	w.recipe.roles.v = &role;
	w.recipe.roles.n = 1;
	w.recipe.role_wheres = role_wheres;
	unit_links(&w.layer, &w.index, &w.recipe);
	refused(want, ARRAY_SIZE(want));
}

static void links_outside_of_the_folder_are_refused(_unused_ void **state)
{
	struct recipe_switch enable[] = {SWITCH("own.service")};
	static const char *const want[] = {
		"r.cfg:9: own.service: [Install] WantedBy=a/b is not supported",
		"r.cfg:9: own.service: [Install] WantedBy=%t is not supported",
		"r.cfg:9: own.service: [Install] Alias=.. is not supported",
		"r.cfg:9: own.service: [Install] Alias=%i is not supported",
	};

	w.recipe.enable = switches(enable, 1);
	file(SYSTEM "own.service", "[Install]\nWantedBy=a/b %t\nAlias=.. %i\n");
	unit_links(&w.layer, &w.index, &w.recipe);
	refused(want, ARRAY_SIZE(want));
}

/* --- artifacts -------------------------------------------------------------------- */

/* Members are extracted from a nested archive and from a zip that has its sizes after the
 * data; an artifact can also be a plain file. */
static void artifacts_are_extracted(void **state)
{
	static const struct member core[] = {{"bin/x", .data = "program"},
					     {"bin/y", .data = "another"}};
	_cleanup_bytes_ struct bytes inner = make_archive(
		ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_GZIP, core, 2);
	const struct member top[] = {{"in.tgz", .data = inner.p, .len = inner.len}};
	_cleanup_bytes_ struct bytes tar = make_archive(ARCHIVE_FORMAT_TAR_PAX_RESTRICTED,
							ARCHIVE_FILTER_XZ, top, 1);
	_cleanup_bytes_ struct bytes zip =
		make_archive(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, core, 2);
	struct recipe_extract bin[] = {{.path = (char *)"bin/y",
					.to = (char *)"/opt/y",
					.mode = 0750,
					.where = (char *)"r.cfg:5"}};
	struct recipe_extract in[] = {
		{.path = (char *)"in.tgz", .v = bin, .n = 1, .where = (char *)"r.cfg:4"}};
	struct recipe_extract flat[] = {{.path = (char *)"bin/x",
					 .to = (char *)"/opt/x",
					 .mode = 0755,
					 .where = (char *)"r.cfg:6"}};
	struct recipe_artifact v[] = {
		{.limit = 1 << 20,
		 .name = (char *)"tar",
		 .url = (char *)"u:tar",
		 .v = in,
		 .n = 1},
		{.limit = 1 << 20,
		 .name = (char *)"zip",
		 .url = (char *)"u:zip",
		 .v = flat,
		 .n = 1},
		{.limit = 1 << 20,
		 .name = (char *)"bare",
		 .url = (char *)"u:bare",
		 .to = (char *)"/opt/bare",
		 .mode = 0700,
		 .where = (char *)"r.cfg:7"},
	};
	struct input input[] = {
		{&v[0], {.fd = bytes_fd(tar.p, tar.len)}, NULL},
		{&v[1], {.fd = bytes_fd(zip.p, zip.len)}, NULL},
		{&v[2], {.fd = bytes_fd("bare bytes", 10), .size = 10}, NULL},
	};
	struct inputs inputs = {.v = input, .n = 3};
	struct roles none = {0};

	(void)state;
	w.recipe.name = (char *)"r";
	w.recipe.roles = none;
	layer_add_recipe(&w.layer, &w.recipe, &inputs, "LICENSE");
	/* One byte replaces the content of firstboot. */
	for (size_t i = 0; i < w.layer.n; i++)
		if (streq(w.layer.v[i].path, "usr/sbin/firstboot")) {
			w.layer.v[i].source = LAYER_TEXT;
			w.layer.v[i].text = xstrdup("f");
			w.layer.v[i].len = 1;
		}
	merged(NULL);
	has("file /opt/y 0750 0:0 1000 'another'");
	has("file /opt/x 0755 0:0 1000 'program'");
	has("file /opt/bare 0700 0:0 1000 'bare bytes'");
	has("file /usr/sbin/firstboot 0755 0:0 1000 'f'");
	has("file /etc/machine-id 0444 0:0 1000 ''");
	assert_int_equal(layer_find(&w.layer, "opt/x")->size, 7);
	assert_string_equal(layer_find(&w.layer, "opt/y")->origin, "tar: in.tgz: bin/y");
	for (size_t i = 0; i < 3; i++)
		close(input[i].blob.fd);
}

/* Ends the test when it has used so many seconds of processor time; 0: no limit. Other
 * processes do not count. */
static void limit_cpu(time_t seconds)
{
	const struct itimerval limit = {.it_value.tv_sec = seconds};

	assert_int_equal(setitimer(ITIMER_VIRTUAL, &limit, NULL), 0);
}

/* A unit of the base may name any number of targets: quadratic code needs minutes. */
static void unit_with_many_targets_is_linked(void **state)
{
	struct recipe_switch enable[] = {SWITCH("many.service")};
	struct buf b = {0};

	(void)state;
	limit_cpu(60);
	buf_puts(&b, "[Install]\n");
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&b, "WantedBy=%u.target\n", i);
	file("/etc/systemd/system/many.service", b.p);
	w.recipe.enable = switches(enable, 1);
	unit_links(&w.layer, &w.index, &w.recipe);
	assert_int_equal(w.diag.n, 0);
	assert_int_equal(w.layer.n, 100001);
	layer_finish(&w.layer);
	assert_non_null(layer_find(&w.layer, "etc/systemd/system/99999.target.wants/"
					     "many.service"));
	limit_cpu(0);
	buf_done(&b);
}

/* A path is followed in one pass, and is not longer than the kernel allows. */
static void long_paths_are_refused(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	char *path;

	(void)state;
	for (unsigned i = 0; i < 2047; i++)
		buf_puts(&b, "a/");
	path = index_resolve(&w.index, b.p, true);
	assert_non_null(path);
	assert_int_equal(strlen(path), 2 * 2047 - 1);
	free(path);
	limit_cpu(60);
	for (unsigned i = 0; i < 1000000; i++)
		buf_puts(&b, "a/");
	assert_null(index_resolve(&w.index, b.p, true));
	limit_cpu(0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(units_are_enabled_and_masked),
		CASE(unit_with_many_targets_is_linked),
		CASE(long_paths_are_refused),
		cmocka_unit_test_setup_teardown(split_usr_is_kept, setup_split, teardown),
		CASE(missing_units_are_refused),
		CASE(links_outside_of_the_folder_are_refused),
		CASE(artifacts_are_extracted),
	};

	return cmocka_run_group_tests_name("merge-units", tests, NULL, NULL);
}
