/*
 * bench_decode: nanoseconds a frame for decoding alone: dissect, + message_parse, + pair; over the
 * whole file (fetched from memory, as in a replay that outruns the cache) and over its first
 * megabyte again and again (the instructions alone).
 *
 * usage: bench_decode FILE.pcap   (classic, little-endian, microseconds or nanoseconds)
 */
#include "analyze/decode/dissect.h"
#include "analyze/decode/message.h"
#include "analyze/decode/pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

enum { PASSES = 7 };

static struct dns_message message;
static uint64_t sink;

static void nothing(void *context, const struct datagram *d)
{
    (void)context;
    sink += d->size;
}

static void parse(void *context, const struct datagram *d)
{
    (void)context;
    sink += message_parse(d->bytes, d->size, d->wire_size, &message);
    sink += message.rr_count;
}

static void parse_and_pair(void *context, const struct datagram *d)
{
    struct query query;
    uint64_t first;
    parse(NULL, d);
    if (message.state == MESSAGE_NOT_DNS)
        return;
    if (message.flags & DNS_QR)
        sink += pair_response(context, d, &message, &query);
    else
        sink += pair_query(context, d, &message, &first);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* other work on the machine does not count */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Writes the file's frames as ring records. */
static size_t load(const uint8_t *file, size_t size, uint8_t *ring, uint64_t *ret_frames)
{
    uint32_t magic, linktype, head[4];
    size_t at = 24, used = 0;
    memcpy(&magic, file, 4);
    memcpy(&linktype, file + 20, 4);
    *ret_frames = 0;
    while (at + sizeof(head) <= size) {
        memcpy(head, file + at, sizeof(head));
        at += sizeof(head);
        if (head[2] > size - at)
            break;
        struct ring_record *r = (void *)(ring + used);
        *r = (struct ring_record){
            .size = (uint32_t)(sizeof(*r) + (head[2] + 7u) / 8u * 8u),
            .type = RING_FRAME,
            .number = ++*ret_frames,
            .time_ns = head[0] * INT64_C(1000000000) + head[1] * (magic == 0xa1b23c4d ? 1 : 1000),
            .caplen = head[2],
            .len = head[3],
            .linktype = (uint16_t)linktype,
        };
        memcpy(r + 1, file + at, head[2]);
        at += head[2];
        used += r->size;
    }
    return used;
}

static void run(const char *what, const uint8_t *ring, size_t used, uint64_t frames,
                dissect_on_message *on_message)
{
    struct settings s;
    double best = 0;
    settings_default(&s);
    for (unsigned pass = 0; pass < PASSES; pass++) {
        struct pair *p = pair_new(&s);
        struct dissect *d = dissect_new(&s, on_message, p);
        double start = now();
        for (size_t at = 0; at < used;) {
            const struct ring_record *r = (const void *)(ring + at);
            dissect_frame(d, r);
            at += r->size;
        }
        double took = (now() - start) / (double)frames;
        if (pass == 0 || took < best)
            best = took;
        dissect_finish(d);
        pair_finish(p);
        if (pass == PASSES - 1) {
            const struct dissect_counters *c = dissect_counters(d);
            const struct pair_counters *q = pair_counters(p);
            printf("%-28s %6.1f ns/frame  (", what, best);
#define X(name, text)                                                                              \
    if (c->name)                                                                                   \
        printf(#name "=%llu ", (unsigned long long)c->name);
            DISSECT_COUNTERS(X)
#undef X
            printf("paired=%llu unasked=%llu unanswered=%llu)\n", (unsigned long long)q->paired,
                   (unsigned long long)q->unasked, (unsigned long long)q->unanswered);
        }
        dissect_free(d);
        pair_free(p);
    }
}

int main(int argc, char **argv)
{
    int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < 24) {
        fprintf(stderr, "usage: bench_decode FILE.pcap\n");
        return 2;
    }
    size_t size = (size_t)st.st_size;
    const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    /* a record's header is three times as long as pcap's, and padded; unused pages cost nothing */
    uint8_t *ring = malloc(size * 4);
    uint64_t frames;
    if (file == MAP_FAILED || !ring)
        return 1;
    size_t used = load(file, size, ring, &frames);
    run("dissect", ring, used, frames, nothing);
    run("dissect + parse", ring, used, frames, parse);
    run("dissect + parse + pair", ring, used, frames, parse_and_pair);
    uint64_t few = 0;
    size_t hot = 0;
    while (few < frames && hot < (size_t)1 << 20) {
        hot += ((const struct ring_record *)(const void *)(ring + hot))->size;
        few++;
    }
    run("in cache: dissect", ring, hot, few, nothing);
    run("in cache: dissect + parse", ring, hot, few, parse);
    free(ring);
    return sink == 42;
}
