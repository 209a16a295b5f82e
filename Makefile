# SPDX-License-Identifier: Apache-2.0
#
# rackstrap. `make rack` goes from nothing to a running rack in QEMU; `make check` runs
# the tests, `make check-long` the long ones; `make help` lists the rest. O=DIR builds
# elsewhere, V=1 shows the commands, DEV=1 turns warnings into errors, SAN=1 builds with
# ASan and UBSan, COV=1 for coverage, CC=clang works.

O	?= build
ifneq ($(words $(O)),1)
$(error O must be one word, not '$(O)')
endif
# The only place of the version; NEWS and debian/changelog are compared with it by
# test/cli/version.sh.
VERSION	:= $(strip $(file <VERSION))

# Folders with the names of the GNU coding standards. rackstrap looks for firstboot in the
# folder that it is itself in.
prefix		?= /usr/local
exec_prefix	?= $(prefix)
bindir		?= $(exec_prefix)/bin
datarootdir	?= $(prefix)/share
datadir		?= $(datarootdir)
mandir		?= $(datarootdir)/man
docdir		?= $(datarootdir)/doc/rackstrap
completiondir	?= $(datadir)/bash-completion/completions

CFLAGS	?= -O2 -g
WARN	:= -Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wimplicit-fallthrough
HARDEN	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS += -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DRACKSTRAP_VERSION='"$(VERSION)"'
BASE_CFLAGS = -std=gnu11 $(WARN) -ffile-prefix-map='$(CURDIR)/'= -MMD -MP
LDFLAGS	+= -Wl,-z,relro,-z,now -Wl,--as-needed

ifeq ($(DEV),1)
BASE_CFLAGS += -Werror
endif
ifeq ($(SAN),1)
BASE_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
else
BASE_CFLAGS += $(HARDEN)
endif
ifeq ($(COV),1)
BASE_CFLAGS += --coverage
LDFLAGS += --coverage
endif

Q	:= $(if $(filter 1,$(V)),,@)
say	= $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all deps deps-build deps-run deps-test deps-long picture image rack lint check check-unit check-asan check-clang check-fuzz check-build \
	check-repro check-qemu check-long coverage bench install uninstall deb clean help \
	images-mirror

# Sets the variable $(1) to what pkg-config prints for the arguments $(2). It runs when the
# variable is first used, and once: targets that compile nothing, such as deps, work
# without pkg-config.
pkg_config	= $(eval $(1) := $(shell pkg-config $(2)))$(if \
		  $(filter 0,$(.SHELLSTATUS)),$($(1)),$(error pkg-config failed: run 'make deps'))
PKGS_BUILDER	:= libconfig libarchive liblzma libzstd libcurl libcrypto jansson libsodium libguestfs fdisk libsquashfs1 yaml-0.1
PKG_CFLAGS	= $(call pkg_config,PKG_CFLAGS,--cflags $(PKGS_BUILDER))
PKG_CMOCKA_CFLAGS = $(call pkg_config,PKG_CMOCKA_CFLAGS,--cflags cmocka)
PKG_BUILDER	= $(call pkg_config,PKG_BUILDER,--libs $(PKGS_BUILDER))
PKG_CMOCKA	= $(call pkg_config,PKG_CMOCKA,--libs cmocka)
PKG_FIRSTBOOT	= $(call pkg_config,PKG_FIRSTBOOT,--static --libs libconfig libsodium)
PKG_STANDIN	= $(call pkg_config,PKG_STANDIN,--static --libs jansson)
LIBS_BUILDER	= $(PKG_BUILDER)

