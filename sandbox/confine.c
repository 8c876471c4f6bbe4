/*
 * confine: raises the walls of a process and reads each one back from the kernel.
 *
 * Contained in: every process that is confined. Must never: go on after a step that did not take
 * effect. Each step is a pair of functions: `raise` asks the kernel, `stands` finds out without
 * trusting the first one's return value whether the wall is there.
 */
#include "sandbox/confine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/policy.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* --- the table that all processes share: memory, time, sleeping, the end --------------------- */

static const struct policy_rule common_rules[] = {
    ALLOW(read),
    ALLOW_FD(write, FD_LOG),
    ALLOW_FD(write, FD_CONTROL),
    ALLOW(close),
    ALLOW(lseek),
    ALLOW(fstat),
    ALLOW(poll),
    ALLOW(ppoll),
    ALLOW(exit),
    ALLOW(exit_group),
    ALLOW(restart_syscall),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigprocmask),
    ALLOW(rt_sigaction),
    ALLOW(brk),
    ALLOW_IF(mmap, 2, PROT_EXEC, 0),     /* nothing new may be executed */
    ALLOW_IF(mprotect, 2, PROT_EXEC, 0), /* … nor be made executable */
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(clock_gettime),
    ALLOW(clock_getres),
    ALLOW(gettimeofday),
    ALLOW(time),
    ALLOW(nanosleep),
    ALLOW(clock_nanosleep),
    ALLOW(getrandom),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(getuid),
    ALLOW(geteuid),
    ALLOW(getgid),
    ALLOW(getegid),
    ALLOW(sched_yield),
    ALLOW(sched_getaffinity), /* number of processors, asked for by libraries */
    ALLOW(sysinfo),           /* qsort asks how much memory there is */
    ALLOW(getrusage),
    ALLOW_IF(prlimit64, 2, UINT64_MAX, 0), /* read, not set */
    ALLOW_ARG(prctl, 0, PR_GET_SECCOMP),
    ALLOW_ARG(prctl, 0, PR_SET_VMA), /* newer malloc names its memory */
    ALLOW_ARG(fcntl, 1, F_GETFL),
    ALLOW_ARG(fcntl, 1, F_GETFD),
#ifdef DNSBAILIFF_SANITIZED
    /* What the sanitizers' runtimes ask for; such a build is for tests and is never shipped. */
    ALLOW(sigaltstack),
    ALLOW(uname),
    ALLOW(prctl),
    ALLOW(mmap),
    REFUSE(readlink, EACCES),
    REFUSE(readlinkat, EACCES),
    REFUSE(open, EACCES),
    REFUSE(clone, EPERM),
    REFUSE(fork, EPERM),
    REFUSE(pipe, EPERM),
    REFUSE(pipe2, EPERM),
    REFUSE(ioctl, ENOTTY),
#endif
};

#ifdef DNSBAILIFF_SANITIZED
/* The leak checker stops its own process with ptrace, which no policy allows. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:symbolize=0";
}
#endif

/* --- no_new_privs ---------------------------------------------------------------------------- */

static int raise_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool no_new_privs_stands(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/* --- capabilities: securebits, bounding, ambient, and the three sets ------------------------- */

#define SECUREBITS                                                                                 \
    (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                               \
     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |       \
     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static atomic_bool may_drop_bounding; /* we held CAP_SETPCAP, so the bounding set must be empty */

static int capability_sets(struct __user_cap_data_struct sets[2])
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    return (int)syscall(SYS_capget, &header, sets);
}

static int raise_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (capability_sets(sets))
        return -1;
    may_drop_bounding = (sets[0].effective & (1u << CAP_SETPCAP)) != 0;
    if (may_drop_bounding) {
        if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0))
            return -1;
        for (unsigned long c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++)
            if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0))
                return -1;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
        return -1;
    memset(sets, 0, sizeof sets);
    return (int)syscall(SYS_capset, &header, sets);
}

static bool capabilities_stand(void)
{
    struct __user_cap_data_struct sets[2];
    if (capability_sets(sets))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (sets[i].effective || sets[i].permitted || sets[i].inheritable)
            return false;
    for (unsigned long c = 0;; c++) {
        int bounded = prctl(PR_CAPBSET_READ, c, 0, 0, 0);
        if (bounded < 0)
            return c > 0 && (!may_drop_bounding || prctl(PR_GET_SECUREBITS) == (int)SECUREBITS);
        if ((bounded && may_drop_bounding) ||
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, c, 0, 0) != 0)
            return false;
    }
}

/* --- limits ---------------------------------------------------------------------------------- */

struct limit {
    __rlimit_resource_t resource;
    rlim_t most;
};

