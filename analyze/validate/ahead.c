/*
 * ahead: a pool of threads for signature checks.
 *
 * Contained in: analyze, tests. A thread touches nothing but its own job, its own lane of the key
 * and its own buffer.
 */
#include "analyze/validate/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

struct job {
    const struct rrset *set;
    struct signature *signature;
    struct key *key;
    enum key_result result;
};

struct lane {
    struct ahead *pool;
    unsigned number;
    pthread_t thread;
    uint8_t data[RRSET_SIGNED_MAX];
};

struct ahead {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    void (*walls)(void);
    unsigned threads; /* the caller included */
    unsigned ready;   /* threads behind their walls */
    unsigned busy;    /* threads in the current round */
    uint64_t round;   /* grows with each round that is shared */
    bool ending, shared;
    atomic_size_t next;      /* job to take */
    unsigned queue, running; /* indices of rounds */
    struct lane *lane[KEY_LANES];
    struct {
        size_t count;
        struct job job[AHEAD_CHECKS_MAX];
    } rounds[2];
};

static void work(struct ahead *a, struct lane *lane)
{
    size_t i, count = a->rounds[a->running].count;
    while ((i = atomic_fetch_add_explicit(&a->next, 1, memory_order_relaxed)) < count) {
        struct job *job = &a->rounds[a->running].job[i];
        size_t size = rrset_signed_data(job->set, job->signature, lane->data);
        if (size > 0) /* else the judge will find so too */
            job->result = key_verify(job->key, lane->number, lane->data, size,
                                     job->signature->bytes, job->signature->bytes_size);
    }
}

static void *run(void *argument)
{
    struct lane *lane = argument;
    struct ahead *a = lane->pool;
    if (a->walls)
        a->walls();
    pthread_mutex_lock(&a->lock);
    a->ready++;
    pthread_cond_signal(&a->idle);
    for (uint64_t seen = 0; !a->ending;) {
        if (a->round == seen) {
            pthread_cond_wait(&a->work, &a->lock);
            continue;
        }
        seen = a->round;
        pthread_mutex_unlock(&a->lock);
        work(a, lane);
        pthread_mutex_lock(&a->lock);
        if (--a->busy == 0)
            pthread_cond_signal(&a->idle);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

unsigned ahead_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

struct ahead *ahead_new(unsigned threads, void (*walls)(void))
{
    struct ahead *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->idle, NULL);
    a->walls = walls;
    a->running = 1;
    if (threads > KEY_LANES)
        threads = KEY_LANES;
    for (unsigned i = 0; i < threads || i == 0; i++) {
        struct lane *lane = calloc(1, sizeof *lane);
        int error = lane ? 0 : ENOMEM;
        if (lane) {
            lane->pool = a;
            lane->number = i;
            if (i > 0)
                error = pthread_create(&lane->thread, NULL, run, lane);
        }
        if (error) {
            free(lane);
            ahead_free(a);
            errno = error;
            return NULL;
        }
        a->lane[a->threads++] = lane;
    }
    return a;
}

void ahead_ready(struct ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->ready < a->threads - 1)
        pthread_cond_wait(&a->idle, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

void ahead_free(struct ahead *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    a->ending = true;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->lock);
    for (unsigned i = 0; i < a->threads; i++) {
        if (i > 0)
            pthread_join(a->lane[i]->thread, NULL);
        free(a->lane[i]);
    }
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->idle);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

bool ahead_full(const struct ahead *a)
{
    return a->rounds[a->queue].count == AHEAD_CHECKS_MAX;
}

void ahead_add(struct ahead *a, const struct rrset *set, struct signature *signature,
               struct key *key)
{
    if (ahead_full(a))
        return;
    a->rounds[a->queue].job[a->rounds[a->queue].count++] =
        (struct job){set, signature, key, KEY_UNSUPPORTED};
    signature->queued = true;
}

/* The judge may have made a check itself in the meantime. */
static void note(struct signature *s, const struct job *job)
{
    s->queued = false;
    for (unsigned i = 0; i < s->checks; i++)
        if (s->check[i].key == job->key)
            return;
    if (s->checks == SIGNATURE_CHECKS_MAX || job->result == KEY_UNSUPPORTED)
        return;
    s->check[s->checks].key = job->key;
    s->check[s->checks].charged = false;
    s->check[s->checks++].result = job->result;
}

static void finish(struct ahead *a)
{
    work(a, a->lane[0]);
    if (a->shared) {
        pthread_mutex_lock(&a->lock);
        while (a->busy > 0)
            pthread_cond_wait(&a->idle, &a->lock);
        pthread_mutex_unlock(&a->lock);
    }
    a->shared = false;
    for (size_t i = 0; i < a->rounds[a->running].count; i++)
        note(a->rounds[a->running].job[i].signature, &a->rounds[a->running].job[i]);
    a->rounds[a->running].count = 0;
}

static void begin(struct ahead *a)
{
    a->running = a->queue;
    a->queue = 1 - a->queue;
    atomic_store_explicit(&a->next, 0, memory_order_relaxed);
    a->shared = a->threads > 1 && a->rounds[a->running].count > 0;
    if (!a->shared)
        return;
    pthread_mutex_lock(&a->lock);
    a->busy = a->threads - 1;
    a->round++;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->lock);
}

void ahead_turn(struct ahead *a)
{
    finish(a);
    begin(a);
}

void ahead_run(struct ahead *a)
{
    ahead_turn(a);
    ahead_turn(a);
}
