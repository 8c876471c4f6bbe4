/*
 * policy of lookup: reads a history that somebody else may have made, prints what is in it.
 *
 * It is started by the user's shell, not by the supervisor: descriptors 0 to 2 are the terminal's,
 * everything else was opened for reading before it was confined. The locks are those of a reader,
 * beside a sensor that writes.
 */
#include <fcntl.h>

#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW(pread64),
    ALLOW(readv),
    ALLOW(fadvise64),
    ALLOW_ARG(fcntl, 1, F_SETFD),
    ALLOW_ARG(fcntl, 1, F_DUPFD_CLOEXEC),
    ALLOW_ARG(fcntl, 1, F_GETLK),
    ALLOW_ARG(fcntl, 1, F_SETLK),
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH), /* fstat as glibc makes it */
    REFUSE(openat, EACCES),                  /* libraries look for character sets */
};

const struct policy policy_of_this_process = {
    .process = PROCESS_lookup,
    .name = "lookup",
    POLICY_RULES(rules),
    .descriptors = 64,
};
