/* SPDX-License-Identifier: Apache-2.0 */
/* Reads arbitrary text as a netrc file, and looks hosts up in it. */
#include "builder/input/netrc.h"
#include "lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_netrc_ struct netrc n = {0};
	struct err e = {0};

	if (netrc_parse(&n, text, "fuzz", &e) < 0) {
		if (!e.msg[0] || n.n > 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < n.n; i++) {
		const struct netrc_entry *x = &n.v[i], *found;

		if (!x->machine || !*x->machine || *x->machine == '[')
			continue;
		found = netrc_find(&n, x->machine);
		if (!found && x->login && x->password)
			abort();
		if (found && strcasecmp(found->machine, x->machine) != 0)
			abort();
	}
	return 0;
}
