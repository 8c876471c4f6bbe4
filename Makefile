# dnsbailiff: one GNU Makefile. Targets:
#   all        build/dnsbailiff and its processes (default)
#   check      all tests                 demo      replay the shipped incident, seal, verify
#   bench      speed, as ratios          format    clang-format in place
#   format-check  fail on a difference   install   DESTDIR, PREFIX
#   manual     writes the program's tables into the man page and the example configuration
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
SANFLAGS := $(if $(SAN),-fsanitize=$(subst asan,address,$(subst ubsan,undefined,$(SAN))) -fno-omit-frame-pointer -fno-sanitize-recover=all -DDNSBAILIFF_SANITIZED=1)
VERSION := $(shell cat VERSION 2>/dev/null)
CPPFLAGS += -I. -include sandbox/banned.h -DDNSBAILIFF_VERSION='"$(VERSION)"'

# --- rooms: every source, once (owners of a room extend its line) ------------------------------------------
SANDBOX := sandbox/log.c sandbox/settings.c sandbox/inputs.c sandbox/control.c sandbox/confine.c
TALK := sandbox/channel.c
HANDOVER := sandbox/handover.c
RING := sandbox/ring.c
SUPERVISOR := sandbox/options.c sandbox/config.c sandbox/files.c sandbox/place.c sandbox/sensor.c sandbox/spawn.c \
              sandbox/wires.c sandbox/session.c sandbox/watch.c sandbox/relay.c sandbox/progress.c sandbox/condition.c
CAPTURE_FILES := capture/frame.c capture/codec.c capture/stream.c capture/pcapfile.c capture/pcapng.c capture/source.c
CAPTURE := $(CAPTURE_FILES) capture/filter.c capture/output.c capture/replay.c capture/live.c
# analyze: what its rooms speak of, then room by room from below; an include never goes up (tests/structure)
WORDS := $(patsubst %,analyze/%.c,name types key canon verdict jline)
# frames to DNS messages
DECODE := analyze/name.c $(patsubst %,analyze/decode/%.c,message packet link ip tunnel flow table gather fragment tcp resync \
          dissect sensor pair)
# what the operator declared
DECLARED := $(patsubst %,analyze/declared/%.c,anchor zonefile declared policy baseline_zone baseline)
# the validator: keys, RRsets, zones, chains, denials, verdicts
VALIDATE := analyze/verdict.c analyze/canon.c analyze/key.c $(patsubst %,analyze/validate/%.c,rrset world attempt trust judge denial \
            negative inside local weigh ahead answer memo)
# what only shows over time: of a zone, its keys and its servers, and of how messages travel
FOLLOWED := $(patsubst %,analyze/follow/%.c,followed usage outage roll roll_table roll_check roll_unsafe servers glue voices views denials contradiction \
            served contest contest_settle habit suspects rhythm)
TRAVEL := $(patsubst %,analyze/follow/%.c,transport strays blocked fallback covert)
FOLLOW := $(FOLLOWED) $(TRAVEL) $(patsubst %,analyze/follow/%.c,race watch walks keep receivers objectives resolvers health health_tell)
# what is said of it: facts to the rules, events, reports
EVENTS := analyze/types.c analyze/jline.c analyze/tell/event.c analyze/tell/event_dns.c
TELL := $(EVENTS) $(patsubst %,analyze/tell/%.c,tell tell_again tell_roll tell_denial tell_contest tell_habit tell_rhythm tell_servers tell_views tell_cut tell_glue proof report \
        inventory vouched bearers steps trail explain learn sighting selfcheck)
ANALYZE := $(sort $(WORDS) $(DECODE) $(DECLARED) $(VALIDATE) $(FOLLOW) $(TELL)) $(patsubst %,analyze/%.c,batch stats pipeline pipeline_answer)
RULES := $(patsubst %,rules/%.c,algorithm catalogue conf profile digest text entry givers finding closing rules load \
         keys roll signatures delegation dsform cut denial records mail served contest habit rhythm servers views transport resolution validation sensor)
