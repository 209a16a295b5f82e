/* SPDX-License-Identifier: Apache-2.0 */
/* Reads arbitrary text as an image's manifest.json: it is accepted, or refused with a
 * message. */
#include "pxe/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_image_files_ struct image_files files = {0};
	_cleanup_image_ struct image image = {0};
	struct err e = {0};

	if (image_parse(&image, &files, (const char *)data, size, &e) < 0) {
		if (!e.msg[0])
			abort();
		return 0;
	}
	if (!image.name || !image.root_sha256)
		abort();
	return 0;
}
