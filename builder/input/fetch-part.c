/* SPDX-License-Identifier: Apache-2.0 */
/* The growing file. Its note is written before its first byte, so bytes without a note
 * are never used. */
#include "builder/input/fetch-part.h"

#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>

#define CHUNK    (256 * 1024)
#define NOTE_MAX (64 * 1024)

int part_open(struct part *p, int dirfd, const char *path, const char *url)
{
	*p = (struct part){.dirfd = dirfd,
			   .fd = -1,
			   .path = path,
			   .url = url,
			   .want_sha512 = p->want_sha512};
	for (int i = 0; i < 2; i++) {
		struct stat st;
		int r;

		p->fd = openat(dirfd, path,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			       0644);
		r = p->fd < 0 || fstat(p->fd, &st) < 0 ? -errno : 0;
		if (r == 0 && S_ISREG(st.st_mode))
			return 0;
		part_close(p);
		if (r != 0 && r != -ELOOP && r != -EISDIR && r != -ENXIO)
			return r;
		rm_rf_at(dirfd, path); /* it is a folder, link or pipe */
	}
	return -EEXIST;
}

void part_close(struct part *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void part_done(struct part *p)
{
	part_close(p);
	digest_free(p->sha256);
	digest_free(p->sha512);
	*p = (struct part){.fd = -1};
}

static char *note_path(const struct part *p)
{
	return xasprintf("%s.meta", p->path);
}

/* Returns the lines of the note, at least two, or NULL when it is of another URL or
 * damaged. Owned. */
static char **read_note(const struct part *p)
{
	_cleanup_free_ char *path = note_path(p), *text = NULL;
	_cleanup_strv_ char **lines = NULL;

	if (file_read_foreign_at(p->dirfd, path, NOTE_MAX, &text, NULL) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	if (strv_len(lines) < 2 || strv_len(lines) > 3 || !streq(lines[0], p->url))
		return NULL;
	return TAKE_PTR(lines);
}

char *part_validator(const struct part *p)
{
	_cleanup_strv_ char **lines = read_note(p);

	return lines ? xstrdup(lines[1]) : NULL;
}

/* Writes the note. It is not synced, and not replaced as a whole: without one, or with a
 * part of one, the download is not resumed, which is no error. */
static void write_note(const struct part *p, const char *text)
{
	_cleanup_free_ char *path = note_path(p);
	_cleanup_close_ int fd = -1;

	unlinkat(p->dirfd, path, 0);
	fd = openat(p->dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write_all(fd, text, strlen(text)) < 0)
		unlinkat(p->dirfd, path, 0);
}

/* Returns the line of the note about the bytes; owned. */
static char *format_have(const struct part *p, const char *sha256)
{
	return xasprintf("have %llu %s", (unsigned long long)p->have, sha256);
}

void part_note_have(struct part *p)
{
	_cleanup_strv_ char **lines = read_note(p);
	_cleanup_free_ char *have = NULL, *text = NULL;
	char sha256[DIGEST_HEX_MAX];

	if (!lines || !p->sha256 || p->have == 0)
		return;
	have = format_have(p, digest_peek(p->sha256, sha256));
	text = xasprintf("%s\n%s\n%s\n", lines[0], lines[1], have);
	write_note(p, text);
}

bool part_is_noted(const struct part *p)
{
	_cleanup_strv_ char **lines = read_note(p);
	_cleanup_free_ char *have = NULL;
	char sha256[DIGEST_HEX_MAX];

	have = format_have(p, digest_peek(p->sha256, sha256));
	return lines && lines[2] && streq(lines[2], have);
}

void part_note(const struct part *p, const char *validator)
{
	_cleanup_free_ char *path = note_path(p), *text = NULL;

	text = xasprintf("%s\n%s\n", p->url, validator ? validator : "");
	if (validator)
		write_note(p, text);
	else
		unlinkat(p->dirfd, path, 0);
}

static void begin(struct part *p)
{
	digest_free(p->sha256);
	digest_free(p->sha512);
	p->sha256 = digest_new(DIGEST_SHA256);
	p->sha512 = p->want_sha512 ? digest_new(DIGEST_SHA512) : NULL;
	p->have = 0;
	memset(p->head, 0, sizeof(p->head));
}

static void digest_bytes(struct part *p, const char *data, size_t len)
{
	if (p->have < sizeof(p->head)) {
		size_t n = sizeof(p->head) - (size_t)p->have;

		memcpy(p->head + p->have, data, len < n ? len : n);
	}
	digest_add(p->sha256, data, len);
	if (p->sha512)
		digest_add(p->sha512, data, len);
	p->have += len;
}

int part_start_over(struct part *p)
{
	begin(p);
	if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
		return -errno;
	return 0;
}

int part_catch_up(struct part *p)
{
	_cleanup_free_ char *buf = xmalloc(CHUNK);
	ssize_t n;

	begin(p);
	if (lseek(p->fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = read(p->fd, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		digest_bytes(p, buf, (size_t)n);
	}
	return 0;
}

int part_add(struct part *p, const void *data, size_t len)
{
	int r = write_all(p->fd, data, len);

	if (r == 0)
		digest_bytes(p, data, len);
	return r;
}

void part_digests(struct part *p, char sha256[static DIGEST_HEX_MAX],
		  char sha512[static DIGEST_HEX_MAX])
{
	digest_hex(p->sha256, sha256);
	sha512[0] = '\0';
	if (p->sha512)
		digest_hex(p->sha512, sha512);
}

int part_digest(struct part *p, enum digest_type type, char out[static DIGEST_HEX_MAX])
{
	if (lseek(p->fd, 0, SEEK_SET) < 0)
		return -errno;
	return digest_fd(p->fd, type, out, NULL);
}

bool part_is_page(const struct part *p)
{
	static const char *const marks[] = {"<!doctype", "<html", "<?xml", "<head"};
	const char *s = p->head;

	while (s < p->head + 16 && isspace((unsigned char)*s))
		s++;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (strncasecmp(s, marks[i], strlen(marks[i])) == 0)
			return true;
	return false;
}

char *part_first_line(const struct part *p)
{
	const char *s = p->head, *end = p->head + sizeof(p->head);
	size_t n = 0;

	while (s < end && isspace((unsigned char)*s))
		s++;
	while (s + n < end && s[n] >= ' ' && s[n] < 0x7f)
		n++;
	return xstrndup(s, n);
}

void part_remove(struct part *p)
{
	_cleanup_free_ char *note = note_path(p);

	unlinkat(p->dirfd, p->path, 0);
	unlinkat(p->dirfd, note, 0);
}
