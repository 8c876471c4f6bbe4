/*
 * policy: what one process may do once it is confined; a table, read by confine.c.
 *
 * Contained in: every process that is confined. Each program links exactly one policy_<process>.c,
 * which defines `policy_of_this_process`; so what a program may do stands in its own file, and a
 * program without a policy does not link.
 */
#ifndef SANDBOX_POLICY_H
#define SANDBOX_POLICY_H

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/confine.h"

/* One system call. Without a row a call kills the process. `error` 0 allows it; another number
 * refuses it with that errno and lets the process live: only for calls that a library makes of its
 * own accord and whose refusal it handles. */
struct policy_rule {
    int number; /* of the system call; negative: this architecture does not have it */
    int error;
    bool compared; /* only when (argument & mask) == value */
    uint8_t argument;
    uint64_t mask, value;
};

#define ALLOW(call)                                                                                \
    {                                                                                              \
        .number = SCMP_SYS(call)                                                                   \
    }
#define REFUSE(call, errno_)                                                                       \
    {                                                                                              \
        .number = SCMP_SYS(call), .error = (errno_)                                                \
    }
#define ALLOW_IF(call, argument_, mask_, value_)                                                   \
    {                                                                                              \
        .number = SCMP_SYS(call), .compared = true, .argument = (argument_), .mask = (mask_),      \
        .value = (value_)                                                                          \
    }
/* Only with this number (32 bits, as the kernel reads it) as argument `argument_`. */
#define ALLOW_ARG(call, argument_, value_)                                                         \
    ALLOW_IF(call, argument_, 0xffffffffu, (uint32_t)(value_))
/* Only on this descriptor. */
#define ALLOW_FD(call, fd_) ALLOW_ARG(call, 0, fd_)

/* Landlock rights beneath a directory; the numbers are the kernel's, the header may be older. */
#define FS_EXECUTE     ((uint64_t)1 << 0)
#define FS_WRITE_FILE  ((uint64_t)1 << 1)
#define FS_READ_FILE   ((uint64_t)1 << 2)
#define FS_READ_DIR    ((uint64_t)1 << 3)
#define FS_REMOVE_DIR  ((uint64_t)1 << 4)
#define FS_REMOVE_FILE ((uint64_t)1 << 5)
#define FS_MAKE_DIR    ((uint64_t)1 << 7)
#define FS_MAKE_REG    ((uint64_t)1 << 8)
#define FS_REFER       ((uint64_t)1 << 13) /* from ABI 2 */
#define FS_TRUNCATE    ((uint64_t)1 << 14) /* from ABI 3 */

struct policy_path {
    int fd; /* an open directory (sandbox/fds.h) */
    uint64_t rights;
    bool optional; /* the descriptor may be absent; then nothing is allowed */
};

struct policy {
    enum process process;
    const char *name;
    const struct policy_rule *rules;
    size_t rule_count;
    struct policy_path paths[4]; /* rights 0 ends; none: no filesystem at all */
    uint32_t descriptors;        /* RLIMIT_NOFILE: no descriptor from this number on */
    bool grows_files;            /* else RLIMIT_FSIZE is 0 */
    bool dumpable;               /* only with a reason beside it */
    bool signals;                /* may signal processes outside; only the supervisor */
};

#define POLICY_RULES(table) .rules = (table), .rule_count = sizeof(table) / sizeof(table)[0]

extern const struct policy policy_of_this_process;

#endif
