/*
 * keep: key material from one run to the next.
 *
 * Contained in: analyze, tests. Must never make anything trusted: it shows records to the
 * validator, which checks every signature down from the anchors.
 */
#include "analyze/follow/keep.h"

#include "analyze/canon.h"
#include "analyze/validate/judge.h"
#include "analyze/validate/trust.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_LINE "dnsbailiff-keys 1"
#define MESSAGE_MOST 65535
#define LINE_MOST    (NAME_TEXT_MAX + 64 + (MESSAGE_MOST + 2) / 3 * 4)
#define HEADER       12
/* 2106: beyond, the times of signatures (32 bits of seconds) have no meaning that is known now. */
#define SEEN_MOST (INT64_C(4294967295) * 1000000000)

/* --- messages ------------------------------------------------------------------------------ */

struct wire { /* a response under construction; `full` sticks */
    uint8_t bytes[MESSAGE_MOST];
    size_t size;
    bool full;
    uint16_t answers, authorities;
};

static void put(struct wire *w, const void *bytes, size_t size)
{
    w->full |= size > sizeof w->bytes - w->size;
    if (w->full)
        return;
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

static void put_u16(struct wire *w, unsigned n)
{
    put(w, (const uint8_t[]){(uint8_t)(n >> 8), (uint8_t)n}, 2);
}

static void put_record(struct wire *w, const struct rrset *set, uint16_t type, const uint8_t *rdata,
                       uint16_t size)
{
    put(w, set->owner, set->owner_size);
    put_u16(w, type);
    put_u16(w, 1); /* IN */
    put_u16(w, set->ttl >> 16);
    put_u16(w, set->ttl & 0xffff);
    put_u16(w, size);
    put(w, rdata, size);
}

static void put_set(struct wire *w, const struct rrset *set, uint16_t *count)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL; ++*count)
        put_record(w, set, set->type, r, size);
    for (unsigned i = 0; i < set->signatures; i++, ++*count)
        put_record(w, set, TYPE_RRSIG, set->signature[i].rdata, set->signature[i].rdata_size);
}

static void begin(struct wire *w, const uint8_t *qname, uint16_t qtype)
{
    static const uint8_t header[HEADER] = {0, 0, 0x84, 0, 0, 1}; /* QR, AA, one question */
    w->size = 0;
    w->full = false;
    w->answers = w->authorities = 0;
    put(w, header, sizeof header);
    put(w, qname, name_size(qname));
    put_u16(w, qtype);
    put_u16(w, 1);
}

static void end(struct wire *w)
{
    static const uint8_t opt[] = {0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0}; /* DO (RFC 3225) */
    put(w, opt, sizeof opt);
    w->bytes[7] = (uint8_t)w->answers;
    w->bytes[6] = (uint8_t)(w->answers >> 8);
    w->bytes[9] = (uint8_t)w->authorities;
    w->bytes[8] = (uint8_t)(w->authorities >> 8);
    w->bytes[11] = 1;
}

/* --- writing ------------------------------------------------------------------------------- */

struct writing {
    struct answers *answers;
    keep_line *line;
    void *context;
    struct wire wire;
    char text[LINE_MOST];
    unsigned lines;
};

static void write_bytes(struct writing *k, const char *word, const uint8_t *zone, int64_t seen_ns,
                        const char *text)
{
    char name[NAME_TEXT_MAX];
    int size = snprintf(k->text, sizeof k->text, "%s %s %lld %s\n", word, name_text(zone, name),
                        (long long)seen_ns, text);
    k->line(k->context, k->text, (size_t)size);
    k->lines++;
}

static void write_habit(void *context, const uint8_t *zone, int64_t seen_ns, const char *text)
{
    write_bytes(context, "habit", zone, seen_ns, text);
}

static void write_rhythm(void *context, const uint8_t *zone, int64_t seen_ns, const char *text)
{
    write_bytes(context, "rhythm", zone, seen_ns, text);
}

static void write_line(struct writing *k, const char *word, const struct zone *zone,
                       int64_t seen_ns)
{
    char name[NAME_TEXT_MAX];
    end(&k->wire);
    if (k->wire.full)
        return;
    int head = snprintf(k->text, sizeof k->text, "%s %s %lld ", word, name_text(zone->name, name),
                        (long long)seen_ns);
    int body = EVP_EncodeBlock((uint8_t *)k->text + head, k->wire.bytes, (int)k->wire.size);
    k->text[head + body] = '\n';
    k->line(k->context, k->text, (size_t)(head + body) + 1);
    k->lines++;
}

static void write_set(struct writing *k, const char *word, const struct zone *zone,
                      const struct rrset *set)
{
    begin(&k->wire, zone->name, set->type);
    put_set(&k->wire, set, &k->wire.answers);
    write_line(k, word, zone, set->last_seen_ns);
}

static bool is_secure(struct world *w, struct rrset *set, int64_t time_ns)
{
    return judge_rrset(w, set, time_ns) == REASON_CHAIN && !set->judged.wildcard;
}

