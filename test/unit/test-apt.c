/* SPDX-License-Identifier: Apache-2.0 */
/* builder/base/apt.h: which sources apt gets, for this machine's suite and for another
 * one. apt-get is a script that prints its arguments. */
#include "builder/base/apt-resolve.h"
#include "builder/base/apt.h"
#include "lib/file.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static char *top;

static void write_file(const char *name, mode_t mode, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), mode), 0);
}

#define LINE(origin, codename, release, component, uri, entry)                           \
	"Packages\t" origin "\t" codename "\tany\t" release "\t" component "\t" uri      \
	"\t%1$s/" entry "\n"

static int setup(void **state)
{
	_cleanup_free_ char *path = NULL, *said = NULL;

	(void)state;
	assert_int_equal(tempdir_make("/tmp", "test-apt", &top), 0);
	path = xasprintf("%s:/usr/bin:/bin", top);
	setenv("PATH", path, 1);
	said = xasprintf(
		LINE("Debian", "bookworm", "bookworm", "main", "http://a.invalid/d/",
		     "a.sources:1") LINE("Debian", "bookworm", "bookworm", "contrib",
					 "http://a.invalid/d/", "a.sources:1")
			LINE("Debian", "bookworm-updates", "bookworm-updates", "main",
			     "http://a.invalid/d/", "a.sources:1")
				LINE("Debian", "bookworm-security", "stable-security",
				     "main", "http://s.invalid/s/", "b.list:2")
					LINE("Other", "bookworm", "bookworm", "main",
					     "http://o.invalid/", "b.list:1"),
		top);
	write_file("targets", 0644, said);
	write_file("a.sources", 0644, "Types: deb\nURIs: x\nSigned-By: /keys/all.gpg\n");
	write_file("b.list", 0644,
		   "deb http://o.invalid x main\n"
		   "deb [signed-by=/keys/s.gpg] http://s.invalid/s x main\n");
	write_file("apt-get", 0755, "#!/bin/sh\ncat \"${0%/*}/targets\"\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	return 0;
}

static char *sources_only(const char *origin, const char *suite, char *const *only,
			  struct err *e)
{
	char *const components[] = {(char *)"main", NULL};
	_cleanup_buf_ struct buf b = {0};

	if (apt_sources(&b, origin, suite, components, only, NULL, "r.cfg:5", e) < 0)
		return NULL;
	return buf_take(&b);
}

static char *sources(const char *origin, const char *suite, struct err *e)
{
	return sources_only(origin, suite, NULL, e);
}

static void own_suite_uses_the_machines_sources(void **state)
{
	struct err e = {0};
	_cleanup_free_ char *got = sources("Debian", "bookworm", &e);

	(void)state;
	assert_non_null(got);
	assert_string_equal(got, "Types: deb\nURIs: http://a.invalid/d/\n"
				 "Suites: bookworm\nComponents: main\n"
				 "Signed-By: /keys/all.gpg\n\n"
				 "Types: deb\nURIs: http://a.invalid/d/\n"
				 "Suites: bookworm-updates\nComponents: main\n"
				 "Signed-By: /keys/all.gpg\n\n"
				 "Types: deb\nURIs: http://s.invalid/s/\n"
				 "Suites: stable-security\nComponents: main\n"
				 "Signed-By: /keys/s.gpg\n");
}

/* The same archives and keys are used, with the other suite's names. */
static void another_suite_uses_the_machines_archives(void **state)
{
	struct err e = {0};
	_cleanup_free_ char *got = sources("Debian", "trixie", &e);

	(void)state;
	assert_non_null(got);
	assert_string_equal(got, "Types: deb\nURIs: http://a.invalid/d/\n"
				 "Suites: trixie\nComponents: main\n"
				 "Signed-By: /keys/all.gpg\n\n"
				 "Types: deb\nURIs: http://a.invalid/d/\n"
				 "Suites: trixie-updates\nComponents: main\n"
				 "Signed-By: /keys/all.gpg\n\n"
				 "Types: deb\nURIs: http://s.invalid/s/\n"
				 "Suites: trixie-security\nComponents: main\n"
				 "Signed-By: /keys/s.gpg\n");
}

/* The suite has no security archive any more. */
static void only_wanted_pockets_are_used(void **state)
{
	char *const updates[] = {(char *)"updates", NULL}, *const none[] = {NULL};
	char *const security[] = {(char *)"security", NULL};
	struct err e = {0};
	_cleanup_free_ char *a = sources_only("Debian", "trixie", updates, &e);
	_cleanup_free_ char *b = sources_only("Debian", "trixie", none, &e);
	_cleanup_free_ char *c = sources_only("Debian", "bookworm", security, &e);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_string_equal(a, "Types: deb\nURIs: http://a.invalid/d/\n"
			       "Suites: trixie\nComponents: main\n"
			       "Signed-By: /keys/all.gpg\n\n"
			       "Types: deb\nURIs: http://a.invalid/d/\n"
			       "Suites: trixie-updates\nComponents: main\n"
			       "Signed-By: /keys/all.gpg\n");
	assert_string_equal(b, "Types: deb\nURIs: http://a.invalid/d/\n"
			       "Suites: trixie\nComponents: main\n"
			       "Signed-By: /keys/all.gpg\n");
	assert_string_equal(c, "Types: deb\nURIs: http://a.invalid/d/\n"
			       "Suites: bookworm\nComponents: main\n"
			       "Signed-By: /keys/all.gpg\n\n"
			       "Types: deb\nURIs: http://s.invalid/s/\n"
			       "Suites: stable-security\nComponents: main\n"
			       "Signed-By: /keys/s.gpg\n");
}

static void unknown_pocket_is_an_error(void **state)
{
	char *const only[] = {(char *)"updates", (char *)"backports", NULL};
	struct err e = {0};

	(void)state;
	assert_null(sources_only("Debian", "bookworm", only, &e));
	assert_string_equal(e.msg,
			    "r.cfg:5: pockets: apt on this machine knows no archive of "
			    "bookworm-backports: take 'backports' out, or add it to "
			    "apt's sources");
}

static void refuse_components(const char *suite, const char *one, const char *other,
			      const char *want)
{
	char *const components[] = {(char *)one, (char *)other, NULL};
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	assert_int_equal(
		apt_sources(&b, "Debian", suite, components, NULL, NULL, "r.cfg:5", &e),
		-1);
	assert_string_equal(e.msg, want);
}

static void unknown_component_is_named(void **state)
{
	(void)state;
	refuse_components("bookworm", "mian", NULL,
			  "r.cfg:5: base: components: 'mian': apt on this machine knows "
			  "only main, contrib of Debian bookworm (did you mean 'main'?)");
	refuse_components("trixie", "main", "contirb",
			  "r.cfg:5: base: components: 'contirb': apt on this machine "
			  "knows only main, contrib of Debian trixie (did you mean "
			  "'contrib'?)");
	refuse_components("bookworm", "universe", NULL,
			  "r.cfg:5: base: components: 'universe': apt on this machine "
			  "knows only main, contrib of Debian bookworm");
}

static void misspelled_suite_is_guessed(void **state)
{
	(void)state;
	assert_string_equal(apt_suite_guess("bookwrom"), "bookworm");
	assert_string_equal(apt_suite_guess("vivd"), "vivid");
	assert_null(apt_suite_guess("bookworm"));
	assert_null(apt_suite_guess("kali-rolling"));
	assert_null(apt_suite_guess("small"));
}

static void unknown_origin_is_an_error(void **state)
{
	struct err e = {0};

	(void)state;
	assert_null(sources("Ubuntu", "vivid", &e));
	assert_string_equal(
		e.msg, "r.cfg:5: apt on this machine knows no archive of Ubuntu with "
		       "the suite 'vivid': run apt-get update, add it to apt's "
		       "sources, or give base a 'mirror'");
}

static void key_within_the_source_is_kept(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/key.sources", top);
	_cleanup_free_ char *key = NULL, *other = NULL;

	(void)state;
	write_file(
		"key.sources", 0644,
		"Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n a\n"
		"URIs: x\n\nTypes: deb\nSigned-By: one\n two\n");
	key = apt_signed_by(path, 1);
	assert_string_equal(key, "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n a");
	other = apt_signed_by(path, 2);
	assert_string_equal(other, "one\n two");
}

static void pipe_with_a_key_is_not_waited_for(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/pipe.list", top);

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(apt_signed_by(path, 1));
}

/* An index is read in pieces: its stanzas are longer and shorter than one, and begin
 * anywhere in it. */
static void index_is_read_in_pieces(void **state)
{
	_cleanup_lock_base_ struct lock_base b = {0};
	_cleanup_free_ char *path = xasprintf("%s/x_Packages", top), *pad = NULL;
	_cleanup_buf_ struct buf text = {0};
	struct err e = {0};
	struct stat st;

	(void)state;
	pad = xcalloc(200001, 1);
	memset(pad, 'p', 200000);
	for (int i = 0; i < 300; i++) {
		struct lock_package *p = lock_package_add(&b);

		p->path = xasprintf("pool/%03d", i);
		buf_printf(&text,
			   "Package: p%d\nPad: %.*s\nFilename: pool/%03d\nVersion: 1\n"
			   "Architecture: all\nSize: %d\n\n",
			   i, i * 700 % 200000, pad, i, i + 1);
	}
	write_file("x_Packages", 0644, text.p);
	assert_int_equal(apt_parse_index(&b, AT_FDCWD, path, &e), 0);
	for (size_t i = 0; i < b.n_packages; i++) {
		assert_non_null(b.packages[i].name);
		assert_int_equal(b.packages[i].size, i + 1);
	}
	assert_int_equal(stat(path, &st), 0);
	for (int i = 0; i < 6; i++)
		buf_add(&text, pad, 200000); /* no empty line */
	write_file("x_Packages", 0644, text.p);
	assert_int_equal(apt_parse_index(&b, AT_FDCWD, path, &e), -1);
	assert_true(
		str_ends(e.msg, "has more than 1 MiB without an empty line: refused"));
}

/* It would get into the cache. The message does not have it. */
static void source_with_a_password_is_refused(void **state)
{
	_cleanup_free_ char *said =
		xasprintf(LINE("Debian", "bookworm", "bookworm", "main",
			       "http://me:secret@a.invalid/d/", "a.sources:1"),
			  top);
	_cleanup_free_ char *want =
		xasprintf("r.cfg:5: apt's source %s/a.sources:1 has a "
			  "user name or password in its URI: put "
			  "them into apt_auth.conf(5)",
			  top);
	struct err e = {0};

	(void)state;
	write_file("targets", 0644, said);
	assert_null(sources("Debian", "bookworm", &e));
	assert_string_equal(e.msg, want);
	assert_null(sources("Debian", "trixie", &e));
	assert_string_equal(e.msg, want);
}

static void ask_with_cache(void)
{
	char *components[] = {(char *)"main", NULL};
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	if (apt_sources(&out, "Debian", "bookworm", components, NULL, top, "x:1", &e) < 0)
		fail_msg("%s", e.msg);
}

/* `rackstrap cache prune` removes lists that were not used for long. */
static void use_of_the_cached_lists_is_noted(void **state)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	_cleanup_free_ char *file = xasprintf("%s/apt/pkgcache.bin", top);
	struct stat st;

	(void)state;
	ask_with_cache();
	write_file("apt/pkgcache.bin", 0644, "");
	assert_int_equal(utimensat(AT_FDCWD, file, long_ago, 0), 0);
	ask_with_cache();
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_mtime > 1);
}

