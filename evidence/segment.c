/*
 * segment: the pcapng writer (draft-ietf-opsawg-pcapng). Contained in: store, tests. Must never
 * change a captured byte, or write a frame that nobody captured.
 */
#include "evidence/segment.h"

#include "evidence/file.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option {
    OPT_END = 0,
    OPT_COMMENT = 1,
    SHB_HARDWARE = 2,
    SHB_OS = 3,
    SHB_APPLICATION = 4,
    IF_NAME = 2,
    IF_DESCRIPTION = 3,
    IF_SPEED = 8,
    IF_TSRESOL = 9,
    IF_FILTER = 11,
    EPB_FLAGS = 2,
    EPB_DROPCOUNT = 4,
    EPB_PACKETID = 5,
    ISB_STARTTIME = 2,
    ISB_ENDTIME = 3,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
    ISB_FILTERACCEPT = 6,
    ISB_OSDROP = 7,
    ISB_USRDELIV = 8
};

/* Largest block without frame bytes: an IDB with the longest texts is below 1 KiB, an SHB with the
 * longest origin below 2 KiB. */
#define BLOCK_MAX 4096

struct block {
    size_t used;
    uint8_t bytes[BLOCK_MAX];
};

struct segment {
    struct file *file;
    struct segment_interfaces *interfaces;
    uint32_t described; /* interfaces that have their IDB */
    struct segment_summary summary;
};

/* --- blocks -------------------------------------------------------------------------------------
 */

static void put(struct block *b, const void *bytes, size_t size)
{
    size_t padded = (size + 3) & ~(size_t)3;
    if (padded < size || padded > sizeof b->bytes - b->used)
        log_die("segment: block too long");
    memset(b->bytes + b->used, 0, padded);
    memcpy(b->bytes + b->used, bytes, size);
    b->used += padded;
}

static void put_u32(struct block *b, uint32_t value)
{
    uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                        (uint8_t)(value >> 24)};
    put(b, bytes, sizeof bytes);
}

static void put_u16_pair(struct block *b, uint16_t first, uint16_t second)
{
    put_u32(b, (uint32_t)second << 16 | first);
}

static void put_option(struct block *b, enum option code, const void *value, size_t size)
{
    put_u16_pair(b, (uint16_t)code, (uint16_t)size);
    put(b, value, size);
}

static void put_text(struct block *b, enum option code, const char *text, size_t room)
{
    size_t size = strnlen(text, room);
    if (size > 0)
        put_option(b, code, text, size);
}

static void put_comment(struct block *b, const char *label, const char *value)
{
    char text[TEXT_MAX + 64];
    (void)snprintf(text, sizeof text, "%s%s", label, value);
    put_text(b, OPT_COMMENT, text, sizeof text);
}

static void put_option_u32(struct block *b, enum option code, uint32_t value)
{
    put_u16_pair(b, (uint16_t)code, 4);
    put_u32(b, value);
}

static void put_option_u64(struct block *b, enum option code, uint64_t value)
{
    put_u16_pair(b, (uint16_t)code, 8);
    put_u32(b, (uint32_t)value);
    put_u32(b, (uint32_t)(value >> 32));
}

/* pcapng's timestamps in options are two words, the high one first. */
static void put_option_time(struct block *b, enum option code, int64_t time_ns)
{
    put_u16_pair(b, (uint16_t)code, 8);
    put_u32(b, (uint32_t)((uint64_t)time_ns >> 32));
    put_u32(b, (uint32_t)(uint64_t)time_ns);
}

static void begin(struct block *b, uint32_t type)
{
    b->used = 0;
    put_u32(b, type);
    put_u32(b, 0); /* total length: finish() */
}

/* Ends the options and the block; `extra` bytes of it lie elsewhere. */
static void finish(struct block *b)
{
    uint32_t total;
    put_u16_pair(b, OPT_END, 0);
    total = (uint32_t)(b->used + 4);
    put_u32(b, total);
    for (int i = 0; i < 4; i++)
        b->bytes[4 + i] = (uint8_t)(total >> (8 * i));
}

/* --- section and interfaces ---------------------------------------------------------------------
 */

