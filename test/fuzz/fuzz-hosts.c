/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a hosts.cfg: it is accepted and is the same when it is written
 * and read again, or refused with a complaint. The same text as a medium's rack.cfg gives
 * hosts that can be written and read.
 */
#include "firstboot/model/rack-hosts.h"
#include "test/fuzz/fuzz-file.h"

/* Writes the hosts and reads them again. A rack has at least one. */
static void round_trip(const struct rack_hosts *hosts)
{
	_cleanup_free_ char *text = rack_hosts_text(hosts), *again = NULL;
	_cleanup_rack_hosts_ struct rack_hosts copy = {0};
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_diag_ struct diag d = {0};

	if (hosts->n == 0)
		return;
	demand(conf_parse(&conf, text, strlen(text), "again.cfg", CONF_MAX_RACK,
			  CONF_NO_INCLUDE, &d) == 0,
	       text);
	demand(rack_hosts_load(&copy, conf_root(conf), &d) == 0, text);
	again = rack_hosts_text(&copy);
	demand(streq(text, again), again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0}, of_rack = {0};
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_diag_ struct diag d = {0};

	if (conf_parse(&conf, (const char *)data, size, "fuzz.cfg", CONF_MAX_RACK,
		       CONF_NO_INCLUDE, NULL) < 0)
		return 0;
	if (rack_hosts_load(&hosts, conf_root(conf), &d) < 0)
		demand(d.n > 0, "refused without a reason");
	else
		demand(d.n == 0, "read with a complaint");
	round_trip(&hosts);
	rack_hosts_load_rack(&of_rack, conf_root(conf));
	round_trip(&of_rack);
	return 0;
}
