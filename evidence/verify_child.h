/*
 * verify_child: how a command reads what may be hostile: in a child of its own, behind the walls of
 * its process, with nothing but memory to say what it found; and how it prints.
 *
 * Contained in: verify, explain, report, lookup.
 */
#ifndef EVIDENCE_VERIFY_CHILD_H
#define EVIDENCE_VERIFY_CHILD_H

#include "sandbox/confine.h"

#include <stdbool.h>
#include <stddef.h>

struct verify_child {
    enum process process;
    void (*prepare)(
        void); /* in the child, before its walls: what libraries open once. NULL: none */
    void (*work)(void *context);
    void *context;
    bool *is_complete; /* in shared memory: set when `work` has returned */
    /* In the parent, a few times a second while it goes on; NULL: nobody watches. */
    void (*watch)(void *context);
};

/* Runs it to its end: true if it came there. *ret_signal (may be NULL) is the signal that ended it,
 * 0 none. Ends the process when no child can be made. */
bool verify_child_run(const struct verify_child *, int *ret_signal);

/* Writes all of it, or ends the process with that exit status. */
void verify_child_print(int fd, const char *text, size_t size, int status);

#endif
