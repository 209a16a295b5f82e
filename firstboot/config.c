/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and checks the host before anything is changed. All complaints are collected: the
 * next source is read also when one could not be.
 */
#include "firstboot/config.h"
#include "firstboot/link.h"
#include "firstboot/model/host-check.h"
#include "lib/log.h"
#include "lib/root.h"

#define LINK_POLL_MS 200

/* Loads the roles of the image. `needed`: a root without them is wrong; else every role
 * is accepted. */
static int load_roles(struct config *c, const struct firstboot *fb, bool needed)
{
	if (fb->roles)
		return roles_read(&c->roles, fb->roles, &c->complaints);
	if (!needed && root_access(fb->rootfd, ROLES_PATH) == -ENOENT) {
		c->roles.any = true;
		return 0;
	}
	return roles_read_root(&c->roles, fb->rootfd, &c->complaints);
}

/* Complains that no source describes this host, with its links so that the operator can
 * add it. */
static void complain_no_source(struct config *c, const struct firstboot *fb)
{
	uint64_t end = now_ms() + (uint64_t)fb->link_timeout * 1000;
	_cleanup_free_ char *links = links_text(fb->rootfd);

	while (!*links && now_ms() < end) {
		sleep_ms(LINK_POLL_MS);
		free(links);
		links = links_text(fb->rootfd);
	}
	diag_add(&c->complaints,
		 "no host.cfg came with this boot and the kernel command line names no "
		 "host; this machine has %s",
		 *links ? links : "no Ethernet link");
}

/* Loads the rack's hosts: those that came with the boot, or of the boot medium's rack.
 * Complains when there are none although a template of the role needs them. */
static int load_hosts(struct config *c, const struct firstboot *fb,
		      struct rack_hosts *ret)
{
	const char *needs = host_templates_use_hosts(&c->templates, c->role);
	_cleanup_conf_ struct conf *conf = NULL;

	if (!needs)
		return 0;
	if (root_access(fb->rootfd, HOSTS_CFG) == 0)
		return conf_read_root(&conf, fb->rootfd, HOSTS_CFG, "hosts.cfg",
				      CONF_MAX_RACK, &c->complaints) < 0 ||
				       rack_hosts_load(ret, conf_root(conf),
						       &c->complaints) < 0
			       ? -1
			       : 0;
	if (root_access(fb->rootfd, MEDIUM_RACK_CFG) == 0) {
		if (conf_read_root(&conf, fb->rootfd, MEDIUM_RACK_CFG, "rack.cfg",
				   CONF_MAX_RACK, &c->complaints) < 0)
			return -1;
		rack_hosts_load_rack(ret, conf_root(conf));
		return 0;
	}
	return diag_add(&c->complaints,
			"the template %s loops over the hosts of the rack, which did not "
			"come with this boot: boot this host from the boot server, or "
			"from a medium with a rack.cfg",
			needs);
}

/* Renders the templates of the role. On failure c->role is NULL and there are
 * complaints. */
static void render(struct config *c, const struct firstboot *fb)
{
	_cleanup_rack_hosts_ struct rack_hosts hosts = {0};
	_cleanup_template_values_ struct template_values *values = NULL;
	int r = host_templates_compile(&c->templates, &c->roles, c->role, &c->complaints);

	if (r == 0)
		r = load_hosts(c, fb, &hosts);
	if (r == 0) {
		values = host_template_values(&c->roles, &hosts);
		if (host_templates_render(&c->templates, &c->host, &c->roles, values,
					  &c->complaints) == 0)
			return;
	}
	c->role = NULL;
}

static void finish(struct config *c, const struct firstboot *fb)
{
	_cleanup_free_ char *text = NULL;

	host_derive(&c->host, &c->roles);
	/* Without roles the host cannot be checked; roles.cfg has a complaint then. */
	if ((c->roles.n > 0 || c->roles.any) &&
	    host_check_keys(&c->host, &c->roles, &c->complaints, c->bad) == 0 &&
	    c->complaints.n == 0)
		c->role = roles_find(&c->roles, c->host.role);
	if (c->role && host_templates_read(&c->templates, fb->rootfd, &c->complaints) < 0)
		c->role = NULL;
	if (c->role)
		render(c, fb);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		c->bad[i] = c->bad[i] || c->host.bad[i];
	text = config_text(&c->host);
	digest_sha256(text, strlen(text), c->sha256);
}

int config_load(struct config *ret, const struct firstboot *fb)
{
	bool found = false;

	*ret = (struct config){0};
	host_init(&ret->host);
	if (load_roles(ret, fb, true) < 0)
		ret->roles = (struct roles){0};
	sources_wait(fb);
	for (size_t i = 0; i < n_sources; i++)
		if (sources[i].load(fb, &ret->host, &ret->complaints, &ret->warnings) !=
		    0)
			found = true;
	if (found)
		finish(ret, fb);
	else
		complain_no_source(ret, fb);
	return ret->complaints.n ? -1 : 0;
}

int config_load_file(struct config *ret, const struct firstboot *fb, const char *path)
{
	_cleanup_conf_ struct conf *conf = NULL;

	*ret = (struct config){0};
	host_init(&ret->host);
	if (load_roles(ret, fb, false) < 0)
		ret->roles = (struct roles){0};
	if (conf_read_at(&conf, AT_FDCWD, path, path, CONF_MAX, CONF_NO_INCLUDE,
			 &ret->complaints) < 0)
		return -1;
	(void)!host_load_conf(&ret->host, conf_root(conf), "", &ret->complaints);
	finish(ret, fb);
	return ret->complaints.n ? -1 : 0;
}

int config_err(const struct config *c, const char *what, struct err *e)
{
	if (c->complaints.unread)
		return diag_err(&c->complaints, e);
	log_diag(LOG_LEVEL_ERROR, &c->complaints);
	return err_set(e, ERR_CONFIG, "%s: %zu mistake%s", what, c->complaints.n,
		       c->complaints.n == 1 ? "" : "s");
}

void config_done(struct config *c)
{
	roles_done(&c->roles);
	host_templates_done(&c->templates);
	host_done(&c->host);
	diag_done(&c->complaints);
	diag_done(&c->warnings);
}

char *config_text(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};

	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		_cleanup_free_ char *value = host_format(h, id);

		if (*value && !host_key_is_secret(id))
			buf_printf(&b, "%s = %s;\n", host_key(id)->name, value);
	}
	return buf_take(&b);
}
