/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine before it runs: QEMU's argument vector (test/golden/rack/NAME.argv, one
 * argument a line; GOLDEN_UPDATE=1 rewrites the files), disks, the messages of a
 * failing KVM, and refused set-ups.
 */
#include "builder/rack/rack-preflight.h"
#include "builder/rack/rack-vm.h"
#include "test-pxe-image.h"
#include "test-roles.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GOLDEN "test/golden/rack"
#define MIB    (1024ULL * 1024)

struct fixture {
	struct roles roles;
	struct rack rack;
	char *scratch;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_diag_ struct diag d = {0};

	roles_2015(&f->roles);
	f->scratch = make_scratch();
	*state = f;
	if (rack_load(&f->rack, GOLDEN "/rack.cfg", &f->roles, &d) < 0) {
		print_error("%s\n", d.lines[0]);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rack_done(&f->rack);
	roles_done(&f->roles);
	rm_rf_p(&f->scratch);
	free(f);
	return 0;
}

static const struct rack_host *host(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->rack.n_hosts; i++)
		if (streq(f->rack.hosts[i].host.name, name))
			return &f->rack.hosts[i];
	fail_msg("no host %s", name);
	return NULL;
}

/* --- the argument vector ----------------------------------------------------------- */

static void check_golden(const char *name, char *const *argv)
{
	_cleanup_free_ char *joined = strv_join(argv, "\n"), *want = NULL;
	_cleanup_free_ char *text = xasprintf("%s\n", joined), *path = NULL;

	path = xasprintf(GOLDEN "/%s.argv", name);
	if (getenv("GOLDEN_UPDATE"))
		assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644),
				 0);
	assert_int_equal(file_read_at(AT_FDCWD, path, 64 * 1024, &want, NULL), 0);
	assert_string_equal(text, want);
}

static void test_argv_matches_golden_files(void **state)
{
	static const struct {
		const char *golden, *host;
		enum accel accel;
		bool uefi;
	} cases[] = {
		{"bios-tcg", "node-1", ACCEL_TCG, false},
		{"bios-kvm", "node-2", ACCEL_KVM, false},
		{"bios-disk", "master", ACCEL_TCG, false},
		{"uefi-disk", "master", ACCEL_TCG, true},
		{"uefi-kvm", "node-1", ACCEL_KVM, true},
		{"bios-bond", "bonded", ACCEL_TCG, false},
		{"uefi-bond", "bonded", ACCEL_TCG, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm vm = {.host = host(*state, cases[i].host),
				.tap = 3,
				.accel = cases[i].accel,
				.uefi = cases[i].uefi};
		_cleanup_strv_ char **argv = vm_argv(&vm);

		check_golden(cases[i].golden, argv);
	}
}

/* --- network cards ------------------------------------------------------------------ */

static void check_cards(char *const *bond, unsigned nics, const char *want)
{
	struct rack_host h = {.host.mac = {{0x52, 0x54, 0, 0x25, 0, 0x11}},
			      .host.bond = (char **)bond,
			      .vm_nics = nics};
	_cleanup_buf_ struct buf b = {0};

	for (unsigned i = 0; i < vm_nics(&h); i++) {
		char text[NET_MAC_LEN];

		buf_printf(&b, "%s%s", i > 0 ? " " : "",
			   net_format_mac(vm_mac(&h, i), ':', text));
	}
	assert_string_equal(b.p, want);
}

static void test_cards_are_those_of_the_bond(void **state)
{
	char own[] = "52:54:00:25:00:11", other[] = "52-54-00-25-01-1A",
	     third[] = "02:00:00:00:00:01";
	char eth0[] = "eth0", eth1[] = "eth1";

	(void)state;
	check_cards(NULL, 0, "52:54:00:25:00:11");
	check_cards(NULL, 3, "52:54:00:25:00:11 56:54:00:25:00:11 5a:54:00:25:00:11");
	check_cards((char *[]){own, other, NULL}, 0,
		    "52:54:00:25:00:11 52:54:00:25:01:1a");
	check_cards((char *[]){other, own, NULL}, 3,
		    "52:54:00:25:00:11 52:54:00:25:01:1a 56:54:00:25:00:11");
	/* The bond is of other cards than the one that boots. */
	check_cards((char *[]){other, third, NULL}, 0,
		    "52:54:00:25:00:11 52:54:00:25:01:1a 02:00:00:00:00:01");
	check_cards((char *[]){eth0, eth1, NULL}, 0,
		    "52:54:00:25:00:11 56:54:00:25:00:11");
	check_cards((char *[]){own, eth1, NULL}, 0,
		    "52:54:00:25:00:11 56:54:00:25:00:11");
}

/* --- disks ------------------------------------------------------------------------- */

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_disk_is_made_blank_and_kept(void **state)
{
	struct fixture *f = *state;
	struct vm vm = {.host = host(f, "master")};
	_cleanup_free_ char *path = xasprintf("%s/disk/master.img", f->scratch);
	_cleanup_free_ char *dir = xasprintf("%s/disk", f->scratch);
	_cleanup_free_ char *want = NULL, *text = NULL;
	struct err e = {0};
	struct stat st;
	int fd;

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(vm_prepare(&vm, f->scratch, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4096 * MIB);
	assert_int_equal(st.st_blocks, 0);

	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "etcd", 4, 0), 4);
	assert_int_equal(vm_prepare(&vm, f->scratch, &e), 0);
	text = xcalloc(1, 5);
	assert_int_equal(pread(fd, text, 4, 0), 4);
	assert_string_equal(text, "etcd");

	assert_int_equal(ftruncate(fd, 1000), 0);
	close(fd);
	assert_int_equal(vm_prepare(&vm, f->scratch, &e), -1);
	want = xasprintf("%s is a disk of 1000 bytes from an earlier run, the rack file "
			 "says 4294967296: --fresh makes a new one",
			 path);
	assert_string_equal(e.msg, want);
	assert_int_equal(size_of(path), 1000);
}

