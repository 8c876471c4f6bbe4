/*
 * fact_builder: facts as the analyser would make them, for the tests of rules.
 *
 * Contained in: tests. Everything lives in static storage until the next builder_reset.
 */
#ifndef TESTS_UNIT_FACT_BUILDER_H
#define TESTS_UNIT_FACT_BUILDER_H

#include "rules/digest.h"
#include "rules/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above before it */
#include <cmocka.h>

#define NS_S INT64_C(1000000000)
#define NOW  (INT64_C(1795608000) * NS_S) /* 2026-11-25T12:00:00Z */
#define HOUR INT64_C(3600)

#define ARENA 65536
static uint8_t arena[ARENA];
static size_t arena_used;

static inline void builder_reset(void)
{
    arena_used = 0;
}

static inline void *take(size_t size)
{
    size_t start = (arena_used + 15) & ~(size_t)15;
    assert_true(start + size <= ARENA);
    arena_used = start + size;
    return memset(arena + start, 0, size);
}

static inline const uint8_t *N(const char *text)
{
    uint8_t *name = take(NAME_MAX_BYTES);
    assert_true(name_parse(text, name) > 0);
    return name;
}

static inline struct fact_rdata bytes_of(const void *bytes, size_t size)
{
    uint8_t *copy = take(size ? size : 1);
    memcpy(copy, bytes, size);
    return (struct fact_rdata){copy, (uint16_t)size};
}

/* A set of rdata given as C strings, in canonical order as the caller writes them. */
static inline struct fact_rrset set_of(const char *owner, uint16_t type, size_t count, ...)
{
    struct fact_rdata *rdata = take((count + 1) * sizeof *rdata);
    va_list list;
    va_start(list, count);
    for (size_t i = 0; i < count; i++) {
        const char *text = va_arg(list, const char *);
        rdata[i] = bytes_of(text, strlen(text));
    }
    va_end(list);
    return (struct fact_rrset){
        .owner = N(owner), .type = type, .ttl = 300, .count = count, .rdata = rdata};
}

/* A TXT set of one record. */
static inline struct fact_rrset txt_of(const char *owner, const char *text)
{
    uint8_t wire[256];
    struct fact_rdata *rdata = take(sizeof *rdata);
    size_t length = strlen(text);
    assert_true(length < 255);
    wire[0] = (uint8_t)length;
    memcpy(wire + 1, text, length);
    *rdata = bytes_of(wire, length + 1);
    return (struct fact_rrset){
        .owner = N(owner), .type = 16, .ttl = 300, .count = 1, .rdata = rdata};
}

static inline struct fact_key key_of(uint16_t flags, uint8_t algorithm, uint16_t tag,
                                     const char *bytes)
{
    return (struct fact_key){.flags = flags,
                             .protocol = 3,
                             .algorithm = algorithm,
                             .tag = tag,
                             .public_key = bytes_of(bytes, strlen(bytes))};
}

static inline struct fact_ds ds_of(uint16_t tag, uint8_t algorithm, uint8_t type,
                                   const char *digest)
{
    return (struct fact_ds){.tag = tag,
                            .algorithm = algorithm,
                            .digest_type = type,
                            .digest = bytes_of(digest, strlen(digest))};
}

/* The DS that really names the key. */
static inline struct fact_ds ds_from(const char *owner, const struct fact_key *key, uint8_t type)
{
    uint8_t digest[DIGEST_DS_MAX];
    size_t size = digest_ds(N(owner), key, type, digest);
    assert_true(size > 0);
    return (struct fact_ds){.tag = key->tag,
                            .algorithm = key->algorithm,
                            .digest_type = type,
                            .digest = bytes_of(digest, size)};
}

#define KEYS(fact, ...)                                                                            \
    do {                                                                                           \
        const struct fact_key list_[] = {__VA_ARGS__};                                             \
        (fact)->key_count = sizeof list_ / sizeof *list_;                                          \
        (fact)->keys = memcpy(take(sizeof list_), list_, sizeof list_);                            \
    } while (0)
#define DECLARED_KEYS(fact, ...)                                                                   \
    do {                                                                                           \
        const struct fact_key list_[] = {__VA_ARGS__};                                             \
        (fact)->baseline.present = (fact)->baseline.signed_zone = true;                            \
        (fact)->baseline.strict = true;                                                            \
        (fact)->baseline.key_count = (fact)->baseline.key_declared = sizeof list_ / sizeof *list_; \
        (fact)->baseline.keys = memcpy(take(sizeof list_), list_, sizeof list_);                   \
    } while (0)
#define DSS(fact, ...)                                                                             \
    do {                                                                                           \
        const struct fact_ds list_[] = {__VA_ARGS__};                                              \
        (fact)->ds_count = sizeof list_ / sizeof *list_;                                           \
        (fact)->ds = memcpy(take(sizeof list_), list_, sizeof list_);                              \
    } while (0)
#define DECLARED_DS(fact, ...)                                                                     \
    do {                                                                                           \
        const struct fact_ds list_[] = {__VA_ARGS__};                                              \
        (fact)->baseline.present = (fact)->baseline.signed_zone = true;                            \
        (fact)->baseline.strict = true;                                                            \
        (fact)->baseline.ds_count = (fact)->baseline.ds_declared = sizeof list_ / sizeof *list_;   \
        (fact)->baseline.ds = memcpy(take(sizeof list_), list_, sizeof list_);                     \
    } while (0)

