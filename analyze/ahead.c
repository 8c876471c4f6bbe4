/*
 * ahead: a pool of threads for signature checks.
 *
 * Contained in: analyze, tests. A thread touches nothing but its own job, its own lane of the key
 * and its own buffer.
 */
#include "analyze/ahead.h"

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
    uint64_t round;   /* grows with each ahead_run */
    bool ending;
    size_t count;
    atomic_size_t next; /* job to take */
    struct lane *lane[KEY_LANES];
    struct job job[AHEAD_CHECKS_MAX];
};

static void work(struct ahead *a, struct lane *lane)
{
    size_t i;
    while ((i = atomic_fetch_add_explicit(&a->next, 1, memory_order_relaxed)) < a->count) {
        struct job *job = &a->job[i];
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
    return a->count == AHEAD_CHECKS_MAX;
}

void ahead_add(struct ahead *a, const struct rrset *set, struct signature *signature,
               struct key *key)
{
    if (ahead_full(a))
        return;
    a->job[a->count++] = (struct job){set, signature, key, KEY_UNSUPPORTED};
    signature->queued = true;
}

/* Waking a thread costs about as much as one check. */
#define WORTH_SHARING 2

void ahead_run(struct ahead *a)
{
    atomic_store_explicit(&a->next, 0, memory_order_relaxed);
    bool share = a->threads > 1 && a->count >= WORTH_SHARING;
    if (share) {
        pthread_mutex_lock(&a->lock);
        a->busy = a->threads - 1;
        a->round++;
        pthread_cond_broadcast(&a->work);
        pthread_mutex_unlock(&a->lock);
    }
    work(a, a->lane[0]);
    if (share) {
        pthread_mutex_lock(&a->lock);
        while (a->busy > 0)
            pthread_cond_wait(&a->idle, &a->lock);
        pthread_mutex_unlock(&a->lock);
    }
    for (size_t i = 0; i < a->count; i++) {
        struct signature *s = a->job[i].signature;
        s->queued = false;
        if (s->checks < SIGNATURE_CHECKS_MAX && a->job[i].result != KEY_UNSUPPORTED) {
            s->check[s->checks].key = a->job[i].key;
            s->check[s->checks].charged = false;
            s->check[s->checks++].result = a->job[i].result;
        }
    }
    a->count = 0;
}