# evidence: what writes, what signs and what checks never meet in one list
EVIDENCE_BASE := evidence/hash.c evidence/text.c
EVIDENCE_STORE := $(EVIDENCE_BASE) evidence/accept.c evidence/archive.c evidence/custody.c evidence/exhibits.c evidence/file.c evidence/json.c \
        evidence/ledger.c evidence/listing.c evidence/merkle.c evidence/past.c evidence/recorder.c evidence/reread.c evidence/results.c evidence/segment.c evidence/spool.c
EVIDENCE_PACK := $(EVIDENCE_BASE) evidence/bag.c evidence/head.c evidence/merkle.c evidence/readme.c evidence/reread.c
EVIDENCE_SIGN := $(EVIDENCE_BASE) evidence/certificate.c evidence/checkpoint.c evidence/epoch.c evidence/identity.c
EVIDENCE_VERIFY := $(patsubst %,evidence/verify_%.c,bag bundle capture checkpoint cms compare der feed findings hash log \
                   offer record replay seal show state story tar text)
# what the reports are made of
EVIDENCE_REPORT := evidence/verify_pick.c $(patsubst %,evidence/report_%.c,case deadline inventory out recovery scope suspects timeline)

# the history: what writes it, and what reads it
HISTORY_FILES := history/files.c history/schema.c
HISTORY := $(HISTORY_FILES) history/database.c history/prepare.c history/record.c analyze/key.c analyze/name.c analyze/types.c analyze/verdict.c \
           rules/algorithm.c

# --- the privilege boundary: what each process can contain -------------------------------------------------
PROGRAMS := supervisor capture analyze store sign digest pack history verify explain report lookup keygen rules baseline

supervisor_SRC := sandbox/supervisor.c $(SUPERVISOR) $(SANDBOX) $(RING) sandbox/policy_supervisor.c
supervisor_PKG := libseccomp libcrypto yaml-0.1 jansson
capture_SRC := capture/capture.c $(CAPTURE) $(SANDBOX) $(RING) sandbox/policy_capture.c
CODECS := zlib liblzma libzstd liblz4
capture_PKG := libpcap $(CODECS) libseccomp
analyze_SRC := analyze/analyze.c $(ANALYZE) $(RULES) $(SANDBOX) $(RING) $(TALK) sandbox/condition.c sandbox/policy_analyze.c
analyze_PKG := ldns libcrypto yaml-0.1 libxxhash libseccomp
store_SRC := evidence/store.c evidence/storage.c sandbox/condition.c $(EVIDENCE_STORE) $(SANDBOX) $(RING) $(TALK) $(HANDOVER) sandbox/policy_store.c
store_PKG := libcrypto libseccomp
sign_SRC := evidence/sign.c $(EVIDENCE_SIGN) $(SANDBOX) $(TALK) sandbox/policy_sign.c
sign_PKG := libcrypto libseccomp
digest_SRC := evidence/digest.c evidence/hash.c $(SANDBOX) $(TALK) sandbox/policy_digest.c
digest_PKG := libcrypto libseccomp
pack_SRC := evidence/pack.c $(EVIDENCE_PACK) $(SANDBOX) $(TALK) sandbox/policy_pack.c
pack_PKG := libcrypto libarchive libseccomp
history_SRC := history/history.c $(HISTORY) $(SANDBOX) $(TALK) $(HANDOVER) sandbox/policy_history.c
history_PKG := sqlite3 ldns libcrypto libseccomp
verify_SRC := evidence/verify.c evidence/verify_child.c evidence/verify_map.c $(EVIDENCE_VERIFY) $(SANDBOX) sandbox/policy_verify.c
verify_PKG := libcrypto libseccomp jansson
explain_SRC := evidence/explain.c evidence/verify_child.c evidence/verify_map.c $(EVIDENCE_VERIFY) $(SANDBOX) sandbox/policy_verify.c
explain_PKG := libcrypto libseccomp jansson
report_SRC := evidence/report.c evidence/verify_child.c evidence/verify_map.c $(EVIDENCE_REPORT) $(EVIDENCE_VERIFY) $(SANDBOX) sandbox/policy_verify.c
report_PKG := libcrypto libseccomp jansson
lookup_SRC := history/lookup.c history/print.c $(HISTORY_FILES) analyze/name.c analyze/types.c evidence/report_out.c evidence/report_case.c \
              evidence/verify_pick.c evidence/verify_child.c evidence/verify_map.c $(EVIDENCE_VERIFY) sandbox/options.c $(SANDBOX) sandbox/policy_lookup.c
