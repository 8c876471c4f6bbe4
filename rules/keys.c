/*
 * keys: findings about DNSKEYs (RFC 4034 2, RFC 5011, RFC 6781).
 *
 * Contained in: analyze, tests. Keys are told apart by their bytes, never by the tag alone: a tag
 * has 16 bits and can be chosen.
 */
#include "rules/algorithm.h"
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_DNSKEY        48
#define RSA_EXPONENT_LARGE 64   /* bits; longer ones only cost verifiers time (RFC 3110 2) */
#define RSA_BITS_LEAST     512  /* RFC 5702 2.1; 1024 for RSASHA512, 2.2 */
#define RSA_BITS_MOST      4096 /* RFC 3110 2 */

static bool same_bytes(const struct fact_key *a, const struct fact_key *b)
{
    return rdata_equal(&a->public_key, &b->public_key);
}

static bool same_key(const struct fact_key *a, const struct fact_key *b)
{
    return a->algorithm == b->algorithm && same_bytes(a, b);
}

static const char *role(const struct fact_key *key)
{
    return key->flags & KEY_SEP ? "KSK" : "ZSK";
}

static struct subject key_subject(const struct fact *fact, const struct fact_key *key,
                                  uint8_t *identity, size_t room)
{
    size_t size = key->public_key.size < room - 4 ? key->public_key.size : room - 4;
    identity[0] = (uint8_t)(key->flags >> 8);
    identity[1] = (uint8_t)key->flags;
    identity[2] = key->protocol;
    identity[3] = key->algorithm;
    if (size)
        memcpy(identity + 4, key->public_key.bytes, size);
    return (struct subject){fact->zone, fact->zone, TYPE_DNSKEY, identity, size + 4};
}

#define IDENTITY_ROOM 4096 /* longer keys share the finding of their first 4092 bytes */

static void expect_declared(struct entry *entry, const struct fact *fact)
{
    char line[LINE_ROOM];
    for (size_t i = 0; i < fact->baseline.key_declared; i++)
        entry_expected(entry, text_key(fact->zone, &fact->baseline.keys[i], line));
}

static const struct fact_key *declared_same(const struct fact_baseline *baseline,
                                            const struct fact_key *key)
{
    for (size_t i = 0; i < baseline->key_count; i++)
        if (same_key(&baseline->keys[i], key))
            return &baseline->keys[i];
    return NULL;
}

/* Who vouches for the DNSKEY RRset that carries a key of doubt. */
static const char *vouching(const struct fact *fact, char ret_text[256])
{
    for (size_t i = 0; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        if (fact->verdict != VERDICT_SECURE || !key->signs_dnskey || !(key->flags & KEY_SEP))
            continue;
        bool declared = declared_same(&fact->baseline, key) != NULL;
        snprintf(ret_text, 256,
                 "and the DNSKEY RRset carrying it is validly signed: the zone's KSK signed it "
                 "(%s key %u)",
                 declared ? "declared" : "undeclared", key->tag);
        if (declared)
            return ret_text;
    }
    char trust[256];
    if (fact->verdict == VERDICT_SECURE) /* signed by undeclared KSKs only, or by none with SEP */
        return ret_text[0] ? ret_text : "and the DNSKEY RRset carrying it is validly signed";
    snprintf(ret_text, 256, "the DNSKEY RRset carrying it is %.220s", text_trust(fact, trust));
    return ret_text;
}

/* --- key-unknown, key-changed, key-revoked ------------------------------------------------- */

/* A declared key that this one is a changed form of, or that it imitates; NULL if none. */
static const struct fact_key *changed_from(const struct fact_baseline *baseline,
                                           const struct fact_key *key, const char **ret_what)
{
    for (size_t i = 0; i < baseline->key_count; i++) {
        const struct fact_key *known = &baseline->keys[i];
        if (same_bytes(known, key)) {
            *ret_what = known->algorithm != key->algorithm ? "another algorithm"
                        : known->protocol != key->protocol ? "another protocol"
                                                           : "other flags";
            return known;
        }
        if (known->tag == key->tag && known->algorithm == key->algorithm) {
            *ret_what = "other key bytes under the same tag and algorithm";
            return known;
        }
    }
    return NULL;
}

static void report_changed(struct judge *judge, const struct fact_key *key,
                           const struct fact_key *known, const char *what)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = key_subject(fact, key, identity, sizeof identity);
    struct entry *entry = entry_begin(judge, RULE_KEY_CHANGED, &subject);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32], note[256] = "";
    if (!entry)
        return;
    entry_clear(entry);
    entry_expected(entry, text_key(fact->zone, known, line));
    entry_observed(entry, text_key(fact->zone, key, line));
    entry_summary(entry, "key %u (%s, flags %u) of %s has %s than declared, %s", key->tag,
                  text_algorithm(judge, key->algorithm, algorithm), key->flags,
                  name_text(fact->zone, zone), what, vouching(fact, note));
    entry_end(judge, entry, 0);
}

