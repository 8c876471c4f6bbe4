/*
 * zoneset: records of one zone: read, sorted, written, compared.
 *
 * Contained in: baseline, tests. Must never: be given bytes from packets (ldns reads text here), or
 * write a file that would read back as another zone.
 */
#include "analyze/declared/zoneset.h"

#include "analyze/canon.h"
#include "analyze/declared/zonefile.h"
#include "analyze/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOA_TAIL   20 /* serial, refresh, retry, expire, minimum (RFC 1035 3.3.13) */
#define SOA_SERIAL 4
/* Every byte of 64 KiB of rdata as \ddd, and quotation marks. */
#define RDATA_TEXT   ((size_t)65536 * 5)
#define OWNER_COLUMN 40

/* Completes relative names where no origin is known: a name that no zone has, to be found again. */
static const uint8_t nowhere[] = "\x20"
                                 "no-origin-is-known-to-dnsbailiff";

void zoneset_fini(struct zoneset *z)
{
    for (size_t i = 0; i < z->count; i++)
        free(z->records[i].owner);
    free(z->records);
    *z = (struct zoneset){.count = 0};
}

int zoneset_add(struct zoneset *z, const uint8_t *owner, uint16_t type, uint32_t ttl,
                const uint8_t *rdata, uint16_t size)
{
    if (z->count == z->room) {
        size_t room = z->room ? 2 * z->room : 64;
        struct zoneset_record *grown = reallocarray(z->records, room, sizeof *grown);
        if (!grown)
            return -1;
        z->records = grown;
        z->room = room;
    }
    size_t owner_size = name_size(owner);
    uint8_t *bytes = malloc(owner_size + size);
    if (!bytes)
        return -1;
    memcpy(bytes, owner, owner_size);
    if (size)
        memcpy(bytes + owner_size, rdata, size);
    z->records[z->count++] = (struct zoneset_record){
        .owner = bytes, .rdata = bytes + owner_size, .ttl = ttl, .type = type, .size = size};
    return 0;
}

/* --- reading --- */

struct reading {
    struct zoneset *zone;
    bool no_origin;
};

static void note_relative(struct reading *r, const struct zonefile_record *record)
{
    if (!r->no_origin || r->zone->has_relative)
        return;
    if (name_within(record->owner, nowhere) ||
        memmem(record->rdata, record->rdata_size, nowhere, sizeof nowhere)) {
        r->zone->has_relative = true;
        r->zone->relative_line = record->line;
    }
}

static int on_record(void *context, const struct zonefile_record *record, char *ret_what,
                     size_t what_room)
{
    struct reading *r = context;
    struct zoneset *z = r->zone;
    z->ends_in_soa = record->type == TYPE_SOA;
    note_relative(r, record);
    switch (record->type) {
    case TYPE_RRSIG:
        z->rrsigs++;
        return 0;
    case TYPE_NSEC:
        z->nsecs++;
        return 0;
    case TYPE_NSEC3:
        z->nsec3s++;
        return 0;
    case TYPE_SOA:
        if (z->has_soa && !name_equal(z->apex, record->owner)) {
            snprintf(ret_what, what_room, "expected one zone, found a second SOA");
            return -1;
        }
        memcpy(z->apex, record->owner, name_size(record->owner));
        z->has_soa = true;
        z->soas++;
        break;
    default:
        break;
    }
    if (zoneset_add(z, record->owner, record->type, record->ttl, record->rdata,
                    record->rdata_size) == 0) {
        z->records[z->count - 1].line = record->line;
        return 0;
    }
    snprintf(ret_what, what_room, "out of memory");
    return -1;
}

int zoneset_read(struct zoneset *z, const char *file, const void *text, size_t size,
                 const uint8_t *origin, char *ret_error, size_t error_room)
{
    struct reading r = {.zone = z, .no_origin = origin == NULL};
    return zonefile_read(file, text, size, origin ? origin : nowhere, on_record, &r, ret_error,
                         error_room);
}

/* --- order --- */

/* The types that decide trust come first, for whoever reads the file. */
static unsigned rank_of(uint16_t type)
{
    static const uint16_t first[] = {TYPE_SOA, TYPE_NS, TYPE_DS, TYPE_DNSKEY};
    for (unsigned i = 0; i < sizeof first / sizeof *first; i++)
        if (type == first[i])
            return i;
    return sizeof first / sizeof *first + type;
}

