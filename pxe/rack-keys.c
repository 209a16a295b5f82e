/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the keys of a rack file that host.cfg does not have. */
#include "pxe/rack-parts.h"

#include "firstboot/model/conf-note.h"
#include "firstboot/model/placeholder.h"
#include "lib/str.h"
#include "pxe/kernel-cmdline.h"

#define VM_MEMORY_MIN (128ULL << 20)
#define VM_CPUS_MAX   255
#define VM_NICS_MAX   16

#define DHCP_PEER_PORT 8000

static const char *const vm_keys[] = {"memory", "cpus", "disk", "nics", NULL};

void rack_load_text(struct loader *l, const struct conf_node *group, const char *prefix,
		    const char *key, const char *(*wrong)(const char *s), char **ret)
{
	const char *s = NULL, *what;
	const struct conf_node *n = conf_member(group, key);
	int r;

	if (!n)
		return;
	r = conf_type(n) == CONF_STRING ? conf_get_str(group, key, &s, NULL) : -1;
	if (r < 0 || !*s) {
		l->r = conf_complain(n, l->d,
				     "%s%s: must be a string that is not empty%s", prefix,
				     key, conf_type_note(n, CONF_STRING));
		return;
	}
	what = wrong(s);
	if (what) {
		l->r = conf_complain(n, l->d, "%s%s: %s%s", prefix, key, what,
				     conf_value_note(s));
		return;
	}
	free(*ret);
	*ret = xstrdup(s);
}

static const char *device_wrong(const char *s)
{
	if (streq(s, "none"))
		return NULL;
	if (!str_after(s, "/dev/") || strstr(s, "..") ||
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			"/_.:+-")])
		return "must be a device like \"/dev/vda\", or \"none\"";
	return NULL;
}

const char *rack_serial_wrong(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return "must be a product's serial number, as dmidecode prints "
			       "it";
	return NULL;
}

const char *rack_uuid_wrong(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23
			    ? s[i] != '-'
			    : !strchr("0123456789abcdefABCDEF", s[i]))
			break;
	return i == 36 && !s[i] ? NULL
				: "must be a product's UUID like "
				  "\"4c4c4544-0051-3510-8052-b7c04f4e3232\"";
}

/* Removes the blanks around *text, as firstboot does with what SMBIOS has. */
static void trim(char **text)
{
	size_t skip = strspn(*text, " "), len = strlen(*text);
	char *trimmed;

	while (len > skip && (*text)[len - 1] == ' ')
		len--;
	trimmed = xstrndup(*text + skip, len - skip);
	free(*text);
	*text = trimmed;
}

/* Loads a serial number or UUID, and refuses one that the node ignores. A refused one is
 * not compared with those of other hosts. */
static void load_identity(struct loader *l, const struct conf_node *group,
			  const char *prefix, const char *key,
			  const char *(*wrong)(const char *s),
			  bool (*is_placeholder)(const char *s), char **ret)
{
	rack_load_text(l, group, prefix, key, wrong, ret);
	if (!*ret)
		return;
	trim(ret);
	if (!**ret)
		l->r = conf_complain(conf_member(group, key), l->d,
				     "%s%s: must be a string that is not empty", prefix,
				     key);
	else if (!is_placeholder(*ret))
		return;
	else
		l->r = conf_complain(conf_member(group, key), l->d,
				     "%s%s: '%.60s' is a placeholder, which the firmware "
				     "of many machines has: leave it out, the host's mac "
				     "identifies the machine",
				     prefix, key, *ret);
	free(*ret);
	*ret = NULL;
}

void rack_load_identity(struct loader *l, const struct conf_node *group,
			const char *prefix, struct rack_host *h)
{
	load_identity(l, group, prefix, "serial", rack_serial_wrong, placeholder_serial,
		      &h->serial);
	load_identity(l, group, prefix, "uuid", rack_uuid_wrong, placeholder_uuid,
		      &h->uuid);
}

static void load_size(struct loader *l, const struct conf_node *vm, const char *prefix,
		      const char *key, uint64_t min, uint64_t *ret)
{
	const struct conf_node *n = conf_member(vm, key);
	const char *s = NULL;
	uint64_t v;

	if (!n)
		return;
	if (conf_str(n, &s, NULL) < 0 || str_to_size(s, &v) < 0)
		l->r = conf_complain(n, l->d, "%svm: %s: must be a size like \"1536M\"",
				     prefix, key);
	else if (v < min)
		l->r = conf_complain(n, l->d, "%svm: %s: must be at least %lluM", prefix,
				     key, (unsigned long long)(min >> 20));
	else
		*ret = v;
}

