/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the archives of hosts, which the kernel unpacks behind the initrd. */
#include "pxe/cpio.h"
#include "pxe/rack-image.h"
#include "pxe/tree-parts.h"

/* Appends the host's secrets. */
static int append_secrets(struct cpio *c, const struct rack *rack,
			  const struct rack_host *h, struct err *e)
{
	if (h->n_secrets > 0 && cpio_dir(c, "rackstrap/secrets", 0700, e) < 0)
		return -1;
	for (size_t i = 0; i < h->n_secrets; i++) {
		const struct rack_secret *s = &rack->secrets.v[h->secrets[i]];
		_cleanup_free_ char *path = xasprintf("rackstrap/secrets/%s", s->name);

		if (cpio_data(c, path, 0400, s->data, s->len, e) < 0)
			return -1;
	}
	return 0;
}

/* Appends host.cfg last: when a machine has too little memory for the whole archive, it
 * has no host.cfg, and does not begin with a part of a secret. */
int tree_host_cpio(const struct tree_plan *p, const struct rack_host *h,
		   const char *host_cfg, struct buf *b, struct err *e)
{
	struct cpio c;

	cpio_init_buf(&c, b, p->image->epoch);
	if (cpio_dir(&c, "rackstrap", 0755, e) < 0 ||
	    append_secrets(&c, p->rack, h, e) < 0 ||
	    cpio_data(&c, "rackstrap/host.cfg", 0600, host_cfg, strlen(host_cfg), e) < 0)
		return -1;
	return cpio_end(&c, e);
}

int tree_rack_cpio(const struct tree_plan *p, struct buf *b, struct err *e)
{
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	_cleanup_free_ char *text = NULL;
	struct cpio c;

	rack_hosts_of(&hosts, p->rack);
	text = rack_hosts_text(&hosts);
	cpio_init_buf(&c, b, p->image->epoch);
	if (cpio_dir(&c, "rackstrap", 0755, e) < 0 ||
	    cpio_data(&c, "rackstrap/hosts.cfg", 0600, text, strlen(text), e) < 0)
		return -1;
	return cpio_end(&c, e);
}
