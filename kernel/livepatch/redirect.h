/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LIVEPATCH_REDIRECT_H
#define _LIVEPATCH_REDIRECT_H

#include <linux/livepatch.h>

#include "patch.h"

#ifdef CONFIG_LIVEPATCH_REDIRECT

extern const struct attribute_group *klp_redirect_func_groups[];
#define KLP_REDIRECT_FUNC_GROUPS	klp_redirect_func_groups

void klp_redirect_hold(void);
void klp_redirect_note_stacks(void);
void klp_redirect_promote(void);
int klp_redirect_demote(struct klp_patch *patch);
void klp_redirect_demote_module(struct module *mod);

static inline void klp_redirect_init_ops(struct klp_ops *ops)
{
	INIT_LIST_HEAD(&ops->fops.redirect.node);
}

#else /* !CONFIG_LIVEPATCH_REDIRECT */

#define KLP_REDIRECT_FUNC_GROUPS	NULL

static inline void klp_redirect_hold(void) { }
static inline void klp_redirect_note_stacks(void) { }
static inline void klp_redirect_promote(void) { }
static inline int klp_redirect_demote(struct klp_patch *patch) { return 0; }
static inline void klp_redirect_demote_module(struct module *mod) { }
static inline void klp_redirect_init_ops(struct klp_ops *ops) { }

#endif /* CONFIG_LIVEPATCH_REDIRECT */

#endif /* _LIVEPATCH_REDIRECT_H */
