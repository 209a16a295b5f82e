/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs get the path of a raw image. The temporary file of a decompressed image
 * has no name; its path is /proc/PID/fd/N, valid as long as this program runs. So is that
 * of standard input, whose name would be another file's for a program. In messages of the
 * programs the path is replaced by the name that the user gave.
 */
#include "builder/disk/disk-view.h"

#include "builder/common/disk-layout.h"
#include "builder/common/leftovers.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#define ISO_MAGIC_AT 0x8001 /* ECMA-119 8.4: "CD001" follows the descriptor's type */
#define DIR_LINE     "::/rackstrap/\n"
#define FILE_MAX     (16U << 20) /* bytes of a file that is read from an image */
#define OUTPUT_MAX   (8U << 20)  /* bytes of a list of files */
#define EFI_SYSTEM   "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"

static const char *const mtools_env[] = {"TZ=UTC", "LC_ALL=C.UTF-8", "MTOOLSRC=/dev/null",
					 "MTOOLS_SKIP_CHECK=1", NULL};

/* Returns the first arguments of a program of mtools for the FAT at byte `fat`; owned. */
static char **mtool(const char *name, const char *raw, uint64_t fat)
{
	char **argv = NULL;

	strv_add(&argv, name);
	strv_add(&argv, "-i");
	strv_addf(&argv, "%s@@%llu", raw, (unsigned long long)fat);
	return argv;
}

/* Replaces v->raw by the name of the image in a message. */
static void rename_in(const struct disk_view *v, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	const char *s = e->msg, *at;

	if (!strstr(s, v->raw))
		return;
	for (; (at = strstr(s, v->raw)); s = at + strlen(v->raw)) {
		buf_add(&b, s, (size_t)(at - s));
		buf_puts(&b, v->image.path);
	}
	buf_puts(&b, s);
	err_set(e, e->code, "%s", b.p);
}

/* Runs the program and captures its output; ret and ret_len may be NULL. `file_max` is
 * that of struct run. */
static int run_tool_max(const struct disk_view *v, char *const *argv, uint64_t file_max,
			char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_free_ char *said = NULL;
	struct run r = {.argv = (const char *const *)argv,
			.env = mtools_env,
			.file_max = file_max,
			.output_max = OUTPUT_MAX};
	size_t len = 0;

	if (!run_have(argv[0]))
		return err_set(e, ERR_UNABLE,
			       "%s: not found in PATH; it is in the package %s", argv[0],
			       streq(argv[0], "xorriso") ? "xorriso" : "mtools");
	if (run_capture(&r, &said, &len, e) < 0) {
		if (e)
			rename_in(v, e);
		return -1;
	}
	if (ret)
		*ret = TAKE_PTR(said);
	if (ret_len)
		*ret_len = len;
	return 0;
}

static int run_tool(const struct disk_view *v, char *const *argv, char **ret,
		    size_t *ret_len, struct err *e)
{
	return run_tool_max(v, argv, 0, ret, ret_len, e);
}

static void add_words(char ***argv, const char *words)
{
	_cleanup_strv_ char **v = strv_split(words, " ");

	strv_extend(argv, v);
}

/* Returns the lines of `text` that begin with `prefix`, without it and sorted; owned.
 * Leaves out folders, which end in '/'. */
static char **parse_paths(const char *text, const char *prefix)
{
	struct strv_builder b = {0};

	for (size_t n; *text; text += n + (text[n] == '\n')) {
		const char *path = str_after(text, prefix);

		n = strcspn(text, "\n");
		if (path && path < text + n && text[n - 1] != '/')
			strv_builder_addf(&b, "%.*s", (int)(text + n - path), path);
	}
	strv_sort(b.v);
	return strv_builder_take(&b);
}

static int list_fat(struct disk_view *v, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mdir", v->raw, v->fat);
	_cleanup_free_ char *text = NULL;

	strv_add(&argv, "-/");
	strv_add(&argv, "-b");
	strv_add(&argv, "::/");
	if (run_tool(v, argv, &text, NULL, e) < 0)
		return err_wrap(e, "%s", v->image.path);
	v->config = parse_paths(text, "::/");
	v->has_dir = str_after(text, DIR_LINE) || strstr(text, "\n" DIR_LINE);
	return 0;
}