lookup_PKG := sqlite3 ldns libcrypto libseccomp jansson
keygen_SRC := evidence/keygen.c evidence/certificate.c sandbox/log.c
keygen_PKG := libcrypto
rules_SRC := rules/command.c rules/catalogue.c rules/algorithm.c
rules_PKG :=
# works on zone files of the user who calls it; what was seen comes from a supervised run
baseline_SRC := $(patsubst %,analyze/declared/%.c,command command_files command_import command_learn command_diff command_accept \
                command_evidence command_run zoneset) $(patsubst %,analyze/%.c,canon key name types) $(DECLARED) \
                $(patsubst %,rules/%.c,conf catalogue digest algorithm) sandbox/log.c
baseline_PKG := ldns libcrypto yaml-0.1 libxxhash jansson

# --- tests: tests/unit/test_<name>.c with the sources and libraries it needs -------------------------------
# One line each: UNIT += name; name_OBJ := sources; name_LIB := pkg-config names
UNIT :=
UNIT += algorithm catalogue rules finding givers anchor baseline policy
algorithm_OBJ := rules/algorithm.c rules/catalogue.c analyze/key.c analyze/name.c
algorithm_LIB := libcrypto
RULES_TEST := $(RULES) analyze/name.c analyze/verdict.c
catalogue_OBJ := rules/catalogue.c
rules_OBJ := $(RULES_TEST)
rules_LIB := libcrypto yaml-0.1
finding_OBJ := $(RULES_TEST)
finding_LIB := $(rules_LIB)
givers_OBJ := $(RULES_TEST)
givers_LIB := $(rules_LIB)
UNIT += served
served_OBJ := $(RULES_TEST)
served_LIB := $(rules_LIB)
UNIT += denial_rules
denial_rules_OBJ := $(RULES_TEST)
denial_rules_LIB := $(rules_LIB)
anchor_OBJ := analyze/declared/anchor.c analyze/declared/zonefile.c analyze/name.c rules/conf.c rules/algorithm.c
anchor_LIB := ldns libcrypto yaml-0.1
baseline_OBJ := $(DECLARED) analyze/name.c rules/conf.c rules/catalogue.c rules/digest.c rules/algorithm.c
baseline_LIB := ldns libcrypto yaml-0.1 libxxhash
UNIT += resolution
resolution_OBJ := $(RULES_TEST)
resolution_LIB := $(rules_LIB)
UNIT += health
health_OBJ = $(sort $(validator_OBJ) $(FOLLOW) $(RULES_TEST)) analyze/jline.c
health_LIB = $(validator_LIB) yaml-0.1
UNIT += zoneset
zoneset_OBJ := analyze/declared/zoneset.c analyze/declared/zonefile.c analyze/types.c analyze/canon.c analyze/name.c
zoneset_LIB := ldns
policy_OBJ := $(baseline_OBJ)
policy_LIB := $(baseline_LIB)
UNIT += log settings inputs channel ring watch
log_OBJ := sandbox/log.c
settings_OBJ := sandbox/settings.c
inputs_OBJ := sandbox/inputs.c sandbox/settings.c sandbox/log.c
channel_OBJ := sandbox/channel.c sandbox/handover.c sandbox/log.c
ring_OBJ := sandbox/ring.c sandbox/log.c
watch_OBJ := sandbox/watch.c sandbox/condition.c sandbox/control.c sandbox/files.c sandbox/log.c evidence/storage.c $(HANDOVER) \
             $(EVIDENCE_STORE) $(RING) $(TALK) sandbox/inputs.c sandbox/settings.c
