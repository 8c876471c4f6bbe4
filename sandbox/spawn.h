/*
 * spawn: one process, born with an exact table of descriptors and nothing else.
 *
 * Contained in: supervisor.
 */
#ifndef SANDBOX_SPAWN_H
#define SANDBOX_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn_row {
    int target; /* number in the child (sandbox/fds.h) */
    int fd;     /* ours, borrowed; -1: the child does not have it */
};

struct spawn {
    const char *folder; /* of the programs */
    const char *name;   /* program, as "analyze" */
    const struct spawn_row *rows;
    size_t row_count;
    uint64_t address_space; /* RLIMIT_AS in bytes, 0 none */
};

/* Starts it in its own process group, so that a key pressed at the terminal reaches the supervisor
 * alone; it dies with the supervisor. 0 and 1 are /dev/null unless the rows say otherwise. The
 * process id, or -1 with errno. A program that cannot be executed says so and exits with 127. */
pid_t spawn_start(const struct spawn *);

#endif