static void report_unknown(struct judge *judge, const struct fact_key *key)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = key_subject(fact, key, identity, sizeof identity);
    struct entry *entry = entry_begin(judge, RULE_KEY_UNKNOWN, &subject);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32], note[256] = "";
    if (!entry)
        return;
    entry_clear(entry);
    expect_declared(entry, fact);
    entry_observed(entry, text_key(fact->zone, key, line));
    entry_summary(entry, "undeclared %s %u (%s, flags %u) in the DNSKEY RRset of %s, %s", role(key),
                  key->tag, text_algorithm(judge, key->algorithm, algorithm), key->flags,
                  name_text(fact->zone, zone), vouching(fact, note));
    entry_end(judge, entry, 0);
}

/* Which key of the zone it was before the bit changed its tag; `known` NULL: none that is declared.
 */
static const char *text_before(const struct fact_baseline *b, const struct fact_key *known,
                               char ret_text[128])
{
    bool named = false;
    for (size_t i = 0; known && i < b->ds_count; i++)
        named |= b->ds[i].tag == known->tag && b->ds[i].algorithm == known->algorithm;
    if (known)
        snprintf(ret_text, 128, ", the declared %s %u%s", role(known), known->tag,
                 named ? " that the declared DS names," : ",");
    else
        snprintf(ret_text, 128, "%s", b->key_count ? ", which nobody declared," : "");
    return ret_text;
}

static void report_revoked(struct judge *judge, const struct fact_key *key,
                           const struct fact_key *known)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = key_subject(fact, key, identity, sizeof identity);
    struct entry *entry = entry_begin(judge, RULE_KEY_REVOKED, &subject);
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32], before[128];
    if (!entry)
        return;
    entry_clear(entry);
    expect_declared(entry, fact);
    entry_observed(entry, text_key(fact->zone, key, line));
    entry_summary(entry, "key %u (%s, flags %u) of %s%s is revoked; %s", key->tag,
                  text_algorithm(judge, key->algorithm, algorithm), key->flags,
                  name_text(fact->zone, zone), text_before(&fact->baseline, known, before),
                  key->signs_dnskey
                      ? "it signs the DNSKEY RRset itself, so the revocation is in force (RFC 5011)"
                      : "no signature by it over the DNSKEY RRset was verified: the revocation is "
                        "not proven");
    entry_end(judge, entry, 0);
}

/* --- a key that is gone again ---------------------------------------------------------------- */

#define GONE_KEYS_MAX 64 /* of larger sets nothing is concluded */

/* The server gives the whole DNSKEY RRset, and what was said of other keys is no longer in it. */
static void judge_gone(struct judge *judge)
{
    static const enum rule_id rules[] = {RULE_KEY_UNKNOWN, RULE_KEY_CHANGED, RULE_KEY_REVOKED};
    const struct fact *fact = judge->fact;
    char ids[GONE_KEYS_MAX][FINDING_ID_TEXT];
    uint8_t identity[IDENTITY_ROOM];
    if (fact->kind != FACT_DNSKEY || fact->verdict != VERDICT_SECURE || !fact->aa ||
        !fact->server || fact->tc || fact->key_count == 0 || fact->key_count > GONE_KEYS_MAX)
        return;
    for (size_t r = 0; r < sizeof rules / sizeof *rules; r++) {
        for (size_t i = 0; i < fact->key_count; i++) {
            struct subject subject = key_subject(fact, &fact->keys[i], identity, sizeof identity);
            findings_id(judge, rules[r], &subject, ids[i]);
        }
        findings_close_but(judge, rules[r], fact->zone, (const char(*)[FINDING_ID_TEXT])ids,
                           fact->key_count);
    }
}

/* Of a key that the owner did not declare: does a plan bring one of its kind, or another signer? */
static bool key_expected(const struct fact_baseline *baseline, const struct fact_key *key)
{
    if (baseline->algorithm && key->algorithm != baseline->algorithm)
        return false;
    return baseline->multi_signer ||
           (key->flags & KEY_SEP ? baseline->planned_sep : baseline->planned_zsk);
}

/* What was said of it before its window began. */
static void close_expected(struct judge *judge, const struct fact_key *key)
{
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = key_subject(judge->fact, key, identity, sizeof identity);
    if (judge->fact->verdict != VERDICT_SECURE)
        return;
    findings_close(judge, RULE_KEY_UNKNOWN, &subject);
    findings_close(judge, RULE_KEY_CHANGED, &subject);
}

