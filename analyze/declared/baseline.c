/*
 * baseline: the declared zones and policies, together, and what they say of a name.
 *
 * Contained in: analyze, tests; reads before confinement only, look-ups allocate nothing. Must
 * never be altered by what is seen on the wire.
 */
#include "analyze/declared/baseline.h"

#include "analyze/canon.h"
#include "analyze/declared/baseline_zone.h"
#include "analyze/declared/declared.h"
#include "analyze/declared/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct baseline {
    struct baseline_zone **zones; /* sorted by apex once ready */
    size_t zone_count;
    struct policy **policies; /* once ready only those without a zone file */
    size_t policy_count;
    struct baseline_negative *negatives;
    size_t negative_count;
    struct names apexes;
    uint64_t depths[2]; /* bit n: some apex has n labels */
    unsigned deepest;
};

int baseline_add_zone(struct baseline *baseline, const char *file, const void *text, size_t size,
                      char *ret_error, size_t error_room)
{
    struct baseline_zone **zones =
        reallocarray(baseline->zones, baseline->zone_count + 1, sizeof(struct baseline_zone *));
    if (!zones)
        return baseline_fail(ret_error, error_room, file, "out of memory");
    baseline->zones = zones;
    struct baseline_zone *zone = baseline_zone_read(file, text, size, ret_error, error_room);
    if (!zone)
        return -1;
    baseline->zones[baseline->zone_count++] = zone;
    return 0;
}

int baseline_add_policy(struct baseline *baseline, const char *file, const void *text, size_t size,
                        char *ret_error, size_t error_room)
{
    struct policy *policy = policy_read(file, text, size, ret_error, error_room);
    if (!policy)
        return -1;
    struct policy **policies =
        reallocarray(baseline->policies, baseline->policy_count + 1, sizeof(struct policy *));
    if (!policies) {
        policy_free(policy);
        return baseline_fail(ret_error, error_room, file, "out of memory");
    }
    baseline->policies = policies;
    baseline->policies[baseline->policy_count++] = policy;
    return 0;
}

/* --- ready --------------------------------------------------------------------------------- */

static int compare_zones(const void *a, const void *b)
{
    return name_compare((*(struct baseline_zone *const *)a)->apex,
                        (*(struct baseline_zone *const *)b)->apex);
}

static uint32_t *apex_slot(const struct baseline *baseline, const uint8_t *name)
{
    size_t at = baseline_names_start(&baseline->apexes, name);
    while (baseline->apexes.slots[at] != NO_SLOT &&
           !name_equal(baseline->zones[baseline->apexes.slots[at]]->apex, name))
        at = (at + 1) & baseline->apexes.mask;
    return &baseline->apexes.slots[at];
}

static int index_zones(struct baseline *baseline, char *ret_error, size_t room)
{
    if (baseline->zone_count > 0) /* qsort may not be given NULL, even for nothing */
        qsort(baseline->zones, baseline->zone_count, sizeof *baseline->zones, compare_zones);
    if (baseline_names_init(&baseline->apexes, baseline->zone_count) != 0)
        return baseline_fail(ret_error, room, "baseline", "out of memory");
    for (size_t i = 0; i < baseline->zone_count; i++) {
        const struct baseline_zone *zone = baseline->zones[i];
        uint32_t *slot = apex_slot(baseline, zone->apex);
        unsigned labels = name_labels(zone->apex);
        if (*slot != NO_SLOT) {
            char what[512];
            snprintf(what, sizeof what, "expected a zone once; %s declares the same one",
                     baseline->zones[*slot]->file);
            return baseline_fail(ret_error, room, zone->file, what);
        }
        *slot = (uint32_t)i;
        baseline->depths[labels / 64] |= UINT64_C(1) << labels % 64;
        baseline->deepest = labels > baseline->deepest ? labels : baseline->deepest;
    }
    return 0;
}

