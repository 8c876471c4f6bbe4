/*
 * test_ring: three processes over one ring, and readers that face a producer who lies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/ring.h"

#define RING ((size_t)1 << 20)

/* A fresh ring on the descriptors of the table. The parent keeps it as capture, children map it as
 * readers; `writable` hands a forger the writable descriptors. */
static struct ring_fds fresh_ring(void)
{
    struct ring_fds f;
    assert_int_equal(ring_create(RING, &f), 0);
    int *const fds[] = {&f.data,       &f.data_ro,    &f.head,    &f.head_ro,
                        &f.tail[0],    &f.tail[1],    &f.wake[0], &f.wake[1],
                        &f.tail_ro[0], &f.tail_ro[1], &f.wake[2]};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        int moved = fcntl(*fds[i], F_DUPFD_CLOEXEC, 100);
        assert_true(moved >= 100);
        close(*fds[i]);
        *fds[i] = moved;
    }
    for (int i = 0; i < 3; i++)
        dup2(f.wake[i], FD_WAKE_CAPTURE + i);
    return f;
}

static void become_producer(const struct ring_fds *f)
{
    dup2(f->data, FD_RING);
    dup2(f->head, FD_RING_HEAD);
    dup2(f->tail_ro[RING_ANALYZE], FD_TAIL_ANALYZE);
    dup2(f->tail_ro[RING_STORE], FD_TAIL_STORE);
}

static void become_reader(const struct ring_fds *f, enum ring_reader who)
{
    dup2(f->data_ro, FD_RING);
    dup2(f->head_ro, FD_RING_HEAD);
    dup2(who == RING_ANALYZE ? f->tail[RING_ANALYZE] : f->tail_ro[RING_ANALYZE], FD_TAIL_ANALYZE);
    dup2(who == RING_STORE ? f->tail[RING_STORE] : f->tail_ro[RING_STORE], FD_TAIL_STORE);
}

static void drop(struct ring_fds *f)
{
    const int fds[] = {f->data,    f->data_ro, f->head,       f->head_ro,    f->tail[0], f->tail[1],
                       f->wake[0], f->wake[1], f->tail_ro[0], f->tail_ro[1], f->wake[2]};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        close(fds[i]);
}

/* xorshift; the same sequence in all processes, so that a reader knows what must come */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_size(uint64_t *state)
{
    uint64_t r = next_random(state);
    if (r % 1000 == 0)
        return RING_FRAME_MAX - r / 1000 % 9;
    return r % 100 < 90 ? r / 100 % 600 : r / 100 % 9000;
}

static void fill(struct ring_record *record, uint64_t number, uint64_t seed)
{
    uint8_t *bytes = (uint8_t *)(record + 1);
    record->type = RING_FRAME;
    record->number = number;
    record->len = record->caplen;
    for (uint32_t i = 0; i < record->caplen; i++)
        bytes[i] = (uint8_t)(seed + i);
}

static int intact(const struct ring_record *record, uint64_t seed)
{
    const uint8_t *bytes = ring_payload(record);
    for (uint32_t i = 0; i < record->caplen; i++)
        if (bytes[i] != (uint8_t)(seed + i))
            return 0;
    return 1;
}

static void produce(struct ring *r, uint64_t count)
{
    uint64_t random = 88172645463325252u;
    for (uint64_t i = 1; i <= count; i++) {
        struct ring_record *record = ring_reserve(r, random_size(&random));
        if (!record)
            _exit(9);
        fill(record, i, i * 7);
        ring_commit(r);
        if (next_random(&random) % 5000 == 0) { /* "blocks on input" */
            ring_publish(r);
            usleep(200);
        }
    }
    struct ring_record *end = ring_reserve(r, sizeof(struct ring_loss));
    memset(end + 1, 0, sizeof(struct ring_loss));
    end->type = RING_END;
    ring_commit(r);
    ring_publish(r);
}

/* Reads everything, now and then slowly, and exits: 0 all as sent, else what was wrong. */
static void consume(enum ring_reader who, uint64_t count, int follow, unsigned pace)
{
    uint64_t random = 88172645463325252u, own = who + 1, got = 0;
    struct ring *r = ring_open_reader(who);
    if (!r)
        _exit(10);
    if (follow)
        ring_follow_analyze(r);
    for (;;) {
        const struct ring_record *record = ring_next(r, NULL);
        if (!record) {
            ring_release(r);
            ring_wait(r, -1);
            continue;
        }
        if (record->type == RING_END) {
            ring_release(r);
            _exit(got == count ? 0 : 11);
        }
        got++;
        if (record->number != got || record->caplen != random_size(&random))
            _exit(12);
        if (!intact(record, got * 7))
            _exit(13);
        next_random(&random); /* the producer's pause */
        if (next_random(&own) % 3 == 0)
            ring_release(r);
        if (pace && next_random(&own) % pace == 0)
            usleep(100);
    }
}

