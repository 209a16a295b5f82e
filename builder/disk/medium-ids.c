/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The new bytes are prepared before anything is written, and replace the image's while it
 * is read, so that they are compared like all others when they are read back.
 *
 * An environment block begins at a sector, in a FAT and in an ISO alike, and its first
 * sector has all our variables. It is found by its first line and its tag, which is in no
 * other file, because it is a digest of the others. In a FAT, a block that was removed or
 * replaced may still be in a free cluster: an entry of a folder must lead to it.
 */
#include "builder/disk/medium-ids.h"

#include "builder/common/disk-layout.h"
#include "builder/disk/disk-image.h"
#include "builder/disk/gpt-format.h"
#include "builder/disk/iso-format.h"
#include "lib/str.h"

#include <ctype.h>
#include <endian.h>
#include <sys/random.h>
#include <unistd.h>

#define SECTOR        512
#define CHUNK         (1024 * 1024)
#define ENV_HEAD      "# GRUB Environment Block\n" /* grub-core/lib/envblk.c of GRUB */
#define ENV_TAG       "\n" MEDIUM_TAG_VARIABLE "="
#define ISO_LAST      32
#define ISO_LABEL_AT  40 /* ECMA-119, 8.4.7; in Joliet's descriptor UCS-2 */
#define ISO_LABEL_LEN 32
#define LABEL_DIGITS  8
#define FAT_ID_AT     67 /* Microsoft's FAT specification 1.03: BS_VolID of FAT32, ... */
#define FAT_TYPE_AT   82 /* ... BS_FilSysType, ... */
#define FAT_BACKUP_AT 50 /* ... BPB_BkBootSec; its other fields are in fat_cluster() */
#define FAT_ENTRY     32 /* bytes of an entry of a folder */
#define FAT_NAME      "GRUBENV    "
#define FAT_ATTR_AT   11
#define FAT_NO_FILE   0x18 /* attributes: folder, volume id */

/* --- environment blocks ------------------------------------------------------------ */

static void scan_entries(struct medium_envs *e, const char *p, size_t len)
{
	for (size_t i = 0; i + FAT_ENTRY <= len; i += FAT_ENTRY) {
		const char *entry = p + i;
		uint16_t high, low;

		if (*entry != *FAT_NAME ||
		    memcmp(entry, FAT_NAME, strlen(FAT_NAME)) != 0 ||
		    (entry[FAT_ATTR_AT] & FAT_NO_FILE) ||
		    e->n_clusters == MEDIUM_ENVS_MAX)
			continue;
		memcpy(&high, entry + 20, sizeof(high));
		memcpy(&low, entry + 26, sizeof(low));
		e->clusters[e->n_clusters++] =
			(uint32_t)le16toh(high) << 16 | le16toh(low);
	}
}

void medium_envs_scan(struct medium_envs *e, uint64_t at, const void *data, size_t len)
{
	const char *p = data;

	scan_entries(e, p, len);
	for (size_t i = 0; i + MEDIUM_ENV_LEN <= len; i += SECTOR) {
		struct medium_env *env = &e->v[e->n];

		if (p[i] != '#' || memcmp(p + i, ENV_HEAD, strlen(ENV_HEAD)) != 0 ||
		    !memmem(p + i, MEDIUM_ENV_LEN, ENV_TAG, strlen(ENV_TAG)))
			continue;
		if (e->n == MEDIUM_ENVS_MAX)
			return;
		env->at = at + i;
		memcpy(env->text, p + i, MEDIUM_ENV_LEN);
		e->n++;
	}
}

/* Scans an image that is not compressed, without its holes. */
static int scan_plain(struct disk_image *m, uint64_t from, uint64_t to, struct err *e)
{
	_cleanup_free_ char *buf = xmalloc(CHUNK);

	while (from < to) {
		off_t data = lseek(m->fd, (off_t)from, SEEK_DATA);
		size_t len = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t n;

		if (data < 0 && errno == ENXIO)
			return 0;
		if (data >= 0 && (uint64_t)data / SECTOR > from / SECTOR) {
			from = (uint64_t)data / SECTOR * SECTOR;
			continue;
		}
		n = pread(m->fd, buf, len, (off_t)from);
		if (n <= 0)
			return n == 0 ? 0 : err_errno(e, errno, "%s", m->path);
		medium_envs_scan(&m->envs, from, buf, (size_t)n);
		if (n < SECTOR)
			return 0;
		from += (uint64_t)n / SECTOR * SECTOR;
	}
	return 0;
}

/* --- edits ------------------------------------------------------------------------- */

