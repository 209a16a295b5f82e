/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/machine-id.h"
#include "firstboot/link.h"
#include "firstboot/model/placeholder.h"
#include "firstboot/model/sha256.h"
#include "lib/root.h"

#define DMI_MAX 512

/* Reads an SMBIOS string without blanks around it into *ret, or into *ignored when it is
 * a placeholder. Leaves both NULL when it is absent or empty. */
static void dmi(int rootfd, const char *name, bool (*is_placeholder)(const char *),
		char **ret, char **ignored)
{
	_cleanup_free_ char *path = xasprintf("sys/class/dmi/id/%s", name), *text = NULL,
			    *value = NULL;

	if (root_read(rootfd, path, DMI_MAX, &text, NULL) < 0)
		return;
	value = str_trimmed(text, " \t\n");
	if (!value)
		return;
	if (is_placeholder(value))
		*ignored = TAKE_PTR(value);
	else
		*ret = TAKE_PTR(value);
}

void machine_id_read(struct machine_id *ret, int rootfd)
{
	_cleanup_free_ struct link *links = NULL;
	size_t n = 0;

	*ret = (struct machine_id){0};
	dmi(rootfd, "product_serial", placeholder_serial, &ret->serial,
	    &ret->ignored_serial);
	dmi(rootfd, "product_uuid", placeholder_uuid, &ret->uuid, &ret->ignored_uuid);
	if (links_list(rootfd, &links, &n) < 0)
		return;
	ret->macs = xcalloc(n, sizeof(*ret->macs));
	for (size_t i = 0; i < n; i++)
		if (links[i].physical)
			ret->macs[ret->n_macs++] = links[i].mac;
}

void machine_id_done(struct machine_id *m)
{
	free(m->serial);
	free(m->uuid);
	free(m->ignored_serial);
	free(m->ignored_uuid);
	free(m->macs);
	*m = (struct machine_id){0};
}

void machine_id_warn(const struct machine_id *m, struct diag *warnings)
{
	if (m->ignored_serial)
		diag_add(warnings,
			 "this machine's serial number is the placeholder '%s', which "
			 "identifies no machine: it is ignored",
			 m->ignored_serial);
	if (m->ignored_uuid)
		diag_add(warnings,
			 "this machine's UUID is the placeholder %s, which identifies no "
			 "machine: it is ignored",
			 m->ignored_uuid);
}

bool machine_id_derive(const struct machine_id *m, const struct mac *own,
		       char out[static SYSTEMD_ID_LEN])
{
	const struct mac *mac = own;
	char digest[DIGEST_LEN], text[NET_MAC_LEN];
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; !own && i < m->n_macs; i++)
		if (!mac || memcmp(&m->macs[i], mac, sizeof(*mac)) < 0)
			mac = &m->macs[i];
	if (!mac && !m->serial && !m->uuid)
		return false;
	buf_printf(&b, "rackstrap machine-id\nserial %s\nuuid %s\nmac %s\n",
		   m->serial ? m->serial : "", m->uuid ? m->uuid : "",
		   mac ? net_format_mac(*mac, ':', text) : "");
	digest_sha256(b.p, b.len, digest);
	memcpy(out, digest, SYSTEMD_ID_LEN - 1);
	out[SYSTEMD_ID_LEN - 1] = '\0';
	return true;
}

char *machine_id_text(const struct machine_id *m)
{
	_cleanup_buf_ struct buf b = {0};
	char mac[NET_MAC_LEN];

	if (m->serial)
		buf_printf(&b, "serial %s", m->serial);
	if (m->uuid)
		buf_printf(&b, "%suuid %s", b.len ? ", " : "", m->uuid);
	for (size_t i = 0; i < m->n_macs; i++)
		buf_printf(&b, "%smac %s", b.len ? ", " : "",
			   net_format_mac(m->macs[i], ':', mac));
	return b.len ? buf_take(&b) : xstrdup("no serial, UUID or MAC address");
}
