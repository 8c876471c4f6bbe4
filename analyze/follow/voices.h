/*
 * voices: what each resolver said to the questions of a zone that had trouble.
 *
 * Contained in: analyze, tests. Hangs on the notes of a zone (analyze/follow/usage.h) and is
 * counted with them. A zone has it only once something of it failed: a few bytes for one failure,
 * at most some 20 KiB. The longest silent gives way where a list is full. No verdict looks at it.
 */
#ifndef ANALYZE_FOLLOW_VOICES_H
#define ANALYZE_FOLLOW_VOICES_H

#include "analyze/decode/flow.h"
#include "analyze/facts.h"

/* Resolvers remembered of one question: a validating and a non-validating one, and their spares. */
#define VOICES_MAX 4
/* Resolvers remembered of one zone. */
#define VOICES_RUNS_MAX 8
/* Parts of HEALTH_WINDOW_NS in which responses are counted. */
#define VOICES_SLOTS 5
#define VOICES_NEVER INT64_MIN

struct voice { /* one resolver, one question; times are packet times, VOICES_NEVER: never */
    uint8_t family, address[16];
    uint8_t cause;                      /* enum health_cause of the last SERVFAIL */
    uint16_t ede;                       /* of the last SERVFAIL, HEALTH_NO_EDE none */
    uint8_t verdict[2];                 /* enum verdict_kind of the data, by CD */
    int64_t first_failed_ns, failed_ns; /* SERVFAIL with CD=0, since it last gave data */
    int64_t data_ns[2];                 /* last data, by CD */
    int64_t bare_ns;                    /* last secure data without AD */
    uint64_t failed_frame, data_frame[2], bare_frame; /* the first within the window */
};

struct voices_question {
    uint64_t hash; /* of name and type */
    uint8_t *name; /* canonical */
    uint16_t type, size;
    uint8_t voices;
    int64_t last_ns;
    int64_t split_ns; /* when the rules were last told that opinions differ */
    struct voice *voice;
};

struct voices_run { /* one resolver, the whole zone */
    uint8_t family, address[16];
    bool dark;        /* the rules say that the zone is dark behind it */
    int64_t since_ns; /* first failure since it last answered for the zone; VOICES_NEVER: none */
    int64_t bare_ns;  /* first secure answer without AD since the last with AD */
    int64_t ad_ns;    /* last answer with AD */
    uint64_t count;   /* failures since `since_ns` */
    int64_t last_ns;
};

struct voices {
    size_t bytes;
    struct voices_question *question;
    size_t questions, room;
    struct voices_run run[VOICES_RUNS_MAX];
    size_t runs;
    struct finding *spike, *dark, *split; /* what the rules made of it, or NULL */
};

struct voices_rate { /* responses of resolvers to queries with CD=0: so far, and when slots began */
    uint64_t answered, failed;
    uint64_t answered_at[VOICES_SLOTS], failed_at[VOICES_SLOTS];
    int64_t until_ns; /* of the current slot; 0 none yet */
    uint8_t slot;
};

struct voices *voices_new(void);     /* NULL without memory */
size_t voices_free(struct voices *); /* returns its bytes; NULL is fine */

/* The question, or NULL. */
struct voices_question *voices_find(const struct voices *, uint64_t hash);
/* The same, made if it is not there; NULL without memory. */
struct voices_question *voices_question(struct voices *, uint64_t hash, const uint8_t *name,
                                        uint16_t type, int64_t time_ns);
/* What that resolver said to it; NULL: nothing yet. */
struct voice *voices_voice(struct voices_question *, uint8_t family, const uint8_t address[16]);
/* The same, made if it is not there; NULL without memory. */
struct voice *voices_hear(struct voices *, struct voices_question *, uint8_t family,
                          const uint8_t address[16]);
/* That resolver's, or NULL. */
struct voices_run *voices_run(struct voices *, uint8_t family, const uint8_t address[16]);
/* The same, made if it is not there. */
struct voices_run *voices_run_of(struct voices *, uint8_t family, const uint8_t address[16],
                                 int64_t time_ns);

/* Out of line: begins the slot of that time. */
void voices_turn(struct voices_rate *, int64_t time_ns);
/* To be called before counting. True if a slot ended. */
static inline bool voices_tick(struct voices_rate *r, int64_t time_ns)
{
    if (time_ns < r->until_ns)
        return false;
    voices_turn(r, time_ns);
    return true;
}

/* Within the window of `now_ns`, and at all? */
static inline bool voices_lately(int64_t time_ns, int64_t now_ns)
{
    return time_ns != VOICES_NEVER && flow_elapsed(time_ns, now_ns) <= HEALTH_WINDOW_NS;
}

#endif
