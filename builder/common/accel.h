/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether KVM works here. /dev/kvm that opens and a virtual machine that can be made say
 * too little: nested in another hypervisor the first instruction may kill the guest, and
 * QEMU neither falls back nor exits then. So a guest is run for a moment.
 */
#pragma once

#include "lib/err.h"

enum accel {
	ACCEL_TCG, /* emulation: works everywhere, about ten times slower */
	ACCEL_KVM,
};

/* What the operator asks for (--accel). */
enum accel_choice {
	ACCEL_AUTO,     /* KVM where it works, else TCG */
	ACCEL_ONLY_KVM, /* or nothing */
	ACCEL_ONLY_TCG,
};

/* QEMU, of Debian's package qemu-system-x86. */
#define ACCEL_QEMU "qemu-system-x86_64"

/* The guest's boot loader, of Debian's package ipxe. */
#define ACCEL_PROBE_IPXE "/boot/ipxe.lkrn"

/* 0, or -EINVAL when `name` is none of "auto", "kvm" and "tcg". */
int accel_parse(const char *name, enum accel_choice *ret) _must_check_;
/* Returns the i-th of these names, or NULL behind the last. */
const char *accel_choice_name(size_t i);
const char *accel_name(enum accel accel);

/*
 * Finds out and says what it is. Uses `dir`/run for the guest's script, `dir`/log/kvm for
 * what QEMU said. -1 only when KVM was asked for and does not work.
 */
int accel_find(const char *dir, enum accel_choice choice, enum accel *ret,
	       struct err *e) _must_check_;

/*
 * Whether a line that QEMU wrote says that KVM gave up on the guest: QEMU does not end
 * then, the machine stands still.
 */
bool accel_is_death(const char *line);

/* 0 when a guest lives under this accelerator ("kvm", "tcg"). */
int accel_probe(const char *dir, const char *accel, struct err *e) _must_check_;
