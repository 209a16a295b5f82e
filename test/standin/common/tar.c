/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/tar.h"

#include <assert.h>

#define BLOCK 512

struct tar_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char linkname[100], magic[6], version[2], uname[32], gname[32];
	char devmajor[8], devminor[8], prefix[155], pad[12];
};
static_assert(sizeof(struct tar_header) == BLOCK, "a tar header is one block");

static const char zeros[2 * BLOCK];

void tar_file(struct buf *b, const char *path, unsigned mode, const void *data,
	      size_t len)
{
	struct tar_header h = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
	const unsigned char *bytes = (const unsigned char *)&h;
	unsigned sum = 0;

	assert(strlen(path) < sizeof(h.name) && len <= 077777777777ULL);
	memcpy(h.name, path, strlen(path));
	snprintf(h.mode, sizeof(h.mode), "%07o", mode & 07777);
	snprintf(h.uid, sizeof(h.uid), "%07o", 0);
	snprintf(h.gid, sizeof(h.gid), "%07o", 0);
	snprintf(h.size, sizeof(h.size), "%011llo", (unsigned long long)len);
	snprintf(h.mtime, sizeof(h.mtime), "%011o", 0);
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += bytes[i];
	snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
	buf_add(b, &h, sizeof(h));
	buf_add(b, data, len);
	buf_add(b, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

void tar_end(struct buf *b)
{
	buf_add(b, zeros, sizeof(zeros));
}
