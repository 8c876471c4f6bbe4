/*
 * pcapng: block by block, each checked against its trailing length before it is believed.
 *
 * Contained in: capture, tests. Must never: end the process on what it reads.
 *
 * Two kinds of damage. A block whose two lengths agree but whose contents do not fit is skipped and
 * reported (FRAME_DAMAGE). A block whose lengths disagree says nothing about where the next one
 * begins: the file ends there (FRAME_BROKEN).
 */
#include "capture/pcapng.h"

#include "capture/order.h"
#include "sandbox/ring.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_INTERFACE  UINT32_C(1)
#define BLOCK_PACKET     UINT32_C(2) /* obsolete */
#define BLOCK_SIMPLE     UINT32_C(3)
#define BLOCK_STATISTICS UINT32_C(5)
#define BLOCK_ENHANCED   UINT32_C(6)
#define BLOCK_SECTION    UINT32_C(0x0a0d0d0a) /* the same in both byte orders */
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)

#define OPT_END            0
#define OPT_COMMENT        1
#define OPT_IF_NAME        2
#define OPT_IF_DESCRIPTION 3
#define OPT_IF_SPEED       8
#define OPT_IF_TSRESOL     9
#define OPT_IF_FILTER      11
#define OPT_IF_TSOFFSET    14
#define OPT_EPB_FLAGS      2 /* the same number in the obsolete packet block */
#define OPT_EPB_PACKETID   5
#define OPT_ISB_IFDROP     5
#define OPT_ISB_OSDROP     7

#define FRAME_BLOCK   ((size_t)12) /* type, length, length again */
#define SECTION_FIXED ((size_t)16) /* byte-order magic, version, section length */
#define TSRESOL_MICRO 6
#define UNLIKELY(x)   __builtin_expect((x), 0)

/* How the interface's units become nanoseconds. */
enum clock_kind { CLOCK_TIMES, CLOCK_DIVIDED, CLOCK_SHIFTED };

struct pcapng_interface {
    uint64_t factor;                            /* CLOCK_TIMES: multiply, CLOCK_DIVIDED: divide */
    int64_t offset_s;                           /* if_tsoffset, seconds */
    uint64_t dropped_kernel, dropped_interface; /* as the last statistics block said */
    uint32_t snaplen;
    uint16_t linktype;
    uint8_t clock; /* enum clock_kind */
    uint8_t shift; /* CLOCK_SHIFTED */
};

/* A block's contents between its two lengths. */
struct body {
    const uint8_t *at;
    size_t size;
    uint64_t offset; /* of the block */
};

bool pcapng_magic(const uint8_t b[4])
{
    return order_u32(b, false) == BLOCK_SECTION;
}

void pcapng_fini(struct pcapng *f)
{
    free(f->faces);
    *f = (struct pcapng){0};
}

/* ---- options ----------------------------------------------------------------------------------
 */

struct options {
    const uint8_t *at;
    size_t left;
    bool swapped;
    struct frame_tally *tally;
};

struct option {
    uint16_t code;
    uint16_t size;
    const uint8_t *value;
};

static struct options options_of(const struct pcapng *f, const struct body *b, size_t fixed,
                                 struct frame_tally *tally)
{
    if (fixed >= b->size)
        return (struct options){.tally = tally};
    return (struct options){
        .at = b->at + fixed, .left = b->size - fixed, .swapped = f->swapped, .tally = tally};
}

/* False at the end of the list, and (counted) when it does not fit its block. */
static bool option_next(struct options *o, struct option *ret)
{
    if (o->left < 4)
        return false;
    uint16_t code = order_u16(o->at, o->swapped), size = order_u16(o->at + 2, o->swapped);
    if (code == OPT_END)
        return false;
    if (size > o->left - 4) {
        o->tally->options++;
        return false;
    }
    *ret = (struct option){.code = code, .size = size, .value = o->at + 4};
    size_t whole = 4 + (((size_t)size + 3) & ~(size_t)3);
    if (whole > o->left) /* the padding of the last one is missing */
        whole = o->left;
    o->at += whole;
    o->left -= whole;
    return true;
}

