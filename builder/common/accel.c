/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest is iPXE, as on a host, with a script that prints "alive" on the serial line
 * and resets the machine, which ends QEMU (-no-reboot). Nested KVM fails in two known
 * ways: the guest stops in real mode, or it stops in iPXE at an interrupt that returns to
 * protected mode without paging. QEMU does not exit in either case, so the probe has a
 * deadline. Under emulation the probe takes a second.
 *
 * QEMU's output about a failed guest is kept in log/kvm, for reports about KVM.
 */
#include "builder/common/accel.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/str.h"

#define PROBE_MS   5000
#define PROBE_FILE "run/probe.ipxe"
#define ALIVE      "alive"

/* The reset may swallow the end of the output, so ALIVE comes first. */
static const char script[] = "#!ipxe\n"
			     "echo " ALIVE ", and about to reset\n"
			     "reboot\n";

static int run_guest(const char *dir, const char *accel, char **ret, struct err *e)
{
	const char *const argv[] = {
		ACCEL_QEMU,
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
		ACCEL_PROBE_IPXE,
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
		       : err_set(e, ERR_FAILED, "the guest ended without any output");
}

static void save_output(const char *dir, const char *output)
{
	_cleanup_free_ char *path = xasprintf("%s/log/kvm", dir);
	_cleanup_free_ char *text = xasprintf("%s\n", output);

	/* An error is ignored: the file is information only. */
	if (file_write_at(AT_FDCWD, path, text, strlen(text), 0644) < 0)
		unlink(path);
}

/* Returns NULL when KVM works, else the reason why not. Owned by the caller. */
static char *kvm_problem(const char *dir)
{
	_cleanup_close_ int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	struct err e = {0};

	if (fd < 0 && errno == ENOENT)
		return xstrdup("there is no /dev/kvm");
	if (fd < 0)
		return xasprintf("/dev/kvm: %s", strerror(errno));
	if (accel_probe(dir, "kvm", &e) == 0)
		return NULL;
	save_output(dir, e.msg);
	return xasprintf("KVM does not work here (a test guest failed, see %s/log/kvm)",
			 dir);
}

int accel_find(const char *dir, enum accel_choice choice, enum accel *ret, struct err *e)
{
	_cleanup_free_ char *why = NULL;

	*ret = ACCEL_TCG;
	if (choice == ACCEL_ONLY_TCG)
		return 0;
	why = kvm_problem(dir);
	if (!why) {
		log_info("KVM works");
		*ret = ACCEL_KVM;
		return 0;
	}
	if (choice == ACCEL_ONLY_KVM)
		return err_set(e, ERR_UNABLE, "--accel kvm: %s", why);
	log_info("%s: using QEMU's emulation (TCG)", why);
	return 0;
}

/* --- words ------------------------------------------------------------------------- */

const char *accel_choice_name(size_t i)
{
	static const char *const names[] = {[ACCEL_AUTO] = "auto",
					    [ACCEL_ONLY_KVM] = "kvm",
					    [ACCEL_ONLY_TCG] = "tcg"};

	return i < ARRAY_SIZE(names) ? names[i] : NULL;
}

int accel_parse(const char *name, enum accel_choice *ret)
{
	for (size_t i = 0; accel_choice_name(i); i++)
		if (streq(name, accel_choice_name(i))) {
			*ret = (enum accel_choice)i;
			return 0;
		}
	return -EINVAL;
}

const char *accel_name(enum accel accel)
{
	return accel == ACCEL_KVM ? "kvm" : "tcg";
}

bool accel_is_death(const char *line)
{
	static const char *const words[] = {
		"KVM internal error", /* accel/kvm/kvm-all.c: with a Suberror */
		"kvm run failed",     /* the same, KVM_RUN's errno */
		"KVM: entry failed",  /* target/i386/kvm/kvm.c: the processor refused */
		"KVM: unknown exit",  /* the same */
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}
