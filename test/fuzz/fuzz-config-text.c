/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a host.cfg and as a rack.cfg. Adding a key to a valid file
 * succeeds or is refused with a complaint. The result is valid again, and adding the same
 * key a second time changes nothing.
 */
#include "../unit/test-roles.h"
#include "builder/recipe/config-text.h"
#include "lib/log.h"
#include "test/fuzz/fuzz-file.h"

#define KEY                                                                              \
	"ssh-ed25519 "                                                                   \
	"AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a"

static const struct host_templates no_templates;

static void try_key(const uint8_t *data, size_t size, bool rack,
		    const struct roles *roles)
{
	_cleanup_config_text_ struct config_text c = {
		.name = xstrdup("fuzz.cfg"), .rack = rack, .len = size};
	_cleanup_free_ char *once = NULL;
	_cleanup_diag_ struct diag d = {0};

	c.text = xmalloc(size + 1);
	if (size > 0)
		memcpy(c.text, data, size);
	c.text[size] = '\0';
	if (config_text_check(&c, roles, &no_templates, &d) < 0) {
		demand(d.n > 0, "a text was refused without a complaint");
		return;
	}
	demand(d.n == 0, "a complaint about a text that passed");
	if (config_text_add_key(&c, KEY, roles, &d) < 0) {
		demand(d.n > 0, "a key was refused without a complaint");
		return;
	}
	demand(config_text_check(&c, roles, &no_templates, &d) == 0, c.text);
	once = xstrdup(c.text);
	demand(config_text_add_key(&c, KEY, roles, &d) == 0 && streq(c.text, once), once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_roles_ struct roles roles = {0};

	log_setup("fuzz", LOG_LEVEL_ERROR);
	roles_2015(&roles);
	try_key(data, size, false, &roles);
	try_key(data, size, true, &roles);
	return 0;
}
