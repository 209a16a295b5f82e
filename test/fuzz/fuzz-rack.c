/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a rack file: it is accepted, perhaps with warnings, or refused
 * with a complaint. The host.cfg of each host of an accepted rack is read back and passes
 * the node's own checks.
 */
#include "../unit/test-roles.h"
#include "pxe/kernel-cmdline.h"
#include "pxe/rack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool what, const struct diag *d)
{
	if (what)
		return;
	for (size_t i = 0; i < d->n; i++)
		fprintf(stderr, "%s\n", d->lines[i]);
	abort();
}

static void read_back(const struct rack_host *r, const struct roles *roles)
{
	_cleanup_free_ char *text = host_render(&r->host);
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_host_ struct host h = {0};
	_cleanup_diag_ struct diag d = {0};

	demand(conf_parse(&conf, text, strlen(text), "host.cfg", CONF_MAX,
			  CONF_NO_INCLUDE, &d) == 0,
	       &d);
	host_init(&h);
	demand(host_load_conf(&h, conf_root(conf), "", &d) == 0, &d);
	host_derive(&h, roles);
	demand(host_check(&h, roles, &d) == 0, &d);
	demand(!r->cmdline || !cmdline_wrong(r->cmdline), &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};

	roles_2015(&roles);
	if (rack_parse(&rack, (const char *)data, size, "fuzz.cfg", CONF_NO_INCLUDE,
		       &roles, &d) < 0) {
		demand(d.n > 0, &d);
		return 0;
	}
	demand(d.n == 0, &d);
	rack_warnings(&rack, &d);
	for (size_t i = 0; i < rack.n_hosts; i++)
		read_back(&rack.hosts[i], &roles);
	return 0;
}
