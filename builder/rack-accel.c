/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest is a boot sector that says "alive" on QEMU's debug port and then resets the
 * machine, which ends QEMU (-no-reboot) with exit status 0. Firmware has run by then, so
 * real mode, where broken nested KVM dies, has been seen to work.
 *
 * What QEMU says about a guest that died is for those who mend KVM: log/kvm.
 */
#include "rack-accel.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"
#include "rack-vm.h"

#define PROBE_MS   5000
#define SECTOR     512
#define PROBE_FILE "run/probe.img"
#define ALIVE      "alive"

/* clang-format off */
static const uint8_t boot_sector[SECTOR] = {
	0x31, 0xc0,		/* 7c00	xor ax, ax	*/
	0x8e, 0xd8,		/* 7c02	mov ds, ax	*/
	0xfc,			/* 7c04	cld		*/
	0xbe, 0x18, 0x7c,	/* 7c05	mov si, 0x7c18	*/
	0xac,			/* 7c08	lodsb		*/
	0x84, 0xc0,		/* 7c09	test al, al	*/
	0x74, 0x04,		/* 7c0b	jz 0x7c11	*/
	0xe6, 0xe9,		/* 7c0d	out 0xe9, al	*/
	0xeb, 0xf7,		/* 7c0f	jmp 0x7c08	*/
	0xb0, 0xfe,		/* 7c11	mov al, 0xfe	*/
	0xe6, 0x64,		/* 7c13	out 0x64, al	reset, by the keyboard's */
	0xf4,			/* 7c15	hlt		*/
	0xeb, 0xfd,		/* 7c16	jmp 0x7c15	*/
	'a', 'l', 'i', 'v', 'e', 0,
	[SECTOR - 2] = 0x55, 0xaa,
};
/* clang-format on */

static int run_guest(const char *dir, const char *accel, char **ret, struct err *e)
{
	const char *const argv[] = {
		VM_PROGRAM,   "-nodefaults", "-no-user-config",
		"-no-reboot", "-display",    "none",
		"-machine",   "pc",          "-accel",
		accel,        "-cpu",        "max",
		"-m",         "16M",         "-debugcon",
		"stdio",      "-drive",      "if=ide,format=raw,file=" PROBE_FILE,
		NULL,
	};

	return run_capture(
		&(struct run){.argv = argv, .cwd = dir, .timeout_ms = PROBE_MS}, ret,
		NULL, e);
}

int accel_probe(const char *dir, const char *accel, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" PROBE_FILE, dir), *said = NULL;
	int r = file_write_at(AT_FDCWD, path, boot_sector, sizeof(boot_sector), 0644);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	r = run_guest(dir, accel, &said, e);
	unlink(path);
	if (r < 0)
		return -1;
	return streq(said, ALIVE)
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
