/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the complaints about a configuration. */
#pragma once

#include "firstboot/model/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static inline void assert_lines(const struct diag *d, const char *want)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < d->n; i++)
		buf_printf(&b, "%s\n", d->lines[i]);
	assert_string_equal(b.p ? b.p : "", want);
}
