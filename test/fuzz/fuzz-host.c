/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a host.cfg: it is accepted, or refused with a complaint. An
 * accepted host is rendered and read back to the same; a host that passes the checks
 * makes a plan whose files are well-formed.
 */
#include "fuzz-plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Demands that the text of host_render() can be read back and renders to the same
 * text. */
static void round_trip(const struct host *h)
{
	_cleanup_free_ char *text = host_render(h), *again = NULL;
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_host_ struct host copy = {0};
	_cleanup_diag_ struct diag d = {0};

	host_init(&copy);
	demand(conf_parse(&conf, text, strlen(text), "again.cfg", 8 * CONF_MAX,
			  CONF_NO_INCLUDE, &d) == 0,
	       text);
	demand(host_load_conf(&copy, conf_root(conf), "", &d) == 0, text);
	again = host_render(&copy);
	demand(streq(text, again), again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_host_ struct host h = {0};
	_cleanup_diag_ struct diag d = {0};

	if (conf_parse(&conf, (const char *)data, size, "fuzz.cfg", CONF_MAX,
		       CONF_NO_INCLUDE, &d) < 0) {
		demand(d.n > 0, "refused without a reason");
		return 0;
	}
	demand(d.n == 0, "read with a complaint");
	host_init(&h);
	if (host_load_conf(&h, conf_root(conf), "", &d) < 0)
		demand(d.n > 0, "refused without a reason");
	else
		round_trip(&h);
	plan_any(&h, d.n == 0);
	return 0;
}
