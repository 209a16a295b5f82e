/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs get the raw bytes as a path. Of an image that was unpacked that is a file
 * without a name: /proc/PID/fd/N leads to it as long as this program lives.
 */
#include "builder/disk/disk-view.h"

#include "builder/common/disk-layout.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#define ISO_MAGIC_AT 0x8001 /* ECMA-119 8.4: "CD001" behind the descriptor's type */
#define EFI_SYSTEM   "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static const char *const mtools_env[] = {"TZ=UTC", "LC_ALL=C.UTF-8", "MTOOLSRC=/dev/null",
					 "MTOOLS_SKIP_CHECK=1", NULL};

static char **mtool(const char *name, const char *raw, uint64_t fat)
{
	char **argv = NULL;

	strv_add(&argv, name);
	strv_add(&argv, "-i");
	strv_addf(&argv, "%s@@%llu", raw, (unsigned long long)fat);
	return argv;
}

static int tool(char *const *argv, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_free_ char *said = NULL;
	struct run r = {.argv = (const char *const *)argv, .env = mtools_env};
	size_t len = 0;

	if (!run_have(argv[0]))
		return err_set(e, ERR_FAILED,
			       "%s: not found in PATH; it is in the package %s", argv[0],
			       streq(argv[0], "xorriso") ? "xorriso" : "mtools");
	if (run_capture(&r, &said, &len, e) < 0)
		return -1;
	if (ret)
		*ret = TAKE_PTR(said);
	if (ret_len)
		*ret_len = len;
	return 0;
}

static void add_words(char ***argv, const char *words)
{
	_cleanup_strv_ char **v = strv_split(words, " ");

	strv_extend(argv, v);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines of paths, each behind `prefix`; folders end in '/'. */
static char **paths_of(const char *text, const char *prefix)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	char **v = NULL;

	for (size_t i = 0; lines && lines[i]; i++) {
		const char *path = str_after(lines[i], prefix);

		if (path && *path && !str_ends(path, "/"))
			strv_add(&v, path);
	}
	if (v)
		qsort(v, strv_len(v), sizeof(*v), by_text);
	return v;
}

static int list_fat(struct disk_view *m, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mdir", m->raw, m->fat), **lines = NULL;
	_cleanup_free_ char *text = NULL;

	strv_add(&argv, "-/");
	strv_add(&argv, "-b");
	strv_add(&argv, "::/");
	if (tool(argv, &text, NULL, e) < 0)
		return err_wrap(e, "%s", m->image.path);
	m->config = paths_of(text, "::/");
	lines = strv_split(text, "\n");
	m->has_dir = strv_has(lines, "::/rackstrap/");
	return 0;
}

/* xorriso prints each path as a shell would need it: 'path'. */
static int list_iso(const struct disk_view *m, char ***ret, struct err *e)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_free_ char *text = NULL;

	strv_add(&argv, "xorriso");
	strv_add(&argv, "-indev");
	strv_addf(&argv, "stdio:%s", m->raw);
	add_words(&argv, "-find / -type f");
	if (tool(argv, &text, NULL, e) < 0)
		return err_wrap(e, "%s", m->image.path);
	for (char *s = text; *s; s++)
		if (s[0] == '\'' && s[1] == '\n')
			s[0] = '\n';
	*ret = paths_of(text, "'/");
	return 0;
}

static bool is_iso(int fd)
{
	char magic[5];

	return pread(fd, magic, sizeof(magic), ISO_MAGIC_AT) == sizeof(magic) &&
	       memcmp(magic, "CD001", sizeof(magic)) == 0;
}

/* Which partition holds the configuration; by name on a disk, by type on an ISO. */
static const struct partition *find_fat(const struct disk_view *m, bool iso)
{
	const struct ptable *t = &m->image.table;

	for (size_t i = 0; i < t->n; i++)
		if (iso ? streq(t->v[i].type, EFI_SYSTEM) || streq(t->v[i].type, "0xef")
			: streq(t->v[i].name, disk_part_types[DISK_BOOT].name))
			return &t->v[i];
	return NULL;
}

