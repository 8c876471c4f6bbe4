/*
 * policy of store: reads and writes beneath the evidence directory, and nowhere else (Landlock).
 *
 * Writes are not pinned to descriptors, since it opens files all the time; what it holds besides
 * them is read-only (ring) or its own (tail, wake-ups, sign).
 */
#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW(write),
    ALLOW(writev),
    ALLOW(pwrite64),
    ALLOW(pwritev),
    ALLOW(pread64),
    ALLOW(preadv),
    ALLOW(openat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(getdents64),
    ALLOW(mkdirat),
    ALLOW(renameat),
    ALLOW(renameat2),
    ALLOW(linkat),
    ALLOW(unlinkat),
    ALLOW(ftruncate),
    ALLOW(fallocate),
    ALLOW(fadvise64),
    ALLOW(sync_file_range),
    ALLOW(copy_file_range),
    ALLOW(fsync),
    ALLOW(fdatasync),
    ALLOW(fstatfs),
    ALLOW(flock),
    ALLOW(faccessat2),
    ALLOW_ARG(fcntl, 1, 2 /* F_SETFD */),
    ALLOW_FD(sendmsg, FD_HANDOVER),
};

const struct policy policy_of_this_process = {
    .process = PROCESS_store,
    .name = "store",
    POLICY_RULES(rules),
    .paths = {{.fd = FD_EVIDENCE,
               .rights = FS_READ_FILE | FS_WRITE_FILE | FS_READ_DIR | FS_MAKE_REG | FS_MAKE_DIR |
                         FS_REMOVE_FILE | FS_REMOVE_DIR | FS_REFER | FS_TRUNCATE}},
    .descriptors = 256,
    .grows_files = true,
};
