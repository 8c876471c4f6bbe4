/*
 * policy of history: writes a database whose files store has handed over, and can open nothing.
 *
 * It turns bytes of packets into text and runs SQLite, so it has no file system at all: not even
 * the folder that its files lie in. Writes by position are not pinned, since SQLite works on
 * duplicates; what it holds besides its files is read-only (inputs) or a socket.
 */
#include <fcntl.h>

#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW(pread64),
    ALLOW(pwrite64),
    ALLOW(ftruncate),
    ALLOW(fsync),
    ALLOW(fdatasync),
    ALLOW(fadvise64),
    ALLOW_FD(recvmsg, FD_HANDOVER),
    ALLOW_FD(write, FD_HANDOVER),
    ALLOW_ARG(fcntl, 1, F_SETFD),
    ALLOW_ARG(fcntl, 1, F_DUPFD_CLOEXEC),
    ALLOW_ARG(fcntl, 1, F_GETLK),
    ALLOW_ARG(fcntl, 1, F_SETLK),
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH), /* fstat as glibc makes it */
#ifdef DNSBAILIFF_SANITIZED
    REFUSE(openat, EACCES),
#endif
};

const struct policy policy_of_this_process = {
    .process = PROCESS_history,
    .name = "history",
    POLICY_RULES(rules),
    .descriptors = 64,
    .grows_files = true,
};
