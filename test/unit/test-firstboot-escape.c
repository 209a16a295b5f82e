/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firstboot below a root whose directories and files are symlinks out of it. The paths
 * are not chosen here: they are all directories and files of a machine after a full
 * apply. In each case one of them is a symlink, absolute or with "..", to a folder beside
 * the root that has files of the same names with other contents.
 *
 * Nothing in that folder changes, and nothing is read from it: below the root the symlink
 * leads to the same path of the root, and the host is configured there as it is without
 * symlinks. All cases run twice, with openat2() and without.
 */
#include "firstboot/feature/docker.h"
#include "firstboot/model/sha256.h"
#include "firstboot/ready.h"
#include "firstboot/state.h"
#include "lib/dir.h"
#include "lib/root.h"
#include "test-firstboot-http.h"
#include "test-firstboot-root.h"
#include "test-no-openat2.h"

#define STATE "var/lib/rackstrap/"

static char tools[] = "/tmp/test-firstboot-tools.XXXXXX"; /* programs that it calls */
static struct server server;

/* --- configurations ------------------------------------------------------------- */

#define FULL                                                                             \
	NODE_CFG "vlan = 100; bond = [ \"eth0\", \"eth1\" ];\n"                          \
		 "dns = [ \"172.25.0.1\" ]; console = \"ttyS9\";\n"                      \
		 "ssh_keys = [ \"ssh-ed25519 "                                           \
		 "AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6"  \
		 "\" ];\n"
/* Has nothing of the uplink's files, and no keys. */
#define BARE                                                                             \
	"name = \"other\"; role = \"bare\"; mac = \"" NODE_MAC "\";\n"                   \
	"address = \"dhcp\"; console = \"ttyS9\";\n"
#define WRONG FULL "gateway_ = \"x\";\n"

static const struct stage {
	const char *cfg;
	int result;
} stages[] = {{FULL, 0}, {WRONG, -1}, {BARE, 0}};

/* --- trees ---------------------------------------------------------------------- */

/* Appends a line for every entry below a directory, with everything that a program could
 * change about it, and with the path as `prefix` and the name. */
static void append_tree(struct buf *b, int dirfd, const char *prefix)
{
	_cleanup_strv_ char **names = NULL;

	assert_int_equal(dir_names_at(dirfd, ".", &names), 0);
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", prefix, names[i]);
		_cleanup_free_ char *text = NULL, *inside = xasprintf("%s/", path);
		_cleanup_close_ int fd = -1;
		struct stat st;

		assert_int_equal(fstatat(dirfd, names[i], &st, AT_SYMLINK_NOFOLLOW), 0);
		buf_printf(b, "%s %o %lld.%09ld\n", path, st.st_mode,
			   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
		if (S_ISREG(st.st_mode)) {
			assert_int_equal(
				file_read_at(dirfd, names[i], 1 << 20, &text, NULL), 0);
			buf_puts(b, text);
		}
		if (!S_ISDIR(st.st_mode))
			continue;
		fd = openat(dirfd, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(fd >= 0);
		append_tree(b, fd, inside);
	}
}

static char *tree_of(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = {0};

	assert_true(fd >= 0);
	append_tree(&b, fd, "");
	return buf_take(&b);
}

/* Adds the paths of all directories and of all files to the lists. */
static void list_paths(const char *dir, char ***dirs, char ***files)
{
	_cleanup_free_ char *text = tree_of(dir);
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; lines[i]; i++) {
		_cleanup_free_ char *path = xstrndup(lines[i], strcspn(lines[i], " "));

		if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* a line of a file */
		if (S_ISDIR(st.st_mode) && !strv_has(*dirs, path))
			strv_add(dirs, path);
		if (S_ISREG(st.st_mode) && !strv_has(*files, path))
			strv_add(files, path);
	}
}

/* --- machines ------------------------------------------------------------------- */