watch_LIB := libcrypto
UNIT += name message
name_OBJ := analyze/name.c
message_OBJ := analyze/decode/message.c analyze/name.c
UNIT += types event jline
types_OBJ := analyze/types.c
types_LIB := ldns
jline_OBJ := analyze/jline.c
jline_LIB := jansson
event_OBJ := $(DECODE) $(EVENTS) analyze/canon.c analyze/verdict.c rules/catalogue.c
event_LIB := ldns libcrypto jansson
UNIT += flow table gather link fragment tcp dissect pair sensor
sensor_OBJ := $(sort $(DECODE) $(RULES_TEST)) analyze/tell/selfcheck.c sandbox/settings.c
sensor_LIB := libcrypto yaml-0.1
flow_OBJ := analyze/decode/flow.c
flow_LIB := libcrypto
table_OBJ := analyze/decode/table.c
gather_OBJ := analyze/decode/gather.c
link_OBJ := $(DECODE) sandbox/settings.c
link_LIB := libcrypto
fragment_OBJ := $(link_OBJ)
fragment_LIB := libcrypto
tcp_OBJ := $(link_OBJ)
tcp_LIB := libcrypto
dissect_OBJ := $(link_OBJ)
dissect_LIB := libcrypto
pair_OBJ := $(link_OBJ)
pair_LIB := libcrypto
UNIT += race
race_OBJ = $(sort $(validator_OBJ) $(RULES_TEST)) analyze/follow/race.c
race_LIB = $(validator_LIB) yaml-0.1
UNIT += transport
transport_OBJ := $(sort $(DECODE) $(TRAVEL) $(RULES_TEST)) sandbox/settings.c
transport_LIB := libcrypto yaml-0.1 libxxhash
UNIT += validator memo
memo_OBJ := $(DECODE) analyze/validate/memo.c
memo_LIB := ldns libcrypto libxxhash
validator_OBJ := $(DECODE) $(DECLARED) $(VALIDATE) $(FOLLOWED) $(TRAVEL) analyze/batch.c $(patsubst %,rules/%.c,conf catalogue digest algorithm) \
                 sandbox/settings.c
validator_LIB := ldns libcrypto yaml-0.1 libxxhash
UNIT += contradiction
contradiction_OBJ := $(validator_OBJ)
contradiction_LIB := $(validator_LIB)
UNIT += views
views_OBJ := $(validator_OBJ)
views_LIB := $(validator_LIB)
UNIT += walks
walks_OBJ := $(validator_OBJ) analyze/follow/walks.c
walks_LIB := $(validator_LIB)
UNIT += anchored succession alias roll roll_rules
alias_OBJ := $(validator_OBJ)
alias_LIB := $(validator_LIB)
succession_OBJ := $(validator_OBJ)
succession_LIB := $(validator_LIB)
roll_rules_OBJ := $(RULES_TEST)
roll_rules_LIB := $(rules_LIB)
roll_OBJ := $(validator_OBJ)
roll_LIB := $(validator_LIB)
anchored_OBJ := $(validator_OBJ)
anchored_LIB := $(validator_LIB)
UNIT += stream source filter replay
stream_OBJ := $(CAPTURE_FILES)
stream_LIB := $(CODECS)
source_OBJ := $(CAPTURE_FILES)
replay_OBJ := $(CAPTURE) $(RING) sandbox/log.c sandbox/inputs.c sandbox/control.c sandbox/settings.c
replay_LIB := libpcap $(CODECS)
source_LIB := libpcap $(CODECS)
filter_OBJ := capture/filter.c
filter_LIB := libpcap $(CODECS)
UNIT += report usage vouched
vouched_OBJ = $(sort $(validator_OBJ) $(RULES_TEST) analyze/tell/vouched.c analyze/jline.c)
vouched_LIB := $(validator_LIB)
report_OBJ := $(EVIDENCE_REPORT) $(EVIDENCE_VERIFY) sandbox/log.c
report_LIB := libcrypto jansson
usage_OBJ := $(validator_OBJ) analyze/follow/receivers.c analyze/follow/objectives.c analyze/jline.c
usage_LIB := $(validator_LIB)
UNIT += servers glue
servers_OBJ = $(sort $(validator_OBJ) $(RULES_TEST))
servers_LIB := $(validator_LIB) yaml-0.1
glue_OBJ = $(validator_OBJ)
glue_LIB = $(validator_LIB)
FORGE := tests/evidence/forge.c tests/evidence/forge_log.c tests/evidence/forge_case.c
UNIT += verify_bundle verify_parts
verify_parts_OBJ := $(EVIDENCE_VERIFY) sandbox/log.c
verify_parts_LIB := libcrypto jansson
verify_bundle_OBJ := $(EVIDENCE_VERIFY) $(FORGE) sandbox/log.c
verify_bundle_LIB := libcrypto jansson
UNIT += contest habit
habit_OBJ := analyze/follow/habit.c analyze/name.c analyze/key.c rules/algorithm.c
habit_LIB := libcrypto libxxhash
UNIT += rhythm
rhythm_OBJ := $(RULES_TEST) analyze/follow/rhythm.c
rhythm_LIB := $(rules_LIB) libxxhash
UNIT += suspects
suspects_OBJ = $(validator_OBJ)
suspects_LIB = $(validator_LIB)
contest_OBJ = $(validator_OBJ)
contest_LIB = $(validator_LIB)
UNIT += sighting history
sighting_OBJ := $(validator_OBJ) analyze/tell/sighting.c history/record.c analyze/types.c
sighting_LIB := $(validator_LIB)
history_OBJ := $(sort $(HISTORY) history/print.c evidence/report_out.c evidence/report_case.c evidence/verify_text.c) sandbox/log.c
history_LIB := sqlite3 ldns libcrypto jansson
UNIT += forget downgrade
downgrade_OBJ = $(validator_OBJ)
downgrade_LIB = $(validator_LIB)
forget_OBJ = $(validator_OBJ)
forget_LIB = $(validator_LIB)

