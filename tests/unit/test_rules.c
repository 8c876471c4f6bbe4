/*
 * rules: for each rule one fact that fires and near misses that must not.
 *
 * A case builds one or more facts; the ids of the findings, by severity, must be those named.
 */
#include "tests/unit/fact_builder.h"
#include "tests/unit/roll_facts.h"
#include "tests/unit/server_cases.h"

#define LEN_KEY "012345678901234567890123456789012345678901234567890123456789012" /* 63 */

static struct fact_key ksk(void)
{
    struct fact_key key = key_of(257, 13, 111, "K" LEN_KEY);
    key.signs_dnskey = true;
    return key;
}

static struct fact_key zsk(void)
{
    return key_of(256, 13, 222, "Z" LEN_KEY);
}

static struct fact_key rogue(void)
{
    return key_of(256, 13, 333, "R" LEN_KEY);
}

static void give(struct rules *rules, const struct fact *fact)
{
    struct finding *findings[16];
    (void)rules_judge(rules, fact, findings, 16);
}

struct rule_case {
    const char *name;
    void (*build)(struct rules *);
    const char *expected;
};

#define CASE(name) static void name(struct rules *rules)

/* --- keys ---------------------------------------------------------------------------------- */

static struct fact dnskey(void)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    DECLARED_KEYS(&fact, ksk(), zsk());
    KEYS(&fact, ksk(), zsk());
    return fact;
}

CASE(keys_as_declared)
{
    struct fact fact = dnskey();
    give(rules, &fact);
}

CASE(key_unknown)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), zsk(), rogue());
    give(rules, &fact);
}

CASE(key_unknown_no_baseline)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), zsk(), rogue());
    fact.baseline = (struct fact_baseline){0};
    give(rules, &fact);
}

CASE(key_unknown_planned_zsk)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), zsk(), rogue());
    fact.baseline.planned = fact.baseline.planned_zsk = true;
    give(rules, &fact);
}

CASE(key_unknown_only_ksk_planned)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), zsk(), rogue());
    fact.baseline.planned = fact.baseline.planned_sep = true;
    give(rules, &fact);
}

CASE(key_unknown_another_is_planned)
{ /* a window that names a key expects that key, not a rogue one */
    struct fact fact = dnskey();
    DECLARED_KEYS(&fact, ksk(), zsk(), key_of(256, 13, 444, "P" LEN_KEY));
    fact.baseline.key_declared = 2;
    fact.baseline.planned = true;
    KEYS(&fact, ksk(), zsk(), key_of(256, 13, 444, "P" LEN_KEY), rogue());
    give(rules, &fact);
}

CASE(key_unknown_multi_signer)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), zsk(), rogue());
    fact.baseline.multi_signer = true;
    give(rules, &fact);
}

CASE(key_in_zone_declared_unsigned)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    fact.baseline.present = fact.baseline.strict = true;
    KEYS(&fact, rogue());
    give(rules, &fact);
}

CASE(key_changed_bytes)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), key_of(256, 13, 222, "X" LEN_KEY));
    give(rules, &fact);
}

CASE(key_changed_flags)
{
    struct fact fact = dnskey();
    struct fact_key sep = zsk();
    sep.flags = 257;
    sep.tag = 223;
    KEYS(&fact, ksk(), sep);
    give(rules, &fact);
}

CASE(key_revoked_declared)
{ /* one deviation: not unknown, not changed, not withdrawn */
    struct fact fact = dnskey();
    struct fact_key revoked = ksk();
    revoked.flags |= 0x80;
    revoked.tag = 239;
    KEYS(&fact, revoked, zsk());
    give(rules, &fact);
}

CASE(key_revoked_in_plan)
{
    struct fact fact = dnskey();
    struct fact_key revoked = ksk();
    revoked.flags |= 0x80;
    KEYS(&fact, revoked, zsk());
    fact.baseline.planned = fact.baseline.planned_sep = true;
    give(rules, &fact);
}

CASE(key_withdrawn)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk());
    give(rules, &fact);
}

CASE(key_withdrawn_planned)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk());
    fact.baseline.planned = true;
    give(rules, &fact);
}

CASE(key_withdrawn_bogus_set)
{
    struct fact fact = dnskey();
    KEYS(&fact, ksk());
    fact.verdict = VERDICT_BOGUS;
    fact.reason = REASON_SIG_BAD;
    give(rules, &fact);
}

CASE(key_planned_not_there_yet)
{
    struct fact fact = dnskey();
    DECLARED_KEYS(&fact, ksk(), zsk(), rogue());
    fact.baseline.key_declared = 2;
    give(rules, &fact);
}

/* RSA rdata: exponent 65537, then a modulus of that many bits. */
static struct fact_key rsa(uint16_t flags, unsigned bits, const char *exponent, size_t size)
{
    uint8_t wire[600] = {(uint8_t)size};
    memcpy(wire + 1, exponent, size);
    memset(wire + 1 + size, 0xff, bits / 8);
    return (struct fact_key){.flags = flags,
                             .protocol = 3,
                             .algorithm = 8,
                             .tag = (uint16_t)bits,
                             .public_key = bytes_of(wire, 1 + size + bits / 8)};
}

static void weak(struct rules *rules, struct fact_key key)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    KEYS(&fact, key);
    give(rules, &fact);
}

CASE(rsa_2048)
{
    weak(rules, rsa(257, 2048, "\1\0\1", 3));
}

CASE(rsa_1024_ksk)
{
    weak(rules, rsa(257, 1024, "\1\0\1", 3));
}

CASE(rsa_even_exponent)
{
    weak(rules, rsa(257, 2048, "\1\0\2", 3));
}

CASE(rsa_long_exponent)
{
    weak(rules, rsa(257, 2048, "\1\0\0\0\0\0\0\0\1", 9));
}

CASE(rsa_malformed)
{ /* exponent longer than the key: key-malformed's matter */
    struct fact_key key = rsa(257, 2048, "\1\0\1", 3);
    key.public_key.size = 3;
    weak(rules, key);
}

CASE(sha1_key)
{
    struct fact_key key = rsa(257, 2048, "\1\0\1", 3);
    key.algorithm = 7;
    weak(rules, key);
}

CASE(sha512_key)
{
    struct fact_key key = rsa(257, 2048, "\1\0\1", 3);
    key.algorithm = 10;
    weak(rules, key);
}

CASE(ed25519_key)
{
    weak(rules, key_of(257, 15, 1, "01234567890123456789012345678901"));
}

CASE(tag_collision)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    KEYS(&fact, zsk(), key_of(256, 13, 222, "X" LEN_KEY));
    give(rules, &fact);
}

