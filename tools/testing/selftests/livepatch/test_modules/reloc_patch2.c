// SPDX-License-Identifier: GPL-2.0
/* A second patch for the same target */
#define KLP_PATCH	test_klp_reloc_patch2
#include "reloc_patch.c"
