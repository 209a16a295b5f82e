/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads members of JSON objects from elsewhere. In pxe/ only this header includes
 * jansson.h. All functions return 0, or -1 with a message that names the member; *ret is
 * set on success only.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

#include <jansson.h>

void json_decref_p(json_t **j);
#define _cleanup_jansson_ _cleanup_(json_decref_p)

/* Parses a text that is an object, of a limited number of values and without duplicate
 * members. */
int json_get_object(json_t **ret, const char *text, size_t len,
		    struct err *e) _must_check_;

/* Checks that `format` is 1. */
int json_check_format(const json_t *j, struct err *e) _must_check_;

/* Read a member. Strings are the caller's, an array is the object's. If the member is
 * null or missing, those whose names say so leave *ret as it is. */
int json_get_str(const json_t *j, const char *key, char **ret,
		 struct err *e) _must_check_;
int json_get_str_or_null(const json_t *j, const char *key, char **ret,
			 struct err *e) _must_check_;
int json_get_u64(const json_t *j, const char *key, uint64_t *ret,
		 struct err *e) _must_check_;
int json_get_bool(const json_t *j, const char *key, bool *ret,
		  struct err *e) _must_check_;
int json_get_array(const json_t *j, const char *key, const json_t **ret,
		   struct err *e) _must_check_;
int json_get_strv(const json_t *j, const char *key, char ***ret,
		  struct err *e) _must_check_;
int json_get_strv_if_any(const json_t *j, const char *key, char ***ret,
			 struct err *e) _must_check_;
