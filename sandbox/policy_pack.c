/*
 * policy of pack: reads beneath the evidence directory, writes the bundle's descriptor.
 */
#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW_FD(write, FD_BUNDLE),
    ALLOW_FD(writev, FD_BUNDLE),
    ALLOW_FD(pwrite64, FD_BUNDLE),
    ALLOW_FD(ftruncate, FD_BUNDLE),
    ALLOW_FD(fsync, FD_BUNDLE),
    ALLOW_FD(fdatasync, FD_BUNDLE),
    ALLOW_FD(write, FD_SIGN),
    ALLOW(openat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(getdents64),
    ALLOW(pread64),
    ALLOW(readv),
    ALLOW(fadvise64),
    ALLOW(faccessat2),
    ALLOW_ARG(fcntl, 1, 2 /* F_SETFD */),
};

const struct policy policy_of_this_process = {
    .process = PROCESS_pack,
    .name = "pack",
    POLICY_RULES(rules),
    .paths = {{.fd = FD_EVIDENCE, .rights = FS_READ_FILE | FS_READ_DIR}},
    .descriptors = 256,
    .grows_files = true,
};
