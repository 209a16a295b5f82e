/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists in test/data have one line for each flag: its name and the type of its value.
 * They are searched as text. A type that contains '|' is the list of the allowed values.
 * Not implemented: pflag's one-letter flags; these programs have none but -h.
 */
#include "test/standin/common/flags.h"

#include "lib/net.h"

#include <ctype.h>
#include <math.h>

#define NAME_MAX_LEN 64
#define TYPE_MAX_LEN 64

static char same_char(enum flags_style style, char c)
{
	return style == FLAGS_PFLAG && c == '_' ? '-' : c;
}

static bool same_name(enum flags_style style, const char *list_name, size_t list_len,
		      const char *name, size_t len)
{
	if (list_len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (same_char(style, name[i]) != list_name[i])
			return false;
	return true;
}

/* Finds a flag in the list: sets its name as written there, and its type. */
static bool list_find(const struct flags *f, const char *name, size_t len,
		      char ret_name[static NAME_MAX_LEN],
		      char ret_type[static TYPE_MAX_LEN])
{
	for (const char *line = f->list; *line;) {
		size_t line_len = strcspn(line, "\n");
		size_t name_len = strcspn(line, " \n");

		if (line_len > 2 && line[0] == '-' && name_len < line_len &&
		    same_name(f->style, line + 2, name_len - 2, name, len)) {
			snprintf(ret_name, NAME_MAX_LEN, "%.*s", (int)name_len - 2,
				 line + 2);
			snprintf(ret_type, TYPE_MAX_LEN, "%.*s",
				 (int)(line_len - name_len) - 1, line + name_len + 1);
			return true;
		}
		line += line_len + (line[line_len] != '\0');
	}
	return false;
}

/* --- values ------------------------------------------------------------------------ */

static bool is_bool(const char *s)
{
	static const char *const words[] = {"1", "t", "T", "true",  "TRUE",  "True",
					    "0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(s, words[i]))
			return true;
	return false;
}

static char *check_bool(const char *s)
{
	return is_bool(s) ? NULL
			  : xasprintf("strconv.ParseBool: parsing \"%s\": invalid syntax",
				      s);
}

/* Checks a value of --version: a boolean or "raw", the second form that Kubernetes
 * has. */
static char *check_version(const char *s)
{
	return streq(s, "raw") ? NULL : check_bool(s);
}

static char *check_number(const char *s, bool sign, const char *what)
{
	uint64_t n;
	const char *digits = sign && (*s == '-' || *s == '+') ? s + 1 : s;
	const char *why = "invalid syntax";

	switch (str_to_u64(digits, sign ? INT64_MAX : UINT64_MAX, &n)) {
	case 0:
		return NULL;
	case -ERANGE:
		why = "value out of range";
	}
	return xasprintf("strconv.%s: parsing \"%s\": %s", what, s, why);
}

static char *check_int(const char *s)
{
	return check_number(s, true, "ParseInt");
}

static char *check_uint(const char *s)
{
	return check_number(s, false, "ParseUint");
}

static char *check_float(const char *s)
{
	char *end;

	strtod(s, &end);
	if (*s && !isspace((unsigned char)*s) && !*end)
		return NULL;
	return xasprintf("strconv.ParseFloat: parsing \"%s\": invalid syntax", s);
}

static char *check_duration(const char *s)
{
	uint64_t ms;

	return duration_parse(s, &ms) < 0 ? xasprintf("time: invalid duration %s", s)
					  : NULL;
}

static bool is_ip(const char *s)
{
	uint32_t addr;

	/* IPv6 is checked only by its set of characters: none of our units uses it. */
	return net_parse_addr(s, &addr) == 0 ||
	       (strchr(s, ':') && s[strspn(s, "0123456789abcdefABCDEF:.")] == '\0');
}

static char *check_ip(const char *s)
{
	return is_ip(s) ? NULL : xasprintf("failed to parse IP: \"%s\"", s);
}

static char *check_cidr(const char *s)
{
	struct cidr c;

	return net_parse_cidr(s, &c) < 0 ? xasprintf("invalid CIDR address: %s", s)
					 : NULL;
}

/* Checks a value of etcd's type IPAddressPort, which accepts no host name. */
static char *check_ip_port(const char *s)
{
	_cleanup_free_ char *ip = xstrndup(s, strcspn(s, ":"));
	const char *port = strchr(s, ':');

	if (!port)
		return xstrdup("bad format in address specification");
	if (!is_ip(ip))
		return xstrdup("bad IP in address specification");
	return check_number(port + 1, true, "ParseInt");
}

static char *check_url(const char *url)
{
	const char *host = str_after(url, "http://");
	const char *path;

	if (!host)
		host = str_after(url, "https://");
	if (!host)
		return xasprintf("URL scheme must be http or https: %s", url);
	path = strchr(host, '/');
	if (path && path[1])
		return xasprintf("URL must not contain a path: %s", url);
	if (!strchr(host, ':'))
		return xasprintf("URL address does not have the form \"host:port\": %s",
				 url);
	return NULL;
}

static char *check_urls(const char *s)
{
	_cleanup_strv_ char **urls = strv_split(s, ",");
	char *why = NULL;

	for (size_t i = 0; i < strv_len(urls) && !why; i++)
		why = check_url(urls[i]);
	return why;
}

static char *check_one_of(const char *allowed, const char *s)
{
	_cleanup_strv_ char **words = strv_split(allowed, "|");

	return strv_has(words, s) ? NULL : xstrdup("invalid value");
}

static const struct {
	const char *type;
	char *(*check)(const char *s);
} types[] = {
	{"bool", check_bool}, {"version", check_version}, {"int", check_int},
	{"uint", check_uint}, {"float", check_float},     {"duration", check_duration},
	{"ip", check_ip},     {"cidr", check_cidr},       {"ip:port", check_ip_port},
	{"urls", check_urls},
};

static char *check_value(const char *type, const char *s)
{
	if (strchr(type, '|'))
		return check_one_of(type, s);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].type, type))
			return types[i].check(s);
	return NULL;
}

