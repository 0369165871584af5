# SPDX-License-Identifier: GPL-2.0-only
#
# arm64 live patching on per-function PLTs: put the series onto mainline, build
# it, boot it, test it. 'make help' lists what there is.

SHELL	:= /bin/bash
S	:= $(CURDIR)/series

# What to build from: Debian's linux-source-$(BASE), or LINUX=dir-or-tarball
BASE	?= 7.3
LINUX	?=
# Which kernel to build, see 'make help'; NAME+NAME puts two on top of each other
PROFILE	?= default
PARTS	:= $(filter-out default,$(subst +, ,$(PROFILE)))
# LLVM=-19 takes clang-19
LLVM	?=
# BASELINE=1 takes the kernel without the series
BASELINE ?=

BUILD	?= $(CURDIR)/build
override BUILD := $(abspath $(BUILD))
export BUILD
B	:= $(BUILD)/$(if $(LINUX),user-$(notdir $(patsubst %/,%,$(LINUX))),$(BASE))
TREE	:= $(B)/linux
SRC	:= $(if $(BASELINE),$(B)/base,$(TREE))
O	:= $(B)/$(if $(BASELINE),base-)$(PROFILE)$(if $(LLVM),-llvm)
LPTEST	:= $(TREE)/tools/testing/selftests/livepatch
VMTEST	:= $(LPTEST)/vmtest.sh
USERLAND := $(BUILD)/userland.cpio.zst

# A profile is default.config, then what the series adds, then its own fragment.
FRAGMENTS := $(LPTEST)/vmtest/default.config \
	$(if $(BASELINE),,$(LPTEST)/vmtest/function-plt.config) \
	$(patsubst %,$(LPTEST)/vmtest/%.config,$(if $(BASELINE),$(filter-out unwind,$(PARTS)),$(PARTS)))

# A server's kernel is a distribution's, and not small.
SERVER_CONFIG = $(BUILD)/debian-config/$(BASE)-cloud-arm64
ifeq ($(PROFILE),server)
FRAGMENTS := $(if $(BASELINE),,$(LPTEST)/vmtest/function-plt.config) $(LPTEST)/vmtest/server.config
CONFIG_ON := --base $(SERVER_CONFIG)
endif

# Another CPU model than QEMU's 'max', and more time for tests on slow profiles
CPU	?=
TIMEOUT	?= 1800
# So many suites of 'make test' at a time
JOBS	?= $(shell nproc)

# Page poisoning that is built in is off until the kernel is told.
POISON	= $(if $(filter kasan reloc,$(PARTS)),--append page_poison=1)

# So are interrupts that are masked by their priority.
NMI	= $(if $(filter scs,$(PARTS)),--append irqchip.gicv3_pseudo_nmi=1)

GUEST	= $(VMTEST) $(if $(CPU),--cpu $(CPU)) $(POISON) $(NMI) --image $(O)/arch/arm64/boot/Image --modules $(O)/root --userland $(USERLAND)
DEMO	= --copy $(LPTEST)/vmtest/demo.sh -- bash ./demo.sh

CROSS	:= $(if $(filter aarch64,$(shell uname -m)),,aarch64-linux-gnu-)

# What the demonstration is booted on: the module region far from the kernel
PLACE	?= far

.NOTPARALLEL:

all: demo
.PHONY: all help setup source kernel userland demo shell test test-all test-reloc test-reloc-base \
	test-regs test-redirect test-unwind test-profile test-slots test-matrix stress bench bench-base bench-server am \
	export series-check series-check-quick check-setup kpatch test-kpatch deb clean

help:
	@sed 's/^/  /' $(S)/help.txt

# Packages first: everything else needs them.
GROUPS	= $(if $(LLVM),clang)$(if $(filter bpf,$(PARTS)),$(COMMA)bpf)$(if $(filter server,$(PARTS)),$(COMMA)deb)
COMMA	:= ,
setup:
	@$(S)/setup.sh $(if $(GROUPS),--with '$(GROUPS)')

check-setup:
	@$(S)/setup.sh --with check

source: setup
	@$(S)/source.sh $(if $(LINUX),--linux $(LINUX),--base $(BASE)) $(TREE)
	@$(S)/apply.sh $(TREE)