CASE(same_tag_other_algorithm)
{
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    KEYS(&fact, zsk(), key_of(256, 15, 222, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(not_secure_entry)
{
    struct fact fact = dnskey();
    fact.kind = FACT_CHAIN;
    fact.verdict = VERDICT_BOGUS;
    fact.reason = REASON_DNSKEY_UNSIGNED;
    give(rules, &fact);
}

CASE(excluded_zone)
{
    struct fact fact = dnskey();
    fact.zone = N("sub.dnssec-failed.org.");
    KEYS(&fact, ksk(), zsk(), rogue());
    give(rules, &fact);
}

CASE(suppressed)
{
    struct fact fact = dnskey();
    const struct fact_suppression rests = {"key-unknown", N("x."), false, 0, NOW};
    fact.baseline.suppressions = &rests;
    fact.baseline.suppression_count = 1;
    KEYS(&fact, ksk(), zsk(), rogue());
    give(rules, &fact);
}

CASE(suppression_ended)
{
    struct fact fact = dnskey();
    const struct fact_suppression rests[] = {{"key-unknown", N("x."), false, 0, NOW - 1},
                                             {"key-changed", N("x."), false, 0, NOW},
                                             {"key-unknown", N("x."), true, 0, NOW},
                                             {"key-unknown", N("x."), false, 43, NOW}};
    fact.baseline.suppressions = rests;
    fact.baseline.suppression_count = 4;
    KEYS(&fact, ksk(), zsk(), rogue());
    give(rules, &fact);
}

/* --- signatures ---------------------------------------------------------------------------- */

#define SIGNATURE(name, state, ...)                                                                \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = signature_of(state, "x.", "www.x.");                                    \
        struct fact_signature *signature = signature_in(&fact);                                    \
        (void)signature;                                                                           \
        __VA_ARGS__;                                                                               \
        give(rules, &fact);                                                                        \
    }

SIGNATURE(sound_signature, SIGNATURE_VALID, )
SIGNATURE(unchecked_signature, SIGNATURE_UNCHECKED, )
SIGNATURE(bad_signature, SIGNATURE_BAD, )
SIGNATURE(expired_signature, SIGNATURE_EXPIRED, signature->expiration = NOW / NS_S - 1)
SIGNATURE(expired_beside_valid, SIGNATURE_EXPIRED, signature->expiration = NOW / NS_S - 1;
          signature->only_one = false)
SIGNATURE(future_signature, SIGNATURE_FUTURE, signature->inception = NOW / NS_S + 1)
SIGNATURE(expiring_signature, SIGNATURE_VALID, signature->inception -= 200 * HOUR;
          signature->expiration = NOW / NS_S + 47 * HOUR)
SIGNATURE(expiring_at_lead, SIGNATURE_VALID, signature->expiration = NOW / NS_S + 48 * HOUR)
SIGNATURE(short_lived_by_policy, SIGNATURE_VALID, signature->expiration = NOW / NS_S + 20 * HOUR;
          fact.baseline.refresh_ns = 6 * HOUR * NS_S)
SIGNATURE(short_lived_overdue, SIGNATURE_VALID, signature->expiration = NOW / NS_S + 5 * HOUR;
          fact.baseline.refresh_ns = 6 * HOUR * NS_S)
SIGNATURE(unknown_key, SIGNATURE_KEY_UNKNOWN, )
SIGNATURE(unknown_key_not_seen, SIGNATURE_KEY_UNKNOWN, fact.dnskey_seen = false)
SIGNATURE(unknown_key_declared, SIGNATURE_KEY_UNKNOWN,
          DECLARED_KEYS(&fact, key_of(256, 13, 1000, "D" LEN_KEY)))
SIGNATURE(malformed_signature, SIGNATURE_MALFORMED, )

CASE(algorithm_missing)
{
    struct fact fact = served_of();
    add_algorithm(&served_in(&fact)->in_dnskey, 8);
    give(rules, &fact);
}

CASE(contest)
{
    struct fact fact = contest_of();
    give(rules, &fact);
}

CASE(contest_declared_dynamic)
{
    struct fact fact = contest_of();
    fact.baseline.present = fact.baseline.dynamic = true;
    give(rules, &fact);
}

CASE(contest_planned)
{
    struct fact fact = contest_of();
    fact.baseline.present = fact.baseline.planned = true;
    give(rules, &fact);
}

CASE(contest_explained)
{
    struct fact fact = contest_of();
    give(rules, &fact);
    contest_in(&fact)->over = true;
    give(rules, &fact);
}

#define HABIT(name, ...)                                                                           \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = habit_of();                                                             \
        struct fact_signature *signature = signature_in(&fact);                                    \
        struct fact_habit *habit = habit_in(&fact);                                                \
        (void)signature;                                                                           \
        (void)habit;                                                                               \
        __VA_ARGS__;                                                                               \
        give(rules, &fact);                                                                        \
    }
#define LASTS(hours) signature->expiration = signature->inception + (hours)*HOUR

HABIT(habit_as_ever, )
HABIT(habit_long, LASTS(600))
HABIT(habit_long_little_known, LASTS(600); habit->samples = 11)
HABIT(habit_long_one_signing, LASTS(600); habit->signings = 1)
HABIT(habit_long_as_stated, LASTS(600); fact.baseline.validity_ns = 600 * HOUR * NS_S)
HABIT(habit_longer_than_stated, LASTS(600); fact.baseline.validity_ns = 337 * HOUR * NS_S;
      habit->samples = 0)
HABIT(habit_short, LASTS(24)) /* jitter goes far down */
HABIT(habit_short_constant, LASTS(300); habit->validity_min = habit->validity_max = 338 * HOUR)
HABIT(habit_short_constant_two_signings, LASTS(300); habit->signings = 2;
      habit->validity_min = habit->validity_max = 338 * HOUR)
HABIT(habit_longer_and_other_ttl, LASTS(360); signature->original_ttl = 60)
HABIT(habit_other_ttl, signature->original_ttl = 60)
HABIT(habit_not_set_back, habit->age = 5)
HABIT(habit_never_set_back, habit->age = 5; habit->set_back = 12)
HABIT(habit_set_back_once, habit->age = 5; habit->set_back_signings = 1)
HABIT(habit_not_round, habit->inception_round = 604800; habit->unrounded = 0)
HABIT(habit_full_hour, signature->inception = NOW / NS_S - HOUR)
HABIT(habit_ksk_over_data, habit->samples = habit->over_data = 0; habit->over_keys = 1;
      habit->key_flags = 257; habit->others_over_data = 40)
HABIT(habit_csk_first, habit->samples = habit->over_data = 0; habit->over_keys = 1;
      habit->key_flags = 257)
HABIT(habit_keys_little_known, habit->of_data = false; habit->of_keys = true; habit->samples = 2;
      habit->signings = 2; LASTS(600))

/* A signature that the SOA bears out to be another hand's, beside those of the owner's file. */
#define STATED(name, ...)                                                                          \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = habit_of();                                                             \
        struct fact_signature *signature = signature_in(&fact);                                    \
        struct fact_habit *habit = habit_in(&fact), nothing = {.of_data = true};                   \
        fact.stated = fact.habit;                                                                  \
        fact.habit = &nothing;                                                                     \
        habit->signings = 1;                                                                       \
        habit->unrounded = 1;                                                                      \
        habit->set_back = INT32_MAX;                                                               \
        habit->set_back_signings = 0;                                                              \
        habit->validity_min = habit->validity_max = 337 * HOUR;                                    \
        (void)signature;                                                                           \
        __VA_ARGS__;                                                                               \
        give(rules, &fact);                                                                        \
    }

STATED(stated_as_ever, )
STATED(stated_long, LASTS(720))
STATED(stated_short, LASTS(168))
STATED(stated_nearly, LASTS(345))
STATED(stated_jitter, LASTS(300); habit->validity_min = 240 * HOUR)
STATED(stated_little, LASTS(720); habit->samples = 11)
STATED(stated_as_policy, LASTS(720); fact.baseline.validity_ns = 720 * HOUR * NS_S)
STATED(stated_round_by_chance, habit->inception_round = 86400; habit->unrounded = 0)
STATED(stated_not_round, habit->inception_round = 86400; habit->unrounded = 0; habit->signings = 3)
STATED(stated_ksk, habit->samples = habit->over_data = 0; habit->over_keys = 1;
       habit->key_flags = 257; habit->others_over_data = 40)

#define REFRESH(name, stated, late)                                                                \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = served_of();                                                            \
        fact.baseline.present = true;                                                              \
        fact.baseline.refresh_ns = (stated)*HOUR * NS_S;                                           \
        served_in(&fact)->overdue = late;                                                          \
        give(rules, &fact);                                                                        \
    }

REFRESH(refresh_overdue, 168, true)
REFRESH(refresh_in_time, 168, false)
REFRESH(refresh_shorter_than_lead, 48, true)

CASE(ttl_raised)
{
    struct fact fact = served_of();
    served_in(&fact)->ttl_raised = true;
    give(rules, &fact);
}

SIGNATURE(labels_too_many, SIGNATURE_BAD, signature->labels = 3)
SIGNATURE(labels_of_wildcard, SIGNATURE_VALID, signature->labels = 1)
SIGNATURE(wildcard_not_denied, SIGNATURE_VALID, signature->labels = 1;
          fact.reason = REASON_WILDCARD_CLOSER)
SIGNATURE(signer_elsewhere, SIGNATURE_UNCHECKED, signature->signer = N("y.");
          signature->astray = true)
SIGNATURE(signer_is_parent, SIGNATURE_KEY_UNKNOWN, signature->signer = N(".");
          signature->astray = true)

CASE(signer_right_again)
{
    signer_elsewhere(rules);
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "www.x.");
    give(rules, &fact);
}

CASE(wildcard_owner_itself)
{ /* *.x. has one label in the count of RRSIG */
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "*.x.");
    signature_in(&fact)->labels = 1;
    give(rules, &fact);
}

static struct fact unsigned_set(void)
{
    struct fact fact = fact_of(FACT_UNSIGNED, "x.");
    fact.observed = set_of("www.x.", 1, 1, "\300\001\002\003");
    fact.verdict = VERDICT_BOGUS;
    fact.reason = REASON_SIG_MISSING;
    fact.was_signed = true;
    return fact;
}