int duration_parse(const char *s, uint64_t *ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = {{"ms", 1},  {"us", 1e-3}, {"ns", 1e-6},
		     {"s", 1e3}, {"m", 6e4},   {"h", 3.6e6}};
	double total = 0;
	bool negative = *s == '-';

	if (*s == '-' || *s == '+')
		s++;
	if (streq(s, "0")) {
		*ms = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		size_t u;
		char *end;
		double n;

		if (!isdigit((unsigned char)*s) && *s != '.')
			return -EINVAL;
		n = strtod(s, &end);
		for (u = 0; u < ARRAY_SIZE(units); u++)
			if (str_after(end, units[u].name))
				break;
		if (end == s || u == ARRAY_SIZE(units))
			return -EINVAL;
		total += n * units[u].ms;
		s = str_after(end, units[u].name);
	}
	if (!isfinite(total) || total > 1e15)
		return -EINVAL;
	*ms = negative ? 0 : (uint64_t)total;
	return 0;
}

/* --- the command line -------------------------------------------------------------- */

static void flags_set(struct flags *f, const char *name, const char *value)
{
	f->v = xrealloc(f->v, (f->n + 1) * sizeof(*f->v));
	f->v[f->n++] = (struct flag){.name = xstrdup(name), .value = xstrdup(value)};
}

static int complain_value(const struct flags *f, const char *arg, const char *name,
			  const char *type, const char *value, const char *why,
			  char **complaint)
{
	if (f->style == FLAGS_PFLAG)
		*complaint =
			xasprintf("invalid argument \"%s\" for %s: %s", value, arg, why);
	else if (streq(type, "bool"))
		*complaint = xasprintf("invalid boolean value \"%s\" for -%s: %s", value,
				       name, why);
	else
		*complaint = xasprintf("invalid value \"%s\" for flag -%s: %s", value,
				       name, why);
	return -1;
}

