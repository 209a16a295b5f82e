/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts as coloured boxes in SVG 1.1, for the status page and for `rackstrap check
 * --svg`. The colours are classes of templates/picture.css, which follows the viewer's
 * preference for light or dark. Names are texts from elsewhere: they are escaped.
 */
#pragma once

#include "lib/str.h"

/* A box with a name and a second line, and one without any text. */
#define PICTURE_BOX_WIDTH  152
#define PICTURE_BOX_HEIGHT 46 /* with one note; see picture_box_height() */
#define PICTURE_DOT        10
#define PICTURE_DOT_GAP    2

struct picture_box {
	const char *kind; /* class: "ready", "busy", "late", "failed", "silent" */
	const char *name;
	const char *note; /* the second line, or NULL */
	const char *more; /* the third, or NULL */
	unsigned percent; /* of a bar at its lower edge; 0: no bar */
};

unsigned picture_box_height(const struct picture_box *box);

/* Append the elements of a box whose upper left corner is at x, y, inside an <svg>. */
void picture_append_box(struct buf *b, const struct picture_box *box, unsigned x,
			unsigned y);
void picture_append_dot(struct buf *b, const char *kind, unsigned x, unsigned y);

/* Returns the number of dots in a row, for a picture of `n` of them. */
size_t picture_columns(size_t n);

/* Appends templates/picture.css. */
void picture_append_css(struct buf *b);

/*
 * Appends its rules and `more`, which are for light, and again for dark in a media query.
 * They have colours in place of variables, which programs that convert or print an SVG
 * do not know: librsvg 2.54 paints everything black.
 */
void picture_append_own_css(struct buf *b, const char *more);