static void machine_prepare(struct machine *m)
{
	static const char archive[] = "an archive";
	_cleanup_free_ char *roles = NULL, *containers = NULL;
	char sha256[DIGEST_LEN];

	machine_make(m);
	m->fb.wait = true;
	add_link(m, "eth0", NODE_MAC, 2, true);
	add_link(m, "eth1", "52:54:00:25:00:12", 3, true);
	write_file(m, HOST_CFG, FULL);
	write_file(m, "dev/ttyS9", "");
	roles = xasprintf(
		"roles = ( { name = \"node\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\", \"network-environment\" ];\n"
		"units = [ \"docker.service\" ];\n"
		"ready = [ \"http://127.0.0.1:%u/ok\" ]; },\n"
		"{ name = \"bare\"; units = [ ]; } );\n",
		server.port);
	write_file(m, ROLES_PATH, roles);
	digest_sha256(archive, strlen(archive), sha256);
	containers =
		xasprintf("containers = ( { image = \"pause:1\"; file = \"/usr/c\";\n"
			  "sha256 = \"%s\"; id = \"33\"; config = \"44\"; } );\n",
			  sha256);
	write_file(m, CONTAINERS_CFG, containers);
	write_file(m, "usr/c", archive);
}

static void apply(const struct machine *m, const struct stage *s)
{
	struct err e = {0};

	assert_int_equal(root_write(m->fb.rootfd, HOST_CFG, s->cfg, strlen(s->cfg), 0644),
			 0);
	if (cmd_apply(&m->fb, NULL, &e) != s->result)
		fail_msg("%s", e.msg);
}

/* Returns the files as they are below the root. The records of firstboot have times in
 * them, or the directories that existed before. */
static char *files_text(const struct machine *m, char *const *files)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; files[i]; i++) {
		_cleanup_free_ char *text = NULL;
		struct stat st;

		buf_printf(&b, "%s ", files[i]);
		if (root_stat(m->fb.rootfd, files[i], 0, &st) < 0) {
			buf_puts(&b, "absent\n");
			continue;
		}
		buf_printf(&b, "%o\n", st.st_mode);
		if (str_after(files[i], STATE) || str_after(files[i], RUN_DIR) ||
		    str_after(files[i], "dev/"))
			continue;
		assert_int_equal(root_read(m->fb.rootfd, files[i], 1 << 20, &text, NULL),
				 0);
		buf_puts(&b, text);
	}
	return buf_take(&b);
}

/* All paths of a machine after a full apply, and its files after each stage. */
static char **all_dirs, **all_files, **inputs;
static char *want[ARRAY_SIZE(stages)];

static void learn(void)
{
	struct machine m;
	char **no_dirs = NULL;

	machine_prepare(&m);
	list_paths(m.dir, &no_dirs, &inputs);
	strv_free(no_dirs);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		apply(&m, &stages[i]);
		list_paths(m.dir, &all_dirs, &all_files);
	}
	machine_done(&m);
	machine_prepare(&m);
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		apply(&m, &stages[i]);
		want[i] = files_text(&m, all_files);
	}
	machine_done(&m);
}

/* --- a symlink out of the root -------------------------------------------------- */

struct escape {
	struct machine m;
	char outside[64]; /* a folder beside the root */
	char *before;     /* what is in it */
	char *path;       /* the symlink, below the root */
	char *target;
};

enum kind { ABSOLUTE, DOTS, KINDS };

/* Does not sync the file, of which there are many. */
static void write_foreign(int dirfd, const char *path)
{
	_cleanup_close_ int fd =
		openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_int_equal(write_all(fd, "foreign\n", strlen("foreign\n")), 0);
}

/* Makes a machine on which `path` is a symlink to `outside`, which has a file for each
 * one below that path, or is one for a file. */
static void escape_make(struct escape *x, const char *path, enum kind kind)
{
	_cleanup_free_ char *below = xasprintf("%s/", path), *dir = NULL;
	const char *name;
	int fd;

	*x = (struct escape){.path = xstrdup(path)};
	machine_prepare(&x->m);
	snprintf(x->outside, sizeof(x->outside), "/tmp/test-firstboot-out.XXXXXX");
	assert_non_null(mkdtemp(x->outside));
	fd = open(x->outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; all_files[i]; i++) {
		const char *rest = str_after(all_files[i], below);
		_cleanup_free_ char *in = NULL;

		if (streq(all_files[i], path))
			rest = "file";
		if (!rest)
			continue;
		assert_int_equal(path_split(rest, &in, &name), 0);
		assert_int_equal(mkdir_p_at(fd, in, 0755), 0);
		write_foreign(fd, rest);
	}
	close(fd);
	x->before = tree_of(x->outside);
	x->target = xasprintf("%s%s%s", kind == DOTS ? "../../../../../../../../.." : "",
			      x->outside, strv_has(all_files, path) ? "/file" : "");
	assert_int_equal(path_split(path, &dir, &name), 0);
	assert_int_equal(mkdir_p_at(x->m.fb.rootfd, dir, 0755), 0);
}

