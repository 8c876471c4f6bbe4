/*
 * policy of sign: holds the keys; reads a request, writes an answer, and nothing else.
 */
#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, FD_SIGN),
    ALLOW(mlock), /* key pages */
    ALLOW(munlock),
#ifdef DNSBAILIFF_SANITIZED
    REFUSE(openat, EACCES),
#endif
};

const struct policy policy_of_this_process = {
    .process = PROCESS_sign,
    .name = "sign",
    POLICY_RULES(rules),
    .descriptors = 64,
};
