/*
 * voices: short lists of questions and resolvers, in which the longest silent gives way.
 *
 * Contained in: analyze, tests. Must never: grow beyond its limits.
 */
#include "analyze/follow/voices.h"

#include <stdlib.h>
#include <string.h>

#define QUESTIONS_FIRST 2

struct voices *voices_new(void)
{
    struct voices *v = calloc(1, sizeof *v);
    if (v)
        v->bytes = sizeof *v;
    return v;
}

static void drop(struct voices *v, struct voices_question *q)
{
    v->bytes -= q->size + q->voices * sizeof *q->voice;
    free(q->name);
    free(q->voice);
}

size_t voices_free(struct voices *v)
{
    if (v == NULL)
        return 0;
    size_t bytes = v->bytes;
    for (size_t i = 0; i < v->questions; i++)
        drop(v, &v->question[i]);
    free(v->question);
    free(v);
    return bytes;
}

/* --- questions --- */

struct voices_question *voices_find(const struct voices *v, uint64_t hash)
{
    for (size_t i = 0; i < v->questions; i++)
        if (v->question[i].hash == hash)
            return &v->question[i];
    return NULL;
}

static bool grow(struct voices *v)
{
    size_t room = v->room ? v->room * 2 : QUESTIONS_FIRST;
    struct voices_question *more = reallocarray(v->question, room, sizeof *more);
    if (more == NULL)
        return false;
    v->bytes += (room - v->room) * sizeof *more;
    v->question = more;
    v->room = room;
    return true;
}

/* A free place: a new one, or that of the question not heard of for the longest time. */
static struct voices_question *place(struct voices *v)
{
    if (v->questions < HEALTH_QUESTIONS_MAX) {
        if (v->questions == v->room && !grow(v))
            return NULL;
        return &v->question[v->questions++];
    }
    struct voices_question *oldest = v->question;
    for (size_t i = 1; i < v->questions; i++)
        if (v->question[i].last_ns < oldest->last_ns)
            oldest = &v->question[i];
    drop(v, oldest);
    return oldest;
}

struct voices_question *voices_question(struct voices *v, uint64_t hash, const uint8_t *name,
                                        uint16_t type, int64_t time_ns)
{
    struct voices_question *q = voices_find(v, hash);
    if (q) {
        if (time_ns > q->last_ns)
            q->last_ns = time_ns;
        return q;
    }
    size_t size = name_size(name);
    uint8_t *copy = malloc(size);
    q = copy ? place(v) : NULL;
    if (q == NULL) {
        free(copy);
        return NULL;
    }
    memcpy(copy, name, size);
    *q = (struct voices_question){.hash = hash,
                                  .name = copy,
                                  .type = type,
                                  .size = (uint16_t)size,
                                  .last_ns = time_ns,
                                  .split_ns = VOICES_NEVER};
    v->bytes += size;
    return q;
}

/* --- voices --- */

static bool is_at(uint8_t family, const uint8_t *address, uint8_t other_family,
                  const uint8_t *other)
{
    return family == other_family && memcmp(address, other, 16) == 0;
}

struct voice *voices_voice(struct voices_question *q, uint8_t family, const uint8_t address[16])
{
    for (uint8_t i = 0; i < q->voices; i++)
        if (is_at(q->voice[i].family, q->voice[i].address, family, address))
            return &q->voice[i];
    return NULL;
}

static int64_t last_heard(const struct voice *v)
{
    int64_t last = v->failed_ns > v->bare_ns ? v->failed_ns : v->bare_ns;
    for (unsigned cd = 0; cd < 2; cd++)
        last = v->data_ns[cd] > last ? v->data_ns[cd] : last;
    return last;
}

struct voice *voices_hear(struct voices *v, struct voices_question *q, uint8_t family,
                          const uint8_t address[16])
{
    struct voice *voice = voices_voice(q, family, address);
    if (voice)
        return voice;
    if (q->voices < VOICES_MAX) {
        struct voice *more = reallocarray(q->voice, q->voices + 1u, sizeof *more);
        if (more == NULL)
            return NULL;
        v->bytes += sizeof *more;
        q->voice = more;
        voice = &more[q->voices++];
    } else {
        voice = q->voice;
        for (uint8_t i = 1; i < q->voices; i++)
            if (last_heard(&q->voice[i]) < last_heard(voice))
                voice = &q->voice[i];
    }
    *voice = (struct voice){.family = family,
                            .ede = HEALTH_NO_EDE,
                            .first_failed_ns = VOICES_NEVER,
                            .failed_ns = VOICES_NEVER,
                            .data_ns = {VOICES_NEVER, VOICES_NEVER},
                            .bare_ns = VOICES_NEVER};
    memcpy(voice->address, address, sizeof voice->address);
    return voice;
}

/* --- runs --- */

struct voices_run *voices_run(struct voices *v, uint8_t family, const uint8_t address[16])
{
    for (size_t i = 0; i < v->runs; i++)
        if (is_at(v->run[i].family, v->run[i].address, family, address))
            return &v->run[i];
    return NULL;
}

struct voices_run *voices_run_of(struct voices *v, uint8_t family, const uint8_t address[16],
                                 int64_t time_ns)
{
    struct voices_run *run = voices_run(v, family, address);
    if (run == NULL) {
        run = v->run;
        if (v->runs < VOICES_RUNS_MAX)
            run = &v->run[v->runs++];
        else
            for (size_t i = 1; i < v->runs; i++)
                if (v->run[i].last_ns < run->last_ns)
                    run = &v->run[i];
        *run = (struct voices_run){.family = family,
                                   .since_ns = VOICES_NEVER,
                                   .bare_ns = VOICES_NEVER,
                                   .ad_ns = VOICES_NEVER,
                                   .last_ns = time_ns};
        memcpy(run->address, address, sizeof run->address);
    }
    if (time_ns > run->last_ns)
        run->last_ns = time_ns;
    return run;
}

/* --- counting --- */

void voices_turn(struct voices_rate *r, int64_t time_ns)
{
    const int64_t length = HEALTH_WINDOW_NS / VOICES_SLOTS;
    bool first = r->until_ns == 0;
    int64_t late = flow_elapsed(r->until_ns, time_ns) / length;
    for (int64_t i = 0; !first && i <= late && i < VOICES_SLOTS; i++) {
        r->slot = (uint8_t)((r->slot + 1) % VOICES_SLOTS);
        r->answered_at[r->slot] = r->answered;
        r->failed_at[r->slot] = r->failed;
    }
    if (__builtin_add_overflow(time_ns, length, &r->until_ns))
        r->until_ns = INT64_MAX;
}