/* The policies that came before it in the list. */
static bool another_policy(const struct baseline *baseline, size_t count, const uint8_t *zone)
{
    for (size_t i = 0; i < count; i++)
        if (baseline->policies[i] && name_equal(baseline->policies[i]->zone, zone))
            return true;
    return false;
}

static int give_policies(struct baseline *baseline, char *ret_error, size_t room)
{
    for (size_t i = 0; i < baseline->policy_count; i++) {
        struct policy *policy = baseline->policies[i];
        uint32_t slot = *apex_slot(baseline, policy->zone);
        struct baseline_zone *zone = slot == NO_SLOT ? NULL : baseline->zones[slot];
        char what[NAME_TEXT_MAX + 64], name[NAME_TEXT_MAX];
        bool twice = zone ? zone->policy != NULL : another_policy(baseline, i, policy->zone);
        if (twice || (!zone && policy->needs_zone)) {
            snprintf(what, sizeof what, "%s %s",
                     twice ? "expected one policy for" : "expected a zone file for",
                     name_text(policy->zone, name));
            return baseline_fail_at(ret_error, room, policy->file, twice ? 1 : policy->needs_zone,
                                    what);
        }
        if (policy->negative)
            baseline->negatives[baseline->negative_count++] = (struct baseline_negative){
                policy->zone, policy->negative_from_ns, policy->negative_until_ns};
        if (zone) {
            zone->policy = policy;
            baseline->policies[i] = NULL;
        }
    }
    return 0;
}

static int zone_suppressions(struct baseline_zone *zone)
{
    const struct policy *policy = zone->policy;
    if (!policy || !policy->suppression_count)
        return 0;
    zone->suppressions = calloc(policy->suppression_count, sizeof *zone->suppressions);
    for (size_t i = 0; zone->suppressions && i < policy->suppression_count; i++)
        zone->suppressions[i] =
            (struct fact_suppression){.rule = policy->suppressions[i].rule,
                                      .name = policy->suppressions[i].pattern.name,
                                      .subtree = policy->suppressions[i].pattern.subtree,
                                      .type = policy->suppressions[i].pattern.type,
                                      .until_ns = policy->suppressions[i].until_ns};
    return zone->suppressions ? 0 : -1;
}

/* Is the owner under a delegation, or a DNAME, of the declared zone? At the cut itself only NS and
 * DS are this zone's (RFC 4035 2.4, RFC 2181 6.1). */
static bool below_cut(const struct baseline_zone *zone, const uint8_t *owner, uint16_t type)
{
    unsigned above = name_labels(owner) - name_labels(zone->apex);
    for (unsigned i = 0; i < above; i++) {
        const struct node *node = baseline_node(zone, name_strip(owner, i));
        if (!node)
            continue;
        if (node->flags & NODE_CUT && (i > 0 || (type != TYPE_NS && type != TYPE_DS)))
            return true;
        if (node->flags & NODE_DNAME && i > 0)
            return true;
    }
    return false;
}

static bool matches_any(const struct policy_pattern *patterns, size_t count, const uint8_t *owner,
                        uint16_t type)
{
    for (size_t i = 0; i < count; i++)
        if (policy_matches(&patterns[i], owner, type))
            return true;
    return false;
}

static void add_servers(struct baseline_zone *zone, const struct baseline_zone *home,
                        const struct set *set)
{
    for (uint32_t i = 0; set && i < set->count; i++) {
        const struct fact_rdata *rdata = &home->rdata[set->first + i];
        struct fact_address *to = &zone->servers[zone->server_count];
        if (rdata->size != (set->type == TYPE_A ? 4 : 16))
            continue;
        to->family = set->type == TYPE_A ? 4 : 6;
        memcpy(to->bytes, rdata->bytes, rdata->size);
        zone->server_count++;
    }
}

/* May the addresses of a host of this zone change without a finding? */
static bool addresses_may_change(const struct baseline_zone *zone, const uint8_t *host)
{
    const struct policy *policy = zone->policy;
    for (size_t i = 0; policy && i < policy->plan_count; i++)
        if (policy->plans[i].has_pattern || policy->plans[i].change == POLICY_RECORDS ||
            policy->plans[i].change == POLICY_DELEGATION)
            return true;
    return policy &&
           (!policy->strict || matches_any(policy->dynamic, policy->dynamic_count, host, TYPE_A) ||
            matches_any(policy->dynamic, policy->dynamic_count, host, TYPE_AAAA));
}

