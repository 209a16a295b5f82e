/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's command line is chosen for booting fast and over the network, many times.
 *
 *  - Every path is relative to the rack's folder, QEMU's working directory: the folder's
 *    name may then contain commas, and be longer than the QMP socket's limit (108 bytes).
 *  - Firmware and boot loader write to the serial line too (graphics=off), so that the
 *    console shows why a host does not reach its kernel.
 *  - BIOS boots by the iPXE in the network card's ROM. UEFI boots by its own PXE, which
 *    loads iPXE over TFTP as on metal: the card has no ROM then.
 *  - TCG emulates the CPU model EPYC: a boot took 28 s of CPU time with it and 42 s with
 *    "max" (5-level page tables and nested virtualization cost time, and more drivers are
 *    loaded). qemu64 took 28 s too, but has no random number instruction, so that the
 *    boot waits 5 s for entropy. log/NAME.qemu has the features that QEMU leaves out.
 *  - The disk's cache is never flushed to this machine's disk (cache=unsafe): written
 *    data survives the end of the guest and of QEMU, but not a crash of this machine.
 *
 * A machine is stopped without a shutdown, like a power cut. State disks must survive
 * that, and it saves a minute.
 */
#include "builder/rack/rack-vm.h"
#include "builder/rack/rack-console.h"
#include "builder/rack/rack-ns.h"

#include "lib/file.h"
#include "lib/str.h"

#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#define STOP_GRACE_MS 5000
#define MIB           (1024 * 1024)

/* --- network cards ----------------------------------------------------------------- */

static bool same_mac(struct mac a, struct mac b)
{
	return memcmp(a.b, b.b, sizeof(a.b)) == 0;
}

/* Sets *ret to the i-th address of the bond that is not the host's own. A bond's links
 * are addresses and names of interfaces. Returns false if there are not so many. */
static bool other_link(const struct rack_host *h, unsigned i, struct mac *ret)
{
	for (char **link = h->host.bond; link && *link; link++)
		if (net_parse_mac(*link, ret) == 0 && !same_mac(*ret, h->host.mac) &&
		    i-- == 0)
			return true;
	return false;
}

unsigned vm_bond_links(const struct rack_host *h)
{
	unsigned n = (unsigned)strv_len(h->host.bond), others = 0;
	struct mac mac;

	while (other_link(h, others, &mac))
		others++;
	return n > others + 1 ? n : others + 1;
}

unsigned vm_nics(const struct rack_host *h)
{
	return h->vm_nics ? h->vm_nics : vm_bond_links(h);
}

struct mac vm_mac(const struct rack_host *h, unsigned i)
{
	struct mac mac = h->host.mac;
	unsigned others = 0;

	if (i == 0 || other_link(h, i - 1, &mac))
		return mac;
	while (other_link(h, others, &mac))
		others++;
	mac = h->host.mac;
	mac.b[0] = (uint8_t)(((mac.b[0] | 2U) + 4 * (i - others)) & 0xfe);
	return mac;
}

/* --- command line ------------------------------------------------------------------ */

static void add(char ***v, const char *option, const char *value)
{
	strv_add(v, option);
	if (value)
		strv_add(v, value);
}

static void add_machine(char ***v, const struct vm *vm)
{
	const struct rack_host *h = vm->host;
	bool kvm = vm->accel == ACCEL_KVM;

	add(v, "-name", h->host.name);
	add(v, "-nodefaults", NULL);
	add(v, "-no-user-config", NULL);
	add(v, "-display", "none");
	add(v, "-machine", "q35,graphics=off");
	add(v, "-accel", kvm ? "kvm" : "tcg,thread=multi");
	add(v, "-cpu", kvm ? "max" : "EPYC");
	strv_add(v, "-smp");
	strv_addf(v, "%u", h->vm_cpus);
	strv_add(v, "-m");
	strv_addf(v, "%lluM", (unsigned long long)(h->vm_memory / MIB));
	strv_add(v, "-smbios");
	strv_addf(v, "type=1,manufacturer=rackstrap,product=rack,serial=%s",
		  h->host.name);
	/* If there is nothing to boot from, it restarts, as a machine in a rack does. */
	add(v, "-boot", "strict=on,reboot-timeout=10000");
}

