/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as each of apt's texts: the list of its indexes, a source file,
 * the URLs of the packages it would install, Packages and Release. Checks that URLs of
 * apt become packages with a path and a release.
 */
#include "builder/base/apt-resolve.h"
#include "builder/base/apt.h"
#include "lib/log.h"
#include "test/fuzz/fuzz-file.h"

static const char sources[] =
	"Types: deb\nURIs: http://deb.example/debian/\nSuites: bookworm "
	"bookworm-updates\n"
	"Components: main\n\nTypes: deb\nURIs: http://sec.example/debian-security\n"
	"Suites: bookworm-security\nComponents: main\n";

static void try_sources(const char *text)
{
	static const char *const components[] = {"main", NULL}, *const only[] = {
									"updates", NULL};
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	if (apt_parse_sources(&b, text, "Debian", "bookworm", (char *const *)components,
			      NULL, "fuzz.cfg:1", &e) == 0) {
		demand(str_after(b.p, "Types: deb\nURIs: ") != NULL, b.p);
		free(apt_archive_of(b.p, "bookworm"));
	} else {
		demand(e.msg[0], "targets were refused without an error");
	}
	(void)!apt_parse_sources(&b, text, "Debian", "trixie", (char *const *)components,
				 (char *const *)only, "fuzz.cfg:1", NULL);
	free(apt_archive_of(text, "bookworm"));
}

#define RELEASE "deb.example_debian_dists_bookworm-updates_InRelease"
#define INPUT   100 /* the input's descriptor, the target of the links below */

static char folder[] = "/tmp/fuzz-apt.XXXXXX";

static void remove_folder(void)
{
	(void)!rm_rf_at(AT_FDCWD, folder);
}

/* Returns a folder with links to the input, one for each kind of file; makes it once. */
static int named_inputs(void)
{
	static int dir = -1;
	_cleanup_free_ char *path = fuzz_file_path(INPUT);

	if (dir >= 0)
		return dir;
	demand(mkdtemp(folder) && atexit(remove_folder) == 0, folder);
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	demand(symlinkat(path, dir, "a.list") == 0, folder);
	demand(symlinkat(path, dir, "a.sources") == 0, folder);
	demand(symlinkat(path, dir, "a_Packages") == 0, folder);
	demand(symlinkat(path, dir, RELEASE) == 0, folder);
	return dir;
}

static void try_key(const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", folder, name);

	for (unsigned n = 0; n < 4; n++)
		free(apt_signed_by(path, n));
}

static void try_indexes(const char *text, int dir)
{
	_cleanup_lock_base_ struct lock_base b = {0};
	struct err e = {0};
	size_t n;

	if (apt_parse_urls(&b, sources, text, &e) < 0) {
		demand(e.msg[0], "URLs were refused without an error");
		lock_base_done(&b);
		demand(apt_parse_urls(&b, sources,
				      "'http://deb.example/debian/pool/a.deb' a.deb 1\n",
				      &e) == 0,
		       e.msg);
	}
	n = b.n_packages;
	for (size_t i = 0; i < n; i++)
		demand(b.packages[i].path && b.packages[i].release, text);
	demand(apt_parse_index(&b, dir, "a_Packages", &e) == 0, e.msg);
	demand(b.n_packages == n, "an index added packages");
}

static void try_release(int dir)
{
	_cleanup_lock_base_ struct lock_base b = {0};
	struct err e = {0};

	demand(apt_parse_release(&b, dir, RELEASE, &e) == 0, e.msg);
	demand(b.n_releases == 1 && streq(b.releases[0].name, "bookworm-updates"),
	       RELEASE);
	demand(b.releases[0].date && b.releases[0].sha256, RELEASE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_close_ int fd = fuzz_file(data, size);
	int dir = named_inputs();

	log_setup("fuzz", LOG_LEVEL_ERROR);
	demand(dup2(fd, INPUT) == INPUT, "dup2");
	try_sources(text);
	try_key("a.list");
	try_key("a.sources");
	try_indexes(text, dir);
	try_release(dir);
	return 0;
}