static const char *dashes(const struct flags *f)
{
	return f->style == FLAGS_PFLAG ? "--" : "-";
}

/* Parses one flag, argv[*i]; its value may be argv[*i + 1]. `body` is the text after the
 * dashes. */
static int parse_one(struct flags *f, int argc, char **argv, int *i, const char *body,
		     char **complaint)
{
	char name[NAME_MAX_LEN], type[TYPE_MAX_LEN];
	const char *arg = argv[*i];
	size_t len = strcspn(body, "=");
	const char *value = body[len] == '=' ? body + len + 1 : NULL;
	_cleanup_free_ char *why = NULL;

	if (len == 0 || *body == '-') {
		*complaint = xasprintf("bad flag syntax: %s", arg);
		return -1;
	}
	if (!list_find(f, body, len, name, type)) {
		if ((len == 4 && strncmp(body, "help", 4) == 0) ||
		    (len == 1 && *body == 'h' && f->style == FLAGS_GO))
			return 1;
		*complaint = f->style == FLAGS_PFLAG
				     ? xasprintf("unknown flag: --%.*s", (int)len, body)
				     : xasprintf("flag provided but not defined: -%.*s",
						 (int)len, body);
		return -1;
	}
	if (!value && (streq(type, "bool") || streq(type, "version")))
		value = "true";
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value) {
		*complaint = xasprintf("flag needs an argument: %s%s", dashes(f), name);
		return -1;
	}
	why = check_value(type, value);
	if (why)
		return complain_value(f, arg, name, type, value, why, complaint);
	flags_set(f, name, value);
	return 0;
}

int flags_parse(struct flags *f, int argc, char **argv, char **complaint)
{
	int i, r = 0;

	for (i = 1; i < argc && r == 0; i++) {
		const char *arg = argv[i];

		if (arg[0] != '-' || !arg[1]) {
			if (f->style == FLAGS_GO)
				break;
			strv_add(&f->args, arg);
		} else if (streq(arg, "--")) {
			i++;
			break;
		} else if (arg[1] == '-') {
			r = parse_one(f, argc, argv, &i, arg + 2, complaint);
		} else if (f->style == FLAGS_GO) {
			r = parse_one(f, argc, argv, &i, arg + 1, complaint);
		} else if (arg[1] == 'h') {
			return 1;
		} else {
			*complaint = xasprintf("unknown shorthand flag: '%c' in %s",
					       arg[1], arg);
			return -1;
		}
	}
	for (; i < argc && r == 0; i++)
		strv_add(&f->args, argv[i]);
	return r;
}

void flags_done(struct flags *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].value);
	}
	free(f->v);
	strv_free(f->args);
	f->v = NULL;
	f->n = 0;
	f->args = NULL;
}

char *flags_usage(const struct flags *f)
{
	_cleanup_buf_ struct buf b = {0};

	for (const char *line = f->list; *line;) {
		size_t len = strcspn(line, "\n");

		if (line[0] == '-')
			buf_printf(&b, "  %.*s\n", (int)len, line);
		line += len + (line[len] != '\0');
	}
	return buf_take(&b);
}

const char *flags_str(const struct flags *f, const char *name, const char *fallback)
{
	for (size_t i = f->n; i-- > 0;)
		if (streq(f->v[i].name, name))
			return f->v[i].value;
	return fallback;
}

bool flags_bool(const struct flags *f, const char *name, bool fallback)
{
	const char *s = flags_str(f, name, NULL);

	return s ? strchr("1tT", *s) != NULL : fallback;
}

uint64_t flags_u64(const struct flags *f, const char *name, uint64_t fallback)
{
	const char *s = flags_str(f, name, NULL);
	uint64_t n;

	return s && str_to_u64(s, UINT64_MAX, &n) == 0 ? n : fallback;
}

uint64_t flags_ms(const struct flags *f, const char *name, uint64_t fallback)
{
	const char *s = flags_str(f, name, NULL);
	uint64_t ms;

	return s && duration_parse(s, &ms) == 0 ? ms : fallback;
}
