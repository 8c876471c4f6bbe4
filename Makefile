# dnsbailiff: one GNU Makefile. Targets:
#   all        build/dnsbailiff and its processes (default)
#   check      all tests                 demo      replay the shipped incident, seal, verify
#   bench      speed, as ratios          format    clang-format in place
#   format-check  fail on a difference   install   DESTDIR, PREFIX
#   clean
# Variables: O=build folder, SAN=asan|ubsan|asan,ubsan, CC, WERROR=1, PREFIX, DESTDIR, V=1
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
SHELL := /bin/bash

PREFIX ?= /usr/local
SAN ?=
comma := ,
O ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
CC ?= cc
PKG_CONFIG ?= pkg-config

CSTD := -std=gnu11 -D_GNU_SOURCE
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
        -Wundef $(if $(WERROR),-Werror)
OPT := -O2 -g
HARDEN := -fPIE -fstack-protector-strong $(if $(SAN),,-D_FORTIFY_SOURCE=2)
LDHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
SANFLAGS := $(if $(SAN),-fsanitize=$(subst asan,address,$(subst ubsan,undefined,$(SAN))) -fno-omit-frame-pointer -fno-sanitize-recover=all)
VERSION := $(shell cat VERSION 2>/dev/null)
CPPFLAGS += -I. -DDNSBAILIFF_VERSION='"$(VERSION)"'

# --- rooms: every source, once (owners of a room extend its line) ------------------------------------------
SANDBOX := sandbox/log.c sandbox/settings.c sandbox/inputs.c sandbox/control.c sandbox/confine.c
TALK := sandbox/channel.c
RING := sandbox/ring.c
CAPTURE :=
ANALYZE :=
RULES :=
# evidence: what writes, what signs and what checks never meet in one list
EVIDENCE_STORE :=
EVIDENCE_PACK :=
EVIDENCE_SIGN :=
EVIDENCE_VERIFY :=

# --- the privilege boundary: what each process can contain -------------------------------------------------
PROGRAMS := supervisor capture analyze store sign digest pack verify keygen rules

supervisor_SRC := sandbox/supervisor.c $(SANDBOX) $(RING)
supervisor_PKG := libseccomp libcap libcyaml
capture_SRC := capture/capture.c $(CAPTURE) $(SANDBOX) $(RING) sandbox/policy_capture.c
capture_PKG := libpcap libarchive libseccomp
analyze_SRC := analyze/analyze.c $(ANALYZE) $(RULES) $(SANDBOX) $(RING) $(TALK) sandbox/policy_analyze.c
analyze_PKG := ldns libcrypto libcyaml libxxhash libseccomp
store_SRC := evidence/store.c $(EVIDENCE_STORE) $(SANDBOX) $(RING) $(TALK) sandbox/policy_store.c
store_PKG := libcrypto libseccomp
sign_SRC := evidence/sign.c $(EVIDENCE_SIGN) $(SANDBOX) $(TALK) sandbox/policy_sign.c
sign_PKG := libcrypto libseccomp
digest_SRC := evidence/digest.c $(SANDBOX) $(TALK) sandbox/policy_digest.c
digest_PKG := libcrypto libseccomp
pack_SRC := evidence/pack.c $(EVIDENCE_PACK) $(SANDBOX) $(TALK) sandbox/policy_pack.c
pack_PKG := libcrypto libarchive libseccomp
verify_SRC := evidence/verify.c $(EVIDENCE_VERIFY) $(SANDBOX) sandbox/policy_verify.c
verify_PKG := libcrypto libarchive libseccomp jansson
keygen_SRC := evidence/keygen.c sandbox/log.c
keygen_PKG := libcrypto
rules_SRC := rules/command.c rules/catalogue.c sandbox/log.c
rules_PKG :=

# --- tests: tests/unit/test_<name>.c with the sources and libraries it needs -------------------------------
# One line each: UNIT += name; name_OBJ := sources; name_LIB := pkg-config names
UNIT :=

# --- rules of make -----------------------------------------------------------------------------------------
objs = $(patsubst %.c,$(O)/obj/%.o,$(1))
LIBEXEC := $(O)/libexec/dnsbailiff

all: $(O)/dnsbailiff $(addprefix $(LIBEXEC)/,$(PROGRAMS))

PKGS := $(sort $(foreach p,$(PROGRAMS),$($(p)_PKG)) $(foreach t,$(UNIT),$($(t)_LIB)) cmocka)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<";)$(CC) $(CSTD) $(CPPFLAGS) $(PKG_CFLAGS) $(WARN) $(OPT) $(HARDEN) $(SANFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define link
@mkdir -p $(@D)
$(if $(V),,@echo "  LINK  $@";)$(CC) $(OPT) $(SANFLAGS) $(LDHARDEN) $(LDFLAGS) -o $@ $(1) $(if $(strip $(2)),$(shell $(PKG_CONFIG) --libs $(2)))
endef

$(O)/dnsbailiff: $(call objs,dnsbailiff.c)
	$(call link,$^,)

define program
$(LIBEXEC)/$(1): $(call objs,$($(1)_SRC))
	$$(call link,$$^,$($(1)_PKG))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

define unit
$(O)/tests/$(1): $(call objs,tests/unit/test_$(1).c $($(1)_OBJ))
	$$(call link,$$^,$($(1)_LIB) cmocka)
endef
$(foreach t,$(UNIT),$(eval $(call unit,$(t))))

unit: $(addprefix $(O)/tests/,$(UNIT))
	@set -e; for t in $^; do echo "== $$t"; $$t; done

clean:
	rm -rf $(O)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

.PHONY: all clean unit
