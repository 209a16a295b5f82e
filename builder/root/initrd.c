/* SPDX-License-Identifier: Apache-2.0 */
/* cpio_end() pads our archive, so that the kernel finds the one after it. */
#include "builder/root/initrd.h"

#include "lib/durable.h"
#include "lib/file.h"
#include "pxe/cpio.h"
#include "pxe/embed.h"

static int write_boot_script(int fd, const struct recipe *r, char ***paths, struct err *e)
{
	static const struct {
		const char *path, *text, *end;
	} files[] = {
		{"scripts/rackstrap", embed_rackstrap, embed_rackstrap_end},
		{"scripts/rackstrap-medium", embed_rackstrap_medium,
		 embed_rackstrap_medium_end},
		{"scripts/rackstrap-state", embed_rackstrap_state,
		 embed_rackstrap_state_end},
	};
	struct cpio c;

	cpio_init(&c, fd, r->epoch);
	if (cpio_dir(&c, "scripts", 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t len = (size_t)(files[i].end - files[i].text);

		if (cpio_data(&c, files[i].path, 0644, files[i].text, len, e) < 0)
			return -1;
		strv_add(paths, files[i].path);
	}
	return cpio_end(&c, e);
}

int initrd_write(int dirfd, const char *name, const struct recipe *r,
		 const struct base_file *base, char ***paths, struct err *e)
{
	_cleanup_close_ int fd =
		openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int n;

	if (fd < 0)
		return err_errno(e, errno, "%s", name);
	if (write_boot_script(fd, r, paths, e) < 0)
		return err_wrap(e, "%s", name);
	if (base_copy_file(base, "initrd.img", fd, name, e) < 0)
		return -1;
	n = durable_close(&fd);
	return n < 0 ? err_errno(e, n, "%s", name) : 0;
}