ifneq ($(BASELINE),)
	@[ -d $(B)/base ] || git -C $(TREE) worktree add -q --detach $(B)/base base
endif

kernel: source
	@for i in $(FRAGMENTS); do [ -r $$i ] || { echo "make: there is no profile '$(PROFILE)' (no $$i)" >&2; exit 2; }; done
ifeq ($(PROFILE),server)
	@$(S)/debian-config.sh --base $(BASE) $(SERVER_CONFIG)
endif
	@$(S)/build.sh $(if $(LLVM),--llvm $(LLVM)) $(CONFIG_ON) $(SRC) $(O) $(FRAGMENTS)

userland: source
	@[ $(USERLAND) -nt $(LPTEST)/vmtest/userland.sh ] || $(LPTEST)/vmtest/userland.sh $(USERLAND)

demo: kernel userland
	@$(GUEST) --$(PLACE) $(DEMO)

shell: kernel userland
	@$(GUEST) --$(PLACE) --shell

# The suites of 'make test', one a line: name, TAB, command. The longest first,
# as several run at a time.
define SUITES
near	$(GUEST) --near --timeout $(TIMEOUT) --tests $(O)/tests
far	$(GUEST) --far --timeout $(TIMEOUT) --tests $(O)/tests
demo-near	$(GUEST) --near $(DEMO)
demo-far-1	$(GUEST) --far --seed 1 $(DEMO)
demo-far-2	$(GUEST) --far --seed 2 $(DEMO)
demo-far-3	$(GUEST) --far --seed 3 $(DEMO)
endef

# What the host tests of unwind tables take from a kernel that has one
UNWIND_TABLE = CROSS_COMPILE=$(CROSS) $(TREE)/tools/testing/unwind-table/run.sh $(if $(filter unwind,$(PARTS)),$(O)/.tmp_vmlinux.unwind $(O)/lib/vsprintf.o)
# What the baseline has no part in: tests of the tools, and the short form of the
# stress of live-patched calls, see 'stress' below
define TOOL_SUITES
check-sites	CROSS_COMPILE=$(CROSS) $(TREE)/scripts/check-patch-sites-test.sh
unwind-table	$(UNWIND_TABLE)
runner	$(LPTEST)/vmtest/selftest.sh --image $(O)/arch/arm64/boot/Image --userland $(USERLAND) --modules $(O)/root
$(if $(filter default,$(PROFILE)$(LLVM)),kpatch	$(S)/kpatch-test.sh --quick $(KPATCH_ARGS)$(NL))series	$(S)/selftest.sh $(TREE)
$(if $(filter off scs,$(PARTS)),,redirect-stress	$(call redirect_stress,far))
endef
export SUITES TOOL_SUITES

test: kernel userland
	@$(if $(BASELINE),:,$(S)/setup.sh --with kpatch)
	@printf '%s\n' "$$SUITES" $(if $(BASELINE),,"$$TOOL_SUITES") >$(O)/suites
	@$(S)/run-tests.sh --jobs $(JOBS) $(O)/suites

# Late relocations alone, CYCLES reloads of a module in each of the tests
CYCLES	?= 50
RELOC_PLACES ?= near far
# reloc PLACE,TESTS - a guest that runs some tests of test-reloc.sh, or all; cores
# with erratum 843419 must be seen to get veneers there
reloc	= $(GUEST) --$(1) --timeout $(TIMEOUT) --tests $(O)/tests -- bash -c "cd livepatch && KLP_CYCLES=$(CYCLES) VENEERS=$(filter cortex-a53,$(CPU)) exec ./test-reloc.sh $(2)"
RELOC_NAME = $(PROFILE)$(if $(CPU),-$(CPU))
define NL


endef
TAB	:= $(shell printf '\t')
RELOC_SUITES = $(subst $(NL) ,$(NL),$(foreach place,$(RELOC_PLACES),reloc-$(RELOC_NAME)-$(place)$(TAB)$(call reloc,$(place))$(NL)))
export RELOC_SUITES

test-reloc: kernel userland
	@printf '%s' "$$RELOC_SUITES" >$(O)/suites-reloc
	@$(S)/run-tests.sh $(O)/suites-reloc

