/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skopeo writes an image as a folder (its transport "dir:") with every blob as it is in
 * the registry, checks each against the manifest, and the manifest against the requested
 * digest. The folder becomes a tar in a fixed order without times and owners, so its
 * digest depends on the manifest alone, and recipe.lock can hold it.
 *
 * From an image for several machines, the one for linux/amd64 is used.
 */
#include "builder/input/registry.h"

#include "builder/common/archive.h"
#include "builder/common/leftovers.h"
#include "builder/common/mistakes.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "lib/str.h"

#define SKOPEO_MS (60 * 60 * 1000)
#define WATCH_MS  200

/* --- the folder as a tar ----------------------------------------------------------- */

/* Lists "manifest.json" and the blobs, but not skopeo's own file "version". */
static int list_folder(const char *dir, char ***ret, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder files = {0};
	_cleanup_strv_ char **names = NULL;
	int r = dir_names_at(AT_FDCWD, dir, &names);

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	strv_builder_add(&files, "manifest.json");
	for (size_t i = 0; names && names[i]; i++)
		if (digest_is_hex(names[i], DIGEST_SHA256))
			strv_builder_add(&files, names[i]);
	*ret = strv_builder_take(&files);
	return 0;
}

static int append_file(struct archive_out *out, const char *dir, const char *name,
		       struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	_cleanup_free_ char *chunk = xmalloc(256 * 1024);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", path, file_strerror(fd));
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (archive_out_entry(out,
			      &(struct entry){.type = ENTRY_FILE,
					      .path = name,
					      .mode = 0644,
					      .size = (uint64_t)st.st_size},
			      e) < 0)
		return -1;
	while ((n = read(fd, chunk, 256 * 1024)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "%s", path);
		if (archive_out_data(out, chunk, (size_t)n, e) < 0)
			return -1;
	}
	return 0;
}

static int pack(const struct fetch_file *f, const char *dir, struct err *e)
{
	_cleanup_close_ int fd =
		openat(f->dirfd, f->path,
		       O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_strv_ char **names = NULL;

	if (fd < 0)
		return err_errno(e, errno, "%s", f->path);
	if (list_folder(dir, &names, e) < 0)
		return -1;
	out = archive_out_new(fd, f->path);
	for (size_t i = 0; names[i]; i++)
		if (append_file(out, dir, names[i], e) < 0)
			return -1;
	if (archive_out_end(out, e) < 0)
		return -1;
	return fsync(fd) < 0 ? err_errno(e, errno, "%s", f->path) : 0;
}

/* --- one image --------------------------------------------------------------------- */

/* Sets *ret to the size of all files in the folder. Files that vanish do not count. */
static int folder_size(const char *dir, uint64_t *ret, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	int r = dir_names_at(AT_FDCWD, dir, &names);

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	*ret = 0;
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, names[i]);
		struct stat st;

		if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*ret += (uint64_t)st.st_size;
	}
	return 0;
}

/* Runs skopeo until it has ended or the folder is larger than the file may be. No file of
 * it can be larger than that. */
static int run_skopeo(const struct fetch_file *f, const char *const *argv,
		      const char *dir, struct err *e)
{
	const uint64_t max = f->max_size ? f->max_size : FETCH_MAX;
	const struct run r = {.argv = argv, .timeout_ms = SKOPEO_MS, .file_max = max + 1};
	_cleanup_child_ struct child c = {.errfd = -1};
	bool ended = false;
	uint64_t size = 0;

	if (run_start(&r, &c, e) < 0)
		return -1;
	while (!ended) {
		ended = run_ended(&c, WATCH_MS);
		if (folder_size(dir, &size, e) < 0)
			return -1;
		if (fetch_check_size(f, size, "its image", e) < 0)
			return -1;
	}
	if (run_wait(&c, e) == 0)
		return 0;
	/* skopeo's words for EFBIG: it has removed the file that reached file_max. */
	if (e && strstr(e->msg, "file too large"))
		return fetch_check_size(f, max + 1, "its image", e);
	return -1;
}

