/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares all values of two hosts. A value that is written out and one that follows from
 * a default are the same.
 */
#include "pxe/diff-parts.h"

#include "firstboot/model/feature.h"
#include "firstboot/model/secret-entry.h"

void diff_value_add(struct diff_value **v, size_t *n, const char *key, char *old,
		    char *new)
{
	*v = xgrow(*v, *n, sizeof(**v));
	(*v)[(*n)++] = (struct diff_value){key, old, new};
}

bool diff_texts(const char *a, const char *b)
{
	return a && b ? !streq(a, b) : a != b;
}

void diff_value_compare(struct diff_value **v, size_t *n, const char *key,
			const char *old, const char *new)
{
	if (diff_texts(old, new))
		diff_value_add(v, n, key, xstrdup(old), xstrdup(new));
}

/* --- keys of host.cfg ------------------------------------------------------------ */

/* Returns the host itself, or one with the defaults, when the host has no value because
 * the features of its role are not known. */
static const struct host *owner(const struct host *h, const struct host *defaults,
				enum host_key_id id)
{
	const struct feature *f = feature_of_key(id);

	return f && !(h->features & FEATURE_BIT(f->id)) && !h->set[id] ? defaults : h;
}

/* Returns true for a value that the cluster group gives, or that follows from others, of
 * which it is not known if the role in the tree has its feature: only hosts of such roles
 * have got it. */
static bool is_unknown(const struct diff_host *rack, const struct diff_host *tree,
		       enum host_key_id id)
{
	const struct feature *f = feature_of_key(id);

	return f && rack->entry && !rack->has_role && !tree->entry &&
	       !(tree->host.features & FEATURE_BIT(f->id)) &&
	       (!rack->host.set[id] || rack->host.shared[id]);
}

/* Returns the exact value, without a difference between 0 or an empty list and none.
 * Owned by the caller. */
static char *exact(const struct host *h, enum host_key_id id)
{
	const struct host_key *k = host_key(id);
	char *text = host_format(h, id);

	if ((k->type == HOST_T_U32 && streq(text, "0")) || streq(text, "[ ]"))
		*text = '\0';
	return text;
}

/* Returns the value for people; NULL when there is none. Owned by the caller. */
static char *shown(const struct host *h, enum host_key_id id, const char *value)
{
	return *value ? host_show(h, id) : NULL;
}

static void compare_key(struct diff_change *c, const struct host *old,
			const struct host *new, enum host_key_id id)
{
	_cleanup_free_ char *was = exact(old, id), *is = exact(new, id);
	char *old_text, *new_text;

	if (streq(was, is))
		return;
	old_text = shown(old, id, was);
	new_text = shown(new, id, is);
	if (old_text && new_text && streq(old_text, new_text)) {
		char *marked =
			xasprintf("%s (differs in a part that is not shown)", new_text);

		free(new_text);
		new_text = marked;
	}
	diff_value_add(&c->v, &c->n, host_key(id)->name, old_text, new_text);
}

static void compare_keys(struct diff_change *c, const struct diff_host *old,
			 const struct diff_host *new)
{
	_cleanup_host_ struct host defaults = {0};

	host_init(&defaults);
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		if (host_key_is_secret(id) || id == HOST_SECRETS ||
		    (id == HOST_REPORT && old->report && new->report) ||
		    is_unknown(old, new, id) || is_unknown(new, old, id))
			continue;
		compare_key(c, owner(&old->host, &defaults, id),
			    owner(&new->host, &defaults, id), id);
	}
}

/* --- keys that only a rack file has ---------------------------------------------- */

static void compare_number(struct diff_change *c, const char *key, uint64_t old,
			   uint64_t new)
{
	if (old != new)
		diff_value_add(&c->v, &c->n, key,
			       xasprintf("%llu", (unsigned long long)old),
			       xasprintf("%llu", (unsigned long long)new));
}

static char *size_text(uint64_t bytes)
{
	static const char units[] = "KMGT";
	char unit[2] = "";

	for (size_t i = 0; units[i] && bytes > 0 && bytes % 1024 == 0; i++) {
		bytes /= 1024;
		unit[0] = units[i];
	}
	return xasprintf("%llu%s", (unsigned long long)bytes, unit);
}

