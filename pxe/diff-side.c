/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host of a tree is read from its archive when it is compared: of a large rack, only
 * one archive is in memory.
 */
#include "pxe/diff-parts.h"

#include "firstboot/model/secret-entry.h"
#include "lib/file.h"
#include "pxe/cpio-read.h"
#include "pxe/loaders.h"
#include "pxe/rack-image.h"
#include "pxe/tree-parts.h"

#define ARCHIVE_MAX (2 * (CONF_MAX + SECRETS_MAX * SECRET_SIZE_MAX))

#define HOST_CFG    "rackstrap/host.cfg"
#define SECRETS_DIR "rackstrap/secrets/"

/* --- sides ----------------------------------------------------------------------- */

/* Sets what is made of the image and the hosts. */
static void finish(struct diff_side *s)
{
	if (s->image)
		s->values = host_template_values(&s->image->roles, &s->hosts);
}

void diff_side_rack(struct diff_side *ret, const char *name, const struct rack *rack,
		    struct image *image, const struct tree_options *options)
{
	char id[TREE_ID_LEN];

	*ret = (struct diff_side){
		.name = name,
		.rack = rack,
		.image = image,
		.rack_name = xstrdup(rack->name),
		.options = options,
		.boot_server = rack->boot_server,
		.http_port = options && !options->http_port ? TREE_HTTP_PORT
			     : options                      ? options->http_port
							    : 0,
	};
	if (image) {
		ret->image_name = xstrdup(image->name);
		ret->image_id = xstrdup(tree_image_id(image, id));
		ret->image_cmdline = xstrdup(image->cmdline);
	}
	rack_hosts_of(&ret->hosts, rack);
	for (size_t i = 0; i < rack->n_hosts; i++)
		intern(&ret->names, rack->hosts[i].host.name, NULL);
	finish(ret);
}

int diff_side_tree(struct diff_side *ret, const char *dir, struct image *image,
		   struct err *e)
{
	char id[TREE_ID_LEN];
	bool is_new;

	*ret = (struct diff_side){.name = dir, .dir = dir};
	if (tree_info_read(&ret->info, dir, e) < 0) {
		e->code = ERR_UNABLE;
		return -1;
	}
	ret->rack_name = xstrdup(ret->info.name);
	ret->image_name = xstrdup(ret->info.image);
	ret->image_id = xstrdup(ret->info.image_id);
	ret->image_cmdline = xstrdup(ret->info.image_cmdline);
	ret->boot_server = ret->info.boot_server;
	ret->http_port = ret->info.http_port;
	if (image && ret->image_id && streq(tree_image_id(image, id), ret->image_id))
		ret->image = image;
	for (size_t i = 0; i < ret->info.n_hosts; i++) {
		const struct tree_host *h = &ret->info.hosts[i];

		intern(&ret->names, h->name, &is_new);
		if (!is_new) {
			err_set(e, ERR_UNABLE,
				"%s/" TREE_INFO ": host '%s' is there twice", dir,
				h->name);
			diff_side_done(ret);
			return -1;
		}
		rack_hosts_add(&ret->hosts, h->name, h->role,
			       h->address.prefix ? h->address.addr : 0);
	}
	finish(ret);
	return 0;
}

void diff_side_none(struct diff_side *ret, const char *name)
{
	*ret = (struct diff_side){.name = name};
}

void diff_side_done(struct diff_side *s)
{
	tree_info_done(&s->info);
	free(s->rack_name);
	free(s->image_name);
	free(s->image_id);
	free(s->image_cmdline);
	rack_hosts_done(&s->hosts);
	template_values_free(s->values);
	intern_done(&s->names);
	*s = (struct diff_side){0};
}

size_t diff_side_len(const struct diff_side *s)
{
	return s->rack ? s->rack->n_hosts : s->info.n_hosts;
}

void diff_side_member(const struct diff_side *s, size_t i, struct diff_member *ret)
{
	const struct host *h = s->rack ? &s->rack->hosts[i].host : NULL;
	const struct tree_host *t = s->rack ? NULL : &s->info.hosts[i];
	struct cidr address = h ? h->address : t->address;

	*ret = (struct diff_member){
		.name = h ? h->name : t->name,
		.role = h ? h->role : t->role,
		.mac = h ? h->mac : t->mac,
		.address = address.prefix && !(h && h->dhcp) ? address.addr : 0,
	};
}

/* --- hosts ----------------------------------------------------------------------- */

static void add_secret(struct diff_host *h, const char *name, const char *data,
		       size_t len)
{
	h->secrets = xgrow(h->secrets, h->n_secrets, sizeof(*h->secrets));
	h->secrets[h->n_secrets++] =
		(struct diff_secret){.name = xstrdup(name), .data = data, .len = len};
}

