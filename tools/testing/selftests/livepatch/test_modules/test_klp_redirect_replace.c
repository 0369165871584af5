// SPDX-License-Identifier: GPL-2.0

#define VERSION		4
#define REPLACE		true
#include "test_klp_redirect_patch.h"
