/* SPDX-License-Identifier: Apache-2.0 */
/* Docker: the container images that were baked in (a recipe's containers). */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/conf.h"

#define CONTAINERS_CFG "usr/lib/rackstrap/containers.cfg" /* written by the builder */

/* One image. All strings belong to the struct conf that it was read from. */
struct container {
	const char *image;  /* its name: "calico/node:v0.4.8" */
	const char *file;   /* its archive, an absolute path below the root */
	const char *sha256; /* of the archive */
	const char *id;     /* its id in Docker before 1.10, hexadecimal */
	const char *config; /* its id in later versions, hexadecimal */
};

struct containers {
	struct conf *conf; /* owns the strings */
	struct container *v;
	size_t n;
};

/* Reads the list, empty when the file is absent. Complains about a wrong entry and
 * skips it. */
void containers_read(struct containers *ret, const struct firstboot *fb, struct diag *d);
void containers_done(struct containers *c);
#define _cleanup_containers_ _cleanup_(containers_done)

/* Asks Docker, for at most `timeout_ms`. Returns 1 when it has this image, 0 when it has
 * no image or another one of that name, or -1. */
int container_is_loaded(const struct container *c, unsigned timeout_ms,
			struct err *e) _must_check_;

/*
 * Tests whether Docker can start containers. A daemon that answers and loads images may
 * still start none, and a node without a single working container is Ready for
 * Kubernetes. Therefore one is created, started and removed, once in a boot.
 *
 * Runs the test with the smallest of the image's containers that has a command, and
 * removes the container. Returns 0 when it passed, which is recorded in RUN_DIR, 0 also
 * when no container has a command, or -1 with the reason. Takes at most about two minutes
 * when Docker stops answering. */
int container_start(const struct firstboot *fb, struct err *e) _must_check_;
