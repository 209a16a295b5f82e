/* SPDX-License-Identifier: Apache-2.0 */
/* The names that a host gives to templates are those of man/rackstrap-template.5. */
#include "firstboot/model/feature.h"
#include "firstboot/model/host-template.h"
#include "firstboot/model/template-parts.h"
#include "lib/file.h"

#include "test-host.h"

/* Returns the names of the page, "host.KEY" and so on. Owned by the caller. */
static char **names_of_page(void)
{
	_cleanup_free_ char *page = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct strv_builder names = {0};
	char *section, *end;

	assert_int_equal(
		file_read_at(AT_FDCWD, "man/rackstrap-template.5", 1 << 20, &page, NULL),
		0);
	section = strstr(page, "\n.Sh NAMES\n");
	assert_non_null(section);
	end = strstr(section + 1, "\n.Sh ");
	assert_non_null(end);
	*end = '\0';
	lines = strv_split(section, "\n");
	for (size_t i = 0; lines[i]; i++) {
		_cleanup_strv_ char **words = NULL;
		_cleanup_buf_ struct buf b = {0};
		bool joins = false;

		if (!str_after(lines[i], ".It Cm "))
			continue;
		words = strv_split(lines[i] + strlen(".It "), " ");
		for (size_t k = 0; words[k]; k++) {
			if (streq(words[k], "Cm") || streq(words[k], "Ar"))
				continue;
			if (streq(words[k], "Ns")) {
				joins = true;
				continue;
			}
			if (b.len > 0 && !joins) {
				strv_builder_add(&names, b.p);
				buf_done(&b);
				b = (struct buf){0};
			}
			if (!streq(words[k], ","))
				buf_puts(&b, words[k]);
			joins = words[k][strlen(words[k]) - 1] == '.';
		}
		strv_builder_add(&names, b.p);
	}
	return strv_builder_take(&names);
}

/* Returns the name as the page has it. Owned by the caller. */
static char *general_name(const char *name, char *const *page)
{
	const struct host_key *k = NULL;
	const char *rest = str_after(name, "host.");

	if (strv_has(page, name))
		return xstrdup(name);
	if (str_after(name, "role."))
		return xstrdup("role.ROLE");
	if (str_after(name, "hosts."))
		return xstrdup("hosts.ROLE");
	if (rest) {
		_cleanup_free_ char *key = xstrndup(rest, strcspn(rest, "."));

		k = host_key_find(key);
		rest += strlen(key);
	}
	return k ? xasprintf("host.KEY%s", rest) : xstrdup(name);
}

static void man_page_has_the_names(void **state)
{
	_cleanup_strv_ char **page = names_of_page();
	_cleanup_template_schema_ struct template_schema *s = NULL;
	_cleanup_strv_builder_ struct strv_builder found = {0};
	struct role role = {.name = (char *)"some", .features = FEATURES_ALL};
	const struct roles roles = {.v = &role, .n = 1};
	const struct host_template any = {0};
	size_t bad = 0;

	(void)state;
	s = host_template_schema(&any, &roles);
	for (size_t i = 0; i < s->n; i++) {
		_cleanup_free_ char *name = general_name(s->rows[i].name, page);

		strv_builder_add(&found, name);
		if (!strv_has(page, name)) {
			print_error("the page lacks %s\n", s->rows[i].name);
			bad++;
		}
	}
	for (size_t i = 0; page[i]; i++) {
		if (!strv_has(found.v, page[i])) {
			print_error("there is no %s\n", page[i]);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(man_page_has_the_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
