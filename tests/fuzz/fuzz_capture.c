/*
 * fuzz_capture: any bytes as a capture file, through compression, pcap and pcapng.
 *
 * What must hold whatever comes: frames within their limits, every byte of them readable, times in
 * range, interfaces announced before their frames, the end is the end, and the first packet's time
 * is that of the first frame.
 */
#include "capture/source.h"
#include "sandbox/ring.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static int file_of(const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    must(size == 0 || write(fd, bytes, size) == (ssize_t)size);
    must(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void check_frame(const struct frame *f, uint32_t interfaces)
{
    volatile uint8_t sink = 0;
    must(f->caplen <= RING_FRAME_MAX && f->interface < interfaces);
    must(f->time_ns >= 0 && f->time_ns <= FRAME_TIME_MAX);
    for (uint32_t i = 0; i < f->caplen; i++)
        sink = (uint8_t)(sink + f->bytes[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fd = file_of(bytes, size);
    int64_t first_ns = 0, first_seen_ns = -1;
    bool timed = source_first_time(fd, &first_ns) == 0;
    struct source *s = source_open(fd, NULL, NULL);
    struct frame_item item;
    uint32_t interfaces = 0;
    uint64_t damages = 0, frames = 0;
    bool broken = false;
    enum frame_event event;
    must(s != NULL);
    while ((event = source_next(s, &item)) != FRAME_END) {
        must(!broken || event == FRAME_BROKEN); /* only "so many more" may follow */
        if (event == FRAME_INTERFACE) {
            must(item.interface.index == interfaces++);
        } else if (event == FRAME_GIVEN) {
            if (!frames++)
                first_seen_ns = item.frame.time_ns;
            check_frame(&item.frame, interfaces);
        } else {
            must(item.damage.text[0] != '\0');
            damages++;
            broken = event == FRAME_BROKEN;
        }
    }
    must(damages <= SOURCE_DAMAGES_MAX + 2);
    must(timed == (frames > 0) && (!timed || first_ns == first_seen_ns));
    must(source_tally(s)->frames == frames && source_stored(s) <= size);
    must(source_next(s, &item) == FRAME_END);
    source_free(s);
    return 0;
}
