/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iPXE expands ${...} and ends a command at "||", "&&", ";" and "#"; GRUB expands $ and
 * has the quotes of a shell; pxelinux and the kernel have double quotes only. Words may
 * therefore be printable ASCII without $ ' ` and backslash, and may not be one of iPXE's
 * operators.
 *
 * GRUB puts a word that contains a blank into double quotes itself and escapes double
 * quotes in it, so cmdline_for_grub() removes them.
 *
 * Limit: iPXE splits at blanks inside double quotes too and joins with one space, so
 * several blanks in a row inside quotes become one. The words for all loaders are
 * normalised like that, so that all kernels get the same words.
 */
#include "pxe/kernel-cmdline.h"

#include "firstboot/model/cmdline-word.h"
#include "firstboot/model/words.h"

static bool is_ipxe_operator(const char *w)
{
	return w[0] == '#' || streq(w, "||") || streq(w, "&&") || streq(w, ";");
}

const char *cmdline_wrong(const char *words)
{
	_cleanup_strv_ char **v = NULL;

	for (const char *s = words; *s; s++) {
		if (*s == '$')
			return "must not hold '$'";
		if (*s == '\'' || *s == '`' || *s == '\\')
			return "must not hold a single quote, a backquote or a "
			       "backslash";
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			return "must be printable ASCII";
	}
	v = strv_split(words, " ");
	for (size_t i = 0; v && v[i]; i++)
		if (is_ipxe_operator(v[i]))
			return "must not hold a word '||', '&&' or ';' or one that "
			       "begins with '#'";
	return NULL;
}

void cmdline_check_keys(const char *words, const struct conf_node *n, struct diag *d)
{
	_cleanup_diag_ struct diag found = {0};
	_cleanup_host_ struct host h = {0};

	host_init(&h);
	for (const char *p = words;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			break;
		key = cmdline_key(&w);
		if (key && !cmdline_key_is_other(key))
			(void)!host_set(&h, key, w.value, "cmdline", 0, &found);
	}
	for (size_t i = 0; i < found.n; i++)
		conf_complain(n, d, "%s", found.lines[i]);
}

const char *cmdline_rack_wrong(const char *words)
{
	for (const char *p = words;;) {
		_cleanup_word_ struct cmdline_word w = {0};
		_cleanup_free_ char *key = NULL;

		if (!cmdline_next(&p, &w))
			return cmdline_wrong(words);
		key = cmdline_key(&w);
		if (key && !cmdline_key_is_other(key))
			return "must not hold a word 'rackstrap.KEY' for a key of the "
			       "host: write the key in the host's group";
		if (key && streq(key, "config") && (!w.value || word_url_wrong(w.value)))
			return "rackstrap.config must be a URL like "
			       "\"http://172.25.0.1/host.cfg\"";
	}
}

static void add_words(char ***v, const char *words)
{
	_cleanup_strv_ char **more = words ? strv_split(words, " ") : NULL;

	strv_extend(v, more);
}

int cmdline_build(const struct rack_host *h, const struct image *image, char **ret,
		  struct err *e)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_strv_ char **v = NULL;
	const char *wrong;

	add_words(&v, image->cmdline);
	strv_add(&v, "boot=rackstrap");
	if (h->host.console)
		strv_addf(&v, "console=%s", h->host.console);
	strv_addf(&v, "rackstrap.root_sha256=%s", image->root_sha256);
	if (h->state_disk)
		strv_addf(&v, "rackstrap.state=%s", h->state_disk);
	add_words(&v, h->cmdline);

	line = strv_join(v, " ");
	wrong = cmdline_wrong(line);
	if (wrong)
		return err_set(e, ERR_CONFIG, "host '%s': kernel command line: %s: %s",
			       h->host.name, wrong, line);
	if (strlen(line) > CMDLINE_MAX)
		return err_set(e, ERR_CONFIG,
			       "host '%s': kernel command line: %zu characters are too "
			       "long (at most %d)",
			       h->host.name, strlen(line), CMDLINE_MAX);
	*ret = TAKE_PTR(line);
	return 0;
}

char *cmdline_for_grub(const char *words)
{
	_cleanup_buf_ struct buf b = {0};
	bool quoted = false, within = false;

	for (const char *s = words; *s; s++) {
		if (*s == ' ' && !quoted) {
			buf_puts(&b, within ? "' " : "");
			within = false;
			continue;
		}
		buf_puts(&b, within ? "" : "'");
		within = true;
		if (*s == '"')
			quoted = !quoted;
		else
			buf_add(&b, s, 1);
	}
	buf_puts(&b, within ? "'" : "");
	return buf_take(&b);
}
