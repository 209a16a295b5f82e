/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/conf.h"

#include "test-conf.h"

static struct conf *parse(const char *text)
{
	_cleanup_diag_ struct diag d = {0};
	struct conf *c = NULL;

	if (conf_parse(&c, text, strlen(text), "a.cfg", CONF_MAX, 0, &d) < 0)
		fail_msg("%s", d.lines[0]);
	return c;
}

/* Checks that the text is refused with exactly the lines in `want`. */
static void refuse_len(const char *text, size_t len, unsigned flags, const char *want)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};

	assert_int_equal(conf_parse(&c, text, len, "a.cfg", CONF_MAX, flags, &d), -1);
	assert_null(c);
	assert_lines(&d, want);
}

static void refuse(const char *text, const char *want)
{
	refuse_len(text, strlen(text), CONF_NO_INCLUDE, want);
}

/* Checks what is printed for a text, with the line and the caret. */
static void shows(const char *text, const char *want)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_buf_ struct buf b = {0};
	struct conf *c = NULL;

	assert_int_equal(conf_parse(&c, text, strlen(text), "a.cfg", CONF_MAX,
				    CONF_NO_INCLUDE, &d),
			 -1);
	for (size_t i = 0; i < d.n; i++) {
		_cleanup_free_ char *one = diag_text(&d, i);

		buf_printf(&b, "%s\n", one);
	}
	assert_string_equal(b.p, want);
}

static void test_values_of_every_type_are_read(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = parse("# a comment\n"
					      "name = \"node-1\"; // another\n"
					      "nat = true; /* a\nthird */\n"
					      "mtu = 9000;\n"
					      "low = -2147483648;\n"
					      "hex = 0x7fffffff;\n"
					      "dns = [ \"a\", \"b\" ];\n"
					      "empty = ( );\n"
					      "g : { inner = \"x\"; };\n");
	const struct conf_node *root = conf_root(c), *g = NULL, *l = NULL;
	_cleanup_strv_ char **v = NULL;
	const char *s = NULL;
	bool b = false;
	int i = 0;

	assert_int_equal(conf_get_str(root, "name", &s, &d), 1);
	assert_string_equal(s, "node-1");
	assert_int_equal(conf_get_bool(root, "nat", &b, &d), 1);
	assert_true(b);
	assert_int_equal(conf_get_int(root, "mtu", 68, 65535, &i, &d), 1);
	assert_int_equal(i, 9000);
	assert_int_equal(conf_get_int(root, "low", INT32_MIN, 0, &i, &d), 1);
	assert_int_equal(i, INT32_MIN);
	assert_int_equal(conf_get_int(root, "hex", 0, INT32_MAX, &i, &d), 1);
	assert_int_equal(i, INT32_MAX);
	assert_int_equal(conf_get_strv(root, "dns", &v, &d), 1);
	assert_int_equal(strv_len(v), 2);
	assert_string_equal(v[1], "b");
	assert_int_equal(conf_get_list(root, "empty", &l, &d), 1);
	assert_int_equal(conf_len(l), 0);
	assert_int_equal(conf_get_strv(root, "empty", &v, &d), 1);
	assert_int_equal(strv_len(v), 0);
	assert_int_equal(conf_get_group(root, "g", &g, &d), 1);
	assert_int_equal(conf_get_str(g, "inner", &s, &d), 1);
	assert_string_equal(s, "x");
	assert_string_equal(conf_key(g), "g");
	assert_int_equal(d.n, 0);
}

static void test_absent_values_are_left_alone(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = parse("g : { };");
	const struct conf_node *g = NULL;
	const char *s = "untouched";

	assert_int_equal(conf_get_str(conf_root(c), "name", &s, &d), 0);
	assert_string_equal(s, "untouched");
	assert_int_equal(conf_get_group(conf_root(c), "g", &g, &d), 1);
	assert_null(conf_member(g, "name"));
	assert_null(conf_member(NULL, "name"));
	assert_int_equal(conf_len(NULL), 0);
	assert_int_equal(d.n, 0);
}

