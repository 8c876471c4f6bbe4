/*
 * proof: what a verdict rests on, as text.
 *
 * Contained in: analyze, tests. Must never cut a record: one that does not fit is left out, and the
 * part says that it is not whole.
 */
#include "analyze/tell/proof.h"

#include "analyze/canon.h"
#include "analyze/types.h"
#include "analyze/validate/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16 /* zones between the RRset and its anchor */

static void part_fini(struct proof_part *part)
{
    for (size_t i = 0; i < part->count; i++)
        free(part->line[i]);
    part->count = 0;
}

void proof_fini(struct proof *proof)
{
    part_fini(&proof->first);
    part_fini(&proof->second);
    part_fini(&proof->chain);
}

static void add(struct proof_part *part, const struct rrset *set, uint16_t type,
                const uint8_t *rdata, uint16_t size)
{
    static char text[TYPES_RDATA_TEXT], line[TYPES_RDATA_TEXT + NAME_TEXT_MAX + 64];
    char owner[NAME_TEXT_MAX], word[TYPES_TEXT];
    uint32_t ttl = set->signatures ? set->signature[0].original_ttl : set->ttl;
    types_rdata_text(type, rdata, size, text, sizeof text);
    size_t length = strlen(text);
    bool is_cut = length == sizeof text - 1 && strcmp(text + length - 3, "...") == 0;
    if (part->count == PROOF_LINES_MAX || is_cut) {
        part->more = true;
        return;
    }
    snprintf(line, sizeof line, "%s %u IN %s %s", name_text(set->owner, owner), ttl,
             types_rr(type, word), text);
    char *copy = strdup(line);
    if (copy)
        part->line[part->count++] = copy;
    part->more |= copy == NULL;
}

void proof_set(struct proof_part *part, const struct rrset *set)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        add(part, set, set->type, r, size);
    for (uint8_t i = 0; i < set->signatures; i++)
        add(part, set, TYPE_RRSIG, set->signature[i].rdata, set->signature[i].rdata_size);
}

static bool has_key(const struct rrset *set, const struct key *key)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
        if (size == key->rdata_size && memcmp(r, key->rdata, size) == 0)
            return true;
    return false;
}

/* The trusted DNSKEY RRset to cite: with that key if there is one, seen last. */
static struct rrset *keys_of(const struct zone *zone, const struct key *key)
{
    struct rrset *best = NULL;
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        struct rrset *set = zone->dnskey[i];
        if (!(zone->trust.trusted >> i & 1) || (key && !has_key(set, key)))
            continue;
        if (best == NULL || set->last_seen_ns > best->last_seen_ns)
            best = set;
    }
    return best;
}

static struct rrset *ds_of(struct world *w, const struct zone *zone, int64_t clock_ns)
{
    struct rrset *best = NULL;
    for (uint8_t i = 0; i < zone->dss; i++)
        if (judge_rrset(w, zone->ds[i], clock_ns) == REASON_CHAIN &&
            (best == NULL || zone->ds[i]->last_seen_ns > best->last_seen_ns))
            best = zone->ds[i];
    return best;
}

/* The key of the DS's zone that verified it. */
static const struct key *signer_of(const struct rrset *set)
{
    for (uint8_t i = 0; i < set->signatures; i++)
        for (uint8_t k = 0; k < set->signature[i].checks; k++)
            if (set->signature[i].check[k].result == KEY_VERIFIES)
                return set->signature[i].check[k].key;
    return NULL;
}

void proof_chain(struct proof_part *part, struct world *w, struct zone *zone, const struct key *key,
                 int64_t clock_ns)
{
    for (unsigned depth = 0; zone && depth < DEPTH_MAX; depth++) {
        struct rrset *keys = keys_of(zone, key);
        struct zone *up = zone->trust.up;
        if (keys)
            proof_set(part, keys);
        part->more |= keys == NULL;
        if (up == NULL || up == zone)
            return;
        struct rrset *ds = ds_of(w, zone, clock_ns);
        if (ds == NULL) {
            part->more = true;
            return;
        }
        proof_set(part, ds);
        key = signer_of(ds);
        zone = up;
    }
}
