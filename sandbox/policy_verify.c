/*
 * policy of verify: parses a bundle that somebody else made; reads it, prints what it found.
 *
 * It is started by the user's shell, not by the supervisor: descriptors 0 to 2 are the terminal's,
 * everything else was opened by itself before it was confined.
 */
#include <fcntl.h>

#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, 1),
    ALLOW(pread64),
    ALLOW(readv),
    ALLOW(fadvise64),
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH), /* fstat as glibc makes it */
    REFUSE(openat, EACCES),                  /* libarchive looks for character sets */
};

const struct policy policy_of_this_process = {
    .process = PROCESS_verify,
    .name = "verify",
    POLICY_RULES(rules),
    .descriptors = 64,
    .grows_files = true, /* its standard output may be a file */
};
