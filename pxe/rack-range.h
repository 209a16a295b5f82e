/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of numbers in values of rack.cfg(5): "node-[1-40]", "r[1-4]-n[01-20,31]". A
 * bracket has numbers and ranges of them, separated by commas. With a leading zero, all
 * numbers of the bracket have at least as many digits as that one. Several brackets count
 * like the digits of a number: the last one first. In a text of the form of a MAC
 * address, "52:54:00:25:00:[08-1f]", the numbers are hexadecimal. Other text in brackets,
 * as in "http://[2001:db8::1]/", is no range.
 */
#pragma once

#include "lib/str.h"

#define RACK_RANGE_MAX 1000000 /* values of a text */

struct rack_range_part {
	char *text;      /* before the bracket */
	bool hex;        /* its numbers are hexadecimal */
	unsigned digits; /* at least so many */
	uint32_t *first; /* number of each of its ranges */
	size_t *before;  /* numbers in the ranges before each of them */
	size_t n, count; /* ranges, and numbers in all of them */
};

struct rack_range {
	struct rack_range_part *parts;
	size_t n;     /* 0: the text has no range */
	char *rest;   /* behind the last bracket */
	size_t count; /* values; 1 for a text without a range */
};

/* Parses a text. Returns NULL, or what is wrong with it, "[9-1] counts down: ...", owned
 * by the caller; then `ret` is unchanged. */
char *rack_range_parse(struct rack_range *ret, const char *text) _must_check_;
/* Returns value `i` of `count`. Owned by the caller. */
char *rack_range_at(const struct rack_range *r, size_t i);
void rack_range_done(struct rack_range *r);
#define _cleanup_rack_range_ _cleanup_(rack_range_done)