# The kernel without the series, which has to crash: its console says where.
BASE_LOG = $(BUILD)/logs/test-reloc-base.console
define BASE_SUITES
reloc-base	$(GUEST) --far --timeout $(TIMEOUT) --log $(BASE_LOG) --tests $(O)/tests-of-series -- bash -c "cd livepatch && KLP_CYCLES=2 exec ./test-reloc.sh 'reload_target far'" >$(BASE_LOG).out 2>&1; if grep -q 'Unable to handle kernel write to read-only memory' $(BASE_LOG) && grep -q 'pc : module_emit_plt_entry' $(BASE_LOG); then echo 'ok 1 expected failure: base crashes as described'; else tail -n 20 $(BASE_LOG).out | sed 's/^/# /'; echo 'not ok 1 base does not crash as described'; exit 1; fi
endef
export BASE_SUITES

test-reloc-base:
ifeq ($(BASELINE),)
	@$(MAKE) --no-print-directory BASELINE=1 test-reloc-base
else
test-reloc-base: source userland
	@$(S)/build.sh $(if $(LLVM),--llvm $(LLVM)) --tests $(TREE) $(SRC) $(O) $(FRAGMENTS)
	@printf '%s\n' "$$BASE_SUITES" >$(O)/suites-reloc-base
	@$(S)/run-tests.sh $(O)/suites-reloc-base
endif

# The tests of the kernel's tracers by the tracers' own authors, which take a
# kernel with more of them: startup tests, samples/ftrace, selftests/ftrace. With
# BASELINE=1, what the kernel without the series says to them. The series' own
# tests also run without call ops and with what handles LR differently.
define REGS_SUITES
$(REGS_OWN_SUITES)
$(REGS_FTRACE_SUITES)
endef
define REGS_OWN_SUITES
$(PROFILE)-near	$(GUEST) --near --timeout $(TIMEOUT) $(REGS_TESTS)
$(PROFILE)-far	$(GUEST) --far --timeout $(TIMEOUT) $(REGS_TESTS)
endef
define REGS_FTRACE_SUITES
$(REGS_BASE)ftrace-near	$(GUEST) --near --timeout 3600 $(FTRACE_TESTS)
$(REGS_BASE)ftrace-far	$(GUEST) --far --timeout 3600 $(FTRACE_TESTS)
endef
REGS_BASE = $(if $(BASELINE),base-)
REGS_TESTS = --tests $(O)/tests --test livepatch:test-ftrace-regs.sh --test livepatch:test-kprobe.sh
FTRACE_TESTS = --copy $(O)/ftrace --copy $(LPTEST)/vmtest/ftracetest.sh -- bash ./ftracetest.sh ./ftrace
export REGS_SUITES REGS_OWN_SUITES REGS_FTRACE_SUITES

ifeq ($(filter regs scs,$(PROFILE)),)
test-regs:
	@$(MAKE) --no-print-directory PROFILE=regs test-regs
	@[ -n "$(BASELINE)" ] || $(MAKE) --no-print-directory PROFILE=scs test-regs
else
test-regs: kernel userland
ifeq ($(PROFILE),scs)
	@printf '%s\n' "$$REGS_OWN_SUITES" >$(O)/suites-regs
else
	@rm -rf $(O)/ftrace && cp -a $(TREE)/tools/testing/selftests/ftrace $(O)/
	@$(CROSS)gcc -O2 -I $(TREE)/tools/testing/selftests -o $(O)/ftrace/poll $(O)/ftrace/poll.c
	@printf '%s\n' "$(if $(BASELINE),$$REGS_FTRACE_SUITES,$$REGS_SUITES)" >$(O)/suites-regs
endif
	@$(S)/run-tests.sh $(O)/suites-regs
endif

