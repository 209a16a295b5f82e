/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change nothing: explain, check, status, machine-id. */
#include "firstboot/config.h"
#include "firstboot/owner.h"
#include "firstboot/snapshot.h"
#include "lib/log.h"
#include "lib/out.h"

#define ORIGIN_COLUMN 50

/* Prints all values as a host.cfg, each with its origin in a comment. */
static void print_explained(const struct host *h)
{
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++) {
		_cleanup_free_ char *value = host_format_public(h, id), *line = NULL;
		char where[512];

		if (!*value)
			continue;
		line = xasprintf("%s = %s;", host_key(id)->name, value);
		out_line("%-*s # %s", ORIGIN_COLUMN - 1, line,
			 host_where(h, id, where, sizeof(where)));
	}
}

int cmd_explain(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	_cleanup_config_ struct config c = {0};
	int r = config_load(&c, fb);

	print_explained(&c.host);
	for (size_t i = 0; i < c.warnings.n; i++)
		log_warn("%s", c.warnings.lines[i]);
	return r < 0 ? config_err(&c, "this host", e) : 0;
}

int cmd_check(const struct firstboot *fb, char **args, struct err *e)
{
	_cleanup_config_ struct config c = {0};

	if (config_load_file(&c, fb, args[0]) < 0)
		return config_err(&c, args[0], e);
	out_line("%s: %s (%s), ok%s", args[0], c.host.name, c.host.role,
		 c.roles.any ? " (no image was asked: --roles checks the role and its "
			       "features)"
			     : "");
	return 0;
}

/* Prints the machine-id(5) that the boot script gives a host whose root forgets it, as in
 * memory. networkd 219 derives its DHCP client identifier from it, and networkd the
 * address of a bond. */
int cmd_machine_id(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	_cleanup_machine_id_ struct machine_id m = {0};
	_cleanup_host_ struct host h = {0};
	char id[SYSTEMD_ID_LEN];

	host_load_early(&h, fb);
	machine_id_read(&m, fb->rootfd);
	if (!machine_id_derive(&m, h.has_mac ? &h.mac : NULL, id))
		return err_set(e, ERR_FAILED,
			       "this machine has no serial number, UUID or MAC address");
	out_line("%s", id);
	return 0;
}

int cmd_status(const struct firstboot *fb, char **args _unused_, struct err *e _unused_)
{
	_cleanup_snapshot_ struct snapshot s = {0};
	_cleanup_free_ char *text = NULL;
	struct err units;

	snapshot_read(&s, fb);
	verdict_read(&s.verdict, fb);
	if (fb->live && s.applied.ok && s.config.role &&
	    units_query(&s.units, s.config.role->units, &units) < 0)
		strv_add(&s.applied.warnings, units.msg);
	text = snapshot_text(&s);
	out_text(text);
	return 0;
}