static void write_section(struct segment *s, const struct segment_origin *o)
{
    struct block b;
    char hex[TEXT_HEX_ROOM(HASH_BYTES)];
    begin(&b, PCAPNG_SHB);
    put_u32(&b, PCAPNG_MAGIC);
    put_u16_pair(&b, 1, 0);  /* version */
    put_u32(&b, UINT32_MAX); /* section length: not given */
    put_u32(&b, UINT32_MAX);
    put_comment(&b, PCAPNG_COMMENT_ORIGIN, o->origin);
    put_comment(&b, PCAPNG_COMMENT_NAME, o->name);
    text_hex(o->previous, HASH_BYTES, hex);
    put_comment(&b, PCAPNG_COMMENT_PREV, hex);
    text_hex(o->nonce, PCAPNG_NONCE_BYTES, hex);
    put_comment(&b, PCAPNG_COMMENT_NONCE, hex);
    put_text(&b, SHB_HARDWARE, o->hardware, TEXT_MAX);
    put_text(&b, SHB_OS, o->os, TEXT_MAX);
    put_text(&b, SHB_APPLICATION, "dnsbailiff " DNSBAILIFF_VERSION, TEXT_MAX);
    finish(&b);
    file_write(s->file, b.bytes, b.used);
}

static void write_interface(struct segment *s, uint32_t index)
{
    const struct segment_interface *i = &s->interfaces->list[index];
    static const uint8_t nanoseconds = 9;
    struct block b;
    char number[16];
    begin(&b, PCAPNG_IDB);
    put_u16_pair(&b, i->linktype, 0);
    put_u32(&b, i->info.snaplen);
    put_text(&b, IF_NAME, i->info.name, sizeof i->info.name);
    put_text(&b, IF_DESCRIPTION, i->info.description, sizeof i->info.description);
    if (i->info.speed > 0)
        put_option_u64(&b, IF_SPEED, i->info.speed);
    put_option(&b, IF_TSRESOL, &nanoseconds, 1);
    size_t filter = strnlen(i->info.filter, sizeof i->info.filter);
    if (filter > 0) { /* first byte 0: a libpcap filter string */
        char text[1 + sizeof i->info.filter] = {0};
        memcpy(text + 1, i->info.filter, filter);
        put_option(&b, IF_FILTER, text, 1 + filter);
    }
    (void)snprintf(number, sizeof number, "%u", index);
    put_comment(&b, PCAPNG_COMMENT_IFACE, number);
    finish(&b);
    file_write(s->file, b.bytes, b.used);
}

static void describe_interfaces(struct segment *s)
{
    while (s->described < s->interfaces->count)
        write_interface(s, s->described++);
}

static void write_statistics(struct segment *s, uint32_t index)
{
    const struct segment_interface *i = &s->interfaces->list[index];
    const struct ring_loss *l = &i->loss;
    struct block b;
    char number[24];
    bool seen = i->first_ns <= i->last_ns;
    int64_t end = seen ? i->last_ns : s->summary.last_ns;
    begin(&b, PCAPNG_ISB);
    put_u32(&b, index);
    put_u32(&b, (uint32_t)((uint64_t)end >> 32));
    put_u32(&b, (uint32_t)(uint64_t)end);
    if (seen) {
        put_option_time(&b, ISB_STARTTIME, i->first_ns);
        put_option_time(&b, ISB_ENDTIME, i->last_ns);
    }
    uint64_t accepted = l->received > l->filtered ? l->received - l->filtered : 0;
    put_option_u64(&b, ISB_IFRECV, l->received);
    put_option_u64(&b, ISB_IFDROP, l->dropped_interface);
    put_option_u64(&b, ISB_FILTERACCEPT, accepted);
    put_option_u64(&b, ISB_OSDROP, l->dropped_kernel);
    put_option_u64(&b, ISB_USRDELIV, accepted > l->dropped_ring ? accepted - l->dropped_ring : 0);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)l->dropped_ring);
    put_comment(&b, PCAPNG_COMMENT_RING, number);
    finish(&b);
    file_write(s->file, b.bytes, b.used);
}