static void write_no_ds(struct writing *k, struct zone *zone, int64_t clock_ns)
{
    size_t count = 0;
    while (count < PROOF_SETS_MAX && zone->no_ds.proof[count])
        if (!is_secure(&k->answers->world, zone->no_ds.proof[count++], clock_ns))
            return;
    if (count == 0 || zone->no_ds.reason == REASON_NONE)
        return;
    begin(&k->wire, zone->name, TYPE_DS);
    for (size_t i = 0; i < count; i++)
        put_set(&k->wire, zone->no_ds.proof[i], &k->wire.authorities);
    write_line(k, "no-ds", zone, zone->no_ds.seen_ns);
}

/* Each is judged at the time it was last seen: what was secure then is worth another look. */
static void write_zone(struct writing *k, struct zone *zone)
{
    struct world *w = &k->answers->world;
    for (uint8_t i = 0; i < zone->dss; i++) {
        int64_t seen = zone->ds[i]->last_seen_ns;
        world_begin(w, seen);
        if (is_secure(w, zone->ds[i], answers_clock(k->answers, seen)))
            write_set(k, "ds", zone, zone->ds[i]);
    }
    world_begin(w, zone->no_ds.seen_ns);
    write_no_ds(k, zone, answers_clock(k->answers, zone->no_ds.seen_ns));
    for (uint8_t i = 0; i < zone->dnskeys; i++) {
        int64_t seen = zone->dnskey[i]->last_seen_ns;
        world_begin(w, seen);
        const struct trust *t = trust_zone(w, zone, answers_clock(k->answers, seen));
        if (t->state == TRUST_SECURE && (t->trusted >> i & 1))
            write_set(k, "key", zone, zone->dnskey[i]);
    }
}

static int by_depth(const void *a, const void *b)
{
    const struct zone *x = *(struct zone *const *)a, *y = *(struct zone *const *)b;
    unsigned m = name_labels(x->name), n = name_labels(y->name);
    return m != n ? (m > n) - (m < n) : name_compare(x->name, y->name);
}

void keep_write(struct answers *answers, const struct habits *habits, const struct rhythms *rhythms,
                keep_line *line, void *context)
{
    struct world *w = &answers->world;
    struct zone **list = calloc(w->zone_count + 1, sizeof *list);
    struct writing *k = calloc(1, sizeof *k);
    size_t count = 0;
    for (size_t i = 0; list && i < w->zone_buckets; i++)
        for (struct zone *zone = w->zone_bucket[i]; zone; zone = zone->next)
            if (zone->dnskeys || zone->dss || zone->no_ds.proof[0])
                list[count++] = zone;
    if (list && k) {
        char last[40];
        qsort(list, count, sizeof *list, by_depth);
        *k = (struct writing){.answers = answers, .line = line, .context = context};
        line(context, VERSION_LINE "\n", sizeof VERSION_LINE);
        for (size_t i = 0; i < count; i++)
            write_zone(k, list[i]);
        if (habits)
            habits_write(habits, write_habit, k);
        if (rhythms)
            rhythms_write(rhythms, write_rhythm, k);
        int size = snprintf(last, sizeof last, "end %u\n", k->lines);
        line(context, last, (size_t)size);
    }
    free(list);
    free(k);
}

/* --- reading ------------------------------------------------------------------------------- */

struct reading {
    struct answers *answers;
    struct habits *habits;
    struct rhythms *rhythms;
    const char *name;
    unsigned line;
    char *error;
    size_t error_room;
    uint8_t bytes[MESSAGE_MOST + 3];
    struct dns_message message;
    struct draft draft;
};

static int refuse(struct reading *k, const char *what)
{
    if (k->error_room)
        snprintf(k->error, k->error_room, "%s:%u: expected %s", k->name, k->line, what);
    return -1;
}

/* The next word of the line, and its bytes; false if there is none. */
static bool word(const char **at, const char *end, const char **ret_word, size_t *ret_size)
{
    const char *stop = memchr(*at, ' ', (size_t)(end - *at));
    *ret_word = *at;
    *ret_size = (size_t)((stop ? stop : end) - *at);
    *at = stop ? stop + 1 : end;
    return *ret_size > 0;
}

/* Digits alone, within the years that packets have. */
static bool number(const char *text, size_t size, int64_t *ret)
{
    int64_t n = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || n > (INT64_MAX - 9) / 10)
            return false;
        n = n * 10 + (text[i] - '0');
    }
    *ret = n;
    return size > 0;
}

static bool decode(struct reading *k, const char *text, size_t size, size_t *ret_size)
{
    if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof k->bytes)
        return false;
    int bytes = EVP_DecodeBlock(k->bytes, (const uint8_t *)text, (int)size);
    if (bytes < 0)
        return false;
    *ret_size = (size_t)bytes - (text[size - 1] == '=') - (text[size - 2] == '=');
    return true;
}