CASE(signature_missing)
{
    struct fact fact = unsigned_set();
    give(rules, &fact);
}

#define UNSIGNED(name, change)                                                                     \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = unsigned_set();                                                         \
        change;                                                                                    \
        give(rules, &fact);                                                                        \
    }
UNSIGNED(missing_rewritten, fact.rewritten = true)
UNSIGNED(missing_without_do, fact.do_bit = false)
UNSIGNED(missing_truncated, fact.tc = true)
UNSIGNED(missing_in_referral, fact.from_referral = true)
UNSIGNED(missing_below_cut, fact.baseline.present = fact.baseline.below_cut = true)

/* --- delegation ---------------------------------------------------------------------------- */

static struct fact chain(enum verdict_kind verdict, enum reason reason)
{
    struct fact fact = dnskey();
    fact.kind = FACT_CHAIN;
    fact.verdict = verdict;
    fact.reason = reason;
    return fact;
}

CASE(ds_mismatch)
{
    struct fact fact = chain(VERDICT_BOGUS, REASON_DS_MISMATCH);
    DSS(&fact, ds_of(999, 13, 2, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(chain_secure)
{
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    give(rules, &fact);
}

CASE(chain_not_seen)
{
    struct fact fact = chain(VERDICT_INDETERMINATE, REASON_DNSKEY_NOT_SEEN);
    fact.key_count = 0;
    give(rules, &fact);
}

CASE(chain_bogus_above)
{
    struct fact fact = chain(VERDICT_BOGUS, REASON_CHAIN_BOGUS);
    give(rules, &fact);
}

static struct fact parent_ds(void)
{
    struct fact fact = fact_of(FACT_DS, "x.");
    struct fact_key key = ksk();
    DECLARED_KEYS(&fact, ksk(), zsk());
    DECLARED_DS(&fact, ds_from("x.", &key, 2), ds_from("x.", &key, 4), ds_from("x.", &key, 1));
    DSS(&fact, ds_from("x.", &key, 2));
    return fact;
}

CASE(ds_as_declared)
{
    struct fact fact = parent_ds();
    give(rules, &fact);
}

CASE(ds_other_digest_of_declared)
{
    struct fact fact = parent_ds();
    struct fact_key key = ksk();
    DSS(&fact, ds_from("x.", &key, 2), ds_from("x.", &key, 4));
    give(rules, &fact);
}

CASE(ds_unknown)
{
    struct fact fact = parent_ds();
    struct fact_key key = ksk(), other = rogue();
    DSS(&fact, ds_from("x.", &key, 2), ds_from("x.", &other, 2));
    give(rules, &fact);
}

CASE(ds_unknown_planned)
{
    struct fact fact = parent_ds();
    struct fact_key other = rogue();
    DSS(&fact, ds_from("x.", &other, 2));
    fact.baseline.planned = fact.baseline.planned_sep = true;
    give(rules, &fact);
}

CASE(ds_unknown_no_baseline)
{
    struct fact fact = parent_ds();
    struct fact_key other = rogue();
    DSS(&fact, ds_from("x.", &other, 2));
    fact.baseline = (struct fact_baseline){0};
    give(rules, &fact);
}

CASE(ds_weak)
{
    struct fact fact = parent_ds();
    struct fact_key key = ksk();
    DSS(&fact, ds_from("x.", &key, 1));
    give(rules, &fact);
}

CASE(ds_digest_wrong)
{
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    DSS(&fact, ds_of(111, 13, 2, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(ds_malformed)
{
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    DSS(&fact, ds_of(111, 13, 2, "0123456789012345678901234567890"));
    give(rules, &fact);
}

static void proof(struct rules *rules, enum reason reason)
{ /* more of it in test_denial_rules.c */
    static const struct fact_denial denial = {.of = DENIAL_OF_NAME};
    struct fact fact = fact_of(FACT_PROOF, "x.");
    fact.observed = (struct fact_rrset){.owner = N("nx.x."), .type = 1};
    fact.reason = reason;
    fact.verdict = reason_verdict(reason);
    fact.denial = &denial;
    give(rules, &fact);
}

CASE(denial_broken)
{
    proof(rules, REASON_NEXT_CLOSER);
}

CASE(denial_missing)
{
    proof(rules, REASON_DENIAL_MISSING);
}

CASE(nsec3_parameters)
{
    static const struct fact_nsec3_parameters salted = {.algorithm = 1, .salt_size = 1};
    static const struct fact_nsec3 nsec3 = {1, &salted};
    struct fact fact = fact_of(FACT_NSEC3, "x.");
    fact.nsec3 = &nsec3;
    give(rules, &fact);
}

CASE(zone_walk)
{
    static const uint8_t client[16] = {192, 0, 2, 7};
    static const struct fact_walk walk = {.client_family = 4, .client = client, .names = 40};
    struct fact fact = fact_of(FACT_WALK, "x.");
    fact.walk = &walk;
    give(rules, &fact);
}

CASE(denial_contradicted)
{
    static const uint8_t server[16] = {192, 0, 2, 53};
    static struct fact_contradiction contradiction;
    struct fact fact = fact_of(FACT_DISPUTE, "x.");
    contradiction = (struct fact_contradiction){.how = CONTRADICTION_SERIAL_BACK,
                                                .denial = set_of("a.x.", 47, 1, "\1b\1x"),
                                                .shown_family = 4,
                                                .denied_family = 4,
                                                .shown_by = server,
                                                .denied_by = server};
    fact.observed = set_of("www.x.", 1, 1, "\300\001\002\003");
    fact.contradiction = &contradiction;
    give(rules, &fact);
}

CASE(denial_whole)
{
    proof(rules, REASON_DENIAL);
}

CASE(ds_of_another_tag)
{ /* a standby or a stale DS: no key to compare it with */
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    DSS(&fact, ds_of(112, 13, 2, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(ds_digest_unknown_type)
{
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    DSS(&fact, ds_of(111, 13, 9, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(ds_algorithm_wrong)
{
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    struct fact_key key = ksk();
    struct fact_ds ds = ds_from("x.", &key, 2);
    ds.algorithm = 8;
    DSS(&fact, ds);
    give(rules, &fact);
}

CASE(ds_same_tag_by_chance)
{ /* same tag, other algorithm, other digest: another key's DS */
    struct fact fact = chain(VERDICT_SECURE, REASON_CHAIN);
    DSS(&fact, ds_of(111, 8, 2, "01234567890123456789012345678901"));
    give(rules, &fact);
}

CASE(ds_removed)
{
    struct fact fact = parent_ds();
    fact.kind = FACT_NO_DS;
    fact.ds_count = 0;
    give(rules, &fact);
}

CASE(ds_never_there)
{
    struct fact fact = fact_of(FACT_NO_DS, "x.");
    fact.baseline.present = true;
    give(rules, &fact);
}

CASE(ds_removal_planned)
{
    struct fact fact = fact_of(FACT_NO_DS, "x.");
    DECLARED_KEYS(&fact, ksk());
    fact.baseline.planned = true;
    give(rules, &fact);
}

static struct fact servers(enum fact_kind kind, uint16_t type)
{
    struct fact fact = fact_of(kind, "x.");
    fact.baseline.present = fact.baseline.strict = true;
    if (type == 2) {
        fact.baseline.expected = set_of("x.", 2, 2, "\2n1\1x", "\2n2\1x");
        fact.observed = set_of("x.", 2, 2, "\2n1\1x", "\2n2\1x");
    } else {
        fact.baseline.expected = set_of("n1.x.", type, 2, "\300\1\1\1", "\300\1\1\2");
        fact.observed = set_of("n1.x.", type, 1, "\300\1\1\1");
        fact.from_referral = true;
        fact.baseline.below_cut = true;
    }
    return fact;
}

CASE(delegation_as_declared)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    give(rules, &fact);
}

CASE(delegation_changed)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    fact.observed = set_of("x.", 2, 1, "\2n1\1x");
    fact.from_referral = true;
    fact.verdict = VERDICT_NOT_CHECKABLE;
    give(rules, &fact);
    fact.kind = FACT_RRSET; /* the same at the apex: the same finding */
    fact.from_referral = false;
    give(rules, &fact);
}

/* The zone's own NS are as they were: the parent still sends everybody elsewhere. */
CASE(delegation_changed_at_parent)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    struct fact_rrset declared = fact.observed;
    fact.observed = set_of("x.", 2, 1, "\2n1\1x");
    fact.from_referral = true;
    fact.aa = false;
    give(rules, &fact);
    fact.observed = declared;
    fact.from_referral = false;
    fact.aa = true;
    give(rules, &fact);
}

CASE(delegation_restored)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    struct fact_rrset declared = fact.observed;
    delegation_changed(rules);
    fact.observed = declared;
    give(rules, &fact); /* in the zone */
    fact.from_referral = true;
    fact.aa = false;
    give(rules, &fact); /* at the parent */
}

CASE(delegation_planned)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    fact.observed = set_of("x.", 2, 1, "\2n3\1x");
    fact.baseline.planned = true;
    give(rules, &fact);
}

CASE(delegation_not_declared)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    fact.observed = set_of("sub.x.", 2, 1, "\2n3\1x");
    fact.baseline.expected = (struct fact_rrset){.owner = fact.observed.owner, .type = 2};
    give(rules, &fact);
}

CASE(glue_in_part)
{
    struct fact fact = servers(FACT_DELEGATION, 1);
    give(rules, &fact);
}

CASE(glue_changed)
{
    struct fact fact = servers(FACT_DELEGATION, 1);
    fact.observed = set_of("n1.x.", 1, 1, "\300\1\1\3");
    give(rules, &fact);
}

static struct fact two_views(const char *name)
{
    static const uint8_t hosts[4][16] = {{192, 0, 2, 1}, {203, 0, 113, 1}, {203, 0, 113, 2}};
    struct fact fact = servers(FACT_VIEWS, 1);
    struct fact_views *views = take(sizeof *views);
    fact.observed = set_of(name, 1, 0, "");
    fact.baseline = (struct fact_baseline){.present = false};
    *views = (struct fact_views){.by_network = true,
                                 .side = {{.family = 4,
                                           .server = hosts[0],
                                           .client = hosts[1],
                                           .set = set_of(name, 1, 1, "\300\0\2\1"),
                                           .is_signed = true,
                                           .signature_known = true},
                                          {.family = 4,
                                           .server = hosts[0],
                                           .client = hosts[2],
                                           .set = set_of(name, 1, 1, "\12\0\0\1")}}};
    fact.views = views;
    return fact;
}

CASE(views)
{
    struct fact fact = two_views("www.x.");
    give(rules, &fact);
    fact = two_views("mail.x.");
    give(rules, &fact);
}

CASE(views_no_more)
{
    struct fact fact = two_views("www.x.");
    give(rules, &fact);
    fact.time_ns += 1;
    ((struct fact_views *)(uintptr_t)fact.views)->over = true;
    give(rules, &fact);
}

CASE(views_of_a_name_that_changes)
{
    struct fact fact = two_views("www.x.");
    fact.baseline.dynamic = true;
    give(rules, &fact);
}

CASE(ns_not_known)
{
    struct fact fact = servers(FACT_DELEGATION, 2);
    fact.baseline.expected.count = 0;
    fact.baseline.ns_unknown = true;
    give(rules, &fact);
}

CASE(glue_not_declared)
{
    struct fact fact = servers(FACT_DELEGATION, 28);
    fact.baseline.expected.count = 0;
    give(rules, &fact);
}

static struct fact cds(const struct fact_ds *ds)
{
    struct fact fact = parent_ds();
    uint8_t wire[64] = {(uint8_t)(ds->tag >> 8), (uint8_t)ds->tag, ds->algorithm, ds->digest_type};
    struct fact_rdata *rdata = take(sizeof *rdata);
    memcpy(wire + 4, ds->digest.bytes, ds->digest.size);
    *rdata = bytes_of(wire, 4u + ds->digest.size);
    fact.kind = FACT_RRSET;
    fact.observed = (struct fact_rrset){.owner = fact.zone, .type = 59, .count = 1, .rdata = rdata};
    fact.baseline.expected = (struct fact_rrset){.owner = fact.zone, .type = 59};
    return fact;
}

CASE(cds_of_declared_key)
{
    struct fact_key key = ksk();
    struct fact_ds ds = ds_from("x.", &key, 2);
    struct fact fact = cds(&ds);
    give(rules, &fact);
}

CASE(cds_of_rogue_key)
{
    struct fact_key key = rogue();
    struct fact_ds ds = ds_from("x.", &key, 2);
    struct fact fact = cds(&ds);
    give(rules, &fact);
}

CASE(cds_deletion)
{
    struct fact_ds ds = ds_of(0, 0, 0, "");
    ds.digest = bytes_of("\0", 1);
    struct fact fact = cds(&ds);
    give(rules, &fact);
}

CASE(cds_of_planned_key)
{
    struct fact_key key = rogue();
    struct fact_ds ds = ds_from("x.", &key, 2);
    struct fact fact = cds(&ds);
    fact.baseline.planned = fact.baseline.planned_sep = true;
    give(rules, &fact);
}

/* The plan names another key, which would be among those declared. */
CASE(cds_of_another_key_than_planned)
{
    struct fact_key key = rogue();
    struct fact_ds ds = ds_from("x.", &key, 2);
    struct fact fact = cds(&ds);
    fact.baseline.planned = true;
    give(rules, &fact);
}

static void deletion_planned(struct rules *rules, bool withdrawal)
{
    struct fact_ds ds = ds_of(0, 0, 0, "");
    ds.digest = bytes_of("\0", 1);
    struct fact fact = cds(&ds);
    fact.baseline.planned = fact.baseline.planned_sep = true;
    fact.baseline.planned_withdrawal = withdrawal;
    give(rules, &fact);
}

CASE(cds_deletion_in_a_roll)
{
    deletion_planned(rules, false);
}

CASE(cds_deletion_planned)
{
    deletion_planned(rules, true);
}

CASE(cds_withdrawn_again)
{
    struct fact fact = fact_of(FACT_DENIED, "x.");
    cds_deletion(rules);
    fact.observed.type = 59;
    give(rules, &fact);
}

/* --- records ------------------------------------------------------------------------------- */

static struct fact record(uint16_t type, size_t expected)
{
    struct fact fact = fact_of(FACT_RRSET, "x.");
    fact.baseline.present = fact.baseline.strict = true;
    fact.observed = set_of("www.x.", type, 1, "new");
    fact.baseline.expected = set_of("www.x.", type, expected, "old");
    return fact;
}

#define RECORD(name, type, expected, ...)                                                          \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = record(type, expected);                                                 \
        __VA_ARGS__;                                                                               \
        give(rules, &fact);                                                                        \
    }

RECORD(record_changed, 1, 1, )
RECORD(record_unexpected, 1, 0, )
RECORD(record_equal, 1, 1, fact.observed = set_of("www.x.", 1, 1, "old"); fact.observed.ttl = 5)
RECORD(record_of_wildcard, 1, 1, fact.baseline.expected = set_of("*.x.", 1, 1, "new"))
RECORD(record_subset, 1, 1, fact.baseline.expected = set_of("www.x.", 1, 2, "new", "old"))
RECORD(record_no_baseline, 1, 1, fact.baseline = (struct fact_baseline){0})
RECORD(record_dynamic, 1, 1, fact.baseline.dynamic = true)
RECORD(record_planned, 1, 1, fact.baseline.planned = true)
RECORD(record_below_cut, 1, 1, fact.baseline.below_cut = true)
RECORD(record_truncated, 1, 1, fact.tc = true)
RECORD(record_in_referral, 1, 1, fact.from_referral = true)
RECORD(record_lax, 1, 1, fact.baseline.strict = false)
RECORD(record_lax_watched, 1, 1, fact.baseline.strict = false; fact.baseline.watched = true)
RECORD(record_rrsig, 46, 0, )
RECORD(record_nsec, 47, 0, )
RECORD(record_nsec3, 50, 0, )
RECORD(record_nsec3param, 51, 0, )
RECORD(record_dnskey, 48, 0, )
RECORD(record_ds, 43, 0, )
RECORD(record_zonemd, 63, 0, )
RECORD(record_signing, 65534, 0, )
RECORD(record_opt, 41, 0, )
RECORD(record_any_refused, 13, 0, fact.observed = set_of("www.x.", 13, 1, "\7RFC8482"))
RECORD(record_hinfo, 13, 0, fact.observed = set_of("www.x.", 13, 1, "\3CPU\2OS"))
RECORD(mail_moved, 15, 1, )
RECORD(mail_new, 15, 0, )
RECORD(tlsa_changed, 52, 1, )
RECORD(caa_grew, 257, 1, fact.observed = set_of("www.x.", 257, 2, "new", "old"))
RECORD(caa_shrank, 257, 1, fact.baseline.expected = set_of("www.x.", 257, 2, "new", "old"))
RECORD(caa_appears, 257, 0, )

static struct fact_rrset soa(const char *names, const char *serial, const char *rest)
{
    uint8_t wire[64];
    struct fact_rdata *rdata = take(sizeof *rdata);
    size_t size = strlen(names) + 1; /* with the root label */
    memcpy(wire, names, size);
    memcpy(wire + size, serial, 4);
    memcpy(wire + size + 4, rest, 16);
    *rdata = bytes_of(wire, size + 20);
    return (struct fact_rrset){.owner = N("x."), .type = 6, .ttl = 1, .count = 1, .rdata = rdata};
}

RECORD(soa_serial, 6, 1, fact.baseline.expected = soa("\1a\1x", "0001", "0123456789abcdef");
       fact.observed = soa("\1a\1x", "0002", "0123456789abcdef"))
RECORD(soa_timers, 6, 1, fact.baseline.expected = soa("\1a\1x", "0001", "0123456789abcdef");
       fact.observed = soa("\1a\1x", "0001", "0123456789abcdeF"))
RECORD(soa_name, 6, 1, fact.baseline.expected = soa("\1a\1x", "0001", "0123456789abcdef");
       fact.observed = soa("\1b\1x", "0001", "0123456789abcdef"))

static void txt(struct rules *rules, const char *owner, const char *before, const char *after)
{
    struct fact fact = record(16, 1);
    fact.baseline.expected = txt_of(owner, before);
    fact.observed = txt_of(owner, after);
    give(rules, &fact);
}

#define TXT(name, owner, before, after)                                                            \
    CASE(name)                                                                                     \
    {                                                                                              \
        txt(rules, owner, before, after);                                                          \
    }
TXT(spf_all_pass, "x.", "v=spf1 mx -all", "v=spf1 mx +all")
TXT(spf_bare_all, "x.", "v=spf1 mx ~all", "v=spf1 mx all")
TXT(spf_softer, "x.", "v=spf1 mx -all", "v=spf1 mx ~all")
TXT(spf_include, "x.", "v=spf1 mx -all", "v=spf1 mx include:evil.example -all")
TXT(spf_stricter, "x.", "v=spf1 mx ~all", "v=spf1 mx -all")
TXT(spf_refusal, "x.", "v=spf1 mx -all", "v=spf1 -include:evil.example mx -all")
TXT(spf_gone, "x.", "v=spf1 mx -all", "hello")
TXT(txt_other, "x.", "hello", "v=spf10 +all")
TXT(dmarc_none, "_dmarc.x.", "v=DMARC1; p=reject", "v=DMARC1; p=none")
TXT(dmarc_sub, "_dmarc.x.", "v=DMARC1; p=reject", "v=DMARC1; p=reject; sp=none")
TXT(dmarc_pct, "_dmarc.x.", "v=DMARC1; p=reject", "v=DMARC1;p=reject;pct=1")
TXT(dmarc_rua, "_dmarc.x.", "v=DMARC1; p=none", "v=DMARC1; p=none; rua=mailto:a@x")
TXT(dmarc_stricter, "_dmarc.x.", "v=DMARC1; p=none", "v=DMARC1; p=quarantine")
TXT(dkim_test, "s._domainkey.x.", "v=DKIM1; p=AAAA", "v=DKIM1; t=s:y; p=AAAA")
TXT(dkim_key, "s._domainkey.x.", "v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB")

static struct fact denied(uint16_t type)
{
    struct fact fact = record(type, 1);
    fact.kind = FACT_DENIED;
    fact.observed.count = 0;
    fact.reason = REASON_DENIAL;
    return fact;
}

#define DENIED(name, type, ...)                                                                    \
    CASE(name)                                                                                     \
    {                                                                                              \
        struct fact fact = denied(type);                                                           \
        __VA_ARGS__;                                                                               \
        give(rules, &fact);                                                                        \
    }
DENIED(denied_a, 1, )
DENIED(denied_nothing, 1, fact.baseline.expected.count = 0)
DENIED(denied_unproven, 1, fact.verdict = VERDICT_INDETERMINATE)
DENIED(denied_insecure, 1, fact.verdict = VERDICT_INSECURE)
DENIED(denied_beside_dynamic, 1, fact.baseline.may_exist = true)
DENIED(denied_mx, 15, )
DENIED(denied_tlsa, 52, )
DENIED(denied_caa, 257, )
DENIED(denied_dnskey, 48, )
DENIED(denied_spf, 16, fact.baseline.expected = txt_of("x.", "v=spf1 -all"))
/* --- sensor -------------------------------------------------------------------------------- */

static void sensor(struct rules *rules, enum sensor_kind kind, uint64_t part, bool over)
{
    struct fact fact = fact_of(FACT_SENSOR, ".");
    struct fact_sensor told = {.kind = kind, .part = part, .all = 100, .over = over};
    fact.sensor = &told;
    give(rules, &fact);
}

CASE(sensor_dropped)
{
    sensor(rules, SENSOR_DROPPED, 1, false);
}
CASE(sensor_both_gaps_and_damage)
{
    sensor(rules, SENSOR_GAPS, 5, false);
    sensor(rules, SENSOR_DAMAGED, 1, false);
}
CASE(sensor_only_queries_then_halves)
{ /* one thing, with one life */
    sensor(rules, SENSOR_ONLY_QUERIES, 99, false);
    sensor(rules, SENSOR_HALVES, 95, false);
    sensor(rules, SENSOR_ONLY_RESPONSES, 2, true);
}
CASE(sensor_twice)
{
    sensor(rules, SENSOR_TWICE, 100, false);
}
CASE(sensor_nothing_to_end)
{
    sensor(rules, SENSOR_TWICE, 0, true);
}
CASE(sensor_clock_back)
{
    sensor(rules, SENSOR_CLOCK_BACK, 1, false);
}
CASE(sensor_space)
{
    sensor(rules, SENSOR_SPACE, 1000, false);
}
CASE(sensor_walls)
{
    sensor(rules, SENSOR_WALLS, 1, false);
}
CASE(sensor_cut)
{
    sensor(rules, SENSOR_CUT, 100, false);
}
CASE(fragments_lost)
{
    sensor(rules, SENSOR_FRAGMENTS, 50, false);
}

/* --- load ---------------------------------------------------------------------------------- */

static struct fact load(const char *zone)
{
    struct fact fact = fact_of(FACT_LOAD, zone);
    fact.reason = REASON_BUDGET;
    fact.verdict = VERDICT_NOT_CHECKABLE;
    fact.load = "more of everything than anyone can bear";
    return fact;
}

CASE(load_once_per_zone)
{
    struct fact fact = load("x.");
    give(rules, &fact);
    fact.time_ns += 1;
    give(rules, &fact);
}

CASE(load_of_two_zones)
{
    struct fact fact = load("x."), other = load("y.");
    give(rules, &fact);
    give(rules, &other);
}

CASE(load_not_signature_budget)
{ /* a signature that was not checked is no load by itself: the message is */
    struct fact fact = load("x.");
    struct fact_signature signature = {.state = SIGNATURE_UNCHECKED, .signer = fact.zone};
    fact.kind = FACT_SIGNATURE;
    fact.signature = &signature;
    give(rules, &fact);
}

/* --- transport: what is counted is tested in test_transport.c --------------------------------- */

static void travel(struct rules *rules, enum transport_kind kind, int64_t delay_ns)
{
    static const uint8_t client[16] = {192, 0, 2, 1}, server[16] = {192, 0, 2, 53};
    struct fact fact = fact_of(FACT_TRANSPORT, "x.");
    const struct fact_contender contender[2] = {
        {.set = txt_of("www.x.", "one"), .verdict = VERDICT_BOGUS, .frame = 7},
        {.set = txt_of("www.x.", "two"), .verdict = VERDICT_SECURE, .frame = 8, .time_ns = 1}};
    const struct fact_transport what = {.kind = kind,
                                        .family = 4,
                                        .client = client,
                                        .server = kind == TRANSPORT_UNASKED ? NULL : server,
                                        .part = 99,
                                        .all = 7,
                                        .from_ns = NOW,
                                        .certain = true,
                                        .signed_zone = true,
                                        .contender = contender};
    fact.observed = (struct fact_rrset){.owner = N("www.x."), .type = 16};
    fact.transport = &what;
    fact.time_ns += delay_ns;
    give(rules, &fact);
}

CASE(race)
{
    travel(rules, TRANSPORT_RACE, 0);
}

CASE(flood)
{
    travel(rules, TRANSPORT_FLOOD, 0);
    travel(rules, TRANSPORT_FLOOD, 1);
}

CASE(unasked)
{
    travel(rules, TRANSPORT_UNASKED, 0);
}

CASE(tcp_in_three_ways) /* is one thing about the zone */
{
    travel(rules, TRANSPORT_TCP_SILENT, 0);
    travel(rules, TRANSPORT_TCP_REFUSED, 1);
    travel(rules, TRANSPORT_TCP_UNSEEN, 2);
}

CASE(downgrade)
{
    travel(rules, TRANSPORT_DOWNGRADE, 0);
}

CASE(tunnel)
{
    travel(rules, TRANSPORT_TUNNEL, 0);
}

/* --- rolls: the rest is in test_roll_rules.c ------------------------------------------------- */

static void roll_goes(struct rules *rules, enum roll_stage stage, bool declared)
{
    struct fact_key *key = take(2 * sizeof *key);
    key[0] = key_of(256, 13, 1000, "old zsk");
    key[1] = key_of(256, 13, 2000, "new zsk");
    struct fact fact = roll_fact("example.test.", stage, &key[1],
                                 stage == ROLL_REMOVED_EARLY ? &key[0] : &key[1], &key[0]);
    if (declared)
        DECLARED_KEYS(&fact, key[0]);
    give(rules, &fact);
}

CASE(roll_published)
{
    roll_goes(rules, ROLL_PUBLISHED, false);
}

CASE(roll_outside_windows)
{
    roll_goes(rules, ROLL_PUBLISHED, true);
}

CASE(roll_signs_early)
{
    roll_goes(rules, ROLL_SIGNS_EARLY, false);
}

CASE(roll_key_removed_early)
{
    roll_goes(rules, ROLL_REMOVED_EARLY, false);
}

CASE(roll_ds_pending)
{
    roll_goes(rules, ROLL_DS_PENDING, false);
}

static const struct rule_case cases[] = {
#define C(name, expected)                                                                          \
    {                                                                                              \
#name, name, expected                                                                      \
    }
    C(load_once_per_zone, "validator-load"),
    C(load_of_two_zones, "validator-load validator-load"),
    C(load_not_signature_budget, ""),
    C(keys_as_declared, ""),
    C(key_unknown, "key-unknown"),
    C(key_unknown_no_baseline, ""),
    C(key_unknown_planned_zsk, ""),
    C(key_unknown_only_ksk_planned, "key-unknown"),
    C(key_unknown_another_is_planned, "key-unknown"),
    C(key_unknown_multi_signer, ""),
    C(key_in_zone_declared_unsigned, "key-unknown"),
    C(key_changed_bytes, "key-changed"),
    C(key_changed_flags, "key-changed"),
    C(key_revoked_declared, "key-revoked"),
    C(key_revoked_in_plan, ""),
    C(key_withdrawn, "key-withdrawn"),
    C(key_withdrawn_planned, ""),
    C(key_withdrawn_bogus_set, ""),
    C(key_planned_not_there_yet, ""),
    C(rsa_2048, ""),
    C(rsa_1024_ksk, "key-weak"),
    C(rsa_even_exponent, "key-weak"),
    C(rsa_long_exponent, "key-weak"),
    C(rsa_malformed, "key-malformed"),
    C(sha1_key, "key-weak"),
    C(sha512_key, "key-weak"),
    C(ed25519_key, ""),
    C(tag_collision, "key-tag-collision"),
    C(same_tag_other_algorithm, ""),
    C(not_secure_entry, "key-not-secure-entry"),
    C(excluded_zone, ""),
    C(suppressed, ""),
    C(suppression_ended, "key-unknown"),
    C(sound_signature, ""),
    C(unchecked_signature, ""),
    C(bad_signature, "rrsig-bad"),
    C(expired_signature, "rrsig-expired"),
    C(expired_beside_valid, "rrsig-expired"),
    C(future_signature, "rrsig-not-yet-valid"),
    C(expiring_signature, "rrsig-expiring"),
    C(expiring_at_lead, ""),
    C(short_lived_by_policy, ""),
    C(short_lived_overdue, "rrsig-expiring"),
    C(unknown_key, "rrsig-unknown-key"),
    C(unknown_key_not_seen, ""),
    C(unknown_key_declared, ""),
    C(malformed_signature, "rrsig-malformed"),
    C(algorithm_missing, "rrsig-algorithm-missing"),
    C(contest, "signed-equivocation signed-out-of-serial"),
    C(contest_declared_dynamic, ""),
    C(contest_planned, ""),
    C(contest_explained, "signed-equivocation! signed-out-of-serial!"),
    C(habit_as_ever, ""),
    C(habit_long, "signer-habit"),
    C(habit_long_little_known, ""),
    C(habit_long_one_signing, ""),
    C(habit_long_as_stated, ""),
    C(habit_longer_than_stated, "signer-habit"),
    C(habit_short, ""),
    C(habit_short_constant, "signer-habit"),
    C(habit_short_constant_two_signings, ""),
    C(habit_longer_and_other_ttl, "signer-habit"),
    C(habit_other_ttl, ""),
    C(habit_not_set_back, "signer-habit"),
    C(habit_never_set_back, ""),
    C(habit_set_back_once, ""),
    C(habit_not_round, "signer-habit"),
    C(habit_full_hour, ""),
    C(habit_ksk_over_data, "signer-habit"),
    C(habit_csk_first, ""),
    C(habit_keys_little_known, ""),
    C(stated_as_ever, ""),
    C(stated_long, "signer-habit"),
    C(stated_short, "signer-habit"),
    C(stated_nearly, ""),
    C(stated_jitter, ""),
    C(stated_little, ""),
    C(stated_as_policy, ""),
    C(stated_round_by_chance, ""),
    C(stated_not_round, "signer-habit"),
    C(stated_ksk, "signer-habit"),
    C(refresh_overdue, "rrsig-stale-refresh"),
    C(refresh_in_time, ""),
    C(refresh_shorter_than_lead, ""),
    C(ttl_raised, "rrsig-ttl"),
    C(labels_too_many, "rrsig-labels"),
    C(labels_of_wildcard, ""),
    C(wildcard_not_denied, "rrsig-labels"),
    C(wildcard_owner_itself, ""),
    C(signer_elsewhere, "rrsig-signer-not-zone"),
    C(signer_is_parent, "rrsig-signer-not-zone"),
    C(signer_right_again, "rrsig-signer-not-zone!"),
    C(signature_missing, "rrsig-missing"),
    C(missing_rewritten, "rrsig-missing"),
    C(missing_without_do, ""),
    C(missing_truncated, ""),
    C(missing_in_referral, ""),
    C(missing_below_cut, ""),
    C(ds_mismatch, "ds-mismatch"),
    C(chain_secure, ""),
    C(chain_not_seen, ""),
    C(chain_bogus_above, ""),
    C(ds_as_declared, ""),
    C(ds_other_digest_of_declared, ""),
    C(ds_unknown, "ds-unknown"),
    C(ds_unknown_planned, ""),
    C(ds_unknown_no_baseline, ""),
    C(ds_weak, "ds-weak"),
    C(ds_digest_wrong, "ds-digest-wrong"),
    C(ds_malformed, "ds-malformed"),
    C(denial_broken, "denial-broken"),
    C(denial_missing, "denial-missing"),
    C(denial_whole, ""),
    C(denial_contradicted, "denial-contradicted"),
    C(zone_walk, "zone-walk"),
    C(nsec3_parameters, "nsec3-parameters"),
    C(ds_of_another_tag, ""),
    C(ds_digest_unknown_type, ""),
    C(ds_algorithm_wrong, "ds-algorithm-mismatch"),
    C(ds_same_tag_by_chance, ""),
    C(ds_removed, "ds-removed"),
    C(ds_never_there, ""),
    C(ds_removal_planned, ""),
    C(delegation_as_declared, ""),
    C(delegation_changed, "delegation-changed"),
    C(delegation_changed_at_parent, "delegation-changed"),
    C(delegation_restored, "delegation-changed!"),
    C(delegation_planned, ""),
    C(delegation_not_declared, "delegation-changed"),
    C(glue_in_part, ""),
    C(glue_changed, "delegation-changed"),
    C(glue_not_declared, ""),
    C(ns_not_known, ""),
    C(views, "views-disagree"),
    C(views_no_more, "views-disagree!"),
    C(views_of_a_name_that_changes, ""),
    C(cds_of_declared_key, ""),
    C(cds_of_rogue_key, "cds-unexpected"),
    C(cds_deletion, "cds-unexpected"),
    C(cds_of_planned_key, ""),
    C(cds_of_another_key_than_planned, "cds-unexpected"),
    C(cds_deletion_in_a_roll, "cds-unexpected"),
    C(cds_deletion_planned, ""),
    C(cds_withdrawn_again, "cds-unexpected!"),
    C(record_changed, "record-changed"),
    C(record_unexpected, "record-unexpected"),
    C(record_equal, ""),
    C(record_of_wildcard, ""),
    C(record_subset, "record-changed"),
    C(record_no_baseline, ""),
    C(record_dynamic, ""),
    C(record_planned, ""),
    C(record_below_cut, ""),
    C(record_truncated, ""),
    C(record_in_referral, ""),
    C(record_lax, ""),
    C(record_lax_watched, "record-changed"),
    C(record_rrsig, ""),
    C(record_nsec, ""),
    C(record_nsec3, ""),
    C(record_nsec3param, ""),
    C(record_dnskey, ""),
    C(record_ds, ""),
    C(record_zonemd, ""),
    C(record_signing, ""),
    C(record_opt, ""),
    C(record_any_refused, ""),
    C(record_hinfo, "record-unexpected"),
    C(mail_moved, "mail-moved"),
    C(mail_new, "record-unexpected"),
    C(tlsa_changed, "tlsa-changed"),
    C(caa_grew, "caa-weakened"),
    C(caa_shrank, "record-changed"),
    C(caa_appears, "record-unexpected"),
    C(soa_serial, ""),
    C(soa_timers, "record-changed"),
    C(soa_name, "record-changed"),
    C(spf_all_pass, "mail-policy-weakened"),
    C(spf_bare_all, "mail-policy-weakened"),
    C(spf_softer, "mail-policy-weakened"),
    C(spf_include, "mail-policy-weakened"),
    C(spf_stricter, "record-changed"),
    C(spf_refusal, "record-changed"),
    C(spf_gone, "mail-policy-weakened"),
    C(txt_other, "record-changed"),
    C(dmarc_none, "mail-policy-weakened"),
    C(dmarc_sub, "mail-policy-weakened"),
    C(dmarc_pct, "mail-policy-weakened"),
    C(dmarc_rua, "record-changed"),
    C(dmarc_stricter, "record-changed"),
    C(dkim_test, "mail-policy-weakened"),
    C(dkim_key, "record-changed"),
    C(denied_a, "record-missing"),
    C(denied_nothing, ""),
    C(denied_unproven, ""),
    C(denied_insecure, ""),
    C(denied_beside_dynamic, ""),
    C(denied_mx, "mail-moved"),
    C(denied_tlsa, "tlsa-changed"),
    C(denied_caa, "caa-weakened"),
    C(denied_dnskey, ""),
    C(denied_spf, "mail-policy-weakened"),
    C(sensor_dropped, "sensor-loss"),
    C(sensor_both_gaps_and_damage, "sensor-loss sensor-loss"),
    C(sensor_only_queries_then_halves, "sensor-one-way!"),
    C(sensor_twice, "sensor-duplicates"),
    C(sensor_nothing_to_end, ""),
    C(sensor_cut, "sensor-mirror"),
    C(sensor_clock_back, "sensor-clock"),
    C(sensor_space, "sensor-storage"),
    C(sensor_walls, "sensor-confinement"),
    C(fragments_lost, "fragments-lost"),
    C(race, "spoof-race"),
    C(flood, "spoof-flood"),
    C(unasked, "response-unasked"),
    C(tcp_in_three_ways, "tcp-blocked"),
    C(downgrade, "edns-downgrade"),
    C(tunnel, "tunnel-shape"),
    C(roll_published, "roll-progress"),
    C(roll_outside_windows, "roll-unplanned roll-progress"),
    C(roll_signs_early, "roll-unsafe"),
    C(roll_key_removed_early, "roll-unsafe key-withdrawn-early"),
    C(roll_ds_pending, "ds-pending"),
    SERVER_CASES
#undef C
};

static void each_rule_fires_and_no_more(void **state)
{
    bool fired[RULE_COUNT] = {false};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        const struct finding *const *findings;
        struct rules *rules = rules_default(NULL);
        builder_reset();
        print_message("%s\n", cases[i].name);
        cases[i].build(rules);
        assert_string_equal(found(rules, text), cases[i].expected);
        size_t count = rules_findings(rules, &findings);
        for (size_t j = 0; j < count; j++) {
            const struct finding *finding = findings[j];
            fired[finding->rule] = true;
            assert_true(rule_text(finding->rule)->works);
            assert_non_null(finding->summary);
            assert_int_equal(strspn(finding->id, "0123456789abcdef"), 16);
            assert_true(finding->expected_count + finding->observed_count > 0);
            assert_int_equal(finding->first_seen_ns, NOW);
            assert_int_equal(finding->frames[0], 7);
            print_message("   %s\n", finding->summary);
        }
        rules_free(rules);
    }
    for (unsigned i = 0; i < RULE_COUNT; i++) /* the catalogue's promise is kept */
        if (strcmp(rule_text((enum rule_id)i)->family, "resolution") != 0 && /* test_resolution.c */
            rule_text((enum rule_id)i)->works != fired[i])
            fail_msg("%s: works and fires do not agree", rule_text((enum rule_id)i)->id);
}

/* --- severity ------------------------------------------------------------------------------ */

static void severities_are_graded(void **state)
{
    static const struct {
        const char *name;
        void (*build)(struct rules *);
        enum severity severity;
    } graded[] = {
        {"expired alone", expired_signature, SEVERITY_HIGH},
        {"expired beside a valid one", expired_beside_valid, SEVERITY_MEDIUM},
        {"SOA timers", soa_timers, SEVERITY_MEDIUM},
        {"record changed", record_changed, SEVERITY_HIGH},
        {"record under watch", record_lax_watched, SEVERITY_CRITICAL},
        {"short KSK", rsa_1024_ksk, SEVERITY_MEDIUM},
        {"must not sign", sha1_key, SEVERITY_MEDIUM},
        {"not recommended", sha512_key, SEVERITY_LOW},
        {"stripped", signature_missing, SEVERITY_CRITICAL},
        {"rewritten by a policy", missing_rewritten, SEVERITY_LOW},
    };
    (void)state;
    for (size_t i = 0; i < sizeof graded / sizeof *graded; i++) {
        const struct finding *const *findings;
        struct rules *rules = rules_default(NULL);
        builder_reset();
        print_message("%s\n", graded[i].name);
        graded[i].build(rules);
        assert_int_equal(rules_findings(rules, &findings), 1);
        assert_int_equal(findings[0]->severity, graded[i].severity);
        rules_free(rules);
    }
    static const struct {
        unsigned bits;
        enum severity severity;
    } zsks[] = {{1280, SEVERITY_LOW}, {1024, SEVERITY_LOW}, {1016, SEVERITY_MEDIUM}};
    for (size_t i = 0; i < sizeof zsks / sizeof *zsks; i++) {
        const struct finding *const *findings;
        struct rules *rules = rules_default(NULL);
        builder_reset();
        weak(rules, rsa(256, zsks[i].bits, "\1\0\1", 3));
        assert_int_equal(rules_findings(rules, &findings), 1);
        assert_int_equal(findings[0]->severity, zsks[i].severity);
        rules_free(rules);
    }
}

/* --ignore-rfc8624 is about algorithms, not about keys that are short. */
static void advice_can_be_ignored(void **state)
{
    static const struct {
        void (*build)(struct rules *);
        size_t found;
    } rows[] = {{sha1_key, 0}, {sha512_key, 0}, {ds_weak, 0}, {rsa_1024_ksk, 1}};
    const struct rules_limits limits = {.ignore_rfc8624 = true};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct finding *const *findings;
        char error[256];
        struct rules *rules = rules_new(NULL, NULL, 0, &limits, NULL, NULL, error, sizeof error);
        assert_non_null(rules);
        builder_reset();
        rows[i].build(rules);
        assert_int_equal(rules_findings(rules, &findings), rows[i].found);
        rules_free(rules);
    }
}

static void loss_weakens_absence_only(void **state)
{
    (void)state;
    const struct finding *const *findings;
    struct rules *rules = rules_default(NULL);
    builder_reset();
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), rogue()); /* one more, one missing */
    fact.lossy = true;
    give(rules, &fact);
    assert_int_equal(rules_findings(rules, &findings), 2);
    assert_int_equal(findings[0]->rule, RULE_KEY_UNKNOWN);
    assert_int_equal(findings[0]->severity, SEVERITY_CRITICAL);
    assert_false(findings[0]->lossy);
    assert_int_equal(findings[1]->rule, RULE_KEY_WITHDRAWN);
    assert_int_equal(findings[1]->severity, SEVERITY_MEDIUM);
    assert_true(findings[1]->lossy);
    rules_free(rules);
}

/* --- texts --------------------------------------------------------------------------------- */

static void summary_says_who_signed(void **state)
{
    static const struct {
        enum verdict_kind verdict;
        enum reason reason;
        const char *part;
    } cases_[] = {
        {VERDICT_SECURE, REASON_CHAIN,
         "undeclared ZSK 333 (algorithm 13, flags 256) in the DNSKEY RRset of x., and the DNSKEY "
         "RRset carrying it is validly signed: the zone's KSK signed it (declared key 111)"},
        {VERDICT_BOGUS, REASON_SIG_BAD, "the DNSKEY RRset carrying it is bogus: "},
        {VERDICT_INDETERMINATE, REASON_DS_NOT_SEEN,
         "the DNSKEY RRset carrying it is not validated"},
    };
    (void)state;
    const struct finding *const *findings;
    struct rules *rules = rules_default(NULL);
    char first[FINDING_ID_TEXT] = "";
    for (size_t i = 0; i < sizeof cases_ / sizeof *cases_; i++) {
        builder_reset();
        struct fact fact = dnskey();
        KEYS(&fact, ksk(), zsk(), rogue());
        fact.verdict = cases_[i].verdict;
        fact.reason = cases_[i].reason;
        fact.kind = i ? FACT_CHAIN : FACT_DNSKEY;
        give(rules, &fact);
        assert_int_equal(rules_findings(rules, &findings), 1);
        print_message("%s\n", findings[0]->summary);
        assert_non_null(strstr(findings[0]->summary, cases_[i].part));
        assert_int_equal(findings[0]->expected_count, 2);
        assert_int_equal(findings[0]->observed_count, 1);
        assert_memory_equal(findings[0]->observed[0], "x. IN DNSKEY 256 3 13 ", 22);
        if (i)
            assert_string_equal(findings[0]->id, first);
        memcpy(first, findings[0]->id, sizeof first);
    }
    rules_free(rules);
}

static void deadline_is_named(void **state)
{
    (void)state;
    const struct finding *const *findings;
    struct rules *rules = rules_default(NULL);
    static const int64_t hours[] = {20, 10, 30};
    static const char *const owners[] = {"a.x.", "b.x.", "c.x."};
    builder_reset();
    for (size_t i = 0; i < 3; i++) {
        struct fact fact = signature_of(SIGNATURE_VALID, "x.", owners[i]);
        signature_in(&fact)->inception -= 200 * HOUR;
        signature_in(&fact)->expiration = NOW / NS_S + hours[i] * HOUR;
        give(rules, &fact);
    }
    assert_int_equal(rules_findings(rules, &findings), 1);                          /* one cause */
    assert_non_null(strstr(findings[0]->summary, "2026-11-25T22:00:00Z, in 10 h")); /* the first */
    assert_non_null(strstr(findings[0]->summary, "and 2 more RRsets"));
    assert_int_equal(findings[0]->observed_count, 3);
    assert_string_equal(findings[0]->observed[0],
                        "a.x. IN RRSIG TYPE1 13 2 300 20261126080000 20261117030000 1000 x. (...)");
    rules_free(rules);
}

static const char *nasty_rdata(uint16_t type, const uint8_t *bytes, size_t size, char *ret_text,
                               size_t room)
{
    (void)type, (void)bytes, (void)size;
    snprintf(ret_text, room, "a\nb\x1b[31m\xff\"");
    return ret_text;
}

/* Whatever a callback lets through, a finding's lines are printable ASCII. */
static void hostile_bytes_are_harmless(void **state)
{
    static const struct rules_text text = {.rdata = nasty_rdata};
    const struct rules_limits limits = {.text = &text};
    (void)state;
    const struct finding *const *findings;
    char error[256];
    struct rules *rules = rules_new(NULL, NULL, 0, &limits, NULL, NULL, error, sizeof error);
    assert_non_null(rules);
    builder_reset();
    struct fact fact = record(1, 1);
    fact.observed.owner = (const uint8_t *)"\3\x01\"\n\1x";
    give(rules, &fact);
    assert_int_equal(rules_findings(rules, &findings), 1);
    assert_string_equal(findings[0]->observed[0], "\\001\\\"\\010.x. IN TYPE1 a?b?[31m?\"");
    for (const char *at = findings[0]->summary; *at; at++)
        assert_true(*at >= 0x20 && *at < 0x7f);
    rules_free(rules);
}

/* --- profile ------------------------------------------------------------------------------- */

static void profile_overrides(void **state)
{
    (void)state;
    char text[512];
    const struct finding *const *findings;
    struct rules *rules = rules_default("rules:\n"
                                        "  key-withdrawn: {enabled: false}\n"
                                        "  key-unknown: {severity: low}\n"
                                        "thresholds: {expiring: 5h}\n"
                                        "exclude: [y.]\n");
    builder_reset();
    struct fact fact = dnskey();
    KEYS(&fact, ksk(), rogue());
    give(rules, &fact);
    fact.zone = N("a.y.");
    give(rules, &fact);
    expiring_signature(rules);
    excluded_zone(rules); /* the built-in list still holds */
    assert_string_equal(found(rules, text), "key-unknown");
    assert_int_equal(rules_findings(rules, &findings), 1);
    assert_int_equal(findings[0]->severity, SEVERITY_LOW);
    assert_int_equal(rules_suppressed(rules), 2);
    rules_free(rules);
}

static void profile_mistakes_name_file_and_line(void **state)
{
    static const struct {
        const char *text, *error;
    } mistakes[] = {
        {"rules:\n  key-unkown: {}\n", "p.yaml:2: expected the id of a rule"},
        {"rules:\n  key-unknown: {severity: urgent}\n", "p.yaml:2: expected critical, high,"},
        {"rules:\n  key-unknown:\n    enabled: 1\n", "p.yaml:3: expected true or false"},
        {"rules:\n  key-unknown:\n    on: true\n", "p.yaml:3: \"on\" is not known here"},
        {"rule: {}\n", "p.yaml:1: \"rule\" is not known here; expected one of rules, "},
        {"thresholds:\n  rsa-bits: 1\n", "p.yaml:2: expected a number from 512"},
        {"thresholds:\n  expiring: 2 days\n", "p.yaml:2: expected a duration"},
        {"exclude:\n  - ok.example.\n  - a..b\n", "p.yaml:3: expected a zone's name"},
        {"exclude: x.\n", "p.yaml:1: expected a list"},
        {"{\n", "p.yaml:"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        char error[256] = "";
        struct rules *rules = rules_new("p.yaml", mistakes[i].text, strlen(mistakes[i].text), NULL,
                                        NULL, NULL, error, sizeof error);
        print_message("%s\n", error);
        assert_null(rules);
        assert_memory_equal(error, mistakes[i].error, strlen(mistakes[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_fires_and_no_more),
        cmocka_unit_test(severities_are_graded),
        cmocka_unit_test(advice_can_be_ignored),
        cmocka_unit_test(loss_weakens_absence_only),
        cmocka_unit_test(summary_says_who_signed),
        cmocka_unit_test(deadline_is_named),
        cmocka_unit_test(hostile_bytes_are_harmless),
        cmocka_unit_test(profile_overrides),
        cmocka_unit_test(profile_mistakes_name_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