# Reliable stack traces: an interrupt after every instruction, also of those that
# tracers put between a function and its caller, which takes an emulator that
# counts; then whatever runs against the shadow call stack, which this profile has
define UNWIND_SUITES
unwind-table	$(UNWIND_TABLE)
unwind-insns	$(GUEST) --near --icount --timeout 3600 --tests $(O)/tests -- bash -c 'cd livepatch && MIN_ENTRY_CODE=$(ENTRY_CODE) exec ./test-unwind.sh'
unwind-one-cpu	$(GUEST) --near --smp 1 --tests $(O)/tests --test livepatch:test-transition.sh
unwind-near	$(GUEST) --near --timeout 3600 $(UNWIND_TESTS)
unwind-far	$(GUEST) --far --timeout 3600 $(UNWIND_TESTS)
endef
UNWIND_TESTS = --tests $(O)/tests $(patsubst %,--test livepatch:test-%.sh,unwind transition unwind-sample)
# How much of that code has to be seen, in percent
ENTRY_CODE ?= 60
export UNWIND_SUITES

ifneq ($(PROFILE),unwind+shadow)
test-unwind:
	@$(MAKE) --no-print-directory PROFILE=unwind+shadow test-unwind
else
test-unwind: kernel userland
	@printf '%s\n' "$$UNWIND_SUITES" >$(O)/suites-unwind
	@$(S)/run-tests.sh $(O)/suites-unwind
endif

# All tests on another configuration
define PROFILE_SUITES
$(PROFILE)-near	$(GUEST) --near --timeout $(TIMEOUT) --tests $(O)/tests
$(PROFILE)-far	$(GUEST) --far --timeout $(TIMEOUT) --tests $(O)/tests
endef
export PROFILE_SUITES

test-profile: kernel userland
	@printf '%s\n' "$$PROFILE_SUITES" >$(O)/suites-profile
	@$(S)/run-tests.sh $(O)/suites-profile

# redirect_stress PLACE - with few transitions
redirect_stress = $(GUEST) --$(1) --one-thread --timeout $(TIMEOUT) --tests $(O)/tests -- bash -c "cd livepatch && FAR=$(filter far,$(1)) TRANSITIONS=100 exec ./test-redirect.sh stress"

# Only the tests of live-patched calls, for profiles that are slow or that bring
# something which can attach to a function
define REDIRECT_SUITES
redirect-$(PROFILE)-near	$(GUEST) --near --timeout $(TIMEOUT) --tests $(O)/tests --test livepatch:test-redirect.sh
redirect-$(PROFILE)-far	$(GUEST) --far --timeout $(TIMEOUT) --tests $(O)/tests --test livepatch:test-redirect.sh
redirect-$(PROFILE)-stress	$(call redirect_stress,near)
endef
export REDIRECT_SUITES

test-redirect: kernel userland
	@printf '%s\n' "$$REDIRECT_SUITES" >$(O)/suites-redirect
	@$(S)/run-tests.sh $(O)/suites-redirect

# What depends on slots and how they are laid out, on one configuration: a part
# of the selftests. SEEDS are those of further guests with modules far away.
SLOT_TESTS ?= function-plt-kunit function-plt ftrace-samples bad-modules ftrace-regs livepatch
REDIRECT_TESTS ?= basic switch module_to_module function direct stacked replaced module_reloaded \
	far_module bad_data bad_init fault_promote fault_slot
SEEDS	?=
SLOTS	= --timeout $(TIMEOUT) --tests $(O)/tests
slots	= $(SLOTS) $(patsubst %,--test livepatch:test-%.sh,$(1))
slots_redirect = $(SLOTS) -- bash -c "cd livepatch && exec ./test-redirect.sh $(REDIRECT_TESTS)"
suite	= $(1)$(TAB)$(GUEST) --$(2)$(NL)
SLOT_SUITES = $(foreach place,near far,\
	$(call suite,slots-$(PROFILE)-$(place),$(place) $(call slots,$(SLOT_TESTS)))\
	$(if $(REDIRECT_TESTS),$(call suite,redirect-$(PROFILE)-$(place),$(place) $(slots_redirect))))\
	$(foreach seed,$(SEEDS),\
	$(call suite,slots-$(PROFILE)-far-$(seed),far --seed $(seed) $(call slots,function-plt-kunit function-plt)))
export SLOT_SUITES

test-slots: kernel userland
	@sed 's/^ *//;/^$$/d' <<<"$$SLOT_SUITES" >$(O)/suites-slots
	@$(S)/run-tests.sh $(O)/suites-slots

