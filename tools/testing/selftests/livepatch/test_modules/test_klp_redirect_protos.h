/* SPDX-License-Identifier: GPL-2.0 */
int FN(none)(void);
int FN(eight)(long a, long b, long c, long d, long e, long f, long g, long h);
int FN(nine)(long a, long b, long c, long d, long e, long f, long g, long h,
	     long i);
int FN(twelve)(long a, int b, char c, long d, long e, long f,
	       struct klp_redirect_pair g, char h, short i, int j, long k, u64 l);
struct klp_redirect_big FN(big)(struct klp_redirect_big arg, long last);
int FN(variadic)(int nr, ...);
int FN(irq)(void *data);
int FN(idle)(unsigned int state, unsigned int cpu);
int FN(leaf)(struct klp_redirect_chain *chain);
int FN(mid)(struct klp_redirect_chain *chain);
int FN(first)(struct klp_redirect_chain *chain);
int FN(recursive)(int depth);
int FN(exported)(long a, long b);
int FN(cmdline_proc_show)(struct seq_file *m, void *v);
void FN(hold)(bool *on);