/* A value of another type has no elements, although it shares its memory with a list. */
static void test_elements_that_are_not_there(void **state _unused_)
{
	static const char *const keys[] = {"number", "text",  "bool",
					   "other",  "empty", "one"};
	_cleanup_conf_ struct conf *c =
		parse("number = 5; text = \"0123456789\"; bool = true; other = 2.5; "
		      "empty = ( ); one = [ 1 ];");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_null(conf_at(conf_member(conf_root(c), keys[i]), 1));
	assert_null(conf_at(conf_member(conf_root(c), "number"), 0));
	assert_null(conf_at(conf_member(conf_root(c), "empty"), 0));
	assert_non_null(conf_at(conf_member(conf_root(c), "one"), 0));
	assert_null(conf_at(NULL, 0));
}

static void test_empty_file_has_no_members(void **state _unused_)
{
	_cleanup_conf_ struct conf *a = parse(""), *b = parse("# nothing\n");

	assert_int_equal(conf_len(conf_root(a)), 0);
	assert_int_equal(conf_len(conf_root(b)), 0);
	assert_string_equal(conf_name(a), "a.cfg");
}

/* libconfig's own look-up interprets "a/b" as a path and finds "a". */
static void test_member_is_not_a_path(void **state _unused_)
{
	_cleanup_conf_ struct conf *c = parse("a = 1; g : { b = 2; };");

	assert_null(conf_member(conf_root(c), "a/b"));
	assert_null(conf_member(conf_root(c), "g.b"));
	assert_null(conf_member(conf_member(conf_root(c), "a"), "b"));
}

static void test_all_wrong_types_are_reported(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = parse("name = 1;\nnat = \"yes\";\nmtu = 70000;\n"
					      "big = 1L;\ndns = \"172.25.0.1\";\n"
					      "mix = ( \"a\", 2 );\ng = 1;\nl = 2.5;\n");
	const struct conf_node *root = conf_root(c), *n = NULL;
	_cleanup_strv_ char **v = NULL;
	const char *s = NULL;
	bool b;
	int i;

	assert_int_equal(conf_get_str(root, "name", &s, &d), -1);
	assert_int_equal(conf_get_bool(root, "nat", &b, &d), -1);
	assert_int_equal(conf_get_int(root, "mtu", 68, 65535, &i, &d), -1);
	assert_int_equal(conf_get_int(root, "big", 68, 65535, &i, &d), -1);
	assert_int_equal(conf_get_strv(root, "dns", &v, &d), -1);
	assert_int_equal(conf_get_strv(root, "mix", &v, &d), -1);
	assert_null(v);
	assert_int_equal(conf_get_group(root, "g", &n, &d), -1);
	assert_int_equal(conf_get_list(root, "l", &n, &d), -1);
	assert_int_equal(conf_str(conf_member(root, "l"), &s, &d), -1);
	assert_lines(&d, "a.cfg:1: name: must be a string: write it in quotation marks\n"
			 "a.cfg:2: nat: must be true or false\n"
			 "a.cfg:3: mtu: must be 68 to 65535, not 70000\n"
			 "a.cfg:4: big: must be a whole number: write digits only, "
			 "without '.' and 'L'\n"
			 "a.cfg:5: dns: must be a list of strings: [ \"...\", ... ]\n"
			 "a.cfg:6: mix: element 2 must be a string\n"
			 "a.cfg:7: g: must be a group: { ... }\n"
			 "a.cfg:8: l: must be a list: ( ... )\n"
			 "a.cfg:8: must be a string: write it in quotation marks\n");
}

static void test_unknown_keys_get_a_suggestion(void **state _unused_)
{
	static const char *const keys[] = {"address", "name", NULL};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c =
		parse("name = 1;\nadress = 2;\n\nzzzzzzzzzzzz = 3;\n");

	assert_int_equal(conf_check_keys(conf_root(c), keys, &d), -1);
	assert_lines(&d, "a.cfg:2: unknown key 'adress' (did you mean 'address'?)\n"
			 "a.cfg:4: unknown key 'zzzzzzzzzzzz'\n");
}

static void test_syntax_errors_name_the_line(void **state _unused_)
{
	shows("name = \"a\";\nrole \"node\";\n", "a.cfg:2: '=' is missing behind 'role'\n"
						 "    role \"node\";\n"
						 "         ^\n");
	shows("b = 1;\na = 1;\na = 2;\n", "a.cfg:3: 'a' is given twice, first in line 2\n"
					  "    a = 2;\n"
					  "    ^\n");
	shows("a = [ 1, \"b\" ];\n", "a.cfg:1: this element has another type than the "
				     "first; in [ ... ] all have "
				     "one type\n"
				     "    a = [ 1, \"b\" ];\n"
				     "             ^\n");
	shows("a = 1;\n/* never\nended\n",
	      "a.cfg:2: this comment is not terminated: */ is missing\n"
	      "    /* never\n"
	      "    ^\n");
	refuse_len("a = 1;\n\0b = 2;\n", 15, 0,
		   "a.cfg:2: a NUL byte: this is not a text file\n");
}