/* The limits of this process; returns how many. */
static size_t limits(struct limit ret_limits[4])
{
    size_t count = 0;
    ret_limits[count++] = (struct limit){RLIMIT_CORE, 0}; /* keys and packets stay out of dumps */
    ret_limits[count++] = (struct limit){RLIMIT_NPROC, 0};
    ret_limits[count++] = (struct limit){RLIMIT_NOFILE, policy_of_this_process.descriptors};
    if (!policy_of_this_process.grows_files)
        ret_limits[count++] = (struct limit){RLIMIT_FSIZE, 0};
    return count;
}

static int raise_limits(void)
{
    struct limit wanted[4];
    size_t count = limits(wanted);
    for (size_t i = 0; i < count; i++) {
        struct rlimit now;
        if (getrlimit(wanted[i].resource, &now))
            return -1;
        rlim_t most = wanted[i].most < now.rlim_max ? wanted[i].most : now.rlim_max;
        if (setrlimit(wanted[i].resource, &(struct rlimit){most, most}))
            return -1;
    }
    return 0;
}

static bool limits_stand(void)
{
    struct limit wanted[4];
    size_t count = limits(wanted);
    for (size_t i = 0; i < count; i++) {
        struct rlimit now;
        if (getrlimit(wanted[i].resource, &now) || now.rlim_max > wanted[i].most ||
            now.rlim_cur > wanted[i].most)
            return false;
    }
    return true;
}

/* --- memory not readable from outside -------------------------------------------------------- */

static int raise_dumpable(void)
{
    return policy_of_this_process.dumpable ? 0 : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool dumpable_stands(void)
{
    return policy_of_this_process.dumpable || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* --- Landlock: files, TCP, signals and abstract sockets -------------------------------------- */

/* As in the kernel since ABI 6; older kernels take the part they know. */
struct landlock_attr {
    uint64_t fs, net, scoped;
};

struct landlock_beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

#define LANDLOCK_VERSION       1u
#define LANDLOCK_PATH_BENEATH  1
#define LANDLOCK_NET_ALL       ((uint64_t)3) /* bind, connect over TCP */
#define LANDLOCK_SCOPE_SOCKETS ((uint64_t)1)
#define LANDLOCK_SCOPE_SIGNALS ((uint64_t)2)

static int landlock_abi(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
}

/* Every right that a kernel of this ABI can take away. */
static uint64_t landlock_fs_rights(int abi)
{
    return abi >= 5 ? 0xffff : abi >= 3 ? 0x7fff : abi >= 2 ? 0x3fff : 0x1fff;
}

static int allow_paths(int ruleset, uint64_t handled)
{
    for (size_t i = 0; i < COUNT(policy_of_this_process.paths); i++) {
        const struct policy_path *path = &policy_of_this_process.paths[i];
        struct landlock_beneath beneath = {.allowed = path->rights & handled, .fd = path->fd};
        if (!path->rights)
            break;
        if (path->optional && fcntl(path->fd, F_GETFD) < 0)
            continue;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_BENEATH, &beneath, 0))
            return -1;
    }
    return 0;
}

static int raise_landlock(void)
{
    int abi = landlock_abi();
    if (abi < 1)
        return -1;
    struct landlock_attr attr = {.fs = landlock_fs_rights(abi)};
    size_t size = sizeof attr.fs;
    if (abi >= 4) {
        attr.net = LANDLOCK_NET_ALL;
        size += sizeof attr.net;
    }
    if (abi >= 6) {
        attr.scoped = LANDLOCK_SCOPE_SOCKETS;
        if (!policy_of_this_process.signals)
            attr.scoped |= LANDLOCK_SCOPE_SIGNALS;
        size += sizeof attr.scoped;
    }
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0)
        return -1;
    int failed = allow_paths(ruleset, attr.fs);
    if (!failed)
        failed = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    int saved = errno;
    close(ruleset);
    errno = saved;
    return failed;
}

/* TCP cannot be bound, if there is TCP here at all. */
static bool tcp_refused(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true;
    bool refused = bind(fd, (struct sockaddr *)&any, sizeof any) != 0 && errno == EACCES;
    close(fd);
    return refused;
}

/* Tries what must be refused. */
static bool landlock_stands(void)
{
    int abi = landlock_abi();
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    if (abi < 1 || fd >= 0 || errno != EACCES)
        return false;
    if (abi >= 4 && !tcp_refused())
        return false;
    if (abi >= 6 && !policy_of_this_process.signals && getppid() > 0 &&
        (kill(getppid(), 0) == 0 || errno != EPERM))
        return false;
    return true;
}

/* --- seccomp --------------------------------------------------------------------------------- */

static bool tracing; /* DNSBAILIFF_CONFINE=trace */

/* Names what was refused, and refuses it with EPERM instead of killing. */
static void name_refused(int signal_, siginfo_t *info, void *context)
{
    (void)signal_;
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);
    log_line(LOG_WARNING, "confine: refused system call %d (%s)", info->si_syscall,
             name ? name : "unknown");
    free(name);
#if defined(__x86_64__)
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
    ((ucontext_t *)context)->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#else
    (void)context;
#endif
}