static void compare_size(struct diff_change *c, const char *key, uint64_t old,
			 uint64_t new)
{
	if (old != new)
		diff_value_add(&c->v, &c->n, key, size_text(old), size_text(new));
}

static void compare_entries(struct diff_change *c, const struct rack_host *old,
			    const struct rack_host *new)
{
	compare_size(c, "vm.memory", old->vm_memory, new->vm_memory);
	compare_number(c, "vm.cpus", old->vm_cpus, new->vm_cpus);
	compare_size(c, "vm.disk", old->vm_disk, new->vm_disk);
	compare_number(c, "vm.nics", old->vm_nics, new->vm_nics);
}

/* --- secrets --------------------------------------------------------------------- */

const char *diff_secret_entry(const struct diff_host *h, const char *entry)
{
	size_t len = strcspn(entry, " ");

	for (size_t i = 0; h->host.secrets && h->host.secrets[i]; i++)
		if (strncmp(h->host.secrets[i], entry, len) == 0 &&
		    (h->host.secrets[i][len] == ' ' || !h->host.secrets[i][len]))
			return h->host.secrets[i];
	return NULL;
}

static const struct diff_secret *secret_of(const struct diff_host *h, const char *entry)
{
	size_t len = strcspn(entry, " ");

	for (size_t i = 0; i < h->n_secrets; i++)
		if (strlen(h->secrets[i].name) == len &&
		    strncmp(h->secrets[i].name, entry, len) == 0)
			return &h->secrets[i];
	return NULL;
}

bool diff_secret_differs(const struct diff_host *old, const struct diff_host *new,
			 const char *entry)
{
	const struct diff_secret *was = secret_of(old, entry),
				 *is = secret_of(new, entry);

	if (!was || !is)
		return was != is;
	return was->len != is->len ||
	       (is->len > 0 && memcmp(was->data, is->data, is->len) != 0);
}

static void compare_secrets(struct diff_change *c, const struct diff_host *old,
			    const struct diff_host *new)
{
	char *const *was = old->host.secrets, *const *is = new->host.secrets;

	for (size_t i = 0; was && was[i]; i++)
		if (!diff_secret_entry(new, was[i]))
			diff_value_add(&c->v, &c->n, "secrets", xstrdup(was[i]), NULL);
	for (size_t i = 0; is && is[i]; i++) {
		const char *before = diff_secret_entry(old, is[i]);

		if (!before)
			diff_value_add(&c->v, &c->n, "secrets", NULL, xstrdup(is[i]));
		else if (diff_secret_differs(old, new, is[i]))
			diff_value_add(&c->v, &c->n, "secrets", xstrdup(before),
				       xasprintf("%s (other bytes)", is[i]));
		else
			diff_value_compare(&c->v, &c->n, "secrets", before, is[i]);
	}
}

/* Adds kernel words that differ by more than blanks between them. */
static void compare_words(struct diff_change *c, const char *old, const char *new)
{
	_cleanup_strv_ char **was = strv_split(old ? old : "", " "),
			    **is = strv_split(new ? new : "", " ");
	_cleanup_free_ char *a = strv_join(was, " "), *b = strv_join(is, " ");

	if (!streq(a, b))
		diff_value_compare(&c->v, &c->n, "cmdline", old, new);
}

/* Adds a serial number or UUID that differs by more than upper and lower case. */
static void compare_identity(struct diff_change *c, const char *key, const char *old,
			     const char *new)
{
	if (!old || !new || strcasecmp(old, new) != 0)
		diff_value_compare(&c->v, &c->n, key, old, new);
}

void diff_host_compare(struct diff_change *c, const struct diff_host *old,
		       const struct diff_host *new)
{
	compare_keys(c, old, new);
	compare_secrets(c, old, new);
	if (old->has_words && new->has_words) {
		compare_words(c, old->cmdline, new->cmdline);
		diff_value_compare(&c->v, &c->n, "state_disk", old->state_disk,
				   new->state_disk);
		compare_identity(c, "serial", old->serial, new->serial);
		compare_identity(c, "uuid", old->uuid, new->uuid);
	}
	if (old->entry && new->entry)
		compare_entries(c, old->entry, new->entry);
}
