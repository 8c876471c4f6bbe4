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
    X(KSK, "ksk", "the key-signing key let in a key that nobody declared: replace KSK and DS")     \
    X(BOTH, "both", "KSK and ZSK, or a key that is both: replace all keys and the DS")             \
    X(ALGORITHM, "algorithm",                                                                      \
      "the zone was moved to, or stripped of, an algorithm: go back to it")                        \
    X(PARENT, "parent",                                                                            \
      "none of the four: DS or NS were changed at the parent; the keys seen are somebody else's, " \
      "and nothing observed says that the zone's own keys were used")                              \
    X(FOREIGN, "foreign-signatures",                                                               \
      "none of the four: signatures by a key that the zone does not publish; no validator takes "  \
      "them")                                                                                      \
    X(DATA, "data-only",                                                                           \
      "none of the four: data differs, and no signature over it was observed to "                  \
      "verify")                                                                                    \
    X(UNDECLARED, "not-told",                                                                      \
      "cannot be told: keys that nobody declared, and who let them in was not observed")

enum recovery {
#define X(id, name, text) RECOVERY_##id,
    RECOVERIES(X)
#undef X
        RECOVERY_COUNT
};

const char *report_recovery_name(enum recovery);
const char *report_recovery_text(enum recovery);
/* The steps, in order, NULL-terminated; constant. */
const char *const *report_recovery_steps(enum recovery);

/* The zones that the incident reaches: an array of objects, new reference. */
json_t *report_scope_zones(const struct report_case *);

#endif
