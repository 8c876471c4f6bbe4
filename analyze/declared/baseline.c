/*
 * baseline: the declared zones: zone files sorted into RRsets and a table of names, and policies.
 *
 * Contained in: analyze, tests; reads before confinement only, look-ups allocate nothing. Must
 * never be altered by what is seen on the wire.
 *
 * What DNSSEC maintenance alters by itself (RRSIG, NSEC, NSEC3) is left out while reading, so that
 * hashed owner names do not become names of the zone; only how the signatures were made is noted.
 * Empty non-terminals are names (RFC 4592 2.2.2).
 */
#include "analyze/declared/baseline.h"

#include "analyze/canon.h"
#include "analyze/declared/declared.h"
#include "analyze/declared/policy.h"
#include "analyze/declared/zonefile.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define NODE_CUT   1u /* NS below the apex: a delegation */
#define NODE_DNAME 2u /* names below it do not exist here (RFC 6672 2.3) */
#define NODE_HOST  4u /* named by an NS record of the apex */
#define NO_SLOT    UINT32_MAX
#define SUFFIX     ".zone"

struct record { /* owner and rdata in one allocation, owner first */
    uint8_t *bytes;
    uint32_t ttl;
    uint16_t type, owner_size, rdata_size;
    unsigned line;
};

struct set { /* rdata[first] … rdata[first + count - 1] */
    uint32_t first, count, ttl;
    uint16_t type;
};

struct node {
    const uint8_t *name;
    uint32_t first_set, set_count;
    unsigned flags;
};

struct names { /* open addressing; a slot holds an index, or NO_SLOT */
    uint32_t *slots;
    size_t mask;
};

struct baseline_zone {
    uint8_t apex[NAME_MAX_BYTES];
    char *file;
    uint8_t sha256[32]; /* of the file as read */
    struct record *records;
    size_t record_count, record_room;
    struct fact_rdata *rdata; /* of records[], in the same order */
    struct set *sets;
    size_t set_count;
    struct node *nodes;
    size_t node_count;
    struct names names;
    struct policy *policy; /* NULL: strict */
    struct declared *declared;
    struct fact_suppression *suppressions;
    struct fact_address *servers; /* of the apex's NS; none where one of them is unknown */
    size_t server_count;
    struct baseline_signature *signatures;
    size_t signature_count, signature_room;
    bool has_soa;
    enum fact_chain denial;
};

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

static int fail_at(char *ret_error, size_t room, const char *file, unsigned line, const char *what)
{
    if (room)
        snprintf(ret_error, room, "%s:%u: %s", file, line, what);
    return -1;
}

static int fail(char *ret_error, size_t room, const char *file, const char *what)
{
    return fail_at(ret_error, room, file, 1, what);
}

/* --- table of names ------------------------------------------------------------------------ */

static int names_init(struct names *names, size_t count)
{
    size_t size = 16;
    while (size < count * 2)
        size *= 2;
    names->slots = malloc(size * sizeof *names->slots);
    if (!names->slots)
        return -1;
    memset(names->slots, 0xff, size * sizeof *names->slots);
    names->mask = size - 1;
    return 0;
}

