// SPDX-License-Identifier: GPL-2.0
/* Another function of the same name, for symbol positions */

#include <linux/compiler.h>

#include "reloc.h"

static noinline __used int test_klp_reloc_twin(void)
{
	return TEST_KLP_RELOC_TWIN2;
}