static void load_count(struct loader *l, const struct conf_node *vm, const char *prefix,
		       const char *key, int max, unsigned *ret)
{
	int v = 0, r = conf_get_int(vm, key, 1, max, &v, NULL);

	if (r < 0)
		l->r = conf_complain(conf_member(vm, key), l->d,
				     "%svm: %s: must be a number from 1 to %d%s", prefix,
				     key, max,
				     conf_type_note(conf_member(vm, key), CONF_INT));
	if (r > 0)
		*ret = (unsigned)v;
}

static void load_vm(struct loader *l, const struct conf_node *group, const char *prefix,
		    struct rack_host *h)
{
	const struct conf_node *vm = conf_member(group, "vm");
	_cleanup_free_ char *within = NULL;

	if (!vm)
		return;
	if (conf_type(vm) != CONF_GROUP) {
		l->r = conf_complain(vm, l->d, "%svm: must be a group: { ... }", prefix);
		return;
	}
	within = xasprintf("%svm: ", prefix);
	if (conf_check_keys_of(vm, within, vm_keys, NULL, l->d) < 0)
		l->r = -1;
	load_size(l, vm, prefix, "memory", VM_MEMORY_MIN, &h->vm_memory);
	load_size(l, vm, prefix, "disk", 1 << 20, &h->vm_disk);
	load_count(l, vm, prefix, "cpus", VM_CPUS_MAX, &h->vm_cpus);
	load_count(l, vm, prefix, "nics", VM_NICS_MAX, &h->vm_nics);
}

/* Reads "ADDRESS" or "ADDRESS:PORT". Returns 0 or -EINVAL. */
static int parse_dhcp_server(const char *s, struct rack_dhcp_server *ret)
{
	const char *colon = strchr(s, ':');
	_cleanup_free_ char *addr = xstrndup(s, colon ? (size_t)(colon - s) : strlen(s));
	uint64_t port = DHCP_PEER_PORT;

	if (net_parse_addr(addr, &ret->address) < 0 || !net_is_machine(ret->address) ||
	    (colon && (str_to_u64(colon + 1, 65535, &port) < 0 || port == 0)))
		return -EINVAL;
	ret->port = (uint16_t)port;
	return 0;
}

void rack_load_dhcp_servers(struct loader *l)
{
	const struct conf_node *n = conf_member(l->cluster, "dhcp_servers");
	struct rack_dhcp_server v[2];
	char addr[NET_ADDR_LEN];

	if (!n)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		const struct conf_node *at = conf_at(n, i);
		const char *s = NULL;

		if (conf_len(n) == ARRAY_SIZE(v) && at && conf_str(at, &s, NULL) >= 0 &&
		    parse_dhcp_server(s, &v[i]) == 0)
			continue;
		l->r = conf_complain(
			n, l->d,
			"cluster: dhcp_servers: must be the addresses of two "
			"servers like [ \"172.25.0.1\", \"172.25.0.2\" ], each "
			"with or without a port (\":%d\")",
			DHCP_PEER_PORT);
		return;
	}
	if (v[0].address == v[1].address)
		l->r = conf_complain(
			n, l->d,
			"cluster: dhcp_servers: %s is both of them: give two "
			"addresses",
			net_format_addr(v[0].address, addr));
	else if (l->rack->boot_server && v[0].address != l->rack->boot_server &&
		 v[1].address != l->rack->boot_server)
		l->r = conf_complain(n, l->d,
				     "cluster: dhcp_servers: neither is boot_server %s, "
				     "which is the server that this rack file is for",
				     net_format_addr(l->rack->boot_server, addr));
	memcpy(l->rack->dhcp_servers, v, sizeof(v));
	l->rack->n_dhcp_servers = ARRAY_SIZE(v);
}

char *rack_dhcp_servers_text(const struct rack *r)
{
	const struct rack_dhcp_server *v = r->dhcp_servers;
	char first[NET_ADDR_LEN], second[NET_ADDR_LEN];

	if (r->n_dhcp_servers == 0)
		return NULL;
	return xasprintf("%s:%u, %s:%u", net_format_addr(v[0].address, first), v[0].port,
			 net_format_addr(v[1].address, second), v[1].port);
}

void rack_load_keys(struct loader *l, const struct conf_node *group, const char *prefix,
		    struct rack_host *h)
{
	rack_load_text(l, group, prefix, "cmdline", cmdline_rack_wrong, &h->cmdline);
	rack_load_text(l, group, prefix, "state_disk", device_wrong, &h->state_disk);
	load_vm(l, group, prefix, h);
}
