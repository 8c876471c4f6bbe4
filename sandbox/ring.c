/*
 * ring: frames through shared memory, without a system call or a lock per frame.
 *
 * Contained in: supervisor (creates), capture (producer), analyze and store (readers). A reader
 * must never: use a byte of the ring that it has not first copied, since a producer that was taken
 * over could change it between the check and the use.
 *
 * Positions are byte counts since the start, 64 bits, never wrapped; position & (size - 1) is the
 * place in the ring. Three small pages beside the ring hold them, each written by one process:
 *
 *   head page (capture):  head       all below is visible           released after the bytes
 *                         announced  bytes below it may be written  live: how a reader learns that
 *                                    at any moment                  it was overtaken (seqlock)
 *   tail pages (readers): tail       all below may be overwritten
 *                         sleeping   odd while the reader sleeps; counts its sleeps
 *
 * Everything is batched: head and tails move every few dozen frames, and a sleeper is woken only
 * when there is a good part of the ring to do, or when its counterpart is about to sleep itself.
 * The order "declare sleep, full fence, look again" on one side and "move position, full fence,
 * look for sleepers" on the other leaves no moment in which both sides sleep over work.
 */
#include "sandbox/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/fds.h"
#include "sandbox/log.h"

#define LINE       64 /* a cache line; what different processes write never shares one */
#define BATCH      ((uint64_t)64 << 10)
#define RECORD_MAX (sizeof(struct ring_record) + RING_FRAME_MAX)
#define SEALS      (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

struct head_page {
    _Alignas(LINE) _Atomic uint64_t head;
    _Alignas(LINE) _Atomic uint64_t announced;
    _Alignas(LINE) _Atomic uint64_t version; /* seqlock over the next three; odd: changing */
    _Atomic uint64_t resume;                 /* head before the last publishing */
    _Atomic uint64_t records;                /* records below resume */
    _Alignas(LINE) _Atomic uint64_t want; /* producer sleeps until both tails are here; 0 awake */
    _Alignas(LINE) uint64_t live;         /* 1: the producer does not wait for analyze */
};

struct tail_page {
    _Alignas(LINE) _Atomic uint64_t tail;
    _Alignas(LINE) _Atomic uint64_t sleeping;
};

_Static_assert(sizeof(struct head_page) <= 4096, "one page");
_Static_assert(sizeof(struct tail_page) <= 4096, "one page");
_Static_assert(sizeof(struct ring_record) == 48, "no padding, so that it can be copied out");
_Static_assert(RING_BYTES_MIN >= 2 * RECORD_MAX + 2 * BATCH, "two largest records fit");

struct ring {
    uint8_t *bytes; /* read-only mapping in the readers */
    uint64_t size;
    struct head_page *head;
    struct tail_page *tail[2];

    /* producer */
    bool waits;
    uint64_t at;                /* next record goes here */
    uint64_t published;         /* head as stored */
    uint64_t records;           /* committed */
    uint64_t records_published; /* below head */
    uint64_t announced;         /* as stored */
    uint64_t room_until;        /* records may reach here; from the tails as last seen */
    uint64_t slept_from[2];     /* head when the reader was first seen asleep */
    uint64_t seen_sleeping[2];  /* its sleep that slept_from belongs to */
    uint64_t woken[2];          /* its sleep that it was woken from */

    /* reader */
    enum ring_reader who;
    bool follows, overtakable;
    uint64_t next;       /* after the record returned last */
    uint64_t limit;      /* visible below */
    uint64_t released;   /* tail as stored */
    uint64_t given_back; /* tail as asked for by ring_release */
    uint64_t taken;      /* records returned or missed */
    uint64_t rung;       /* the producer's wish that its bell was rung for */
    uint64_t sleeps;     /* own value of `sleeping` */
    uint64_t store_woken, store_seen, store_slept_from;
    struct ring_record *copy;
};

/* --- creation (supervisor) ------------------------------------------------------------------- */

/* A sealed memory file of `size`, and the same for reading only. The mode keeps a reader from
 * opening its descriptor's file again for writing through /proc. */
static int create_pair(const char *name, size_t size, int *ret_rw, int *ret_ro)
{
    char path[40];
    int rw = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (rw < 0)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", rw);
    if (ftruncate(rw, (off_t)size) == 0 && fcntl(rw, F_ADD_SEALS, SEALS) == 0) {
        int ro = open(path, O_RDONLY | O_CLOEXEC);
        if (ro >= 0 && fchmod(rw, 0400) == 0) {
            *ret_rw = rw;
            *ret_ro = ro;
            return 0;
        }
        if (ro >= 0)
            close(ro);
    }
    int saved = errno;
    close(rw);
    errno = saved;
    return -1;
}