static int copy_image(const struct fetch_file *f, const char *dir, struct err *e)
{
	_cleanup_free_ char *to = xasprintf("dir:%s", dir);
	const char *const argv[] = {"skopeo",  "--override-os",
				    "linux",   "--override-arch",
				    "amd64",   "copy",
				    "--quiet", "--retry-times=3",
				    f->url,    to,
				    NULL};

	if (!run_have(argv[0]))
		return err_set(e, ERR_UNABLE,
			       "skopeo: not found in PATH; it is in the package skopeo");
	return run_skopeo(f, argv, dir, e);
}

/* Sets size and digests of the packed file, and checks them against the expected ones. */
static int check(struct fetch_file *f, struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(f->dirfd, f->path);
	char sha256[DIGEST_HEX_MAX], sha512[DIGEST_HEX_MAX];
	const char *got;
	uint64_t size;
	int r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, sha256, &size);

	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = digest_fd(fd, DIGEST_SHA512, sha512, NULL);
	if (r < 0)
		return err_errno(e, r, "%s", f->path);
	got = f->digest_type == DIGEST_SHA512 ? sha512 : sha256;
	if (f->digest && !streq(got, f->digest)) {
		unlinkat(f->dirfd, f->path, 0);
		return err_set(e, ERR_FAILED,
			       "%s is %s, expected %s (%s): the registry has another "
			       "image now",
			       digest_name(f->digest_type), got, f->digest,
			       f->expected_by);
	}
	f->got = size;
	memcpy(f->sha256, sha256, sizeof(sha256));
	memcpy(f->sha512, sha512, sizeof(sha512));
	return 0;
}

/* Fetches an image. Its pieces are in a scratch folder beside the growing file. */
static int fetch_image(struct fetch_file *f, struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	const char *shown = f->shown ? f->shown : f->url, *slash = strrchr(f->path, '/');
	_cleanup_free_ char *parent =
		xasprintf("/proc/self/fd/%d/%.*s", f->dirfd,
			  slash ? (int)(slash - f->path) : 0, f->path);
	_cleanup_free_ char *name = xasprintf("%s.image", slash ? slash + 1 : f->path);

	if (fetch_check_size(f, f->size, shown, e) < 0 ||
	    leftovers_make(&s, parent, name, e) < 0)
		return -1;
	log_info("%s: from the registry", f->name);
	if (copy_image(f, s.inside, e) < 0 || pack(f, s.inside, e) < 0 || check(f, e) < 0)
		return err_wrap(e, "%s", shown);
	return 0;
}

/* --- all of them ------------------------------------------------------------------- */

static bool is_image(const struct fetch_file *f)
{
	return str_after(f->url, REGISTRY_SCHEME) != NULL;
}

/* Adds a mistake for each image that could not be fetched. */
static void fetch_images(struct fetch_file *v, size_t n, struct mistakes *m)
{
	for (size_t i = 0; i < n; i++) {
		struct err one = {0};

		if (is_image(&v[i]) && fetch_image(&v[i], &one) < 0)
			mistakes_add(m, &one);
	}
}

int registry_fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
		       struct err *e)
{
	_cleanup_free_ struct fetch_file *files = xcalloc(n + 1, sizeof(*files));
	_cleanup_free_ size_t *at = xcalloc(n + 1, sizeof(*at));
	_cleanup_mistakes_ struct mistakes m = {0};
	struct err first = {0};
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_image(&v[i])) {
			at[k] = i;
			files[k++] = v[i];
		}
	if (k > 0 && fetch_all(files, k, o, &first) < 0)
		mistakes_add(&m, &first);
	for (size_t i = 0; i < k; i++)
		v[at[i]] = files[i];
	fetch_images(v, n, &m);
	return mistakes_err(&m, e);
}