/* A disk may be elsewhere, but none is made at the end of a symlink. */
static void test_disk_is_not_made_through_a_symlink(void **state)
{
	struct fixture *f = *state;
	struct vm vm = {.host = host(f, "master")};
	_cleanup_free_ char *dir = xasprintf("%s/disk", f->scratch);
	_cleanup_free_ char *path = xasprintf("%s/master.img", dir);
	_cleanup_free_ char *other = xasprintf("%s/other.img", f->scratch);
	struct err e = {0};

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(vm_prepare(&vm, f->scratch, &e), -1);
	assert_int_equal(size_of(other), -1);
	assert_int_equal(file_write_at(AT_FDCWD, other, "", 0, 0644), 0);
	assert_int_equal(vm_prepare(&vm, f->scratch, &e), 0);
	assert_int_equal(size_of(other), 4096 * MIB);
}

static void test_host_without_disk_gets_none(void **state)
{
	struct fixture *f = *state;
	struct vm vm = {.host = host(f, "node-1")};
	_cleanup_free_ char *path = xasprintf("%s/disk/node-1.img", f->scratch);
	struct err e = {0};

	assert_int_equal(vm_prepare(&vm, f->scratch, &e), 0);
	assert_int_equal(size_of(path), -1);
}

/* --- accelerators ------------------------------------------------------------------ */

static void test_accelerator_names_are_parsed(void **state)
{
	enum accel_choice c = ACCEL_ONLY_TCG;

	(void)state;
	assert_int_equal(accel_parse("auto", &c), 0);
	assert_int_equal(c, ACCEL_AUTO);
	assert_int_equal(accel_parse("kvm", &c), 0);
	assert_int_equal(c, ACCEL_ONLY_KVM);
	assert_int_equal(accel_parse("tcg", &c), 0);
	assert_int_equal(c, ACCEL_ONLY_TCG);
	assert_int_equal(accel_parse("KVM", &c), -EINVAL);
	assert_int_equal(accel_parse("", &c), -EINVAL);
	assert_string_equal(accel_name(ACCEL_KVM), "kvm");
	assert_string_equal(accel_name(ACCEL_TCG), "tcg");
}

/* Messages of QEMU 7.2, and lines that contain KVM but are not fatal. */
static void test_fatal_kvm_messages_are_recognised(void **state)
{
	static const struct {
		const char *line;
		bool death;
	} cases[] = {
		{"KVM internal error. Suberror: 1", true},
		{"KVM: entry failed, hardware error 0x80000021", true},
		{"error: kvm run failed Bad address", true},
		{"KVM: unknown exit, hardware reason 31", true},
		{"EAX=00000000 EBX=00000000 ECX=00000000 EDX=000006d3", false},
		{"qemu-system-x86_64: warning: host doesn't support requested feature: "
		 "MSR(48FH).vmx-exit-load-perf-global-ctrl [bit 12]",
		 false},
		{"qemu-system-x86_64: kvm: requested feature is not supported", false},
		{"qemu-system-x86_64: terminating on signal 15 from pid 1", false},
		{"", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (accel_is_death(cases[i].line) != cases[i].death)
			fail_msg("%s", cases[i].line);
}

/* --- preflight --------------------------------------------------------------------- */

/* Checks the complaints for these options. Programs are looked up in PATH, which the test
 * does not change here. */
static void check_complaints(bool uefi, enum accel_choice accel, const char *root,
			     const char *want)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};

	(void)!preflight_tools(uefi, accel, root, &d);
	for (size_t i = 0; i < d.n; i++)
		if (d.lines[i][0] == '/')
			buf_printf(&b, "%s\n", d.lines[i]);
	assert_string_equal(b.p ? b.p : "", want);
}

