/*
 * watch: what the supervisor looks at while a run lasts: the walls of every process as the kernel
 * shows them, and the clock.
 *
 * Contained in: supervisor. /proc/PID/status is opened before the supervisor confines itself, and
 * read again and again: it shows what holds now, not what the process said of itself.
 */
#ifndef SANDBOX_WATCH_H
#define SANDBOX_WATCH_H

#include "sandbox/condition.h"
#include "sandbox/confine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How often the clock is looked at in live capture, milliseconds. */
#define WATCH_MS 1000

typedef void watch_on_condition(void *context, const struct condition *);

struct watch {
    int status[PROCESS_COUNT]; /* /proc/PID/status; -1: takes no part */
    bool wrong[PROCESS_COUNT]; /* told */
    bool begun;
    int64_t looked_ns, walls_ns; /* boot clock, of the last look */
    int64_t offset_ns;           /* wall clock minus boot clock then */
    int64_t set_ns,
        set_sum_ns;      /* when the clock was last set, and by how much since all was well */
    unsigned free_looks; /* in a row that nothing disciplined the clock; told from 2 on */
};

void watch_init(struct watch *);
/* Before the supervisor is confined; a process that is watched already is replaced. */
void watch_process(struct watch *, enum process, pid_t);
void watch_ended(struct watch *, enum process);
/* Does nothing but compare clocks until it is time. `live`: the clock is what packets are stamped
 * by, and is looked at too. */
void watch_look(struct watch *, bool live, watch_on_condition *, void *context);
/* Of the text of /proc/PID/status: NULL, or what is not as the policy says (ret_why). */
const char *watch_walls(const char *status, char *ret_why, size_t room);
/* For the tests: the same look at given clocks (nanoseconds) and discipline. */
void watch_clock(struct watch *, int64_t boot_ns, int64_t wall_ns, bool is_free, int64_t error_us,
                 watch_on_condition *, void *context);

#endif
