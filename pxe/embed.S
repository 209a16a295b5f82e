/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the files that embed.h lists into the program. Their paths are from the
 * repository's root, where the Makefile assembles. */

.macro embed name, path
	.globl	embed_\name
	.type	embed_\name, @object
	.globl	embed_\name\()_end
	.balign	16
embed_\name:
	.incbin	"\path"
embed_\name\()_end:
	.byte	0
	.size	embed_\name, . - embed_\name
.endm

	.section .rodata
#include "pxe/embed.h"

	.section .note.GNU-stack, "", @progbits
