/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/unit-dirs.h"

#include "lib/str.h"

const char *const unit_dirs[UNIT_DIRS] = {
	"etc/systemd/system/", "usr/lib/systemd/system/",
	"lib/systemd/system/", /* where /usr is not merged */
};

bool unit_dirs_have(const char *path)
{
	for (size_t i = 0; i < UNIT_DIRS; i++)
		if (str_after(path, unit_dirs[i]))
			return true;
	return false;
}
