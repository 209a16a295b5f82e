/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/diff-args.h"
#include "lib/out.h"

/* Sets the error of two sides that differ. Returns -1. */
static int differ(const struct diff *d, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "%s and %s differ: %zu appear%s, %zu vanish%s, %zu "
		       "change%s%s",
		       d->old->name, d->new->name, d->appear.n,
		       d->appear.n == 1 ? "s" : "", d->vanish.n,
		       d->vanish.n == 1 ? "es" : "", d->n_changes,
		       d->n_changes == 1 ? "s" : "", d->n > 0 ? ", and the rack" : "");
}

int diff_print(const struct diff_side *old, const struct diff_side *new, bool json,
	       struct err *e)
{
	_cleanup_diff_ struct diff d = {0};
	_cleanup_free_ char *text = NULL;

	if (diff_make(&d, old, new, e) < 0)
		return -1;
	text = json ? diff_json(&d) : diff_text(&d);
	out_text(text);
	if (out_flush(e) < 0)
		return diff_unable(e);
	return diff_is_same(&d) ? 0 : differ(&d, e);
}

int diff_unable(struct err *e)
{
	if (e->code == ERR_FAILED)
		e->code = ERR_UNABLE;
	return -1;
}
