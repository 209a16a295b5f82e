/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/rack-spread.h"

#include "firstboot/model/rack-entry.h"
#include "pxe/rack-range.h"

enum way {
	SAME,
	RANGE,   /* a string: the next value of its range */
	ELEMENT, /* a list: the next element */
	ADDRESS, /* a string: the next address or network */
	INSIDE,  /* a list or group, in which something varies */
};

struct rack_spread {
	enum way way;
	const struct conf_node *n;
	struct rack_range range;
	struct cidr first; /* of ADDRESS; prefix 33: written without one */
	uint32_t step;
	struct rack_spread **inside; /* of each node in it */
	bool of_vm;                  /* a member of the group `vm` */
};

#define NO_PREFIX 33

/* Adds "PREFIXKEY: MESSAGE". Returns -1. */
static int complain(const struct conf_node *n, const char *prefix, struct diag *d,
		    const char *fmt, ...) _printf_(4, 5);

static int complain(const struct conf_node *n, const char *prefix, struct diag *d,
		    const char *fmt, ...)
{
	_cleanup_free_ char *msg = NULL;
	const char *key = conf_key(n);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	va_end(ap);
	return conf_complain(n, d, "%s%s%s%s", prefix, key ? key : "", key ? ": " : "",
			     msg);
}

static int complain_count(const struct conf_node *n, const char *prefix, size_t has,
			  size_t count, struct diag *d)
{
	return complain(n, prefix, d, "%zu value%s for %zu host%s: give one for each",
			has, has == 1 ? "" : "s", count, count == 1 ? "" : "s");
}

/* Finds out how the host's addresses count. Returns false when they do not. */
static bool find_step(struct rack_spread *s, const char *text)
{
	const char *key = conf_key(s->n);
	const struct host_key *k = key ? host_key_find(key) : NULL;

	if (!k || k->level != HOST_LEVEL_HOST ||
	    (k->type != HOST_T_CIDR && k->type != HOST_T_CIDR_OR_DHCP))
		return false;
	if (net_parse_addr(text, &s->first.addr) == 0)
		s->first.prefix = NO_PREFIX;
	else if (net_parse_cidr(text, &s->first) < 0)
		return false;
	s->step = 1;
	if (k->type == HOST_T_CIDR && s->first.prefix <= 32 && s->first.prefix > 0)
		s->step = 1U << (32 - s->first.prefix);
	return true;
}

/* Returns a MAC address with colons, between which its ranges are hexadecimal. Owned by
 * the caller. */
static char *with_colons(const char *text)
{
	char *copy = xstrdup(text);
	bool within = false;

	for (char *c = copy; *c; c++) {
		within = *c == '[' || (within && *c != ']');
		if (*c == '-' && !within)
			*c = ':';
	}
	return copy;
}

static int make_text(struct rack_spread *s, size_t count, const char *prefix,
		     struct diag *d)
{
	const bool is_mac = conf_key(s->n) && streq(conf_key(s->n), "mac");
	const char *text = "";
	_cleanup_free_ char *wrong = NULL, *mac = NULL;

	(void)!conf_str(s->n, &text, NULL);
	mac = is_mac ? with_colons(text) : NULL;
	wrong = rack_range_parse(&s->range, mac ? mac : text);
	if (wrong)
		return complain(s->n, prefix, d, "%s", wrong);
	if (s->range.n > 0) {
		s->way = RANGE;
		return s->range.count == count
			       ? 0
			       : complain_count(s->n, prefix, s->range.count, count, d);
	}
	if (count > 1 && rack_key_is_of_machine(conf_key(s->n)))
		return complain(s->n, prefix, d,
				"1 value for %zu hosts: give a list of one for each, or "
				"a hosts_file with the column '%s'",
				count, conf_key(s->n));
	if (count > 1 && find_step(s, text)) {
		if (s->first.addr + (uint64_t)s->step * (count - 1) > UINT32_MAX)
			return complain(s->n, prefix, d,
					"there are not %zu addresses from %s on", count,
					text);
		s->way = ADDRESS;
	}
	return 0;
}

/* Makes the values of the nodes in a list or group. */
static int make_inside(struct rack_spread *s, size_t count, const char *prefix,
		       struct diag *d)
{
	_cleanup_free_ char *within =
		conf_key(s->n) ? xasprintf("%s%s: ", prefix, conf_key(s->n))
			       : xstrdup(prefix);
	int r = 0;

	s->inside = xcalloc(conf_len(s->n) + 1, sizeof(*s->inside));
	for (size_t i = 0; i < conf_len(s->n); i++) {
		if (rack_spread_make(&s->inside[i], conf_at(s->n, i), count, within, d) <
		    0)
			r = -1;
		else if (s->inside[i]->way != SAME)
			s->way = INSIDE;
		if (s->inside[i] && conf_key(s->n) && streq(conf_key(s->n), "vm"))
			s->inside[i]->of_vm = true;
	}
	return r;
}

