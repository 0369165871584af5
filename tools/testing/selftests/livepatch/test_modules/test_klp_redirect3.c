// SPDX-License-Identifier: GPL-2.0

#define VERSION		3
#define REPLACE		false
#include "test_klp_redirect_patch.h"
