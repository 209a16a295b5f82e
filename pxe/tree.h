/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders boot trees: all that a rack's boot server serves, as static files.
 *
 *	TREE/tree.cfg					 its description: struct tree_info
 *	TREE/secret					 makes the hosts' tokens: secret.h
 *	TREE/dnsmasq.conf dnsmasq.hosts nginx.conf	 for `rackstrap serve`
 *	TREE/kea-dhcp4.json				 the same, instead of
 *							 dnsmasq.hosts
 *	TREE/tftp/undionly.kpxe snponly.efi		 iPXE for firmware that has none
 *	TREE/http/boot.ipxe				 finds the host's script
 *	TREE/http/strangers.ipxe			 for machines that have none
 *	TREE/http/hosts/52-54-00-25-00-11.ipxe		 that host's boot script; one
 *							 file for all with the same
 *							 kernel words
 *	TREE/http/hosts/52-54-00-25-00-11.cpio		 rackstrap/host.cfg and
 *							 rackstrap/secrets/, as an initrd
 *	TREE/http/hosts/rack.cpio			 rackstrap/hosts.cfg, an initrd,
 *							 if a template loops over hosts
 *	TREE/http/hosts/52-54-00-25-00-11.rack		 link to it, of each host with
 *							 such a template
 *	TREE/http/images/<id>/				 vmlinuz initrd.img root.cpio
 *	TREE/images.kept				 images of before that are
 *							 kept: kept-images.h
 *	TREE/http/report/				 hosts PUT <name>.json here
 *	TREE/http/status/				 index.html, status.json, metrics:
 *							 `rackstrap serve` writes them
 *	TREE/run/					 the servers' logs, scratch
 *
 * For those who chain GRUB or pxelinux instead of iPXE:
 *
 *	TREE/tftp/grub/grub.cfg				 sources http/hosts/<mac>.grub
 *	TREE/http/strangers.grub			 or this
 *	TREE/http/hosts/52-54-00-25-00-11.grub
 *	TREE/tftp/pxelinux.cfg/01-52-54-00-25-00-11 default
 *
 * Secrets are in `secret` and nginx.conf, which only the tree's owner can read, and in
 * http/hosts, which only the owner and one group can search; `rackstrap serve` makes that
 * the servers' group. Each host's host.cfg has the host's own token, and its archive the
 * secrets of the rack file that are for it (rack-secrets.h).
 *
 * A machine whose MAC address no host has may ask for hosts/by-serial/SERIAL.ipxe and
 * hosts/by-uuid/UUID.ipxe: no files have these names, nginx.conf maps them to those of
 * the host (tree-strangers.h).
 *
 * loaders.h has the table of loaders. An image's <id> is made of the digests of its root,
 * initrd and kernel, so files under images/ never change. A tree is rendered beside its
 * final name and then swapped in; the secret, reports and logs are kept. Rendering the
 * same rack and image again with the same secret gives the same bytes, whatever tree was
 * there before, apart from images that are kept, and images.kept. Nothing in a tree
 * names the folder it is in: it may be moved and copied.
 */
#pragma once

#include "pxe/columns.h"
#include "pxe/image.h"
#include "pxe/rack.h"

#define TREE_INFO          "tree.cfg"
#define TREE_SECRET        "secret"
#define TREE_NGINX_CONF    "nginx.conf"
#define TREE_DNSMASQ_CONF  "dnsmasq.conf"
#define TREE_DNSMASQ_HOSTS "dnsmasq.hosts"
#define TREE_KEA_CONF      "kea-dhcp4.json"
#define TREE_KEA_RUN       "run/kea"
#define TREE_KEA_SOCKET    TREE_KEA_RUN "/control"
#define TREE_HOSTS         "http/hosts"
#define TREE_REPORTS       "http/report"
#define TREE_ACCESS_LOG    "run/access.log"
#define TREE_DNSMASQ_LOG   "run/dnsmasq.log"
#define TREE_KEA_LOG       "run/kea.log"

struct dhcp_server;

struct tree_options {
	const struct dhcp_server *dhcp; /* a row of dhcp_servers[]; NULL: the first */
	const char *interface; /* dnsmasq listens on it; NULL: the one that has the boot
				* server's address */
	uint16_t http_port;    /* 0: 80 */
	bool proxy_dhcp;       /* another DHCP server hands out addresses */
	bool router_advert;    /* answer IPv6 router solicitations, so that iPXE does not
				* wait for one; the interface must be named and must have
				* an IPv6 address that is not link-local */
	/* Folder of the programs that are copied to tftp/; NULL: each loader's own. */
	const char *ipxe_dir;
	uint64_t keep_for;  /* seconds for which an image of the tree before stays that no
			    * host boots any more; 0: not at all */
	const char *secret; /* 64 hex digits, for tests; NULL: that of the tree that is
			     * there, else a new one */
	/* The folder of records for the temporary tree (lib/scratch.h), or NULL. */
	const char *records;
};

/* Returns true when the name can be that of a network interface. */
bool tree_is_interface(const char *name);

/* Checks that the tree can be rendered, as far as rack, image and options decide. */
int tree_check(const struct rack *rack, const struct image *image,
	       const struct tree_options *o, struct err *e) _must_check_;

/* Numbers of hosts: those with a file that was written, and those whose files are all
 * linked, because the tree before had them. */
struct tree_counts {
	size_t written, kept;
};

/* Renders the tree into `dir`, replacing the tree that is there. `ret` may be NULL. */
int tree_render(const struct rack *rack, const struct image *image, const char *dir,
		const struct tree_options *o, struct tree_counts *ret,
		struct err *e) _must_check_;

/* Moves reports and logs from `left`, the temporary folder of a tree_render() that was
 * killed, to the tree `dir`, and completes a swap. Returns 0, also when there are none,
 * or -errno after a warning. */
int tree_rescue(const char *left, const char *dir) _must_check_;

/* The files of an image in http/images/ID that every host loads. */
#define TREE_IMAGE_FILES 3
extern const char *const tree_image_files[TREE_IMAGE_FILES];

/* The description of a tree, as read from its tree.cfg. */
struct tree_host {
	char *name, *role;
	char *serial, *uuid; /* or NULL */
	struct mac mac;
	struct cidr address;        /* prefix 0: by DHCP */
	char *cmdline, *state_disk; /* as in the rack file, or NULL */
	struct host_columns columns;
};

struct tree_info {
	char *name;     /* of the rack */
	char *image;    /* its name */
	char *image_id; /* its folder below http/images/; NULL: this and the next are not
			  * known, nor are the hosts' words, because an earlier rackstrap
			  * has rendered the tree */
	char *image_cmdline; /* the image's kernel words */
	char *interface;     /* that dnsmasq listens on; NULL: chosen by address */
	uint32_t boot_server;
	uint16_t http_port;
	bool proxy_dhcp;
	const struct dhcp_server *dhcp;
	char *dhcp_servers; /* a pair, as rack_dhcp_servers_text() has it, or NULL */
	bool router_advert;
	char *strangers_policy;         /* NULL: "ask" */
	uint32_t pool_first, pool_last; /* addresses for strangers; 0: none */
	struct tree_host *hosts;
	size_t n_hosts;
};

int tree_info_read(struct tree_info *ret, const char *dir, struct err *e) _must_check_;
void tree_info_done(struct tree_info *i);
#define _cleanup_tree_info_ _cleanup_(tree_info_done)
