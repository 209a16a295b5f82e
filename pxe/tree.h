/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot tree: everything a rack's boot server hands out, as static files.
 *
 *	TREE/tftp/undionly.kpxe snponly.efi		 iPXE for firmware that has none
 *	TREE/http/boot.ipxe				 finds the host's script by MAC
 *	TREE/http/hosts/52-54-00-25-00-11.ipxe		 that host's boot script
 *	TREE/http/hosts/52-54-00-25-00-11.cpio		 rackstrap/host.cfg, as an initrd
 *	TREE/http/images/<first 16 hex of root_sha256>/  vmlinuz initrd.img root.cpio
 *	TREE/http/report/				 hosts PUT <name>.json here
 *	TREE/dnsmasq.conf TREE/nginx.conf		 for `rackstrap serve`
 *
 * Files under images/ never change once there. A tree is rendered beside its final name
 * and swapped in; rendering the same rack and image again gives the same bytes.
 */
#pragma once

#include "image.h"
#include "rack.h"

struct tree_options {
	const char *interface; /* that dnsmasq listens on */
	uint16_t http_port;    /* 80 */
	bool proxy_dhcp;       /* another DHCP server hands out addresses */
};

int tree_render(const struct rack *rack, const struct image *image, const char *dir,
		const struct tree_options *o, struct err *e) _must_check_;