static int look(struct disk_view *m, struct err *e)
{
	int fd = media_seekable(&m->image, e);
	const struct partition *fat;
	bool iso;

	if (fd < 0)
		return -1;
	m->raw = streq(m->image.format, "raw")
			 ? xstrdup(m->image.path)
			 : xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
	iso = is_iso(fd);
	fat = find_fat(m, iso);
	if (!fat)
		return 0;
	m->fat = fat->start;
	if (iso && list_iso(m, &m->paths, e) < 0)
		return -1;
	if (iso && !strv_has(m->paths, MEDIUM_SUMS))
		return 0; /* somebody else's */
	if (list_fat(m, e) < 0)
		return -1;
	if (!iso)
		m->paths = strv_dup(m->config);
	m->kind = iso ? VIEW_ISO : VIEW_DISK;
	return 0;
}

int disk_view_open(struct disk_view *ret, const char *path, struct err *e)
{
	_cleanup_disk_view_ struct disk_view m = {.image = {.fd = -1}};

	if (media_open(&m.image, path, e) < 0 || look(&m, e) < 0)
		return -1;
	*ret = m;
	m = (struct disk_view){.image = {.fd = -1}};
	return 0;
}

void disk_view_done(struct disk_view *m)
{
	media_done(&m->image);
	free(m->raw);
	strv_free(m->paths);
	strv_free(m->config);
	*m = (struct disk_view){.image = {.fd = -1}};
}

static bool is_config(const char *path)
{
	return streq(path, MEDIUM_HOST_CFG) || streq(path, MEDIUM_RACK_CFG);
}

static int read_fat(const struct disk_view *m, const char *path, char **ret,
		    size_t *ret_len, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mtype", m->raw, m->fat);

	strv_addf(&argv, "::/%s", path);
	return tool(argv, ret, ret_len, e);
}

static int read_iso(const struct disk_view *m, const char *path, char **ret,
		    size_t *ret_len, struct err *e)
{
	_cleanup_rm_rf_ char *dir = NULL;
	_cleanup_free_ char *to = NULL;
	_cleanup_strv_ char **argv = NULL;
	int r = tempdir_make("/tmp", "rackstrap", &dir);

	if (r < 0)
		return err_errno(e, r, "/tmp");
	to = xasprintf("%s/file", dir);
	add_words(&argv, "xorriso -osirrox on -indev");
	strv_addf(&argv, "stdio:%s", m->raw);
	strv_add(&argv, "-extract");
	strv_addf(&argv, "/%s", path);
	strv_add(&argv, to);
	if (tool(argv, NULL, NULL, e) < 0)
		return -1;
	r = file_read_at(AT_FDCWD, to, 64 << 20, ret, ret_len);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

int disk_view_read(const struct disk_view *m, const char *path, char **ret,
		   size_t *ret_len, struct err *e)
{
	bool fat = m->kind == VIEW_DISK || is_config(path);
	int r;

	if (!strv_has(fat ? m->config : m->paths, path))
		return 0;
	r = fat ? read_fat(m, path, ret, ret_len, e) : read_iso(m, path, ret, ret_len, e);
	return r < 0 ? err_wrap(e, "%s: %s", m->image.path, path) : 1;
}

/* The folder of `path`, with the time of the file that it is for. */
static int make_dir(const struct disk_view *m, const char *raw, const char *path,
		    const char *from, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mmd", raw, m->fat), **env = NULL;
	struct run r = {0};
	struct stat st;

	if (stat(from, &st) < 0)
		return err_errno(e, errno, "%s", from);
	strv_extend(&env, (char *const *)mtools_env);
	strv_addf(&env, "SOURCE_DATE_EPOCH=%lld", (long long)st.st_mtime);
	strv_addf(&argv, "::/%.*s", (int)(strrchr(path, '/') - path), path);
	r.argv = (const char *const *)argv;
	r.env = (const char *const *)env;
	return run(&r, e);
}

/* -m: with the file's time; -D o: over what is there, without a question. */
int disk_view_put(const struct disk_view *m, const char *raw, const char *path,
		  const char *from, struct err *e)
{
	_cleanup_strv_ char **argv = mtool(from ? "mcopy" : "mdel", raw, m->fat);

	if (!from && !strv_has(m->config, path))
		return 0;
	/* An ISO's FAT has none when it was built without a configuration. */
	if (from && !m->has_dir && make_dir(m, raw, path, from, e) < 0)
		return err_wrap(e, "%s: %s", m->image.path, path);
	if (from) {
		add_words(&argv, "-m -D o");
		strv_add(&argv, from);
	}
	strv_addf(&argv, "::/%s", path);
	return tool(argv, NULL, NULL, e) < 0 ? err_wrap(e, "%s: %s", m->image.path, path)
					     : 0;
}
