/* SPDX-License-Identifier: Apache-2.0 */
/* Reads arbitrary text as a boot tree's tree.cfg, and as its secret. */
#include "pxe/secret.h"
#include "pxe/tree.h"
#include "test/fuzz/fuzz-file.h"

static void try_secret(const char *text)
{
	_cleanup_free_ char *again = NULL;
	struct secret s;

	if (secret_parse(text, &s) < 0)
		return;
	again = secret_text(&s);
	demand(strncmp(again, text, strlen(again) - 1) == 0, "another secret");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_tree_info_ struct tree_info t = {0};
	struct err e = {0};

	try_secret(text);
	fuzz_folder_make();
	fuzz_folder_write(TREE_INFO, data, size, 0);
	if (tree_info_read(&t, fuzz_folder, &e) < 0) {
		demand(e.msg[0] && !t.hosts, "refused without an error");
		return 0;
	}
	demand(t.name && t.image && t.http_port > 0, "something is missing");
	for (size_t i = 0; i < t.n_hosts; i++) {
		const struct tree_host *h = &t.hosts[i];

		demand(h->name && h->role && h->name[0] != '.' && !strchr(h->name, '/'),
		       "a host without a name");
	}
	return 0;
}