/* Puts the symlink in the place of a directory. With `inside`, the symlink's path exists
 * below the root, and has what the directory had. */
static void escape_link_dir(struct escape *x, bool inside)
{
	int root = x->m.fb.rootfd;
	const char *in = x->outside + 1;

	assert_int_equal(mkdir_p_at(root, "tmp", 0755), 0);
	if (renameat(root, x->path, root, inside ? in : "tmp/gone") < 0 && inside)
		assert_int_equal(mkdirat(root, in, 0755), 0);
	assert_int_equal(symlinkat(x->target, root, x->path), 0);
}

static void escape_check(const struct escape *x, const char *when)
{
	_cleanup_free_ char *after = tree_of(x->outside);

	if (!streq(after, x->before))
		fail_msg("/%s -> %s: %s changed files outside of the root\n%s\n--- "
			 "before\n%s",
			 x->path, x->target, when, after, x->before);
}

static void escape_done(struct escape *x)
{
	machine_done(&x->m);
	assert_int_equal(rm_rf_at(AT_FDCWD, x->outside), 0);
	free(x->before);
	free(x->path);
	free(x->target);
}
#define _cleanup_escape_ _cleanup_(escape_done)

/* --- tests ---------------------------------------------------------------------- */

static void test_plan_has_the_known_directories(void **state _unused_)
{
	static const char *const some[] = {"etc",
					   "etc/systemd/network",
					   "etc/sysctl.d",
					   "etc/default",
					   "root/.ssh",
					   "run/rackstrap",
					   "var/lib/rackstrap",
					   "dev",
					   "sys/class/net/eth0"};

	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		assert_true(strv_has(all_dirs, some[i]));
	assert_true(strv_has(all_files, "root/.ssh/authorized_keys"));
	assert_true(strv_has(all_files, "etc/systemd/network/07-rackstrap-vlan.netdev"));
}

/* Everything is as without the symlink, below the root. */
static void test_symlinked_directory_leads_inside(void **state _unused_)
{
	for (size_t i = 0; all_dirs[i]; i++)
		for (enum kind kind = ABSOLUTE; kind < KINDS; kind++) {
			_cleanup_escape_ struct escape x;
			_cleanup_free_ char *link = NULL;

			escape_make(&x, all_dirs[i], kind);
			escape_link_dir(&x, true);
			for (size_t k = 0; k < ARRAY_SIZE(stages); k++) {
				_cleanup_free_ char *got = NULL;

				apply(&x.m, &stages[k]);
				escape_check(&x, "apply");
				got = files_text(&x.m, all_files);
				if (!streq(got, want[k]))
					fail_msg("/%s -> %s, stage %zu:\n%s\n--- "
						 "wanted\n%s",
						 x.path, x.target, k, got, want[k]);
			}
			assert_int_equal(root_readlink(x.m.fb.rootfd, x.path, &link), 0);
			assert_string_equal(link, x.target);
		}
}

/* The symlink's path does not exist below the root: it leads nowhere. */
static void test_symlink_to_nowhere_leads_nowhere(void **state _unused_)
{
	for (size_t i = 0; all_dirs[i]; i++)
		for (enum kind kind = ABSOLUTE; kind < KINDS; kind++) {
			_cleanup_escape_ struct escape x;
			struct err e;

			escape_make(&x, all_dirs[i], kind);
			escape_link_dir(&x, false);
			/* It fails unless the directory is not needed. */
			(void)!cmd_apply(&x.m.fb, NULL, &e);
			x.m.fb.cmdline = "rackstrap.role=none";
			assert_int_equal(cmd_apply(&x.m.fb, NULL, &e), -1);
			escape_check(&x, "apply");
		}
}

