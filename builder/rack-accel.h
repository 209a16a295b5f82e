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

/* Uses `dir`/run for the guest's disk, `dir`/log/kvm for what QEMU said. *ret_why is "KVM
 * works", or why it does not; owned by the caller. */
enum accel accel_find(const char *dir, char **ret_why);

/* 0 when a guest lives under this accelerator ("kvm", "tcg"). */
int accel_probe(const char *dir, const char *accel, struct err *e) _must_check_;