static void judge_key(struct judge *judge, const struct fact_key *key)
{
    const struct fact_baseline *baseline = &judge->fact->baseline;
    const struct fact_key *known = declared_same(baseline, key);
    const char *what = NULL;
    if (key->flags & KEY_REVOKE) {
        bool declared = known && known->flags & KEY_REVOKE;
        if (!declared && !baseline->planned)
            report_revoked(judge, key, known);
        if (known)
            return; /* a declared key, revoked: one deviation */
    }
    if (!baseline->present)
        return;
    if ((known && known->flags == key->flags && known->protocol == key->protocol) ||
        key_expected(baseline, key)) {
        close_expected(judge, key);
        return;
    }
    known = changed_from(baseline, key, &what);
    if (known)
        report_changed(judge, key, known, what);
    else
        report_unknown(judge, key);
}

/* --- key-withdrawn ------------------------------------------------------------------------- */

static bool still_there(const struct fact *fact, const struct fact_key *declared)
{
    for (size_t i = 0; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        if (same_bytes(key, declared) ||
            (key->tag == declared->tag && key->algorithm == declared->algorithm))
            return true; /* the latter is key-changed */
    }
    return false;
}

static void judge_withdrawn(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    for (size_t i = 0; i < fact->baseline.key_declared; i++) {
        const struct fact_key *declared = &fact->baseline.keys[i];
        uint8_t identity[IDENTITY_ROOM];
        struct subject subject = key_subject(fact, declared, identity, sizeof identity);
        char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32];
        if (still_there(fact, declared)) {
            findings_close(judge, RULE_KEY_WITHDRAWN, &subject);
            continue;
        }
        /* A set that is not the zone's own tells nothing of what the zone withdrew; and of several
         * signers each may publish its own KSK alone (RFC 8901 2.1.2). */
        if (fact->baseline.planned || fact->baseline.multi_signer || fact->tc ||
            fact->verdict == VERDICT_BOGUS)
            continue;
        struct entry *entry = entry_begin(judge, RULE_KEY_WITHDRAWN, &subject);
        if (!entry)
            continue;
        entry_clear(entry);
        entry_expected(entry, text_key(fact->zone, declared, line));
        for (size_t j = 0; j < fact->key_count; j++)
            entry_observed(entry, text_key(fact->zone, &fact->keys[j], line));
        entry_summary(entry, "declared %s %u (%s) is missing from the DNSKEY RRset of %s",
                      role(declared), declared->tag,
                      text_algorithm(judge, declared->algorithm, algorithm),
                      name_text(fact->zone, zone));
        entry_end(judge, entry, 0);
    }
}

/* --- key-weak ------------------------------------------------------------------------------ */

/* What IANA's table has against signing with it; NULL if nothing. */
static const char *deprecated(uint8_t algorithm, enum severity *ret_severity, char ret_text[128])
{
    const struct algorithm *row = algorithm_find(algorithm);
    if (!row || (row->signing != ADVICE_MUST_NOT && row->signing != ADVICE_NOT_RECOMMENDED))
        return NULL;
    if (row->signing == ADVICE_NOT_RECOMMENDED)
        *ret_severity = SEVERITY_LOW;
    snprintf(ret_text, 128, "%s: %s for signing (%s)", row->mnemonic,
             algorithm_advice(row->signing), row->reference);
    return ret_text;
}

static bool is_rsa(uint8_t algorithm)
{
    return algorithm == 1 || algorithm == 5 || algorithm == 7 || algorithm == 8 || algorithm == 10;
}

static unsigned bits_of(const uint8_t *bytes, size_t size)
{
    while (size && *bytes == 0) {
        bytes++;
        size--;
    }
    unsigned bits = (unsigned)size * 8;
    for (unsigned top = size ? *bytes : 0; top && !(top & 0x80); top <<= 1)
        bits--;
    return bits;
}

/* RFC 3110 2: length of the exponent (1 byte, or 0 and 2 bytes), exponent, modulus. */
static bool rsa_parts(const struct fact_rdata *key, unsigned *ret_exponent_bits, bool *ret_trap,
                      unsigned *ret_modulus_bits)
{
    if (key->size < 3)
        return false;
    size_t start = key->bytes[0] ? 1 : 3;
    size_t size = key->bytes[0] ? key->bytes[0] : (size_t)key->bytes[1] << 8 | key->bytes[2];
    if (size == 0 || start + size >= key->size)
        return false;
    const uint8_t *exponent = key->bytes + start;
    *ret_exponent_bits = bits_of(exponent, size);
    *ret_trap = !(exponent[size - 1] & 1) || *ret_exponent_bits < 2 ||
                *ret_exponent_bits > RSA_EXPONENT_LARGE;
    *ret_modulus_bits = bits_of(exponent + size, key->size - start - size);
    return true;
}