static inline struct fact fact_of(enum fact_kind kind, const char *zone)
{
    static const uint8_t server[16] = {192, 0, 2, 53};
    return (struct fact){.kind = kind,
                         .time_ns = NOW,
                         .frame = 7,
                         .zone = N(zone),
                         .verdict = VERDICT_SECURE,
                         .reason = REASON_CHAIN,
                         .aa = true,
                         .do_bit = true,
                         .server_family = 4,
                         .server = server,
                         .observed = {.owner = N(zone)}};
}

/* A signature by key 1000 of algorithm 13, valid from an hour ago for ten days. */
static inline struct fact signature_of(enum signature_state state, const char *zone,
                                       const char *owner)
{
    struct fact fact = fact_of(FACT_SIGNATURE, zone);
    struct fact_signature *signature = take(sizeof *signature);
    fact.observed = set_of(owner, 1, 1, "\300\001\002\003");
    *signature = (struct fact_signature){.state = state,
                                         .signer = fact.zone,
                                         .covered = 1,
                                         .tag = 1000,
                                         .algorithm = 13,
                                         .labels = (uint8_t)name_labels(fact.observed.owner),
                                         .original_ttl = 300,
                                         .inception = NOW / NS_S - HOUR,
                                         .expiration = NOW / NS_S + 240 * HOUR,
                                         .verifies = true,
                                         .only_one = true};
    fact.signature = signature;
    fact.dnskey_seen = true;
    return fact;
}

static inline struct fact_signature *signature_in(struct fact *fact)
{
    return (struct fact_signature *)(uintptr_t)fact->signature;
}

static inline void add_algorithm(struct fact_algorithms *set, unsigned number)
{
    set->bits[number >> 6] |= UINT64_C(1) << (number & 63);
}

/* www.x. A as an authority of x. served it, signed with algorithm 13, which alone is announced. */
static inline struct fact served_of(void)
{
    struct fact fact = fact_of(FACT_SERVED, "x.");
    struct fact_served *served = take(sizeof *served);
    fact.observed = set_of("www.x.", 1, 1, "\300\001\002\003");
    served->whole = true;
    served->ttl = served->original_ttl = 300;
    served->expiration = NOW / NS_S + 240 * HOUR;
    add_algorithm(&served->signed_with, 13);
    add_algorithm(&served->in_dnskey, 13);
    fact.served = served;
    return fact;
}

static inline struct fact_served *served_in(struct fact *fact)
{
    return (struct fact_served *)(uintptr_t)fact->served;
}

/* Two contents of www.x. A, both from 192.0.2.53 while its SOA had serial 7. */
static inline struct fact contest_of(void)
{
    static const char *const line[] = {"www.x. 300 IN A 192.0.2.1"};
    struct fact fact = fact_of(FACT_CONTEST, "x.");
    struct fact_contest *contest = take(sizeof *contest);
    fact.observed = set_of("www.x.", 1, 1, "\300\001\002\003");
    contest->how = CONTEST_ONE_SERVER;
    contest->one_client = true;
    contest->other = set_of("www.x.", 1, 1, "\300\001\002\004");
    contest->first = (struct fact_side){.family = 4,
                                        .server = {192, 0, 2, 53},
                                        .has_serial = true,
                                        .serial = 7,
                                        .soa_from_ns = NOW - HOUR * NS_S,
                                        .soa_to_ns = NOW};
    contest->second = contest->first;
    contest->by_first = *signature_of(SIGNATURE_VALID, "x.", "www.x.").signature;
    contest->by_second = contest->by_first;
    contest->proof = (struct fact_exhibit){line, line, line, 1, 1, 1};
    fact.contest = contest;
    return fact;
}

static inline struct fact_contest *contest_in(struct fact *fact)
{
    return (struct fact_contest *)(uintptr_t)fact->contest;
}

/* A signature over www.x. A such as its key has made forty before: for 14 days and an hour, set
 * back by that hour, on no round minute. */
static inline struct fact habit_of(void)
{
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "www.x.");
    struct fact_signature *signature = signature_in(&fact);
    struct fact_habit *habit = take(sizeof *habit);
    fact.kind = FACT_HABIT;
    signature->inception = NOW / NS_S - HOUR - 7;
    signature->expiration = signature->inception + 337 * HOUR;
    *habit = (struct fact_habit){.samples = 40,
                                 .signings = 5,
                                 .validity_min = 300 * HOUR,
                                 .validity_max = 338 * HOUR,
                                 .inception_round = 1,
                                 .expiration_round = 1,
                                 .unrounded = 5,
                                 .set_back = HOUR,
                                 .set_back_signings = 4,
                                 .ttl = 300,
                                 .ttl_samples = 20,
                                 .of_data = true,
                                 .key_flags = 256,
                                 .over_data = 40,
                                 .age = HOUR + 7};
    fact.habit = habit;
    return fact;
}

static inline struct fact_habit *habit_in(struct fact *fact)
{
    return (struct fact_habit *)(uintptr_t)fact->habit;
}

/* The ids of all findings, in the order of rules_findings, with "!" after closed ones. */
static inline const char *found(struct rules *rules, char ret_text[512])
{
    const struct finding *const *findings;
    size_t count = rules_findings(rules, &findings), used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(ret_text + used, 512 - used, "%s%s%s", i ? " " : "",
                         rule_text(findings[i]->rule)->id,
                         findings[i]->state == FINDING_CLOSED ? "!" : "");
        used += (size_t)n;
        assert_true(used < 512);
    }
    return ret_text;
}

static inline struct rules *rules_default(const char *profile)
{
    char error[256] = "";
    struct rules *rules = rules_new("p.yaml", profile, profile ? strlen(profile) : 0, NULL, NULL,
                                    NULL, error, sizeof error);
    if (!rules)
        fail_msg("%s", error);
    return rules;
}

#endif
