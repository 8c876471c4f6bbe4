/*
 * confine: the walls of a process, raised by itself before it reads anything hostile.
 *
 * Contained in: every process. Order: no_new_privs, capabilities (all sets and the bounding set
 * empty), rlimits, Landlock, seccomp (default action: kill the process). Each step is read back
 * from the kernel; any failure ends the process. DNSBAILIFF_CONFINE=trace in the environment of the
 * supervisor makes the filter log and name what it refused, for development; it is reported as
 * unconfined.
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

/* One name per process; policy_<name>.c says what each may do. */
#define PROCESSES(X)                                                                               \
    X(supervisor)                                                                                  \
    X(capture) X(analyze) X(store) X(sign) X(digest) X(pack) X(verify) X(history) X(lookup)

enum process {
#define X(name) PROCESS_##name,
    PROCESSES(X)
#undef X
        PROCESS_COUNT
};

/* Ends the process with a message on any failure. Afterwards reports READY on FD_CONTROL if that is
 * open. */
void confine(enum process);

/* For a process with helper threads (analyze): each raises the walls that bind one thread
 * (no_new_privs, capabilities, Landlock) before it is given work, and all have done so before the
 * process calls confine, which counts them and puts its filter on every one. */
void confine_thread(void);

#endif
