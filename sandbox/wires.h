/*
 * wires: what joins the processes, and the table of what each of them is born with.
 *
 * Contained in: supervisor. The tables here and the policies (policy_<process>.c) are together what
 * a process can reach.
 */
#ifndef SANDBOX_WIRES_H
#define SANDBOX_WIRES_H

#include <stddef.h>
#include <stdint.h>

#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/ring.h"
#include "sandbox/session.h"
#include "sandbox/spawn.h"

#define WIRES_ROWS 20 /* at most, log and control included, sources not */

/* Everything that joins two processes; the supervisor's copies are closed after the start. */
struct wires {
    struct ring_fds ring;
    int results[2], sign[2], digests[2]; /* [0] is the one who speaks first */
    int history[2];                      /* the same; [0] does not block */
    int handover[2];                     /* SOCK_SEQPACKET: store, history */
    int forward[2];                      /* pipe; [0] is read by capture */
    int progress;
};

/* Makes what this command needs; the rest is -1. Ends the process on failure. Returns the progress
 * page, mapped for reading, or NULL if there is none. */
const struct progress *wires_make(const struct session *, struct wires *ret_wires);
void wires_close(struct wires *);

/* The rows of one process besides log, control and sources (absent descriptors are -1, spawn leaves
 * them out); how many. Descriptors are borrowed. */
size_t wires_rows(const struct wires *, const struct session *, enum process,
                  struct spawn_row rows[WIRES_ROWS]);
/* Its sources, each as a description of its own, to be closed by the caller unless it is a stream;
 * how many. */
size_t wires_sources(const struct session *, enum process, struct spawn_row *rows);
/* RLIMIT_AS of the process in bytes, 0 none. */
uint64_t wires_address_space(const struct session *, enum process);

#endif
