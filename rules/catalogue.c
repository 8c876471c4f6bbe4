/*
 * catalogue: the texts of the findings, from rules/catalogue.def.
 *
 * Contained in: analyze, the `rules` command, tests. Must never depend on anything but its own
 * table.
 */
#include "rules/catalogue.h"

#include "rules/algorithm.h"

#include <string.h>

#define SIGNATURE_ID_BASE 2600000u

/* A field that a rule does not write must still be a string. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
static const struct rule_text texts[RULE_COUNT] = {
#define RULE(name, ...) [RULE_##name] = {.dnsviz = "", __VA_ARGS__},
#include "rules/catalogue.def"
#undef RULE
};
#pragma GCC diagnostic pop

static const char *const severities[] = {
    [SEVERITY_INFO] = "info", [SEVERITY_LOW] = "low",           [SEVERITY_MEDIUM] = "medium",
    [SEVERITY_HIGH] = "high", [SEVERITY_CRITICAL] = "critical",
};

const struct rule_text *rule_text(enum rule_id rule)
{
    return &texts[rule];
}

enum rule_id rule_find(const char *id)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (strcmp(texts[i].id, id) == 0)
            return (enum rule_id)i;
    return RULE_COUNT;
}

const char *severity_name(enum severity severity)
{
    return severities[severity];
}

enum severity severity_find(const char *name)
{
    for (unsigned i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++)
        if (strcmp(severities[i], name) == 0)
            return (enum severity)i;
    return (enum severity)0;
}

unsigned severity_eve(enum severity severity)
{
    if (severity >= SEVERITY_HIGH)
        return 1;
    return severity == SEVERITY_MEDIUM ? 2 : 3;
}

uint32_t rule_signature_id(enum rule_id rule)
{
    return SIGNATURE_ID_BASE + (uint32_t)rule + 1;
}
