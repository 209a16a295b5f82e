/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of a boot tree, made from a rack and an image; tree.c puts them on disk. */
#pragma once

#include "lib/intern.h"
#include "lib/known-digest.h"
#include "pxe/loaders.h"
#include "pxe/secret.h"
#include "pxe/tree.h"

#define TREE_ID_LEN   36 /* "<16 of root>-<8 of initrd>-<8 of kernel>" and NUL */
#define TREE_BASE_LEN 32

#define TREE_HTTP_PORT 80 /* unless the options have another */

/* Writes the name of the image's folder below images/ to `out`. Returns `out`. */
const char *tree_image_id(const struct image *image, char out[static TREE_ID_LEN]);
/* Writes the URL of the tree's http/ to `out`. Returns `out`. */
const char *tree_base(uint32_t boot_server, uint16_t port,
		      char out[static TREE_BASE_LEN]);

/* The input of all texts, computed once. */
struct tree_plan {
	const struct rack *rack;
	const struct image *image;
	struct tree_options o;         /* defaults filled in */
	char id[TREE_ID_LEN];          /* the image's folder below images/ */
	char base[TREE_BASE_LEN];      /* "http://172.25.0.1:8080" */
	char grub_base[TREE_BASE_LEN]; /* "(http,172.25.0.1:8080)" */
	struct secret secret;
	struct known_link links[IMAGE_PARTS]; /* the image's files in the tree */
};

/* Checks that rack, image and options go together, and fills in `ret`, which keeps
 * pointers to `rack` and `image`. Leaves the secret empty. */
int tree_plan(struct tree_plan *ret, const struct rack *rack, const struct image *image,
	      const struct tree_options *o, struct err *e) _must_check_;

/* tree-image.c puts the image's files into the tree `dirfd`, of which `old`, unless it is
 * -1, is the one before. */
int tree_image_write(int dirfd, int old, struct tree_plan *p, struct err *e) _must_check_;
/* Closes p->links. With `keep`, their digests are remembered; then the old tree is
 * removed already. */
void tree_image_done(struct tree_plan *p, bool keep);

/* tree.c: creates a file of a tree, and returns its descriptor or -1. No server reads the
 * tree yet, so that there is no temporary name and no fsync. */
int tree_create(int dirfd, const char *path, mode_t mode, struct err *e) _must_check_;
/* Copies the rest of the open file `in`, which is called `from` in messages. */
int tree_copy_file(int dirfd, int in, const char *from, const char *path,
		   struct err *e) _must_check_;

/* tree-cpio.c makes the archive of a host, and the one with the rack's hosts, which is
 * the same for all that get it: their names of it are links. `b` must be empty. */
#define TREE_RACK_CPIO "rack.cpio" /* in TREE_HOSTS */
int tree_host_cpio(const struct tree_plan *p, const struct rack_host *h,
		   const char *host_cfg, struct buf *b, struct err *e) _must_check_;
int tree_rack_cpio(const struct tree_plan *p, struct buf *b, struct err *e) _must_check_;

/* tree-hosts.c writes all of that into the tree `dirfd`, or links what the tree `old`
 * has; -1: there is none. */
int tree_hosts_write(int dirfd, int old, const struct tree_plan *p,
		     struct tree_counts *ret, struct err *e) _must_check_;

/* tree-dhcp.c: what the configurations of several servers have in common. */

/* Returns the host's network; prefix 0: it is not known, its address is from DHCP. */
struct cidr tree_host_network(const struct host *h);

/* Adds the networks of the rack and of its hosts, each once, between `before` and
 * `after`. */
void tree_add_networks(const struct tree_plan *p, struct intern *in, const char *before,
		       const char *after);

/* The different sets of DHCP options that hosts have. A text has a line for each option:
 * its name, and its addresses, which are behind commas. A host without a gateway has an
 * option TREE_DHCP_ROUTER without addresses. */
struct tree_dhcp_sets {
	struct intern texts;
	size_t *of_host; /* of each host of the rack: the number of its text */
};
#define TREE_DHCP_ROUTER "router"
#define TREE_DHCP_DNS    "dns-server"
#define TREE_DHCP_NTP    "ntp-server"
#define TREE_DHCP_SET    "options%zu" /* the name of a set: its number plus one */

void tree_dhcp_sets(const struct tree_plan *p, struct tree_dhcp_sets *ret);
void tree_dhcp_sets_done(struct tree_dhcp_sets *s);
#define _cleanup_tree_dhcp_sets_ _cleanup_(tree_dhcp_sets_done)

/* tree-dnsmasq.c, tree-kea.c and tree-nginx.c render the servers' configurations. NULL:
 * the tree has no such file. Owned by the caller. */
char *tree_dnsmasq_conf(const struct tree_plan *p);
char *tree_dnsmasq_hosts(const struct tree_plan *p);
char *tree_kea_conf(const struct tree_plan *p);
char *tree_nginx_conf(const struct tree_plan *p);

/* tree-host.c renders the machines' files. */

/* Renders the file of a loader that every machine reads first. Owned by the caller. */
char *tree_entry_text(const struct tree_plan *p, const struct pxe_loader *l);

/* Renders the file of a loader that a machine reads which is no host. Owned by the
 * caller. */
char *tree_strangers_text(const struct tree_plan *p, const struct pxe_loader *l);
/* Returns the URL in this tree that the host's report is stored at. Owned by the
 * caller. */
char *tree_report_url(const struct tree_plan *p, const struct host *h);
/* Checks if the host reports there: then it has a token. */
bool tree_has_report(const struct tree_plan *p, const struct host *h);

/* Checks if a template of the host's role loops over the rack's hosts: then the host gets
 * them. */
bool tree_wants_rack(const struct tree_plan *p, const struct host *h);

struct tree_host_texts {
	char **scripts; /* one for each row of pxe_loaders, in its order */
	char *host_cfg;
};

/* Renders the texts of one host. Fails if its kernel command line is too long or has
 * words that are refused. */
int tree_host_texts(const struct tree_plan *p, const struct rack_host *h,
		    struct tree_host_texts *ret, struct err *e) _must_check_;
void tree_host_texts_done(struct tree_host_texts *t);

/* Renders tree.cfg. Owned by the caller. */
char *tree_info_text(const struct tree_plan *p);
