/* SPDX-License-Identifier: Apache-2.0 */
/* The units that are part of rackstrap itself. */
#pragma once

#include "lib/embed.h"

EMBED(unit_firstboot, "firstboot/units/rackstrap-firstboot.service");
EMBED(unit_report, "firstboot/units/rackstrap-report.service");
EMBED(unit_ssh_keys, "firstboot/units/rackstrap-ssh-keys.service");
EMBED(unit_containers, "firstboot/units/rackstrap-containers.service");
EMBED(unit_heal, "firstboot/units/rackstrap-heal.service");
/* Templates (pxe/variables.h), with @targets@, and with @role@ and @conflicts@. */
EMBED(unit_heal_timer, "firstboot/units/rackstrap-heal.timer");
EMBED(unit_role, "firstboot/units/rackstrap-role.target");
