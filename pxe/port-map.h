/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of where machines are plugged in: CSV (lib/csv.h) whose first row has the names
 * of the columns, in any order:
 *
 *	switch,port,name
 *	leaf-1,Ethernet1,node-1
 *
 * A switch has the name, and its port the one, that the switch sends by LLDP.
 */
#pragma once

#include "lib/csv.h"
#include "lib/intern.h"

struct port_map {
	struct csv csv;
	struct intern places; /* "SWITCH\tPORT", in the order of `names` */
	const char **names;   /* in the table */
};

#define PORT_MAP_MAX (4 * 1024 * 1024) /* bytes of the file */

/* Reads and checks the file. Returns 0, or -1 with complaints. */
int port_map_read(struct port_map *ret, const char *path, struct diag *d) _must_check_;
/* Does the same with a text, which it takes, as csv_parse() does. */
int port_map_parse(struct port_map *ret, char *text, size_t len, const char *name,
		   struct diag *d) _must_check_;
/* Returns the name of the machine at that port, or NULL. Points into the map. */
const char *port_map_find(const struct port_map *m, const char *sw, const char *port);
void port_map_done(struct port_map *m);
#define _cleanup_port_map_ _cleanup_(port_map_done)