static int compare_sets(const struct zoneset_record *a, const struct zoneset_record *b)
{
    int order = name_compare(a->owner, b->owner);
    if (order != 0)
        return order;
    unsigned left = rank_of(a->type), right = rank_of(b->type);
    return (left > right) - (left < right);
}

static int compare_rdata(const struct zoneset_record *a, const struct zoneset_record *b)
{
    int order = memcmp(a->rdata, b->rdata, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_records(const void *a, const void *b)
{
    const struct zoneset_record *left = a, *right = b;
    int order = compare_sets(left, right);
    if (order == 0)
        order = compare_rdata(left, right);
    return order ? order : (left->ttl > right->ttl) - (left->ttl < right->ttl);
}

void zoneset_sort(struct zoneset *z)
{
    size_t kept = 0;
    if (z->count == 0)
        return;
    qsort(z->records, z->count, sizeof *z->records, compare_records);
    for (size_t i = 0; i < z->count; i++) {
        const struct zoneset_record *last = kept ? &z->records[kept - 1] : NULL;
        if (last && compare_sets(last, &z->records[i]) == 0 &&
            compare_rdata(last, &z->records[i]) == 0)
            free(z->records[i].owner);
        else
            z->records[kept++] = z->records[i];
    }
    z->count = kept;
}

size_t zoneset_at_apex(const struct zoneset *z, uint16_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < z->count; i++)
        count += z->records[i].type == type && name_equal(z->records[i].owner, z->apex);
    return count;
}

int zoneset_check(const struct zoneset *z, const char *file, char *ret_error, size_t error_room)
{
    char apex[NAME_TEXT_MAX], name[NAME_TEXT_MAX];
    if (!z->has_soa) {
        snprintf(ret_error, error_room, "%s:1: expected a SOA record at the zone's apex", file);
        return -1;
    }
    for (size_t i = 0; i < z->count; i++) {
        if (name_within(z->records[i].owner, z->apex))
            continue;
        snprintf(ret_error, error_room, "%s:%u: expected names within %s, not %s", file,
                 z->records[i].line, name_text(z->apex, apex),
                 name_text(z->records[i].owner, name));
        return -1;
    }
    unsigned first = 0;
    for (size_t i = 0; i < z->count; i++) {
        if (z->records[i].type != TYPE_SOA)
            continue;
        if (first) {
            snprintf(ret_error, error_room,
                     "%s:%u: expected the SOA record of line %u again: the zone changed while it "
                     "was transferred",
                     file, z->records[i].line, first);
            return -1;
        }
        first = z->records[i].line;
    }
    return 0;
}

/* --- writing --- */

int zoneset_line(const struct zoneset_record *r, bool generic, char **ret_line)
{
    char owner[NAME_TEXT_MAX], word[TYPES_TEXT];
    char *rdata = malloc(RDATA_TEXT), *line = NULL;
    if (!rdata)
        return -1;
    if (generic) {
        size_t used = (size_t)snprintf(rdata, RDATA_TEXT, "\\# %u%s", r->size, r->size ? " " : "");
        for (size_t i = 0; i < r->size; i++)
            used += (size_t)snprintf(rdata + used, RDATA_TEXT - used, "%02x", r->rdata[i]);
    } else {
        types_rdata_text(r->type, r->rdata, r->size, rdata, RDATA_TEXT);
    }
    int size = asprintf(&line, "%s %u IN %s %s", name_text(r->owner, owner), r->ttl,
                        types_rr(r->type, word), rdata);
    free(rdata);
    if (size < 0)
        return -1;
    *ret_line = line;
    return size;
}

static bool same_sets(const struct zoneset *a, const struct zoneset *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (compare_records(&a->records[i], &b->records[i]) != 0)
            return false;
    return true;
}

static char *render(const struct zoneset *z, const char *head, bool generic, size_t *ret_size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, ret_size);
    if (!stream)
        return NULL;
    fputs(head, stream);
    bool failed = false;
    for (size_t i = 0; i < z->count && !failed; i++) {
        char *line;
        if (i > 0 && !name_equal(z->records[i - 1].owner, z->records[i].owner))
            fputc('\n', stream);
        failed = zoneset_line(&z->records[i], generic, &line) < 0;
        if (!failed) {
            int owner = (int)strcspn(line, " "); /* a space within a name is escaped */
            fprintf(stream, "%-*.*s%s\n", OWNER_COLUMN, owner, line, line + owner);
            free(line);
        }
    }
    failed = ferror(stream) || failed;
    if (fclose(stream) == 0 && !failed)
        return text;
    free(text);
    return NULL;
}

