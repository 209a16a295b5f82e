/* SPDX-License-Identifier: Apache-2.0 */
/* The real commands' tables, against their man pages. */
#include "builder/commands.h"
#include "lib/file.h"
#include "lib/str.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_summaries_fit_a_line(void **state)
{
	(void)state;
	for (size_t i = 0; rackstrap.commands[i]; i++)
		assert_true(strlen(rackstrap.commands[i]->summary) <= 80 - 14);
}

static bool has_option(const struct command *c, const char *name, size_t len)
{
	for (const struct command_option *o = c->options; o && o->name; o++)
		if (strlen(o->name) == len && strncmp(o->name, name, len) == 0)
			return true;
	return len == strlen("help") && strncmp(name, "help", len) == 0;
}

static void test_option_tables_are_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; rackstrap.commands[i]; i++) {
		const struct command *c = rackstrap.commands[i];

		for (const struct command_option *o = c->options; o && o->name; o++) {
			assert_true(o->id > 0);
			assert_non_null(o->help);
			assert_true(o->arg || (!o->choice && o->kind == ARG_TEXT));
			for (const struct command_option *p = c->options; p < o; p++) {
				assert_int_not_equal(o->id, p->id);
				assert_string_not_equal(o->name, p->name);
				assert_true(!o->letter || o->letter != p->letter);
			}
		}
		for (const struct command_renamed *r = c->renamed; r && r->old; r++) {
			assert_false(has_option(c, r->old, strlen(r->old)));
			assert_true(has_option(c, r->now, strlen(r->now)));
		}
	}
}

static char *man_page(const char *name)
{
	_cleanup_free_ char *path = xasprintf("man/rackstrap-%s.1", name);
	char *text = NULL;

	if (file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		fail_msg("there is no %s", path);
	return text;
}

/* Returns whether the page has the option "--no-such", in mdoc "Fl Fl no-such". */
static bool page_has(const char *page, const char *option, size_t len)
{
	_cleanup_free_ char *want = xasprintf("Fl Fl %.*s", (int)len, option);
	size_t n = strlen(want);

	for (const char *s = page; (s = strstr(s, want)); s += n)
		if (!isalnum((unsigned char)s[n]) && s[n] != '-')
			return true;
	return false;
}

static void test_man_pages_have_every_option(void **state)
{
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; rackstrap.commands[i]; i++) {
		const struct command *c = rackstrap.commands[i];
		_cleanup_free_ char *page = man_page(c->name);

		for (const struct command_option *o = c->options; o && o->name; o++) {
			if (page_has(page, o->name, strlen(o->name)))
				continue;
			print_message("# man/rackstrap-%s.1 lacks --%s\n", c->name,
				      o->name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

/* Returns whether EXIT STATUS of the page has that status. */
static bool page_has_status(const char *page, const char *status)
{
	_cleanup_free_ char *want = xasprintf("\n.It %s\n", status);
	const char *from = strstr(page, "\n.Sh EXIT STATUS\n");
	const char *end = from ? strstr(from + 1, "\n.Sh ") : NULL;
	const char *at = from ? strstr(from, want) : NULL;

	return at && (!end || at < end);
}

static void test_man_pages_have_every_exit_status(void **state)
{
	/* The commands that look for programs, rights, ports or space, and those whose
	 * status 1 says that two racks differ. */
	static const char *const unable[] = {
		"build",   "fetch",     "lock",   "serve", "rack", "ssh", "write",
		"inspect", "customize", "verify", "diff",  "pxe",  NULL};
	size_t missing = 0;

	(void)state;
	for (size_t i = 0; rackstrap.commands[i]; i++) {
		const char *name = rackstrap.commands[i]->name;
		_cleanup_free_ char *page = man_page(name);
		/* ssh has the status of ssh(1), and serve ends with 0 then. */
		bool signals = !streq(name, "ssh") && !streq(name, "serve");
		const char *const statuses[] = {"1", "2", signals ? "130" : NULL, NULL};

		for (size_t k = 0; statuses[k]; k++) {
			if (page_has_status(page, statuses[k]))
				continue;
			print_message("# man/rackstrap-%s.1 lacks status %s\n", name,
				      statuses[k]);
			missing++;
		}
		if (page_has_status(page, "4") != strv_has((char **)unable, name)) {
			print_message("# man/rackstrap-%s.1: status 4\n", name);
			missing++;
		}
	}
	assert_int_equal(missing, 0);
}

static void test_rackstrap_1_has_the_options_of_every_command(void **state)
{
	_cleanup_free_ char *page = NULL;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, "man/rackstrap.1", 1 << 20, &page, NULL),
			 0);
	for (const struct command_option *o = rackstrap.options; o->name; o++) {
		assert_true(page_has(page, o->name, strlen(o->name)));
		for (size_t i = 0; rackstrap.commands[i]; i++)
			for (const struct command_option *c =
				     rackstrap.commands[i]->options;
			     c && c->name; c++) {
				assert_string_not_equal(c->name, o->name);
				assert_int_not_equal(c->id, o->id);
				assert_true(!c->letter || c->letter != o->letter);
			}
	}
}

static void test_man_pages_have_no_other_option(void **state)
{
	size_t unknown = 0;

	(void)state;
	for (size_t i = 0; rackstrap.commands[i]; i++) {
		const struct command *c = rackstrap.commands[i];
		_cleanup_free_ char *page = man_page(c->name);

		for (char *s = page; (s = strstr(s, "\n.It Fl ")); s++) {
			char *name = strstr(s, "Fl Fl ");

			if (!name || name > s + strcspn(s + 1, "\n"))
				continue;
			name += strlen("Fl Fl ");
			if (has_option(c, name, strcspn(name, " \n")))
				continue;
			print_message("# rackstrap %s has no --%.*s\n", c->name,
				      (int)strcspn(name, " \n"), name);
			unknown++;
		}
	}
	assert_int_equal(unknown, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summaries_fit_a_line),
		cmocka_unit_test(test_option_tables_are_consistent),
		cmocka_unit_test(test_man_pages_have_every_option),
		cmocka_unit_test(test_man_pages_have_every_exit_status),
		cmocka_unit_test(test_rackstrap_1_has_the_options_of_every_command),
		cmocka_unit_test(test_man_pages_have_no_other_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