#define NONE        ": No such file or directory (Debian's package "
#define NO_PROBE    "/boot/ipxe.lkrn" NONE "ipxe)\n"
#define NO_UEFI     "/usr/lib/ipxe/snponly.efi" NONE "ipxe)\n"
#define NO_FIRMWARE VM_OVMF_CODE NONE "ovmf)\n" VM_OVMF_VARS NONE "ovmf)\n"

static void test_missing_files_are_named_with_their_package(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *boot = xasprintf("%s/boot", f->scratch);

	check_complaints(false, ACCEL_AUTO, f->scratch, NO_PROBE);
	check_complaints(false, ACCEL_ONLY_KVM, f->scratch, NO_PROBE);
	check_complaints(false, ACCEL_ONLY_TCG, f->scratch, "");
	check_complaints(true, ACCEL_AUTO, f->scratch, NO_UEFI NO_PROBE NO_FIRMWARE);
	check_complaints(true, ACCEL_ONLY_TCG, f->scratch, NO_UEFI NO_FIRMWARE);
	assert_int_equal(mkdir(boot, 0755), 0);
	write_text(boot, "ipxe.lkrn", "it is there\n");
	check_complaints(false, ACCEL_AUTO, f->scratch, "");
}

static void test_missing_programs_are_named_with_their_package(void **state)
{
	_cleanup_free_ char *path = xstrdup(getenv("PATH"));
	_cleanup_diag_ struct diag d = {0};
	struct fixture *f = *state;
	bool named = false;

	setenv("PATH", f->scratch, 1); /* dnsmasq and nginx are found in sbin */
	assert_int_equal(preflight_tools(false, ACCEL_ONLY_TCG, f->scratch, &d), -1);
	setenv("PATH", path, 1);
	for (size_t i = 0; i < d.n; i++)
		named |=
			streq(d.lines[i], "qemu-system-x86_64 is not installed (Debian's "
					  "package qemu-system-x86)");
	assert_true(named);
}

static void test_too_little_memory_is_refused_with_the_needed_size(void **state)
{
	struct fixture *f = *state;
	struct image image = {
		.name = (char *)"big", .initrd_size = 20 * MIB, .root_size = 100 * MIB};
	const struct rack_host *hosts[] = {host(f, "master"), host(f, "node-2")};
	_cleanup_diag_ struct diag d = {0};

	/* 2 * (20 * 4.5 + 100) + 120 + 75 MiB, rounded up to a multiple of 64. */
	assert_int_equal(preflight_memory(&image), 576 * MIB);
	assert_int_equal(preflight_hosts(hosts, 2, &image, &d), 0);

	image.root_size = 500 * MIB;
	assert_int_equal(preflight_hosts(hosts, 2, &image, &d), -1);
	assert_int_equal(d.n, 1); /* node-2 has enough memory */
	assert_string_equal(d.lines[0],
			    GOLDEN "/rack.cfg:10: host 'master': vm.memory: 1536M is too "
				   "little for image 'big' to boot over PXE: at least "
				   "1792M");
}

static void test_too_few_cards_for_a_bond_are_refused(void **state)
{
	struct fixture *f = *state;
	struct image image = {.name = (char *)"small"};
	struct rack_host bonded = *host(f, "bonded");
	const struct rack_host *hosts[] = {&bonded};
	_cleanup_diag_ struct diag d = {0};

	for (bonded.vm_nics = 4; bonded.vm_nics != 1; bonded.vm_nics--)
		assert_int_equal(preflight_hosts(hosts, 1, &image, &d), 0);
	bonded.vm_nics = 1;
	assert_int_equal(preflight_hosts(hosts, 1, &image, &d), -1);
	assert_string_equal(d.lines[0],
			    GOLDEN "/rack.cfg:16: host 'bonded': vm.nics: 1 is too "
				   "little for its bond of 2 links");
}

#define unit(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(test_argv_matches_golden_files),
		cmocka_unit_test(test_cards_are_those_of_the_bond),
		unit(test_disk_is_made_blank_and_kept),
		unit(test_disk_is_not_made_through_a_symlink),
		unit(test_host_without_disk_gets_none),
		cmocka_unit_test(test_accelerator_names_are_parsed),
		cmocka_unit_test(test_fatal_kvm_messages_are_recognised),
		unit(test_missing_files_are_named_with_their_package),
		unit(test_missing_programs_are_named_with_their_package),
		unit(test_too_little_memory_is_refused_with_the_needed_size),
		unit(test_too_few_cards_for_a_bond_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
