/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares files by their content in the plan: the files step has written them by then.
 */
#include "firstboot/live.h"
#include "firstboot/model/conf.h"
#include "firstboot/state.h"
#include "firstboot/units.h"
#include "lib/root.h"

#define LIVE_MAX (4 * CONF_MAX)

void live_read(struct live *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const char *target = NULL;

	*ret = (struct live){0};
	if (root_access(fb->rootfd, LIVE_CFG) < 0 ||
	    conf_read_root(&c, fb->rootfd, LIVE_CFG, LIVE_CFG, LIVE_MAX, &d) < 0)
		return;
	(void)!conf_get_str(conf_root(c), "target", &target, NULL);
	(void)!conf_get_strv(conf_root(c), "settings", &ret->record.settings, NULL);
	(void)!conf_get_strv(conf_root(c), "inputs", &ret->record.inputs, NULL);
	ret->there = target != NULL;
	ret->record.target = xstrdup(target);
}

void live_done(struct live *l)
{
	plan_record_done(&l->record);
	l->there = false;
}

static void append_list(struct buf *b, const char *key, const char *before,
			char *const *v)
{
	buf_printf(b, "%s = [", key);
	for (size_t i = 0; v && v[i]; i++) {
		buf_printf(b, "%s%s", i ? "," : "", before);
		conf_quote(b, v[i]);
	}
	buf_puts(b, " ];\n");
}

int live_write(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_plan_record_ struct plan_record r = {0};
	_cleanup_buf_ struct buf b = {0};

	plan_record_make(&r, p);
	buf_puts(&b, "target = ");
	conf_quote(&b, r.target);
	buf_puts(&b, ";\n");
	append_list(&b, "settings", " ", r.settings);
	append_list(&b, "inputs", "\n\t", r.inputs);
	return run_file_write(fb, LIVE_CFG, b.p, 0600, e);
}

int live_stale(char ***ret, const struct live *l, const struct plan *p, struct err *e)
{
	_cleanup_free_ struct unit_files *reads = NULL;
	_cleanup_units_ struct units u = {0};

	*ret = NULL;
	if (!plan_record_differs(&l->record, p))
		return 0;
	if (units_query(&u, p->units, e) < 0)
		return -1;
	reads = xcalloc(u.n + 1, sizeof(*reads));
	for (size_t i = 0; i < u.n; i++)
		reads[i] = (struct unit_files){u.v[i].name, u.v[i].environment};
	*ret = plan_stale(&l->record, p, reads, u.n);
	return 0;
}
