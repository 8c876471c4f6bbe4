/*
 * control: the few words between the supervisor and each process, over FD_CONTROL (SOCK_SEQPACKET).
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

enum control_word {
    CONTROL_READY = 1,    /* process -> supervisor: confined, waiting for GO */
    CONTROL_GO = 2,       /* supervisor -> process: all processes are ready */
    CONTROL_STOP = 3,     /* supervisor -> capture: stop at the next frame, publish RING_END */
    CONTROL_ROTATE = 4,   /* supervisor -> store: close the current segment now */
    CONTROL_STATS = 5,    /* supervisor -> analyze: a stats event now */
    CONTROL_DONE = 6,     /* process -> supervisor: finished; `status` below */
    CONTROL_TEXT = 7,     /* process -> supervisor: one line for the operator (already escaped) */
    CONTROL_CONDITION = 8 /* store -> supervisor -> analyze: sandbox/condition.h */
};

enum control_status {
    DONE_OK = 0,
    DONE_NOT_FOUND =
        1,           /* analyze, explain: nothing seen that was asked for; the text says what was */
    DONE_DAMAGED = 2 /* capture: a source was damaged; all before the damage was passed on */
};

/* The text of store's DONE: the gravest finding, msg_finished.worst (sandbox/channel.h). */
#define CONTROL_WORST "worst=%u"

struct control_msg {
    uint32_t word;
    uint32_t status;
    char text[240]; /* NUL-terminated */
};

/* Blocks for GO; ends the process if the supervisor is gone. Call right after confine(). */
void control_await_go(void);
void control_send(enum control_word, uint32_t status, const char *text);
/* The whole word, for those that are more than one. */
void control_write(const struct control_msg *);
/* The next word without blocking; 0 none. Ends the process if the supervisor is gone. */
enum control_word control_poll(void);
/* The same with all that came with it. */
enum control_word control_poll_msg(struct control_msg *ret_msg);

/* Shared page, written by capture, shown by the supervisor. */
struct progress {
    uint64_t bytes_done, bytes_total; /* of the sources as stored; total 0 unknown */
    uint64_t frames;
};
struct progress *control_progress(void); /* maps FD_PROGRESS; before confinement */

#endif