int ring_create(size_t bytes, struct ring_fds *ret_fds)
{
    struct ring_fds f = {-1, -1, -1, -1, {-1, -1}, {-1, -1}, {-1, -1, -1}};
    if (bytes < RING_BYTES_MIN || bytes > RING_BYTES_MAX || (bytes & (bytes - 1))) {
        errno = EINVAL;
        return -1;
    }
    if (create_pair("dnsbailiff-ring", bytes, &f.data, &f.data_ro) ||
        create_pair("dnsbailiff-head", sizeof(struct head_page), &f.head, &f.head_ro) ||
        create_pair("dnsbailiff-tail", sizeof(struct tail_page), &f.tail[0], &f.tail_ro[0]) ||
        create_pair("dnsbailiff-tail", sizeof(struct tail_page), &f.tail[1], &f.tail_ro[1]))
        goto fail;
    for (int i = 0; i < 3; i++)
        if ((f.wake[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
            goto fail;
    *ret_fds = f;
    return 0;
fail:;
    int saved = errno;
    const int all[] = {f.data,       f.data_ro,    f.head,    f.head_ro, f.tail[0], f.tail[1],
                       f.tail_ro[0], f.tail_ro[1], f.wake[0], f.wake[1], f.wake[2]};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
    errno = saved;
    return -1;
}

/* --- opening --------------------------------------------------------------------------------- */

static void *map_fd(int fd, size_t size, bool writable)
{
    void *p = mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* The mappings both ends need; -1 with errno set. */
static int open_common(struct ring *r, bool producer)
{
    struct stat st;
    if (fstat(FD_RING, &st))
        return -1;
    r->size = (uint64_t)st.st_size;
    if (r->size < RING_BYTES_MIN || r->size > RING_BYTES_MAX || (r->size & (r->size - 1))) {
        errno = EINVAL;
        return -1;
    }
    r->bytes = map_fd(FD_RING, (size_t)r->size, producer);
    r->head = map_fd(FD_RING_HEAD, sizeof(struct head_page), producer);
    return r->bytes && r->head ? 0 : -1;
}

struct ring *ring_open_producer(bool wait_for_readers)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r || open_common(r, true))
        goto fail;
    r->tail[RING_ANALYZE] = map_fd(FD_TAIL_ANALYZE, sizeof(struct tail_page), false);
    r->tail[RING_STORE] = map_fd(FD_TAIL_STORE, sizeof(struct tail_page), false);
    if (!r->tail[RING_ANALYZE] || !r->tail[RING_STORE])
        goto fail;
    r->waits = wait_for_readers;
    r->head->live = !wait_for_readers;
    r->room_until = r->size;
    return r;
fail:;
    int saved = errno;
    free(r); /* the process ends; its mappings with it */
    errno = saved;
    return NULL;
}

struct ring *ring_open_reader(enum ring_reader who)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r || open_common(r, false))
        goto fail;
    r->who = who;
    r->tail[RING_ANALYZE] = map_fd(FD_TAIL_ANALYZE, sizeof(struct tail_page), who == RING_ANALYZE);
    r->tail[RING_STORE] = map_fd(FD_TAIL_STORE, sizeof(struct tail_page), who == RING_STORE);
    r->copy = aligned_alloc(LINE, (RECORD_MAX + LINE) / LINE * LINE);
    if (!r->tail[RING_ANALYZE] || !r->tail[RING_STORE] || !r->copy)
        goto fail;
    memset(r->copy, 0, sizeof *r->copy);
    return r;
fail:;
    int saved = errno;
    free(r);
    errno = saved;
    return NULL;
}

void ring_close(struct ring *r)
{
    if (!r)
        return;
    munmap(r->bytes, (size_t)r->size);
    munmap(r->head, sizeof *r->head);
    for (int i = 0; i < 2; i++)
        munmap(r->tail[i], sizeof *r->tail[i]);
    free(r->copy);
    free(r);
}

/* --- sleeping and waking --------------------------------------------------------------------- */

static void ring_bell(int fd)
{
    const uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    if (n != (ssize_t)sizeof one && errno != EAGAIN) /* EAGAIN: it rings already */
        log_die("ring: wake-up of descriptor %d: %m", fd);
}

