/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what packages will install, before anything is installed. */
#pragma once

#include "builder/base/base.h"
#include "builder/base/modules.h"

/* A forecast of the base. Zero-initialise; end with deb_files_done(). */
struct deb_files {
	struct module_names modules;
	size_t kernels; /* files /boot/vmlinuz-* */
};

/*
 * Writes a tar with the entries that the packages (the files *.deb in the folder `dir`)
 * will install, without their data but that of units, to `to`. `tree` is the path of the
 * tar that they are added to, or NULL. What maintainer scripts make is not there, except:
 * the links of a merged /usr, /etc/shadow, and dpkg's list of files of each package, all
 * empty or of no meaning.
 */
int deb_files_write(struct deb_files *ret, const char *dir, const char *tree,
		    const struct recipe *r, int to, struct err *e) _must_check_;
void deb_files_done(struct deb_files *f);

/* Checks the forecast of these packages: kernel and modules here, the rest with
 * w->forecast. All mistakes are in the one error. */
int deb_files_check(const struct base_work *w, const char *dir, const char *tree,
		    struct err *e) _must_check_;
#define _cleanup_deb_files_ _cleanup_(deb_files_done)
