/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers that the readers of all sections of a recipe share. */
#include "builder/recipe/recipe-parse.h"

#include "firstboot/model/conf-note.h"
#include "lib/str.h"

#include <ctype.h>
#include <sys/stat.h>

char *recipe_node_where(const struct conf_node *n)
{
	return xasprintf("%s:%u", conf_file(n), conf_line(n));
}

void recipe_set_where(recipe_where *dst, const struct conf_node *n)
{
	free(*dst);
	*dst = recipe_node_where(n);
}

char *recipe_beside(const struct conf_node *n, const char *path)
{
	const char *file = conf_file(n), *slash = strrchr(file, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

void recipe_check_file(const struct conf_node *n, const char *prefix, const char *path,
		       struct diag *d)
{
	struct stat st;

	if (stat(path, &st) < 0)
		conf_complain_unread(n, d, "%s: %s: %s", prefix, path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_complain_unread(n, d, "%s: %s: not a file", prefix, path);
	else if (access(path, R_OK) < 0)
		conf_complain_unread(n, d, "%s: %s: %s", prefix, path, strerror(errno));
}

int recipe_get_text(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d)
{
	const char *s = NULL;
	int r = conf_get_str(n, key, &s, d);

	if (r <= 0)
		return r;
	if (!*s)
		return conf_complain(conf_member(n, key), d, "%s: empty", key);
	if (s[strcspn(s, "\n\r")])
		return conf_complain(conf_member(n, key), d, "%s: must be one line", key);
	free(*dst);
	*dst = xstrdup(s);
	return 1;
}

bool recipe_is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return true;
}

int recipe_get_word(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d)
{
	const char *s = NULL;
	int r = conf_get_str(n, key, &s, d);

	if (r <= 0)
		return r;
	if (!recipe_is_word(s))
		return conf_complain(conf_member(n, key), d,
				     "%s: must be one word of printable characters, not "
				     "'%s'%s",
				     key, s, conf_value_note(s));
	free(*dst);
	*dst = xstrdup(s);
	return 1;
}

void recipe_complain_unit(const struct conf_node *n, const char *prefix, const char *name,
			  struct diag *d)
{
	_cleanup_free_ char *service = xasprintf("%s.service", name), *hint = NULL;

	hint = str_hint(!strchr(name, '.') && recipe_is_unit(service) ? service : NULL);
	conf_complain(n, d, "%s'%s' is not the name of a unit%s", prefix, name, hint);
}

int recipe_get_words(const struct conf_node *n, const char *key, char ***dst,
		     struct diag *d)
{
	int r = conf_get_strv(n, key, dst, d);

	if (r <= 0)
		return r;
	for (size_t i = 0; *dst && (*dst)[i]; i++)
		if (!recipe_is_word((*dst)[i]))
			r = conf_complain(
				conf_member(n, key), d,
				"%s: must be words of printable characters, not "
				"'%s'%s",
				key, (*dst)[i], conf_value_note((*dst)[i]));
	return r;
}

static bool has_dotdot(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");

	return strv_has(parts, "..");
}

/* Returns an absolute path without empty parts and ".". Owned by the caller. */
static char *plain_target(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");
	_cleanup_strv_builder_ struct strv_builder kept = {0};
	_cleanup_free_ char *joined = NULL;

	for (size_t i = 0; parts && parts[i]; i++)
		if (*parts[i] && !streq(parts[i], "."))
			strv_builder_add(&kept, parts[i]);
	joined = strv_join(kept.v, "/");
	return xasprintf("/%s", joined ? joined : "");
}

int recipe_get_target(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d)
{
	_cleanup_free_ char *plain = NULL;
	const char *s = NULL;
	int r = conf_get_str(n, key, &s, d);

	if (r <= 0)
		return r;
	if (s[0] != '/' || !s[strspn(s, "/.")] || has_dotdot(s) || str_ends(s, "/") ||
	    s[strcspn(s, "\n\r")])
		return conf_complain(conf_member(n, key), d,
				     "%s: must be an absolute path in the image without "
				     "'..' or a slash at its end, not '%s'%s",
				     key, s, conf_value_note(s));
	plain = plain_target(s);
	if (!streq(plain, s))
		return conf_complain(conf_member(n, key), d,
				     "%s: must be without '//' and '/./', as in \"%s\", "
				     "not '%s'",
				     key, plain, s);
	free(*dst);
	*dst = TAKE_PTR(plain);
	return 1;
}

int recipe_get_mode(const struct conf_node *n, const char *key, unsigned *dst,
		    struct diag *d)
{
	const struct conf_node *m = conf_member(n, key);
	const char *s = NULL;
	unsigned mode;
	int r;

	if (m && conf_type(m) == CONF_INT) /* a number would be decimal */
		return conf_complain(m, d, "%s: must be a string, as in \"0755\"", key);
	r = conf_get_str(n, key, &s, d);
	if (r <= 0)
		return r;
	if (str_to_mode(s, &mode) < 0)
		return conf_complain(conf_member(n, key), d,
				     "%s: must be octal, as in \"0755\", not '%s'%s", key,
				     s, conf_value_note(s));
	if (mode & (S_ISUID | S_ISGID))
		return conf_complain(conf_member(n, key), d,
				     "%s: %s is setuid or setgid; an image gets no such "
				     "files from a recipe",
				     key, s);
	if ((mode & S_IWOTH) && !(mode & S_ISVTX))
		return conf_complain(conf_member(n, key), d,
				     "%s: %s is writable by everybody; %04o would not be",
				     key, s, mode & ~(unsigned)S_IWOTH);
	*dst = mode;
	return 1;
}

int recipe_get_size(const struct conf_node *n, const char *key, uint64_t *dst,
		    struct diag *d)
{
	_cleanup_free_ char *s = NULL;
	uint64_t size = 0;
	int r = recipe_get_word(n, key, &s, d);

	if (r <= 0)
		return r;
	if (str_to_size(s, &size) < 0 || size == 0)
		return conf_complain(conf_member(n, key), d,
				     "%s: must be a size, as in %s = \"2G\";, not '%s'",
				     key, key, s);
	*dst = size;
	return 1;
}

bool recipe_is_unit(const char *s)
{
	static const char *const suffixes[] = {
		".service", ".socket", ".target",    ".timer", ".path",
		".mount",   ".slice",  ".automount", ".swap",
	};
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789:-_.\\@";

	if (s[strspn(s, ok)] || s[0] == '.' || strlen(s) > 255)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (str_ends(s, suffixes[i]) && strlen(s) > strlen(suffixes[i]))
			return true;
	return false;
}
