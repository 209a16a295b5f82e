/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot containers`, and the container that `firstboot report` starts as a test.
 * docker is a script that logs its arguments, can be slow, and can fail.
 */
#include "firstboot/feature/docker.h"
#include "firstboot/model/sha256.h"
#include "test-firstboot-configured.h"

/* --- start of a container ------------------------------------------------------- */

#define CONTAINERS                                                                       \
	"containers = ( { image = \"big:1\"; file = \"/c/big\"; sha256 = \"00\"; id = "  \
	"\"11\"; config = \"22\"; }, { image = \"pause:1\"; file = \"/c/pause\"; "       \
	"sha256 = "                                                                      \
	"\"00\"; id = \"33\"; config = \"44\"; }, { image = \"data:1\"; file = "         \
	"\"/c/data\"; "                                                                  \
	"sha256 = \"00\"; id = \"33\"; config = \"44\"; } );"

/* Makes a machine whose role has Docker and two images, and whose docker logs its
 * arguments and fails for the command that the file `fail` names. */
static void docker_machine(struct machine *m, const struct server *s)
{
	_cleanup_free_ char *docker = NULL;

	configured(m, s);
	write_file(
		m, "usr/lib/rackstrap/roles.cfg",
		"roles = ( { name = \"node\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\", \"network-environment\" ]; units = [ "
		"\"docker.service\" ]; "
		"ready = [ ]; } );");
	write_file(m, "show", ACTIVE);
	write_file(m, CONTAINERS_CFG, CONTAINERS);
	write_file(m, "c/big", "bigger");
	write_file(m, "c/pause", "p");
	write_file(m, "c/data", ""); /* an image without a command */
	docker = xasprintf("#!/bin/sh\necho \"$@\" >>%1$s/docker.log\n"
			   "case $1 in\n"
			   "inspect) cat %1$s/id ;;\n"
			   "create) [ $3 != data:1 ] || {\n"
			   "echo 'No command specified' >&2; exit 1; }; "
			   "touch %1$s/there ;;\n"
			   "rm) rm %1$s/there 2>/dev/null || {\n"
			   "echo 'Error: no such id: x' >&2; exit 1; } ;;\n"
			   "esac\n"
			   "[ ! -e %1$s/fail ] || [ $1 != \"$(cat %1$s/fail)\" ] || {\n"
			   "echo 'Cannot start container: open /etc/resolv.conf' >&2; "
			   "exit 1; }\n",
			   m->dir);
	write_file(m, "bin/docker", docker);
	write_file(m, "id", "33\n");
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/docker", 0755, 0), 0);
}

#define START_TEST                                                                       \
	"inspect --format={{.Id}} data:1\n"                                              \
	"rm -f rackstrap-start-test\n"                                                   \
	"create --name=rackstrap-start-test data:1\n"                                    \
	"inspect --format={{.Id}} pause:1\n"                                             \
	"rm -f rackstrap-start-test\n"                                                   \
	"create --name=rackstrap-start-test pause:1\n"                                   \
	"start rackstrap-start-test\n"                                                   \
	"rm -f rackstrap-start-test\n"

static void test_ready_only_when_a_container_starts(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;

	server_start(&s, 0, all_well);
	docker_machine(&m, &s);
	write_file(&m, "fail", "start\n");
	assert_not_ready(&m, "Docker cannot start a container of pause:1: docker exited "
			     "with 1: Cannot start container: open /etc/resolv.conf");
	assert_file(&m, "docker.log", START_TEST);
	assert_file(&m, "there", NULL); /* the container is removed all the same */
	write_file(&m, "fail", "none\n");
	write_file(&m, "id", "99\n");
	assert_not_ready(&m, "the container image data:1 is not loaded yet");
	write_file(&m, "id", "sha256:44\n");
	write_file(&m, "docker.log", "");
	assert_ready(&m);
	assert_file(&m, "docker.log", START_TEST);
	/* A second check in this boot does not start the container again. */
	assert_ready(&m);
	assert_file(&m, "docker.log", START_TEST);
}

/* A failed removal is an error even when docker prints the container's name. */
static void test_failed_removal_is_an_error(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_snapshot_ struct snapshot snap = {0};
	_cleanup_free_ char *why = NULL, *by_hand = NULL;

	server_start(&s, 0, all_well);
	docker_machine(&m, &s);
	write_file(&m, "bin/docker",
		   "#!/bin/sh\ncase $1 in inspect) echo 33 ;; rm) echo 'Error: failed to "
		   "remove "
		   "root filesystem: no such file or directory' >&2; exit 1 ;; esac\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "bin/docker", 0755, 0), 0);
	snapshot_read(&snap, &m.fb);
	why = why_not_ready(&m);
	assert_has(why, "failed to remove root filesystem");
	assert_false(ready_now(&m.fb, &snap, &by_hand)); /* starts no container */
	assert_string_equal(by_hand, "no container has been started for a test yet");
}

/* A recipe without containers has nothing to start. */
static void test_without_containers_nothing_is_started(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;

	server_start(&s, 0, all_well);
	docker_machine(&m, &s);
	assert_int_equal(unlinkat(m.fb.rootfd, CONTAINERS_CFG, 0), 0);
	assert_ready(&m);
	assert_file(&m, "docker.log", NULL);
}

/* --- loading images ------------------------------------------------------------- */

/* Makes a machine with one baked-in image, "p", and a docker that knows the image once it
 * was loaded. Its daemon answers from the third command on, and every command takes
 * `slow` seconds. */
static void load_machine(struct machine *m, const char *slow)
{
	_cleanup_free_ char *list = NULL, *docker = NULL, *path = NULL;
	char sha256[DIGEST_LEN];

	machine_make(m);
	digest_sha256("p", 1, sha256);
	list = xasprintf(
		"containers = ( { image = \"pause:1\"; file = \"/c/pause\"; sha256 = "
		"\"%s\"; id = \"33\"; config = \"44\"; } );",
		sha256);
	write_file(m, CONTAINERS_CFG, list);
	write_file(m, "c/pause", "p");
	docker = xasprintf(
		"#!/bin/sh\necho $1 >>%1$s/docker.log\nsleep %2$s\n"
		"[ $(wc -l <%1$s/docker.log) -gt 2 ] || {\n"
		"echo 'Cannot connect to the Docker daemon.' >&2; exit 1; }\n"
		"case $1 in\n"
		"load) touch %1$s/loaded ;;\n"
		"inspect) [ -e %1$s/loaded ] && echo 33 || {\n"
		"echo 'Error: No such image or container: x' >&2; exit 1; } ;;\n"
		"esac\n",
		m->dir, slow);
	write_file(m, "bin/docker", docker);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/docker", 0755, 0), 0);
	path = xasprintf("%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", m->dir);
	setenv("PATH", path, 1);
}

static void test_slow_docker_is_waited_for(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	load_machine(&m, "0.5");
	if (cmd_containers(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_file(&m, "docker.log", "inspect\ninspect\ninspect\nload\ninspect\n");
	if (cmd_containers(&m.fb, NULL, &e) < 0) /* the image is loaded already */
		fail_msg("%s", e.msg);
	assert_file(&m, "docker.log",
		    "inspect\ninspect\ninspect\nload\ninspect\ninspect\n");
}

/* A damaged archive is not tried again. */
static void test_damaged_archive_is_not_retried(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	load_machine(&m, "0");
	write_file(&m, "c/pause", "q");
	assert_int_equal(cmd_containers(&m.fb, NULL, &e), -1);
	assert_has(e.msg, "container 'pause:1': /c/pause is damaged: sha256 ");
	assert_file(&m, "docker.log", "inspect\ninspect\ninspect\n");
}

static void test_silent_docker_is_an_error(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	load_machine(&m, "0");
	m.fb.timeout = 1;
	assert_int_equal(cmd_containers(&m.fb, NULL, &e), -1);
	assert_string_equal(e.msg,
			    "container 'pause:1': docker exited with 1: Cannot connect "
			    "to the Docker daemon.");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_only_when_a_container_starts),
		cmocka_unit_test(test_failed_removal_is_an_error),
		cmocka_unit_test(test_without_containers_nothing_is_started),
		cmocka_unit_test(test_slow_docker_is_waited_for),
		cmocka_unit_test(test_damaged_archive_is_not_retried),
		cmocka_unit_test(test_silent_docker_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