# ... and on every configuration that has them in another form, or not at all:
# pools of slots with kCFI and with -Os, landing pads with both forms, larger pages.
# 'kmemleak' is there for pools of modules, and for modules that are refused, with
# slots and without.
test-matrix:
	@$(MAKE) --no-print-directory SEEDS='1 2 3 4 5' test-slots
	@$(MAKE) --no-print-directory PROFILE=noslot+kmemleak test-slots
	@$(MAKE) --no-print-directory PROFILE=cfi+bti LLVM=-19 test-slots
	@$(MAKE) --no-print-directory PROFILE=bti LLVM=-19 SLOT_TESTS='$(SLOT_TESTS) kprobe' test-slots
	@$(MAKE) --no-print-directory PROFILE=16k+kmemleak test-slots
	@$(MAKE) --no-print-directory PROFILE=64k test-slots
	@$(MAKE) --no-print-directory PROFILE=off REDIRECT_TESTS= \
		SLOT_TESTS='ftrace-samples ftrace-regs livepatch' test-slots

# Every profile that wants a kernel of its own; what can share one does
test-all: test
	@$(MAKE) --no-print-directory test-reloc-base
	@$(MAKE) --no-print-directory PROFILE=reloc+preempt test-reloc
	@$(MAKE) --no-print-directory PROFILE=reloc+preempt CPU=cortex-a53 test-reloc
	@$(MAKE) --no-print-directory PROFILE=kasan+debug+bpf TIMEOUT=7200 CYCLES=10 RELOC_PLACES=far test-reloc
	@$(MAKE) --no-print-directory PROFILE=kasan+debug+bpf TIMEOUT=7200 test-redirect
	@$(MAKE) --no-print-directory test-regs
	@$(MAKE) --no-print-directory test-unwind
	@$(MAKE) --no-print-directory test-matrix

# The same modules over and over: patch first, target first, and with the region
# for direct branches used up, which takes a kernel without KASLR; then ADRPs
# that become veneers. As many guests at a time as there are CPUs.
define STRESS_SUITES
stress-target	$(call reloc,far,'reload_target far')
stress-patch	$(call reloc,far,'reload_patch far')
stress-full	$(call reloc,near,'reload_target full')
endef
define STRESS_ERRATUM_SUITES
stress-erratum-target	$(call reloc,near,'reload_target gap')
stress-erratum-patch	$(call reloc,near,'reload_patch gap')
endef

# Chains of calls of functions that are being patched must be of one version
TRANSITIONS ?= 10000
# redirect PLACE,MODEL,SEED - with one of the preemption models. QEMU 7.2 with a
# thread for each CPU at times goes on with instructions that were replaced, those
# of static keys as well, which test_text_sync shows on a kernel without the
# series: so with one thread, and that is looked for first.
redirect = $(GUEST) --$(1) --one-thread --timeout $(TIMEOUT) --append preempt=$(2) --tests $(O)/tests -- bash -c "cd livepatch && PREEMPT=$(2) FAR=$(filter far,$(1)) SEED=$(3) TRANSITIONS=$(TRANSITIONS) exec ./test-redirect.sh text_sync stress"
define STRESS_REDIRECT_SUITES
stress-redirect-full	$(call redirect,far,full,1)
stress-redirect-lazy	$(call redirect,near,lazy,2)
endef
export STRESS_SUITES STRESS_ERRATUM_SUITES STRESS_REDIRECT_SUITES

stress:
	@$(MAKE) --no-print-directory PROFILE=reloc+preempt POISON= TIMEOUT=7200 stress-suites
	@$(MAKE) --no-print-directory CYCLES=1000 TIMEOUT=7200 stress-suites
	@$(MAKE) --no-print-directory PROFILE=reloc+preempt CPU=cortex-a53 CYCLES=1000 TIMEOUT=7200 stress-suites

.PHONY: stress-suites
stress-suites: kernel userland
	@printf '%s\n' "$(if $(CPU),$$STRESS_ERRATUM_SUITES,$(if $(filter preempt,$(PARTS)),$$STRESS_REDIRECT_SUITES,$$STRESS_SUITES))" >$(O)/suites-stress$(CPU)
	@$(S)/run-tests.sh --jobs $$(nproc) $(O)/suites-stress$(CPU)

