/*
 * condition: how the sensor itself is, as processes see it that know no findings; told over the
 * control sockets: store -> supervisor -> analyze, and supervisor -> analyze, who judges it.
 *
 * Contained in: supervisor, store, analyze. Numbers and short texts of our own, never of a packet.
 */
#ifndef SANDBOX_CONDITION_H
#define SANDBOX_CONDITION_H

#include "sandbox/control.h"

#include <stdbool.h>
#include <stdint.h>

enum condition_kind {
    CONDITION_CLOCK_SET = 1, /* supervisor: wall clock and boot clock drifted apart at once; how */
    CONDITION_CLOCK_FREE,    /* supervisor: the kernel says that nothing disciplines the clock */
    CONDITION_SPACE,         /* store: part bytes are free, and become all bytes a second fewer */
    CONDITION_UNWRITTEN,     /* store: part frames could not be written; how */
    CONDITION_HISTORY,       /* supervisor: the process that keeps the history has ended; how */
    CONDITION_WALLS          /* supervisor: confinement of process `name`, read back; how */
};

struct condition {
    uint32_t kind; /* enum condition_kind */
    uint32_t over; /* 1: was so, and is no longer */
    uint64_t part, all;
    char name[24], how[160]; /* printable ASCII, NUL-terminated; "" none */
};

/* Sends it over FD_CONTROL. */
void condition_send(const struct condition *);
/* As a word, to be written by the caller. */
void condition_pack(const struct condition *, struct control_msg *ret_msg);
/* False: the word is another, or no process of ours would say that. */
bool condition_unpack(const struct control_msg *, struct condition *ret_condition);

#endif
