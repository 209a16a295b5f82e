/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The formula for memory is based on measurements with kernel 6.1 (memory that the kernel
 * itself uses, and the unpacked size of an initrd of modules compressed by zstd); it was
 * within 60 MB for the images tried. With too little memory, a console shows "Initramfs
 * unpacking failed: write error" and the boot continues, so such a host is refused here
 * with the size that is needed.
 */
#include "builder/rack/rack-preflight.h"

#include "builder/rack/rack-vm.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "pxe/loaders.h"

#define MIB            (1024ULL * 1024)
#define KERNEL_ITSELF  (75 * MIB)
#define UNPACKED_TIMES 9 / 2 /* size of an initrd, unpacked to compressed */
#define STEP           (64 * MIB)

static int need_file(const char *root, const char *file, const char *package,
		     struct diag *d)
{
	_cleanup_free_ char *path = xasprintf("%s%s", root, file);

	return access(path, R_OK) == 0 ? 0
				       : diag_add(d, "%s: %s (Debian's package %s)", file,
						  strerror(errno), package);
}

/* Complains about each missing program that UEFI firmware loads. */
static int need_loaders(const char *root, struct diag *d)
{
	int r = 0;

	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		for (const struct pxe_program *f = l->programs; f && f->file; f++) {
			_cleanup_free_ char *file = xasprintf("%s/%s", l->dir, f->file);

			if (f->uefi && need_file(root, file, l->package, d) < 0)
				r = -1;
		}
	return r;
}

int preflight_tools(bool uefi, enum accel_choice accel, const char *root, struct diag *d)
{
	static const struct {
		const char *program, *package;
	} programs[] = {
		{ACCEL_QEMU, "qemu-system-x86"},  {"ssh", "openssh-client"},
		{"ssh-keygen", "openssh-client"}, {"dnsmasq", "dnsmasq-base"},
		{"nginx", "nginx-light"},
	};
	const struct {
		bool needed;
		const char *file, *package;
	} files[] = {
		{accel != ACCEL_ONLY_TCG, ACCEL_PROBE_IPXE, "ipxe"},
		{uefi, VM_OVMF_CODE, "ovmf"},
		{uefi, VM_OVMF_VARS, "ovmf"},
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!run_have(programs[i].program))
			r = diag_add(d, "%s is not installed (Debian's package %s)",
				     programs[i].program, programs[i].package);
	if (uefi && need_loaders(root, d) < 0)
		r = -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].needed &&
		    need_file(root, files[i].file, files[i].package, d) < 0)
			r = -1;
	return r;
}

uint64_t preflight_memory(const struct image *image)
{
	uint64_t packed = image->initrd_size + image->root_size;
	uint64_t unpacked = image->initrd_size * UNPACKED_TIMES + image->root_size;
	uint64_t need = 2 * unpacked + packed + KERNEL_ITSELF;

	return (need + STEP - 1) / STEP * STEP;
}

static int check_nics(const struct rack_host *h, struct diag *d)
{
	unsigned have = vm_nics(h), need = vm_bond_links(h);
	char where[512];

	if (h->host.vlan > 0)
		log_warn("host '%s' uses VLAN %u: the rack's network here has no VLANs, "
			 "so that it cannot report",
			 h->host.name, (unsigned)h->host.vlan);
	return have >= need ? 0
			    : diag_add(d,
				       "%s: host '%s': vm.nics: %u is too little for its "
				       "bond of %u links",
				       rack_host_where(h, where, sizeof(where)),
				       h->host.name, have, need);
}

int preflight_hosts(const struct rack_host *const *hosts, size_t n,
		    const struct image *image, struct diag *d)
{
	uint64_t need = preflight_memory(image);
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct rack_host *h = hosts[i];
		char where[512];

		if (check_nics(h, d) < 0)
			r = -1;
		if (h->vm_memory < need)
			r = diag_add(d,
				     "%s: host '%s': vm.memory: %lluM is too little "
				     "for image '%s' to boot over PXE: at least %lluM",
				     rack_host_where(h, where, sizeof(where)),
				     h->host.name,
				     (unsigned long long)(h->vm_memory / MIB),
				     image->name, (unsigned long long)(need / MIB));
	}
	return r;
}

void preflight_this_machine(const struct rack_host *const *hosts, size_t n,
			    const char *meminfo)
{
	_cleanup_free_ char *text = NULL;
	uint64_t want = 0, have;
	const char *s;

	if (file_read_regular_at(AT_FDCWD, meminfo, 64 * 1024, &text, NULL) < 0)
		return;
	s = strstr(text, "MemAvailable:");
	if (!s)
		return;
	have = strtoull(s + strlen("MemAvailable:"), NULL, 10) * 1024;
	for (size_t i = 0; i < n; i++)
		want += hosts[i]->vm_memory;
	if (want > have)
		log_warn("the rack's machines have %llu MiB of memory in total, this "
			 "machine has %llu MiB available",
			 (unsigned long long)(want / MIB),
			 (unsigned long long)(have / MIB));
}
