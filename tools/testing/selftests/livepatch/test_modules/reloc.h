/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RELOC_H
#define _RELOC_H

/* Which target exports what under which name, and who patches it */
#ifndef KLP_PATCH
#define KLP_PATCH		test_klp_reloc_patch
#endif
#ifndef KLP_TARGET
#define KLP_TARGET		test_klp_reloc_target
#endif
#ifndef KLP_RELOC_EXPORTED
#define KLP_RELOC_EXPORTED	test_klp_reloc_exported
#endif

/* What the functions that are called through relocations return */
#define TEST_KLP_RELOC_EXPORTED	0x1001
#define TEST_KLP_RELOC_STATIC	0x1002
#define TEST_KLP_RELOC_TWIN1	0x2001
#define TEST_KLP_RELOC_TWIN2	0x2002
#define TEST_KLP_RELOC_BEFORE	0x3001
#define TEST_KLP_RELOC_AFTER	0x3002

/* Absolute symbols of the patch: only a livepatch module keeps such */
#define TEST_KLP_RELOC_ABS16	0x1234
#define TEST_KLP_RELOC_ABS32	0x12345678
#define TEST_KLP_RELOC_ABS48	0x123456789abc
#define TEST_KLP_RELOC_NEG16	-5
#define TEST_KLP_RELOC_NEG32	-0x12340001
#define TEST_KLP_RELOC_NEG48	-0x123400000001
#define TEST_KLP_RELOC_WORD	0x1122334455667788

#ifndef __ASSEMBLER__

#include <linux/types.h>

/* Addresses that the target knows without any help of live patching */
struct test_klp_reloc_truth {
	unsigned long var;
	unsigned long exported;
};

/* reloc_target.c */
int KLP_RELOC_EXPORTED(void);

/* reloc_places.S: functions that try relocations, and places to look at */
#define FN(name) u64 name(void)
FN(klp_local_before); FN(klp_local_after);
FN(klp_t_call26); FN(klp_t_call26_again); FN(klp_t_jump26);
FN(klp_t_twin1); FN(klp_t_twin2);
FN(klp_t_condbr19); FN(klp_t_cbz); FN(klp_t_tstbr14);
FN(klp_t_adrp_add); FN(klp_t_ldst8); FN(klp_t_ldst16); FN(klp_t_ldst32);
FN(klp_t_ldst64); FN(klp_t_erratum); FN(klp_t_adr); FN(klp_t_ld_lo19);
FN(klp_t_uabs_g3); FN(klp_t_uabs_g0); FN(klp_t_uabs_g1); FN(klp_t_uabs_g2);
FN(klp_t_sabs_g0); FN(klp_t_sabs_g0_neg); FN(klp_t_sabs_g1_neg);
FN(klp_t_sabs_g2_neg);
FN(klp_t_prel_g3); FN(klp_t_prel_g2); FN(klp_t_prel_g1); FN(klp_t_prel_g0);

extern u32 klp_p_jump26;
extern const u32 klp_p_erratum;
extern const u32 klp_p_ldst128;
extern const u64 klp_local_word;
extern const s16 klp_data_prel16;
extern const char klp_local_data[];

#define DATA(prefix)							\
	extern const u64 prefix##_abs64, prefix##_odd_abs64;		\
	extern const s64 prefix##_prel64;				\
	extern const s32 prefix##_prel32, prefix##_odd_prel32;		\
	extern const u32 prefix##_abs32;				\
	extern const u16 prefix##_abs16, prefix##_odd_abs16
DATA(klp_data);
DATA(klp_rodata);
DATA(klp_roai);

/* test_klp_reloc_multi.c */
int call_target(void);
int call_target2(void);

#endif /* !__ASSEMBLER__ */

#endif /* _RELOC_H */
