/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the DHCP server that the tree was rendered for, and dnsmasq, by the rows of
 * dhcp_servers[].
 */
#include "lib/file.h"
#include "pxe/dhcp-server.h"
#include "pxe/serve-parts.h"

#define TEXT_MAX (256 << 20)

static struct serve_child *child_of(struct serve *s, const struct dhcp_server *d)
{
	return (struct serve_child *)((char *)s + d->child);
}

/* Checks if the server runs for this tree. */
static bool is_used(const struct serve *s, const struct dhcp_server *d)
{
	return d == dhcp_servers || d == s->info.dhcp;
}

static char *read_text(const struct serve *s, const char *name)
{
	_cleanup_free_ char *path = name ? xasprintf("%s/%s", s->dir, name) : NULL;
	char *text = NULL;

	return path && file_read_foreign_at(AT_FDCWD, path, TEXT_MAX, &text, NULL) == 0
		       ? text
		       : NULL;
}

static void forget_texts(struct serve_child *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->texts); i++) {
		free(c->texts[i]);
		c->texts[i] = NULL;
	}
}

/* Remembers what the server reads. */
static void read_texts(struct serve *s, const struct dhcp_server *d)
{
	struct serve_child *c = child_of(s, d);

	forget_texts(c);
	c->texts[0] = read_text(s, d->conf);
	c->texts[1] = read_text(s, d->hosts);
}

/* Sets *ret to the user that the server runs as. Returns it, or NULL for that of this
 * process. */
static const struct run_user *user_of(const struct serve *s, const struct dhcp_server *d,
				      struct run_user *ret)
{
	*ret = (struct run_user){s->uid, s->gid, d->capabilities};
	return s->user && s->uid != 0 ? ret : NULL;
}

static int start(struct serve *s, const struct dhcp_server *d, struct err *e)
{
	_cleanup_strv_ char **argv = d->argv(s, false), **env = d->env ? d->env(s) : NULL;
	struct run_user user;
	struct serve_child *c = child_of(s, d);

	if (d->prepare && d->prepare(s, e) < 0)
		return -1;
	read_texts(s, d);
	/* A server that changes its user itself outlives a process that is killed. */
	if (serve_child_start(s, c, argv, env, user_of(s, d, &user), e) < 0)
		return -1;
	c->child.name = d->program;
	return serve_child_await_line(c, 0, d->started, e);
}

int serve_dhcp_start(struct serve *s, struct err *e)
{
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++)
		if (is_used(s, d) && start(s, d, e) < 0)
			return -1;
	return 0;
}

int serve_dhcp_test(const struct serve *s, struct err *e)
{
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++) {
		_cleanup_strv_ char **argv = is_used(s, d) ? d->argv(s, true) : NULL;
		_cleanup_strv_ char **env = d->env ? d->env(s) : NULL;
		struct run_user user;

		if (!argv)
			continue;
		/* A configuration may name programs and libraries: not for root. */
		if (run(&(struct run){.argv = (const char *const *)argv,
				      .env = (const char *const *)env,
				      .cwd = s->dir,
				      .user = user_of(s, d, &user)},
			e) < 0)
			return -1;
	}
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

/* Makes a running server use what it would read now. */
static int update(struct serve *s, const struct dhcp_server *d, struct err *e)
{
	struct serve_child *c = child_of(s, d);
	_cleanup_free_ char *conf = read_text(s, d->conf);
	_cleanup_free_ char *hosts = read_text(s, d->hosts);
	const char *const old[] = {c->texts[0], c->texts[1]}, *const new[] = {conf,
									      hosts};

	if (c->pidfd >= 0 && conf && same_text(old[0], conf) && same_text(old[1], hosts))
		return 0;
	if (c->pidfd >= 0 && d->can_reload(old, new)) {
		int r = d->reload(s, e);

		if (r == 0)
			read_texts(s, d);
		if (r <= 0)
			return r;
	}
	serve_child_stop(c);
	return start(s, d, e);
}

int serve_dhcp_reload(struct serve *s, struct err *e)
{
	/* One gives the port to another. */
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++)
		if (!is_used(s, d))
			serve_child_stop(child_of(s, d));
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++)
		if (is_used(s, d) && update(s, d, e) < 0) {
			s->lost = child_of(s, d)->pidfd < 0 ? d->program : NULL;
			return -1;
		}
	return 0;
}

void serve_dhcp_done(struct serve *s)
{
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++)
		forget_texts(child_of(s, d));
}