/* Lists the files of the ISO. xorriso prints each path quoted as for a shell: 'path'. */
static int list_iso(const struct disk_view *v, char ***ret, struct err *e)
{
	_cleanup_strv_ char **argv = NULL;
	_cleanup_free_ char *text = NULL;

	strv_add(&argv, "xorriso");
	strv_add(&argv, "-indev");
	strv_addf(&argv, "stdio:%s", v->raw);
	add_words(&argv, "-find / -type f");
	if (run_tool(v, argv, &text, NULL, e) < 0)
		return err_wrap(e, "%s", v->image.path);
	for (char *s = text; *s; s++)
		if (s[0] == '\'' && s[1] == '\n')
			s[0] = '\n';
	*ret = parse_paths(text, "'/");
	return 0;
}

static bool is_iso(int fd)
{
	char magic[5];

	return pread(fd, magic, sizeof(magic), ISO_MAGIC_AT) == sizeof(magic) &&
	       memcmp(magic, "CD001", sizeof(magic)) == 0;
}

/* Returns the partition with the configuration, or NULL: it is found by its name on a
 * disk, by its type on an ISO. */
static const struct partition *find_fat(const struct disk_view *v, bool iso)
{
	const struct ptable *t = &v->image.table;

	for (size_t i = 0; i < t->n; i++)
		if (iso ? streq(t->v[i].type, EFI_SYSTEM) || streq(t->v[i].type, "0xef")
			: streq(t->v[i].name, disk_part_types[DISK_BOOT].name))
			return &t->v[i];
	return NULL;
}

/* Returns a path of the disk's bytes, which are in `fd`, for programs; owned. */
static char *raw_path(const struct disk_view *v, int fd)
{
	_cleanup_free_ char *real = realpath(v->image.path, NULL);
	struct stat st;

	if (real && streq(v->image.format, "raw") && stat(real, &st) == 0 &&
	    st.st_dev == v->image.stamp.st.st_dev &&
	    st.st_ino == v->image.stamp.st.st_ino)
		return TAKE_PTR(real);
	return xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
}

/* Sets everything but v->image. */
static int examine(struct disk_view *v, struct err *e)
{
	int fd = disk_image_seekable(&v->image, e);
	const struct partition *fat;
	bool iso;

	if (fd < 0)
		return -1;
	v->raw = raw_path(v, fd);
	iso = is_iso(fd);
	fat = find_fat(v, iso);
	if (!fat)
		return 0;
	v->fat = fat->start;
	v->fat_size = fat->size;
	if (iso && list_iso(v, &v->paths, e) < 0)
		return -1;
	if (iso && !strv_has(v->paths, MEDIUM_SUMS))
		return 0; /* an ISO that rackstrap did not make */
	if (list_fat(v, e) < 0)
		return -1;
	if (!iso)
		v->paths = strv_dup(v->config);
	v->kind = iso ? VIEW_ISO : VIEW_DISK;
	return 0;
}

int disk_view_open(struct disk_view *ret, const char *path, uint64_t limit, struct err *e)
{
	_cleanup_disk_view_ struct disk_view v = {.image = DISK_IMAGE_INIT};

	if (disk_image_open(&v.image, path, limit, DISK_NEED_DISK, e) < 0 ||
	    examine(&v, e) < 0)
		return -1;
	*ret = v;
	v = (struct disk_view){.image = DISK_IMAGE_INIT};
	return 0;
}

void disk_view_done(struct disk_view *v)
{
	disk_image_done(&v->image);
	free(v->raw);
	strv_free(v->paths);
	strv_free(v->config);
	*v = (struct disk_view){.image = DISK_IMAGE_INIT};
}

static bool is_config(const char *path)
{
	return streq(path, MEDIUM_HOST_CFG) || streq(path, MEDIUM_RACK_CFG);
}

