/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are part of the program. A header lists them, EMBED(NAME, "PATH");, each
 * path relative to the repository's root. In C that declares embed_NAME and
 * embed_NAME_end, with a NUL after the file's last byte that is not counted. An assembler
 * file that includes the same header defines them.
 */
#pragma once

#ifndef __ASSEMBLER__
#define EMBED(name, path) extern const char embed_##name[], embed_##name##_end[]
#else
#define EMBED(name, path) embed name, path

/* clang-format off */
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

	.section .note.GNU-stack, "", @progbits
	.section .rodata
/* clang-format on */
#endif
