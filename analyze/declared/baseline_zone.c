/*
 * baseline_zone: one declared zone: its file sorted into RRsets and a table of names.
 *
 * Contained in: analyze, baseline, tests; reads before confinement only.
 *
 * What DNSSEC maintenance alters by itself (RRSIG, NSEC, NSEC3) is left out while reading, so that
 * hashed owner names do not become names of the zone; only how the signatures were made is noted.
 * Empty non-terminals are names (RFC 4592 2.2.2).
 */
#include "analyze/declared/baseline_zone.h"

#include "analyze/canon.h"
#include "analyze/declared/declared.h"
#include "analyze/declared/policy.h"
#include "analyze/declared/zonefile.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SUFFIX ".zone"

int baseline_fail_at(char *ret_error, size_t room, const char *file, unsigned line,
                     const char *what)
{
    if (room)
        snprintf(ret_error, room, "%s:%u: %s", file, line, what);
    return -1;
}

int baseline_fail(char *ret_error, size_t room, const char *file, const char *what)
{
    return baseline_fail_at(ret_error, room, file, 1, what);
}

/* --- table of names ------------------------------------------------------------------------ */

int baseline_names_init(struct names *names, size_t count)
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

size_t baseline_names_start(const struct names *names, const uint8_t *name)
{
    return (size_t)XXH3_64bits(name, name_size(name)) & names->mask;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *node_slot(const struct baseline_zone *zone, const uint8_t *name)
{
    size_t at = baseline_names_start(&zone->names, name);
    while (zone->names.slots[at] != NO_SLOT &&
           !name_equal(zone->nodes[zone->names.slots[at]].name, name))
        at = (at + 1) & zone->names.mask;
    return &zone->names.slots[at];
}

struct node *baseline_node(const struct baseline_zone *zone, const uint8_t *name)
{
    uint32_t slot = *node_slot(zone, name);
    return slot == NO_SLOT ? NULL : &zone->nodes[slot];
}

const struct set *baseline_set(const struct baseline_zone *zone, const struct node *node,
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
    return baseline_node(zone, name);
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
    const struct set *servers = baseline_set(zone, baseline_node(zone, zone->apex), TYPE_NS);
    for (uint32_t i = 0; servers && i < servers->count; i++) {
        struct node *host = baseline_node(zone, zone->rdata[servers->first + i].bytes);
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
    if (!zone->rdata || !zone->sets || !zone->nodes ||
        baseline_names_init(&zone->names, count) != 0)
        return -1;
    index_records(zone);
    mark_hosts(zone);
    return 0;
}

void baseline_zone_free(struct baseline_zone *zone)
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
        return baseline_fail(ret_error, room, zone->file,
                             "expected a SOA record at the zone's apex");
    for (size_t i = 0; i < zone->record_count; i++) {
        const uint8_t *owner = zone->records[i].bytes;
        if (name_within(owner, zone->apex))
            continue;
        snprintf(what, sizeof what, "expected names within %s, not %s", name_text(zone->apex, apex),
                 name_text(owner, name));
        return baseline_fail_at(ret_error, room, zone->file, zone->records[i].line, what);
    }
    return 0;
}

uint32_t baseline_version(const void *text, size_t size)
{
    static const char word[] = "; Version ";
    const char *at = text, *end = at + size;
    while (at < end && *at == ';') {
        size_t left = (size_t)(end - at);
        const char *next = memchr(at, '\n', left);
        uint32_t version = 0;
        const char *digit = at + sizeof word - 1;
        bool stated = left >= sizeof word && memcmp(at, word, sizeof word - 1) == 0;
        for (; stated && digit < end && *digit >= '0' && *digit <= '9' && version < 100000000;
             digit++)
            version = version * 10 + (uint32_t)(*digit - '0');
        if (version > 0)
            return version;
        at = next ? next + 1 : end;
    }
    return 1;
}

struct baseline_zone *baseline_zone_read(const char *file, const void *text, size_t size,
                                         char *ret_error, size_t error_room)
{
    uint8_t origin[NAME_MAX_BYTES];
    struct baseline_zone *zone = calloc(1, sizeof *zone);
    if (!zone || !(zone->file = strdup(file)) ||
        EVP_Digest(text, size, zone->sha256, NULL, EVP_sha256(), NULL) != 1) {
        baseline_zone_free(zone);
        (void)baseline_fail(ret_error, error_room, file, "out of memory");
        return NULL;
    }
    zone->version = baseline_version(text, size);
    origin_of(file, origin);
    if (zonefile_read(file, text, size, origin, on_record, zone, ret_error, error_room) != 0 ||
        zone_check(zone, ret_error, error_room) != 0) {
        baseline_zone_free(zone);
        return NULL;
    }
    sort_records(zone);
    if (zone->signature_count)
        qsort(zone->signatures, zone->signature_count, sizeof *zone->signatures, by_inception);
    if (zone_index(zone) != 0) {
        baseline_zone_free(zone);
        (void)baseline_fail(ret_error, error_room, file, "out of memory");
        return NULL;
    }
    return zone;
}
