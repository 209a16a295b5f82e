/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's group media, key by key, and the same settings from the command line. The
 * rack.cfg or host.cfg of a medium is already checked here, so that no image is built for
 * a wrong one.
 */
#include "builder/recipe/recipe-media.h"
#include "builder/common/disk-format.h"
#include "builder/recipe/config-text.h"
#include "builder/recipe/recipe-parse.h"
#include "firstboot/model/conf-note.h"
#include "pxe/kernel-cmdline.h"
#include "pxe/rack.h"

#include "lib/file.h"

#include <limits.h>

const char *const recipe_media_keys[] = {"sector_size", "slot_size", "cmdline", "formats",
					 "host",        "rack",      NULL};

bool recipe_media_is_sector_size(uint64_t n)
{
	return n == 512 || n == 4096;
}

static void recipe_media_parse_sector_size(struct recipe_media *m,
					   const struct conf_node *group, struct diag *d)
{
	int n = 0;

	if (conf_get_int(group, "sector_size", INT_MIN, INT_MAX, &n, d) <= 0)
		return;
	if (n < 0 || !recipe_media_is_sector_size((uint64_t)n))
		conf_complain(conf_member(group, "sector_size"), d,
			      "sector_size: must be 512 or 4096, not %d", n);
	else
		m->sector_size = (uint32_t)n;
}

static void recipe_media_parse_slot_size(struct recipe_media *m,
					 const struct conf_node *group, struct diag *d)
{
	const char *s = NULL;

	if (conf_get_str(group, "slot_size", &s, d) > 0 &&
	    (str_to_size(s, &m->slot_size) < 0 || m->slot_size < 1 << 20 ||
	     m->slot_size > 32ULL << 30))
		conf_complain(conf_member(group, "slot_size"), d,
			      "slot_size: must be from 1M to 32G, not '%s'", s);
}

static void recipe_media_parse_cmdline(struct recipe_media *m,
				       const struct conf_node *group, struct diag *d)
{
	const char *wrong;

	if (recipe_get_text(group, "cmdline", &m->cmdline, d) <= 0)
		return;
	wrong = cmdline_wrong(m->cmdline);
	if (wrong)
		conf_complain(conf_member(group, "cmdline"), d,
			      "cmdline: %s: boot loaders would change it", wrong);
	cmdline_check_keys(m->cmdline, conf_member(group, "cmdline"), d);
}

static void recipe_media_parse_formats(struct recipe_media *m,
				       const struct conf_node *group, struct diag *d)
{
	const struct conf_node *at = conf_member(group, "formats");
	_cleanup_free_ char *names = str_list(disk_format_name, "or");
	_cleanup_strv_ char **v = NULL;

	if (conf_get_strv(group, "formats", &v, d) <= 0)
		return;
	if (!v)
		conf_complain(at, d,
			      "formats: empty: name at least one, as in formats = [ "
			      "\"raw\" ];");
	for (size_t i = 0; v && v[i]; i++)
		if (!disk_format_find(v[i]))
			conf_complain(at, d, "formats: must be %s, not '%s'%s", names,
				      v[i], conf_value_note(v[i]));
	if (v) {
		strv_free(m->formats);
		m->formats = TAKE_PTR(v);
	}
}

static void recipe_media_parse_file(struct recipe_media *m, const struct conf_node *group,
				    const char *key, char **dst, struct diag *d)
{
	_cleanup_free_ char *path = NULL;

	if (recipe_get_text(group, key, &path, d) <= 0)
		return;
	free(*dst);
	*dst = recipe_beside(group, path);
	recipe_set_where(&m->file_where, conf_member(group, key));
}

void recipe_parse_media(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	struct recipe_media *m = &r->media;
	const struct conf_node *group = NULL;

	if (conf_get_group(root, "media", &group, d) <= 0)
		return;
	recipe_set_where(&m->where, group);
	(void)!conf_check_keys(group, recipe_media_keys, d);
	recipe_media_parse_sector_size(m, group, d);
	recipe_media_parse_slot_size(m, group, d);
	recipe_media_parse_cmdline(m, group, d);
	recipe_media_parse_formats(m, group, d);
	recipe_media_parse_file(m, group, "host", &m->host, d);
	recipe_media_parse_file(m, group, "rack", &m->rack, d);
}

void recipe_media_done(struct recipe *r)
{
	free(r->media.cmdline);
	strv_free(r->media.formats);
	free(r->media.host);
	free(r->media.rack);
	free(r->media.where);
	free(r->media.file_where);
}

/* --- who boots from it ------------------------------------------------------------- */

static void recipe_media_check_file(const char *path, bool rack, const char *at,
				    const struct recipe *r, struct diag *d)
{
	_cleanup_config_text_ struct config_text c = {.rack = rack};
	_cleanup_free_ char *where =
		at ? xasprintf("%s: %s", at, rack ? "rack" : "host") : NULL;

	if (config_text_load(&c, path, where, d) == 0)
		(void)!config_text_check(&c, &r->roles, &r->compiled, d);
}

void recipe_media_check(const struct recipe *r, bool by_option, struct diag *d)
{
	const struct recipe_media *m = &r->media;
	const char *where = by_option ? NULL : m->file_where;

	if (m->host && m->rack)
		diag_add(d,
			 "%s: host and rack: a medium is for one host or for a rack, "
			 "not for both (%s, %s)",
			 m->where ? m->where : r->file, m->host, m->rack);
	else if (m->host)
		recipe_media_check_file(m->host, false, where, r, d);
	else if (m->rack)
		recipe_media_check_file(m->rack, true, where, r, d);
}

void recipe_media_warn(const struct recipe *r)
{
	const struct recipe_media *m = &r->media;
	const char *path = m->host ? m->host : m->rack;
	_cleanup_config_text_ struct config_text c = {.rack = !m->host};
	_cleanup_free_ char *words = xasprintf("%s %s", r->cmdline ? r->cmdline : "",
					       m->cmdline ? m->cmdline : "");

	if (path && config_text_load(&c, path, NULL, NULL) == 0)
		config_text_warn_keys(&c, &r->roles, words);
}
