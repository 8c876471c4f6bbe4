/*
 * fds: the exact descriptor table every process is born with.
 *
 * Contained in: every process. One number means one thing everywhere; a process gets only the rows
 * that spawn.c's table gives it, and nothing else is open in it. 0 and 1 are /dev/null (1 is the
 * terminal only in the front door's own programs), 2 is the log: a pipe to the supervisor, which
 * passes lines on without control characters.
 */
#ifndef SANDBOX_FDS_H
#define SANDBOX_FDS_H

enum fd_number {
    FD_LOG = 2,          /* messages for the operator */
    FD_CONTROL = 3,      /* SOCK_SEQPACKET to the supervisor: struct control_msg both ways */
    FD_INPUTS = 4,       /* sealed memfd: settings, anchors, baseline, names (sandbox/inputs.h) */
    FD_RING = 5,         /* frame ring bytes: O_RDWR in capture, O_RDONLY in the readers */
    FD_RING_HEAD = 6,    /* producer's position: O_RDWR in capture, O_RDONLY in the readers */
    FD_TAIL_ANALYZE = 7, /* analyze's position: O_RDWR in analyze, O_RDONLY in capture and store */
    FD_TAIL_STORE = 8,   /* store's position: O_RDWR in store, O_RDONLY in capture and analyze */
    FD_WAKE_CAPTURE = 9, /* eventfds: whoever sleeps is woken through its own */
    FD_WAKE_ANALYZE = 10,
    FD_WAKE_STORE = 11,
    FD_RESULTS = 12,  /* stream socket: analyze writes messages, store reads (sandbox/channel.h) */
    FD_SIGN = 13,     /* stream socket: store or pack asks, sign answers */
    FD_DIGESTS = 14,  /* stream socket: digest writes hashes of the sources, store reads */
    FD_PROGRESS = 15, /* memfd: capture counts, the supervisor shows */
    FD_EVIDENCE = 16, /* directory: the evidence directory (store read-write, pack read-only) */
    FD_BUNDLE = 17,   /* the bundle being written (pack) */
    FD_IDENTITY = 18, /* directory of the identity (sign, read before confinement), or absent */
    FD_FORWARD = 19,  /* pipe: digest passes a stream on; capture reads it as the source whose own
                         descriptor (below) it does not have */
    FD_BUNDLE_DIR = 20,     /* supervisor only: where the bundle gets its name */
    FD_SCRATCH = 21,        /* supervisor only: its private evidence directory, to be emptied */
    FD_SCRATCH_PARENT = 22, /* supervisor only: the folder to remove that one from */
    FD_HISTORY = 23,        /* stream socket: analyze writes what it saw, history reads */
    FD_HANDOVER = 24,       /* SOCK_SEQPACKET: store hands history its files (sandbox/handover.h) */
    FD_SOURCES = 32         /* first source; source i is FD_SOURCES + i */
};

#endif
