/* SPDX-License-Identifier: Apache-2.0 */
/* A machine's root in a temporary folder: its network links in sysfs, its host.cfg and
 * other files. */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"
#include "test-roles.h"
#include "test-templates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/statvfs.h>

#include <cmocka.h>

struct machine {
	char dir[64];
	struct firstboot fb;
};

static _unused_ void write_file(const struct machine *m, const char *path,
				const char *text)
{
	_cleanup_free_ char *dir = xstrdup(path);

	if (strrchr(dir, '/')) {
		*strrchr(dir, '/') = '\0';
		assert_int_equal(mkdir_p_at(m->fb.rootfd, dir, 0755), 0);
	}
	assert_int_equal(file_write_at(m->fb.rootfd, path, text, strlen(text), 0644), 0);
}

/* Makes the folder in memory if /dev/shm allows it, because some tests write and sync
 * thousands of small files. */
static void machine_make_empty(struct machine *m)
{
	struct statvfs fs;
	bool shm = access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &fs) == 0 &&
		   !(fs.f_flag & ST_NOEXEC);

	*m = (struct machine){0};
	snprintf(m->dir, sizeof(m->dir), "%s/test-firstboot.XXXXXX",
		 shm ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(m->dir));
	m->fb = (struct firstboot){.cmdline = ""};
	m->fb.rootfd = open(m->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(m->fb.rootfd >= 0);
	log_setup("test", LOG_LEVEL_ERROR);
}

/* The same with roles and templates of an image. */
static _unused_ void machine_make(struct machine *m)
{
	machine_make_empty(m);
	write_file(m, ROLES_PATH, ROLES_2015);
	write_file(m, TEMPLATES_CFG, TEST_TEMPLATES);
	write_file(m, TEMPLATES_DIR "/environment", TEST_ENVIRONMENT);
	write_file(m, TEMPLATES_DIR "/docker", TEST_DOCKER);
}

static void machine_done(struct machine *m)
{
	close(m->fb.rootfd);
	assert_int_equal(rm_rf_at(AT_FDCWD, m->dir), 0);
}
#define _cleanup_machine_ _cleanup_(machine_done)

/* Returns the file's text, or NULL when the file does not exist. Owned by the caller. */
static _unused_ char *read_file(const struct machine *m, const char *path)
{
	char *text = NULL;
	int r = file_read_at(m->fb.rootfd, path, 1 << 20, &text, NULL);

	assert_true(r == 0 || r == -ENOENT);
	return text;
}

static _unused_ void assert_file(const struct machine *m, const char *path,
				 const char *want)
{
	_cleanup_free_ char *text = read_file(m, path);

	if (!want) {
		assert_null(text);
		return;
	}
	if (!text)
		fail_msg("%s is not there", path);
	assert_string_equal(text, want);
}

static _unused_ void assert_has(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("no \"%s\" in \"%s\"", part, text ? text : "(null)");
}

/* Writes a network link's files in sysfs. */
static _unused_ void add_link(const struct machine *m, const char *name, const char *mac,
			      unsigned index, bool physical)
{
	_cleanup_free_ char *address = xasprintf("sys/class/net/%s/address", name);
	_cleanup_free_ char *type = xasprintf("sys/class/net/%s/type", name);
	_cleanup_free_ char *ifindex = xasprintf("sys/class/net/%s/ifindex", name);
	_cleanup_free_ char *device = xasprintf("sys/class/net/%s/device", name);
	_cleanup_free_ char *mac_line = xasprintf("%s\n", mac);
	_cleanup_free_ char *index_line = xasprintf("%u\n", index);

	write_file(m, address, mac_line);
	write_file(m, type, "1\n");
	write_file(m, ifindex, index_line);
	if (physical)
		assert_int_equal(mkdir_p_at(m->fb.rootfd, device, 0755), 0);
}

#define NODE_MAC "52:54:00:25:00:11"
#define NODE_CFG                                                                         \
	"name = \"node-1\";\nrole = \"node\";\nmac = \"" NODE_MAC "\";\n"                \
	"address = \"172.25.0.11/24\";\ngateway = \"172.25.0.1\";\n"                     \
	"master = \"172.25.0.10\";\ncbr0 = \"192.168.1.1/24\";\n"

static _unused_ void write_node(const struct machine *m)
{
	add_link(m, "eth0", NODE_MAC, 2, true);
	write_file(m, HOST_CFG, NODE_CFG);
}
