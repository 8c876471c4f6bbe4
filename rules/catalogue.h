/*
 * catalogue: every finding that there is: id, default severity, what it means, what to do first.
 *
 * Contained in: analyze, the `rules` command, tests. One X-macro file (rules/catalogue.def) gives
 * the enum, the texts of `rules list` and `rules explain`, and the manual.
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

/* RULE(NAME, .field = value, …): the fields are those of struct rule_text. */
enum rule_id {
#define RULE(name, ...) RULE_##name,
#include "rules/catalogue.def"
#undef RULE
    RULE_COUNT
};

struct rule_text {
    const char *id;         /* stable: profiles, suppressions and scripts name it */
    enum severity severity; /* default */
    bool needs_baseline;
    bool works;         /* this version opens it; else it is described, not implemented */
    bool absence;       /* claims that something is missing: one level down when frames were lost */
    const char *family; /* "keys" … */
    const char *meaning, *why, *dig, *innocent, *steps; /* prose; dig: commands, one a line */
    const char *references; /* "RFC 6781 4.1; RFC 8901 2": parts separated by "; " */
    const char *zonemaster; /* Zonemaster test case or tag, "" if none */
    const char *dnsviz;     /* DNSViz error class, "" if none or if the verdict's reason gives it */
    uint16_t ede;           /* RFC 8914 info code; 0 none, or the verdict's reason gives it */
};

const struct rule_text *rule_text(enum rule_id);
/* RULE_COUNT when there is no such id. */
enum rule_id rule_find(const char *id);
const char *severity_name(enum severity);      /* "critical" … */
enum severity severity_find(const char *name); /* 0 when there is no such word */
unsigned severity_eve(enum severity);          /* critical and high 1, medium 2, low and info 3 */
/* The stable number of EVE's signature_id: 2600000 + position in catalogue.def, from 1. New rules
 * are appended to the end of their family there only with a new number range; never reordered. */
uint32_t rule_signature_id(enum rule_id);

#endif
