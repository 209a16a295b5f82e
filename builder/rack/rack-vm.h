/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One host of a rack as a QEMU machine: what PXE-boots on metal, with virtio in it. Its
 * files stand below the rack's folder:
 *
 *	disk/NAME.img		the second disk (vm.disk), sparse, blank at first
 *	disk/NAME.vars		UEFI's variables
 *	log/NAME.console	all it wrote on its serial line since it was started
 *	log/NAME.qemu		what QEMU itself says
 *	log/NAME.qemu.kvm	what it said when KVM gave up on it
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
	char tap[16];
	enum accel accel;
	bool uefi;
	struct child child;
	int pidfd; /* readable once it ended; -1: not running */
};

/* The whole argument vector, NULL-terminated; to be run in the rack's folder. Owned. */
char **vm_argv(const struct vm *vm);

/* Makes its disk and variables if they are not there. A disk that is there keeps its
 * content; one of another size than the rack file says is an error. */
int vm_prepare(const struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Switches it on. */
int vm_start(struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Switches it off, if it is on, and on again under TCG, with a new console and log. */
int vm_restart_tcg(struct vm *vm, const char *dir, struct err *e) _must_check_;

/* Why it ended, from its exit status and log/NAME.qemu; owned. It must have ended. */
char *vm_obituary(struct vm *vm, const char *dir);

/* SIGTERM to all of them, then SIGKILL: the plug, not the button. */
void vm_stop(struct vm **vms, size_t n);
