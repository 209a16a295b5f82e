/* SPDX-License-Identifier: Apache-2.0 */
/* Links kernel, initrd and root image into the outputs: `rackstrap pxe` makes a boot tree
 * from them. */
#include "builder/image/image-parts.h"

static int pxe_write(const struct image_parts *parts, char ***outputs, struct err *e)
{
	const char *const names[] = {parts->kernel, parts->initrd, parts->root};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (linkat(parts->dirfd, names[i], parts->outfd, names[i], 0) < 0)
			return err_errno(e, errno, "%s", names[i]);
		strv_add(outputs, names[i]);
	}
	return 0;
}

const struct image_type image_pxe = {
	.name = "pxe",
	.write = pxe_write,
};
