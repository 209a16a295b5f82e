/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's name and rack decide, and the machine only if a name is not known or was
 * changed. So a host keeps its disk when its mainboard is replaced or it is renamed in
 * its rack, and a disk that was moved from another host or rack is not taken.
 *
 * Limit: hosts of the same name in racks of the same name are one host here, if the
 * machine differs with a warning only.
 */
#include "firstboot/owner.h"
#include "firstboot/config.h"
#include "lib/out.h"
#include "lib/root.h"
#include "lib/text.h"

#include <strings.h>

#define HOSTNAME_CFG "rackstrap/upper/etc/hostname" /* on a state disk */
#define HOSTNAME_MAX 256
#define MACS_MAX     64

void owner_done(struct owner *o)
{
	free(o->name);
	free(o->cluster);
	machine_id_done(&o->machine);
	*o = (struct owner){0};
}

const char *claim_name(enum claim c)
{
	static const char *const names[] = {
		[CLAIM_SAME] = "same",
		[CLAIM_REPLACED] = "replaced",
		[CLAIM_RENAMED] = "renamed",
		[CLAIM_GIVEN] = "given",
		[CLAIM_UNMARKED] = "unmarked",
		[CLAIM_UNSURE] = "unsure",
		[CLAIM_UNREADABLE] = "unreadable",
		[CLAIM_OTHER] = "other",
	};

	return names[c];
}

/* --- reading ------------------------------------------------------------------------ */

static char *known(const struct host *h, enum host_key_id id, const char *value)
{
	return h->set[id] && !h->bad[id] && *value ? xstrdup(value) : NULL;
}

void host_load_early(struct host *ret, const struct firstboot *fb)
{
	host_init(ret);
	sources_wait(fb);
	for (size_t i = 0; i < n_sources; i++)
		if (sources[i].early)
			(void)!sources[i].load(fb, ret, NULL, NULL);
}

void owner_of_host(struct owner *ret, const struct firstboot *fb)
{
	_cleanup_host_ struct host h = {0};

	host_load_early(&h, fb);
	*ret = (struct owner){.name = known(&h, HOST_NAME, h.name),
			      .cluster = known(&h, HOST_CLUSTER, h.cluster)};
	machine_id_read(&ret->machine, fb->rootfd);
}

static void read_macs(struct machine_id *m, const struct conf_node *root)
{
	_cleanup_strv_ char **macs = NULL;

	(void)!conf_get_strv(root, "macs", &macs, NULL);
	m->macs = xcalloc(strv_len(macs), sizeof(*m->macs));
	for (size_t i = 0; macs && macs[i] && m->n_macs < MACS_MAX; i++)
		if (net_parse_mac(macs[i], &m->macs[m->n_macs]) == 0)
			m->n_macs++;
}

static char *read_str(const struct conf_node *root, const char *key)
{
	const char *s = NULL;

	return conf_get_str(root, key, &s, NULL) > 0 && *s ? xstrdup(s) : NULL;
}

/* Returns the first word of the disk's /etc/hostname, or NULL. Owned by the caller. */
static char *read_hostname(int dirfd)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (root_read(dirfd, HOSTNAME_CFG, HOSTNAME_MAX, &text, NULL) < 0)
		return NULL;
	len = strcspn(text, " \t\r\n");
	return len > 0 ? xstrndup(text, len) : NULL;
}

static bool has_machine(const struct owner *o)
{
	return o->machine.serial || o->machine.uuid || o->machine.n_macs > 0;
}

bool owner_is_known(const struct owner *o)
{
	return o->name || has_machine(o);
}

int owner_parse(struct owner *ret, const char *text, size_t len, struct err *e)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const struct conf_node *root;

	*ret = (struct owner){0};
	if (conf_parse(&c, text, len, OWNER_CFG, CONF_MAX, CONF_NO_INCLUDE, &d) < 0)
		return err_set(e, ERR_FAILED, "%s", d.lines[0]);
	root = conf_root(c);
	ret->name = read_str(root, "name");
	ret->cluster = read_str(root, "cluster");
	ret->machine.serial = read_str(root, "serial");
	ret->machine.uuid = read_str(root, "uuid");
	read_macs(&ret->machine, root);
	return 0;
}

int owner_read(struct owner *ret, int dirfd, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = root_read(dirfd, OWNER_CFG, CONF_MAX, &text, &len);

	*ret = (struct owner){0};
	if (r < 0 && r != -ENOENT)
		return root_err(e, r, dirfd, OWNER_CFG);
	if (r == 0 && owner_parse(ret, text, len, e) < 0)
		return -1;
	if (owner_is_known(ret))
		return 1;
	owner_done(ret);
	ret->name = read_hostname(dirfd);
	return 0;
}

/* --- comparing ---------------------------------------------------------------------- */

enum likeness {
	NOT_KNOWN, /* one of the two has no value */
	EQUAL,
	MIXED, /* one value is equal and another is not: two machines in one chassis have
		* its serial number, and firmware that was updated may have a new UUID */
	DIFFERENT,
};

static enum likeness compare_text(const char *a, const char *b)
{
	return !a || !b ? NOT_KNOWN : strcasecmp(a, b) == 0 ? EQUAL : DIFFERENT;
}