/* Behind a missing quote, strings and text are exchanged up to the end of the file. */
static void test_unclosed_string_is_found_where_it_begins(void **state _unused_)
{
	static const char want[] = "a.cfg:2: this string has no closing quotation mark\n"
				   "    b = \"x;\n"
				   "        ^\n";

	shows("a = 1;\nb = \"x;\n", want);
	shows("a = 1;\nb = \"x;\nc = \"y\";\nd = \"z\";\n", want);
	shows("a = 1;\nb = \"x;\nc = \"y;\nd = \"z\";\n", want); /* an even number */
	shows("a = \"1\n2\"; # lines on purpose\nb = \"x;\nc = \"y\";\n",
	      "a.cfg:3: this string has no closing quotation mark\n"
	      "    b = \"x;\n"
	      "        ^\n");
	shows("a = \"1\n2\";\nb = y;\n",
	      "a.cfg:3: this value has no quotation marks: write \"y\"\n"
	      "    b = y;\n"
	      "        ^\n");
	shows("a = { b = \"x; c = \"y\"; };\n",
	      "a.cfg:1: this string has no closing quotation mark\n"
	      "    a = { b = \"x; c = \"y\"; };\n"
	      "              ^\n");
	shows("a = \"x\xe2\x80\x9d;\nb = \"y\";\n",
	      "a.cfg:1: this string has no closing quotation mark: \xe2\x80\x9d is a "
	      "typographic one, write \"\n"
	      "    a = \"x\xe2\x80\x9d;\n"
	      "          ^\n");
	shows("a = x\";\nb = \"y\";\n",
	      "a.cfg:1: this string has no opening quotation mark\n"
	      "    a = x\";\n"
	      "        ^\n");
}

/* Checks the first line that is printed for a text. */
static void says(const char *text, const char *want)
{
	_cleanup_diag_ struct diag d = {0};
	struct conf *c = NULL;

	assert_int_equal(conf_parse(&c, text, strlen(text), "a.cfg", CONF_MAX, 0, &d),
			 -1);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0], want);
}

static void test_mistakes_are_called_what_they_are(void **state _unused_)
{
	says("a = 172.25.0.1/24;",
	     "a.cfg:1: this value has no quotation marks: write \"172.25.0.1/24\"");
	says("a = 52:54:00:25:00:10;",
	     "a.cfg:1: this value has no quotation marks: write \"52:54:00:25:00:10\"");
	says("a = /dev/vda;",
	     "a.cfg:1: this value has no quotation marks: write \"/dev/vda\"");
	says("a = yes;", "a.cfg:1: write true for 'yes', or a string in \"\"");
	says("a = 'x';", "a.cfg:1: ' is no quotation mark of a string: write \"");
	says("a = \xe2\x80\x9cx\xe2\x80\x9d;",
	     "a.cfg:1: \xe2\x80\x9c is a typographic quotation mark: write \"");
	says("a\xc2\xa0= 1;", "a.cfg:1: this looks like a blank, but is the character "
			      "U+00A0: write a blank");
	says("a = 1;\n\xe2\x80\x8b",
	     "a.cfg:2: the character U+200B, which is not shown: delete it");
	says("\xe4 = 1;", "a.cfg:1: the byte 0xe4 is not UTF-8: save the file as UTF-8");
	says("\xef\xbb\xbf# x\na = 1;",
	     "a.cfg:1: begins with a byte order mark (BOM): save "
	     "the file as UTF-8 without BOM");
	says("a = \"x\"y\";",
	     "a.cfg:1: the string ends before this: a \" in a string is written \\\"");
	says("a = ;", "a.cfg:1: 'a' has no value");
	says("a = 1;;", "a.cfg:1: unexpected ';': delete it");
	says("a = [ \"x\" /* */\n\"y\" ];",
	     "a.cfg:2: a ',' is missing between two strings of a list");
	says("a = ( { b = \"x\"\n\"y\"; }, \"x\" \"y\" );",
	     "a.cfg:2: a ',' is missing between two strings of a list");
	says("a == 1;", "a.cfg:1: one '=' too many: delete it");
	says("\"a\" = 1;", "a.cfg:1: a key is written without quotation marks");
	says("a.b = 1;",
	     "a.cfg:1: 'a.b' is not a key: a letter, then letters, digits, '_' "
	     "and '-'");
	says("a = 1; @include \"b\"",
	     "a.cfg:1: write @include \"FILE\" in a line of its own");
}

