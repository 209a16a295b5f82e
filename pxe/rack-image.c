/* SPDX-License-Identifier: Apache-2.0 */
/* Limit: a list of users or groups that the image's manifest does not have is not
 * compared. firstboot then finds an owner that is missing when the host boots. */
#include "pxe/rack-image.h"

#include "firstboot/model/secret-entry.h"
#include "pxe/rack-fold.h"
#include "pxe/rack-parts.h"

/* Fills in the names of a list that may be NULL. */
static void intern_all(struct intern *ret, char *const *names)
{
	for (size_t i = 0; names && names[i]; i++)
		intern(ret, names[i], NULL);
}

static int complain(const struct rack_secret *s, struct diag *d, const char *kind,
		    const char *name, char *const *names)
{
	_cleanup_free_ char *hint =
		str_hint(str_nearest(name, (const char *const *)names));

	return rack_secret_complain(s, d, "the image has no %s '%s'%s", kind, name, hint);
}

/* Checks the owners of all secrets. */
static int check_owners(const struct rack_secrets *secrets, const struct image *image,
			struct diag *d)
{
	_cleanup_intern_ struct intern users = {0}, groups = {0};
	int r = 0;

	intern_all(&users, image->users);
	intern_all(&groups, image->groups);
	for (size_t i = 0; i < secrets->n; i++) {
		const struct rack_secret *s = &secrets->v[i];
		struct secret_entry entry = {0};

		if (secret_owner_parse(s->owner, &entry))
			continue; /* rack_load() has complained */
		if (image->users && !intern_find(&users, entry.user, NULL))
			r = complain(s, d, "user", entry.user, image->users);
		if (image->groups && entry.group[0] &&
		    !intern_find(&groups, entry.group, NULL))
			r = complain(s, d, "group", entry.group, image->groups);
	}
	return r;
}

void rack_hosts_of(struct rack_hosts *ret, const struct rack *r)
{
	*ret = (struct rack_hosts){0};
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = &r->hosts[i].host;

		rack_hosts_add(ret, h->name, h->role, h->dhcp ? 0 : h->address.addr);
	}
}

int rack_check_templates(const struct rack *r, const struct roles *roles,
			 const struct host_templates *t, struct diag *d)
{
	_cleanup_template_values_ struct template_values *values = NULL;
	_cleanup_free_ bool *checked = xcalloc(t->n + 1, sizeof(*checked));
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	int ret = 0;

	if (t->n == 0)
		return 0;
	rack_hosts_of(&hosts, r);
	values = host_template_values(roles, &hosts);
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct rack_host *h = &r->hosts[i];
		_cleanup_diag_ struct diag own = {0};
		const struct diag_place at = rack_host_place(h);

		if (host_templates_check(t, &h->host, roles, values, checked, &own) == 0)
			continue;
		for (size_t k = 0; k < own.n; k++) {
			ret = rack_complain_host(&h->host, &at, d, "%s", own.lines[k]);
			diag_other(d, &own.about[k].at);
		}
	}
	if (ret < 0 && d)
		rack_fold(d);
	return ret;
}

static int check_secrets(const struct rack *r, const struct image *image, struct diag *d)
{
	if (r->secrets.n == 0)
		return 0;
	if (!image->has_accounts)
		return rack_secret_complain(
			&r->secrets.v[0], d,
			"image '%s' was built by a rackstrap without secrets, and its "
			"hosts would refuse them: build it again",
			image->name);
	return check_owners(&r->secrets, image, d);
}

int rack_check_image(const struct rack *r, const struct image *image, struct diag *d)
{
	int secrets = check_secrets(r, image, d),
	    templates = rack_check_templates(r, &image->roles, &image->templates, d);

	return secrets < 0 || templates < 0 ? -1 : 0;
}

int rack_load_for_image(struct rack *ret, const char *path, const struct image *image,
			struct diag *d)
{
	return rack_load(ret, path, &image->roles, d) < 0 ||
			       rack_check_image(ret, image, d) < 0
		       ? -1
		       : 0;
}