static void add_firmware(char ***v, const struct vm *vm)
{
	if (!vm->uefi)
		return;
	add(v, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" VM_OVMF_CODE);
	strv_add(v, "-drive");
	strv_addf(v, "if=pflash,unit=1,format=raw,file=disk/%s.vars",
		  vm->host->host.name);
}

/* The first card boots; the others have no ROM. */
static void add_cards(char ***v, const struct vm *vm)
{
	for (unsigned i = 0; i < vm_nics(vm->host); i++) {
		char mac[NET_MAC_LEN], tap[16];

		net_format_mac(vm_mac(vm->host, i), ':', mac);
		strv_add(v, "-netdev");
		strv_addf(v, "tap,id=net%u,ifname=%s,script=no,downscript=no", i,
			  ns_tap(vm->tap + i, tap));
		strv_add(v, "-device");
		strv_addf(v, "virtio-net-pci,netdev=net%u,mac=%s%s%s", i, mac,
			  i == 0 ? ",bootindex=0" : "",
			  i > 0 || vm->uefi ? ",romfile=" : "");
	}
}

static void add_devices(char ***v, const struct vm *vm)
{
	const struct rack_host *h = vm->host;
	const char *name = h->host.name;

	add_cards(v, vm);
	if (h->vm_disk) {
		strv_add(v, "-drive");
		strv_addf(v,
			  "if=none,id=disk0,format=raw,cache=unsafe,discard=unmap,"
			  "file=disk/%s.img",
			  name);
		add(v, "-device", "virtio-blk-pci,drive=disk0,serial=rack-disk");
	}
	add(v, "-object", "rng-random,id=rng0,filename=/dev/urandom");
	add(v, "-device", "virtio-rng-pci,rng=rng0");
	strv_add(v, "-chardev");
	/* Appends, because console_bound() truncates the file. */
	strv_addf(v, "file,id=console,append=on,path=log/%s.console", name);
	add(v, "-serial", "chardev:console");
	strv_add(v, "-qmp");
	strv_addf(v, "unix:run/%s.qmp,server=on,wait=off", name);
}

char **vm_argv(const struct vm *vm)
{
	char **v = NULL;

	strv_add(&v, ACCEL_QEMU);
	add_machine(&v, vm);
	add_firmware(&v, vm);
	add_devices(&v, vm);
	return v;
}

/* --- files ------------------------------------------------------------------------- */

/* Opens the disk, to which the path may be a symlink, or makes it, but not at the end of
 * a symlink. */
static int open_disk(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return fd;
}

static int make_disk(const char *path, uint64_t size, struct err *e)
{
	_cleanup_close_ int fd = open_disk(path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if ((uint64_t)st.st_size == size)
		return 0;
	if (st.st_size != 0)
		return err_set(e, ERR_FAILED,
			       "%s is a disk of %llu bytes from an earlier run, the rack "
			       "file says %llu: --fresh makes a new one",
			       path, (unsigned long long)st.st_size,
			       (unsigned long long)size);
	if (ftruncate(fd, (off_t)size) < 0)
		return err_errno(e, errno, "%s", path);
	return 0;
}

static int make_vars(const char *path, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r;

	if (access(path, F_OK) == 0)
		return 0;
	r = file_read_regular_at(AT_FDCWD, VM_OVMF_VARS, 16 * MIB, &text, &len);
	if (r < 0)
		return err_errno(e, r, VM_OVMF_VARS " (Debian's package ovmf)");
	r = file_write_at(AT_FDCWD, path, text, len, 0644);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

int vm_prepare(const struct vm *vm, const char *dir, struct err *e)
{
	const char *name = vm->host->host.name;
	_cleanup_free_ char *disk = xasprintf("%s/disk/%s.img", dir, name);
	_cleanup_free_ char *vars = xasprintf("%s/disk/%s.vars", dir, name);

	if (vm->host->vm_disk && make_disk(disk, vm->host->vm_disk, e) < 0)
		return -1;
	return vm->uefi ? make_vars(vars, e) : 0;
}

/* --- running ----------------------------------------------------------------------- */

static int open_log(const char *dir, const char *name, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/log/%s.qemu", dir, name);
	int fd = open(path,
		      O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
		      0644);

	return fd < 0 ? err_errno(e, errno, "%s", path) : fd;
}

int vm_start(struct vm *vm, const char *dir, struct err *e)
{
	const char *name = vm->host->host.name;
	_cleanup_strv_ char **argv = vm_argv(vm);
	_cleanup_close_ int log = open_log(dir, name, e);
	struct run r = {
		.argv = (const char *const *)argv, .cwd = dir, .out = log, .err = log};

	if (log < 0 || run_start(&r, &vm->child, e) < 0)
		return -1;
	vm->child.name = ACCEL_QEMU; /* argv is freed */
	vm->pidfd = pidfd_open(vm->child.pid, 0);
	return vm->pidfd < 0 ? err_errno(e, errno, "pidfd_open") : 0;
}

/* Removes the console, to which QEMU would append. Renames the log. */
static int clear_logs(const char *dir, const char *name, struct err *e)
{
	_cleanup_free_ char *console = xasprintf("%s/log/%s.console", dir, name);
	_cleanup_free_ char *log = xasprintf("%s/log/%s.qemu", dir, name);
	_cleanup_free_ char *kept = xasprintf("%s.kvm", log);

	if (unlink(console) < 0 && errno != ENOENT)
		return err_errno(e, errno, "%s", console);
	return rename(log, kept) < 0 ? err_errno(e, errno, "%s", kept) : 0;
}

int vm_restart_tcg(struct vm *vm, const char *dir, struct err *e)
{
	vm_stop(&vm, 1);
	if (clear_logs(dir, vm->host->host.name, e) < 0)
		return -1;
	vm->accel = ACCEL_TCG;
	return vm_start(vm, dir, e);
}

/* Returns the last line of QEMU's log that is no warning about a feature that TCG lacks.
 * Owned by the caller; NULL if there is none. */
static char *last_message(const char *path)
{
	_cleanup_strv_ char **lines = console_tail(path, SIZE_MAX);
	const char *last = NULL;

	for (size_t i = 0; lines && lines[i]; i++)
		if (!strstr(lines[i], "TCG doesn't support requested feature"))
			last = lines[i];
	return xstrdup(last);
}

char *vm_exit_reason(struct vm *vm, const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/log/%s.qemu", dir, vm->host->host.name);
	_cleanup_free_ char *last = NULL;
	struct err e = {0};

	if (run_wait(&vm->child, &e) == 0)
		return xstrdup("it powered off");
	last = last_message(path);
	return last ? xasprintf("%s: %s", e.msg, last) : xstrdup(e.msg);
}

void vm_stop(struct vm **vms, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (vms[i]->child.pid > 0)
			kill(vms[i]->child.pid, SIGTERM);
	for (size_t i = 0; i < n; i++) {
		run_kill(&vms[i]->child, STOP_GRACE_MS);
		close_p(&vms[i]->pidfd);
		vms[i]->pidfd = -1;
	}
}