static void test_brackets_are_found(void **state _unused_)
{
	says("a = [ { b = 1; } ];",
	     "a.cfg:1: [ ... ] has strings or numbers only: a list "
	     "of groups or lists is written ( ... )");
	says("a = { { b = 1; } };",
	     "a.cfg:1: { ... } has settings, key = value; a list of groups is written "
	     "( { ... }, { ... } )");
	says("a = ( b = 1; );",
	     "a.cfg:1: a setting in a list must be in a group: ( { key = value; } )");
	says("a = {\nb = 1;\n", "a.cfg:1: this '{' is not closed: a '}' is missing");
	says("a = (\n{ b = 1;\n);",
	     "a.cfg:3: ')' does not close the '{' of line 2: '}' is missing");
	says("a = [ \"x\";\nb = 1;", "a.cfg:1: this '[' is not closed: a ']' is missing");
	says("a = [ \"x\"\nb = 1;", "a.cfg:1: this '[' is not closed: a ']' is missing");
	says("a = 1; }", "a.cfg:1: this '}' closes nothing: delete it");
	says("a = ( 1,\n2\n3 );", "a.cfg:2: a ',' is missing between two elements");
	says("a = [ 1, 2, ];", "a.cfg:1: no ',' may follow the last element");
	says("a = ( , );", "a.cfg:1: an element is missing before this ','");
}

static void test_other_languages_are_named(void **state _unused_)
{
	static const char utf16[] = "\xff\xfe"
				    "a\0=\0";

	says("{ \"a\": { } }",
	     "a.cfg:1: this is JSON: write it as libconfig reads it, key = \"value\";");
	says("# x\n---\na: 1\n",
	     "a.cfg:1: this is YAML: write it as libconfig reads it, key = \"value\";");
	says("a:\n  - b: c\n",
	     "a.cfg:1: this is YAML: write it as libconfig reads it, key = \"value\";");
	says("[a]\nb = c\n",
	     "a.cfg:1: this is an INI or TOML file: write it as libconfig "
	     "reads it, key = \"value\";");
	says("<html>",
	     "a.cfg:1: this is HTML or XML: write it as libconfig reads it, key = "
	     "\"value\";");
	refuse_len(utf16, sizeof(utf16) - 1, 0,
		   "a.cfg: is a text in UTF-16: save it as UTF-8\n");
}

/* A line that may have a secret is not shown, nor is its value quoted. */
static void test_secrets_are_not_shown(void **state _unused_)
{
	shows("report_token = hunter2;\n",
	      "a.cfg:1: this value has no quotation marks: write \"...\"\n");
	shows("report_token =\nhunter2;\n",
	      "a.cfg:2: this value has no quotation marks: write \"...\"\n");
	shows("a = [ \"http://me:hunter2@host/\", \"b\", ];\n",
	      "a.cfg:1: no ',' may follow the last element\n");
}

/* libconfig 1.5 reads 4294967297 as 1. */
static void test_numbers_do_not_wrap(void **state _unused_)
{
	refuse("a = 1;\nb = 4294967297;\nc = -2147483649;\n",
	       "a.cfg:2: the number 4294967297 is out of range (at most 2147483647)\n"
	       "a.cfg:3: the number -2147483649 is out of range (at most 2147483647)\n");
	refuse("b = 0x80000000;\n",
	       "a.cfg:1: the number 0x80000000 is out of range (at most 2147483647)\n");
	refuse("b = 99999999999999999999999999;\n",
	       "a.cfg:1: the number 99999999999999999999999999 is out of range "
	       "(at most 2147483647)\n");
	conf_free(parse(
		"s = \"4294967297\"; # 4294967297\n/* 4294967297 */ x99999999999 = 1;"));
}

