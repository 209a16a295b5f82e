/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a boot tree to disk. All files are written into a folder beside the final one,
 * synced once, and swapped in (tree-swap.h), so a server that reads the tree at the same
 * time sees either the old one or the new one. Files of an image that the old tree has
 * are linked, not copied.
 *
 * Limit: a machine that has begun to load the old image goes on with it (kept-images.h),
 * but with the host.cfg that its host has in the new tree.
 */
#include "pxe/tree.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/dhcp-server.h"
#include "pxe/kept-images.h"
#include "pxe/tree-parts.h"
#include "pxe/tree-swap.h"

#include <net/if.h>

/* --- plan ------------------------------------------------------------------------- */

static bool is_plain(const char *s)
{
	return *s && s[0] != '.' &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789._+-")];
}

static int check_hosts(const struct tree_plan *p, struct err *e)
{
	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		const struct host *h = &p->rack->hosts[i].host;
		char where[512];

		if (!is_plain(h->role))
			return err_set(e, ERR_CONFIG,
				       "host '%s': the role '%s' cannot stand in a boot "
				       "script",
				       h->name, h->role);
		if (h->dhcp && !p->o.proxy_dhcp)
			return err_set(e, ERR_CONFIG,
				       "%s: host '%s': address \"dhcp\" needs "
				       "--proxy-dhcp: another DHCP server gives it its "
				       "address",
				       host_where(h, HOST_ADDRESS, where, sizeof(where)),
				       h->name);
		if (p->rack->hosts[i].n_secrets > 0 && p->o.proxy_dhcp)
			return err_set(e, ERR_CONFIG,
				       "%s: host '%s': secrets cannot be given with "
				       "--proxy-dhcp: every machine of the rack's "
				       "networks could read them, because the hosts' "
				       "addresses are not known",
				       host_where(h, HOST_SECRETS, where, sizeof(where)),
				       h->name);
	}
	return 0;
}

bool tree_is_interface(const char *name)
{
	return is_plain(name) && strlen(name) < IFNAMSIZ;
}

static int check_options(const struct tree_options *o, const struct rack *rack,
			 struct err *e)
{
	if (o->interface && !tree_is_interface(o->interface))
		return err_set(e, ERR_USAGE, "'%s' is not the name of an interface",
			       o->interface);
	if (o->proxy_dhcp && rack->strangers.first)
		return err_set(
			e, ERR_CONFIG,
			"%s:%u: cluster: strangers: pool: with --proxy-dhcp another "
			"DHCP server gives out the addresses: leave it out",
			rack->strangers.file, rack->strangers.line);
	if (o->router_advert && !o->interface)
		return err_set(e, ERR_USAGE,
			       "router advertisements need the interface's name");
	if (o->dhcp->needs_interface && !o->interface)
		return err_set(e, ERR_USAGE, "DHCP by %s needs the interface's name",
			       o->dhcp->name);
	if (o->dhcp != dhcp_servers && o->proxy_dhcp)
		return err_set(e, ERR_USAGE,
			       "DHCP by %s cannot leave addresses to another server",
			       o->dhcp->name);
	return 0;
}

int tree_plan(struct tree_plan *ret, const struct rack *rack, const struct image *image,
	      const struct tree_options *o, struct err *e)
{
	char addr[NET_ADDR_LEN], port[8] = "";

	*ret = (struct tree_plan){.rack = rack, .image = image, .o = *o};
	for (size_t i = 0; i < ARRAY_SIZE(ret->links); i++)
		ret->links[i].fd = -1;
	if (!ret->o.dhcp)
		ret->o.dhcp = dhcp_servers;
	if (!ret->o.http_port)
		ret->o.http_port = TREE_HTTP_PORT;
	if (!is_plain(image->name))
		return err_set(e, ERR_CONFIG,
			       "the image's name '%s' cannot stand in a boot script",
			       image->name);
	if (check_options(&ret->o, rack, e) < 0 || check_hosts(ret, e) < 0)
		return -1;
	tree_image_id(image, ret->id);
	net_format_addr(rack->boot_server, addr);
	if (ret->o.http_port != TREE_HTTP_PORT)
		snprintf(port, sizeof(port), ":%u", ret->o.http_port);
	tree_base(rack->boot_server, ret->o.http_port, ret->base);
	snprintf(ret->grub_base, sizeof(ret->grub_base), "(http,%s%s)", addr, port);
	return 0;
}

