// SPDX-License-Identifier: GPL-2.0
/*
 * Make live-patch transitions at random, as fast as they complete, and disturb
 * them: the part of the stress test in test-redirect.sh that 10,000 of them
 * would keep a shell busy with for hours.
 *
 *   test_klp-stress TRANSITIONS SEED [SECONDS]
 *
 * To be run in the directory of test-redirect.sh with its target module loaded
 * and callers of its functions under way. Patches are enabled (which loads their
 * module), disabled, reversed and replaced; the module of each patch that is
 * gone is unloaded before the next transition. Whenever no transition is under
 * way all functions of the target module have to be of the version of the patch
 * on top.
 *
 * What it does is a function of SEED, except for when the kernel has completed
 * a transition. Exit status: 0 if all transitions were made, or as many as
 * SECONDS allow for; 1 if something failed or the kernel complained.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define KLP	"/sys/kernel/livepatch"
#define TARGET	"test_klp_redirect_mod"
#define EXPECT	"/sys/module/" TARGET "/parameters/expect"
#define SWITCH	"/sys/module/livepatch/parameters/redirect"
#define CPU1	"/sys/devices/system/cpu/cpu1/online"

/* How long to wait for anything */
#define LIMIT	120

static const struct patch {
	const char *name;
	int version, replace;
} patches[] = {
	{ "test_klp_redirect2", 2, 0 },
	{ "test_klp_redirect3", 3, 0 },
	{ "test_klp_redirect_replace", 4, 1 },
	{ "test_klp_redirect_replace2", 5, 1 },
};

#define for_each_patch(p) \
	for (p = patches; p < patches + sizeof(patches) / sizeof(*patches); p++)

static struct {
	unsigned long transitions, enabled, disabled, replaced, reversed, freed;
	unsigned long acts, during, reloads, traced, switched, hotplugged;
	unsigned long branch, handler, checks;
} sum;

static const char *tracing = "/sys/kernel/tracing";
static int kmsg;

static void fail(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(" (after %lu transitions)\n", sum.transitions);
	exit(1);
}

static unsigned long long state;

/* xorshift64*, so that a seed means the same everywhere */
static unsigned int dice(unsigned int sides)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;

	return (state * 2685821657736338717ull >> 33) % sides;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Read a file of sysfs; -1 and errno if it is not there */
static int get(char *buf, size_t size, const char *path)
{
	int fd = open(path, O_RDONLY), len, err;

	if (fd < 0)
		return -1;
	len = read(fd, buf, size - 1);
	err = errno;
	close(fd);
	errno = err;
	if (len < 0)
		return -1;
	buf[len] = 0;
	return len;
}

static int get_int(const char *path)
{
	char buf[32];

	return get(buf, sizeof(buf), path) < 0 ? -1 : atoi(buf);
}

static int put(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY | O_TRUNC), ret, err;

	if (fd < 0)
		return -1;
	ret = write(fd, val, strlen(val));
	err = errno;
	close(fd);
	errno = err;
	return ret < 0 ? -1 : 0;
}

static const char *path(const char *fmt, ...)
{
	static char buf[4][256];
	static int i;
	va_list args;

	i = (i + 1) % 4;
	va_start(args, fmt);
	vsnprintf(buf[i], sizeof(buf[i]), fmt, args);
	va_end(args);
	return buf[i];
}

static int applied(const struct patch *p)
{
	return !access(path(KLP "/%s", p->name), F_OK);
}

static int loaded(const char *mod)
{
	return !access(path("/sys/module/%s", mod), F_OK);
}

/* The patch in transition, or NULL */
static const struct patch *transition(void)
{
	const struct patch *p;

	for_each_patch(p)
		if (get_int(path(KLP "/%s/transition", p->name)) == 1)
			return p;
	return NULL;
}

/* A patch that is off but still there, with or without its files */
static const struct patch *leaving(void)
{
	const struct patch *p;

	for_each_patch(p)
		if (applied(p) && get_int(path(KLP "/%s/enabled", p->name)) != 1 &&
		    applied(p))
			return p;
	return NULL;
}