static int status_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static pid_t reader(const struct ring_fds *f, enum ring_reader who, uint64_t count, int follow,
                    unsigned pace)
{
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* a lost wake-up is a failure, not a hang */
        become_reader(f, who);
        consume(who, count, follow, pace);
    }
    return pid;
}

static void three_processes(uint64_t count, int follow, unsigned pace_analyze, unsigned pace_store)
{
    struct ring_fds f = fresh_ring();
    pid_t analyze = reader(&f, RING_ANALYZE, count, 0, pace_analyze);
    pid_t store = reader(&f, RING_STORE, count, follow, pace_store);
    pid_t capture = fork();
    if (capture == 0) {
        alarm(60);
        become_producer(&f);
        struct ring *r = ring_open_producer(true);
        if (!r)
            _exit(8);
        produce(r, count);
        _exit(0);
    }
    assert_int_equal(status_of(capture), 0);
    assert_int_equal(status_of(analyze), 0);
    assert_int_equal(status_of(store), 0);
    drop(&f);
}

static void test_all_arrives(void **state)
{
    (void)state;
    three_processes(60000, 0, 0, 0);
}

static void test_all_arrives_following(void **state)
{
    (void)state;
    three_processes(60000, 1, 0, 0);
}

static void test_slow_readers(void **state)
{
    (void)state;
    three_processes(20000, 0, 40, 0);
    three_processes(20000, 0, 0, 40);
    three_processes(20000, 1, 40, 60);
}

/* Live: the producer never waits for analyze; what analyze gets is whole, and what it misses is
 * counted exactly. */
static void test_live_overtakes(void **state)
{
    (void)state;
    enum { FRAMES = 60000 };
    struct ring_fds f = fresh_ring();
    pid_t store = reader(&f, RING_STORE, FRAMES, 0, 0);
    pid_t analyze = fork();
    if (analyze == 0) {
        alarm(60);
        become_reader(&f, RING_ANALYZE);
        struct ring *r = ring_open_reader(RING_ANALYZE);
        uint64_t got = 0, missed = 0, last = 0;
        for (;;) {
            const struct ring_record *record = ring_next(r, &missed);
            if (!record) {
                ring_release(r);
                ring_wait(r, -1);
                continue;
            }
            if (record->type == RING_END)
                _exit(got + missed == FRAMES && missed > 0 ? 0 : 14);
            if (record->number <= last || !intact(record, record->number * 7))
                _exit(15);
            last = record->number;
            if (last != got + missed + 1)
                _exit(16);
            got++;
            ring_release(r);
            if (got % 500 == 0)
                usleep(20000);
        }
    }
    pid_t capture = fork();
    if (capture == 0) {
        alarm(60);
        become_producer(&f);
        struct ring *r = ring_open_producer(false);
        uint64_t random = 88172645463325252u;
        for (uint64_t i = 1; i <= FRAMES + 1; i++) {
            size_t size = i <= FRAMES ? random_size(&random) : sizeof(struct ring_loss);
            next_random(&random);
            struct ring_record *record;
            while (!(record = ring_reserve(r, size)))
                usleep(100); /* a real one would count a drop; here store is to see all */
            fill(record, i, i * 7);
            if (i > FRAMES)
                record->type = RING_END;
            ring_commit(r);
        }
        ring_publish(r);
        _exit(0);
    }
    assert_int_equal(status_of(capture), 0);
    assert_int_equal(status_of(store), 0);
    assert_int_equal(status_of(analyze), 0);
    drop(&f);
}

/* Live: without room for store, reserve says so instead of waiting. */
static void test_live_drops(void **state)
{
    (void)state;
    struct ring_fds f = fresh_ring();
    become_producer(&f);
    struct ring *r = ring_open_producer(false);
    assert_non_null(r);
    size_t frames = 0;
    while (ring_reserve(r, 1000)) {
        ring_commit(r);
        frames++;
    }
    assert_int_equal(errno, EAGAIN);
    assert_in_range(frames, RING / 1048 - 2, RING / 1048);
    ring_close(r);
    drop(&f);
}

/* --- a producer that lies -------------------------------------------------------------------- */

struct lie {
    const char *name;
    struct ring_record record;
    int accepted;
};

#define HONEST 48 + 64

static const struct lie lies[] = {
    {"honest", {.size = HONEST, .type = RING_FRAME, .caplen = 64}, 1},
    {"size 0", {.size = 0, .type = RING_FRAME}, 0},
    {"size below header", {.size = 40, .type = RING_FRAME}, 0},
    {"size not aligned", {.size = HONEST + 4, .type = RING_FRAME}, 0},
    {"size beyond head", {.size = 4096, .type = RING_FRAME}, 0},
    {"size beyond ring", {.size = 2u << 20, .type = RING_FRAME}, 0},
    {"size wraps", {.size = 0xfffffff8u, .type = RING_FRAME}, 0},
    {"caplen beyond record", {.size = HONEST, .type = RING_FRAME, .caplen = 65}, 0},
    {"caplen wraps", {.size = HONEST, .type = RING_FRAME, .caplen = 0xffffffffu}, 0},
    {"filler in the middle", {.size = HONEST, .type = RING_SKIP}, 0},
    {"unknown type", {.size = HONEST, .type = 7, .caplen = 64}, 0},
    {"short interface", {.size = HONEST, .type = RING_INTERFACE, .caplen = 64}, 0},
    {"short loss", {.size = HONEST, .type = RING_LOSS, .caplen = 40}, 0},
    {"source with payload", {.size = HONEST, .type = RING_SOURCE, .caplen = 8}, 0},
};

