/*
 * profile: which rules are on, how severe, with which thresholds, and which zones are left out.
 *
 * Contained in: analyze, tests; read before confinement. A profile changes nothing else.
 */
#ifndef RULES_PROFILE_H
#define RULES_PROFILE_H

#include "analyze/name.h"
#include "rules/rules.h"

struct profile {
    bool enabled[RULE_COUNT];
    enum severity severity[RULE_COUNT]; /* 0: as the rule grades itself */
    int64_t expiring_ns;                /* 0: not stated */
    unsigned rsa_bits, rsa_bits_zsk;
    unsigned habit_signatures, habit_signings;
    unsigned refresh_cycles, refresh_margin; /* rrsig-stale-refresh; the latter in percent */
    int64_t serial_lag_ns, servers_settle_ns;
    unsigned ttl_low, transfer_refusals;
    unsigned servfail_percent, servfail_questions; /* servfail-spike */
    unsigned validation_share;                     /* validation-rate: thousandths of a percent */
    unsigned validation_answers;                   /* … of so many answers at least */
    struct rules_thresholds thresholds;
    int64_t space_ns; /* sensor-storage: room for less than so long is too little */
    unsigned walk_names, walk_hashes, walk_share; /* zone-walk; the last in percent */
    uint8_t (*excluded)[NAME_MAX_BYTES];
    size_t excluded_count;
};

/* The built-in default, then `text` over it (NULL: nothing). 0, or -1 with "file:line: what was
 * expected" in ret_error. */
int profile_init(struct profile *, const char *file, const void *text, size_t size, char *ret_error,
                 size_t error_room);
void profile_fini(struct profile *);
bool profile_excludes(const struct profile *, const uint8_t *zone);

#endif
