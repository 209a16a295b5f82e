/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs are kernel, initrd and root image, which build() makes in the folder of the
 * outputs for this type: `rackstrap pxe` makes a boot tree from them. */
#include "builder/image/image-parts.h"

static int pxe_write(const struct image_parts *parts, char ***outputs,
		     _unused_ struct err *e)
{
	strv_add(outputs, parts->kernel);
	strv_add(outputs, parts->initrd);
	strv_add(outputs, parts->root);
	return 0;
}

const struct image_type image_pxe = {
	.name = "pxe",
	.parts = true,
	.write = pxe_write,
};
