/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes of a configuration, which conf.c makes from what libconfig has parsed, and
 * pxe/rack-expand.c from other nodes. They do not change after they were made, except for
 * what is remembered of the complaints about them.
 */
#pragma once

#include "firstboot/model/conf-source.h"
#include "firstboot/model/conf.h"

struct conf_node {
	enum conf_type type;
	unsigned line, column; /* 0: not known */
	const char *file, *key;
	const char *near; /* the key that an unknown one is a misspelling of, or NULL */
	bool array;       /* a list that is written in [ ] */
	bool shared;      /* complaints about it are only added once */
	bool complained;  /* there was one */
	union {
		const char *s; /* also CONF_OTHER, as it is written */
		int i;
		bool b;
		struct {
			const struct conf_node **v;
			size_t n, room;
		} nodes;
	};
};

struct conf {
	char *name;
	struct conf_source source; /* its text only while it is parsed */
	struct conf_node *root;
	struct conf_block *blocks; /* memory of all nodes and texts */
};

/* Returns zeroed memory, which the configuration owns. */
void *conf_alloc(struct conf *c, size_t size);
/* Frees all memory of nodes and texts. */
void conf_free_blocks(struct conf *c);
