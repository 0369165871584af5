// SPDX-License-Identifier: GPL-2.0
#define SECOND
#include "test_function_plt_self.c"