static void test_lies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct ring_fds f = fresh_ring();
        become_producer(&f);
        struct ring *r = ring_open_producer(true);
        struct ring_record *record = ring_reserve(r, 64);
        assert_non_null(record);
        ring_commit(r);
        *record = lies[i].record; /* after the commit: the head is honest, the record is not */
        ring_publish(r);
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, FD_LOG);
            become_reader(&f, RING_STORE);
            struct ring *reading = ring_open_reader(RING_STORE);
            const struct ring_record *got = ring_next(reading, NULL);
            _exit(got && got->caplen == 64 ? 0 : 20);
        }
        int status = status_of(pid);
        if (status != (lies[i].accepted ? 0 : 1))
            fail_msg("%s: reader's exit status %d", lies[i].name, status);
        ring_close(r);
        drop(&f);
    }
}

/* A reader that claims what it cannot have seen must not make the producer overwrite anything. */
static void test_lying_reader(void **state)
{
    (void)state;
    struct ring_fds f = fresh_ring();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, FD_LOG);
        uint64_t *tail =
            mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f.tail[RING_ANALYZE], 0);
        *tail = 1u << 30;
        become_producer(&f);
        struct ring *r = ring_open_producer(true);
        while (ring_reserve(r, 1000))
            ring_commit(r);
        _exit(0);
    }
    assert_int_equal(status_of(pid), 1);
    drop(&f);
}

/* What a record says after it was handed out cannot change any more. */
static void test_private_copy(void **state)
{
    (void)state;
    struct ring_fds f = fresh_ring();
    become_producer(&f);
    struct ring *r = ring_open_producer(true);
    struct ring_record *record = ring_reserve(r, 64);
    fill(record, 1, 3);
    ring_commit(r);
    ring_publish(r);
    become_reader(&f, RING_ANALYZE);
    struct ring *reading = ring_open_reader(RING_ANALYZE);
    const struct ring_record *got = ring_next(reading, NULL);
    assert_non_null(got);
    record->caplen = 0xffffffffu;
    memset(record + 1, 0xee, 64);
    assert_int_equal(got->caplen, 64);
    assert_true(intact(got, 3));
    ring_close(r);
    ring_close(reading);
    drop(&f);
}

static void test_readers_cannot_write(void **state)
{
    (void)state;
    struct ring_fds f = fresh_ring();
    const int ro[] = {f.data_ro, f.head_ro, f.tail_ro[0], f.tail_ro[1]};
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro[i], 0),
                         MAP_FAILED);
        assert_int_equal(errno, EACCES);
    }
    assert_int_equal(ftruncate(f.data, 0), -1); /* sealed: nobody's mapping can be cut short */
    drop(&f);
}

static void test_sizes(void **state)
{
    (void)state;
    struct ring_fds f;
    const size_t bad[] = {0, RING_BYTES_MIN / 2, RING_BYTES_MIN + 4096, RING_BYTES_MAX * 2};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ring_create(bad[i], &f), -1);
}

/* A sleeper hears of one record when the producer publishes before it blocks. */
static void test_wakes(void **state)
{
    (void)state;
    struct ring_fds f = fresh_ring();
    become_producer(&f);
    struct ring *r = ring_open_producer(true);
    become_reader(&f, RING_STORE);
    struct ring *reading = ring_open_reader(RING_STORE);
    struct pollfd p = {.fd = FD_WAKE_STORE, .events = POLLIN};
    assert_null(ring_next(reading, NULL));
    assert_true(ring_sleep(reading));
    ring_reserve(r, 10);
    ring_commit(r);
    assert_int_equal(poll(&p, 1, 0), 0);
    ring_publish(r);
    assert_int_equal(poll(&p, 1, 0), 1);
    ring_awake(reading);
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_false(ring_sleep(reading)); /* there is something to read */
    ring_close(r);
    ring_close(reading);
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_readers_cannot_write),
        cmocka_unit_test(test_private_copy),
        cmocka_unit_test(test_wakes),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_lying_reader),
        cmocka_unit_test(test_live_drops),
        cmocka_unit_test(test_all_arrives),
        cmocka_unit_test(test_all_arrives_following),
        cmocka_unit_test(test_slow_readers),
        cmocka_unit_test(test_live_overtakes),
    };
    return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
