/*
 * storage: room for evidence. Contained in: store. Must never end the process: what cannot be asked
 * is not told.
 *
 * Room shrinks by what anybody writes there, so it is the file system that is asked, not what we
 * wrote. What is too little is for the rules to say.
 */
#include "evidence/storage.h"

#include "sandbox/condition.h"

#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#define SECOND_NS INT64_C(1000000000)
#define SAMPLE_NS (60 * SECOND_NS)
/* Frames could be written for so many samples: the trouble is over. */
#define SOUND_SAMPLES 3

void storage_init(struct storage *s, int folder)
{
    *s = (struct storage){.folder = folder};
}

uint64_t storage_sample(struct storage *s, uint64_t free_bytes, int64_t now_ns)
{
    if (s->samples == STORAGE_SAMPLES) {
        memmove(s->free_bytes, s->free_bytes + 1, (STORAGE_SAMPLES - 1) * sizeof *s->free_bytes);
        memmove(s->at_ns, s->at_ns + 1, (STORAGE_SAMPLES - 1) * sizeof *s->at_ns);
        s->samples--;
    }
    s->free_bytes[s->samples] = free_bytes;
    s->at_ns[s->samples] = now_ns;
    s->samples++;
    int64_t seconds = (now_ns - s->at_ns[0]) / SECOND_NS;
    if (seconds <= 0 || free_bytes >= s->free_bytes[0])
        return 0;
    return (s->free_bytes[0] - free_bytes) / (uint64_t)seconds;
}

static void tell_unwritten(struct storage *s, const struct recorder *recorder)
{
    struct condition c = {.kind = CONDITION_UNWRITTEN};
    const char *why;
    c.part = recorder_unwritten(recorder, &why);
    s->sound++;
    if (c.part > s->unwritten) {
        s->unwritten = c.part;
        s->sound = 0;
        snprintf(c.how, sizeof c.how, "%s", why);
        condition_send(&c);
    } else if (s->unwritten && s->sound == SOUND_SAMPLES) {
        c.over = 1;
        condition_send(&c);
    }
}

void storage_watch(struct storage *s, const struct recorder *recorder, int64_t now_ns)
{
    struct statfs fs;
    if (now_ns < s->due_ns)
        return;
    s->due_ns = now_ns + SAMPLE_NS;
    tell_unwritten(s, recorder);
    if (fstatfs(s->folder, &fs) != 0 || fs.f_bsize <= 0)
        return;
    struct condition c = {.kind = CONDITION_SPACE,
                          .part = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize};
    c.all = storage_sample(s, c.part, now_ns);
    condition_send(&c);
}
