/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/rack-hosts.h"

static const char *const keys[] = {"name", "role", "address", NULL};

void rack_hosts_add(struct rack_hosts *r, const char *name, const char *role,
		    uint32_t address)
{
	r->v = xgrow(r->v, r->n, sizeof(*r->v));
	r->v[r->n++] = (struct rack_member){
		.name = xstrdup(name), .role = xstrdup(role), .address = address};
}

static int load_entry(struct rack_hosts *ret, const struct conf_node *n, struct diag *d)
{
	const char *name = NULL, *role = NULL, *text = NULL;
	uint32_t address = 0;
	int r = conf_check_keys(n, keys, d), has_name = conf_get_str(n, "name", &name, d),
	    has_role = conf_get_str(n, "role", &role, d),
	    has_address = conf_get_str(n, "address", &text, d);

	if (has_name == 0 || has_role == 0)
		return conf_complain(n, d, "a host needs name and role");
	if (r < 0 || has_name < 0 || has_role < 0 || has_address < 0)
		return -1;
	if (text && net_parse_addr(text, &address) < 0)
		return conf_complain(n, d, "address: must be an IPv4 address");
	rack_hosts_add(ret, name, role, address);
	return 0;
}

int rack_hosts_load(struct rack_hosts *ret, const struct conf_node *root, struct diag *d)
{
	static const char *const root_keys[] = {"hosts", NULL};
	const struct conf_node *list = NULL;
	int r = conf_check_keys(root, root_keys, d);

	if (conf_get_list(root, "hosts", &list, d) < 0)
		return -1;
	if (conf_len(list) == 0 && conf_is_missing(root, "hosts"))
		return conf_complain(root, d,
				     "has no list 'hosts': the file is empty or was cut: "
				     "boot this host again");
	if (list && conf_len(list) == 0)
		return conf_complain(list, d,
				     "hosts: the list is empty, but a rack has a host");
	for (size_t i = 0; i < conf_len(list); i++)
		if (load_entry(ret, conf_at(list, i), d) < 0)
			r = -1;
	return r < 0 ? -1 : 0;
}

void rack_hosts_load_rack(struct rack_hosts *ret, const struct conf_node *rack)
{
	const struct conf_node *list = NULL;

	if (conf_get_list(rack, "hosts", &list, NULL) <= 0)
		return;
	for (size_t i = 0; i < conf_len(list); i++) {
		const struct conf_node *n = conf_at(list, i);
		const char *name = NULL, *role = NULL, *text = NULL;
		_cleanup_free_ char *address = NULL;
		uint32_t addr = 0;

		if (conf_get_str(n, "name", &name, NULL) <= 0 ||
		    conf_get_str(n, "role", &role, NULL) <= 0)
			continue;
		if (conf_get_str(n, "address", &text, NULL) > 0)
			address = xstrndup(text, strcspn(text, "/"));
		if (address && net_parse_addr(address, &addr) < 0)
			addr = 0;
		rack_hosts_add(ret, name, role, addr);
	}
}

char *rack_hosts_text(const struct rack_hosts *r)
{
	struct buf b = {0};
	char addr[NET_ADDR_LEN];

	buf_puts(&b, "hosts = (");
	for (size_t i = 0; i < r->n; i++) {
		buf_puts(&b, i ? ",\n\t{ name = " : "\n\t{ name = ");
		conf_quote(&b, r->v[i].name);
		buf_puts(&b, "; role = ");
		conf_quote(&b, r->v[i].role);
		if (r->v[i].address)
			buf_printf(&b, "; address = \"%s\"",
				   net_format_addr(r->v[i].address, addr));
		buf_puts(&b, "; }");
	}
	buf_puts(&b, "\n);\n");
	return buf_take(&b);
}

void rack_hosts_done(struct rack_hosts *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].name);
		free(r->v[i].role);
	}
	free(r->v);
	*r = (struct rack_hosts){0};
}
