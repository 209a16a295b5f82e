/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs dnsmasq. Its hosts are in a file of their own, which it reads again after SIGHUP;
 * its configuration it reads at its start only.
 */
#include "lib/intern.h"
#include "pxe/dhcp-server.h"
#include "pxe/serve-parts.h"

#include <signal.h>
#include <sys/stat.h>

char **serve_dnsmasq_argv(const struct serve *s, bool test)
{
	char **argv = NULL;

	strv_add(&argv, "dnsmasq");
	strv_addf(&argv, "--conf-file=%s/" TREE_DNSMASQ_CONF, s->dir);
	if (s->info.dhcp == dhcp_servers)
		strv_addf(&argv, "--dhcp-hostsfile=%s/" TREE_DNSMASQ_HOSTS, s->dir);
	strv_add(&argv, "--enable-tftp");
	strv_addf(&argv, "--tftp-root=%s/tftp", s->dir);
	if (s->single_id_ns) {
		/* In no other mode does it keep its user and groups. */
		strv_add(&argv, "--no-daemon");
	} else {
		strv_add(&argv, "--keep-in-foreground");
		/* Lines in a log file have the time, lines on standard error do not. */
		strv_addf(&argv, "--log-facility=%s", s->dnsmasq.log);
		strv_add(&argv, "--pid-file");
	}
	if (s->user) {
		strv_addf(&argv, "--user=%s", s->user);
		strv_addf(&argv, "--group=%s", s->group);
	}
	if (test)
		strv_add(&argv, "--test");
	return argv;
}

/* dnsmasq keeps its leases when it reads its hosts again, and refuses an address to a
 * host while another one has the lease: only additions are harmless. */
bool serve_dnsmasq_can_reload(const char *const old[2], const char *const new[2])
{
	_cleanup_strv_ char **was = NULL, **is = NULL;
	_cleanup_intern_ struct intern lines = {0};

	if (!old[0] || !new[0] || !streq(old[0], new[0]) || !old[1] || !new[1])
		return false;
	was = strv_split(old[1], "\n");
	is = strv_split(new[1], "\n");
	for (size_t i = 0; is && is[i]; i++)
		intern(&lines, is[i], NULL);
	for (size_t i = 0; was && was[i]; i++)
		if (!intern_find(&lines, was[i], NULL))
			return false;
	return true;
}

int serve_dnsmasq_reload(struct serve *s, struct err *e)
{
	_cleanup_free_ char *line = xasprintf("read %s/" TREE_DNSMASQ_HOSTS, s->dir);
	struct stat st;

	if (fstat(s->dnsmasq.child.errfd, &st) < 0 ||
	    kill(s->dnsmasq.child.pid, SIGHUP) < 0)
		return err_errno(e, errno, "dnsmasq");
	return serve_child_await_line(&s->dnsmasq, st.st_size, line, e);
}
