/*
 * report_scope: what an incident reaches, as one object that text and JSON are both made of.
 *
 * Contained in: report, tests.
 */
#ifndef EVIDENCE_REPORT_SCOPE_H
#define EVIDENCE_REPORT_SCOPE_H

#include "evidence/report.h"

/* Cases of recovery: X(ID, "name", "what it means"). The first four are those of RFC 6781 4.2 and
 * of the operators' guides. */
#define RECOVERIES(X)                                                                              \
    X(ZSK, "zsk", "a zone-signing key was used against the zone: replace the ZSK")                 \
    X(KSK, "ksk",                                                                                  \
      "the key-signing key let in a key that nobody declared, or nobody declared it and the "      \
      "parent "                                                                                    \
      "names it while the zone goes on: replace KSK and DS")                                       \
    X(BOTH, "both", "KSK and ZSK, or a key that is both: replace all keys and the DS")             \
    X(ALGORITHM, "algorithm",                                                                      \
      "the zone was moved to, or stripped of, an algorithm: go back to it")                        \
    X(PARENT, "parent",                                                                            \
      "none of the four: DS, NS or glue were changed at the parent, and nothing observed says "    \
      "that the zone's own keys were used")                                                        \
    X(FOREIGN, "foreign-signatures",                                                               \
      "none of the four: signatures by a key that the zone does not publish; no validator takes "  \
      "them")                                                                                      \
    X(DATA, "data-only",                                                                           \
      "none of the four: data differs, and no signature over it was observed to "                  \
      "verify")                                                                                    \
    X(UNDECLARED, "not-told",                                                                      \
      "cannot be told: keys that nobody declared, and no key that the zone's DS names was seen "   \
      "to "                                                                                        \
      "let them in")

enum recovery {
#define X(id, name, text) RECOVERY_##id,
    RECOVERIES(X)
#undef X
        RECOVERY_COUNT
};

/* What the case is told by. Own keys are those that the owner declared and those that no finding
 * calls unknown: a planned one, or one of a zone without declared keys. */
struct recovery_facts {
    bool own_entry;  /* an own KSK or CSK signed what differs, or the keys with an unknown one */
    bool own_data;   /* an own ZSK or CSK signed data that differs, or denied what is declared */
    bool delegation; /* NS of a referral, or glue, differ */
    bool ds;         /* the parent has a DS that nobody declared, or no longer any */
    bool goes_on;    /* an unknown key that such a DS names stands beside a declared one in the
                        DNSKEY RRset, and servers and NS are the declared ones */
    bool algorithm;  /* one that nobody declared came, or a declared one no longer signs */
    bool unknown;    /* keys that nobody declared */
    bool foreign;    /* signatures by keys that the zone does not publish */
};

/* The case: the first line of this table that holds ("-": whatever it is).
 *
 *     delegation  ds   goes_on  own_entry  own_data  algorithm  unknown  foreign
 *         yes     -       -        no         no         -         -        -     parent
 *          -      -       -        -          -         yes        -        -     algorithm
 *          -      -       -        yes        yes        -         -        -     both
 *          -      -       -        yes        no         -         -        -     ksk
 *          -      -      yes       -          yes        -         -        -     both
 *          -      -       -        -          yes        -         -        -     zsk
 *          -      -      yes       -          -          -         -        -     ksk
 *          -     yes      -        -          -          -         -        -     parent
 *          -      -       -        -          -          -        yes       -     not-told
 *          -      -       -        -          -          -         -       yes foreign-signatures
 *          -      -       -        -          -          -         -        -     data-only
 *
 * Who only owns the registrar's account has no key of the zone, so he cannot be told by what the
 * keys do: NS or glue that the parent changed are his work unless an own key took part. A changed
 * DS alone is his work too, unless the zone goes on beside the new key: then who holds the signer
 * had it named. *ret_also_parent: the delegation or DS was changed at the parent besides, so that
 * the case parent has to be worked off as well. */
enum recovery report_recovery_of(const struct recovery_facts *, bool *ret_also_parent);

const char *report_recovery_name(enum recovery);
const char *report_recovery_text(enum recovery);
/* The steps, in order, NULL-terminated; constant. */
const char *const *report_recovery_steps(enum recovery);

/* Until when validators may take what the suspects signed: members of each suspect, and of `zone`
 * (report_deadline.c). `inventory`: the zone's line, or NULL. */
void report_deadline(json_t *zone, const json_t *suspects, const json_t *inventory);

/* The zones that the incident reaches: an array of objects, new reference. */
json_t *report_scope_zones(const struct report_case *);

#endif
