/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's secrets, files in SECRETS_DIR that the boot script copied from the initramfs
 * (mode 0400, in a folder of mode 0700). They are given to their users there and never
 * copied, so that they are in memory only. When all are right the folder gets mode 0711:
 * a unit reads /run/rackstrap/secrets/NAME as its user, or systemd reads it for
 * LoadCredential=NAME:/run/rackstrap/secrets/NAME.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"
#include "firstboot/plan/plan.h"

/* Checks, without a change, that every secret of the host is there, and that the root has
 * its user and group. Returns 0, or -1 with all complaints. */
int secrets_check(const struct firstboot *fb, const struct host *h,
		  struct diag *d) _must_check_;

/* The step: checks again, removes what is no secret of the plan from the folder, and sets
 * the owner and mode of each. Returns the number of changes, or -1. */
int secrets_apply(const struct firstboot *fb, const struct plan *p,
		  struct err *e) _must_check_;
