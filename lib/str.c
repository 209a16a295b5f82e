/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes are checked before they are added or multiplied; a size that overflows aborts the
 * program as running out of memory does.
 */
#include "lib/str.h"

#include <stdarg.h>

static _noreturn_ void no_memory(void)
{
	static const char msg[] = "out of memory\n";
	ssize_t n = write(STDERR_FILENO, msg, sizeof(msg) - 1);

	(void)n;
	abort();
}

const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && streq(s + n - m, suffix);
}

char *str_trimmed(const char *s, const char *blanks)
{
	size_t len;

	s += strspn(s, blanks);
	len = strlen(s);
	while (len > 0 && strchr(blanks, s[len - 1]))
		len--;
	return len > 0 ? xstrndup(s, len) : NULL;
}

bool mem_is_zero(const void *p, size_t len)
{
	const char *s = p;

	return len == 0 || (s[0] == 0 && memcmp(s, s + 1, len - 1) == 0);
}

void *xmalloc(size_t n)
{
	void *p = malloc(n > 0 ? n : 1);

	if (!p)
		no_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size > 0 ? size : 1);

	if (!p)
		no_memory();
	return p;
}

void *xrealloc(void *p, size_t n)
{
	p = realloc(p, n > 0 ? n : 1);
	if (!p)
		no_memory();
	return p;
}

void *xgrow(void *p, size_t n, size_t size)
{
	size_t cap, bytes;

	if ((n & (n - 1)) != 0)
		return p;
	if (__builtin_mul_overflow(n > 0 ? n : 1, 2, &cap) ||
	    __builtin_mul_overflow(cap, size, &bytes))
		no_memory();
	return xrealloc(p, bytes);
}

void *xgrow_to(void *p, size_t n, size_t size)
{
	size_t cap = 2;

	while (cap < n)
		if (__builtin_mul_overflow(cap, 2, &cap))
			no_memory();
	if (__builtin_mul_overflow(cap, size, &cap))
		no_memory();
	return xrealloc(p, cap);
}

