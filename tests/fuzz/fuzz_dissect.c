/*
 * fuzz_dissect: any bytes as a series of frames, through every layer, fragments and TCP.
 *
 * Each frame: link type (index), seconds since the last, bytes cut by the capture, a 16-bit length,
 * bytes. What must hold: a message's bytes are readable and not more than it had on the wire; its
 * frames ascend, are not in the future, and each was either the last or declared as needed before.
 */
#include "analyze/decode/dissect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FRAMES_MAX = 4096 };
static bool needed[FRAMES_MAX + 1];
static uint64_t present; /* number of the present frame */

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check(void *context, const struct datagram *d)
{
    volatile uint8_t sink = 0;
    uint64_t *messages = context;
    (*messages)++;
    must(d->size > 0 && d->size <= d->wire_size);
    must(d->frame_count >= 1 && d->frame_count <= DATAGRAM_FRAMES_MAX);
    must(d->flow.family == 4 || d->flow.family == 6);
    must(d->flow.sport == 53 || d->flow.dport == 53);
    must(d->flow.vlans <= FLOW_VLANS_MAX);
    bool has_last = d->frame_count == DATAGRAM_FRAMES_MAX;
    for (size_t i = 0; i < d->frame_count; i++) {
        must(d->frames[i] >= 1 && d->frames[i] <= present);
        must(i == 0 || d->frames[i] > d->frames[i - 1]);
        must(d->frames[i] == present || needed[d->frames[i]]);
        has_last |= d->frames[i] == d->frame;
    }
    must(has_last);
    for (size_t i = 0; i < d->size; i++)
        sink = (uint8_t)(sink + d->bytes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint16_t linktypes[] = {1, 113, 276, 101, 0, 108, 9, 50, 51, 104, 12, 228};
    struct settings s;
    uint64_t messages = 0;
    int64_t time_ns = 0;
    settings_default(&s);
    s.streams = s.datagrams = 4;
    s.stream_bytes = 4096;
    s.memory_bytes = 1 << 16;
    struct dissect *d = dissect_new(&s, check, &messages);
    must(d != NULL);
    present = 0;
    while (size >= 5 && present < FRAMES_MAX) {
        size_t length = (size_t)(bytes[3] << 8 | bytes[4]), cut = bytes[2];
        if (length > size - 5)
            length = size - 5;
        if (cut > length)
            cut = length;
        /* in a block of its own size, so that the sanitizer sees every byte too far */
        struct ring_record *r = malloc(sizeof(*r) + length - cut);
        must(r != NULL);
        memset(r, 0, sizeof(*r));
        r->linktype = linktypes[bytes[0] % (sizeof(linktypes) / sizeof(*linktypes))];
        r->time_ns = time_ns += bytes[1] * INT64_C(1000000000);
        r->number = ++present;
        r->len = (uint32_t)length;
        r->caplen = (uint32_t)(length - cut);
        memcpy(r + 1, bytes + 5, length - cut);
        needed[present] = dissect_frame(d, r);
        free(r);
        bytes += 5 + length;
        size -= 5 + length;
    }
    dissect_finish(d);
    must(dissect_counters(d)->messages == messages && dissect_counters(d)->frames == present);
    dissect_free(d);
    return 0;
}
