/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest is iPXE, as on a host, with a script that says "alive" on the serial line and
 * resets the machine, which ends QEMU (-no-reboot). Nested KVM has been seen to die in
 * real mode, and elsewhere to live through that and die in iPXE, on an interrupt that
 * returns to protected mode without paging. QEMU does not end then, it stands still: the
 * probe has a deadline. Under emulation it takes a second.
 *
 * What QEMU says about a guest that died is for those who mend KVM: log/kvm.
 */
#include "rack-accel.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"
#include "rack-vm.h"

#define PROBE_MS   5000
#define PROBE_IPXE "/boot/ipxe.lkrn" /* Debian's package ipxe */
#define PROBE_FILE "run/probe.ipxe"
#define ALIVE      "alive"

/* What stands behind the word is what the reset may swallow. */
static const char script[] = "#!ipxe\n"
			     "echo " ALIVE ", and about to reset\n"
			     "reboot\n";

static int run_guest(const char *dir, const char *accel, char **ret, struct err *e)
{
	const char *const argv[] = {
		VM_PROGRAM,
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-machine",
		"q35,graphics=off",
		"-accel",
		accel,
		"-cpu",
		"max",
		"-m",
		"256M",
		"-serial",
		"stdio",
		"-kernel",
		PROBE_IPXE,
		"-initrd",
		PROBE_FILE,
		NULL,
	};

	return run_capture(
		&(struct run){.argv = argv, .cwd = dir, .timeout_ms = PROBE_MS}, ret,
		NULL, e);
}

int accel_probe(const char *dir, const char *accel, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" PROBE_FILE, dir), *said = NULL;
	int r = file_write_at(AT_FDCWD, path, script, strlen(script), 0644);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	r = run_guest(dir, accel, &said, e);
	unlink(path);
	if (r < 0)
		return -1;
	return strstr(said, ALIVE)
		       ? 0
		       : err_set(e, ERR_FAILED, "the guest died without a word");
}

static void keep_story(const char *dir, const char *story)
{
	_cleanup_free_ char *path = xasprintf("%s/log/kvm", dir);
	_cleanup_free_ char *text = xasprintf("%s\n", story);

	/* Nothing depends on it. */
	if (file_write_at(AT_FDCWD, path, text, strlen(text), 0644) < 0)
		unlink(path);
}

enum accel accel_find(const char *dir, char **ret_why)
{
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct err e = {0};

	if (fd < 0 && errno == ENOENT) {
		*ret_why = xstrdup("there is no /dev/kvm");
		return ACCEL_TCG;
	}
	if (fd < 0) {
		*ret_why = xasprintf("/dev/kvm: %s", strerror(errno));
		return ACCEL_TCG;
	}
	if (accel_probe(dir, "kvm", &e) < 0) {
		keep_story(dir, e.msg);
		*ret_why = xasprintf(
			"KVM does not work here (guest died, see %s/log/kvm)", dir);
		return ACCEL_TCG;
	}
	*ret_why = xstrdup("KVM works");
	return ACCEL_KVM;
}
