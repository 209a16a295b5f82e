/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network boot loaders that a boot tree serves, one row each. Rendering, the tree's
 * files and links, dnsmasq's boot lines, the programs copied into tftp/ and the reading
 * of the access log all go by this table. A loader is added by its row in loaders.c, its
 * two templates in pxe/templates/ and their two lines in embed.h.
 *
 * Paths are relative to the tree. Files below http/ are served over HTTP, under the same
 * path without "http"; files below tftp/ over TFTP.
 */
#pragma once

#include "lib/net.h"

#define PXE_TAGS_MAX 4

/* A file that every host has, named after its MAC address: "<before>MAC<after>", with
 * dashes in MAC. */
struct host_file {
	const char *before; /* "http/hosts/" */
	const char *after;  /* ".ipxe" */
};

/* A program that the firmware loads over TFTP; copied to tftp/<file>. */
struct pxe_program {
	const char *file; /* "snponly.efi"; NULL ends the list */
	bool uefi;        /* else BIOS */
	const char *tag;  /* dnsmasq's tag for the machines that it is for */
	/* The same machines by DHCP option 93 (RFC 4578), and by the names that dnsmasq's
	 * pxe-service has for that; each list ends with NULL. */
	const char *archs[PXE_TAGS_MAX], *services[PXE_TAGS_MAX];
	/* The same firmware when it boots by HTTP (UEFI specification, HTTP Boot): it is
	 * sent the program's URL and PXE_HTTP_CLIENT. The program is copied to
	 * http/<file> too. Empty: none. */
	const char *http_archs[PXE_TAGS_MAX], *http_tag;
};

#define PXE_HTTP_CLIENT "HTTPClient" /* the vendor class (option 60) of the answer */

struct pxe_loader {
	const char *name; /* "iPXE"; NULL ends the table */

	const char *entry_path; /* the file that all machines read first */
	const char *entry;      /* its template: rack, base, grub_base */

	/* The file that a machine reads which is no host, and its template: rack, base,
	 * policy. NULL: the entry has it. */
	const char *strangers_path, *strangers;

	struct host_file host_file;
	const char *host; /* its template; tree-host.c has the variables */
	bool shares;      /* hosts with the same kernel words have the same file */

	/* For a loader that firmware starts by our DHCP; NULL for one that is chained. */
	const struct pxe_program *programs;
	const char *dir, *package;          /* the programs' folder and Debian package */
	const char *dhcp_tag, *dhcp_option; /* a machine that runs the loader sends this
					     * option, and is sent the entry's URL */
	/* Sent in that option, left out if another server does DHCP: lines of
	 * dnsmasq.conf, and the same in hex digits; NULL: nothing. */
	const char *dhcp_lines, *dhcp_reply;
};

extern const struct pxe_loader pxe_loaders[];

/* The host's configuration as an initrd, which all loaders load. */
extern const struct host_file host_cpio_file;
/* The archive with the rack's hosts, for a host whose templates loop over them. */
extern const struct host_file host_rack_file;

/* Returns the path of the host's file, with `separator` (':' or '-') in the MAC. Owned by
 * the caller. */
char *host_file_path(const struct host_file *f, struct mac mac, char separator);

/* Checks if `url`, the path of a request, is the file of some MAC address, in either
 * spelling, and sets *ret to that. False for files that are not served over HTTP. */
bool host_file_match(const struct host_file *f, const char *url, struct mac *ret);

/* Returns the loader whose per-host file `url` is, and sets *ret; NULL if none. */
const struct pxe_loader *pxe_loader_by_url(const char *url, struct mac *ret);

/* Returns true when `url` is the file that a machine reads which is no host. */
bool pxe_url_is_strangers(const char *url);

/* Returns the path at which the web server has the tree's file `path`, with its leading
 * slash, or NULL if it is not below http/. Points into `path`. */
const char *tree_url(const char *path);