static size_t names_start(const struct names *names, const uint8_t *name)
{
    return (size_t)XXH3_64bits(name, name_size(name)) & names->mask;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *node_slot(const struct baseline_zone *zone, const uint8_t *name)
{
    size_t at = names_start(&zone->names, name);
    while (zone->names.slots[at] != NO_SLOT &&
           !name_equal(zone->nodes[zone->names.slots[at]].name, name))
        at = (at + 1) & zone->names.mask;
    return &zone->names.slots[at];
}

static struct node *node_find(const struct baseline_zone *zone, const uint8_t *name)
{
    uint32_t slot = *node_slot(zone, name);
    return slot == NO_SLOT ? NULL : &zone->nodes[slot];
}

static const struct set *set_find(const struct baseline_zone *zone, const struct node *node,
                                  uint16_t type)
{
    for (uint32_t i = 0; node && i < node->set_count; i++)
        if (zone->sets[node->first_set + i].type == type)
            return &zone->sets[node->first_set + i];
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------- */

/* They come and go with every signing; how the owner has the zone deny is worth knowing. */
static void note_denial(struct baseline_zone *zone, const struct zonefile_record *record)
{
    enum fact_chain kind = FACT_CHAIN_UNKNOWN;
    if (record->type == TYPE_NSEC)
        kind = FACT_CHAIN_NSEC;
    else if (record->type == TYPE_NSEC3 && record->rdata_size > 1)
        kind = record->rdata[1] & 1 ? FACT_CHAIN_OPT_OUT : FACT_CHAIN_NSEC3;
    if (kind > zone->denial)
        zone->denial = kind;
}

static uint32_t number(const uint8_t *at, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* What is left out for want of memory teaches nothing: it is no mistake of the file. */
static void note_signature(struct baseline_zone *zone, const struct zonefile_record *record)
{
    const uint8_t *r = record->rdata;
    if (record->rdata_size < 19 || !zone->has_soa || !name_equal(r + 18, zone->apex) ||
        zone->signature_count == BASELINE_SIGNATURES_MAX)
        return;
    if (zone->signature_count == zone->signature_room) {
        size_t room = zone->signature_room ? zone->signature_room * 2 : 64;
        struct baseline_signature *grown = reallocarray(zone->signatures, room, sizeof *grown);
        if (!grown)
            return;
        zone->signatures = grown;
        zone->signature_room = room;
    }
    zone->signatures[zone->signature_count++] =
        (struct baseline_signature){.covered = (uint16_t)number(r, 2),
                                    .algorithm = r[2],
                                    .original_ttl = number(r + 4, 4),
                                    .expiration = number(r + 8, 4),
                                    .inception = number(r + 12, 4),
                                    .tag = (uint16_t)number(r + 16, 2)};
}

static int by_inception(const void *a, const void *b)
{
    const struct baseline_signature *x = a, *y = b;
    if (x->inception != y->inception)
        return x->inception < y->inception ? -1 : 1;
    return (x->covered > y->covered) - (x->covered < y->covered);
}

static int on_record(void *context, const struct zonefile_record *record, char *ret_what,
                     size_t what_room)
{
    struct baseline_zone *zone = context;
    if (record->type == TYPE_SOA) {
        if (zone->has_soa && !name_equal(zone->apex, record->owner)) {
            snprintf(ret_what, what_room, "expected one zone, found a second SOA");
            return -1;
        }
        memcpy(zone->apex, record->owner, sizeof zone->apex);
        zone->has_soa = true;
    }
    if (record->type == TYPE_RRSIG || record->type == TYPE_NSEC || record->type == TYPE_NSEC3) {
        note_denial(zone, record);
        if (record->type == TYPE_RRSIG)
            note_signature(zone, record);
        return 0;
    }
    if (zone->record_count == zone->record_room) {
        size_t room = zone->record_room ? zone->record_room * 2 : 64;
        struct record *grown = reallocarray(zone->records, room, sizeof *grown);
        if (!grown || room >= NO_SLOT / 4) {
            zone->records = grown ? grown : zone->records;
            snprintf(ret_what, what_room, "out of memory");
            return -1;
        }
        zone->records = grown;
        zone->record_room = room;
    }
    size_t owner_size = name_size(record->owner);
    uint8_t *bytes = malloc(owner_size + record->rdata_size);
    if (!bytes) {
        snprintf(ret_what, what_room, "out of memory");
        return -1;
    }
    memcpy(bytes, record->owner, owner_size);
    memcpy(bytes + owner_size, record->rdata, record->rdata_size);
    zone->records[zone->record_count++] = (struct record){.bytes = bytes,
                                                          .ttl = record->ttl,
                                                          .type = record->type,
                                                          .owner_size = (uint16_t)owner_size,
                                                          .rdata_size = record->rdata_size,
                                                          .line = record->line};
    return 0;
}

static int compare_records(const void *a, const void *b)
{
    const struct record *left = a, *right = b;
    int order = name_compare(left->bytes, right->bytes);
    if (order != 0)
        return order;
    if (left->type != right->type)
        return left->type < right->type ? -1 : 1;
    size_t common = left->rdata_size < right->rdata_size ? left->rdata_size : right->rdata_size;
    order = memcmp(left->bytes + left->owner_size, right->bytes + right->owner_size, common);
    if (order != 0)
        return order; /* RFC 4034 6.3: as left-justified octet sequences */
    return (left->rdata_size > right->rdata_size) - (left->rdata_size < right->rdata_size);
}

/* Sorts, and drops what is given twice (a transfer repeats the SOA). */
static void sort_records(struct baseline_zone *zone)
{
    size_t kept = 0;
    qsort(zone->records, zone->record_count, sizeof *zone->records, compare_records);
    for (size_t i = 0; i < zone->record_count; i++) {
        if (kept > 0 && compare_records(&zone->records[kept - 1], &zone->records[i]) == 0)
            free(zone->records[i].bytes);
        else
            zone->records[kept++] = zone->records[i];
    }
    zone->record_count = kept;
}

/* Adds the name, and its ancestors up to the apex, where they are not known yet. */
static struct node *node_add(struct baseline_zone *zone, const uint8_t *name)
{
    unsigned above = name_labels(name) - name_labels(zone->apex);
    for (unsigned i = 0; i <= above; i++) {
        const uint8_t *ancestor = name_strip(name, i);
        uint32_t *slot = node_slot(zone, ancestor);
        if (*slot == NO_SLOT) {
            *slot = (uint32_t)zone->node_count;
            zone->nodes[zone->node_count++] = (struct node){.name = ancestor};
        }
    }
    return node_find(zone, name);
}

/* How many nodes there can be at most: every owner with every ancestor. */
static size_t most_nodes(const struct baseline_zone *zone)
{
    unsigned apex_labels = name_labels(zone->apex);
    size_t most = 1;
    for (size_t i = 0; i < zone->record_count; i++)
        if (i == 0 || !name_equal(zone->records[i].bytes, zone->records[i - 1].bytes))
            most += name_labels(zone->records[i].bytes) - apex_labels + 1;
    return most;
}

static void index_records(struct baseline_zone *zone)
{
    struct node *node = NULL;
    for (size_t i = 0; i < zone->record_count; i++) {
        const struct record *record = &zone->records[i];
        zone->rdata[i] =
            (struct fact_rdata){record->bytes + record->owner_size, record->rdata_size};
        if (!node || !name_equal(node->name, record->bytes)) {
            node = node_add(zone, record->bytes);
            node->first_set = (uint32_t)zone->set_count;
        }
        struct set *set = zone->set_count ? &zone->sets[zone->set_count - 1] : NULL;
        if (node->set_count == 0 || set->type != record->type) {
            set = &zone->sets[zone->set_count++];
            *set = (struct set){.first = (uint32_t)i, .ttl = record->ttl, .type = record->type};
            node->set_count++;
        }
        set->count++;
        if (record->type == TYPE_NS && !name_equal(record->bytes, zone->apex))
            node->flags |= NODE_CUT;
        if (record->type == TYPE_DNAME)
            node->flags |= NODE_DNAME;
    }
}

/* Marks the hosts that the apex's NS records name. */
static void mark_hosts(struct baseline_zone *zone)
{
    const struct set *servers = set_find(zone, node_find(zone, zone->apex), TYPE_NS);
    for (uint32_t i = 0; servers && i < servers->count; i++) {
        struct node *host = node_find(zone, zone->rdata[servers->first + i].bytes);
        if (host)
            host->flags |= NODE_HOST;
    }
}

static int zone_index(struct baseline_zone *zone)
{
    size_t count = most_nodes(zone);
    zone->rdata = calloc(zone->record_count, sizeof *zone->rdata);
    zone->sets = calloc(zone->record_count, sizeof *zone->sets);
    zone->nodes = calloc(count, sizeof *zone->nodes);
    if (!zone->rdata || !zone->sets || !zone->nodes || names_init(&zone->names, count) != 0)
        return -1;
    index_records(zone);
    mark_hosts(zone);
    return 0;
}

static void zone_free(struct baseline_zone *zone)
{
    if (!zone)
        return;
    for (size_t i = 0; i < zone->record_count; i++)
        free(zone->records[i].bytes);
    free(zone->records);
    free(zone->rdata);
    free(zone->sets);
    free(zone->nodes);
    free(zone->names.slots);
    free(zone->suppressions);
    free(zone->servers);
    free(zone->signatures);
    declared_free(zone->declared);
    policy_free(zone->policy);
    free(zone->file);
    free(zone);
}

/* "DIR/example.com.zone" completes names with example.com. until the file says otherwise. */
static void origin_of(const char *file, uint8_t ret_origin[NAME_MAX_BYTES])
{
    char text[NAME_TEXT_MAX];
    const char *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    size_t length = strlen(base);
    size_t suffix = sizeof SUFFIX - 1;
    ret_origin[0] = 0;
    if (length > suffix && length < sizeof text && strcmp(base + length - suffix, SUFFIX) == 0) {
        memcpy(text, base, length - suffix);
        text[length - suffix] = '\0';
        if (!name_parse(text, ret_origin))
            ret_origin[0] = 0;
    }
}

static int zone_check(const struct baseline_zone *zone, char *ret_error, size_t room)
{
    char what[NAME_TEXT_MAX * 2 + 64], apex[NAME_TEXT_MAX], name[NAME_TEXT_MAX];
    if (!zone->has_soa)
        return fail(ret_error, room, zone->file, "expected a SOA record at the zone's apex");
    for (size_t i = 0; i < zone->record_count; i++) {
        const uint8_t *owner = zone->records[i].bytes;
        if (name_within(owner, zone->apex))
            continue;
        snprintf(what, sizeof what, "expected names within %s, not %s", name_text(zone->apex, apex),
                 name_text(owner, name));
        return fail_at(ret_error, room, zone->file, zone->records[i].line, what);
    }
    return 0;
}

int baseline_add_zone(struct baseline *baseline, const char *file, const void *text, size_t size,
                      char *ret_error, size_t error_room)
{
    uint8_t origin[NAME_MAX_BYTES];
    struct baseline_zone *zone = calloc(1, sizeof *zone);
    struct baseline_zone **zones =
        reallocarray(baseline->zones, baseline->zone_count + 1, sizeof(struct baseline_zone *));
    if (zones)
        baseline->zones = zones;
    if (!zone || !zones || !(zone->file = strdup(file)) ||
        EVP_Digest(text, size, zone->sha256, NULL, EVP_sha256(), NULL) != 1) {
        zone_free(zone);
        return fail(ret_error, error_room, file, "out of memory");
    }
    origin_of(file, origin);
    if (zonefile_read(file, text, size, origin, on_record, zone, ret_error, error_room) != 0 ||
        zone_check(zone, ret_error, error_room) != 0) {
        zone_free(zone);
        return -1;
    }
    sort_records(zone);
    if (zone->signature_count)
        qsort(zone->signatures, zone->signature_count, sizeof *zone->signatures, by_inception);
    if (zone_index(zone) != 0) {
        zone_free(zone);
        return fail(ret_error, error_room, file, "out of memory");
    }
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
        return fail(ret_error, error_room, file, "out of memory");
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
    size_t at = names_start(&baseline->apexes, name);
    while (baseline->apexes.slots[at] != NO_SLOT &&
           !name_equal(baseline->zones[baseline->apexes.slots[at]]->apex, name))
        at = (at + 1) & baseline->apexes.mask;
    return &baseline->apexes.slots[at];
}

static int index_zones(struct baseline *baseline, char *ret_error, size_t room)
{
    if (baseline->zone_count > 0) /* qsort may not be given NULL, even for nothing */
        qsort(baseline->zones, baseline->zone_count, sizeof *baseline->zones, compare_zones);
    if (names_init(&baseline->apexes, baseline->zone_count) != 0)
        return fail(ret_error, room, "baseline", "out of memory");
    for (size_t i = 0; i < baseline->zone_count; i++) {
        const struct baseline_zone *zone = baseline->zones[i];
        uint32_t *slot = apex_slot(baseline, zone->apex);
        unsigned labels = name_labels(zone->apex);
        if (*slot != NO_SLOT) {
            char what[512];
            snprintf(what, sizeof what, "expected a zone once; %s declares the same one",
                     baseline->zones[*slot]->file);
            return fail(ret_error, room, zone->file, what);
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
            return fail_at(ret_error, room, policy->file, twice ? 1 : policy->needs_zone, what);
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
                                      .until_ns = policy->suppressions[i].until_ns};
    return zone->suppressions ? 0 : -1;
}

static void add_servers(struct baseline_zone *zone, const struct set *set)
{
    for (uint32_t i = 0; set && i < set->count; i++) {
        const struct fact_rdata *rdata = &zone->rdata[set->first + i];
        struct fact_address *to = &zone->servers[zone->server_count];
        if (rdata->size != (set->type == TYPE_A ? 4 : 16))
            continue;
        to->family = set->type == TYPE_A ? 4 : 6;
        memcpy(to->bytes, rdata->bytes, rdata->size);
        zone->server_count++;
    }
}

/* Where the zone's NS names and all their addresses are in its own file, its servers are known. */
static int infer_servers(struct baseline_zone *zone)
{
    const struct set *names = set_find(zone, node_find(zone, zone->apex), TYPE_NS);
    size_t most = 0;
    for (int pass = 0; names && pass < 2; pass++) {
        for (uint32_t i = 0; i < names->count; i++) {
            const struct node *host = node_find(zone, zone->rdata[names->first + i].bytes);
            const struct set *v4 = set_find(zone, host, TYPE_A);
            const struct set *v6 = set_find(zone, host, TYPE_AAAA);
            if (!v4 && !v6)
                return 0;
            most += (v4 ? v4->count : 0) + (v6 ? v6->count : 0);
            if (pass == 0)
                continue;
            add_servers(zone, v4);
            add_servers(zone, v6);
        }
        if (pass == 0 && (zone->servers = calloc(most + 1, sizeof *zone->servers)) == NULL)
            return -1;
    }
    return 0;
}

static int zone_ready(struct baseline_zone *zone)
{
    const struct node *apex = node_find(zone, zone->apex);
    const struct set *keys = set_find(zone, apex, TYPE_DNSKEY);
    const struct set *ds = set_find(zone, apex, TYPE_DS);
    zone->declared =
        declared_new(zone->apex, keys ? &zone->rdata[keys->first] : NULL, keys ? keys->count : 0,
                     ds ? &zone->rdata[ds->first] : NULL, ds ? ds->count : 0, zone->policy);
    return zone->declared && infer_servers(zone) == 0 ? zone_suppressions(zone) : -1;
}

int baseline_ready(struct baseline *baseline, char *ret_error, size_t error_room)
{
    baseline->negatives = calloc(baseline->policy_count + 1, sizeof *baseline->negatives);
    if (!baseline->negatives)
        return fail(ret_error, error_room, "baseline", "out of memory");
    if (index_zones(baseline, ret_error, error_room) != 0 ||
        give_policies(baseline, ret_error, error_room) != 0)
        return -1;
    for (size_t i = 0; i < baseline->zone_count; i++)
        if (zone_ready(baseline->zones[i]) != 0)
            return fail(ret_error, error_room, baseline->zones[i]->file,
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
        zone_free(baseline->zones[i]);
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

/* Is the owner under a delegation, or a DNAME, of the declared zone? At the cut itself only NS and
 * DS are this zone's (RFC 4035 2.4, RFC 2181 6.1). */
static bool below_cut(const struct baseline_zone *zone, const uint8_t *owner, uint16_t type)
{
    unsigned above = name_labels(owner) - name_labels(zone->apex);
    for (unsigned i = 0; i < above; i++) {
        const struct node *node = node_find(zone, name_strip(owner, i));
        if (!node)
            continue;
        if (node->flags & NODE_CUT && (i > 0 || (type != TYPE_NS && type != TYPE_DS)))
            return true;
        if (node->flags & NODE_DNAME && i > 0)
            return true;
    }
    return false;
}

/* The node that answers for the owner: its own, else the wildcard at the closest encloser
 * (RFC 4592 3.3.1), else NULL. */
static const struct node *node_answering(const struct baseline_zone *zone, const uint8_t *owner)
{
    const struct node *node = node_find(zone, owner);
    if (node)
        return node;
    unsigned above = name_labels(owner) - name_labels(zone->apex);
    for (unsigned i = 1; i <= above; i++) {
        const uint8_t *encloser = name_strip(owner, i);
        uint8_t wildcard[NAME_MAX_BYTES] = {1, '*'};
        size_t size = name_size(encloser);
        if (!node_find(zone, encloser))
            continue;
        if (size + 2 > sizeof wildcard)
            return NULL;
        memcpy(wildcard + 2, encloser, size);
        return node_find(zone, wildcard);
    }
    return NULL;
}

static bool matches_any(const struct policy_pattern *patterns, size_t count, const uint8_t *owner,
                        uint16_t type)
{
    for (size_t i = 0; i < count; i++)
        if (policy_matches(&patterns[i], owner, type))
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
    ret->multi_signer = policy->multi_signer;
    ret->validity_ns = policy->validity_ns;
    ret->refresh_ns = policy->refresh_ns;
    ret->suppressions = zone->suppressions;
    ret->suppression_count = policy->suppression_count;
    ret->planned |= planned_records(zone, node, owner, type, time_ns);
}

void baseline_describe(const struct baseline_zone *zone, const uint8_t *owner, uint16_t type,
                       int64_t time_ns, struct fact_baseline *ret)
{
    bool within = name_within(owner, zone->apex);
    const struct node *node = within ? node_answering(zone, owner) : NULL;
    const struct set *set = set_find(zone, node, type);
    *ret = (struct fact_baseline){.present = true, .file = zone->file, .sha256 = zone->sha256};
    ret->denial = zone->denial;
    declared_describe(zone->declared, type, time_ns, ret);
    describe_policy(zone, node, owner, type, time_ns, ret);
    ret->name_exists = node && node->set_count > 0;
    ret->below_cut = within && below_cut(zone, owner, type);
    /* What is learned from traffic may have a zone's apex, or the DS of a child, and no NS of it.
     */
    ret->ns_unknown =
        type == TYPE_NS && !set && (name_equal(owner, zone->apex) || set_find(zone, node, TYPE_DS));
    ret->expected.owner = node ? node->name : owner;
    ret->expected.type = type;
    if (set) {
        ret->expected.ttl = set->ttl;
        ret->expected.count = set->count;
        ret->expected.rdata = &zone->rdata[set->first];
    }
}
