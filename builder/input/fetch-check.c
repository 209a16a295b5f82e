/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks size and digests. A file without a known digest is also checked for being the
 * right kind of file: a server that no longer has a file, and a network that requires a
 * login, answer "200 OK" with a web page.
 */
#include "builder/input/fetch-check.h"

#include "builder/common/progress.h"
#include "lib/str.h"

int fetch_check_size(const struct fetch_file *f, uint64_t size, const char *called,
		     struct err *e)
{
	uint64_t max = f->max_size ? f->max_size : FETCH_MAX;
	char limit[PROGRESS_SIZE_LEN];

	if (size <= max)
		return 0;
	return err_set(e, ERR_FAILED, "%s: has more than the limit of %s: refused%s%s%s",
		       called, progress_size(max, limit), f->raise ? " (" : "",
		       f->raise ? f->raise : "", f->raise ? " raises the limit)" : "");
}

static const char *const page_suffixes[] = {".html", ".htm", ".xhtml", ".xml", ".svg"};

static bool page_expected(const char *url)
{
	_cleanup_free_ char *path = xstrndup(url, strcspn(url, "?#"));

	for (size_t i = 0; i < ARRAY_SIZE(page_suffixes); i++)
		if (str_ends(path, page_suffixes[i]))
			return true;
	return false;
}

/* Returns "it has 812 bytes and is a web page (text/html, "<!DOCTYPE html>")". Owned by
 * the caller. */
static char *what_came(const struct part *p, const struct response *r)
{
	struct buf b = {0};

	buf_printf(&b, "it has %llu bytes", (unsigned long long)p->have);
	if (part_is_page(p)) {
		_cleanup_free_ char *line = part_first_line(p);

		buf_printf(&b, " and is a web page (%s%s\"%s\")",
			   r->content_type ? r->content_type : "",
			   r->content_type ? ", " : "", line);
	}
	return buf_take(&b);
}

static enum fetch_verdict wrong_digest(const struct fetch_file *f, const struct part *p,
				       const struct response *r, const char *called,
				       const char *got, struct err *e)
{
	_cleanup_free_ char *came = what_came(p, r);

	err_set(e, ERR_FAILED, "%s: %s is %s, expected %s (%s); %s", called,
		digest_name(f->digest_type), got, f->digest, f->expected_by, came);
	return r->framed || f->size > 0 ? FETCH_WRONG : FETCH_CUT;
}

static enum fetch_verdict wrong_size(const struct fetch_file *f, const struct part *p,
				     const struct response *r, const char *called,
				     struct err *e)
{
	_cleanup_free_ char *came = what_came(p, r);

	err_set(e, ERR_FAILED, "%s: must have %llu bytes (%s), but %s", called,
		(unsigned long long)f->size, f->expected_by, came);
	return p->have < f->size && !r->framed ? FETCH_CUT : FETCH_WRONG;
}

static enum fetch_verdict check_weak(const struct fetch_file *f, struct part *p,
				     const struct response *r, const char *called,
				     struct err *e)
{
	_cleanup_free_ char *came = NULL;
	char got[DIGEST_HEX_MAX];
	int n = part_digest(p, f->weak_type, got);

	if (n < 0) {
		err_errno(e, n, "%s: cannot be read again", called);
		return FETCH_WRONG;
	}
	if (streq(got, f->weak))
		return FETCH_GOOD;
	came = what_came(p, r);
	err_set(e, ERR_FAILED, "%s: %s is %s, expected %s (%s); %s", called,
		digest_name(f->weak_type), got, f->weak, f->weak_by, came);
	return FETCH_WRONG;
}

/* Checks a file without a known digest: it must look like a complete file. */
static enum fetch_verdict check_unknown(const struct fetch_file *f, const struct part *p,
					const struct response *r, const char *called,
					struct err *e)
{
	_cleanup_free_ char *came = NULL;

	if (part_is_page(p) && !page_expected(f->url)) {
		came = what_came(p, r);
		err_set(e, ERR_FAILED, "%s: a file was expected, but %s", called, came);
		return FETCH_WRONG;
	}
	if (p->have == 0 && f->size == 0) {
		err_set(e, ERR_FAILED, "%s: is empty", called);
		return FETCH_WRONG;
	}
	if (r->framed || f->size > 0)
		return FETCH_GOOD;
	err_set(e, ERR_FAILED,
		"%s: the server does not give its length, so a part of it could not be "
		"told from the whole: give it a digest in the recipe",
		called);
	return FETCH_WRONG;
}

enum fetch_verdict fetch_check(struct fetch_file *f, struct part *p,
			       const struct response *r, const char *called,
			       struct err *e)
{
	enum fetch_verdict v = FETCH_GOOD;
	char sha256[DIGEST_HEX_MAX], sha512[DIGEST_HEX_MAX];
	const char *got = f->digest_type == DIGEST_SHA512 ? sha512 : sha256;

	/* A server may send less of the rest than was requested. */
	if (p->have < r->range_total && p->have != f->size) {
		err_set(e, ERR_FAILED, "%s: ended at byte %llu of %llu", called,
			(unsigned long long)p->have, (unsigned long long)r->range_total);
		return FETCH_CUT;
	}
	part_digests(p, sha256, sha512);
	if (f->size > 0 && f->size != p->have)
		return wrong_size(f, p, r, called, e);
	if (f->digest && !streq(got, f->digest))
		return wrong_digest(f, p, r, called, got, e);
	if (f->weak)
		v = check_weak(f, p, r, called, e);
	if (v == FETCH_GOOD && !f->digest)
		v = check_unknown(f, p, r, called, e);
	if (v != FETCH_GOOD)
		return v;
	f->got = p->have;
	memcpy(f->sha256, sha256, sizeof(sha256));
	memcpy(f->sha512, sha512, sizeof(sha512));
	return FETCH_GOOD;
}
