/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders the texts that a booting machine reads: each loader's entry and, for each host,
 * each loader's script and the host.cfg. All values in a script were checked when they
 * were read (names, roles, digests) or in kernel-cmdline.c (kernel words), so none needs
 * quoting.
 */
#include "pxe/kernel-cmdline.h"
#include "pxe/tree-parts.h"
#include "pxe/variables.h"

static char *render(const char *text, const struct variable *vars)
{
	_cleanup_buf_ struct buf b = {0};

	variables_replace(&b, text, vars);
	return buf_take(&b);
}

char *tree_entry_text(const struct tree_plan *p, const struct pxe_loader *l)
{
	const struct variable vars[] = {
		{"rack", p->rack->name},
		{"base", p->base},
		{"grub_base", p->grub_base},
		{NULL, NULL},
	};

	return render(l->entry, vars);
}

char *tree_strangers_text(const struct tree_plan *p, const struct pxe_loader *l)
{
	const struct variable vars[] = {
		{"rack", p->rack->name},
		{"base", p->base},
		{"policy", strangers_policy_name(p->rack->strangers.policy)},
		{NULL, NULL},
	};

	return render(l->strangers, vars);
}

/* Returns "SERIAL 0 115200" for the console "ttyS0,115200n8", and "" for a console that
 * is not a serial port. Without a speed it is 9600 baud, the kernel's default. */
static char *serial_line(const char *console)
{
	const char *s = console ? str_after(console, "ttyS") : NULL;
	unsigned port = 0, baud = 9600;

	if (!s || sscanf(s, "%3u,%7u", &port, &baud) < 1)
		return xstrdup("");
	return xasprintf("SERIAL %u %u", port, baud);
}

char *tree_report_url(const struct tree_plan *p, const struct host *h)
{
	return xasprintf("%s/report/%s.json", p->base, h->name);
}

bool tree_has_report(const struct tree_plan *p, const struct host *h)
{
	_cleanup_free_ char *url = tree_report_url(p, h);

	return !h->set[HOST_REPORT] || streq(h->report, url);
}

/* Returns the host.cfg, with a URL for the host's report unless the rack file has one,
 * and with a token unless that is another server's, which must not get it. */
static char *host_cfg(const struct tree_plan *p, const struct rack_host *h)
{
	_cleanup_free_ char *text = host_render(&h->host);
	_cleanup_free_ char *url = tree_report_url(p, &h->host);
	_cleanup_buf_ struct buf b = {0};
	char token[DIGEST_LEN];

	buf_printf(&b, "# Host '%s' of rack '%s', rendered by `rackstrap pxe`.\n",
		   h->host.name, p->rack->name);
	buf_puts(&b, text);
	if (!h->host.set[HOST_REPORT])
		buf_printf(&b, "report = \"%s\";\n", url);
	if (tree_has_report(p, &h->host))
		buf_printf(&b, "report_token = \"%s\";\n",
			   secret_token(&p->secret, h->host.name, token));
	return buf_take(&b);
}

bool tree_wants_rack(const struct tree_plan *p, const struct host *h)
{
	const struct role *role = roles_find(&p->image->roles, h->role);

	return role && host_templates_use_hosts(&p->image->templates, role);
}

/* The words of the loaders' scripts for the archive with the rack's hosts. It comes
 * before that with host.cfg: a machine with too little memory for it has no host.cfg. */
struct rack_words {
	char *param, *line, *grub, *pxelinux;
};

static void rack_words(const struct tree_plan *p, const char *mac, struct rack_words *ret)
{
	ret->param = xstrdup("initrd=rack.cpio ");
	ret->line = xstrdup("initrd --name rack.cpio ${base}/${own}.rack || goto failed");
	ret->grub = xasprintf("\"%s/$own.rack\" ", p->grub_base);
	ret->pxelinux = xasprintf("%s/hosts/%s.rack,", p->base, mac);
}

static void rack_words_done(struct rack_words *w)
{
	free(w->param);
	free(w->line);
	free(w->grub);
	free(w->pxelinux);
}

int tree_host_texts(const struct tree_plan *p, const struct rack_host *h,
		    struct tree_host_texts *ret, struct err *e)
{
	_cleanup_free_ char *words = NULL, *grub_words = NULL, *serial = NULL;
	struct rack_words rack = {0};
	char mac[NET_MAC_LEN];

	*ret = (struct tree_host_texts){0};
	if (cmdline_build(h, p->image, &words, e) < 0)
		return -1;
	grub_words = cmdline_for_grub(words);
	serial = serial_line(h->host.console);
	net_format_mac(h->host.mac, '-', mac);
	if (tree_wants_rack(p, &h->host))
		rack_words(p, mac, &rack);

	const struct variable vars[] = {
		{"rack", p->rack->name},
		{"host", h->host.name},
		{"role", h->host.role},
		{"image", p->image->name},
		{"image_id", p->id},
		{"mac", mac},
		{"base", p->base},
		{"grub_base", p->grub_base},
		{"words", words},
		{"grub_words", grub_words},
		{"serial", serial},
		{"rack_param", rack.param ? rack.param : ""},
		{"rack_line", rack.line ? rack.line : ""},
		{"grub_rack", rack.grub ? rack.grub : ""},
		{"pxelinux_rack", rack.pxelinux ? rack.pxelinux : ""},
		{NULL, NULL},
	};
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		_cleanup_free_ char *script = render(l->host, vars);

		strv_add(&ret->scripts, script);
	}
	ret->host_cfg = host_cfg(p, h);
	rack_words_done(&rack);
	return 0;
}

int tree_check(const struct rack *rack, const struct image *image,
	       const struct tree_options *o, struct err *e)
{
	struct tree_plan p;

	if (tree_plan(&p, rack, image, o, e) < 0)
		return -1;
	for (size_t i = 0; i < rack->n_hosts; i++) {
		_cleanup_free_ char *words = NULL;

		if (cmdline_build(&rack->hosts[i], image, &words, e) < 0)
			return -1;
	}
	return 0;
}

void tree_host_texts_done(struct tree_host_texts *t)
{
	strv_free(t->scripts);
	free(t->host_cfg);
	*t = (struct tree_host_texts){0};
}
