/* SPDX-License-Identifier: Apache-2.0 */
/* Reads arbitrary text as the SHA256SUMS beside an image, and in the folder of one. A
 * digest that was found is that of a line with the image's name. */
#include "builder/disk/image-sums.h"
#include "pxe/image-check.h"
#include "test/fuzz/fuzz-file.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* An accepted text has the four lines. */
static void try_folder(const uint8_t *data, size_t size)
{
	static char sum[] = SUM;
	const struct image i = {
		.kernel_sha256 = sum, .initrd_sha256 = sum, .root_sha256 = sum};
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	struct err e = {0};

	if (image_check_sums(&i, text, SUM, &e) < 0) {
		demand(*e.msg != '\0', "refused without a message");
		return;
	}
	demand(strstr(text, SUM "  manifest.json"), text);
	for (enum image_part part = 0; part < IMAGE_PARTS; part++)
		demand(strstr(text, image_part_names[part]), image_part_names[part]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_image_sums_ struct image_sums s = {0};
	_cleanup_free_ char *path = NULL, *line = NULL;
	const char *rest;

	try_folder(data, size);
	fuzz_folder_make();
	fuzz_folder_write("disk.img", "", 0, 0);
	fuzz_folder_write("SHA256SUMS", data, size, 0);
	path = xasprintf("%s/disk.img", fuzz_folder);
	if (!image_sums_read(&s, path))
		return 0;
	demand(digest_is_hex(s.sha256, DIGEST_SHA256), s.sha256);
	line = xasprintf("%s  disk.img", s.sha256);
	rest = str_after(s.text + s.at, line);
	demand(rest && (!*rest || *rest == '\n'), "the line has something else");
	demand(s.at == 0 || s.text[s.at - 1] == '\n', "not a line's beginning");
	return 0;
}