src	= $(sort $(foreach d,$(1),$(wildcard $(d)/*.c) $(wildcard $(d)/*.S)))
obj	= $(patsubst %,$(O)/obj/%.o,$(basename $(1)))

LIB_OBJ		:= $(call obj,$(call src,lib))
MODEL_OBJ	:= $(call obj,$(call src,firstboot/model firstboot/model/feature))
PLAN_OBJ	:= $(call obj,$(call src,firstboot/plan firstboot/plan/feature))
FIRSTBOOT_OBJ	:= $(call obj,$(filter-out firstboot/firstboot.c,$(call src,firstboot firstboot/feature)))
PXE_OBJ		:= $(call obj,$(call src,pxe pxe/feature))
BUILDER_OBJ	:= $(call obj,$(filter-out builder/main.c,$(call src,builder builder/*)))
ARCHIVES	:= $(O)/builder.a $(O)/pxe.a $(O)/firstboot.a $(O)/plan.a $(O)/model.a $(O)/lib.a

STANDIN_COMMON	:= $(call obj,$(call src,test/standin/common))
STANDINS	:= $(patsubst test/standin/%.c,$(O)/standin/%,$(call src,test/standin))
UNIT_TESTS	:= $(patsubst test/unit/%.c,$(O)/test/unit/%,$(sort $(wildcard test/unit/test-*.c)))
TEST_TOOLS	:= $(patsubst test/tools/%.c,$(O)/test/tools/%,$(sort $(wildcard test/tools/*.c)))
FUZZERS		:= $(patsubst test/fuzz/%.c,$(O)/test/fuzz/%,$(sort $(wildcard test/fuzz/fuzz-*.c)))

all: $(O)/rackstrap $(O)/firstboot $(O)/completion/rackstrap

# --- objects and programs ----------------------------------------------------------

# A new version compiles everything again.
$(O)/obj/%.o: %.c VERSION
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(BASE_CFLAGS) $(CFLAGS) $(SIZE_CFLAGS) -c -o $@ $<

$(O)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC) $(CPPFLAGS) -c -o $@ $<

# -MMD does not see what an assembler file includes, nor what .incbin names.
$(O)/obj/pxe/embed.o $(O)/obj/builder/base/hooks.o $(O)/obj/builder/recipe/product.o \
	$(O)/obj/builder/starter.o: lib/embed.h
$(O)/obj/builder/starter.o: builder/starter.h $(sort $(wildcard builder/starter/*))
$(O)/obj/builder/recipe/product.o: builder/recipe/product.h $(sort $(wildcard firstboot/units/*))
$(O)/obj/pxe/embed.o: pxe/embed.h $(sort $(wildcard pxe/templates/*) $(wildcard pxe/initramfs/*))
$(O)/obj/builder/base/hooks.o: builder/base/hooks.h $(sort $(wildcard builder/base/hooks/*))

$(O)/lib.a: $(LIB_OBJ)
$(O)/model.a: $(MODEL_OBJ)
$(O)/plan.a: $(PLAN_OBJ)
$(O)/firstboot.a: $(FIRSTBOOT_OBJ)
$(O)/pxe.a: $(PXE_OBJ)
$(O)/builder.a: $(BUILDER_OBJ)
$(O)/standin.a: $(STANDIN_COMMON)
$(ARCHIVES) $(O)/standin.a:
	@mkdir -p $(@D)
	$(call say,AR,$@)rm -f $@ && $(AR) rcsD $@ $^

# Without firstboot.a: of firstboot it may use only the plan and the model.
$(O)/rackstrap: $(O)/obj/builder/main.o $(filter-out %/firstboot.a,$(ARCHIVES))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ $(LIBS_BUILDER)

$(O)/completion/rackstrap: $(O)/rackstrap
	@mkdir -p $(@D)
	$(call say,GEN,$@)$(O)/rackstrap completion >$@

# Static, so that it runs on any root filesystem whatever its libc; a sanitized build
# cannot be static.
$(O)/firstboot: $(O)/obj/firstboot/firstboot.o $(O)/firstboot.a $(O)/plan.a $(O)/model.a $(O)/lib.a
ifeq ($(SAN),1)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_FIRSTBOOT)
else
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -static -s -Wl,--gc-sections -Wl,--build-id=none \
		-o $@ $^ $(PKG_FIRSTBOOT)
endif
# firstboot is in every image, so it is optimised for size.
ifneq ($(SAN),1)
$(FIRSTBOOT_OBJ) $(PLAN_OBJ) $(MODEL_OBJ) $(LIB_OBJ) $(O)/obj/firstboot/firstboot.o: \
	SIZE_CFLAGS := -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
endif

# Static as well: one of them copies itself into a container.
$(STANDINS): $(O)/standin/%: $(O)/obj/test/standin/%.o $(O)/standin.a $(O)/lib.a
	@mkdir -p $(@D)
ifeq ($(SAN),1)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(PKG_STANDIN)
else
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -static -s -Wl,--gc-sections -Wl,--build-id=none \
		-o $@ $^ $(PKG_STANDIN)
endif
$(STANDIN_COMMON) $(patsubst $(O)/standin/%,$(O)/obj/test/standin/%.o,$(STANDINS)): \
	BASE_CFLAGS += -ffunction-sections -fdata-sections
$(O)/obj/test/standin/common/lists.o: $(sort $(wildcard test/data/flags-*.txt))

$(O)/obj/test/unit/%.o: BASE_CFLAGS += $(PKG_CMOCKA_CFLAGS)
$(UNIT_TESTS): $(O)/test/unit/%: $(O)/obj/test/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ $(PKG_CMOCKA) $(LIBS_BUILDER)

# These link the stand-ins' code too, and lib.a again, because the linker has passed it by then.
STANDIN_TESTS	:= $(filter $(O)/test/unit/test-standin-%,$(UNIT_TESTS))
$(STANDIN_TESTS): $(O)/standin.a
$(STANDIN_TESTS): private LIBS_BUILDER += $(O)/lib.a

# Records the changes that the program makes to files: see test/disk/disk.h.
$(O)/test/unit/test-firstboot-powercut: $(O)/obj/test/disk/model.o $(O)/obj/test/disk/record.o
$(O)/test/unit/test-firstboot-powercut: LDFLAGS += -Wl,--wrap=openat64,--wrap=write,--wrap=fsync \
	-Wl,--wrap=fchmod,--wrap=fchmodat,--wrap=renameat,--wrap=unlinkat,--wrap=mkdirat,--wrap=symlinkat

# Changes the tree while a path is resolved.
$(O)/test/unit/test-lib-root: LDFLAGS += -Wl,--wrap=openat64,--wrap=__openat64_2

# Replaces the clock: the machine has run for a day.
$(O)/test/unit/test-firstboot-heal: LDFLAGS += -Wl,--wrap=clock_gettime
# Replaces the clock, which is set forward when a unit's log was read.
$(O)/test/unit/test-firstboot-ready: LDFLAGS += -Wl,--wrap=clock_gettime,--wrap=unit_read_log
# Replaces the clock, which is set forward and back.
$(O)/test/unit/test-rack-watch: LDFLAGS += -Wl,--wrap=clock_gettime,--wrap=statx
# Replaces the clock and the times of files.
$(O)/test/unit/test-digest-memo: LDFLAGS += -Wl,--wrap=clock_gettime,--wrap=fstat64
# Counts the bytes that are moved.
$(O)/test/unit/test-rack-console: LDFLAGS += -Wl,--wrap=memmove
# Counts the reports that are parsed.
$(O)/test/unit/test-watch: LDFLAGS += -Wl,--wrap=json_loadb
# Counts how often arrays are moved.
$(O)/test/unit/test-lib-str: LDFLAGS += -Wl,--wrap=realloc

# Replaces the functions that read a file by ones that fail.
$(O)/test/unit/test-root-cache: LDFLAGS += -Wl,--wrap=copy_fd,--wrap=digest_fd

# Replaces readdir() by one that fails.
$(O)/test/unit/test-lib-dir: LDFLAGS += -Wl,--wrap=readdir64

$(TEST_TOOLS): $(O)/test/tools/%: $(O)/obj/test/tools/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) $(TOOL_LINK) -o $@ $^ $(LIBS_BUILDER)
TOOL_LINK = -pie
# It runs in a root filesystem without a libc.
ifneq ($(SAN),1)
$(O)/test/tools/hostile: TOOL_LINK = -static
$(O)/test/tools/hostile: private LIBS_BUILDER =
endif

# A fuzz target is LLVMFuzzerTestOneInput(); test/fuzz/replay.c is a plain main that
# replays a corpus.
$(FUZZERS): $(O)/test/fuzz/%: $(O)/obj/test/fuzz/%.o $(O)/obj/test/fuzz/replay.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $^ $(LIBS_BUILDER)

# The same with libFuzzer in place of the main; test/fuzz/run has the flags for it.
$(O)/libfuzzer/%: $(O)/obj/test/fuzz/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_BUILDER)

# --- the main job ------------------------------------------------------------------

# Three sets, of which a package is in one: what compiles the programs, what they run, and
# what the tests and `make deb` need besides. debian/control has the first two, without the
# compiler; test/cli/deps.sh compares them.
DEPS_BUILD := gcc libc6-dev make pkg-config \
	libconfig-dev libarchive-dev liblzma-dev libzstd-dev libcurl4-openssl-dev libssl-dev libjansson-dev \
	libsodium-dev libguestfs-dev libfdisk-dev libsquashfs-dev libyaml-dev
DEPS_RUN := mmdebstrap uidmap gpgv squashfs-tools zstd skopeo ca-certificates \
	dnsmasq-base nginx-light ipxe qemu-system-x86 ipxe-qemu seabios ovmf qemu-utils openssh-client \
	dosfstools mtools e2fsprogs xorriso grub-common grub-pc-bin grub-efi-amd64-bin
DEPS_TEST := clang libclang-rt-14-dev libcmocka-dev \
	apt-utils dpkg-dev xz-utils cpio fdisk gdisk \
	iproute2 iptables procps systemd curl openssl python3 \
	initramfs-tools-core mandoc busybox gpg gpg-agent gpgconf python3-jsonschema etcd-server \
	clang-format-14 cppcheck gcovr codespell debhelper fakeroot lintian strace \
	nbdkit dmsetup kmod bird shellcheck kea-dhcp4-server tidy prometheus
# Only `make check-long` needs these: a browser for the status page.
DEPS_LONG := chromium chromium-driver python3-selenium

# libguestfs boots a kernel of this machine; a machine that has one needs no other.
ifeq ($(wildcard /boot/vmlinuz-*),)
DEPS_RUN += linux-image-cloud-amd64
endif

deps: DEPS = $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_TEST)
deps-build: DEPS = $(DEPS_BUILD)
deps-run: DEPS = $(DEPS_RUN)
deps-test: DEPS = $(DEPS_TEST)
deps-long: DEPS = $(DEPS_LONG)

# Packages that bring a service must not start it on the operator's machine: policy-rc.d
# (invoke-rc.d(8)) forbids it during the installation, and the services are disabled for the
# next boot.
deps deps-build deps-run deps-test deps-long:
	$(Q)missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(DEPS) 2>/dev/null | \
		awk '$$2 == "installed" { have[$$1] = 1 } END { n = split("$(DEPS)", d, " "); \
		for (i = 1; i <= n; i++) if (!(d[i] in have)) printf "%s ", d[i] }'); \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "make $@: packages are missing; as root: apt-get install --no-install-recommends $$missing" >&2; exit 1; \
	fi; \
	if [ ! -e /usr/sbin/policy-rc.d ]; then \
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT; \
		trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM; \
		printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d; \
	fi; \
	apt-get update -q && DEBIAN_FRONTEND=noninteractive \
	apt-get install -qy --no-install-recommends $$missing && \
	for s in nginx-light=nginx etcd-server=etcd bird=bird bird=bird6 prometheus=prometheus \
		kea-dhcp4-server=kea-dhcp4-server; do case " $$missing " in *" $${s%=*} "*) \
		systemctl --quiet disable "$${s#*=}.service" || true ;; esac; done

IMAGE	?= bookworm-vm
RACK	?= configs/demo.cfg

# One job for each processor, unless -j was given.
JOBS	 = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

image: deps
	$(Q)$(MAKE) $(JOBS) all $(O)/standin/mirror.stamp
	$(Q)test/bake images/$(IMAGE)

# configs/slurm.cfg has a secret. It is made once, for this clone, and never installed.
RACK_SECRETS := $(if $(filter configs/slurm.cfg,$(RACK)),configs/munge.key)

rack: image $(RACK_SECRETS)
	$(Q)$(O)/rackstrap rack $(RACK) --image out/$(IMAGE) --dir $(O)/rack

configs/munge.key:
	$(call say,KEY,$@)umask 077 && head -c 1024 /dev/urandom >$@

# Packs the stand-ins into archives with the official layouts, as a mirror to serve.
images-mirror: $(O)/standin/mirror.stamp
$(O)/standin/mirror.stamp: test/standin/pack $(STANDINS)
	$(call say,PACK,$(O)/standin/mirror)test/standin/pack $(O)/standin $(O)/standin/mirror && touch $@

# --- tests -------------------------------------------------------------------------
#
# Every test is a program that writes TAP; test/run runs them, keeps a log of each and
# ends with the ten slowest and "N passed, N failed, N skipped". A test that calls is_long
# (test/tap.sh) runs a choice of its cases in check, and all of them in check-long.

export O
SHOULD_FAIL	:= $(sort $(wildcard test/should-fail/*.sh))
LINT_TESTS	:= $(sort $(wildcard test/lint/*.sh))
CLI_TESTS	:= $(sort $(wildcard test/cli/*.sh))
BOOT_TESTS	:= $(sort $(wildcard test/initramfs/*.sh))
BUILD_TESTS	:= $(sort $(wildcard test/build/*.sh))
REPRO_TESTS	:= $(sort $(wildcard test/repro/*.sh))
# These have several machines at a time, the others up to three small ones. The tests that run beside them start
# nothing in QEMU but libguestfs's appliance.
RACK_TESTS	:= test/qemu/demo.sh
QEMU_TESTS	:= $(sort $(filter-out %-lib.sh %/lib.sh %/media-vm.sh $(RACK_TESTS),$(wildcard test/qemu/*.sh)))
# check-long runs the tests that call is_long, now with all their cases, and those that check
# leaves out: LONG_SHARED one on each processor, LONG_TESTS one after the other.
MORE_POINTS	 = $(sort $(shell grep -lw is_long test/*/*.sh))
LONG_SHARED	 = $(O)/test/unit/test-firstboot-powercut $(O)/test/unit/test-check-agrees $(STANDIN_TESTS) $(filter-out $(RACK_TESTS) test/qemu/vivid.sh,$(MORE_POINTS))
LONG_TESTS	 = $(sort $(wildcard test/long/*.sh)) $(filter test/qemu/vivid.sh $(RACK_TESTS),$(MORE_POINTS))
# In a group that runs one test on each processor, these start first, in this order.
LONGEST		:= test/qemu/media.sh test/qemu/vivid.sh test/qemu/slurm.sh test/repro/repro.sh \
	test/build/media.sh test/build/customize.sh test/build/fetch.sh test/build/cache.sh \
	test/build/bake.sh test/initramfs/boot-script.sh %/test-firstboot-powercut \
	%/test-firstboot-pool test/lint/cppcheck.sh test/should-fail/files.sh test/lint/shellcheck.sh \
	test/lint/style.sh %/test-firstboot-containers %/test-rack-watch
longest_first	 = $(foreach t,$(LONGEST),$(filter $(t),$(1))) $(filter-out $(LONGEST),$(1))
CHECK_UNIT	 = $(filter-out $(STANDIN_TESTS),$(UNIT_TESTS))
ASAN_UNIT	 = $(patsubst $(O)/%,$(O)/asan/%,$(CHECK_UNIT) $(FUZZERS))

tests-built: all $(UNIT_TESTS) $(TEST_TOOLS) $(FUZZERS) $(STANDINS)
asan-built:
	$(Q)$(MAKE) O=$(O)/asan SAN=1 CFLAGS='-O1 -g' unit-built
unit-built: $(UNIT_TESTS) $(FUZZERS) $(TEST_TOOLS)
clang-built:
	$(Q)$(MAKE) O=$(O)/clang CC=clang CFLAGS=-O0 DEV=1 tests-built
.PHONY: tests-built asan-built unit-built clang-built

QUICK_TESTS	= $(CHECK_UNIT) $(FUZZERS) $(SHOULD_FAIL) $(CLI_TESTS) $(LINT_TESTS) $(BOOT_TESTS)

check: deps
	$(Q)$(MAKE) $(JOBS) DEV=1 tests-built asan-built clang-built $(O)/standin/mirror.stamp
	$(Q)test/run -j2 $(call longest_first,test/build/bake.sh $(QUICK_TESTS) $(ASAN_UNIT)) \
		-- -j $(call longest_first,$(QEMU_TESTS) test/build/customize.sh) \
		-- -j $(RACK_TESTS) $(call longest_first,$(filter-out %/bake.sh %/customize.sh,$(BUILD_TESTS)) $(REPRO_TESTS))
check-unit: tests-built
	$(Q)test/run -j $(call longest_first,$(QUICK_TESTS))
lint:
	$(Q)test/run -j $(call longest_first,$(LINT_TESTS))
check-asan: asan-built
	$(Q)test/run -j $(call longest_first,$(ASAN_UNIT))
check-clang: clang-built
check-fuzz: tests-built asan-built
	$(Q)test/run -j $(FUZZERS) $(filter %fuzz%,$(ASAN_UNIT))
check-build: tests-built $(O)/standin/mirror.stamp
	$(Q)test/run test/build/bake.sh -- -j $(call longest_first,$(filter-out %/bake.sh,$(BUILD_TESTS)))
check-repro: tests-built $(O)/standin/mirror.stamp
	$(Q)test/run $(REPRO_TESTS)
check-qemu: tests-built $(O)/standin/mirror.stamp
	$(Q)test/run -j $(call longest_first,$(QEMU_TESTS)) -- $(RACK_TESTS)
check-long: deps deps-long
	$(Q)$(MAKE) $(JOBS) DEV=1 tests-built $(O)/standin/mirror.stamp
	$(Q)TEST_LONG=1 test/run -j $(call longest_first,$(LONG_SHARED)) -- $(LONG_TESTS)
# The quick tests with a build of its own; ends with a table of lines for each folder.
coverage:
	$(Q)$(MAKE) O=$(O)/coverage COV=1 CFLAGS='-O0 -g' tests-built
	$(Q)find $(O)/coverage -name '*.gcda' -delete
	$(Q)O=$(O)/coverage test/run -j $(patsubst $(O)/%,$(O)/coverage/%,$(UNIT_TESTS) $(FUZZERS)) $(SHOULD_FAIL)
	$(Q)test/coverage $(O)/coverage
bench: tests-built $(O)/standin/mirror.stamp
	$(Q)test/bench/run $(O)

# --- the rest ----------------------------------------------------------------------

# The picture in README.md; test/cli/page.sh compares it.
picture: $(O)/rackstrap
	$(call say,SVG,docs/demo.svg)$(O)/rackstrap check --svg configs/demo.cfg >docs/demo.svg

PKG_DATA	= $(DESTDIR)$(datadir)/rackstrap
MAN_PAGES	:= $(sort $(wildcard man/*.[158]))
DOCS		:= $(sort $(wildcard docs/*.md))
DATA_FILES	= find images configs -type f ! -name '*.key' | sort

# The last line of each page gets the version.
install: all
	$(Q)install -D -m 755 $(O)/rackstrap '$(DESTDIR)$(bindir)/rackstrap'
	$(Q)install -D -m 755 $(O)/firstboot '$(DESTDIR)$(bindir)/firstboot'
	$(Q)install -D -m 644 $(O)/completion/rackstrap '$(DESTDIR)$(completiondir)/rackstrap'
	$(Q)set -e; for m in $(MAN_PAGES); do \
		to="$(DESTDIR)$(mandir)/man$${m##*.}/$${m##*/}"; install -D -m 644 "$$m" "$$to"; \
		sed -i 's/^\.Os rackstrap$$/& $(VERSION)/' "$$to"; done
	$(Q)set -e; for d in $(DOCS); do install -D -m 644 "$$d" "$(DESTDIR)$(docdir)/$${d##*/}"; done
	$(Q)set -e; $(DATA_FILES) | while read -r f; do \
		mode=644; [ ! -x "$$f" ] || mode=755; \
		install -D -m $$mode "$$f" "$(PKG_DATA)/$$f"; done

# Removes the files that `make install` writes, and then those of rackstrap's own folders
# that have nothing else in them.
uninstall:
	$(Q)rm -f '$(DESTDIR)$(bindir)/rackstrap' '$(DESTDIR)$(bindir)/firstboot' \
		'$(DESTDIR)$(completiondir)/rackstrap'
	$(Q)for m in $(MAN_PAGES); do rm -f "$(DESTDIR)$(mandir)/man$${m##*.}/$${m##*/}"; done
	$(Q)for d in $(DOCS); do rm -f "$(DESTDIR)$(docdir)/$${d##*/}"; done
	$(Q)$(DATA_FILES) | while read -r f; do rm -f "$(PKG_DATA)/$$f"; done
	$(Q)for d in '$(PKG_DATA)' '$(DESTDIR)$(docdir)'; do \
		[ ! -d "$$d" ] || find "$$d" -depth -type d -empty -delete; done

# Debian packages of the last commit, built in a copy of its files, without what was set for
# this make: make exports the variables of its command line.
DEB	= $(O)/deb/rackstrap-$(VERSION)
DEB_UNSET := MAKEFLAGS MAKELEVEL O DEV SAN COV CC DESTDIR prefix exec_prefix bindir \
	   datarootdir datadir mandir docdir completiondir
deb:
	$(Q)git diff --quiet HEAD || echo 'make deb: uncommitted changes are not in the packages' >&2
	$(Q)rm -rf $(O)/deb && mkdir -p $(O)/deb
	$(Q)git archive --prefix=rackstrap-$(VERSION)/ HEAD | tar -x -C $(O)/deb
	$(call say,DEB,$(O)/deb)cd $(DEB) && env $(patsubst %,-u %,$(DEB_UNSET)) \
		dpkg-buildpackage -us -uc -b -j$(shell nproc) >../build.log 2>&1 || { tail -n 30 ../build.log >&2; exit 1; }

clean:
	rm -rf $(O)

help:
	@echo 'make rack         deps, build, bake, PXE-boot the demo rack in QEMU'
	@echo '                  RACK=configs/slurm.cfg IMAGE=slurm: a Slurm cluster, without stand-ins'
	@echo 'make image        as far as the image: IMAGE=$(IMAGE) (or bookworm), into out/'
	@echo 'make check        the tests (check-unit: quick, no root, no network; lint: without a build)'
	@echo 'make deps         install Debian packages (root): deps-build, deps-run and deps-test'
	@echo '                  (make deps-long: those of check-long)'
	@echo 'make              everything into $(O)/'
	@echo 'make check-asan check-clang check-fuzz check-build check-repro check-qemu check-long'
	@echo 'make bench        timings'
	@echo 'make picture      draw docs/demo.svg again'
	@echo 'make coverage     lines that the quick tests run, for each folder'
	@echo 'make install      DESTDIR= prefix=$(prefix), bindir, datadir, mandir, docdir; uninstall'
	@echo 'make deb          Debian packages of the last commit, into $(O)/deb/'

-include $(shell [ -d $(O)/obj ] && find $(O)/obj -name '*.d')
