/* SPDX-License-Identifier: Apache-2.0 */
/* lib/escape.h. */
#include "lib/escape.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_html(const char *text, const char *want)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "|");
	escape_html(&b, text);
	assert_string_equal(b.p + 1, want);
}

static void markup_becomes_text(void **state _unused_)
{
	assert_html("", "");
	assert_html(NULL, "");
	assert_html("node-1", "node-1");
	assert_html("</td><script>alert('1')</script>",
		    "&lt;/td&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
	assert_html("\" onload=\"x&amp;", "&quot; onload=&quot;x&amp;amp;");
	assert_html("&&", "&amp;&amp;");
}

/* Characters that XML does not allow, or that hide or reorder a text. */
static void other_characters_are_replaced(void **state _unused_)
{
	assert_html("gr\xc3\xbc\xc3\x9f"
		    "e",
		    "gr\xc3\xbc\xc3\x9f"
		    "e");
	assert_html("a\033[31m\x01\x7f", "a?[31m??");
	assert_html("a\nb\tc", "a b c");
	assert_html("a\x9b\xff", "a??");
	assert_html("\xe2\x80\xae<", "???&lt;");       /* U+202E */
	assert_html("\xef\xbf\xbe|", "???|");          /* U+FFFE */
	assert_html("\xf0\x9f\xbf\xbf|", "????|");     /* U+1FFFF */
	assert_html("\xef\xb7\x90|", "???|");          /* U+FDD0 */
	assert_html("\xef\xbf\xbd|", "\xef\xbf\xbd|"); /* U+FFFD */
}

static void assert_cut(const char *text, size_t max, const char *want)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "|");
	escape_html_cut(&b, text, max);
	assert_string_equal(b.p + 1, want);
}

static void long_texts_are_cut_between_characters(void **state _unused_)
{
	assert_cut("node-1", 6, "node-1");
	assert_cut("node-10", 6, "node-\xe2\x80\xa6");
	assert_cut("<<<<", 3, "&lt;&lt;\xe2\x80\xa6");
	assert_cut("\xc3\xbc\xc3\xbc\xc3\xbc", 3, "\xc3\xbc\xc3\xbc\xc3\xbc");
	assert_cut("\xc3\xbc\xc3\xbc\xc3\xbc", 2, "\xc3\xbc\xe2\x80\xa6");
	assert_cut(NULL, 2, "");
}

static void labels_end_where_they_should(void **state _unused_)
{
	_cleanup_buf_ struct buf b = {0};

	escape_label(&b, "a\"} 1\nb\\");
	assert_string_equal(b.p, "a\\\"} 1 b\\\\");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_becomes_text),
		cmocka_unit_test(other_characters_are_replaced),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(labels_end_where_they_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
