/*
 * relay: what the processes say, passed on to the operator line by line.
 *
 * Contained in: supervisor. A process that was taken over can write anything to its log; it reaches
 * the terminal under that process's own name and without control characters.
 */
#ifndef SANDBOX_RELAY_H
#define SANDBOX_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct relay {
    int fd;           /* read end of the log pipe, not blocking; -1 closed */
    const char *name; /* of the process, borrowed */
    size_t used;
    bool cut; /* the rest of a line that was too long is being thrown away */
    char line[1000];
};

void relay_init(struct relay *ret_relay, int fd, const char *name);
/* Passes on what is there; true while the pipe is open. `before` (may be NULL) is called once
 * before something is printed. */
bool relay_pump(struct relay *, void (*before)(void *), void *context);
/* Copies a text of our own (a report) to standard output: lines and tabs stay, other control
 * characters do not. Returns 0, or -1 when it cannot be written. */
int relay_text(const char *text, size_t size);

#endif
