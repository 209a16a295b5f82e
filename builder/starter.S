/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/starter.h"