# --- fuzz targets: tests/fuzz/fuzz_<name>.c, corpus/<name>, regress/<name> ---------------------------------
# One line each: FUZZ += name; name_FUZZ_OBJ := sources; name_FUZZ_LIB := pkg-config names
FUZZ :=
FUZZ += capture
capture_FUZZ_OBJ := $(CAPTURE_FILES)
capture_FUZZ_LIB := $(CODECS)
FUZZ += message dissect
message_FUZZ_OBJ := $(patsubst %,analyze/%.c,name types jline canon) analyze/decode/message.c analyze/tell/event_dns.c
message_FUZZ_LIB := ldns
dissect_FUZZ_OBJ := $(DECODE) sandbox/settings.c
dissect_FUZZ_LIB := libcrypto
FUZZ += verify
verify_FUZZ_OBJ := $(EVIDENCE_VERIFY) $(FORGE) sandbox/log.c
verify_FUZZ_LIB := libcrypto jansson
FUZZ += validator
validator_FUZZ_OBJ := $(validator_OBJ)
validator_FUZZ_LIB := $(validator_LIB)
FUZZ += pipeline
pipeline_FUZZ_OBJ := $(sort $(ANALYZE) $(DECLARED) $(RULES)) sandbox/settings.c history/record.c
pipeline_FUZZ_LIB := ldns libcrypto yaml-0.1 libxxhash jansson

UNIT += merkle checkpoint segment identity bag sign ledger
sign_OBJ := $(EVIDENCE_SIGN) $(TALK) sandbox/log.c
sign_LIB := libcrypto
ledger_OBJ := $(EVIDENCE_SIGN) $(TALK) sandbox/log.c evidence/ledger.c evidence/file.c evidence/json.c evidence/merkle.c \
        evidence/archive.c evidence/head.c evidence/reread.c
ledger_LIB := libcrypto
merkle_OBJ := evidence/merkle.c $(EVIDENCE_BASE) sandbox/log.c
merkle_LIB := libcrypto
checkpoint_OBJ := evidence/checkpoint.c evidence/epoch.c $(EVIDENCE_BASE) sandbox/log.c
checkpoint_LIB := libcrypto
segment_OBJ := evidence/segment.c evidence/file.c evidence/spool.c $(EVIDENCE_BASE) sandbox/log.c
segment_LIB := libcrypto
identity_OBJ := evidence/identity.c evidence/certificate.c sandbox/log.c
identity_LIB := libcrypto
bag_OBJ := evidence/bag.c evidence/readme.c $(EVIDENCE_BASE) sandbox/log.c
bag_LIB := libcrypto libarchive