static void add(struct medium_ids *ids, uint64_t at, const void *bytes, size_t len)
{
	ids->v = xgrow(ids->v, ids->n, sizeof(*ids->v));
	ids->v[ids->n] =
		(struct medium_edit){.at = at, .len = len, .bytes = xmalloc(len)};
	memcpy(ids->v[ids->n++].bytes, bytes, len);
}

void medium_ids_apply(const struct medium_ids *ids, uint64_t at, void *data, size_t len)
{
	for (size_t i = 0; i < ids->n; i++) {
		const struct medium_edit *x = &ids->v[i];
		uint64_t from = x->at > at ? x->at : at;
		uint64_t to = x->at + x->len < at + len ? x->at + x->len : at + len;

		if (from < to)
			memcpy((uint8_t *)data + (from - at), x->bytes + (from - x->at),
			       (size_t)(to - from));
	}
}

void medium_ids_done(struct medium_ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		free(ids->v[i].bytes);
	free(ids->v);
	*ids = (struct medium_ids){0};
}

static int random_bytes(void *p, size_t len, struct err *e)
{
	return getrandom(p, len, 0) == (ssize_t)len ? 0
						    : err_errno(e, errno, "getrandom");
}

/* Makes a GUID of version 4 (RFC 9562) in the byte order of a GPT. */
static int random_guid(uint8_t g[16], struct err *e)
{
	if (random_bytes(g, 16, e) < 0)
		return -1;
	g[7] = (uint8_t)((g[7] & 0x0f) | 0x40);
	g[8] = (uint8_t)((g[8] & 0x3f) | 0x80);
	return 0;
}

static int read_at(const struct disk_image *m, uint64_t at, void *buf, size_t len,
		   struct err *e)
{
	ssize_t n = pread(disk_image_table_fd(m), buf, len, (off_t)at);

	if (n == (ssize_t)len)
		return 0;
	return err_set(e, ERR_FAILED, "%s: cannot be read at byte %llu", m->path,
		       (unsigned long long)at);
}

/* Returns the byte at which a cluster of the FAT32 begins whose boot sector is `boot`. */
static uint64_t fat_cluster(const uint8_t *boot, uint32_t cluster)
{
	uint64_t sector = boot[11] | boot[12] << 8, per_cluster = boot[13];
	uint64_t reserved = boot[14] | boot[15] << 8, fats = boot[16];
	uint32_t fat;

	memcpy(&fat, boot + 36, sizeof(fat));
	return (reserved + fats * le32toh(fat) + (cluster - 2ULL) * per_cluster) * sector;
}

/* Checks that a file begins `at` bytes behind the FAT32's boot sector. */
static bool is_live(const struct medium_envs *e, const uint8_t *boot, uint64_t at)
{
	for (size_t i = 0; i < e->n_clusters; i++)
		if (e->clusters[i] >= 2 && fat_cluster(boot, e->clusters[i]) == at)
			return true;
	return false;
}

/* Leaves only the environment blocks that have the tag `was` and, unless `boot` is NULL,
 * are files of the FAT32 with this boot sector, which is at `start`. Returns their
 * number. */
static size_t select_envs(struct disk_image *m, const char *was, const uint8_t *boot,
			  uint64_t start)
{
	size_t n = 0;

	for (size_t i = 0; i < m->envs.n; i++) {
		const struct medium_env *env = &m->envs.v[i];

		if ((!boot ||
		     (env->at >= start && is_live(&m->envs, boot, env->at - start))) &&
		    memmem(env->text, sizeof(env->text), was, strlen(was)))
			m->envs.v[n++] = *env;
	}
	return m->envs.n = n;
}

/* Adds the edits for the environment blocks, in which `was` becomes `now`, of the same
 * length. */
static void edit_envs(struct medium_ids *ids, const struct disk_image *m, const char *was,
		      const char *now)
{
	size_t len = strlen(was);

	for (size_t i = 0; i < m->envs.n; i++) {
		struct medium_env env = m->envs.v[i];
		char *end = env.text + sizeof(env.text), *at = env.text;

		while ((at = memmem(at, (size_t)(end - at), was, len)))
			memcpy(at, now, len);
		add(ids, env.at, env.text, sizeof(env.text));
	}
}

/* --- GPT --------------------------------------------------------------------------- */

/* One of the two headers of a GPT, with the rest of its sector. */
union block {
	struct gpt_header h;
	uint8_t bytes[4096];
};

static void add_header(struct medium_ids *ids, union block *b, uint64_t at,
		       unsigned sector)
{
	b->h.crc = 0;
	b->h.crc = htole32(gpt_crc32(b->bytes, le32toh(b->h.size)));
	add(ids, at, b->bytes, sector);
}

