/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Selects the files, their order and the other settings; plan-files.c has the content of
 * the files. A file that this host does not need but another configuration may have left
 * is in the plan as PLAN_REMOVE.
 */
#include "firstboot/plan/plan.h"
#include "firstboot/model/feature.h"
#include "firstboot/plan/feature.h"
#include "firstboot/plan/plan-files.h"
#include "lib/text.h"

static struct plan_file *add(struct plan *p, enum plan_kind kind, const char *path,
			     mode_t mode)
{
	p->files = xgrow(p->files, p->n_files, sizeof(*p->files));
	p->files[p->n_files] =
		(struct plan_file){.kind = kind, .path = xstrdup(path), .mode = mode};
	return &p->files[p->n_files++];
}

void plan_add_file(struct plan *p, const char *path, mode_t mode, char *text)
{
	add(p, text ? PLAN_FILE : PLAN_REMOVE, path, mode)->data = text;
}

/* Without name servers a file of the image, or a link to one that is made later, is
 * kept. */
static void add_resolv_conf(struct plan *p, const struct host *h)
{
	enum plan_kind kind = strv_len(h->dns) ? PLAN_FILE : PLAN_FALLBACK;

	add(p, kind, "etc/resolv.conf", 0644)->data = file_resolv_conf(h);
}

static void add_ssh_keys(struct plan *p, char *const *keys)
{
	if (strv_len(keys) > 0)
		add(p, PLAN_DIR, "root/.ssh", 0700);
	plan_add_file(p, "root/.ssh/authorized_keys", 0600, file_authorized_keys(keys));
}

/* Adds the files of the uplink; `devices` NULL: all of them are to be removed. */
static void add_uplink(struct plan *p, const struct host *h, const char *devices,
		       bool forward)
{
	plan_add_file(p, FILE_BOND, 0644, devices ? file_bond(h) : NULL);
	plan_add_file(p, FILE_BOND_LINKS, 0644,
		      devices ? file_bond_links(h, devices) : NULL);
	plan_add_file(p, FILE_VLAN, 0644, devices ? file_vlan(h) : NULL);
	plan_add_file(p, FILE_VLAN_DEVICE, 0644,
		      devices ? file_vlan_device(h, devices) : NULL);
	plan_add_file(p, FILE_UPLINK, 0644,
		      devices ? file_uplink(h, devices, forward) : NULL);
}

/* Returns true when the host forwards packets. */
static bool forwards(uint32_t set)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (set & FEATURE_BIT(i) && features[i]->forwards)
			return true;
	return false;
}

static bool has(const struct plan *p, const struct feature_plan *f)
{
	return p->features & FEATURE_BIT(f->id);
}

/* Returns true when a template of the role makes the file. */
static bool is_made(const struct host_templates *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].output && streq(t->v[i].path, path))
			return true;
	return false;
}

/* Adds the files of the role's templates, and the removal of those of other roles. */
static void add_rendered(struct plan *p, const struct host_templates *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct host_template *from = &t->v[i];
		struct plan_file *f;

		if (!from->output && is_made(t, from->path))
			continue;
		plan_add_file(p, from->path + 1, from->mode, xstrdup(from->output));
		f = &p->files[p->n_files - 1];
		f->rendered = true;
		f->units = strv_dup(from->units);
	}
}

void plan_make(struct plan *ret, const struct host *h, const struct role *role,
	       const struct host_templates *templates, const char *uplink)
{
	struct plan p = {
		.host = h,
		.features = role->features,
		.uplink = xstrdup(uplink),
		.hostname = xstrdup(h->name),
		.secrets = strv_dup(h->secrets),
		.target = xasprintf("rackstrap-%s.target", role->name),
		.units = strv_dup(role->units),
	};

	plan_add_file(&p, "etc/hostname", 0644, xasprintf("%s\n", h->name));
	plan_add_file(&p, "etc/hosts", 0644, file_hosts(h));
	add_uplink(&p, h, uplink, forwards(p.features));
	plan_add_file(&p, FILE_RESCUE, 0644, NULL);
	add_resolv_conf(&p, h);
	add_ssh_keys(&p, h->ssh_keys);
	for (size_t i = 0; feature_plans[i]; i++)
		if (feature_plans[i]->plan)
			feature_plans[i]->plan(&p, has(&p, feature_plans[i]));
	add_rendered(&p, templates);
	*ret = p;
}

