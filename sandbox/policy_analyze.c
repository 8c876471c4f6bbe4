/*
 * policy of analyze: parses every hostile byte, and can do nothing but compute and write its
 * results.
 */
#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, FD_RESULTS),      ALLOW_FD(write, FD_HISTORY),
    ALLOW_FD(write, FD_WAKE_CAPTURE), ALLOW_FD(write, FD_WAKE_STORE),
#ifdef DNSBAILIFF_SANITIZED
    REFUSE(openat, EACCES),
#endif
};

const struct policy policy_of_this_process = {
    .process = PROCESS_analyze,
    .name = "analyze",
    POLICY_RULES(rules),
    .descriptors = 64,
};