/* --- key-malformed ------------------------------------------------------------------------- */

/* RFC 3110 2, RFC 5702 2: what is wrong with the form of an RSA key; NULL nothing. An exponent that
 * is merely foolish is key-weak. */
static const char *rsa_malformed(const struct fact_rdata *key, uint8_t algorithm,
                                 char ret_text[128])
{
    unsigned least = algorithm == 10 ? 1024 : RSA_BITS_LEAST;
    size_t head = key->size >= 1 && key->bytes[0] ? 1 : 3;
    if (key->size < head)
        return "it ends within the length of the exponent";
    size_t exponent = head == 1 ? key->bytes[0] : (size_t)key->bytes[1] << 8 | key->bytes[2];
    if (exponent == 0)
        return "it has no exponent";
    if (head + exponent >= key->size) {
        snprintf(ret_text, 128, "the exponent is stated to be %zu bytes long, and the key is %u",
                 exponent, key->size);
        return ret_text;
    }
    const uint8_t *modulus = key->bytes + head + exponent;
    size_t size = key->size - head - exponent;
    unsigned bits = bits_of(modulus, size);
    if (key->bytes[head] == 0 || modulus[0] == 0)
        return "exponent or modulus begins with a zero byte";
    if (bits < least || bits > RSA_BITS_MOST) {
        snprintf(ret_text, 128, "the modulus has %u bits, not %u to %u", bits, least,
                 RSA_BITS_MOST);
        return ret_text;
    }
    return NULL;
}

/* Bytes of the public key, where the algorithm has but one length; 0 otherwise. */
static unsigned fixed_size(uint8_t algorithm)
{
    switch (algorithm) {
    case 12: /* RFC 5933 2 */
    case 13: /* RFC 6605 4 */
    case 17: /* RFC 9563 2 */
    case 23: /* RFC 9558 2 */
        return 64;
    case 14:
        return 96;
    case 15: /* RFC 8080 3 */
        return 32;
    case 16:
        return 57;
    default:
        return 0;
    }
}

static const char *malformed(const struct fact_key *key, char ret_text[128])
{
    unsigned size = fixed_size(key->algorithm);
    if (is_rsa(key->algorithm))
        return rsa_malformed(&key->public_key, key->algorithm, ret_text);
    if (size && key->public_key.size != size) {
        snprintf(ret_text, 128, "it has %u bytes, not %u", key->public_key.size, size);
        return ret_text;
    }
    return key->undecodable ? "it is no point on the curve of its algorithm" : NULL;
}

/* One finding for the zone: its keys are written by one tool, and a set may have a thousand. */
static void judge_malformed(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_DNSKEY, NULL, 0};
    char text[128], first[192] = "", zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32];
    struct entry *entry = NULL;
    size_t count = 0;
    for (size_t i = 0; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        const char *what = malformed(key, text);
        if (!what)
            continue;
        if (count++ == 0) {
            entry = entry_begin(judge, RULE_KEY_MALFORMED, &subject);
            if (!entry)
                return;
            entry_clear(entry);
            snprintf(first, sizeof first, "key %u (%s): %s", key->tag,
                     text_algorithm(judge, key->algorithm, algorithm), what);
        }
        entry_observed(entry, text_key(fact->zone, key, line));
    }
    if (!entry) {
        findings_close(judge, RULE_KEY_MALFORMED, &subject);
        return;
    }
    if (count > 1)
        entry_summary(entry, "%zu keys of %s cannot be keys of their algorithm; %s", count,
                      name_text(fact->zone, zone), first);
    else
        entry_summary(entry, "a key of %s cannot be one of its algorithm; %s",
                      name_text(fact->zone, zone), first);
    entry_end(judge, entry, (enum severity)0);
}

/* --- key-weak: what a sound key may lack -------------------------------------------------- */

