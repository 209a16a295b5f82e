/* SPDX-License-Identifier: Apache-2.0 */
/* A host with pods forwards IPv4 packets. */
#include "firstboot/feature.h"
#include "lib/file.h"

static int apply(const struct firstboot *fb _unused_, const struct plan *p _unused_,
		 struct err *e)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";
	_cleanup_free_ char *now = NULL;
	_cleanup_close_ int fd = -1;
	int r = file_read_regular_at(AT_FDCWD, path, 64, &now, NULL);

	if (r == 0 && streq(now, "1\n"))
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : write_all(fd, "1\n", 2);
	return r < 0 ? err_errno(e, r, "%s", path) : 1;
}

const struct feature_code code_pods = {
	.id = FEATURE_PODS,
	.apply = apply,
};
