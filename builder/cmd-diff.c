/* SPDX-License-Identifier: Apache-2.0 */
/* rackstrap diff: compares rack files and boot trees. */
#include "builder/commands.h"
#include "builder/diff-args.h"
#include "builder/installed.h"
#include "lib/log.h"
#include "pxe/rack-image.h"

#include <unistd.h>

enum {
	OPT_IMAGE = 1,
	OPT_JSON,
};

/* An argument, and what it is read to. */
struct operand {
	char *path;
	bool tree;
	struct rack rack;
	struct diff_side side;
};

static void operand_done(struct operand *o)
{
	diff_side_done(&o->side);
	rack_done(&o->rack);
	free(o->path);
}
#define _cleanup_operand_ _cleanup_(operand_done)

static bool is_tree(const char *arg)
{
	_cleanup_free_ char *info = xasprintf("%s/" TREE_INFO, arg);

	return access(info, F_OK) == 0;
}

static int load_rack(struct operand *o, struct image *image, struct err *e)
{
	static const struct roles any = {.any = true};
	_cleanup_diag_ struct diag d = {0};
	int r = image ? rack_load_for_image(&o->rack, o->path, image, &d)
		      : rack_load(&o->rack, o->path, &any, &d);

	if (r < 0) {
		(void)!diag_err(&d, e);
		return diff_unable(e);
	}
	diff_side_rack(&o->side, o->path, &o->rack, image, NULL);
	return 0;
}

static int load(struct operand *ret, const char *arg, struct image *image, struct err *e)
{
	ret->tree = is_tree(arg);
	ret->path = ret->tree ? xstrdup(arg) : installed_rack(arg);
	return ret->tree ? diff_side_tree(&ret->side, ret->path, image, e)
			 : load_rack(ret, image, e);
}

/* Refuses an image that is of none of two trees: it would say nothing about them. */
static int check_image(const struct operand *old, const struct operand *new,
		       const struct image *image, struct err *e)
{
	if (!image || !old->tree || !new->tree || old->side.image || new->side.image)
		return 0;
	return err_set(e, ERR_UNABLE,
		       "image %s is neither that of %s nor that of %s: name the image "
		       "that a tree was rendered with",
		       image->dir, old->path, new->path);
}

static int run_diff(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = built_image(command_arg(line, OPT_IMAGE, NULL));
	_cleanup_operand_ struct operand old = {0}, new = {0};
	_cleanup_image_ struct image image = {0};
	struct image *given = dir ? &image : NULL;

	if (dir && image_open(&image, dir, e) < 0)
		return diff_unable(e);
	if (load(&old, line->args[0], given, e) < 0 ||
	    load(&new, line->args[1], given, e) < 0 ||
	    check_image(&old, &new, given, e) < 0)
		return -1;
	return diff_print(&old.side, &new.side, command_has(line, OPT_JSON), e);
}

static const struct command_option options[] = {
	{.name = "image",
	 .arg = "DIR",
	 .kind = ARG_DIR,
	 .id = OPT_IMAGE,
	 .help = "the image that the hosts boot, which knows what a change makes of a "
		 "running host"},
	{.name = "json", .id = OPT_JSON, .help = "print JSON with all hosts"},
	{.name = NULL},
};

const struct command command_diff = {
	.name = "diff",
	.synopsis = "OLD NEW [--image DIR] [--json]",
	.summary = "show what a change of a rack makes of its hosts",
	.options = options,
	.operands = {{.name = "OLD",
		      .kind = ARG_FILE,
		      .help = "a rack file, or the folder of a boot tree"},
		     {.name = "NEW",
		      .kind = ARG_FILE,
		      .help = "what OLD is compared with, also a rack file or a tree"}},
	.min_args = 2,
	.max_args = 2,
	.run = run_diff,
};