# --- rules of make -----------------------------------------------------------------------------------------
objs = $(patsubst %.c,$(O)/obj/%.o,$(1))
LIBEXEC := $(O)/libexec/dnsbailiff

all: $(O)/dnsbailiff $(addprefix $(LIBEXEC)/,$(PROGRAMS))

PKGS := $(sort $(foreach p,$(PROGRAMS),$($(p)_PKG)) $(foreach t,$(UNIT),$($(t)_LIB)) cmocka)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)

# A missing library is named by its Debian package, before any compiler error.
apt_name = $(if $(filter zlib,$(1)),zlib1g,$(if $(filter libcrypto,$(1)),libssl,$(if $(filter lib%,$(1)),$(1),lib$(1))))-dev
ifneq ($(filter-out clean format format-check demo,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell $(PKG_CONFIG) --exists $(PKGS) && echo found),found)
MISSING := $(foreach p,$(PKGS),$(if $(shell $(PKG_CONFIG) --exists $(p) && echo found),,$(call apt_name,$(p))))
MISSING += $(if $(shell command -v $(PKG_CONFIG)),,pkg-config)
$(error missing Debian packages: $(strip $(MISSING)); deploy/deps.sh installs them)
endif
endif

# Objects are made again when the compiler or its flags change.
COMPILE = $(CC) $(CSTD) $(CPPFLAGS) $(PKG_CFLAGS) $(WARN) $(OPT) $(HARDEN) $(SANFLAGS) $(CFLAGS)
$(O)/flags: FORCE
	@mkdir -p $(@D); echo '$(COMPILE)' | cmp -s - $@ || echo '$(COMPILE)' >$@

$(O)/obj/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $<";)$(COMPILE) -MMD -MP -c -o $@ $<

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

# Twice: as a program that replays the corpus (for `check`), and with libFuzzer (for `fuzz`).
FUZZ_CC ?= clang
FUZZ_SECONDS ?= 60
define fuzz_program
$(O)/fuzz/$(1): $(call objs,tests/fuzz/fuzz_$(1).c tests/fuzz/replay.c $($(1)_FUZZ_OBJ))
	$$(call link,$$^,$($(1)_FUZZ_LIB))
$(O)/libfuzzer/$(1): tests/fuzz/fuzz_$(1).c $($(1)_FUZZ_OBJ) FORCE
	@mkdir -p $$(@D)
	$(FUZZ_CC) $(CSTD) $(CPPFLAGS) $(PKG_CFLAGS) -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $$@ tests/fuzz/fuzz_$(1).c $($(1)_FUZZ_OBJ) $(if $($(1)_FUZZ_LIB),$$(shell $(PKG_CONFIG) --libs $($(1)_FUZZ_LIB)))
fuzz-$(1): $(O)/libfuzzer/$(1)
	@mkdir -p $(O)/libfuzzer/found-$(1) tests/fuzz/regress/$(1)
	$$< -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
		-artifact_prefix=tests/fuzz/regress/$(1)/ $(O)/libfuzzer/found-$(1) tests/fuzz/corpus/$(1)
endef
$(foreach f,$(FUZZ),$(eval $(call fuzz_program,$(f))))

fuzz-replay: $(addprefix $(O)/fuzz/,$(FUZZ))
	@tests/fuzz/run.sh $(O) $(FUZZ)

# Looks for new inputs for FUZZ_SECONDS a target; what it breaks on lands in tests/fuzz/regress.
fuzz: $(addprefix fuzz-,$(FUZZ))

# --- checks: each suite is a target that ends with a line "N passed, N failed[, N skipped]" ----------------
SUITES := unit structure fuzz-replay check-sandbox check-tamper check-evidence check-derive check-scenarios check-mirrors check-commands check-history check-policy check-baseline check-judges check-explain check-reports check-lab

CONFINED := supervisor capture analyze store sign digest pack verify history lookup
ACTORS := capture analyze store sign digest pack history
BENCH := reference_pcap reference_ldns measure $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/bench_*.c))

check: all unit-build
	+@MAKE="$(MAKE)" tests/check.sh $(O) $(SUITES)