/* Gives the entries that are in use new GUIDs. `boot`, the number of an entry from 1 or
 * 0, is that of *ret_boot. */
static int renew_entries(uint8_t *entries, const struct gpt_header *h, unsigned boot,
			 char ret_boot[GPT_GUID_TEXT], struct err *e)
{
	static const uint8_t none[16];
	size_t each = le32toh(h->entry_size);

	for (size_t i = 0; i < le32toh(h->n_entries); i++) {
		struct gpt_entry entry;

		memcpy(&entry, entries + i * each, sizeof(entry));
		if (memcmp(entry.type, none, sizeof(none)) == 0)
			continue;
		if (random_guid(entry.guid, e) < 0)
			return -1;
		if (i + 1 == boot)
			gpt_format_guid(entry.guid, ret_boot);
		memcpy(entries + i * each, &entry, sizeof(entry));
	}
	return 0;
}

/* Adds the edits for both tables. The table of the image is sound, and so is the header
 * of its copy, which says where the copy's entries are. */
static int edit_gpt(struct medium_ids *ids, const struct disk_image *m, unsigned boot,
		    char ret_boot[GPT_GUID_TEXT], struct err *e)
{
	const struct ptable *t = &m->table;
	_cleanup_free_ uint8_t *entries = NULL;
	union block first, copy;
	uint8_t guid[16];
	uint32_t crc;
	size_t len;

	if (read_at(m, t->sector, first.bytes, t->sector, e) < 0 ||
	    read_at(m, t->backup, copy.bytes, t->sector, e) < 0 ||
	    random_guid(guid, e) < 0)
		return -1;
	len = (size_t)le32toh(first.h.n_entries) * le32toh(first.h.entry_size);
	if (len == 0 || len > GPT_BYTES_MAX ||
	    le32toh(first.h.entry_size) < sizeof(struct gpt_entry) ||
	    le32toh(first.h.size) > t->sector || le32toh(copy.h.size) > t->sector)
		return err_set(e, ERR_FAILED, "%s: its GPT changes", m->path);
	entries = xmalloc(len);
	if (read_at(m, le64toh(first.h.entries_lba) * t->sector, entries, len, e) < 0 ||
	    renew_entries(entries, &first.h, boot, ret_boot, e) < 0)
		return -1;
	crc = htole32(gpt_crc32(entries, len));
	memcpy(first.h.disk_guid, guid, sizeof(guid));
	memcpy(copy.h.disk_guid, guid, sizeof(guid));
	first.h.entries_crc = copy.h.entries_crc = crc;
	add_header(ids, &first, t->sector, t->sector);
	add(ids, le64toh(first.h.entries_lba) * t->sector, entries, len);
	add_header(ids, &copy, t->backup, t->sector);
	add(ids, le64toh(copy.h.entries_lba) * t->sector, entries, len);
	return 0;
}

/* --- a disk ------------------------------------------------------------------------ */

/* Adds the edits for the volume id of a FAT32, in its boot sector and the copy of it. */
static int edit_fat(struct medium_ids *ids, const uint8_t *boot, uint64_t start,
		    struct err *e)
{
	uint64_t copy;
	uint8_t id[4];

	if (random_bytes(id, sizeof(id), e) < 0)
		return -1;
	copy = (uint64_t)(boot[FAT_BACKUP_AT] | boot[FAT_BACKUP_AT + 1] << 8) *
	       (unsigned)(boot[11] | boot[12] << 8);
	add(ids, start + FAT_ID_AT, id, sizeof(id));
	if (copy > 0)
		add(ids, start + copy + FAT_ID_AT, id, sizeof(id));
	return 0;
}

static int make_disk(struct medium_ids *ids, struct disk_image *m,
		     const struct partition *boot, bool keep, struct err *e)
{
	char now[GPT_GUID_TEXT] = "";
	uint8_t sector[SECTOR];

	snprintf(ids->tag, sizeof(ids->tag), "PARTUUID=%s", boot->uuid);
	if (keep)
		return 0;
	if (read_at(m, boot->start, sector, sizeof(sector), e) < 0)
		return -1;
	if (!m->compressed && scan_plain(m, boot->start, boot->start + boot->size, e) < 0)
		return -1;
	if (memcmp(sector + FAT_TYPE_AT, "FAT32   ", 8) != 0 ||
	    select_envs(m, boot->uuid, sector, boot->start) == 0)
		return 0;
	if (edit_gpt(ids, m, boot->number, now, e) < 0 ||
	    edit_fat(ids, sector, boot->start, e) < 0)
		return -1;
	edit_envs(ids, m, boot->uuid, now);
	snprintf(ids->tag, sizeof(ids->tag), "PARTUUID=%s", now);
	return 0;
}