static void copy_text(char *to, size_t room, const uint8_t *text, size_t size)
{
    size_t n = strnlen((const char *)text, size);
    if (n >= room)
        n = room - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

/* ---- time -------------------------------------------------------------------------------------
 */

static uint64_t power10(unsigned n)
{
    uint64_t p = 1;
    while (n--)
        p *= 10;
    return p;
}

/* if_tsresol to a conversion; returns units a second, UINT32_MAX when they are more. */
static uint32_t set_clock(struct pcapng_interface *face, uint8_t tsresol)
{
    unsigned n = tsresol & 0x7f;
    if (tsresol & 0x80) {
        face->clock = CLOCK_SHIFTED;
        face->shift = (uint8_t)n;
        return n < 32 ? UINT32_C(1) << n : UINT32_MAX;
    }
    if (n <= 9) {
        face->clock = CLOCK_TIMES;
        face->factor = power10(9 - n);
        return (uint32_t)power10(n);
    }
    face->clock = CLOCK_DIVIDED;
    /* 10^19 is the largest power that fits; finer units than that are no time at all: 0. */
    face->factor = n - 9 <= 19 ? power10(n - 9) : 0;
    return UINT32_MAX;
}

static int64_t time_of(const struct pcapng_interface *face, uint32_t high, uint32_t low,
                       struct frame_tally *tally)
{
    uint64_t units = (uint64_t)high << 32 | low;
    __int128 ns; /* no product of 64 bits and 10^9 or 10^9 and 64 bits can leave it */
    if (face->clock == CLOCK_TIMES)
        ns = (__int128)units * face->factor;
    else if (face->clock == CLOCK_DIVIDED)
        ns = face->factor ? units / face->factor : 0;
    else
        ns = ((__int128)units * 1000000000) >> face->shift;
    ns += (__int128)face->offset_s * 1000000000;
    if (ns < 0 || ns > FRAME_TIME_MAX) {
        tally->times++;
        return ns < 0 ? 0 : FRAME_TIME_MAX;
    }
    return (int64_t)ns;
}

/* ---- blocks -----------------------------------------------------------------------------------
 */

static void read_section(struct pcapng *f, const struct body *b, struct frame_tally *tally)
{
    static const char mark[] = "dnsbailiff-origin";
    f->face_base += (uint32_t)f->face_count;
    f->face_count = 0;
    f->ours = false;
    struct options list = options_of(f, b, SECTION_FIXED, tally);
    struct option o;
    while (option_next(&list, &o)) {
        if (o.code == OPT_COMMENT && o.size >= sizeof mark - 1 &&
            !memcmp(o.value, mark, sizeof mark - 1))
            f->ours = true;
    }
}

/* One more interface, or NULL: the section has too many, or there is no memory. */
static struct pcapng_interface *add_interface(struct pcapng *f)
{
    if (f->face_count == PCAPNG_INTERFACES_MAX || f->face_base > UINT32_MAX / 2)
        return NULL;
    if (f->face_count == f->face_room) {
        size_t room = f->face_room ? f->face_room * 2 : 4;
        struct pcapng_interface *faces = reallocarray(f->faces, room, sizeof *faces);
        if (!faces)
            return NULL;
        f->faces = faces;
        f->face_room = room;
    }
    struct pcapng_interface *face = &f->faces[f->face_count++];
    *face = (struct pcapng_interface){0};
    return face;
}

static enum frame_event read_interface(struct pcapng *f, const struct body *b,
                                       struct frame_tally *tally, struct frame_item *ret_item)
{
    /* Without its interface no later frame of the section can be understood. */
    if (b->size < 8)
        return frame_damaged(ret_item, FRAME_BROKEN, b->offset,
                             "the interface block is too small: %zu bytes", b->size);
    struct pcapng_interface *face = add_interface(f);
    if (!face)
        return frame_damaged(ret_item, FRAME_BROKEN, b->offset, "too many interfaces: %zu",
                             f->face_count);
    struct frame_interface *out = &ret_item->interface;
    *out = (struct frame_interface){
        .index = f->face_base + (uint32_t)f->face_count - 1,
        .linktype = order_u16(b->at, f->swapped),
        .snaplen = order_u32(b->at + 4, f->swapped),
        .is_first = f->face_count == 1,
    };
    face->linktype = out->linktype;
    face->snaplen = out->snaplen;
    out->tsresol = set_clock(face, TSRESOL_MICRO);
    struct options list = options_of(f, b, 8, tally);
    struct option o;
    while (option_next(&list, &o)) {
        if (o.code == OPT_IF_NAME)
            copy_text(out->name, sizeof out->name, o.value, o.size);
        else if (o.code == OPT_IF_DESCRIPTION)
            copy_text(out->description, sizeof out->description, o.value, o.size);
        else if (o.code == OPT_IF_FILTER && o.size > 1 && o.value[0] == 0) /* 0: as text */
            copy_text(out->filter, sizeof out->filter, o.value + 1, (size_t)o.size - 1);
        else if (o.code == OPT_IF_SPEED && o.size == 8)
            out->speed = order_u64(o.value, f->swapped);
        else if (o.code == OPT_IF_TSRESOL && o.size == 1)
            out->tsresol = set_clock(face, o.value[0]);
        else if (o.code == OPT_IF_TSOFFSET && o.size == 8)
            face->offset_s = (int64_t)order_u64(o.value, f->swapped);
    }
    return FRAME_INTERFACE;
}

/* Statistics are cumulative for their interface: the tally grows by what is new. */
static void read_statistics(struct pcapng *f, const struct body *b, struct frame_tally *tally)
{
    tally->skipped++;
    if (b->size < 12)
        return;
    uint32_t index = order_u32(b->at, f->swapped);
    if (index >= f->face_count)
        return;
    struct pcapng_interface *face = &f->faces[index];
    struct options list = options_of(f, b, 12, tally);
    struct option o;
    while (option_next(&list, &o)) {
        if (o.size != 8 || (o.code != OPT_ISB_IFDROP && o.code != OPT_ISB_OSDROP))
            continue;
        uint64_t now = order_u64(o.value, f->swapped);
        uint64_t *had = o.code == OPT_ISB_OSDROP ? &face->dropped_kernel : &face->dropped_interface;
        uint64_t *sum =
            o.code == OPT_ISB_OSDROP ? &tally->dropped_kernel : &tally->dropped_interface;
        if (now > *had && *sum <= UINT64_MAX - (now - *had)) {
            *sum += now - *had;
            *had = now;
        }
    }
}

/* The fields that the three packet blocks have in common, once they are found. */
struct packet {
    uint32_t interface, high, low, caplen, len;
    size_t fixed; /* bytes before the frame */
    bool timed;
};

static enum frame_event give(struct pcapng *f, const struct body *b, const struct packet *p,
                             struct frame_tally *tally, struct frame_item *ret_item)
{
    if (UNLIKELY(p->interface >= f->face_count))
        return frame_damaged(ret_item, FRAME_DAMAGE, b->offset,
                             "the packet names interface %" PRIu32 " of %zu", p->interface,
                             f->face_count);
    if (UNLIKELY(p->caplen > b->size - p->fixed || p->caplen > RING_FRAME_MAX))
        return frame_damaged(ret_item, FRAME_DAMAGE, b->offset,
                             "the packet claims %" PRIu32 " bytes, its block has room for %zu",
                             p->caplen, b->size - p->fixed);
    const struct pcapng_interface *face = &f->faces[p->interface];
    tally->frames++;
    tally->lengths += p->caplen > p->len || (face->snaplen && p->caplen > face->snaplen);
    if (p->timed)
        f->last_ns = time_of(face, p->high, p->low, tally);
    else
        tally->without_time++;
    ret_item->frame = (struct frame){
        .bytes = b->at + p->fixed,
        .caplen = p->caplen,
        .len = p->len,
        .time_ns = f->last_ns,
        .offset = b->offset,
        .interface = f->face_base + p->interface,
        .linktype = face->linktype,
    };
    struct options list =
        options_of(f, b, p->fixed + (((size_t)p->caplen + 3) & ~(size_t)3), tally);
    struct option o;
    while (p->timed && option_next(&list, &o)) {
        if (o.code == OPT_EPB_FLAGS && o.size == 4)
            ret_item->frame.flags = order_u32(o.value, f->swapped);
        else if (o.code == OPT_EPB_PACKETID && o.size == 8 && f->ours)
            ret_item->frame.number = order_u64(o.value, f->swapped);
    }
    return FRAME_GIVEN;
}

static enum frame_event read_packet(struct pcapng *f, const struct body *b, uint32_t type,
                                    struct frame_tally *tally, struct frame_item *ret_item)
{
    size_t fixed = type == BLOCK_SIMPLE ? 4 : 20;
    if (UNLIKELY(b->size < fixed))
        return frame_damaged(ret_item, FRAME_DAMAGE, b->offset,
                             "the packet block is too small: %zu bytes", b->size);
    bool sw = f->swapped;
    struct packet p = {.fixed = fixed, .timed = type != BLOCK_SIMPLE};
    if (type == BLOCK_SIMPLE) { /* interface 0; caplen is the smallest of len, snaplen and room */
        p.len = order_u32(b->at, sw);
        p.caplen = p.len;
        if (f->face_count && f->faces[0].snaplen && p.caplen > f->faces[0].snaplen)
            p.caplen = f->faces[0].snaplen;
        return give(f, b, &p, tally, ret_item);
    }
    /* The obsolete block has u16 interface, u16 drops where the enhanced one has u32 interface. */
    p.interface = type == BLOCK_ENHANCED ? order_u32(b->at, sw) : order_u16(b->at, sw);
    p.high = order_u32(b->at + 4, sw);
    p.low = order_u32(b->at + 8, sw);
    p.caplen = order_u32(b->at + 12, sw);
    p.len = order_u32(b->at + 16, sw);
    return give(f, b, &p, tally, ret_item);
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static enum frame_event lengths_disagree(struct frame_item *ret_item, uint64_t offset,
                                         uint32_t first, uint32_t second)
{
    return frame_damaged(ret_item, FRAME_BROKEN, offset,
                         "the block's length is %" PRIu32 " before and %" PRIu32 " after it", first,
                         second);
}

/* Byte order and version of the section whose header starts at `at`; FRAME_GIVEN when they are
 * fine. At least FRAME_BLOCK bytes are there. */
static enum frame_event begin_section(struct pcapng *f, struct stream *s, uint64_t offset,
                                      struct frame_item *ret_item)
{
    uint32_t magic = order_u32(s->at + 8, false);
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC))
        return frame_damaged(ret_item, FRAME_BROKEN, offset,
                             "the section header has no byte-order magic but %08" PRIx32, magic);
    if (!stream_want(s, FRAME_BLOCK + SECTION_FIXED))
        return frame_cut_short(ret_item, s, offset, FRAME_BLOCK + SECTION_FIXED);
    bool swapped = magic != BYTE_ORDER_MAGIC;
    uint16_t major = order_u16(s->at + 12, swapped), minor = order_u16(s->at + 14, swapped);
    if (major != 1)
        return frame_damaged(ret_item, FRAME_BROKEN, offset, "pcapng version %u.%u is not known",
                             major, minor);
    if (order_u32(s->at + 4, swapped) < FRAME_BLOCK + SECTION_FIXED)
        return frame_damaged(ret_item, FRAME_BROKEN, offset,
                             "the section header is too small: %" PRIu32 " bytes",
                             order_u32(s->at + 4, swapped));
    f->swapped = swapped;
    f->begun = true;
    return FRAME_GIVEN;
}