/* The declared zone whose data the addresses of a name server are: this one, or another that holds
 * them as fast. */
static const struct baseline_zone *home_of(const struct baseline *baseline,
                                           const struct baseline_zone *zone, const uint8_t *host)
{
    if (name_within(host, zone->apex) && !below_cut(zone, host, TYPE_A))
        return zone;
    const struct baseline_zone *home = baseline_over(baseline, host, TYPE_A);
    if (!home || home == zone)
        return zone; /* glue */
    return below_cut(home, host, TYPE_A) || addresses_may_change(home, host) ? NULL : home;
}

/* Where the addresses of all the zone's NS are declared, its servers are known. */
static int infer_servers(const struct baseline *baseline, struct baseline_zone *zone)
{
    const struct set *names = baseline_set(zone, baseline_node(zone, zone->apex), TYPE_NS);
    size_t most = 0;
    for (int pass = 0; names && pass < 2; pass++) {
        for (uint32_t i = 0; i < names->count; i++) {
            const uint8_t *name = zone->rdata[names->first + i].bytes;
            const struct baseline_zone *home = home_of(baseline, zone, name);
            const struct node *host = home ? baseline_node(home, name) : NULL;
            const struct set *v4 = home ? baseline_set(home, host, TYPE_A) : NULL;
            const struct set *v6 = home ? baseline_set(home, host, TYPE_AAAA) : NULL;
            if (!v4 && !v6)
                return 0;
            most += (v4 ? v4->count : 0) + (v6 ? v6->count : 0);
            if (pass == 0)
                continue;
            add_servers(zone, home, v4);
            add_servers(zone, home, v6);
        }
        if (pass == 0 && (zone->servers = calloc(most + 1, sizeof *zone->servers)) == NULL)
            return -1;
    }
    return 0;
}

static int zone_ready(const struct baseline *baseline, struct baseline_zone *zone)
{
    const struct node *apex = baseline_node(zone, zone->apex);
    const struct set *keys = baseline_set(zone, apex, TYPE_DNSKEY);
    const struct set *ds = baseline_set(zone, apex, TYPE_DS);
    zone->declared =
        declared_new(zone->apex, keys ? &zone->rdata[keys->first] : NULL, keys ? keys->count : 0,
                     ds ? &zone->rdata[ds->first] : NULL, ds ? ds->count : 0, zone->policy);
    return zone->declared && infer_servers(baseline, zone) == 0 ? zone_suppressions(zone) : -1;
}

int baseline_ready(struct baseline *baseline, char *ret_error, size_t error_room)
{
    baseline->negatives = calloc(baseline->policy_count + 1, sizeof *baseline->negatives);
    if (!baseline->negatives)
        return baseline_fail(ret_error, error_room, "baseline", "out of memory");
    if (index_zones(baseline, ret_error, error_room) != 0 ||
        give_policies(baseline, ret_error, error_room) != 0)
        return -1;
    for (size_t i = 0; i < baseline->zone_count; i++)
        if (zone_ready(baseline, baseline->zones[i]) != 0)
            return baseline_fail(
                ret_error, error_room, baseline->zones[i]->file,
                "expected DNSKEY and DS records that can be read (RFC 4034 2.1, 5.1)");
    return 0;
}

struct baseline *baseline_new(void)
{
    return calloc(1, sizeof(struct baseline));
}

void baseline_free(struct baseline *baseline)
{
    if (!baseline)
        return;
    for (size_t i = 0; i < baseline->zone_count; i++)
        baseline_zone_free(baseline->zones[i]);
    for (size_t i = 0; i < baseline->policy_count; i++)
        policy_free(baseline->policies[i]);
    free(baseline->zones);
    free(baseline->policies);
    free(baseline->negatives);
    free(baseline->apexes.slots);
    free(baseline);
}

