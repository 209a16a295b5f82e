/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iPXE is started by the firmware, or is the firmware. GRUB and pxelinux are for those
 * who chain them: their programs are not in the tree.
 *
 * Limit: pxelinux reads its files over TFTP, so they are not in the access log.
 */
#include "pxe/loaders.h"

#include "lib/str.h"
#include "pxe/embed.h"
#include "pxe/tree.h"

static const struct pxe_program ipxe_programs[] = {
	{
		.file = "undionly.kpxe",
		.tag = "bios",
		.archs = {"0"},
		.services = {"x86PC"},
	},
	{
		.file = "snponly.efi",
		.uefi = true,
		.tag = "efi",
		.archs = {"7", "9"},
		.services = {"BC_EFI", "X86-64_EFI"},
		.http_archs = {"16"},
		.http_tag = "efi-http",
	},
	{.file = NULL},
};

const struct pxe_loader pxe_loaders[] = {
	{
		.name = "iPXE",
		.entry_path = "http/boot.ipxe",
		.entry = embed_boot_ipxe,
		.strangers_path = "http/strangers.ipxe",
		.strangers = embed_strangers_ipxe,
		.host_file = {TREE_HOSTS "/", ".ipxe"},
		.host = embed_host_ipxe,
		.shares = true,
		.programs = ipxe_programs,
		.dir = "/usr/lib/ipxe",
		.package = "ipxe",
		.dhcp_tag = "ipxe",
		.dhcp_option = "175",
		.dhcp_lines = "# iPXE need not wait for a proxy DHCP server.\n"
			      "dhcp-option=tag:ipxe,encap:175,176,1b",
		.dhcp_reply = "B00101FF",
	},
	{
		.name = "GRUB",
		.entry_path = "tftp/grub/grub.cfg",
		.entry = embed_grub_cfg,
		.strangers_path = "http/strangers.grub",
		.strangers = embed_strangers_grub,
		.host_file = {TREE_HOSTS "/", ".grub"},
		.host = embed_host_grub,
		.shares = true,
	},
	{
		.name = "pxelinux",
		.entry_path = "tftp/pxelinux.cfg/default",
		.entry = embed_pxelinux_default,
		.host_file = {"tftp/pxelinux.cfg/01-", ""},
		.host = embed_pxelinux_host,
	},
	{.name = NULL},
};

const struct host_file host_cpio_file = {TREE_HOSTS "/", ".cpio"};
const struct host_file host_rack_file = {TREE_HOSTS "/", ".rack"};

char *host_file_path(const struct host_file *f, struct mac mac, char separator)
{
	char text[NET_MAC_LEN];

	return xasprintf("%s%s%s", f->before, net_format_mac(mac, separator, text),
			 f->after);
}

const char *tree_url(const char *path)
{
	return str_after(path, "http/") ? path + strlen("http") : NULL;
}

bool host_file_match(const struct host_file *f, const char *url, struct mac *ret)
{
	const char *before = tree_url(f->before);
	const char *s = before ? str_after(url, before) : NULL;
	char mac[NET_MAC_LEN];

	if (!s || strlen(s) < sizeof(mac) - 1 || !streq(s + sizeof(mac) - 1, f->after))
		return false;
	snprintf(mac, sizeof(mac), "%.17s", s);
	return net_parse_mac(mac, ret) == 0;
}

const struct pxe_loader *pxe_loader_by_url(const char *url, struct mac *ret)
{
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		if (host_file_match(&l->host_file, url, ret))
			return l;
	return NULL;
}

bool pxe_url_is_strangers(const char *url)
{
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		if (l->strangers_path && streq(url, tree_url(l->strangers_path)))
			return true;
	return false;
}
