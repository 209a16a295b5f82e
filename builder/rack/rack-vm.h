/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one host of a rack as a QEMU machine with virtio devices, which boots over PXE.
 * Its files are below the rack's folder:
 *
 *	disk/NAME.img		the second disk (vm.disk), sparse, blank at first
 *	disk/NAME.vars		UEFI's variables
 *	log/NAME.console	its serial line since it was started
 *	log/NAME.qemu		QEMU's own messages
 *	log/NAME.qemu.kvm	the same from the start under KVM that failed
 *	run/NAME.qmp		QMP, one client at a time
 */
#pragma once

#include "builder/common/accel.h"
#include "lib/run.h"
#include "pxe/rack.h"

#define VM_OVMF_CODE "/usr/share/OVMF/OVMF_CODE_4M.fd"
#define VM_OVMF_VARS "/usr/share/OVMF/OVMF_VARS_4M.fd"

struct vm {
	const struct rack_host *host; /* not owned */
	unsigned tap; /* number of the first card's tap (ns_tap); the others follow */
	enum accel accel;
	bool uefi;
	struct child child;
	int pidfd; /* readable when it has ended; -1: not running */
};

/* Returns the number of links of the host's bond, at least 1. */
unsigned vm_bond_links(const struct rack_host *h);

/* Returns the number of network cards: vm.nics, or as many as the bond needs. */
unsigned vm_nics(const struct rack_host *h);

/*
 * Returns the address of the i-th card: the host's own, then the others of its bond in
 * their order, then the host's own with 4, 8, ... added to its first byte, as locally
 * administered ones.
 */
struct mac vm_mac(const struct rack_host *h, unsigned i);

/* Returns the argument vector, to be run in the rack's folder. Owned by the caller. */
char **vm_argv(const struct vm *vm);

/* Makes its disk and variables if they do not exist. An existing disk keeps its content;
 * if its size is not that of the rack file, it is an error. */
int vm_prepare(const struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Starts the machine; `dir` is the rack's folder. */
int vm_start(struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Stops it, if it runs, and starts it under TCG, with a new console and log. */
int vm_restart_tcg(struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Returns why a machine that has ended did so, from its exit status and log/NAME.qemu.
 * Owned by the caller. */
char *vm_exit_reason(struct vm *vm, const char *dir);

/* Stops all of them by SIGTERM to QEMU, and by SIGKILL after 5 s: the guests are not shut
 * down. */
void vm_stop(struct vm **vms, size_t n);
