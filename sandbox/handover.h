/*
 * handover: open files from one process to another, over a SOCK_SEQPACKET socket (SCM_RIGHTS).
 *
 * Contained in: store, history. The one case in which a process gets descriptors that it was not
 * born with: history's files lie in a folder that store makes after all have been confined, and
 * history may open nothing itself.
 */
#ifndef SANDBOX_HANDOVER_H
#define SANDBOX_HANDOVER_H

#include <stddef.h>

#define HANDOVER_MAX 8

/* Sends `count` descriptors (borrowed; -1: none in that place). 0 or a negative errno. */
int handover_give(int socket, const int *fds, size_t count);
/* Waits for exactly `count`; ret_fds are the caller's, close on exec. 0 or a negative errno: EPIPE
 * when the giver is gone, EPROTO when it sent something else. */
int handover_take(int socket, int *ret_fds, size_t count);

#endif