char *xstrdup(const char *s)
{
	return s ? xstrndup(s, strlen(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

static _printf_(1, 0) char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		no_memory();
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

static void buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;

	if (__builtin_add_overflow(b->len, more, &need) ||
	    __builtin_add_overflow(need, 1, &need))
		no_memory();
	if (need <= b->cap)
		return;
	if (__builtin_mul_overflow(b->cap, 2, &cap) || cap < need)
		cap = need < 64 ? 64 : need;
	b->p = xrealloc(b->p, cap);
	b->cap = cap;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	buf_reserve(b, len);
	memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		no_memory();
	buf_reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

char *buf_take(struct buf *b)
{
	char *p = b->p ? b->p : xstrdup("");

	*b = (struct buf){0};
	return p;
}

void buf_done(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* Takes ownership of `s`. */
static void strv_push(char ***v, char *s)
{
	size_t n = strv_len(*v);

	*v = xrealloc(*v, (n + 2) * sizeof(**v));
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
}

void strv_add(char ***v, const char *s)
{
	strv_push(v, xstrdup(s));
}

void strv_addf(char ***v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strv_push(v, xvasprintf(fmt, ap));
	va_end(ap);
}

void strv_extend(char ***v, char *const *more)
{
	size_t n = strv_len(*v), m = strv_len(more);

	if (m == 0)
		return;
	*v = xrealloc(*v, (n + m + 1) * sizeof(**v));
	for (size_t i = 0; i < m; i++)
		(*v)[n + i] = xstrdup(more[i]);
	(*v)[n + m] = NULL;
}

bool strv_has(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (streq(*v, s))
			return true;
	return false;
}

bool strv_equal(char *const *a, char *const *b)
{
	size_t n = strv_len(a);

	if (n != strv_len(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!streq(a[i], b[i]))
			return false;
	return true;
}

char **strv_dup(char *const *v)
{
	char **copy = NULL;

	strv_extend(&copy, v);
	return copy;
}

/* Takes ownership of `s`. */
static void strv_builder_push(struct strv_builder *b, char *s)
{
	if (b->cap - b->n < 2) {
		size_t cap = b->cap > 0 ? b->cap : 4, size;

		if (__builtin_mul_overflow(cap, 2, &cap) ||
		    __builtin_mul_overflow(cap, sizeof(*b->v), &size))
			no_memory();
		b->v = xrealloc(b->v, size);
		b->cap = cap;
	}
	b->v[b->n++] = s;
	b->v[b->n] = NULL;
}

void strv_builder_add(struct strv_builder *b, const char *s)
{
	strv_builder_push(b, xstrdup(s));
}

void strv_builder_addf(struct strv_builder *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strv_builder_push(b, xvasprintf(fmt, ap));
	va_end(ap);
}

char **strv_builder_take(struct strv_builder *b)
{
	char **v = b->v;

	*b = (struct strv_builder){0};
	return v;
}

void strv_builder_done(struct strv_builder *b)
{
	strv_free(b->v);
	*b = (struct strv_builder){0};
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(char **v)
{
	if (v)
		qsort(v, strv_len(v), sizeof(*v), by_text);
}

char **strv_split(const char *s, const char *separators)
{
	struct strv_builder b = {0};

	for (s += strspn(s, separators); *s; s += strspn(s, separators)) {
		size_t n = strcspn(s, separators);

		strv_builder_push(&b, xstrndup(s, n));
		s += n;
	}
	return strv_builder_take(&b);
}

char *strv_join(char *const *v, const char *separator)
{
	struct buf b = {0};

	for (size_t i = 0; v && v[i]; i++) {
		if (i > 0)
			buf_puts(&b, separator);
		buf_puts(&b, v[i]);
	}
	return buf_take(&b);
}

char *str_list(const char *(*word)(size_t i), const char *conjunction)
{
	struct buf b = {0};

	for (size_t i = 0; word(i); i++) {
		if (i > 0 && word(i + 1))
			buf_puts(&b, ", ");
		else if (i > 0)
			buf_printf(&b, " %s ", conjunction);
		buf_puts(&b, word(i));
	}
	return buf_take(&b);
}

void strv_free(char **v)
{
	for (size_t i = 0; v && v[i]; i++)
		free(v[i]);
	free(v);
}

void strv_done(char ***v)
{
	strv_free(*v);
	*v = NULL;
}

/* Parses the number that the first `n` characters of `s` form. Returns 0, -EINVAL when
 * one of them is no digit, or -ERANGE. */
static int parse_digits(const char *s, size_t n, unsigned base, uint64_t max,
			uint64_t *ret)
{
	uint64_t value = 0;
	bool over = false;

	if (n == 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		unsigned digit = (unsigned)(uint8_t)s[i] - '0';

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			over = true;
	}
	if (over || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int str_to_u64(const char *s, uint64_t max, uint64_t *ret)
{
	return parse_digits(s, strlen(s), 10, max, ret);
}

int str_to_size(const char *s, uint64_t *ret)
{
	static const char suffixes[] = "KMGT";
	size_t n = strlen(s);
	unsigned shift = 0;
	uint64_t value;
	int r;

	if (n > 0) {
		const char *suffix = strchr(suffixes, s[n - 1]);

		if (suffix) {
			shift = 10 * ((unsigned)(suffix - suffixes) + 1);
			n--;
		}
	}
	r = parse_digits(s, n, 10, UINT64_MAX >> shift, &value);
	if (r < 0)
		return r;
	*ret = value << shift;
	return 0;
}

int str_to_mode(const char *s, unsigned *ret)
{
	size_t n = strlen(s);
	uint64_t value;
	int r;

	if (n > 4)
		return -EINVAL;
	r = parse_digits(s, n, 8, 07777, &value);
	if (r < 0)
		return r;
	*ret = (unsigned)value;
	return 0;
}

#define WORD_MAX 64 /* longer words are not compared; bounds the table */

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Returns the edit distance in which swapping two neighbours counts once (optimal string
 * alignment). Three rows of the table are kept, because a swap needs the last but one.
 */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *prev = rows[1], *cur = rows[2];

	for (size_t j = 0; j <= m; j++)
		prev[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *spare = before;

		cur[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t d = prev[j - 1] + (a[i - 1] != b[j - 1]);

			d = min_size(d, min_size(prev[j], cur[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d = min_size(d, before[j - 2] + 1);
			cur[j] = d;
		}
		before = prev;
		prev = cur;
		cur = spare;
	}
	return prev[m];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns true for two texts that have other numbers in the same places. Zeros before a
 * number make no other one. */
static bool same_but_numbers(const char *a, const char *b)
{
	bool differ = false;

	while (*a || *b) {
		if (is_digit(*a) && is_digit(*b)) {
			size_t m = strspn(a += strspn(a, "0"), "0123456789");
			size_t n = strspn(b += strspn(b, "0"), "0123456789");

			differ = differ || m != n || memcmp(a, b, m) != 0;
			a += m;
			b += n;
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return differ;
}

static const char *nearest(const char *s, const char *const *words, bool numbered)
{
	const char *best = NULL;
	size_t best_d = SIZE_MAX, n = strlen(s);

	if (n > WORD_MAX)
		return NULL;
	for (size_t i = 0; words && words[i] && i < STR_NEAREST_MAX; i++) {
		size_t m = strlen(words[i]), longer = n > m ? n : m, d;
		/* A third of the letters, and at least one, may differ, but not all. */
		size_t most = longer < 3 ? 1 : longer / 3;

		if (m > WORD_MAX || longer - (n < m ? n : m) > most ||
		    (numbered && same_but_numbers(s, words[i])))
			continue;
		d = distance(s, n, words[i], m);
		if (d < longer && d <= most && d < best_d) {
			best = words[i];
			best_d = d;
		}
	}
	return best;
}

const char *str_nearest(const char *s, const char *const *words)
{
	return nearest(s, words, false);
}

const char *str_nearest_name(const char *s, const char *const *names)
{
	return nearest(s, names, true);
}

char *str_hint(const char *word)
{
	return word ? xasprintf(" (did you mean '%s'?)", word) : xstrdup("");
}

void str_hex(const uint8_t *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

/* Returns the value of a hexadecimal digit, or -EINVAL. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int str_hex_byte(const char *s)
{
	int high = hex_digit(s[0]), low = high < 0 ? high : hex_digit(s[1]);

	return low < 0 ? low : high << 4 | low;
}
