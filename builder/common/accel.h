/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out whether KVM works here. It is not enough that /dev/kvm opens and a virtual
 * machine can be made: nested in another hypervisor the first instruction may kill the
 * guest, and QEMU then neither falls back to emulation nor exits. So the probe runs a
 * guest.
 */
#pragma once

#include "lib/err.h"

enum accel {
	ACCEL_TCG, /* emulation: works everywhere, about ten times slower */
	ACCEL_KVM,
};

/* Values of the option --accel. */
enum accel_choice {
	ACCEL_AUTO,     /* KVM where it works, else TCG */
	ACCEL_ONLY_KVM, /* KVM, or an error */
	ACCEL_ONLY_TCG,
};

/* QEMU, of Debian's package qemu-system-x86. */
#define ACCEL_QEMU "qemu-system-x86_64"

/* The guest's boot loader, of Debian's package ipxe. */
#define ACCEL_PROBE_IPXE "/boot/ipxe.lkrn"

/* Returns 0, or -EINVAL when `name` is none of "auto", "kvm" and "tcg". */
int accel_parse(const char *name, enum accel_choice *ret) _must_check_;
/* Returns the i-th of these names, or NULL behind the last. */
const char *accel_choice_name(size_t i);
const char *accel_name(enum accel accel);

/*
 * Chooses the accelerator, and logs it. Uses `dir`/run for the guest's script and
 * `dir`/log/kvm for QEMU's output. Returns -1 only when KVM was asked for and does not
 * work.
 */
int accel_find(const char *dir, enum accel_choice choice, enum accel *ret,
	       struct err *e) _must_check_;

/* Returns true for a line of QEMU's output which says that KVM has failed: QEMU does not
 * exit then, and the guest no longer runs. */
bool accel_is_death(const char *line);

/* Returns 0 when a guest runs under this accelerator ("kvm", "tcg"). */
int accel_probe(const char *dir, const char *accel, struct err *e) _must_check_;