static bool reads_back(const struct zoneset *z, const char *text, size_t size)
{
    static const uint8_t root[] = {0};
    struct zoneset again = {.count = 0};
    char error[512];
    bool same = zoneset_read(&again, "", text, size, root, error, sizeof error) == 0;
    zoneset_sort(&again);
    same = same && same_sets(z, &again);
    zoneset_fini(&again);
    return same;
}

char *zoneset_text(const struct zoneset *z, const char *head, size_t *ret_size, char *ret_error,
                   size_t error_room)
{
    for (int generic = 0; generic < 2; generic++) {
        size_t size;
        char *text = render(z, head, generic, &size);
        if (text && reads_back(z, text, size)) {
            *ret_size = size;
            return text;
        }
        free(text);
    }
    snprintf(ret_error, error_room, "the zone cannot be written so that it reads back the same");
    return NULL;
}

const char *zoneset_file_name(const uint8_t *apex, char ret_name[ZONESET_FILE_TEXT])
{
    char text[NAME_TEXT_MAX];
    if (name_is_root(apex))
        memcpy(text, "root", sizeof "root");
    else
        text[strlen(name_text(apex, text)) - 1] = '\0';
    for (char *at = text; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '-' ||
                     *at == '_' || (*at == '.' && at > text);
        if (!plain)
            *at = '_';
    }
    snprintf(ret_name, ZONESET_FILE_TEXT, "%s.zone", text);
    return ret_name;
}

/* --- differences --- */

static bool soa_same(const struct zoneset_record *a, const struct zoneset_record *b)
{
    if (a->size != b->size || a->size < SOA_TAIL)
        return compare_rdata(a, b) == 0;
    size_t names = a->size - SOA_TAIL, after = names + SOA_SERIAL;
    return memcmp(a->rdata, b->rdata, names) == 0 &&
           memcmp(a->rdata + after, b->rdata + after, SOA_TAIL - SOA_SERIAL) == 0;
}

static bool same_data(const struct zoneset_record *a, const struct zoneset_record *b)
{
    if (a->type != b->type)
        return false;
    return a->type == TYPE_SOA ? soa_same(a, b) : compare_rdata(a, b) == 0;
}

bool zoneset_has(const struct zoneset_record *records, size_t count,
                 const struct zoneset_record *record)
{
    for (size_t i = 0; i < count; i++)
        if (same_data(&records[i], record))
            return true;
    return false;
}

static size_t run_of(const struct zoneset *z, size_t at)
{
    size_t end = at;
    while (end < z->count && compare_sets(&z->records[at], &z->records[end]) == 0)
        end++;
    return end - at;
}

static bool is_change(const struct zoneset_change *c)
{
    if (c->before_count != c->after_count)
        return true;
    for (size_t i = 0; i < c->before_count; i++)
        if (!same_data(&c->before[i], &c->after[i])) /* both are sorted */
            return true;
    return false;
}

void zoneset_diff(const struct zoneset *before, const struct zoneset *after,
                  void (*on_change)(void *context, const struct zoneset_change *), void *context)
{
    for (size_t i = 0, j = 0; i < before->count || j < after->count;) {
        const struct zoneset_record *left = i < before->count ? &before->records[i] : NULL;
        const struct zoneset_record *right = j < after->count ? &after->records[j] : NULL;
        int order = !left ? 1 : !right ? -1 : compare_sets(left, right);
        struct zoneset_change c = {.before = left, .after = right};
        c.before_count = order <= 0 ? run_of(before, i) : 0;
        c.after_count = order >= 0 ? run_of(after, j) : 0;
        c.owner = order <= 0 ? left->owner : right->owner;
        c.type = order <= 0 ? left->type : right->type;
        i += c.before_count;
        j += c.after_count;
        if (is_change(&c))
            on_change(context, &c);
    }
}
