/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The capabilities are made ambient: a program without capabilities of its own gets them
 * by execve(2). A program that gains rights by its file loses PR_SET_PDEATHSIG, this one
 * does not.
 */
#include "lib/run-user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sets the capabilities of this process to those of `keep` that it has, and makes them
 * ambient. */
static int keep_capabilities(uint32_t keep)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	keep &= data[0].permitted;
	data[0] = (struct __user_cap_data_struct){keep, keep, keep};
	data[1] = (struct __user_cap_data_struct){0};
	if (syscall(SYS_capset, &head, data) < 0)
		return -errno;
	for (unsigned i = 0; i < 32; i++)
		if ((keep & 1U << i) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return -errno;
	return 0;
}

int run_become(const struct run_user *u)
{
	/* setuid(2) from root would clear the permitted capabilities. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(u->gid, u->gid, u->gid) < 0 ||
	    setresuid(u->uid, u->uid, u->uid) < 0)
		return -errno;
	return keep_capabilities(u->capabilities);
}