# Every program of every suite, for CI's builds.
check-build: all unit-build $(addprefix $(O)/fuzz/,$(FUZZ)) $(addprefix $(O)/tests/,tables tamper make_evidence liar) \
             $(addprefix $(O)/tests/sandbox/probe_,$(CONFINED)) $(addprefix $(O)/tests/sandbox/actors/,$(ACTORS)) \
             $(O)/tests/sandbox/faults $(addprefix $(O)/bench/,$(BENCH))

unit-build: $(addprefix $(O)/tests/,$(UNIT))

unit: unit-build
	@tests/unit/run.sh $(addprefix $(O)/tests/,$(UNIT))

# A bundle without capture and analyze, and what a person does with it.
$(O)/tests/make_evidence: $(call objs,tests/evidence/make_evidence.c sandbox/log.c sandbox/settings.c sandbox/inputs.c sandbox/control.c $(RING) $(TALK))
	$(call link,$^,)

# A whole bundle with a finding that the frames did not give.
$(O)/tests/liar: $(call objs,tests/evidence/liar.c $(FORGE))
	$(call link,$^,libcrypto)

check-evidence: all $(O)/tests/make_evidence
	@tests/evidence/run.sh $(O)

# Findings of real bundles derived again, and lies found.
check-derive: all $(O)/tests/liar
	@tests/evidence/derive.sh $(O)

# Include directions, banned functions, what each program may import, the manual against the tables.
structure: all $(O)/tests/tables
	@tests/structure/run.sh $(O)

# The tables of the manual and of the example configuration, from the X-macros.
$(O)/tests/tables: $(call objs,tests/structure/tables.c rules/catalogue.c rules/algorithm.c)
	$(call link,$^,)

manual: $(O)/tests/tables
	tests/structure/manual.sh --write $(O)

# Every bit flipped, every length, every member and record dropped, repeated, swapped: undetected = 0.
$(O)/tests/tamper: $(call objs,tests/evidence/tamper.c $(FORGE) $(EVIDENCE_VERIFY) sandbox/log.c)
	$(call link,$^,libcrypto jansson)

check-tamper: $(O)/tests/tamper $(O)/tests/make_evidence all
	@TAMPER_STRIDE=$(if $(SAN),7,1) tests/evidence/tamper.sh $(O)

# Probes of every policy, faults in every step of the confinement, deaths in the middle of a run.
PROBE_SRC := sandbox/log.c sandbox/control.c sandbox/confine.c sandbox/handover.c
define sandbox_probe
$(O)/tests/sandbox/probe_$(1): $(call objs,tests/sandbox/probe.c $(PROBE_SRC) sandbox/policy_$(1).c)
	$$(call link,$$^,libseccomp)
endef
define sandbox_actor
$(O)/tests/sandbox/actors/$(1): $(call objs,tests/sandbox/actor.c $(SANDBOX) $(RING) $(TALK) sandbox/policy_$(1).c)
	$$(call link,$$^,libseccomp)
endef
$(foreach p,$(CONFINED),$(eval $(call sandbox_probe,$(p))))
$(foreach p,$(ACTORS),$(eval $(call sandbox_actor,$(p))))
$(O)/obj/faults/%.o: %.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC    $< (faults)";)$(CC) $(CSTD) $(CPPFLAGS) -DCONFINE_FAULTS $(PKG_CFLAGS) $(WARN) $(OPT) $(HARDEN) $(SANFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(O)/tests/sandbox/faults: $(call objs,tests/sandbox/faults.c sandbox/log.c sandbox/control.c sandbox/policy_analyze.c) $(O)/obj/faults/sandbox/confine.o
	$(call link,$^,libseccomp)
$(O)/tests/sandbox/actors/supervisor: $(LIBEXEC)/supervisor
	@mkdir -p $(@D)
	cp $< $@
$(O)/tests/sandbox/ring_bench: $(call objs,tests/sandbox/ring_bench.c $(RING) sandbox/log.c)
	$(call link,$^,)

check-sandbox: $(addprefix $(O)/tests/sandbox/probe_,$(CONFINED)) $(addprefix $(O)/tests/sandbox/actors/,$(ACTORS) supervisor) $(O)/tests/sandbox/faults
	@tests/sandbox/run.sh $(O)