/* A symlink in the place of a file that firstboot writes is replaced. */
static void test_symlinked_file_is_replaced(void **state _unused_)
{
	for (size_t i = 0; all_files[i]; i++)
		for (enum kind kind = ABSOLUTE; kind < KINDS; kind++) {
			_cleanup_escape_ struct escape x = {0};
			_cleanup_free_ char *got = NULL;
			struct stat st;
			struct err e;

			escape_make(&x, all_files[i], kind);
			(void)!unlinkat(x.m.fb.rootfd, x.path, 0);
			assert_int_equal(symlinkat(x.target, x.m.fb.rootfd, x.path), 0);
			if (strv_has(inputs,
				     x.path)) { /* it is read, and leads nowhere */
				(void)!cmd_apply(&x.m.fb, NULL, &e);
				escape_check(&x, "apply");
				continue;
			}
			for (size_t k = 0; k < ARRAY_SIZE(stages); k++) {
				apply(&x.m, &stages[k]);
				escape_check(&x, "apply");
			}
			got = files_text(&x.m, all_files);
			assert_string_equal(got, want[ARRAY_SIZE(stages) - 1]);
			if (root_stat(x.m.fb.rootfd, x.path, AT_SYMLINK_NOFOLLOW, &st) ==
			    0)
				assert_true(S_ISREG(st.st_mode));
		}
}

/* The other commands write below run/ and give files to curl and docker. */
static void test_other_commands_stay_inside(void **state _unused_)
{
	static const char *const dirs[] = {"run", "usr"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_free_ char *cfg = NULL, *log = NULL, *json = NULL,
				    *loaded = NULL;
		_cleanup_free_ char *path = xasprintf("%s/loaded", tools);
		_cleanup_escape_ struct escape x;
		struct err e;

		cfg = xasprintf(FULL
				"report = \"http://127.0.0.1:%u/report/node-1.json\";\n",
				server.port);
		escape_make(&x, dirs[i], ABSOLUTE);
		escape_link_dir(&x, true);
		apply(&x.m, &(struct stage){.cfg = cfg});
		if (cmd_containers(&x.m.fb, NULL, &e) < 0 ||
		    cmd_report(&x.m.fb, NULL, &e) < 0)
			fail_msg("%s", e.msg);
		escape_check(&x, "a command");
		assert_int_equal(file_read_at(AT_FDCWD, path, 100, &loaded, NULL), 0);
		assert_string_equal(loaded, "an archive");
		assert_int_equal(unlink(path), 0);
		assert_int_equal(
			root_read(x.m.fb.rootfd, REPORT_JSON, 1 << 20, &json, NULL), 0);
		log = server_log(&server);
		assert_has(log, json);
		assert_int_equal(root_access(x.m.fb.rootfd, RUN_DIR "/container-started"),
				 0);
	}
}

/* --- programs ------------------------------------------------------------------- */

static unsigned all_well(const char *request, const char *content _unused_,
			 const char **body)
{
	*body = "fine";
	return str_after(request, "PUT ") ? 201 : 200;
}

static void write_tool(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", tools, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0755), 0);
}

static void make_tools(void)
{
	_cleanup_free_ char *path = NULL, *docker = NULL;

	assert_non_null(mkdtemp(tools));
	path = xasprintf("%s:/usr/sbin:/usr/bin:/sbin:/bin", tools);
	setenv("PATH", path, 1);
	write_tool("systemctl", "#!/bin/sh\n[ $1 = show ] || exit 0\n"
				"echo LoadState=loaded\necho ActiveState=active\n"
				"echo SubState=running\necho Type=simple\n"
				"echo ActiveEnterTimestampMonotonic=1\n");
	/* Has the image as soon as an archive was loaded. */
	docker = xasprintf("#!/bin/sh\ncase $1 in\nload) cat $3 >%1$s/loaded ;;\n"
			   "inspect) [ -e %1$s/loaded ] && echo 33 && exit\n"
			   "echo 'Error: No such image' >&2; exit 1 ;;\nesac\n",
			   tools);
	write_tool("docker", docker);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_has_the_known_directories),
		cmocka_unit_test(test_symlinked_directory_leads_inside),
		cmocka_unit_test(test_symlink_to_nowhere_leads_nowhere),
		cmocka_unit_test(test_symlinked_file_is_replaced),
		cmocka_unit_test(test_other_commands_stay_inside),
	};
	int bad, r;

	umask(022);
	make_tools();
	server_start(&server, 0, all_well);
	learn();
	bad = _cmocka_run_group_tests("openat2", tests, ARRAY_SIZE(tests), NULL, NULL);
	r = forbid_openat2();
	if (r < 0) {
		printf("Bail out! no seccomp filter: %s\n", strerror(-r));
		return 1;
	}
	bad += _cmocka_run_group_tests("walk", tests, ARRAY_SIZE(tests), NULL, NULL);
	server_stop(&server);
	assert_int_equal(rm_rf_at(AT_FDCWD, tools), 0);
	return bad;
}