/* Returns true for a list with an element for each host. */
static bool is_elements(const struct conf_node *n)
{
	return rack_key_is_of_machine(conf_key(n)) && conf_type(n) == CONF_LIST;
}

int rack_spread_make(struct rack_spread **ret, const struct conf_node *n, size_t count,
		     const char *prefix, struct diag *d)
{
	struct rack_spread *s = xcalloc(1, sizeof(*s));
	int r = 0;

	s->n = n;
	if (is_elements(n)) {
		s->way = ELEMENT;
		if (conf_len(n) != count)
			r = complain_count(n, prefix, conf_len(n), count, d);
	} else if (conf_type(n) == CONF_STRING) {
		r = make_text(s, count, prefix, d);
	} else {
		r = make_inside(s, count, prefix, d);
	}
	if (r < 0)
		rack_spread_free(s);
	else
		*ret = s;
	return r;
}

int rack_spread_make_one(struct rack_spread **ret, const struct conf_node *n,
			 const char *prefix, struct diag *d)
{
	if (is_elements(n))
		return rack_spread_make(ret, n, 1, prefix, d);
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->way = SAME;
	(*ret)->n = n;
	return 0;
}

void rack_spread_free(struct rack_spread *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->inside && i < conf_len(s->n); i++)
		rack_spread_free(s->inside[i]);
	free(s->inside);
	rack_range_done(&s->range);
	free(s);
}

/* --- the values ------------------------------------------------------------------- */

const struct conf_node *rack_spread_value(struct conf *to, const char *key,
					  const char *text, const struct conf_node *at)
{
	const struct host_key *k = host_key_find(key);
	const bool is_list = k && (k->type == HOST_T_STRV || k->type == HOST_T_CIDRV);
	uint64_t v;

	if (is_list) {
		struct conf_node *list = conf_make_list(to, key, at);
		_cleanup_strv_ char **texts = strv_split(text, ",");

		for (size_t i = 0; texts && texts[i]; i++)
			conf_add(to, list, conf_make_str(to, NULL, texts[i], at));
		return list;
	}
	if (k && (k->type == HOST_T_U32 || k->type == HOST_T_AS) &&
	    str_to_u64(text, INT32_MAX, &v) == 0)
		return conf_make_int(to, key, (int)v, at);
	if (k && k->type == HOST_T_BOOL && (streq(text, "true") || streq(text, "false")))
		return conf_make_bool(to, key, streq(text, "true"), at);
	return conf_make_str(to, key, text, at);
}

const struct conf_node *rack_spread_vm_value(struct conf *to, const char *key,
					     const char *text, const struct conf_node *at)
{
	uint64_t v;

	if (!streq(key, "memory") && !streq(key, "disk") &&
	    str_to_u64(text, INT32_MAX, &v) == 0)
		return conf_make_int(to, key, (int)v, at);
	return conf_make_str(to, key, text, at);
}

static const struct conf_node *range_at(const struct rack_spread *s, struct conf *to,
					size_t i)
{
	_cleanup_free_ char *text = rack_range_at(&s->range, i);
	const char *key = conf_key(s->n);

	if (!key)
		return conf_make_str(to, NULL, text, s->n);
	return s->of_vm ? rack_spread_vm_value(to, key, text, s->n)
			: rack_spread_value(to, key, text, s->n);
}

static const struct conf_node *address_at(const struct rack_spread *s, struct conf *to,
					  size_t i)
{
	const struct cidr c = {.addr = s->first.addr + s->step * (uint32_t)i,
			       .prefix = s->first.prefix};
	char text[NET_CIDR_LEN];

	if (c.prefix == NO_PREFIX)
		net_format_addr(c.addr, text);
	else
		net_format_cidr(c, text);
	return conf_make_str(to, conf_key(s->n), text, s->n);
}

/* Returns the element as a member with the list's key. */
static const struct conf_node *element_at(const struct rack_spread *s, struct conf *to,
					  size_t i)
{
	const struct conf_node *n = conf_at(s->n, i);
	const char *text = NULL;

	/* Another type is kept, for the complaint about it. */
	return conf_str(n, &text, NULL) == 0 ? conf_make_str(to, conf_key(s->n), text, n)
					     : s->n;
}

const struct conf_node *rack_spread_at(const struct rack_spread *s, struct conf *to,
				       size_t i)
{
	struct conf_node *n;

	switch (s->way) {
	case SAME:
		break;
	case RANGE:
		return range_at(s, to, i);
	case ELEMENT:
		return element_at(s, to, i);
	case ADDRESS:
		return address_at(s, to, i);
	case INSIDE:
		n = conf_make(to, conf_type(s->n), conf_key(s->n), s->n);
		for (size_t k = 0; k < conf_len(s->n); k++)
			conf_add(to, n, rack_spread_at(s->inside[k], to, i));
		return n;
	}
	return s->n;
}
