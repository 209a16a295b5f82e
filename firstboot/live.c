/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares files by their content in the plan: the files step has written them by then.
 */
#include "firstboot/live.h"
#include "firstboot/model/conf.h"
#include "firstboot/model/sha256.h"
#include "firstboot/state.h"
#include "firstboot/units.h"
#include "lib/root.h"

#define LIVE_MAX (4 * CONF_MAX)

#define NETWORKD_DIR "etc/systemd/network/"

/* Units that read a file without EnvironmentFile=. */
static const struct {
	const char *path; /* a prefix: a file, or a folder */
	const char *unit;
	bool of_role; /* only if the role has the unit */
} readers[] = {
	{NETWORKD_DIR, "systemd-networkd.service", false},
	{"etc/hostname", "calico-node.service", true}, /* its key in etcd */
};

void live_read(struct live *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const char *target = NULL, *cbr0 = "";

	*ret = (struct live){0};
	if (root_access(fb->rootfd, LIVE_CFG) < 0 ||
	    conf_read_root(&c, fb->rootfd, LIVE_CFG, LIVE_CFG, LIVE_MAX, &d) < 0)
		return;
	(void)!conf_get_str(conf_root(c), "target", &target, NULL);
	(void)!conf_get_str(conf_root(c), "cbr0", &cbr0, NULL);
	(void)!conf_get_strv(conf_root(c), "inputs", &ret->inputs, NULL);
	ret->there = target != NULL;
	ret->target = xstrdup(target);
	ret->cbr0 = xstrdup(cbr0);
}

void live_done(struct live *l)
{
	free(l->target);
	free(l->cbr0);
	strv_free(l->inputs);
	*l = (struct live){0};
}

static const char *cbr0_text(const struct plan *p, char out[static NET_CIDR_LEN])
{
	out[0] = '\0';
	return p->cbr0.prefix ? net_format_cidr(p->cbr0, out) : out;
}

static char *input(const struct plan_file *f)
{
	char sha256[DIGEST_LEN] = "none";

	if (f->kind == PLAN_FILE || f->kind == PLAN_FALLBACK)
		digest_sha256(f->data, strlen(f->data), sha256);
	return xasprintf("%s %s", f->path, sha256);
}

int live_write(const struct firstboot *fb, const struct plan *p, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char cbr0[NET_CIDR_LEN];
	const char *comma = "";

	buf_puts(&b, "target = ");
	conf_quote(&b, p->target);
	buf_printf(&b, ";\ncbr0 = \"%s\";\ninputs = [", cbr0_text(p, cbr0));
	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		buf_printf(&b, "%s\n\t", comma);
		conf_quote(&b, in);
		comma = ",";
	}
	buf_puts(&b, " ];\n");
	return run_file_write(fb, LIVE_CFG, b.p, 0600, e);
}

/* --- units to restart --------------------------------------------------------------- */

static void add_unit(char ***v, const char *unit)
{
	if (!strv_has(*v, unit))
		strv_add(v, unit);
}

static char **changed_paths(const struct live *l, const struct plan *p)
{
	char **v = NULL;

	for (size_t i = 0; i < p->n_files; i++) {
		_cleanup_free_ char *in = NULL;

		if (p->files[i].kind == PLAN_DIR)
			continue;
		in = input(&p->files[i]);
		if (!strv_has(l->inputs, in))
			strv_add(&v, p->files[i].path);
	}
	return v;
}

static void add_readers(char ***v, const struct plan *p, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(readers); k++)
			if (str_after(paths[i], readers[k].path) &&
			    (!readers[k].of_role || strv_has(p->units, readers[k].unit)))
				add_unit(v, readers[k].unit);
}

/* Returns true when the unit reads one of these files (paths below the root). */
static bool reads_one(const struct unit *u, char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++) {
		_cleanup_free_ char *absolute = xasprintf("/%s", paths[i]);

		if (strv_has(u->environment, absolute))
			return true;
	}
	return false;
}

int live_stale(char ***ret, const struct live *l, const struct plan *p, struct err *e)
{
	_cleanup_strv_ char **paths = changed_paths(l, p), **v = NULL;
	_cleanup_units_ struct units u = {0};
	char cbr0[NET_CIDR_LEN];
	bool bridge = !streq(l->cbr0, cbr0_text(p, cbr0));

	*ret = NULL;
	if (!paths && !bridge && streq(l->target, p->target))
		return 0;
	if (units_query(&u, p->units, e) < 0)
		return -1;
	add_readers(&v, p, paths);
	for (size_t i = 0; i < u.n; i++)
		if (reads_one(&u.v[i], paths) ||
		    (bridge && streq(u.v[i].name, "docker.service")))
			add_unit(&v, u.v[i].name);
	add_unit(&v, "rackstrap-report.service");
	*ret = TAKE_PTR(v);
	return 0;
}