/* The weakness in words and its grade; NULL if there is none that we know. */
static const char *weakness(const struct judge *judge, const struct fact_key *key,
                            enum severity *ret_severity, char ret_text[128])
{
    unsigned exponent, modulus;
    char form[128];
    bool trap;
    *ret_severity = (enum severity)0;
    const char *advice =
        judge->limits->ignore_rfc8624 ? NULL : deprecated(key->algorithm, ret_severity, ret_text);
    bool grave = advice && *ret_severity == (enum severity)0;
    if (grave || !is_rsa(key->algorithm) || malformed(key, form) ||
        !rsa_parts(&key->public_key, &exponent, &trap, &modulus))
        return advice;
    if (trap) {
        *ret_severity = (enum severity)0;
        snprintf(ret_text, 128, "an RSA exponent of %u bits that is %s", exponent,
                 exponent > RSA_EXPONENT_LARGE ? "needlessly long" : "1 or even");
        return ret_text;
    }
    if (modulus >= judge->profile->rsa_bits)
        return advice;
    *ret_severity = (enum severity)0;
    if (!(key->flags & KEY_SEP) && modulus >= judge->profile->rsa_bits_zsk)
        *ret_severity = SEVERITY_LOW; /* short-lived by practice (RFC 6781 3.4.2) */
    snprintf(ret_text, 128, "RSA with %u bits, under %u", modulus, judge->profile->rsa_bits);
    return ret_text;
}

static void judge_weak(struct judge *judge, const struct fact_key *key)
{
    const struct fact *fact = judge->fact;
    char text[128], zone[NAME_TEXT_MAX], line[LINE_ROOM];
    enum severity severity;
    const char *what = weakness(judge, key, &severity, text);
    if (!what || !(key->flags & KEY_ZONE))
        return;
    uint8_t identity[IDENTITY_ROOM];
    struct subject subject = key_subject(fact, key, identity, sizeof identity);
    struct entry *entry = entry_begin(judge, RULE_KEY_WEAK, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    entry_observed(entry, text_key(fact->zone, key, line));
    entry_summary(entry, "%s %u of %s: %s", role(key), key->tag, name_text(fact->zone, zone), what);
    entry_end(judge, entry, severity);
}

/* --- key-tag-collision --------------------------------------------------------------------- */

static void judge_collisions(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    for (size_t i = 1; i < fact->key_count; i++) {
        const struct fact_key *key = &fact->keys[i];
        char zone[NAME_TEXT_MAX], line[LINE_ROOM], algorithm[32];
        size_t earlier = 0;
        while (earlier < i && (fact->keys[earlier].tag != key->tag ||
                               fact->keys[earlier].algorithm != key->algorithm))
            earlier++;
        if (earlier == i)
            continue;
        uint8_t identity[3] = {(uint8_t)(key->tag >> 8), (uint8_t)key->tag, key->algorithm};
        struct subject subject = {fact->zone, fact->zone, TYPE_DNSKEY, identity, sizeof identity};
        struct entry *entry = entry_begin(judge, RULE_KEY_TAG_COLLISION, &subject);
        if (!entry)
            continue;
        entry_observed(entry, text_key(fact->zone, &fact->keys[earlier], line));
        entry_observed(entry, text_key(fact->zone, key, line));
        entry_summary(entry, "several keys of %s share the tag %u and %s",
                      name_text(fact->zone, zone), key->tag,
                      text_algorithm(judge, key->algorithm, algorithm));
        entry_end(judge, entry, 0);
    }
}

/* --- key-not-secure-entry ------------------------------------------------------------------ */

static void judge_secure_entry(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct subject subject = {fact->zone, fact->zone, TYPE_DNSKEY, NULL, 0};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM];
    if (fact->verdict == VERDICT_SECURE)
        findings_close(judge, RULE_KEY_NOT_SECURE_ENTRY, &subject);
    if (fact->reason != REASON_DNSKEY_UNSIGNED || fact->from_above)
        return;
    struct entry *entry = entry_begin(judge, RULE_KEY_NOT_SECURE_ENTRY, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    for (size_t i = 0; i < fact->ds_count; i++)
        entry_expected(entry, text_ds(fact->zone, &fact->ds[i], line));
    for (size_t i = 0; i < fact->key_count; i++)
        entry_observed(entry, text_key(fact->zone, &fact->keys[i], line));
    entry_summary(entry, "no key that the parent's DS names signs the DNSKEY RRset of %s",
                  name_text(fact->zone, zone));
    entry_end(judge, entry, 0);
}

void keys_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    if (fact->kind != FACT_DNSKEY && fact->kind != FACT_CHAIN)
        return;
    /* A changed trust alters what is to be said of the same keys, so they are judged again. */
    for (size_t i = 0; i < fact->key_count; i++) {
        judge_key(judge, &fact->keys[i]);
        judge_weak(judge, &fact->keys[i]);
    }
    judge_gone(judge);
    if (fact->key_count) {
        judge_malformed(judge);
        judge_collisions(judge);
        if (fact->baseline.present)
            judge_withdrawn(judge);
    }
    judge_secure_entry(judge);
}