void segment_add_interface(struct segment_interfaces *all, const struct ring_interface *info,
                           uint16_t linktype)
{
    if (all->count == all->room) {
        uint32_t room = all->room ? all->room * 2 : 8;
        struct segment_interface *list = realloc(all->list, room * sizeof *list);
        if (!list)
            log_die("segment: out of memory for %u interfaces", room);
        all->list = list;
        all->room = room;
    }
    all->list[all->count++] =
        (struct segment_interface){.info = *info, .linktype = linktype, .first_ns = 1};
}

/* --- the file -----------------------------------------------------------------------------------
 */

int segment_open(int dir, const struct segment_origin *o, struct segment_interfaces *interfaces,
                 struct segment **ret_segment)
{
    struct segment *s = calloc(1, sizeof *s);
    if (!s)
        log_die("segment: out of memory");
    int error = file_create(dir, o->name, FILE_HIDDEN, &s->file);
    if (error != 0) {
        free(s);
        return error;
    }
    s->interfaces = interfaces;
    write_section(s, o);
    describe_interfaces(s);
    *ret_segment = s;
    return 0;
}

static void note_time(struct segment *s, struct segment_interface *i, int64_t time_ns)
{
    struct segment_summary *sum = &s->summary;
    if (sum->packets == 0 || time_ns < sum->first_ns)
        sum->first_ns = time_ns;
    if (sum->packets == 0 || time_ns > sum->last_ns)
        sum->last_ns = time_ns;
    if (i->first_ns > i->last_ns) {
        i->first_ns = i->last_ns = time_ns;
    } else {
        i->first_ns = time_ns < i->first_ns ? time_ns : i->first_ns;
        i->last_ns = time_ns > i->last_ns ? time_ns : i->last_ns;
    }
}

void segment_frame(struct segment *s, const struct ring_record *r, const uint8_t *bytes)
{
    static const uint8_t zeros[4];
    struct block b;
    if (r->interface >= s->interfaces->count)
        log_die("segment: frame of an interface that was not announced");
    struct segment_interface *i = &s->interfaces->list[r->interface];
    uint64_t dropped = i->loss.dropped_kernel + i->loss.dropped_interface + i->loss.dropped_ring;
    uint32_t padding = (4 - (r->caplen & 3)) & 3;

    describe_interfaces(s);
    begin(&b, PCAPNG_EPB);
    put_u32(&b, r->interface);
    put_u32(&b, (uint32_t)((uint64_t)r->time_ns >> 32));
    put_u32(&b, (uint32_t)(uint64_t)r->time_ns);
    put_u32(&b, r->caplen);
    put_u32(&b, r->len);
    size_t head = b.used;
    if (r->flags != 0)
        put_option_u32(&b, EPB_FLAGS, r->flags);
    if (dropped > i->dropped_reported) {
        put_option_u64(&b, EPB_DROPCOUNT, dropped - i->dropped_reported);
        i->dropped_reported = dropped;
    }
    put_option_u64(&b, EPB_PACKETID, r->number);
    put_u16_pair(&b, OPT_END, 0);
    uint32_t total = (uint32_t)b.used + r->caplen + padding + 4;
    put_u32(&b, total);
    for (int n = 0; n < 4; n++)
        b.bytes[4 + n] = (uint8_t)(total >> (8 * n));
    file_write(s->file, b.bytes, head);
    file_write(s->file, bytes, r->caplen);
    file_write(s->file, zeros, padding);
    file_write(s->file, b.bytes + head, b.used - head);

    note_time(s, i, r->time_ns);
    if (s->summary.packets++ == 0)
        s->summary.first_packet = r->number;
    s->summary.last_packet = r->number;
}

uint64_t segment_size(const struct segment *s)
{
    return file_size(s->file);
}

const struct segment_summary *segment_so_far(const struct segment *s)
{
    return &s->summary;
}

int segment_close(struct segment *s, struct segment_summary *ret_summary)
{
    describe_interfaces(s);
    for (uint32_t i = 0; i < s->described; i++)
        write_statistics(s, i);
    struct segment_summary summary = s->summary;
    int error = file_seal(s->file, &summary.size, summary.sha256);
    free(s);
    if (error == 0)
        *ret_summary = summary;
    return error;
}

void segment_discard(struct segment *s)
{
    if (!s)
        return;
    file_discard(s->file);
    free(s);
}