static int read_fat(const struct disk_view *v, const char *path, char **ret,
		    size_t *ret_len, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mtype", v->raw, v->fat);

	strv_addf(&argv, "::/%s", path);
	return run_tool(v, argv, ret, ret_len, e);
}

static int read_iso(const struct disk_view *v, const char *path, char **ret,
		    size_t *ret_len, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_free_ char *to = NULL;
	_cleanup_strv_ char **argv = NULL;
	int r;

	if (leftovers_make(&s, NULL, "file", e) < 0)
		return -1;
	to = xasprintf("%s/file", s.path);
	add_words(&argv, "xorriso -osirrox on -indev");
	strv_addf(&argv, "stdio:%s", v->raw);
	strv_add(&argv, "-extract");
	strv_addf(&argv, "/%s", path);
	strv_add(&argv, to);
	if (run_tool_max(v, argv, FILE_MAX, NULL, NULL, e) < 0)
		return -1;
	/* xorriso also makes the symlinks, pipes and devices that an ISO has. */
	r = file_read_foreign_at(AT_FDCWD, to, FILE_MAX, ret, ret_len);
	return r < 0 ? err_set(e, ERR_FAILED, "%s", file_strerror(r)) : 0;
}

int disk_view_read(const struct disk_view *v, const char *path, char **ret,
		   size_t *ret_len, struct err *e)
{
	bool fat = v->kind == VIEW_DISK || is_config(path);
	struct err why = {0};
	int r;

	if (!strv_has(fat ? v->config : v->paths, path))
		return 0;
	r = fat ? read_fat(v, path, ret, ret_len, &why)
		: read_iso(v, path, ret, ret_len, &why);
	if (r == 0)
		return 1;
	/* xorriso's words for FILE_MAX, and those of lib/run.c for OUTPUT_MAX. */
	if (strstr(why.msg, "SIGXFSZ") || strstr(why.msg, "MiB of output"))
		err_set(&why, ERR_FAILED,
			"is larger than %u MiB, and no such file of rackstrap is: the "
			"image is damaged, or another program wrote to it",
			(fat ? OUTPUT_MAX : FILE_MAX) >> 20);
	return err_set(e, why.code, "%s: %s: %s", v->image.path, path, why.msg);
}

/* Makes the folder of `path` with the time of the file `from`. */
static int make_dir(const struct disk_view *v, const char *raw, const char *path,
		    const char *from, struct err *e)
{
	_cleanup_strv_ char **argv = mtool("mmd", raw, v->fat), **env = NULL;
	struct run r = {0};
	struct stat st;

	if (stat(from, &st) < 0)
		return err_errno(e, errno, "%s", from);
	strv_extend(&env, (char *const *)mtools_env);
	strv_addf(&env, "SOURCE_DATE_EPOCH=%lld", (long long)st.st_mtime);
	strv_addf(&argv, "::/%.*s", (int)(strrchr(path, '/') - path), path);
	r.argv = (const char *const *)argv;
	r.env = (const char *const *)env;
	if (run(&r, e) == 0)
		return 0;
	if (e)
		rename_in(v, e);
	return -1;
}

/* -m: keep the file's time; -D o: overwrite without asking. */
int disk_view_write(const struct disk_view *v, const char *raw, const char *path,
		    const char *from, struct err *e)
{
	_cleanup_strv_ char **argv = mtool(from ? "mcopy" : "mdel", raw, v->fat);

	if (!from && !strv_has(v->config, path))
		return 0;
	/* The FAT of an ISO that was built without a configuration has no folder. */
	if (from && !v->has_dir && make_dir(v, raw, path, from, e) < 0)
		return err_wrap(e, "%s: %s", v->image.path, path);
	if (from) {
		add_words(&argv, "-m -D o");
		strv_add(&argv, from);
	}
	strv_addf(&argv, "::/%s", path);
	return run_tool(v, argv, NULL, NULL, e) < 0
		       ? err_wrap(e, "%s: %s", v->image.path, path)
		       : 0;
}
