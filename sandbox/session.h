/*
 * session: one run of the processes, from the first fork to the last exit status.
 *
 * Contained in: supervisor. The processes and what each of them gets are in one table per process
 * (session.c); the supervisor confines itself as soon as all have been started.
 */
#ifndef SANDBOX_SESSION_H
#define SANDBOX_SESSION_H

#include <stdbool.h>

#include "sandbox/files.h"
#include "sandbox/options.h"
#include "sandbox/place.h"

struct session {
    const struct options *options;
    const char *programs; /* folder of the programs */
    int inputs;           /* sealed memfd */
    int identity;         /* folder, or -1 */
    struct sources sources;
    struct place *place;
};

struct outcome {
    bool damaged;      /* a source was damaged; everything before the damage is in the results */
    char damage[240];  /* which and where */
    bool not_found;    /* explain: analyze saw no response that was asked for */
    char nearest[240]; /* what it did see */
    bool worst_known;  /* store said how grave the gravest finding is */
    unsigned worst;    /* msg_finished.worst */
};

/* Is the history kept in this run: it is wanted, and the evidence stays. */
bool session_keeps_history(const struct session *);
/* 0, EXIT_FAILED or EXIT_USAGE; then every process has ended, and the reason was logged. */
int session_run(const struct session *, struct outcome *ret_outcome);

#endif
