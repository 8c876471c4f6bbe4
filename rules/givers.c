/*
 * givers: a short list of addresses, each with a bit.
 *
 * Contained in: analyze, tests.
 */
#include "rules/givers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum givers_kind givers_kind(enum rule_id rule)
{
    switch (rule) {
    case RULE_RECORD_UNEXPECTED:
    case RULE_RECORD_CHANGED:
    case RULE_RECORD_MISSING:
    case RULE_MAIL_MOVED:
    case RULE_MAIL_POLICY_WEAKENED:
    case RULE_TLSA_CHANGED:
    case RULE_CAA_WEAKENED:
    case RULE_KEY_UNKNOWN:
    case RULE_KEY_CHANGED:
    case RULE_KEY_REVOKED:
    case RULE_KEY_WITHDRAWN:
    case RULE_RRSIG_MISSING:
        return GIVERS_ALONE;
    case RULE_RRSIG_BAD:
    case RULE_RRSIG_EXPIRED:
    case RULE_RRSIG_NOT_YET_VALID:
    case RULE_RRSIG_UNKNOWN_KEY:
    case RULE_DS_UNKNOWN:
    case RULE_DS_REMOVED:
        return GIVERS_ANEW;
    default:
        return GIVERS_UNTRACKED;
    }
}

void givers_fini(struct givers *givers)
{
    free(givers->giver);
    *givers = (struct givers){0};
}

static size_t find(const struct givers *givers, uint8_t family, const uint8_t address[16])
{
    size_t at = 0;
    while (at < givers->count && (givers->giver[at].family != family ||
                                  memcmp(givers->giver[at].address, address, 16) != 0))
        at++;
    return at;
}

uint32_t givers_bit(const struct givers *givers, uint8_t family, const uint8_t address[16])
{
    size_t at = find(givers, family, address);
    return at < givers->count ? UINT32_C(1) << at : 0;
}

uint32_t givers_before(const struct givers *givers, uint8_t family, const uint8_t address[16],
                       int64_t since_ns)
{
    size_t at = find(givers, family, address);
    bool before = at < givers->count && givers->giver[at].last_ns < since_ns;
    return before ? UINT32_C(1) << at : 0;
}

static size_t longest_silent(const struct givers *givers)
{
    size_t at = 0;
    for (size_t i = 1; i < givers->count; i++)
        if (givers->giver[i].last_ns < givers->giver[at].last_ns)
            at = i;
    return at;
}

uint32_t givers_note(struct givers *givers, uint8_t family, const uint8_t address[16],
                     int64_t time_ns, uint32_t *ret_lost)
{
    size_t at = find(givers, family, address);
    *ret_lost = 0;
    if (at == givers->count) {
        if (at == GIVERS_MAX) {
            at = longest_silent(givers);
            *ret_lost = UINT32_C(1) << at;
        } else {
            struct giver *more = reallocarray(givers->giver, at + 1, sizeof *more);
            if (!more)
                abort();
            givers->giver = more;
            givers->count++;
        }
        givers->giver[at] = (struct giver){.family = family, .last_ns = time_ns};
        memcpy(givers->giver[at].address, address, 16);
    }
    if (time_ns > givers->giver[at].last_ns)
        givers->giver[at].last_ns = time_ns;
    return UINT32_C(1) << at;
}

uint32_t givers_lapsed(const struct givers *givers, int64_t now_ns)
{
    uint32_t lapsed = 0;
    int64_t silent;
    for (size_t i = 0; i < givers->count; i++)
        if (__builtin_sub_overflow(now_ns, givers->giver[i].last_ns, &silent)
                ? now_ns > 0
                : silent > GIVERS_LAPSE)
            lapsed |= UINT32_C(1) << i;
    return lapsed;
}
