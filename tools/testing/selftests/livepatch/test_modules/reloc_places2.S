/* SPDX-License-Identifier: GPL-2.0 */
/* ... and its relocations */
#define KLP_PATCH	test_klp_reloc_patch2
#include "reloc_places.S"