static void settle(void)
{
	double limit = now() + LIMIT;
	const struct patch *p;

	while ((p = transition()) || (p = leaving())) {
		if (now() > limit)
			fail("the transition of %s does not complete", p->name);
		usleep(1000);
	}
}

static void load(const char *mod)
{
	int fd = open(path("test_modules/%s.ko", mod), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		fail("cannot load %s: %m", mod);
	close(fd);
}

/* Those who use it may still be about to leave */
static void unload(const char *mod)
{
	double limit = now() + LIMIT;

	while (syscall(SYS_delete_module, mod, O_NONBLOCK)) {
		if ((errno != EWOULDBLOCK && errno != EBUSY) || now() > limit)
			fail("cannot unload %s: %m", mod);
		usleep(1000);
	}
}

/* Free the modules of patches that are gone */
static void sweep(void)
{
	const struct patch *p;

	settle();
	for_each_patch(p) {
		if (applied(p) || !loaded(p->name))
			continue;
		unload(p->name);
		sum.freed++;
	}
}

/* What tracefs says about the functions */
static void show(void)
{
	FILE *file = fopen(path("%s/enabled_functions", tracing), "r");
	char line[512];
	int ours = 0;

	while (file && fgets(line, sizeof(line), file)) {
		if (*line != '\t')
			ours = !!strstr(line, "redirect_");
		if (ours)
			printf("# %s", line);
	}
	if (file)
		fclose(file);
}

/* No transition is under way: is everything of the version on top? */
static void verify(void)
{
	int order, top = 0, version = 1;
	const struct patch *p, *which = NULL;
	char val[32];

	for_each_patch(p) {
		order = get_int(path(KLP "/%s/stack_order", p->name));
		if (order > top) {
			top = order;
			which = p;
			version = p->version;
		}
	}

	snprintf(val, sizeof(val), "%d", version);
	if (put(EXPECT, val)) {
		int err = errno;

		/* How it is reached now, and whether that is better */
		show();
		printf("# once more: %s\n", put(EXPECT, val) ? strerror(errno) : "right");
		errno = err;
		fail("not version %d: %m", version);
	}
	sum.checks++;

	if (!which || get(val, sizeof(val), path(KLP "/%s/" TARGET "/redirect_nine,1/redirect",
						 which->name)) < 0)
		return;
	if (!strncmp(val, "near", 4) || !strncmp(val, "far", 3))
		sum.branch++;
	else
		sum.handler++;
}

/* Has the kernel said something that it should not? */
static void listen(void)
{
	static const char * const bad[] = {
		"WARNING:", "BUG:", "Oops", "ftrace bug", "Call trace:",
		"INFO: possible", "refcount_t:", "suspicious",
	};
	static char buf[8192];
	int len;

	while ((len = read(kmsg, buf, sizeof(buf) - 1)) > 0) {
		buf[len] = 0;
		for (int i = 0; i < (int)(sizeof(bad) / sizeof(*bad)); i++)
			if (strstr(buf, bad[i]))
				fail("the kernel complains: %s", buf);
	}
	if (len < 0 && errno != EAGAIN)
		fail("the kernel has said more than it keeps: %m");
}

static void tracer(const char *name)
{
	if (put(path("%s/current_tracer", tracing), name) && errno != EINVAL)
		fail("cannot set the tracer %s: %m", name);
}

/*
 * What a tracer traces can be changed at once. To change the tracer takes grace
 * periods of RCU-tasks, many of which would be all that this does. Not
 * set_graph_function: changing it while the tracer runs was seen to crash it.
 */
static void filter(int on)
{
	put(path("%s/set_ftrace_filter", tracing), on ? "redirect_*" : "ksys_sync");
	sum.traced += on;
}

/* Something that may happen at any time, also during a transition */
static void disturb(void)
{
	switch (dice(400)) {
	case 0 ... 199:
		filter(dice(2));
		break;
	case 200 ... 390:
		/* Refused if somebody is in the middle of it */
		put(SWITCH, dice(3) ? "1" : "0");
		sum.switched++;
		break;
	case 391 ... 392:
		tracer("function_graph");
		break;
	case 393 ... 394:
		tracer("function");
		break;
	case 395 ... 396:
		tracer("nop");
		break;
	case 397:
		unload(TARGET);
		load(TARGET);
		sum.reloads++;
		break;
	case 398 ... 399:
		if (access(CPU1, W_OK))
			break;
		if (put(CPU1, get_int(CPU1) ? "0" : "1"))
			fail("cannot take a CPU off or on line: %m");
		sum.hotplugged++;
		break;
	}
}

/* Begin another transition */
static void transit(void)
{
	const struct patch *p = &patches[dice(2)];

	/*
	 * One that replaces the others is always at the bottom, until it is
	 * disabled itself. Not often: when no function is patched any more, that
	 * takes a grace period of RCU-tasks for each.
	 */
	if (!sum.transitions || !dice(8)) {
		p = &patches[2 + loaded(patches[2].name)];
		if (!dice(50))
			p = &patches[2 + loaded(patches[3].name)];
	}

	if (applied(p)) {
		if (put(path(KLP "/%s/enabled", p->name), "0"))
			fail("cannot disable %s: %m", p->name);
		sum.disabled++;
	} else {
		load(p->name);
		sum.enabled++;
		sum.replaced += p->replace;
	}
	sum.transitions++;
}

static void act(void)
{
	const struct patch *p = transition();
	int on;

	sum.acts++;
	if (!p) {
		disturb();
		return;
	}

	sum.during++;
	if (dice(3)) {
		disturb();
		return;
	}

	/* It may have completed by now, and be gone even */
	on = get_int(path(KLP "/%s/enabled", p->name));
	if (on >= 0 && !put(path(KLP "/%s/enabled", p->name), on ? "0" : "1"))
		sum.reversed++;
}

static void report(double start)
{
	printf("# %lu transitions in %.0f s: %lu enabled, %lu of them replacing,",
	       sum.transitions, now() - start, sum.enabled, sum.replaced);
	printf(" %lu disabled; %lu reversed; %lu modules freed\n",
	       sum.disabled, sum.reversed, sum.freed);
	printf("# %lu disturbances, %lu of them during a transition: %lu tracers,",
	       sum.acts, sum.during, sum.traced);
	printf(" %lu switches, %lu target reloads, %lu CPUs; %lu checks found",
	       sum.switched, sum.reloads, sum.hotplugged, sum.checks);
	printf(" %lu branches, %lu handlers\n", sum.branch, sum.handler);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned long nr = argc > 1 ? strtoul(argv[1], NULL, 0) : 30;
	double start = now(), end = argc > 3 ? start + atof(argv[3]) : 0;

	state = (argc > 2 ? strtoull(argv[2], NULL, 0) : 1) * 0x9e3779b97f4a7c15ull + 1;

	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		fail("/dev/kmsg: %m");
	if (access(tracing, F_OK) || access(path("%s/current_tracer", tracing), F_OK))
		tracing = "/sys/kernel/debug/tracing";

	/* Memory is to be freed as soon as it can be */
	put("/sys/kernel/rcu_expedited", "1");
	filter(0);
	tracer("function");

	while (sum.transitions < nr && (!end || now() < end)) {
		sweep();
		transit();
		/* Many of them do not outlast the first act */
		while (dice(2))
			act();
		sweep();
		verify();
		listen();
		if (!dice(4)) {
			sum.acts++;
			disturb();
		}
		if (sum.transitions % 500 == 0)
			report(start);
	}

	sweep();
	put(CPU1, "1");
	put("/sys/kernel/rcu_expedited", "0");
	listen();
	report(start);
	return 0;
}
