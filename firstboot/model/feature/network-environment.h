/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feature 'network-environment': a file of NAME=VALUE lines, which units read by
 * EnvironmentFile=, and which ${NAME} in a role's `ready` stands for.
 */
#pragma once

#define NETWORK_ENVIRONMENT_KEY_IDS HOST_ENVIRONMENT

struct network_environment {
	char **entries; /* NAME=VALUE, added to those of the image's template */
};
