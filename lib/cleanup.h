/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes, scope guards and macros that most files use.
 *
 * A guarded variable is always initialised where it is declared. TAKE_PTR() and TAKE_FD()
 * return its value and reset it, so that the guard does not free what was handed over.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_   __attribute__((warn_unused_result))
#define _unused_       __attribute__((unused))
#define _noreturn_     __attribute__((noreturn))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                                                                      \
	({                                                                               \
		__typeof__(p) *take_ = &(p);                                             \
		__typeof__(p) taken_ = *take_;                                           \
		*take_ = NULL;                                                           \
		taken_;                                                                  \
	})

#define TAKE_FD(fd)                                                                      \
	({                                                                               \
		int *take_ = &(fd);                                                      \
		int taken_ = *take_;                                                     \
		*take_ = -1;                                                             \
		taken_;                                                                  \
	})

static inline void free_p(void *p)
{
	free(*(void **)p);
}

static inline void close_p(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void fclose_p(FILE **f)
{
	int saved = errno;

	if (*f)
		fclose(*f);
	errno = saved;
}

static inline void closedir_p(DIR **d)
{
	int saved = errno;

	if (*d)
		closedir(*d);
	errno = saved;
}

#define _cleanup_free_     _cleanup_(free_p)
#define _cleanup_close_    _cleanup_(close_p)
#define _cleanup_fclose_   _cleanup_(fclose_p)
#define _cleanup_closedir_ _cleanup_(closedir_p)
