/*
 * progress: one line on the terminal, refreshed.
 *
 * Contained in: supervisor. Silent when standard error is no terminal.
 */
#ifndef SANDBOX_PROGRESS_H
#define SANDBOX_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/control.h"

struct progress_line {
    bool on;    /* there is a terminal to show it on */
    bool shown; /* the line is not empty */
    int64_t started_ns;
    int64_t rate_since_ns;
    uint64_t rate_from; /* frames at that time */
    double rate;        /* frames a second, smoothed */
};

void progress_start(struct progress_line *ret_line, bool wanted);
void progress_show(struct progress_line *, const struct progress *);
void progress_clear(struct progress_line *);

/* "1.4 GB" and the like, into ret_text; returns it. */
const char *progress_bytes(uint64_t bytes, char *ret_text, unsigned room);

#endif