static void load_entry(struct diff_host *h, const struct rack *rack, size_t i)
{
	const struct rack_host *entry = &rack->hosts[i];

	h->host = entry->host;
	h->entry = entry;
	h->has_words = true;
	h->cmdline = entry->cmdline;
	h->state_disk = entry->state_disk;
	h->serial = entry->serial;
	h->uuid = entry->uuid;
	for (size_t k = 0; k < entry->n_secrets; k++) {
		const struct rack_secret *s = &rack->secrets.v[entry->secrets[k]];

		add_secret(h, s->name, s->data, s->len);
	}
}

/* Reads the members of the archive. Sets *ret to that with host.cfg, without name if
 * there is none. */
static int read_members(struct diff_host *h, struct cpio_member *ret, struct err *e)
{
	struct cpio_member m;
	size_t at = 0;
	int r;

	*ret = (struct cpio_member){0};
	while ((r = cpio_next(h->archive, h->archive_len, &at, &m, e)) > 0) {
		const char *secret = str_after(m.name, SECRETS_DIR);

		if (streq(m.name, HOST_CFG) && S_ISREG(m.mode))
			*ret = m;
		else if (secret && *secret && S_ISREG(m.mode))
			add_secret(h, secret, m.data, m.len);
	}
	return r;
}

static int load_host_cfg(struct diff_host *h, const struct diff_side *s,
			 const struct cpio_member *m, const char *path, struct err *e)
{
	static const struct roles any = {.any = true};
	_cleanup_free_ char *name = xasprintf("%s: host.cfg", path);
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h->own);
	if (!m->name)
		return err_set(e, ERR_FAILED, "has no " HOST_CFG);
	if (conf_parse(&conf, m->data, m->len, name, CONF_MAX, CONF_NO_INCLUDE, &d) < 0 ||
	    host_load_conf(&h->own, conf_root(conf), "", &d) < 0)
		return diag_err(&d, e);
	host_derive(&h->own, s->image ? &s->image->roles : &any);
	if (!h->own.name || !h->own.role)
		return err_set(e, ERR_FAILED, "has a host.cfg without name or role");
	return 0;
}

static int load_archive(struct diff_host *h, const struct diff_side *s, size_t i,
			const char *path, struct err *e)
{
	const struct tree_host *t = &s->info.hosts[i];
	struct cpio_member m;
	int r = file_read_regular_at(AT_FDCWD, path, ARCHIVE_MAX, &h->archive,
				     &h->archive_len);

	h->has_words = s->image_id != NULL;
	h->cmdline = t->cmdline;
	h->state_disk = t->state_disk;
	h->serial = t->serial;
	h->uuid = t->uuid;
	if (r < 0)
		return err_set(e, ERR_FAILED, "%s", file_strerror(r));
	if (read_members(h, &m, e) < 0 || load_host_cfg(h, s, &m, path, e) < 0)
		return -1;
	if (!streq(h->own.name, t->name))
		return err_set(e, ERR_FAILED, "is of host '%s', not of '%s'", h->own.name,
			       t->name);
	h->host = h->own;
	return 0;
}

/* Sets the URL in the tree for the host's report, if the rack file names none: a template
 * may have it. */
static void set_report(struct diff_host *h, const struct diff_side *s)
{
	uint16_t port = s->http_port ? s->http_port : TREE_HTTP_PORT;
	_cleanup_free_ char *url = NULL;
	char base[TREE_BASE_LEN];

	url = xasprintf("%s/report/%s.json", tree_base(s->boot_server, port, base),
			h->host.name);
	if (h->host.set[HOST_REPORT] && h->host.report && !streq(h->host.report, url))
		return;
	h->report = TAKE_PTR(url);
	h->host.report = h->report;
	h->host.set[HOST_REPORT] = true;
}

int diff_host_load(struct diff_host *ret, const struct diff_side *s, size_t i,
		   struct err *e)
{
	_cleanup_free_ char *file = NULL, *path = NULL;

	*ret = (struct diff_host){.has_role = s->image != NULL};
	if (s->rack) {
		load_entry(ret, s->rack, i);
	} else {
		file = host_file_path(&host_cpio_file, s->info.hosts[i].mac, '-');
		path = xasprintf("%s/%s", s->dir, file);
		if (load_archive(ret, s, i, path, e) < 0) {
			err_wrap(e, "%s", path);
			e->code = ERR_UNABLE;
			return -1;
		}
	}
	set_report(ret, s);
	return 0;
}

void diff_host_done(struct diff_host *h)
{
	if (h->archive)
		explicit_bzero(h->archive, h->archive_len);
	free(h->archive);
	for (size_t i = 0; i < h->n_secrets; i++)
		free(h->secrets[i].name);
	free(h->secrets);
	free(h->report);
	host_done(&h->own);
	*h = (struct diff_host){.archive = NULL};
}