static void drain_bell(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof count);
    (void)n; /* EAGAIN: nobody rang */
}

/* What one side remembers of a sleeper on the other side. */
struct sleeper {
    struct tail_page *page;
    int bell;
    uint64_t *woken, *seen, *slept_from;
};

/* Wakes the sleeper if there is much to do (since it fell asleep) or `now` is set; once a sleep. */
static void wake(struct sleeper s, uint64_t position, uint64_t much, bool now)
{
    uint64_t sleeping = atomic_load_explicit(&s.page->sleeping, memory_order_relaxed);
    if (!(sleeping & 1) || sleeping == *s.woken)
        return;
    if (sleeping != *s.seen) {
        *s.seen = sleeping;
        *s.slept_from = position;
    }
    if (!now && position - *s.slept_from < much)
        return;
    *s.woken = sleeping;
    ring_bell(s.bell);
}

/* --- producer -------------------------------------------------------------------------------- */

static void publish(struct ring *r, bool wake_now)
{
    static const int bells[2] = {FD_WAKE_ANALYZE, FD_WAKE_STORE};
    if (r->published != r->at) {
        struct head_page *h = r->head;
        uint64_t version = atomic_load_explicit(&h->version, memory_order_relaxed);
        atomic_store_explicit(&h->version, version + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&h->resume, r->published, memory_order_relaxed);
        atomic_store_explicit(&h->records, r->records_published, memory_order_relaxed);
        atomic_store_explicit(&h->head, r->at, memory_order_release);
        atomic_store_explicit(&h->version, version + 2, memory_order_release);
        r->published = r->at;
        r->records_published = r->records;
    }
    atomic_thread_fence(memory_order_seq_cst);
    for (int i = 0; i < 2; i++)
        wake((struct sleeper){r->tail[i], bells[i], &r->woken[i], &r->seen_sleeping[i],
                              &r->slept_from[i]},
             r->published, r->size / 8, wake_now);
}

void ring_publish(struct ring *r)
{
    publish(r, true);
}

/* The lowest position that must not be overwritten. A tail beyond what was published is a reader's
 * lie: it would make us overwrite what the other reader has not seen. */
static uint64_t lowest_tail(const struct ring *r)
{
    uint64_t store = atomic_load_explicit(&r->tail[RING_STORE]->tail, memory_order_acquire);
    uint64_t lowest = store;
    if (r->waits) {
        uint64_t analyze = atomic_load_explicit(&r->tail[RING_ANALYZE]->tail, memory_order_acquire);
        if (analyze < lowest)
            lowest = analyze;
        if (analyze > r->at)
            log_die("ring: analyze claims frames that do not exist");
    }
    if (store > r->at)
        log_die("ring: store claims frames that do not exist");
    if (lowest + r->size < r->room_until)
        log_die("ring: a reader went backwards");
    return lowest;
}

/* Sleeps until the readers have made a good part of the ring free. 0, or -1 (a reader or the
 * supervisor is gone). */
