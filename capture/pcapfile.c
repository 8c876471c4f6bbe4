/*
 * pcapfile: one record header, one bounds check, one frame, in place.
 *
 * Contained in: capture, tests. Must never: end the process on what it reads.
 */
#include "capture/pcapfile.h"

#include "capture/order.h"
#include "sandbox/ring.h"

#include <inttypes.h>

#define MAGIC_MICRO    UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO     UINT32_C(0xa1b23c4d)
#define MAGIC_MODIFIED UINT32_C(0xa1b2cd34)
#define FILE_HEADER    ((size_t)24)
#define UNLIKELY(x)    __builtin_expect((x), 0)

/* caplen and len changed places with version 2.3; some writers of 2.3 did not know, and DG/UX calls
 * the old order 2.543 (libpcap, sf-pcap.c). */
enum lengths { LENGTHS_PLAIN, LENGTHS_SWAPPED, LENGTHS_PERHAPS };

static bool known(uint32_t magic)
{
    return magic == MAGIC_MICRO || magic == MAGIC_NANO || magic == MAGIC_MODIFIED;
}

bool pcapfile_magic(const uint8_t b[4])
{
    return known(order_u32(b, false)) || known(order_u32(b, true));
}

static enum frame_event begin(struct pcapfile *f, struct stream *s, struct frame_item *ret_item)
{
    uint64_t offset = stream_offset(s);
    if (!stream_want(s, FILE_HEADER))
        return frame_cut_short(ret_item, s, offset, FILE_HEADER);
    const uint8_t *h = s->at;
    bool swapped = !known(order_u32(h, false));
    uint32_t magic = order_u32(h, swapped);
    uint16_t major = order_u16(h + 4, swapped), minor = order_u16(h + 6, swapped);
    uint32_t link = order_u32(h + 20, swapped);
    if (major != 2)
        return frame_damaged(ret_item, FRAME_BROKEN, offset, "pcap version %u.%u is not known",
                             major, minor);
    if (link & UINT32_C(0x03ff0000)) /* the bits above are the FCS length and its flag */
        return frame_damaged(ret_item, FRAME_BROKEN, offset,
                             "link type %" PRIu32 " is out of range", link & UINT32_C(0x03ffffff));
    *f = (struct pcapfile){
        .begun = true,
        .swapped = swapped,
        .header = magic == MAGIC_MODIFIED ? 24 : 16,
        .lengths = minor < 3 || minor == 543 ? LENGTHS_SWAPPED
                   : minor == 3              ? LENGTHS_PERHAPS
                                             : LENGTHS_PLAIN,
        .linktype = (uint16_t)link,
        .snaplen = order_u32(h + 16, swapped),
        .units = magic == MAGIC_NANO ? 1000000000 : 1000000,
    };
    ret_item->interface = (struct frame_interface){
        .snaplen = f->snaplen, .tsresol = f->units, .linktype = f->linktype, .is_first = true};
    s->at += FILE_HEADER;
    return FRAME_INTERFACE;
}

enum frame_event pcapfile_next(struct pcapfile *f, struct stream *s, struct frame_tally *tally,
                               struct frame_item *ret_item)
{
    if (UNLIKELY(!f->begun))
        return begin(f, s, ret_item);
    uint64_t offset = stream_offset(s);
    size_t header = f->header;
    if (UNLIKELY(!stream_want(s, header)))
        return frame_cut_short(ret_item, s, offset, header);
    uint32_t seconds = order_u32(s->at, f->swapped), part = order_u32(s->at + 4, f->swapped);
    uint32_t caplen = order_u32(s->at + 8, f->swapped), len = order_u32(s->at + 12, f->swapped);
    if (UNLIKELY(f->lengths == LENGTHS_SWAPPED || (f->lengths && caplen > len))) {
        uint32_t t = caplen;
        caplen = len;
        len = t;
    }
    if (UNLIKELY(caplen > RING_FRAME_MAX))
        return frame_damaged(ret_item, FRAME_BROKEN, offset,
                             "the record claims %" PRIu32 " bytes, more than a frame can have",
                             caplen);
    if (UNLIKELY(!stream_want(s, header + caplen)))
        return frame_cut_short(ret_item, s, offset, header + caplen);

    tally->frames++;
    tally->lengths += caplen > len || (f->snaplen && caplen > f->snaplen);
    tally->times += part >= f->units;
    /* Below FRAME_TIME_MAX by construction: 2^32 s and 2^32 us. */
    int64_t part_ns = f->units == 1000000 ? (int64_t)part * 1000 : (int64_t)part;
    ret_item->frame = (struct frame){
        .bytes = s->at + header,
        .caplen = caplen,
        .len = len,
        .time_ns = (int64_t)seconds * 1000000000 + part_ns,
        .offset = offset,
        .linktype = f->linktype,
    };
    s->at += header + caplen;
    return FRAME_GIVEN;
}
