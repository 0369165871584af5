// SPDX-License-Identifier: GPL-2.0
/* A second target */
#define KLP_RELOC_EXPORTED	test_klp_reloc_exported2
#include "reloc_target.c"