static int wait_for_room(struct ring *r, uint64_t end)
{
    struct pollfd p[2] = {{.fd = FD_WAKE_CAPTURE, .events = POLLIN}, {.fd = FD_CONTROL}};
    publish(r, true);
    while (end > (r->room_until = lowest_tail(r) + r->size)) {
        uint64_t want = end - r->size + r->size / 4;
        if (want > r->at)
            want = r->at;
        atomic_store_explicit(&r->head->want, want, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        if (end > lowest_tail(r) + r->size && poll(p, 2, -1) < 0 && errno != EINTR)
            log_die("ring: poll: %m");
        atomic_store_explicit(&r->head->want, 0, memory_order_relaxed);
        if (p[1].revents & POLLHUP) {
            errno = EPIPE;
            return -1;
        }
        if (p[0].revents & POLLIN)
            drain_bell(FD_WAKE_CAPTURE);
    }
    return 0;
}

struct ring_record *ring_reserve(struct ring *r, size_t payload)
{
    if (payload > RING_FRAME_MAX)
        log_die("ring: frame of %zu bytes", payload);
    uint64_t need = (sizeof(struct ring_record) + payload + 7) & ~(uint64_t)7;
    uint64_t place = r->at & (r->size - 1);
    uint64_t rest = r->size - place;
    uint64_t skip = need > rest ? rest : 0;
    uint64_t end = r->at + skip + need;

    if (end > r->room_until) {
        if (end > (r->room_until = lowest_tail(r) + r->size)) {
            if (!r->waits) {
                publish(r, true); /* store must hear that it is late */
                errno = EAGAIN;
                return NULL;
            }
            if (wait_for_room(r, end))
                return NULL;
        }
    }
    if (end > r->announced) {
        r->announced = end + BATCH;
        atomic_store_explicit(&r->head->announced, r->announced, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
    }
    if (skip) {
        struct ring_record *filler = (struct ring_record *)(void *)(r->bytes + place);
        filler->size = (uint32_t)skip; /* skip is at least 8: type and source lie within */
        filler->type = RING_SKIP;
        filler->source = 0;
        r->at += skip;
        place = 0;
    }
    struct ring_record *record = (struct ring_record *)(void *)(r->bytes + place);
    memset(record, 0, sizeof *record);
    record->size = (uint32_t)need;
    record->caplen = (uint32_t)payload;
    return record;
}

void ring_commit(struct ring *r)
{
    const struct ring_record *record =
        (const struct ring_record *)(const void *)(r->bytes + (r->at & (r->size - 1)));
    r->at += record->size;
    r->records++;
    if (r->at - r->published >= BATCH)
        publish(r, false);
}

/* --- readers --------------------------------------------------------------------------------- */

/* Looks again how far the records are visible; a position that goes back or beyond the ring is the
 * fault of its writer. */
static void look(struct ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head->head, memory_order_acquire);
    uint64_t limit = head;
    if (r->follows) {
        limit = atomic_load_explicit(&r->tail[RING_ANALYZE]->tail, memory_order_acquire);
        /* both fences are acquire: what analyze released, capture had published before */
        if (limit > head && limit > atomic_load_explicit(&r->head->head, memory_order_acquire))
            log_die("ring: analyze claims frames that do not exist");
    }
    r->overtakable = r->who == RING_ANALYZE && r->head->live;
    if (limit < r->limit || (limit & 7) || (!r->overtakable && limit - r->next > r->size))
        log_die("ring: impossible position");
    r->limit = limit;
}

/* Moves the reader's tail to what was given back, and wakes who waits for it. */
static void move_tail(struct ring *r, bool wake_now)
{
    if (r->released != r->given_back) {
        r->released = r->given_back;
        atomic_store_explicit(&r->tail[r->who]->tail, r->released, memory_order_release);
    }
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t want = atomic_load_explicit(&r->head->want, memory_order_relaxed);
    if (want && r->released >= want && want != r->rung) {
        r->rung = want;
        ring_bell(FD_WAKE_CAPTURE);
    }
    if (r->who == RING_ANALYZE) /* store may follow us */
        wake((struct sleeper){r->tail[RING_STORE], FD_WAKE_STORE, &r->store_woken, &r->store_seen,
                              &r->store_slept_from},
             r->released, r->size / 8, wake_now);
}

/* Whether the producer may have written over what starts at `position`. */
static bool overtaken(const struct ring *r, uint64_t position)
{
    if (!r->overtakable)
        return false;
    atomic_thread_fence(memory_order_acquire);
    uint64_t announced = atomic_load_explicit(&r->head->announced, memory_order_relaxed);
    return announced > r->size && announced - r->size > position;
}

/* Gives up what was overwritten and goes on with the batch published last: a reader that is too
 * slow loses one large stretch and then has the whole ring before it, instead of losing a little of
 * everything; and it never misses the last record of the run. */
static uint64_t jump_ahead(struct ring *r)
{
    const struct head_page *h = r->head;
    uint64_t before, after, head, resume, records;
    do {
        before = atomic_load_explicit(&h->version, memory_order_acquire);
        head = atomic_load_explicit(&h->head, memory_order_acquire);
        resume = atomic_load_explicit(&h->resume, memory_order_relaxed);
        records = atomic_load_explicit(&h->records, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&h->version, memory_order_relaxed);
    } while ((before & 1) || before != after);
    if (head < r->limit || resume <= r->next || resume > head || ((head | resume) & 7) ||
        records < r->taken)
        log_die("ring: impossible position");
    uint64_t missed = records - r->taken;
    r->taken = records;
    r->next = r->given_back = resume;
    r->limit = head;
    return missed;
}

/* Texts inside a record end, and fixed payloads have their size: readers cast without looking. */
static bool payload_fits(struct ring_record *c)
{
    switch ((enum ring_type)c->type) {
    case RING_FRAME:
    case RING_DAMAGE:
        return true;
    case RING_SOURCE:
        return c->caplen == 0;
    case RING_LOSS:
    case RING_END:
        return c->caplen == sizeof(struct ring_loss);
    case RING_INTERFACE:
        if (c->caplen == sizeof(struct ring_interface)) {
            struct ring_interface *i = (struct ring_interface *)(void *)(c + 1);
            i->name[sizeof i->name - 1] = '\0';
            i->description[sizeof i->description - 1] = '\0';
            i->filter[sizeof i->filter - 1] = '\0';
            return true;
        }
        return false;
    case RING_SKIP:
        break;
    }
    return false;
}

/* Copies the record at `next`. NULL with *ret_size 0: overtaken; with a size: a filler of so many
 * bytes. Ends the process on a header that contradicts the ring. */
static const struct ring_record *copy_record(struct ring *r, uint64_t *ret_size)
{
    uint64_t place = r->next & (r->size - 1);
    const struct ring_record *there = (const struct ring_record *)(const void *)(r->bytes + place);
    uint64_t size = *(const volatile uint32_t *)&there->size;
    uint16_t type = *(const volatile uint16_t *)&there->type;
    *ret_size = 0;
    if (overtaken(r, r->next))
        return NULL;
    if (size < 8 || (size & 7) || size > r->size - place || size > r->limit - r->next)
        log_die("ring: record of %llu bytes at %llu", (unsigned long long)size,
                (unsigned long long)r->next);
    if (type == RING_SKIP) {
        if (size != r->size - place)
            log_die("ring: filler of %llu bytes", (unsigned long long)size);
        *ret_size = size;
        return NULL;
    }
    if (size < sizeof *there || size > RECORD_MAX)
        log_die("ring: record of %llu bytes", (unsigned long long)size);
    memcpy(r->copy, there, (size_t)size);
    if (overtaken(r, r->next))
        return NULL;
    struct ring_record *c = r->copy;
    c->size = (uint32_t)size; /* as checked, whatever it may say now */
    c->type = type;
    if (c->caplen > size - sizeof *c || !payload_fits(c))
        log_die("ring: record of type %u with %u bytes", (unsigned)type, (unsigned)c->caplen);
    *ret_size = size;
    return c;
}

void ring_follow_analyze(struct ring *r)
{
    r->follows = true;
    look(r);
}

const struct ring_record *ring_next(struct ring *r, uint64_t *ret_missed)
{
    for (;;) {
        if (r->next == r->limit) {
            if (!r->follows) /* else only ring_follow_analyze moves the limit */
                look(r);
            if (r->next == r->limit) {
                move_tail(r, true);
                return NULL;
            }
        }
        uint64_t size;
        const struct ring_record *record = copy_record(r, &size);
        if (size == 0) {
            uint64_t missed = jump_ahead(r);
            if (ret_missed)
                *ret_missed += missed;
            continue;
        }
        r->next += size;
        if (record) {
            r->taken++;
            __builtin_prefetch(r->bytes + (r->next & (r->size - 1)));
            return record;
        }
    }
}

void ring_release(struct ring *r)
{
    r->given_back = r->next;
    /* The last record is given back at once: its reader may never ask for another. */
    if (r->given_back - r->released >= BATCH || r->copy->type == RING_END)
        move_tail(r, r->copy->type == RING_END);
}

bool ring_sleep(struct ring *r)
{
    struct tail_page *own = r->tail[r->who];
    move_tail(r, true);
    r->sleeps |= 1;
    atomic_store_explicit(&own->sleeping, r->sleeps, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    look(r);
    if (r->next == r->limit)
        return true;
    r->sleeps++;
    atomic_store_explicit(&own->sleeping, r->sleeps, memory_order_relaxed);
    return false;
}

void ring_awake(struct ring *r)
{
    drain_bell(r->who == RING_ANALYZE ? FD_WAKE_ANALYZE : FD_WAKE_STORE);
    if (r->sleeps & 1)
        r->sleeps++;
    atomic_store_explicit(&r->tail[r->who]->sleeping, r->sleeps, memory_order_relaxed);
}

void ring_wait(struct ring *r, int timeout_ms)
{
    struct pollfd p = {.fd = r->who == RING_ANALYZE ? FD_WAKE_ANALYZE : FD_WAKE_STORE,
                       .events = POLLIN};
    if (!ring_sleep(r))
        return;
    if (poll(&p, 1, timeout_ms) < 0 && errno != EINTR)
        log_die("ring: poll: %m");
    ring_awake(r);
}