static bool wanted(uint32_t type)
{
    return type == BLOCK_ENHANCED || type == BLOCK_SECTION || type == BLOCK_INTERFACE ||
           type == BLOCK_SIMPLE || type == BLOCK_PACKET || type == BLOCK_STATISTICS;
}

/* Passes over a block that is not looked into. FRAME_GIVEN when it was sane. */
static enum frame_event skip_block(struct pcapng *f, struct stream *s, uint64_t offset,
                                   uint32_t total, struct frame_item *ret_item)
{
    if (!stream_skip(s, (uint64_t)total - 4) || !stream_want(s, 4))
        return frame_cut_short(ret_item, s, offset, total);
    uint32_t again = order_u32(s->at, f->swapped);
    if (again != total)
        return lengths_disagree(ret_item, offset, total, again);
    s->at += 4;
    return FRAME_GIVEN;
}

/* One block. FRAME_GIVEN with `*ret_frame` false: it had nothing to give. */
static enum frame_event read_block(struct pcapng *f, struct stream *s, struct frame_tally *tally,
                                   struct frame_item *ret_item, bool *ret_nothing)
{
    uint64_t offset = stream_offset(s);
    enum frame_event event;
    *ret_nothing = false;
    if (UNLIKELY(!stream_want(s, FRAME_BLOCK)))
        return frame_cut_short(ret_item, s, offset, FRAME_BLOCK);
    uint32_t type = order_u32(s->at, f->swapped);
    if (UNLIKELY(type == BLOCK_SECTION || !f->begun)) {
        event = begin_section(f, s, offset, ret_item);
        if (event != FRAME_GIVEN)
            return event;
    }
    uint32_t total = order_u32(s->at + 4, f->swapped);
    if (UNLIKELY(total < FRAME_BLOCK))
        return frame_damaged(ret_item, FRAME_BROKEN, offset,
                             "a block cannot be %" PRIu32 " bytes long", total);
    if (UNLIKELY(!wanted(type) || total > STREAM_PIECE_MAX)) {
        event = skip_block(f, s, offset, total, ret_item);
        *ret_nothing = event == FRAME_GIVEN && !wanted(type);
        if (*ret_nothing)
            tally->skipped++;
        else if (event == FRAME_GIVEN) /* without its header or interface nothing makes sense */
            return frame_damaged(ret_item,
                                 type == BLOCK_SECTION || type == BLOCK_INTERFACE ? FRAME_BROKEN
                                                                                  : FRAME_DAMAGE,
                                 offset, "the block is too large: %" PRIu32 " bytes", total);
        return event;
    }
    if (UNLIKELY(!stream_want(s, total)))
        return frame_cut_short(ret_item, s, offset, total);
    uint32_t again = order_u32(s->at + total - 4, f->swapped);
    if (UNLIKELY(again != total))
        return lengths_disagree(ret_item, offset, total, again);
    struct body body = {.at = s->at + 8, .size = total - FRAME_BLOCK, .offset = offset};
    s->at += total;
    switch (type) {
    case BLOCK_ENHANCED:
    case BLOCK_SIMPLE:
    case BLOCK_PACKET:
        return read_packet(f, &body, type, tally, ret_item);
    case BLOCK_INTERFACE:
        return read_interface(f, &body, tally, ret_item);
    case BLOCK_STATISTICS:
        read_statistics(f, &body, tally);
        break;
    default:
        read_section(f, &body, tally);
        break;
    }
    *ret_nothing = true;
    return FRAME_GIVEN;
}

enum frame_event pcapng_next(struct pcapng *f, struct stream *s, struct frame_tally *tally,
                             struct frame_item *ret_item)
{
    enum frame_event event;
    bool nothing;
    do {
        event = read_block(f, s, tally, ret_item, &nothing);
    } while (nothing);
    return event;
}
