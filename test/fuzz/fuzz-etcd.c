/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a value in etcd. etcd_contains() accepts the replacement that
 * it makes itself, and the replacement loses no member of the old value. Strings of any
 * content are decoded as text.
 */
#include "firstboot/feature/etcd.h"
#include "firstboot/json-scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool what, const char *story)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", story);
	abort();
}

/* Demands that every member of `before` is in `after`, with its old value or the one in
 * `want`. */
static void demand_members(const char *before, const char *after, const char *want)
{
	struct json_piece old, new, wanted, name, value, now;

	demand(json_scan(after, &new), after);
	if (!json_scan(before, &old) || !json_scan(want, &wanted))
		return;
	for (size_t pos = 0; json_next(old, &pos, &name, &value);) {
		_cleanup_free_ char *key = xstrndup(name.at + 1, name.len - 2);

		demand(json_member(new, key, &now), after);
		if (!json_member(wanted, key, &value))
			(void)!json_member(old, key, &value);
		demand(json_same(now, value), after);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char want[] = "{\"cidr\": \"10.0.0.0/8\", \"as_num\": 64512}";
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_free_ char *better = NULL, *again = NULL;
	struct json_piece p;

	if (!etcd_contains(text, want, &better)) {
		demand(etcd_contains(better, want, &again), better);
		demand_members(text, better, want);
	}
	demand(etcd_contains(text, text, NULL) || strlen(text) == 0 || *text == '{' ||
		       strchr(" \t\r\n", *text),
	       text);
	if (json_scan(text, &p)) {
		_cleanup_free_ char *s = json_text(p);

		demand(p.len > 0 && p.len <= strlen(text), text);
		demand(!s || (*p.at == '"' && strlen(s) + 2 <= p.len), text);
	}
	return 0;
}