# From a source patch to a patched guest with kpatch. It wants a kernel with debug
# information, which makes the kernel's build twice as long; on the default
# profile it gets the few types that it reads.
PATCH	?=
CHECK	?=
NAME	?=
TEST	?=
# As they are: a dollar sign is one for the guest's shell.
override CHECK := $(value CHECK)
override NAME := $(value NAME)
export CHECK NAME
KPATCH_ARGS = --src $(SRC) --obj $(O) --vmtest $(LPTEST) $(if $(filter default,$(PROFILE)),--types)
define KPATCH_SUITES
kpatch	$(S)/kpatch-test.sh $(KPATCH_ARGS) $(TEST)
endef
export KPATCH_SUITES

# What is wrong is said before a kernel is built.
.PHONY: check-kpatch
check-kpatch: $(if $(LLVM),no-llvm)
	@[ -n "$(PATCH)" ] || { echo "make kpatch: say which patch, with PATCH=file.patch" >&2; exit 2; }
	@for i in $(PATCH); do [ -r "$$i" ] || { echo "make kpatch: there is no patch $$i" >&2; exit 2; }; done

kpatch: check-kpatch kernel
	@$(S)/setup.sh --with kpatch
	@$(S)/kpatch.sh try $(KPATCH_ARGS) --$(PLACE) --check "$$CHECK" $${NAME:+--name "$$NAME"} $(PATCH)

test-kpatch: $(if $(LLVM),no-llvm) kernel
	@$(S)/setup.sh --with kpatch
	@printf '%s\n' "$$KPATCH_SUITES" >$(O)/suites-kpatch
	@$(S)/run-tests.sh $(O)/suites-kpatch

# Packages for a Debian server
deb: $(if $(LLVM),no-llvm) kernel
	@$(S)/setup.sh --with deb
	@$(S)/deb.sh $(SRC) $(O)

.PHONY: no-llvm
no-llvm:
	@echo "make: kpatch and Debian's packages take a kernel that GCC built; leave LLVM= out" >&2; exit 2

# Guest instructions, of the kernel without the series and of that with it
bench: kernel userland
	@$(S)/setup.sh --with bench
	@$(MAKE) --no-print-directory BASELINE=1 bench-base
	@$(S)/bench.sh $(BENCHFLAGS) $(TREE) $(USERLAND) $(BUILD)/bench $(B)/base-$(PROFILE)$(if $(LLVM),-llvm) $(O)

bench-base: source userland
	@$(S)/build.sh $(if $(LLVM),--llvm $(LLVM)) --tests $(TREE) $(SRC) $(O) $(FRAGMENTS)

# How much a distribution's kernel grows: vmlinux alone, whose debug information
# would take most of the time. Half an hour each on two cores.
SERVER_SIZE = --vmlinux --base $(SERVER_CONFIG)
bench-server: source
	@$(S)/setup.sh --with deb
	@$(S)/debian-config.sh --base $(BASE) $(SERVER_CONFIG)
	@[ -d $(B)/base ] || git -C $(TREE) worktree add -q --detach $(B)/base base
	@$(S)/build.sh $(SERVER_SIZE) $(B)/base $(B)/base-server-size $(LPTEST)/vmtest/server.config $(S)/no-debug.config
	@$(S)/build.sh $(SERVER_SIZE) $(TREE) $(B)/server-size $(LPTEST)/vmtest/function-plt.config $(LPTEST)/vmtest/server.config $(S)/no-debug.config
	@$(S)/bench.sh --sizes $(B)/base-server-size $(B)/server-size

am:
	@[ -n "$(LINUX)" ] || { echo "make am: say which tree, with LINUX=dir" >&2; exit 2; }
	@$(S)/apply.sh --am $(LINUX)

export:
	@$(S)/export.sh $(TREE)

series-check: check-setup source userland
	@$(S)/check.sh --full $(TREE)

series-check-quick: check-setup source
	@$(S)/check.sh $(TREE)

clean:
	rm -rf $(O) $(B)/base-$(PROFILE)$(if $(LLVM),-llvm) $(B)/check $(BUILD)/logs
