/*
 * policy of digest: reads the source files, writes their hashes, and passes a stream on.
 */
#include <fcntl.h>

#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, FD_DIGESTS),
    ALLOW_FD(write, FD_FORWARD),
    ALLOW(pread64),
    ALLOW(fadvise64),
    ALLOW_ARG(newfstatat, 3, AT_EMPTY_PATH), /* fstat: has the file changed meanwhile */
#ifdef DNSBAILIFF_SANITIZED
    REFUSE(openat, EACCES),
#endif
};

const struct policy policy_of_this_process = {
    .process = PROCESS_digest,
    .name = "digest",
    POLICY_RULES(rules),
    .descriptors = 64,
};
