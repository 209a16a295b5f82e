/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the plans of firstboot for the old and the new host, and compares them with the
 * functions by which firstboot finds what it must restart (firstboot/plan/stale.h).
 *
 * Limit: the names of the uplink's devices are not known here. One that is given by its
 * MAC address gets a name made of that, so that another address is another device.
 */
#include "pxe/diff-parts.h"

#include "firstboot/plan/stale.h"

/* --- what only a boot changes ---------------------------------------------------- */

static bool key_differs(const struct diff_host *old, const struct diff_host *new,
			enum host_key_id id)
{
	_cleanup_free_ char *was = host_format(&old->host, id),
			    *is = host_format(&new->host, id);

	return !streq(was, is);
}

/* Returns true when both have such texts and they differ. */
static bool known_differ(const char *a, const char *b)
{
	return a && b && !streq(a, b);
}

bool diff_image_differs(const struct diff_side *old, const struct diff_side *new)
{
	return known_differ(old->image_id, new->image_id);
}

bool diff_image_words_differ(const struct diff_side *old, const struct diff_side *new)
{
	return known_differ(old->image_cmdline, new->image_cmdline);
}

static bool words_differ(const struct diff_host *old, const struct diff_host *new)
{
	return key_differs(old, new, HOST_CONSOLE) ||
	       (old->has_words && new->has_words &&
		(diff_texts(old->cmdline, new->cmdline) ||
		 diff_texts(old->state_disk, new->state_disk)));
}

/* Adds the secrets that come with a boot to `boot`, and those of which firstboot changes
 * the owner or the mode, or that it removes, to `live`. */
static void find_secrets(struct strv_builder *boot, struct strv_builder *live,
			 const struct diff_host *old, const struct diff_host *new)
{
	char *const *was = old->host.secrets, *const *is = new->host.secrets;

	for (size_t i = 0; was && was[i]; i++)
		if (!diff_secret_entry(new, was[i]))
			strv_builder_addf(live, "secret %.*s", (int)strcspn(was[i], " "),
					  was[i]);
	for (size_t i = 0; is && is[i]; i++) {
		const char *before = diff_secret_entry(old, is[i]);

		if (!before || diff_secret_differs(old, new, is[i]))
			strv_builder_addf(boot, "secret %.*s", (int)strcspn(is[i], " "),
					  is[i]);
		else if (!streq(before, is[i]))
			strv_builder_addf(live, "secret %.*s", (int)strcspn(is[i], " "),
					  is[i]);
	}
}

static void find_boot(struct strv_builder *boot, struct strv_builder *live,
		      const struct diff_side *old_side, const struct diff_side *new_side,
		      const struct diff_host *old, const struct diff_host *new)
{
	if (diff_image_differs(old_side, new_side))
		strv_builder_add(boot, "another image");
	if (key_differs(old, new, HOST_MAC))
		strv_builder_add(boot, "another machine");
	if (diff_image_words_differ(old_side, new_side) || words_differ(old, new))
		strv_builder_add(boot, "kernel command line");
	find_secrets(boot, live, old, new);
}

/* --- plans ----------------------------------------------------------------------- */

/* Returns names for the uplink's devices. The same MAC address is the same device, whose
 * name may be known from the other host. Owned by the caller. */