check-scenarios: all
	@tests/scenarios/run.sh $(O)

# Zones and recorded answers, judged by other people's validators too.
$(O)/tests/zone_judge: $(call objs,tests/judges/zone_judge.c $(validator_OBJ))
	$(call link,$^,$(validator_LIB))

# Loaded into other people's programs: without sanitizers, which would have to come first.
$(O)/tests/clock.so: tests/judges/clock.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(WARN) -O2 -fPIC -shared -o $@ $<

check-judges: all $(O)/tests/zone_judge $(O)/tests/clock.so
	@tests/judges/run.sh $(O)

# Baselines made from zone files and from traffic.
check-baseline: all
	@tests/baseline/run.sh $(O)

# The recorded scenarios as other mirrors would have shown them.
.PHONY: check-mirrors
check-mirrors: all
	@/usr/bin/python3 tests/scenarios/mirrors.py $(O)/dnsbailiff tests/scenarios

# What the operator decides: anchors, negative anchors, what to ignore.
check-commands: all
	@tests/commands/run.sh $(O)

.PHONY: check-history
check-history: all
	@tests/commands/history.sh $(O)

check-policy: all
	@tests/policy/run.sh $(O)

check-explain: all
	@tests/scenarios/explain/run.sh $(O)

check-reports: all
	@tests/scenarios/reports/run.sh $(O)

# Real servers and a real mirror port in network namespaces; as root, else skipped.
check-lab: all
	@tests/lab/run.sh $(O)

# --- speed -------------------------------------------------------------------------------------------------
reference_pcap_LIB := libpcap
reference_ldns_LIB := libpcap ldns
bench_decode_OBJ := $(DECODE) sandbox/settings.c
bench_decode_LIB := libcrypto
bench_verify_OBJ := $(DECODE) analyze/canon.c analyze/key.c analyze/validate/rrset.c analyze/validate/memo.c sandbox/settings.c
bench_verify_LIB := libcrypto libxxhash

define bench_program
$(O)/bench/$(1): $(call objs,tests/bench/$(1).c $($(1)_OBJ))
	$$(call link,$$^,$($(1)_LIB))
endef
$(foreach b,$(BENCH),$(eval $(call bench_program,$(b))))

bench: all $(addprefix $(O)/bench/,$(BENCH))
	@tests/bench/bench.sh $(O)

# What hostile traffic costs, beside normal traffic; and memory under a flood.
bench-hostile: all $(O)/bench/measure
	@tests/bench/hostile.sh $(O)

# --- demo, style, installation -----------------------------------------------------------------------------
demo:
	@deploy/deps.sh --build
	@$(MAKE) --no-print-directory all
	@deploy/demo.sh $(O)

CLANG_FORMAT ?= clang-format-14
C_FILES := $(wildcard *.c) $(shell find analyze capture evidence history rules sandbox tests -name '*.[ch]' 2>/dev/null | sort)
format:
	$(CLANG_FORMAT) -i $(C_FILES)

format-check:
	@$(CLANG_FORMAT) --dry-run --Werror $(C_FILES)

# The front door finds its programs in ../libexec beside the folder that it lies in.
install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin libexec/dnsbailiff share/man/man1 share/dnsbailiff)
	install -m 755 $(O)/dnsbailiff $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(addprefix $(LIBEXEC)/,$(PROGRAMS)) $(DESTDIR)$(PREFIX)/libexec/dnsbailiff/
	install -m 644 deploy/man/dnsbailiff.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 deploy/root-anchors.xml deploy/dnsbailiff.yaml $(DESTDIR)$(PREFIX)/share/dnsbailiff/

clean:
	rm -rf $(O)

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

# For scripts: the value of a variable.
print-%:
	@echo $($*)

FORCE:
.PHONY: check-explain check-reports fuzz fuzz-replay $(addprefix fuzz-,$(FUZZ)) all check check-build unit unit-build structure manual check-evidence check-tamper check-derive check-scenarios check-commands check-policy check-baseline check-judges bench bench-hostile demo format format-check install clean FORCE
