/*
 * frame: how readers report damage.
 *
 * Contained in: capture, tests.
 */
#include "capture/frame.h"

#include "capture/stream.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum frame_event frame_damaged(struct frame_item *ret_item, enum frame_event event, uint64_t offset,
                               const char *format, ...)
{
    struct frame_damage *d = &ret_item->damage;
    va_list ap;
    va_start(ap, format);
    vsnprintf(d->text, sizeof d->text, format, ap);
    va_end(ap);
    d->offset = offset;
    return event;
}

enum frame_event frame_cut_short(struct frame_item *ret_item, const struct stream *s,
                                 uint64_t offset, uint64_t need)
{
    uint64_t have = stream_offset(s) + stream_left(s) - offset;
    if (stream_stopped(s))
        return FRAME_END;
    if (stream_fault(s))
        return frame_damaged(ret_item, FRAME_BROKEN, offset + have, "%s", stream_fault(s));
    if (!have)
        return FRAME_END;
    return frame_damaged(ret_item, FRAME_BROKEN, offset,
                         "the last record is cut short: %" PRIu64 " of %" PRIu64 " bytes", have,
                         need);
}
