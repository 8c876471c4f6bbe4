/*
 * policy of the supervisor, raised when all its children have been started: it waits for them, ends
 * them, shows progress, and puts the finished bundle in its place.
 */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "sandbox/fds.h"
#include "sandbox/policy.h"

static const struct policy_rule rules[] = {
    ALLOW(write),
    ALLOW(wait4),
    ALLOW(waitid),
    ALLOW(kill),
    ALLOW(pidfd_send_signal),
    ALLOW_ARG(ioctl, 1, TIOCGWINSZ),
    ALLOW(adjtimex), /* asks whether the clock is disciplined; to set it takes a capability */
    /* the report, the bundle's name, and the removal of a private or empty evidence directory */
    ALLOW(openat),
    ALLOW(newfstatat),
    ALLOW(getdents64),
    ALLOW(unlinkat),
    ALLOW(linkat),
    ALLOW(renameat2),
    ALLOW(fsync),
    ALLOW(flock),
    ALLOW_ARG(fcntl, 1, F_SETFD),
    ALLOW_ARG(fcntl, 1, F_DUPFD_CLOEXEC),
};

#define REMOVES (FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR)

const struct policy policy_of_this_process = {
    .process = PROCESS_supervisor,
    .name = "supervisor",
    POLICY_RULES(rules),
    .paths = {{.fd = FD_EVIDENCE, .rights = FS_READ_FILE | FS_READ_DIR, .optional = true},
              {.fd = FD_BUNDLE_DIR,
               .rights = FS_READ_DIR | FS_WRITE_FILE | FS_MAKE_REG | FS_REMOVE_FILE,
               .optional = true},
              {.fd = FD_SCRATCH, .rights = REMOVES, .optional = true},
              {.fd = FD_SCRATCH_PARENT, .rights = FS_READ_DIR | FS_REMOVE_DIR, .optional = true}},
    .descriptors = 1024,
    .grows_files = true,
    .dumpable = true, /* /proc/self/fd must stay its own: the bundle is linked through it */
    .signals = true,
};