/* --- look-ups ------------------------------------------------------------------------------ */

const struct baseline_zone *baseline_at(const struct baseline *baseline, const uint8_t *apex)
{
    if (baseline->zone_count == 0)
        return NULL;
    uint32_t slot = *apex_slot(baseline, apex);
    return slot == NO_SLOT ? NULL : baseline->zones[slot];
}

const struct baseline_zone *baseline_over(const struct baseline *baseline, const uint8_t *owner,
                                          uint16_t type)
{
    if (baseline->zone_count == 0)
        return NULL;
    unsigned labels = name_labels(owner), depth = labels;
    if (type == TYPE_DS) {
        if (labels == 0)
            return NULL; /* the root has no parent side */
        depth--;
    }
    if (depth > baseline->deepest)
        depth = baseline->deepest;
    const uint8_t *name = name_strip(owner, labels - depth);
    for (;; depth--) {
        if (baseline->depths[depth / 64] >> depth % 64 & 1) {
            uint32_t slot = *apex_slot(baseline, name);
            if (slot != NO_SLOT)
                return baseline->zones[slot];
        }
        if (depth == 0)
            return NULL;
        name += 1 + *name;
    }
}

const uint8_t *baseline_apex(const struct baseline_zone *zone)
{
    return zone->apex;
}

size_t baseline_negatives(const struct baseline *baseline,
                          const struct baseline_negative **ret_list)
{
    *ret_list = baseline->negatives;
    return baseline->negative_count;
}

size_t baseline_signatures(const struct baseline_zone *zone,
                           const struct baseline_signature **ret_list)
{
    *ret_list = zone->signatures;
    return zone->signature_count;
}

size_t baseline_count(const struct baseline *baseline)
{
    return baseline->zone_count;
}

const struct baseline_zone *baseline_nth(const struct baseline *baseline, size_t i)
{
    return baseline->zones[i];
}

/* The node that answers for the owner: its own, else the wildcard at the closest encloser
 * (RFC 4592 3.3.1), else NULL. */
static const struct node *node_answering(const struct baseline_zone *zone, const uint8_t *owner)
{
    const struct node *node = baseline_node(zone, owner);
    if (node)
        return node;
    unsigned above = name_labels(owner) - name_labels(zone->apex);
    for (unsigned i = 1; i <= above; i++) {
        const uint8_t *encloser = name_strip(owner, i);
        uint8_t wildcard[NAME_MAX_BYTES] = {1, '*'};
        size_t size = name_size(encloser);
        if (!baseline_node(zone, encloser))
            continue;
        if (size + 2 > sizeof wildcard)
            return NULL;
        memcpy(wildcard + 2, encloser, size);
        return baseline_node(zone, wildcard);
    }
    return NULL;
}

/* With any type: then a wildcard does not answer for its others (RFC 4592 2.2.1). */
static bool may_exist(const struct policy *policy, const uint8_t *owner)
{
    for (size_t i = 0; i < policy->dynamic_count; i++)
        if (policy_matches(&policy->dynamic[i], owner, policy->dynamic[i].type))
            return true;
    return false;
}

/* Planned changes of names; those of keys and DS are declared.c's. */
static bool planned_records(const struct baseline_zone *zone, const struct node *node,
                            const uint8_t *owner, uint16_t type, int64_t time_ns)
{
    for (size_t i = 0; i < zone->policy->plan_count; i++) {
        const struct policy_plan *plan = &zone->policy->plans[i];
        if (time_ns < plan->from_ns || time_ns > plan->to_ns)
            continue;
        if (plan->change == POLICY_RECORDS || plan->has_pattern) {
            if (policy_matches(&plan->pattern, owner, type))
                return true;
        } else if (plan->change == POLICY_DELEGATION) {
            bool host = node && node->flags & NODE_HOST;
            if (type == TYPE_NS || (host && (type == TYPE_A || type == TYPE_AAAA)))
                return true;
        }
    }
    return false;
}

