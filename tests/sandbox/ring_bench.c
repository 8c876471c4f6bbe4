/*
 * ring_bench: frames a second from one process to two others through the ring.
 *
 *   ring_bench [FRAMES [PAYLOAD [RING BYTES]]]     default: 20000000 280 33554432
 *
 * The producer writes a header and copies the payload; each reader touches every record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/ring.h"

static uint8_t payload[RING_FRAME_MAX];

static void place(int fd, int target)
{
    if (dup2(fd, target) < 0)
        abort();
}

static void consume(const struct ring_fds *f, enum ring_reader who)
{
    place(f->data_ro, FD_RING);
    place(f->head_ro, FD_RING_HEAD);
    place(who == RING_ANALYZE ? f->tail[0] : f->tail_ro[0], FD_TAIL_ANALYZE);
    place(who == RING_STORE ? f->tail[1] : f->tail_ro[1], FD_TAIL_STORE);
    struct ring *r = ring_open_reader(who);
    uint64_t sum = 0;
    if (who == RING_STORE)
        ring_follow_analyze(r);
    for (;;) {
        const struct ring_record *record = ring_next(r, NULL);
        if (!record) {
            ring_wait(r, -1);
            continue;
        }
        sum += record->number + ring_payload(record)[0];
        ring_release(r);
        if (record->type == RING_END)
            _exit(sum == 1); /* never 1: keeps the sum alive */
    }
}

int main(int argc, char **argv)
{
    uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000000;
    size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 280;
    struct ring_fds f;
    struct timespec a, b;
    if (size > RING_FRAME_MAX ||
        ring_create(argc > 3 ? strtoull(argv[3], NULL, 10) : 32u << 20, &f))
        return 2;
    int *all = (int *)&f;
    for (size_t i = 0; i < sizeof f / sizeof(int); i++)
        all[i] = fcntl(all[i], F_DUPFD, 100);
    for (int i = 0; i < 3; i++)
        place(f.wake[i], FD_WAKE_CAPTURE + i);
    for (int who = 0; who < 2; who++)
        if (fork() == 0)
            consume(&f, (enum ring_reader)who);
    place(f.data, FD_RING);
    place(f.head, FD_RING_HEAD);
    place(f.tail_ro[0], FD_TAIL_ANALYZE);
    place(f.tail_ro[1], FD_TAIL_STORE);
    struct ring *r = ring_open_producer(true);
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (uint64_t i = 1; i <= frames; i++) {
        struct ring_record *record = ring_reserve(r, i < frames ? size : sizeof(struct ring_loss));
        memcpy(record + 1, payload, record->caplen);
        record->type = i < frames ? RING_FRAME : RING_END;
        record->number = i;
        ring_commit(r);
    }
    ring_publish(r);
    while (wait(NULL) > 0)
        ;
    clock_gettime(CLOCK_MONOTONIC, &b);
    double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    printf("%.1f M frames/s, %.0f ns a frame\n", (double)frames / seconds / 1e6,
           seconds * 1e9 / (double)frames);
    return 0;
}