/* --- an ISO ------------------------------------------------------------------------ */

/* Sets *ret to the ISO's volume id if that is one of ours. Returns 1, 0 when it is not,
 * or -1. */
static int read_label(const struct disk_image *m, char ret[ISO_LABEL_LEN + 1],
		      struct err *e)
{
	size_t len = strlen(MEDIUM_ISO_LABEL) + LABEL_DIGITS;

	if (read_at(m, ISO_FIRST * ISO_SECTOR + ISO_LABEL_AT, ret, ISO_LABEL_LEN, e) < 0)
		return -1;
	ret[ISO_LABEL_LEN] = '\0';
	ret[strcspn(ret, " ")] = '\0';
	return strlen(ret) == len && str_after(ret, MEDIUM_ISO_LABEL) &&
	       strspn(ret + len - LABEL_DIGITS, "0123456789ABCDEF") == LABEL_DIGITS;
}

/* Adds the edits for the label in every volume descriptor. */
static int edit_label(struct medium_ids *ids, const struct disk_image *m,
		      const char *label, struct err *e)
{
	for (uint64_t i = ISO_FIRST; i < ISO_LAST; i++) {
		uint64_t at = i * ISO_SECTOR;
		uint8_t d[ISO_LABEL_AT + ISO_LABEL_LEN];

		if (read_at(m, at, d, sizeof(d), e) < 0)
			return -1;
		if (d[0] == 255 || memcmp(d + 1, "CD001", 5) != 0)
			break;
		if (d[0] == 1)
			memcpy(d + ISO_LABEL_AT, label, strlen(label));
		for (size_t c = 0; d[0] == 2 && c < ISO_LABEL_LEN / 2; c++)
			d[ISO_LABEL_AT + 2 * c + 1] = (uint8_t)label[c];
		if (d[0] == 1 || d[0] == 2)
			add(ids, at + ISO_LABEL_AT, d + ISO_LABEL_AT, ISO_LABEL_LEN);
	}
	return 0;
}

static int make_iso(struct medium_ids *ids, struct disk_image *m, bool keep,
		    struct err *e)
{
	char was[ISO_LABEL_LEN + 1], now[ISO_LABEL_LEN + 1], unused[GPT_GUID_TEXT];
	uint8_t id[LABEL_DIGITS / 2];
	char digits[LABEL_DIGITS + 1];
	int r = read_label(m, was, e);

	if (r <= 0)
		return r;
	snprintf(ids->tag, sizeof(ids->tag), "LABEL=%s", was);
	if (keep)
		return 0;
	if (!m->compressed && scan_plain(m, 0, m->size, e) < 0)
		return -1;
	/* The ISO has one grubenv, and boot/efi.img another. */
	if (select_envs(m, was, NULL, 0) < 2)
		return 0;
	if (random_bytes(id, sizeof(id), e) < 0)
		return -1;
	str_hex(id, sizeof(id), digits);
	snprintf(now, sizeof(now), MEDIUM_ISO_LABEL "%s", digits);
	for (char *s = now; *s; s++)
		*s = (char)toupper((unsigned char)*s);
	edit_envs(ids, m, was, now);
	if (edit_label(ids, m, now, e) < 0)
		return -1;
	if (m->table.kind == PTABLE_GPT && edit_gpt(ids, m, 0, unused, e) < 0)
		return -1;
	snprintf(ids->tag, sizeof(ids->tag), "LABEL=%s", now);
	return 0;
}

/* ----------------------------------------------------------------------------------- */

int medium_ids_make(struct medium_ids *ret, struct disk_image *m, bool keep,
		    struct err *e)
{
	_cleanup_medium_ids_ struct medium_ids ids = {0};
	const struct ptable *t = &m->table;
	const struct partition *boot = NULL;
	int r = 0;

	for (size_t i = 0; t->kind == PTABLE_GPT && i < t->n && !boot; i++)
		if (streq(t->v[i].name, disk_part_types[DISK_BOOT].name))
			boot = &t->v[i];
	if (boot)
		r = make_disk(&ids, m, boot, keep, e);
	else if (m->content.iso > 0)
		r = make_iso(&ids, m, keep, e);
	if (r < 0)
		return -1;
	*ret = ids;
	ids = (struct medium_ids){0};
	return 0;
}
