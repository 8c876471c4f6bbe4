/*
 * packets: frames for tests, written layer by layer: build_* append to a frame, lengths that depend
 * on what follows are patched by build_close.
 *
 * Contained in: tests. One frame at a time; a test that needs several sends each on its way.
 */
#ifndef TESTS_UNIT_PACKETS_H
#define TESTS_UNIT_PACKETS_H

#include "analyze/decode/dissect.h"
#include "sandbox/ring.h"

#include <stdlib.h>
#include <string.h>

struct frame {
    struct ring_record record; /* ring_payload: the bytes behind it */
    uint8_t bytes[262144];
    size_t size;
    struct {
        size_t at, from; /* a 16-bit length field, and where it counts from */
    } open[512];
    size_t open_count;
};

static inline void build_start(struct frame *f, uint16_t linktype)
{
    memset(&f->record, 0, sizeof(f->record));
    f->record.type = RING_FRAME;
    f->record.linktype = linktype;
    f->size = f->open_count = 0;
}

static inline void build_bytes(struct frame *f, const void *bytes, size_t size)
{
    if (size > sizeof(f->bytes) - f->size)
        abort();
    memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

static inline void build_8(struct frame *f, unsigned value)
{
    const uint8_t byte = (uint8_t)value;
    build_bytes(f, &byte, 1);
}

static inline void build_16(struct frame *f, unsigned value)
{
    build_8(f, value >> 8);
    build_8(f, value);
}

static inline void build_32(struct frame *f, uint32_t value)
{
    build_16(f, value >> 16);
    build_16(f, value & 0xffff);
}

static inline void build_length(struct frame *f, size_t from)
{
    f->open[f->open_count].at = f->size;
    f->open[f->open_count++].from = from;
    build_16(f, 0);
}

/* All lengths; the record is ready to be sent. */
static inline const struct ring_record *build_close(struct frame *f)
{
    for (size_t i = 0; i < f->open_count; i++) {
        size_t length = f->size - f->open[i].from;
        f->bytes[f->open[i].at] = (uint8_t)(length >> 8);
        f->bytes[f->open[i].at + 1] = (uint8_t)length;
    }
    f->record.caplen = f->record.len = (uint32_t)f->size;
    f->record.size = (uint32_t)(sizeof(f->record) + (f->size + 7) / 8 * 8);
    return &f->record;
}

static inline void build_ethernet(struct frame *f, unsigned ethertype)
{
    build_bytes(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    build_16(f, ethertype);
}

static inline void build_vlan(struct frame *f, unsigned id, unsigned ethertype)
{
    build_16(f, 0xe000 | id); /* priority bits set: they are no part of the id */
    build_16(f, ethertype);
}

/* From 192.0.2.`src` to 192.0.2.`dst`. `place`: flags and offset in 8-byte units. */
static inline void build_ipv4(struct frame *f, unsigned src, unsigned dst, unsigned proto,
                              unsigned id, unsigned place)
{
    size_t from = f->size;
    build_16(f, 0x4500);
    build_length(f, from);
    build_16(f, id);
    build_16(f, place);
    build_8(f, 64);
    build_8(f, proto);
    build_16(f, 0xbad); /* checksum offload */
    build_32(f, 0xc0000200 | src);
    build_32(f, 0xc0000200 | dst);
}

/* From 2001:db8::`src` to 2001:db8::`dst`. */
static inline void build_ipv6(struct frame *f, unsigned src, unsigned dst, unsigned next)
{
    build_32(f, 0x60000000);
    build_length(f, f->size + 36); /* the payload alone */
    build_8(f, next);
    build_8(f, 64);
    build_bytes(f, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15);
    build_8(f, src);
    build_bytes(f, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15);
    build_8(f, dst);
}

static inline void build_fragment6(struct frame *f, unsigned next, uint32_t id, unsigned offset,
                                   bool more)
{
    build_8(f, next);
    build_8(f, 0);
    build_16(f, offset | more);
    build_32(f, id);
}

static inline void build_udp(struct frame *f, unsigned sport, unsigned dport)
{
    size_t from = f->size;
    build_16(f, sport);
    build_16(f, dport);
    build_length(f, from);
    build_16(f, 0);
}

static inline void build_tcp(struct frame *f, unsigned sport, unsigned dport, uint32_t seq,
                             unsigned flags)
{
    build_16(f, sport);
    build_16(f, dport);
    build_32(f, seq);
    build_32(f, 0);
    build_16(f, 0x5000 | flags);
    build_16(f, 0xffff);
    build_32(f, 0);
}

/* A DNS message of `size` bytes (>= 30): header, a question for "t. A", and filling that
 * depends on `id`, in an answer record of an unknown type. Into `ret`. */
static inline size_t build_message(uint8_t *ret, unsigned id, size_t size)
{
    static const uint8_t head[] = {0, 0,    0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0, /* header */
                                   1, 't',  0,    0, 1, 0, 1,                /* question */
                                   0, 0xff, 0xfe, 0, 1, 0, 0, 0, 0};         /* RR, without rdlen */
    size_t rdlen = size - sizeof(head) - 2;
    memcpy(ret, head, sizeof(head));
    ret[0] = (uint8_t)(id >> 8);
    ret[1] = (uint8_t)id;
    ret[sizeof(head)] = (uint8_t)(rdlen >> 8);
    ret[sizeof(head) + 1] = (uint8_t)rdlen;
    for (size_t i = 0; i < rdlen; i++)
        ret[sizeof(head) + 2 + i] = (uint8_t)(id * 7 + i * 13 + i / 256);
    return size;
}

/* What came out of dissect: the last message whole, and of each of the first the essentials. */
struct received {
    size_t count;
    struct datagram last; /* bytes and frames point to the copies below */
    uint8_t bytes[65535];
    uint64_t frames[DATAGRAM_FRAMES_MAX];
    struct {
        unsigned id;
        size_t size, wire_size;
        bool intact; /* exactly build_message(id, wire_size), as far as it goes */
        size_t frame_count;
        uint64_t frame, first_frame;
        struct flow flow;
    } each[256];
};

static inline void receive(void *context, const struct datagram *d)
{
    static uint8_t expected[65536 + 64];
    struct received *r = context;
    r->last = *d;
    memcpy(r->bytes, d->bytes, d->size);
    memcpy(r->frames, d->frames, d->frame_count * sizeof(*d->frames));
    r->last.bytes = r->bytes;
    r->last.frames = r->frames;
    if (r->count < sizeof(r->each) / sizeof(*r->each)) {
        unsigned id = d->size >= 2 ? (unsigned)(d->bytes[0] << 8 | d->bytes[1]) : 0;
        r->each[r->count].id = id;
        r->each[r->count].size = d->size;
        r->each[r->count].wire_size = d->wire_size;
        r->each[r->count].frame_count = d->frame_count;
        r->each[r->count].frame = d->frame;
        r->each[r->count].first_frame = d->frames[0];
        r->each[r->count].flow = d->flow;
        if (d->wire_size >= 30 && d->wire_size <= 65535)
            build_message(expected, id, d->wire_size);
        r->each[r->count].intact = memcmp(expected, d->bytes, d->size) == 0;
    }
    r->count++;
}

#endif
