/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values for people and programs. Every value is first a list of texts, so that both
 * forms agree on what is hidden.
 */
#include "firstboot/model/host-value.h"
#include "lib/json.h"
#include "lib/url.h"

#define HIDDEN "(secret)"

/* Returns the texts of a value, without libconfig's quotes; NULL when there is none.
 * Owned. */
static char **value_texts(const struct host *h, const struct host_key *k)
{
	const void *at = (const char *)h + k->offset;
	const struct cidrv *cidrs = at;
	struct strv_builder texts = {0};
	_cleanup_buf_ struct buf b = {0};
	char text[NET_CIDR_LEN];
	size_t len;

	switch (k->type) {
	case HOST_T_STR:
		return *(char *const *)at
			       ? strv_dup((char *const[]){*(char *const *)at, NULL})
			       : NULL;
	case HOST_T_STRV:
		return strv_dup(*(char *const *const *)at);
	case HOST_T_CIDRV:
		for (size_t i = 0; i < cidrs->n; i++)
			strv_builder_add(&texts, net_format_cidr(cidrs->v[i], text));
		break;
	default:
		/* None of these has a quote or a backslash in it. */
		host_value_format(h, k, &b);
		len = b.len;
		if (len >= 2 && b.p[0] == '"')
			strv_builder_addf(&texts, "%.*s", (int)len - 2, b.p + 1);
		else if (len > 0)
			strv_builder_add(&texts, b.p);
		break;
	}
	return strv_builder_take(&texts);
}

/* Hides secrets in the texts. */
static void hide(char **texts, enum host_key_id id)
{
	for (size_t i = 0; texts && texts[i]; i++) {
		if (host_key_is_secret(id)) {
			free(texts[i]);
			texts[i] = xstrdup(HIDDEN);
		} else if (id == HOST_REPORT) {
			url_strip_secrets(texts[i]);
		} else {
			url_strip_userinfo(texts[i]);
		}
	}
}

/* Returns true for a string that cannot be taken for anything else. */
static bool is_plain(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && s[0] != '(' && s[0] != ' ' && s[len - 1] != ' ' &&
	       !strpbrk(s, ",\"\\");
}

char *host_show(const struct host *h, enum host_key_id id)
{
	const struct host_key *k = host_key(id);
	_cleanup_strv_ char **texts = value_texts(h, k);
	bool hidden = host_key_is_secret(id);
	struct buf b = {0};

	hide(texts, id);
	for (size_t i = 0; texts && texts[i]; i++) {
		buf_puts(&b, i ? ", " : "");
		if (hidden || is_plain(texts[i]))
			buf_puts(&b, texts[i]);
		else
			conf_quote(&b, texts[i]);
	}
	return buf_take(&b);
}

void host_json(const struct host *h, enum host_key_id id, struct json *j)
{
	const struct host_key *k = host_key(id);
	const void *at = (const char *)h + k->offset;
	_cleanup_strv_ char **texts = value_texts(h, k);

	hide(texts, id);
	switch (k->type) {
	case HOST_T_BOOL:
		if (texts)
			json_bool(j, k->name, *(const bool *)at);
		else
			json_str(j, k->name, NULL);
		break;
	case HOST_T_U32:
	case HOST_T_AS:
		if (texts)
			json_u64(j, k->name, *(const uint32_t *)at);
		else
			json_str(j, k->name, NULL);
		break;
	case HOST_T_STRV:
	case HOST_T_CIDRV:
		json_strv(j, k->name, texts);
		break;
	default:
		json_str(j, k->name, texts ? texts[0] : NULL);
		break;
	}
}
