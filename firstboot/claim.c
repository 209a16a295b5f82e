/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot claim DIR` is run by the boot script, from the root image and before the
 * root is complete, for the filesystem of a state disk at DIR. The first line that it
 * prints is the word of claim_name(), the second line whose disk it is. Without --dry-run
 * it marks the disk, and a third line "marked" says that the mark was changed.
 */
#include "firstboot/cmdline.h"
#include "firstboot/owner.h"
#include "lib/out.h"
#include "lib/root.h"

/* Reads the disk's owner and compares. Sets *text to the second line, owned by the
 * caller. */
static enum claim compare(const struct firstboot *fb, int dir, struct owner *host,
			  struct owner *disk, char **text)
{
	_cleanup_free_ char *from = cmdline_value(fb, "state_from");
	struct err e;
	int r = owner_read(disk, dir, &e);

	owner_of_host(host, fb);
	if (r < 0) {
		*text = xasprintf("an unknown host, because its mark cannot be read (%s)",
				  e.msg);
		return CLAIM_UNREADABLE;
	}
	*text = owner_text(disk);
	return owner_compare(host, disk, r > 0, from);
}

/* Writes the mark. Returns 1 when it was changed, 0 when it was right, or -1. */
static int mark(int dir, const struct owner *host, const struct owner *disk,
		struct err *e)
{
	_cleanup_free_ char *text = owner_mark(host, disk);
	int r;

	if (!owner_is_known(host) && !owner_is_known(disk))
		return 0;
	if (root_file_is(dir, OWNER_CFG, text, strlen(text), 0600))
		return 0;
	r = root_mkdir_p(dir, "rackstrap", 0755);
	if (r == 0)
		r = root_write(dir, OWNER_CFG, text, strlen(text), 0600);
	return r < 0 ? root_err(e, r, dir, OWNER_CFG) : 1;
}

int cmd_claim(const struct firstboot *fb, char **args, struct err *e)
{
	_cleanup_owner_ struct owner host = {0}, disk = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int dir = -1;
	enum claim claim;
	int r = 0;

	dir = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, errno, "%s", args[0]);
	claim = compare(fb, dir, &host, &disk, &text);
	if (!fb->dry_run && claim != CLAIM_OTHER)
		r = mark(dir, &host, &disk, e);
	if (r < 0)
		return -1;
	out_line("%s", claim_name(claim));
	out_line("%s", text);
	if (r > 0)
		out_line("marked");
	return 0;
}