/* --- files ------------------------------------------------------------------------ */

int tree_create(int dirfd, const char *path, mode_t mode, struct err *e)
{
	int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			mode);
	struct stat st;

	/* A umask seldom matters, and asking costs less than setting. */
	if (fd < 0 || fstat(fd, &st) < 0 ||
	    ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)) {
		int saved = errno;

		if (fd >= 0)
			close(fd);
		return err_errno(e, saved, "%s", path);
	}
	return fd;
}

static int write_text(int dirfd, const char *path, mode_t mode, const char *text,
		      struct err *e)
{
	_cleanup_close_ int fd = tree_create(dirfd, path, mode, e);
	int r;

	if (fd < 0)
		return -1;
	r = write_all(fd, text, strlen(text));
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

static int make_dir(int dirfd, const char *path, struct err *e)
{
	if (mkdirat(dirfd, path, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "%s", path);
	return fchmodat(dirfd, path, 0755, 0) < 0 ? err_errno(e, errno, "%s", path) : 0;
}

/* Makes the folder that a file goes into; the folder above it must be there. */
static int make_parent(int dirfd, const char *path, struct err *e)
{
	_cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	return make_dir(dirfd, dir, e);
}

static int make_dirs(int dirfd, const struct tree_plan *p, struct err *e)
{
	_cleanup_free_ char *image = xasprintf("http/images/%s", p->id);
	const char *const dirs[] = {"tftp",       "http",     "http/images", image,
				    TREE_REPORTS, TREE_HOSTS, "run"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (make_dir(dirfd, dirs[i], e) < 0)
			return -1;
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		if (make_parent(dirfd, l->entry_path, e) < 0 ||
		    make_parent(dirfd, l->host_file.before, e) < 0)
			return -1;
	return 0;
}

/* Keeps the hosts' files from other users of this machine than the owner and the servers,
 * whose group `rackstrap serve` gave to the folder of the old tree. */
static int protect_hosts(int dirfd, int old, struct err *e)
{
	_cleanup_close_ int hosts = old < 0 ? -1 : dir_open_nofollow_at(old, TREE_HOSTS);
	struct stat st;

	if (fchmodat(dirfd, TREE_HOSTS, 0750, 0) < 0)
		return err_errno(e, errno, TREE_HOSTS);
	if (hosts < 0 || fstat(hosts, &st) < 0)
		return 0;
	/* Only a member of the group may give it away; serve_start() does it again. */
	if (fchownat(dirfd, TREE_HOSTS, (uid_t)-1, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != EPERM)
		return err_errno(e, errno, TREE_HOSTS);
	return 0;
}

int tree_copy_file(int dirfd, int in, const char *from, const char *path, struct err *e)
{
	_cleanup_close_ int out = tree_create(dirfd, path, 0644, e);
	int r;

	if (out < 0)
		return -1;
	r = copy_fd(in, out);
	return r < 0 ? err_errno(e, r, "cannot copy %s", from) : 0;
}

/* Copies the programs of a loader, for firmware that is not that loader. A rack whose
 * machines all have it boots without them. */
static int copy_programs(int dirfd, const struct pxe_loader *l, const char *dir,
			 struct err *e)
{
	for (const struct pxe_program *f = l->programs; f && f->file; f++) {
		_cleanup_free_ char *from = xasprintf("%s/%s", dir, f->file);
		_cleanup_free_ char *to = xasprintf("tftp/%s", f->file);
		_cleanup_free_ char *http = xasprintf("http/%s", f->file);
		_cleanup_close_ int in = file_open_regular_at(AT_FDCWD, from);

		if (in == -ENOENT || in == -ENOTDIR) {
			log_warn("%s is not there: machines whose firmware is not %s "
				 "will not boot (Debian's package %s brings it)",
				 from, l->name, l->package);
			continue;
		}
		if (in < 0)
			return err_set(e, ERR_FAILED, "%s: %s", from, file_strerror(in));
		if (tree_copy_file(dirfd, in, from, to, e) < 0)
			return -1;
		if (f->http_archs[0] && (lseek(in, 0, SEEK_SET) < 0 ||
					 tree_copy_file(dirfd, in, from, http, e) < 0))
			return -1;
	}
	return 0;
}

static int copy_loaders(int dirfd, const struct tree_plan *p, struct err *e)
{
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++)
		if (copy_programs(dirfd, l, p->o.ipxe_dir ? p->o.ipxe_dir : l->dir, e) <
		    0)
			return -1;
	return 0;
}

/* --- texts ------------------------------------------------------------------------- */

static char *tree_secret_text(const struct tree_plan *p)
{
	return secret_text(&p->secret);
}

static int write_texts(int dirfd, const struct tree_plan *p, struct err *e)
{
	static const struct {
		const char *path;
		mode_t mode;
		char *(*make)(const struct tree_plan *p);
	} texts[] = {
		{TREE_INFO, 0644, tree_info_text},
		{TREE_DNSMASQ_CONF, 0644, tree_dnsmasq_conf},
		{TREE_DNSMASQ_HOSTS, 0644, tree_dnsmasq_hosts},
		{TREE_KEA_CONF, 0644, tree_kea_conf},
		{TREE_NGINX_CONF, 0600, tree_nginx_conf}, /* has the hosts' tokens */
		{TREE_SECRET, 0600, tree_secret_text},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_free_ char *text = texts[i].make(p);

		if (text && write_text(dirfd, texts[i].path, texts[i].mode, text, e) < 0)
			return -1;
	}
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		_cleanup_free_ char *text = tree_entry_text(p, l);

		_cleanup_free_ char *strangers =
			l->strangers ? tree_strangers_text(p, l) : NULL;

		if (write_text(dirfd, l->entry_path, 0644, text, e) < 0 ||
		    (strangers &&
		     write_text(dirfd, l->strangers_path, 0644, strangers, e) < 0))
			return -1;
	}
	return 0;
}

/* --- in place --------------------------------------------------------------------- */

/*
 * Sets *ret to the final path without symbolic links and trailing slashes, and
 * *ret_exists to true if there is a tree or an empty folder, which may be replaced. Fails
 * if there is anything else.
 */
static int find_place(const char *dir, char **ret, bool *ret_exists, struct err *e)
{
	_cleanup_free_ char *real = realpath(dir, NULL);
	size_t len = strlen(dir);

	*ret_exists = real != NULL;
	if (!real && errno != ENOENT)
		return err_errno(e, errno, "%s", dir);
	if (dir_check_link(dir, true, e) < 0)
		return -1;
	if (!real) {
		while (len > 1 && dir[len - 1] == '/')
			len--;
		*ret = xstrndup(dir, len);
		return 0;
	}
	if (!tree_is(real) && !dir_is_empty(real))
		return err_set(e, ERR_FAILED,
			       "%s is there and is not a boot tree: name another folder",
			       dir);
	*ret = TAKE_PTR(real);
	return 0;
}

/* Opens the old tree. Another user's is refused: its secret, reports and open folders
 * would become this one's. Returns the descriptor, or -1. */
static int open_old(const char *dir, struct err *e)
{
	_cleanup_close_ int fd =
		open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", dir);
	if (!file_is_trusted(&st))
		return err_set(e, ERR_FAILED,
			       "%s: belongs to another user (uid %u): run this as that "
			       "user, or give the tree to this one with chown -R",
			       dir, (unsigned)st.st_uid);
	return TAKE_FD(fd);
}

/* Checks that `path` is still that of the old tree, or, with `old` -1, that nothing is
 * there: another user may have exchanged a folder above. */
static int check_same(int old, const char *path, const char *dir, struct err *e)
{
	struct stat was, now;
	bool is_there = lstat(path, &now) == 0;

	if (old < 0 ? !is_there
		    : is_there && fstat(old, &was) == 0 && was.st_ino == now.st_ino &&
			      was.st_dev == now.st_dev)
		return 0;
	return err_set(e, ERR_FAILED, "%s: was exchanged or made meanwhile: run again",
		       dir);
}

static int write_tree(const char *new, const char *dir, int old, struct tree_plan *p,
		      struct tree_counts *ret, struct err *e)
{
	_cleanup_close_ int fd = open(new, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0755) < 0)
		return err_errno(e, errno, "%s", new);
	if (make_dirs(fd, p, e) < 0 || protect_hosts(fd, old, e) < 0 ||
	    copy_loaders(fd, p, e) < 0 || tree_image_write(fd, old, p, e) < 0 ||
	    kept_images_link(old, fd, p->id, p->o.keep_for, e) < 0 ||
	    write_texts(fd, p, e) < 0 || tree_hosts_write(fd, old, p, ret, e) < 0)
		return -1;
	if (old >= 0 && tree_swap_link(old, fd, e) < 0)
		return -1;
	if (syncfs(fd) < 0)
		return err_errno(e, errno, "%s", dir);
	return 0;
}

/* `dir` is the path of the old tree, which is open as `old`, or -1. */
static int set_secret(struct tree_plan *p, int old, const char *dir, struct err *e)
{
	if (!p->o.secret)
		return secret_read(&p->secret, old, dir, e);
	if (secret_parse(p->o.secret, &p->secret) < 0)
		return err_set(e, ERR_USAGE, "the secret must be 64 hex digits");
	return 0;
}

/* Returns the absolute path of `name` in the folder `parent`, or NULL. Owned. */
static char *absolute(const char *parent, const char *name)
{
	_cleanup_free_ char *real = realpath(parent, NULL);

	return real ? xasprintf("%s/%s", real, name) : NULL;
}

int tree_render(const struct rack *rack, const struct image *image, const char *dir,
		const struct tree_options *o, struct tree_counts *ret, struct err *e)
{
	_cleanup_free_ char *place = NULL, *parent = NULL, *hidden = NULL, *target = NULL;
	_cleanup_free_ char *beside = NULL;
	_cleanup_close_ int old = -1;
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	struct tree_counts counts = {0};
	struct tree_plan p;
	const char *name;
	bool exists;
	int r;

	if (tree_plan(&p, rack, image, o, e) < 0 ||
	    find_place(dir, &place, &exists, e) < 0 ||
	    tree_swap_recover(place, &exists, e) < 0 ||
	    (exists && tree_swap_check(place, e) < 0))
		return -1;
	if (exists)
		old = open_old(place, e);
	if ((exists && old < 0) || set_secret(&p, old, place, e) < 0)
		return -1;
	r = path_split(place, &parent, &name);
	if (r < 0)
		return err_errno(e, r, "%s", dir);
	hidden = xasprintf(".%s", name);
	target = absolute(parent, name);
	if (scratch_make(&s, o->records, parent, hidden, target, e) < 0)
		return -1;
	beside = scratch_beside(&s, name);
	if (check_same(old, beside, dir, e) < 0)
		return -1;
	r = write_tree(s.inside, place, old, &p, &counts, e) < 0 ||
			    tree_swap_publish(&s, place, e) < 0
		    ? err_wrap(e, "boot tree %s", dir)
		    : 0;
	scratch_done(&s); /* removes the old tree, and its links to the image */
	tree_image_done(&p, r == 0);
	if (r == 0 && ret)
		*ret = counts;
	return r;
}
