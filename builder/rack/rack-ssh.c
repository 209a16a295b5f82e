/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder's path is in no file: ssh replaces ${RACK_DIR} in its configuration, and the
 * programs in run/ssh/bin find the others beside themselves. So a path may have blanks,
 * quotes and percent signs.
 */
#include "builder/rack/rack-ssh.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"

#define KEY     "run/ssh/key"
#define KEY_MAX 4096

static const char config_tail[] = "# Made by rackstrap rack for one run.\n"
				  "Host *\n"
				  "\tUser root\n"
				  "\tIdentityFile ${RACK_DIR}/" KEY "\n"
				  "\tIdentitiesOnly yes\n"
				  "\tBatchMode yes\n"
				  "\tStrictHostKeyChecking accept-new\n"
				  "\tUpdateHostKeys no\n"
				  "\tLogLevel ERROR\n"
				  "\tConnectTimeout 30\n"
				  "\tConnectionAttempts 4\n"
				  "\tServerAliveInterval 15\n"
				  "\tServerAliveCountMax 4\n";

static const char *const programs[] = {"ssh", "scp", "sftp"};

/* Each of `programs`; real/NAME is a link to the program of this machine. */
static const char wrapper[] = "#!/bin/sh\n"
			      "exec \"${0%/*}/real/${0##*/}\" -F "
			      "\"${0%/*}/../config\" \"$@\"\n";

/* --- the key ----------------------------------------------------------------------- */

static int generate(const char *dir, struct err *e)
{
	const struct run r = {
		.argv = (const char *const[]){"ssh-keygen", "-q", "-t", "ed25519", "-N",
					      "", "-C", "rackstrap-rack", "-f", KEY,
					      NULL},
		.cwd = dir,
	};

	return run(&r, e);
}

int rack_ssh_make_key(struct rack *rack, const char *dir, struct err *e)
{
	_cleanup_free_ char *folder = xasprintf("%s/run/ssh", dir), *key = NULL;
	_cleanup_free_ char *path = xasprintf("%s/" KEY ".pub", dir);
	int r = rm_rf_at(AT_FDCWD, folder);

	if (r == 0 && mkdir(folder, 0700) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(e, r, "%s", folder);
	if (generate(dir, e) < 0)
		return -1;
	r = file_read_regular_at(AT_FDCWD, path, KEY_MAX, &key, NULL);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	key[strcspn(key, "\n")] = '\0';
	for (size_t i = 0; i < rack->n_hosts; i++) {
		struct host *h = &rack->hosts[i].host;

		strv_add(&h->ssh_keys, key);
		h->set[HOST_SSH_KEYS] = true;
	}
	return 0;
}

void rack_ssh_remove(const char *dir)
{
	_cleanup_free_ char *folder = xasprintf("%s/run/ssh", dir);
	int r = rm_rf_at(AT_FDCWD, folder);

	if (r < 0)
		log_warn("%s: %s", folder, strerror(-r));
}

/* --- the programs ------------------------------------------------------------------ */

static int write_program(const char *dir, const char *name, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_SSH_BIN "/%s", dir, name);
	_cleanup_free_ char *link = xasprintf("%s/" RACK_SSH_BIN "/real/%s", dir, name);
	_cleanup_free_ char *real = run_find(name);
	int r;

	if (!real)
		return 0;
	if (symlink(real, link) < 0 && errno != EEXIST)
		return err_errno(e, errno, "%s", link);
	r = file_write_at(AT_FDCWD, path, wrapper, strlen(wrapper), 0755);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

static int write_programs(const char *dir, struct err *e)
{
	_cleanup_free_ char *folder = xasprintf("%s/" RACK_SSH_BIN "/real", dir);
	int r = mkdir_p_at(AT_FDCWD, folder, 0755);

	if (r < 0)
		return err_errno(e, r, "%s", folder);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (write_program(dir, programs[i], e) < 0)
			return -1;
	return 0;
}

/* --- the configuration ------------------------------------------------------------- */

const char *rack_ssh_address(const struct machine *m, char out[static NET_ADDR_LEN])
{
	uint32_t addr;

	if (m->host->address.prefix)
		return net_format_addr(m->host->address.addr, out);
	/* A report is not trusted. */
	if (m->status.address && net_parse_addr(m->status.address, &addr) == 0)
		return net_format_addr(addr, out);
	return NULL;
}

int rack_ssh_write_config(const struct rack_run *r, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_SSH_CONFIG, r->dir);
	_cleanup_buf_ struct buf b = {0};
	int ret;

	for (size_t i = 0; i < r->n; i++) {
		const char *name = r->machines[i].host->name, *address;
		char text[NET_ADDR_LEN];

		address = rack_ssh_address(&r->machines[i], text);
		if (!address)
			continue;
		buf_printf(&b,
			   "Host %s %s\n"
			   "\tHostName %s\n"
			   "\tHostKeyAlias %s\n"
			   "\tUserKnownHostsFile ${RACK_DIR}/run/ssh/known_hosts.%s\n",
			   name, address, address, name, name);
	}
	buf_puts(&b, config_tail);
	ret = file_write_at(AT_FDCWD, path, b.p, b.len, 0644);
	if (ret < 0)
		return err_errno(e, ret, "%s", path);
	return write_programs(r->dir, e);
}

void rack_ssh_forget(const char *dir, const char *host)
{
	_cleanup_free_ char *path = xasprintf("%s/run/ssh/known_hosts.%s", dir, host);

	unlink(path);
}