/* The message, as if it had come at that time; nothing of it is answered for or reported. */
static void recall(struct reading *k, size_t size, int64_t seen_ns)
{
    const struct query query = {.edns = true, .edns_do = true};
    struct datagram dg = {.bytes = k->bytes, .size = size, .wire_size = size, .time_ns = seen_ns};
    answers_draft(k->answers, &dg, &k->message, &query, NULL, &k->draft);
    answers_recall(k->answers, &k->draft);
}

static int read_learned(struct reading *k, bool habit, const char *zone, size_t zone_size,
                        size_t size, int64_t seen_ns)
{
    char text[NAME_TEXT_MAX];
    uint8_t name[NAME_MAX_BYTES];
    if (zone_size >= sizeof text)
        return refuse(k, "a zone's name");
    memcpy(text, zone, zone_size);
    text[zone_size] = '\0';
    if (!name_parse(text, name))
        return refuse(k, "a zone's name");
    if (habit && k->habits && !habits_read(k->habits, name, seen_ns, k->bytes, size))
        return refuse(k, "how one key signs, once");
    if (!habit && k->rhythms && !rhythms_read(k->rhythms, name, seen_ns, k->bytes, size))
        return refuse(k, "when one zone is signed anew, once for keys and once for data");
    return 0;
}

static int read_entry(struct reading *k, const char *at, const char *end)
{
    const char *kind, *zone, *time, *message;
    size_t kind_size, zone_size, time_size, message_size, size;
    int64_t seen_ns;
    if (!word(&at, end, &kind, &kind_size) || !word(&at, end, &zone, &zone_size) ||
        !word(&at, end, &time, &time_size) || !word(&at, end, &message, &message_size) || at != end)
        return refuse(k, "kind, zone, time and message");
    uint16_t type = kind_size == 3 && memcmp(kind, "key", 3) == 0     ? TYPE_DNSKEY
                    : kind_size == 2 && memcmp(kind, "ds", 2) == 0    ? TYPE_DS
                    : kind_size == 5 && memcmp(kind, "no-ds", 5) == 0 ? TYPE_DS
                                                                      : 0;
    bool habit = kind_size == 5 && memcmp(kind, "habit", 5) == 0;
    bool rhythm = kind_size == 6 && memcmp(kind, "rhythm", 6) == 0;
    if (type == 0 && !habit && !rhythm)
        return refuse(k, "key, ds, no-ds, habit or rhythm");
    if (!number(time, time_size, &seen_ns) || seen_ns > SEEN_MOST)
        return refuse(k, "nanoseconds since 1970");
    if (!decode(k, message, message_size, &size))
        return refuse(k, type ? "a message in base64" : "bytes in base64");
    if (type == 0)
        return read_learned(k, habit, zone, zone_size, size, seen_ns);
    if (message_parse(k->bytes, size, size, &k->message) != MESSAGE_WHOLE ||
        !k->message.has_question || k->message.qtype != type)
        return refuse(k, "a response to its question");
    recall(k, size, seen_ns);
    return 0;
}

int keep_read(struct answers *answers, struct habits *habits, struct rhythms *rhythms,
              const char *name, const void *text, size_t size, char *ret_error, size_t error_room)
{
    const char *at = text, *stop = at + size;
    struct reading *k = calloc(1, sizeof *k);
    char last[40] = "";
    int result = 0;
    if (k == NULL)
        return -1;
    *k = (struct reading){.answers = answers,
                          .habits = habits,
                          .rhythms = rhythms,
                          .name = name,
                          .error = ret_error,
                          .error_room = error_room};
    for (k->line = 1; result == 0 && at < stop; k->line++) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        size_t length = end ? (size_t)(end - at) : 0;
        snprintf(last, sizeof last, "end %u", k->line - 2);
        if (end == NULL)
            result = refuse(k, "a whole line");
        else if (k->line == 1 &&
                 (length != sizeof VERSION_LINE - 1 || memcmp(at, VERSION_LINE, length) != 0))
            result = refuse(k, "\"" VERSION_LINE "\"");
        else if (k->line > 1 && length == strlen(last) && memcmp(at, last, length) == 0)
            break;
        else if (k->line > 1)
            result = read_entry(k, at, end);
        at = end ? end + 1 : stop;
    }
    if (result == 0 && at >= stop)
        result = refuse(k, "\"end\" with the number of lines");
    free(k);
    return result;
}

bool keep_supports(const struct zone *zone)
{
    for (unsigned depth = 0; zone && depth < NAME_MAX_LABELS; depth++) {
        for (uint8_t i = 0; i < zone->dnskeys; i++)
            if ((zone->trust.trusted >> i & 1) && zone->dnskey[i]->recalled)
                return true;
        for (uint8_t i = 0; i < zone->dss; i++)
            if (zone->ds[i]->recalled && zone->trust.state != TRUST_UNKNOWN)
                return true;
        for (size_t i = 0; i < PROOF_SETS_MAX && zone->no_ds.proof[i]; i++)
            if (zone->no_ds.proof[i]->recalled && zone->trust.state == TRUST_INSECURE)
                return true;
        if (zone->trust.up == zone)
            break;
        zone = zone->trust.up;
    }
    return false;
}
