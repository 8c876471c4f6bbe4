/*
 * catalogue: every finding that there is: id, default severity, what it means, what to do first.
 *
 * Contained in: analyze, the `rules` command, tests. One X-macro (rules/catalogue.def) gives the
 * enum, the texts of `rules list` and `rules explain`, and the manual.
 */
#ifndef RULES_CATALOGUE_H
#define RULES_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum severity {
    SEVERITY_INFO = 1,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL
};

/* RULE(NAME, "id", SEVERITY, needs_baseline, "family", "meaning", "why it matters", "in dig",
 *      "innocent causes", "first steps", "references", "zonemaster tag") */
enum rule_id {
#define RULE(name, ...) RULE_##name,
#include "rules/catalogue.def"
#undef RULE
    RULE_COUNT
};

struct rule_text {
    const char *id;
    enum severity severity;
    bool needs_baseline;
    const char *family, *meaning, *why, *dig, *innocent, *steps, *references, *zonemaster;
};

const struct rule_text *rule_text(enum rule_id);
/* RULE_COUNT when there is no such id. */
enum rule_id rule_find(const char *id);
const char *severity_name(enum severity); /* "critical" … */
unsigned severity_eve(enum severity);     /* 1, 1, 2, 3, 3 */
/* The stable number of EVE's signature_id: 2600000 + position in RULES.md's order. */
uint32_t rule_signature_id(enum rule_id);

struct rules_limits {
    size_t findings;     /* most findings kept at once */
    int64_t expiring_ns; /* rrsig-expiring lead time */
};

#endif