/* apt would wait for a writer of the FIFO, and write where the link leads. */
static void only_a_regular_file_is_given_to_apt(void **state)
{
	_cleanup_free_ char *file = xasprintf("%s/apt/pkgcache.bin", top);
	struct stat st;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		unlink(file);
		assert_int_equal(kind == 0   ? mkfifo(file, 0644)
				 : kind == 1 ? mkdir(file, 0755)
					     : symlink("elsewhere", file),
				 0);
		ask_with_cache();
		assert_int_equal(lstat(file, &st), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_suite_uses_the_machines_sources),
		cmocka_unit_test(use_of_the_cached_lists_is_noted),
		cmocka_unit_test(only_a_regular_file_is_given_to_apt),
		cmocka_unit_test(another_suite_uses_the_machines_archives),
		cmocka_unit_test(only_wanted_pockets_are_used),
		cmocka_unit_test(unknown_pocket_is_an_error),
		cmocka_unit_test(unknown_origin_is_an_error),
		cmocka_unit_test(unknown_component_is_named),
		cmocka_unit_test(misspelled_suite_is_guessed),
		cmocka_unit_test(key_within_the_source_is_kept),
		cmocka_unit_test(pipe_with_a_key_is_not_waited_for),
		cmocka_unit_test(index_is_read_in_pieces),
		cmocka_unit_test(source_with_a_password_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