static char *devices(const struct host *h, const struct host *other)
{
	const uint8_t *m = h->mac.b;
	bool same = h->has_mac && other->has_mac &&
		    memcmp(&h->mac, &other->mac, sizeof(h->mac)) == 0;

	if (strv_len(h->bond))
		return strv_join(h->bond, " ");
	if (h->interface || (same && other->interface))
		return xstrdup(h->interface ? h->interface : other->interface);
	if (!h->has_mac)
		return xstrdup("uplink");
	return xasprintf("%02x%02x%02x%02x%02x%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static int make_plan(struct plan *ret, const struct diff_side *s,
		     const struct diff_host *h, const struct diff_host *other,
		     struct err *e)
{
	const struct roles *roles = &s->image->roles;
	const struct role *role = roles_find(roles, h->host.role);
	_cleanup_free_ char *uplink = devices(&h->host, &other->host);
	_cleanup_diag_ struct diag d = {0};

	if (!role)
		return err_set(e, ERR_UNABLE, "%s: host '%s': the image has no role '%s'",
			       s->name, h->host.name, h->host.role);
	if (host_templates_render(&s->image->templates, &h->host, roles, s->values, &d) <
	    0)
		return err_set(e, ERR_UNABLE, "%s: host '%s': %s", s->name, h->host.name,
			       d.lines[0]);
	plan_make(ret, &h->host, role, &s->image->templates, uplink);
	return 0;
}

bool diff_uses_hosts(const struct diff_side *s, const struct diff_host *h)
{
	const struct role *role =
		s->image ? roles_find(&s->image->roles, h->host.role) : NULL;

	return role && host_templates_use_hosts(&s->image->templates, role);
}

/* --- units ----------------------------------------------------------------------- */

static const struct image_unit *unit_of(const struct image *image, const char *name)
{
	for (size_t i = 0; i < image->n_units; i++)
		if (streq(image->units[i].name, name))
			return &image->units[i];
	return NULL;
}

/* Returns true when the unit follows a unit of one of the lists. */
static bool follows(const struct image_unit *u, char *const *units, char *const *with)
{
	for (size_t i = 0; u->follows && u->follows[i]; i++)
		if (strv_has(units, u->follows[i]) || strv_has(with, u->follows[i]))
			return true;
	return false;
}

/* Sets f->with. A unit may follow one that follows another. */
static void find_followers(struct diff_effect *f, const struct image *image,
			   char *const *units)
{
	struct strv_builder with = {0};

	for (size_t n = SIZE_MAX; n != with.n && f->units;) {
		n = with.n;
		for (size_t i = 0; units && units[i]; i++) {
			const struct image_unit *u = unit_of(image, units[i]);

			if (u && !strv_has(f->units, units[i]) &&
			    !strv_has(with.v, units[i]) && follows(u, f->units, with.v))
				strv_builder_add(&with, units[i]);
		}
	}
	f->with = strv_builder_take(&with);
}

static void find_units(struct diff_effect *f, const struct image *image,
		       const struct plan_record *r, const struct plan *p)
{
	struct strv_builder unknown = {0};
	_cleanup_free_ struct unit_files *reads =
		xcalloc(image->n_units + 1, sizeof(*reads));

	for (size_t i = 0; i < image->n_units; i++)
		reads[i] =
			(struct unit_files){image->units[i].name, image->units[i].files};
	f->units = plan_stale(r, p, reads, image->n_units);
	find_followers(f, image, p->units);
	for (size_t i = 0; f->units && p->units && p->units[i]; i++) {
		const struct image_unit *u = unit_of(image, p->units[i]);

		if ((!u || !u->known) && !strv_has(f->units, p->units[i]))
			strv_builder_addf(&unknown, "restart of %s", p->units[i]);
	}
	f->unknown = strv_builder_take(&unknown);
}

/* --- what changes without a restart ---------------------------------------------- */

static void find_live(struct strv_builder *live, const struct plan *old,
		      const struct plan *new, char *const *paths)
{
	_cleanup_strv_ char **remote = NULL, **names = NULL;

	if (!streq(old->target, new->target)) {
		strv_builder_addf(live, "stop of %s", old->target);
		strv_builder_addf(live, "start of %s", new->target);
	}
	if (!streq(old->hostname, new->hostname))
		strv_builder_add(live, "host name");
	for (size_t i = 0; paths && paths[i]; i++)
		strv_builder_addf(live, "/%s", paths[i]);
	names = plan_changed_features(old, new, &remote);
	for (size_t i = 0; names && names[i]; i++)
		strv_builder_add(live, names[i]);
	for (size_t i = 0; remote && remote[i]; i++)
		strv_builder_addf(live, "%s (by firstboot heal)", remote[i]);
}

static int compare_plans(struct diff_effect *f, struct strv_builder *boot,
			 struct strv_builder *live, const struct diff_side *old_side,
			 const struct diff_side *new_side, const struct diff_host *old,
			 const struct diff_host *new, struct err *e)
{
	_cleanup_plan_ struct plan was = {0}, is = {0};
	_cleanup_plan_record_ struct plan_record r = {0};
	_cleanup_strv_ char **paths = NULL, **at_boot = NULL, **kept = NULL;

	if (make_plan(&was, old_side, old, new, e) < 0 ||
	    make_plan(&is, new_side, new, old, e) < 0)
		return -1;
	plan_record_make(&r, &was);
	paths = plan_changed_files(&r, &is);
	at_boot = plan_boot_files(&r, &is);
	for (size_t i = 0; at_boot && at_boot[i]; i++)
		strv_builder_addf(boot, "/%s", at_boot[i]);
	kept = plan_boot_features(&was, &is);
	for (size_t i = 0; kept && kept[i]; i++)
		strv_builder_add(boot, kept[i]);
	/* networkd leaves the MTU of a link for which it has none. */
	if (old->host.mtu && !new->host.mtu)
		strv_builder_add(boot, "mtu of the uplink");
	find_live(live, &was, &is, paths);
	find_units(f, new_side->image, &r, &is);
	return 0;
}

/* Returns true when every changed value is one that only the boot and `rackstrap rack`
 * use, so that no template can have it. */
static bool only_for_boot(const struct diff_change *c)
{
	static const char *const keys[] = {"cmdline", "state_disk", "serial",
					   "uuid",    "vm.memory",  "vm.cpus",
					   "vm.disk", "vm.nics"};

	for (size_t i = 0; i < c->n; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			found = found || streq(c->v[i].key, keys[k]);
		if (!found)
			return false;
	}
	return !c->was;
}

int diff_effect_find(struct diff_change *c, const struct diff_side *old_side,
		     const struct diff_side *new_side, const struct diff_host *old,
		     const struct diff_host *new, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder boot = {0}, live = {0}, unknown = {0};
	struct diff_effect *f = &c->effect;
	int r = 0;

	find_boot(&boot, &live, old_side, new_side, old, new);
	if (only_for_boot(c) || diff_image_differs(old_side, new_side)) {
		/* No plan differs, or the host gets all of it by the boot. */
	} else if (!old_side->image || !new_side->image) {
		strv_builder_add(&unknown, "the roles of the image (--image DIR)");
		f->unknown = strv_builder_take(&unknown);
	} else {
		r = compare_plans(f, &boot, &live, old_side, new_side, old, new, e);
	}
	f->boot = strv_builder_take(&boot);
	f->live = strv_builder_take(&live);
	return r;
}

void diff_effect_done(struct diff_effect *f)
{
	strv_free(f->boot);
	strv_free(f->units);
	strv_free(f->with);
	strv_free(f->live);
	strv_free(f->unknown);
	*f = (struct diff_effect){0};
}

const char *diff_effect_kind(const struct diff_effect *f)
{
	if (f->boot)
		return "boot";
	if (f->unknown)
		return "unknown";
	if (f->units)
		return "restart";
	return f->live ? "live" : "nothing";
}