/* Returns a copy of the host without wrong settings of its uplink. The copy shares all
 * memory with `h`. */
static struct host good_uplink(const struct host *h, const bool bad[HOST_KEY_COUNT])
{
	struct host good = *h;

	if (bad[HOST_DNS])
		good.dns = NULL;
	if (bad[HOST_SEARCH])
		good.search = NULL;
	if (bad[HOST_NTP])
		good.ntp = NULL;
	if (bad[HOST_MTU])
		good.mtu = 0;
	if (bad[HOST_BOND_MIIMON])
		good.bond_miimon = 100;
	if (bad[HOST_BOND_HASH])
		good.bond_hash = NULL;
	if (bad[HOST_BOND_LACP_RATE])
		good.bond_lacp_rate = NULL;
	return good;
}

void plan_make_rescue(struct plan *ret, const struct host *h,
		      const bool bad[HOST_KEY_COUNT], const char *uplink)
{
	static const enum host_key_id needed[] = {
		HOST_MAC,  HOST_INTERFACE, HOST_BOND,   HOST_BOND_MODE,
		HOST_VLAN, HOST_ADDRESS,   HOST_GATEWAY};
	const struct host good = good_uplink(h, bad);
	bool usable = uplink && (h->dhcp || h->address.prefix);
	struct plan p = {0};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (bad[needed[i]])
			usable = false;
	add_uplink(&p, &good, usable ? uplink : NULL, false);
	plan_add_file(&p, FILE_RESCUE, 0644, usable ? NULL : file_rescue());
	add_resolv_conf(&p, &good);
	if (!bad[HOST_SSH_KEYS] && strv_len(h->ssh_keys) > 0)
		add_ssh_keys(&p, h->ssh_keys);
	*ret = p;
}

/* --- plan_text -------------------------------------------------------------------- */

static void text_indented(struct buf *b, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		buf_puts(b, n ? "    " : "");
		buf_add(b, text, n);
		buf_puts(b, "\n");
		text += n + (text[n] == '\n');
	}
}

static void text_file(struct buf *b, const struct plan_file *f)
{
	switch (f->kind) {
	case PLAN_DIR:
		text_line(b, "directory /%s %04o", f->path, f->mode);
		break;
	case PLAN_FILE:
	case PLAN_FALLBACK:
		text_line(b, "file /%s %04o%s", f->path, f->mode,
			  f->kind == PLAN_FALLBACK ? ", unless there is another" : "");
		text_indented(b, f->data);
		break;
	case PLAN_REMOVE:
		text_line(b, "no file /%s", f->path);
		break;
	}
}

char *plan_text(const struct plan *p)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; p->secrets && p->secrets[i]; i++)
		text_line(&b, "secret /" SECRETS_DIR "/%s", p->secrets[i]);
	for (size_t i = 0; i < p->n_files; i++)
		text_file(&b, &p->files[i]);
	if (p->hostname)
		text_line(&b, "hostname %s", p->hostname);
	for (size_t i = 0; feature_plans[i]; i++)
		if (feature_plans[i]->text && has(p, feature_plans[i]))
			feature_plans[i]->text(&b, p);
	if (p->target)
		text_line(&b, "start %s", p->target);
	return buf_take(&b);
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->n_files; i++) {
		free(p->files[i].path);
		free(p->files[i].data);
		strv_free(p->files[i].units);
	}
	free(p->files);
	free(p->uplink);
	free(p->hostname);
	strv_free(p->secrets);
	free(p->target);
	strv_free(p->units);
	free(p->config);
	*p = (struct plan){0};
}