/* In a roll to another algorithm, what the policy states of the signer is about to change. */
static uint8_t stated_algorithm(const struct policy *policy, int64_t time_ns)
{
    for (size_t i = 0; i < policy->plan_count; i++)
        if (policy->plans[i].change == POLICY_ALGORITHM && time_ns >= policy->plans[i].from_ns &&
            time_ns <= policy->plans[i].to_ns)
            return 0;
    return policy->algorithm;
}

static void describe_policy(const struct baseline_zone *zone, const struct node *node,
                            const uint8_t *owner, uint16_t type, int64_t time_ns,
                            struct fact_baseline *ret)
{
    const struct policy *policy = zone->policy;
    ret->strict = !policy || policy->strict;
    bool stated = policy && policy->server_count > 0;
    ret->servers = stated ? policy->servers : zone->servers;
    ret->server_count = stated ? policy->server_count : zone->server_count;
    ret->servers_inferred = !stated;
    if (!policy)
        return;
    ret->transfer_clients = policy->transfer_clients;
    ret->transfer_client_count = policy->transfer_client_count;
    ret->watched = matches_any(policy->watch, policy->watch_count, owner, type);
    ret->dynamic = matches_any(policy->dynamic, policy->dynamic_count, owner, type);
    ret->may_exist = node && !name_equal(node->name, owner) && may_exist(policy, owner);
    ret->multi_signer = policy->multi_signer;
    ret->validity_ns = policy->validity_ns;
    ret->refresh_ns = policy->refresh_ns;
    ret->algorithm = stated_algorithm(policy, time_ns);
    ret->suppressions = zone->suppressions;
    ret->suppression_count = policy->suppression_count;
    ret->planned |= planned_records(zone, node, owner, type, time_ns);
}

void baseline_describe(const struct baseline_zone *zone, const uint8_t *owner, uint16_t type,
                       int64_t time_ns, struct fact_baseline *ret)
{
    bool within = name_within(owner, zone->apex);
    const struct node *node = within ? node_answering(zone, owner) : NULL;
    const struct set *set = baseline_set(zone, node, type);
    *ret = (struct fact_baseline){
        .present = true, .file = zone->file, .sha256 = zone->sha256, .version = zone->version};
    ret->denial = zone->denial;
    declared_describe(zone->declared, type, time_ns, ret);
    describe_policy(zone, node, owner, type, time_ns, ret);
    ret->name_exists = node && node->set_count > 0;
    ret->below_cut = within && below_cut(zone, owner, type);
    /* What is learned from traffic may have a zone's apex, or the DS of a child, and no NS of it.
     */
    ret->ns_unknown = type == TYPE_NS && !set &&
                      (name_equal(owner, zone->apex) || baseline_set(zone, node, TYPE_DS));
    ret->expected.owner = node ? node->name : owner;
    ret->expected.type = type;
    if (set) {
        ret->expected.ttl = set->ttl;
        ret->expected.count = set->count;
        ret->expected.rdata = &zone->rdata[set->first];
    }
}

static void sooner(int64_t *next_ns, int64_t time_ns, int64_t at_ns)
{
    if (at_ns > time_ns && at_ns < *next_ns)
        *next_ns = at_ns;
}

int64_t baseline_turn(const struct baseline *baseline, int64_t time_ns)
{
    int64_t next_ns = INT64_MAX;
    for (size_t i = 0; i < baseline->zone_count; i++) {
        const struct policy *policy = baseline->zones[i]->policy;
        for (size_t k = 0; policy && k < policy->plan_count; k++) {
            sooner(&next_ns, time_ns, policy->plans[k].from_ns);
            sooner(&next_ns, time_ns, policy->plans[k].to_ns + 1); /* both are inclusive */
        }
        for (size_t k = 0; policy && k < policy->suppression_count; k++)
            sooner(&next_ns, time_ns, policy->suppressions[k].until_ns + 1);
    }
    return next_ns;
}