static enum likeness compare_macs(const struct machine_id *a, const struct machine_id *b)
{
	for (size_t i = 0; i < a->n_macs; i++)
		for (size_t k = 0; k < b->n_macs; k++)
			if (memcmp(&a->macs[i], &b->macs[k], sizeof(a->macs[i])) == 0)
				return EQUAL;
	return a->n_macs > 0 && b->n_macs > 0 ? DIFFERENT : NOT_KNOWN;
}

/* Compares two machines. Network cards, which can be moved, count only without serial
 * numbers and UUIDs. */
static enum likeness compare_machines(const struct machine_id *a,
				      const struct machine_id *b)
{
	enum likeness serial = compare_text(a->serial, b->serial),
		      uuid = compare_text(a->uuid, b->uuid);

	if (serial == NOT_KNOWN && uuid == NOT_KNOWN)
		return compare_macs(a, b);
	if (serial != DIFFERENT && uuid != DIFFERENT)
		return EQUAL;
	return serial == EQUAL || uuid == EQUAL ? MIXED : DIFFERENT;
}

static bool has_mac(const struct machine_id *m, const char *text)
{
	struct mac mac;
	struct machine_id one = {.macs = &mac, .n_macs = 1};

	return net_parse_mac(text, &mac) == 0 && compare_macs(m, &one) == EQUAL;
}

/* Returns true when rackstrap.state_from= names the disk's host. */
static bool is_given(const struct owner *host, const struct owner *disk, const char *from)
{
	const char *slash = from ? strchr(from, '/') : NULL,
		   *name = slash ? slash + 1 : from;

	if (!from)
		return false;
	if (!disk->name)
		return compare_text(disk->machine.serial, from) == EQUAL ||
		       compare_text(disk->machine.uuid, from) == EQUAL ||
		       has_mac(&disk->machine, from);
	if (slash && (!disk->cluster || strlen(disk->cluster) != (size_t)(slash - from) ||
		      strncmp(disk->cluster, from, (size_t)(slash - from)) != 0))
		return false;
	if (slash && !*name)
		name = host->name;
	return name && streq(name, disk->name);
}

enum claim owner_compare(const struct owner *host, const struct owner *disk, bool marked,
			 const char *from)
{
	enum likeness machine = compare_machines(&host->machine, &disk->machine),
		      name = compare_text(host->name, disk->name),
		      cluster = compare_text(host->cluster, disk->cluster);

	if (!marked && name != DIFFERENT)
		return CLAIM_UNMARKED;
	if (name == EQUAL && cluster != DIFFERENT)
		return machine == DIFFERENT ? CLAIM_REPLACED : CLAIM_SAME;
	if (is_given(host, disk, from))
		return CLAIM_GIVEN;
	if (cluster == DIFFERENT)
		return CLAIM_OTHER;
	if (name == NOT_KNOWN && machine == EQUAL)
		return CLAIM_SAME;
	if (name == NOT_KNOWN && !host->name)
		return CLAIM_UNSURE;
	return name == DIFFERENT && machine == EQUAL ? CLAIM_RENAMED : CLAIM_OTHER;
}

/* --- texts -------------------------------------------------------------------------- */

char *owner_text(const struct owner *o)
{
	_cleanup_free_ char *machine = machine_id_text(&o->machine);
	_cleanup_buf_ struct buf b = {0};
	char *text;

	if (o->name)
		buf_printf(&b, "host '%s'", o->name);
	if (o->name && o->cluster)
		buf_printf(&b, " of rack '%s'", o->cluster);
	if (o->name && has_machine(o))
		buf_printf(&b, " (%s)", machine);
	if (!o->name)
		buf_printf(&b, "%s%s",
			   has_machine(o) ? "the machine with " : "a machine with ",
			   machine);
	text = buf_take(&b);
	text_clean(text);
	return text;
}

static void append(struct buf *b, const char *key, const char *value, const char *other)
{
	if (!value)
		value = other;
	if (!value)
		return;
	buf_printf(b, "%s = ", key);
	conf_quote(b, value);
	buf_puts(b, ";\n");
}

char *owner_mark(const struct owner *host, const struct owner *disk)
{
	const struct machine_id *m = &host->machine,
				*macs = m->n_macs > 0 ? m : &disk->machine;
	bool is_new = m->serial || m->uuid;
	_cleanup_strv_builder_ struct strv_builder list = {0};
	_cleanup_strv_ char **texts = NULL;
	_cleanup_buf_ struct buf b = {0};
	char mac[NET_MAC_LEN];

	buf_puts(&b, "# The host whose state disk this is: see firstboot(8).\n");
	append(&b, "name", host->name, disk->name);
	append(&b, "cluster", host->cluster, host->name ? NULL : disk->cluster);
	append(&b, "serial", m->serial, is_new ? NULL : disk->machine.serial);
	append(&b, "uuid", m->uuid, is_new ? NULL : disk->machine.uuid);
	for (size_t i = 0; i < macs->n_macs && i < MACS_MAX; i++)
		strv_builder_add(&list, net_format_mac(macs->macs[i], ':', mac));
	texts = strv_builder_take(&list);
	conf_append_strv(&b, "macs", texts);
	return buf_take(&b);
}