static int add_rule(scmp_filter_ctx filter, const struct policy_rule *rule)
{
    struct scmp_arg_cmp compare = {.arg = rule->argument,
                                   .op = SCMP_CMP_MASKED_EQ,
                                   .datum_a = rule->mask,
                                   .datum_b = rule->value};
    uint32_t action = rule->error ? SCMP_ACT_ERRNO((uint32_t)rule->error) : SCMP_ACT_ALLOW;
    if (rule->number < 0)
        return 0;
    return seccomp_rule_add_array(filter, action, rule->number, rule->compared ? 1 : 0, &compare);
}

static int add_rules(scmp_filter_ctx filter)
{
    const struct policy *p = &policy_of_this_process;
    /* abort() signals its own process; no other may be signalled this way */
    const struct policy_rule own_abort = ALLOW_ARG(tgkill, 0, getpid());
    int failed = add_rule(filter, &own_abort);
    for (size_t i = 0; !failed && i < COUNT(common_rules); i++)
        failed = add_rule(filter, &common_rules[i]);
    for (size_t i = 0; !failed && i < p->rule_count; i++)
        failed = add_rule(filter, &p->rules[i]);
    return failed;
}

static int raise_seccomp(void)
{
    if (tracing) {
        struct sigaction action = {.sa_sigaction = name_refused, .sa_flags = SA_SIGINFO};
        if (sigaction(SIGSYS, &action, NULL))
            return -1;
    }
    scmp_filter_ctx filter = seccomp_init(tracing ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);
    if (!filter)
        return -1;
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!failed)
        failed = add_rules(filter);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed)
        errno = -failed;
    return failed ? -1 : 0;
}

static bool seccomp_stands(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2; /* SECCOMP_MODE_FILTER */
}

/* --- all steps, in order --------------------------------------------------------------------- */

struct step {
    const char *name;
    int (*raise)(void);
    bool (*stands)(void);
    bool own; /* binds the calling thread alone */
};

static const struct step steps[] = {
    {"no_new_privs", raise_no_new_privs, no_new_privs_stands, true},
    {"capabilities", raise_capabilities, capabilities_stand, true},
    {"limits", raise_limits, limits_stand, false},
    {"dumpable", raise_dumpable, dumpable_stands, false},
    {"landlock", raise_landlock, landlock_stands, true},
    {"seccomp", raise_seccomp, seccomp_stands, false},
};

/* What the tests make go wrong: "<step>:refuse" is a kernel that refuses, "<step>:skip" one that
 * reports success and does nothing. Not compiled into what is installed. */
static int raise_step(const struct step *step)
{
#ifdef CONFINE_FAULTS
    const char *fault = getenv("DNSBAILIFF_CONFINE_FAULT");
    size_t n = strlen(step->name);
    if (fault && strncmp(fault, step->name, n) == 0 && fault[n] == ':') {
        errno = EINVAL;
        return strcmp(fault + n, ":skip") == 0 ? 0 : -1;
    }
#endif
    return step->raise();
}

static void take_step(const struct step *step)
{
    if (raise_step(step))
        log_die("confine: %s: %m", step->name);
    if (!step->stands())
        log_die("confine: %s: the kernel accepted it, but it has no effect", step->name);
}

static atomic_uint confined_threads; /* besides the one that calls confine */

void confine_thread(void)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        if (steps[i].own)
            take_step(&steps[i]);
    atomic_fetch_add(&confined_threads, 1);
}

/* Most walls bind one thread: another that did not raise its own would stay outside. */
static void must_have_confined_threads(void)
{
    unsigned threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (!tasks)
        log_die("confine: /proc/self/task: %m");
    for (struct dirent *entry; (entry = readdir(tasks));)
        threads += entry->d_name[0] != '.';
    closedir(tasks);
    if (threads != 1 + atomic_load(&confined_threads))
        log_die("confine: %u threads, of which %u are confined", threads - 1,
                atomic_load(&confined_threads));
}

static bool supervised(void)
{
    int type = 0;
    socklen_t size = sizeof type;
    return policy_of_this_process.process != PROCESS_supervisor &&
           policy_of_this_process.process != PROCESS_verify &&
           getsockopt(FD_CONTROL, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

void confine(enum process process)
{
    const struct policy *p = &policy_of_this_process;
    if (p->process != process)
        log_die("confine: linked with the policy of %s", p->name);
    const char *mode = getenv("DNSBAILIFF_CONFINE");
    tracing = mode && strcmp(mode, "trace") == 0;
    bool reports = supervised();
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error to report, not a silent death */

    must_have_confined_threads();
    for (size_t i = 0; i < COUNT(steps); i++)
        take_step(&steps[i]);
    if (tracing)
        log_line(LOG_WARNING, "confine: trace mode, this process is UNCONFINED");
    if (reports)
        control_send(CONTROL_READY, tracing, tracing ? "unconfined (trace)" : "confined");
}