static void test_include_is_refused(void **state _unused_)
{
	refuse("  @include \"/etc/passwd\"\n",
	       "a.cfg:1: @include is not allowed in this file\n");
	refuse("a = 1;\r\n@include \"x\"\n@include \"y\"\n",
	       "a.cfg:2: @include is not allowed in this file\n"
	       "a.cfg:3: @include is not allowed in this file\n");
	conf_free(parse("s = \"\n@include \\\"x\\\"\"; # @include \"y\"\n"));
}

/* A rack may have more values, and one of 10,000 hosts is far below the limit. */
static void test_values_are_limited(void **state _unused_)
{
	_cleanup_buf_ struct buf lists = {0}, texts = {0};
	_cleanup_diag_ struct diag d = {0};
	struct conf *c;

	buf_puts(&lists, "a = (\n");
	for (int i = 0; i < 125000; i++)
		buf_puts(&lists, "((0)),");
	buf_puts(&lists, "0);\n");
	assert_int_equal(
		conf_parse(&c, lists.p, lists.len, "a.cfg", CONF_MAX_IMAGE, 0, &d), -1);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0],
			    "a.cfg:2: too many values: at most 500000 are allowed");

	assert_int_equal(
		conf_parse(&c, lists.p, lists.len, "a.cfg", CONF_MAX_RACK, 0, &d), 0);
	conf_free(c);

	buf_puts(&texts, "hosts = (");
	for (int i = 0; i < 10000; i++)
		buf_printf(
			&texts,
			"%s{name=\"node-%d\";role=\"node\";mac=\"52:54:00:25:%02x:%02x\";"
			"address=\"10.0.%d.%d/16\";cbr0=\"10.%d.%d.1/"
			"24\";vm={memory=\"1G\";"
			"cpus=2;};labels=[\"a\",\"b\",\"c\"];environment=[\"A=b,c=(d)\"];"
			"}",
			i ? "," : "", i, i / 256, i % 256, i / 256, i % 256,
			100 + i / 256, i % 256);
	buf_puts(&texts, ");");
	assert_int_equal(
		conf_parse(&c, texts.p, texts.len, "a.cfg", CONF_MAX_RACK, 0, &d), 0);
	conf_free(c);
}

static void test_depth_is_limited(void **state _unused_)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "a = ");
	for (int i = 0; i < 20000; i++)
		buf_puts(&b, "(");
	refuse(b.p, "a.cfg:1: groups and lists are nested more than 32 deep\n");
	conf_free(parse(
		"a = ((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))"
		";\n"));
}

static void test_size_is_limited(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};
	struct conf *c = NULL;

	assert_int_equal(conf_parse(&c, "a = 1;", 6, "a.cfg", 5, 0, &d), -1);
	assert_lines(&d, "a.cfg: larger than 5 bytes\n");
	assert_int_equal(conf_parse(&c, "a = 1;", 6, "a.cfg", 6, 0, NULL), 0);
	conf_free(c);
}

static void test_quoted_text_is_read_back(void **state _unused_)
{
	const char *text = "a \"b\" \\c\\ \n\t\r\x01\x7f \xc3\xa9 end";
	_cleanup_buf_ struct buf b = {0};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag d = {0};
	const char *s = NULL;

	buf_puts(&b, "s = ");
	conf_quote(&b, text);
	buf_puts(&b, ";\n");
	c = parse(b.p);
	assert_int_equal(conf_get_str(conf_root(c), "s", &s, &d), 1);
	assert_string_equal(s, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_of_every_type_are_read),
		cmocka_unit_test(test_absent_values_are_left_alone),
		cmocka_unit_test(test_elements_that_are_not_there),
		cmocka_unit_test(test_empty_file_has_no_members),
		cmocka_unit_test(test_member_is_not_a_path),
		cmocka_unit_test(test_all_wrong_types_are_reported),
		cmocka_unit_test(test_unknown_keys_get_a_suggestion),
		cmocka_unit_test(test_syntax_errors_name_the_line),
		cmocka_unit_test(test_unclosed_string_is_found_where_it_begins),
		cmocka_unit_test(test_mistakes_are_called_what_they_are),
		cmocka_unit_test(test_brackets_are_found),
		cmocka_unit_test(test_other_languages_are_named),
		cmocka_unit_test(test_secrets_are_not_shown),
		cmocka_unit_test(test_numbers_do_not_wrap),
		cmocka_unit_test(test_include_is_refused),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_values_are_limited),
		cmocka_unit_test(test_size_is_limited),
		cmocka_unit_test(test_quoted_text_is_read_back),
	};

	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
