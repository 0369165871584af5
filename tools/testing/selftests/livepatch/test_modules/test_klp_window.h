/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _TEST_KLP_WINDOW_H
#define _TEST_KLP_WINDOW_H

int test_klp_window_func(int depth);

#endif
