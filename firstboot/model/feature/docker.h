/* SPDX-License-Identifier: Apache-2.0 */
/* The feature 'docker': the host runs containers with Docker. */
#pragma once

#define DOCKER_KEY_IDS HOST_DOCKER_OPTIONS

struct docker {
	char **options; /* added to Docker's own */
};
