/*
 * probe: tries, under the policy that it is linked with, what must be allowed and what must be
 * refused; one process an attempt.
 *
 *   probe_<process>             all attempts; a line "N passed, N failed" at the end
 *   probe_<process> --list      the system calls that survive with nonsense as arguments
 *   probe_<process> --golden F  the same, compared with the file F
 *
 * A call that the filter refuses kills with SIGSYS before the kernel looks at its arguments, so
 * arguments of all ones are harmless and still tell allowed from refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/confine.h"
#include "sandbox/fds.h"
#include "sandbox/handover.h"
#include "sandbox/log.h"
#include "sandbox/policy.h"

#define LAST_CALL 470 /* beyond the newest kernel that was looked at */

static char folder[] = "/tmp/dnsbailiff-probe-XXXXXX"; /* becomes FD_EVIDENCE */
static pid_t parent;
static int passed, failed;

enum outcome { ALLOWED, KILLED, OTHER };

/* Puts fd at its place in the table; its old number is out of the way of other places. */
static void place(int fd, int target)
{
    if (fd < 0 || dup2(fd, target) < 0)
        abort();
    if (fd != target)
        close(fd);
}

/* A new descriptor above all places of the table. */
static int high(int fd)
{
    int moved = fcntl(fd, F_DUPFD, 100);
    if (moved < 0)
        abort();
    close(fd);
    return moved;
}

/* Every descriptor of the table, so that each write has something to reach. */
static void furnish(void)
{
    static const int pipes[] = {FD_RESULTS, FD_SIGN,    FD_DIGESTS, FD_FORWARD,
                                FD_BUNDLE,  FD_HISTORY, FD_HANDOVER};
    static const int bells[] = {FD_WAKE_CAPTURE, FD_WAKE_ANALYZE, FD_WAKE_STORE};
    char path[64];
    int pair[2];
    place(high(open("/dev/null", O_WRONLY)), FD_LOG);
    for (int fd = 3; fd < 100; fd++)
        close(fd);
    for (size_t i = 0; i < sizeof pipes / sizeof pipes[0]; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
            abort();
        high(pair[1]); /* the other end stays open */
        place(high(pair[0]), pipes[i]);
    }
    for (size_t i = 0; i < sizeof bells / sizeof bells[0]; i++)
        place(high(eventfd(0, EFD_NONBLOCK)), bells[i]);
    place(high(open(folder, O_RDONLY | O_DIRECTORY)), FD_EVIDENCE);
    snprintf(path, sizeof path, "%s/source", folder);
    place(high(open(path, O_RDWR | O_CREAT, 0600)), FD_SOURCES);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair)) /* stands for the packet socket */
        abort();
    high(pair[1]);
    place(high(pair[0]), FD_SOURCES + 1);
}

/* The attempt in a confined process of its own. It returns 0 when what it tried worked. */
static enum outcome try(int (*attempt)(long), long argument)
{
    fflush(stdout);
    parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        furnish();
        alarm(10);
        confine(policy_of_this_process.process);
        _exit(attempt(argument) ? 77 : 0);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        abort();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return KILLED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ALLOWED : OTHER;
}

static int nonsense(long number)
{
    syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    return 0;
}

static void expect(const char *what, enum outcome wanted, int (*attempt)(long), long argument)
{
    static const char *const words[] = {"allowed", "killed", "refused with an error"};
    enum outcome got = try(attempt, argument);
    if (got == wanted) {
        passed++;
    } else {
        failed++;
        printf("FAIL %s: %s: %s, expected %s\n", policy_of_this_process.name, what, words[got],
               words[wanted]);
    }
}

/* --- the list of calls ----------------------------------------------------------------------- */

static void list(FILE *to)
{
    for (long number = 0; number < LAST_CALL; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
        /* these end or stop a process by themselves, so their outcome says nothing */
        if (name && strcmp(name, "rt_sigreturn") && try(nonsense, number) != KILLED)
            fprintf(to, "%s\n", name);
        free(name);
    }
}

static void compare(const char *golden)
{
    char *now = NULL, old[8192] = "";
    size_t size;
    FILE *memory = open_memstream(&now, &size), *file = fopen(golden, "r");
    list(memory);
    fclose(memory);
    if (file) {
        old[fread(old, 1, sizeof old - 1, file)] = '\0';
        fclose(file);
    }
    if (strcmp(now, old) == 0) {
        passed++;
    } else {
        failed++;
        printf("FAIL %s: the system calls it may make are not those of %s; now:\n%s\n",
               policy_of_this_process.name, golden, now);
    }
    free(now);
}

/* --- attempts -------------------------------------------------------------------------------- */

static int write_to(long fd)
{
    uint64_t one = 1;
    return write((int)fd, &one, sizeof one) != (ssize_t)sizeof one;
}

static int send_to(long fd)
{
    return send((int)fd, "x", 1, MSG_NOSIGNAL) != 1;
}

static int make_socket(long family)
{
    return socket((int)family, SOCK_STREAM, 0) < 0;
}

static int open_path(long path)
{
    return open((const char *)path, O_RDONLY) < 0;
}

static int read_beneath(long name)
{
    char byte;
    int fd = openat(FD_EVIDENCE, (const char *)name, O_RDONLY);
    return fd < 0 || read(fd, &byte, 1) < 0;
}

static int create_beneath(long name)
{
    int fd = openat(FD_EVIDENCE, (const char *)name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    return fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) || unlinkat(FD_EVIDENCE, "new", 0);
}

/* A reader's descriptor of shared memory, opened again for writing. */
static int reopen_writable(long fd)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%ld", fd);
    return open(path, O_RDWR) < 0;
}

static int make_executable(long how)
{
    void *p = mmap(NULL, 4096, how ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED || mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int work_in_memory(long size)
{
    char *p = malloc((size_t)size);
    if (!p)
        return 1;
    memset(p, 1, (size_t)size);
    p = realloc(p, 2 * (size_t)size);
    free(p);
    return !p;
}

static int fork_child(long unused)
{
    (void)unused;
    return fork() < 0;
}

static int signal_parent(long number)
{
    return kill(parent, (int)number) != 0;
}

static int raise_limit(long resource)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit((__rlimit_resource_t)resource, &limit) != 0;
}

static int ask_prctl(long option)
{
    return prctl((int)option, 1, 0, 0, 0) < 0;
}

static int hand_over(long fd)
{
    int file = FD_EVIDENCE;
    return handover_give((int)fd, &file, 1);
}

/* There is nothing to take. */
static int take_over(long fd)
{
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg((int)fd, &message, MSG_DONTWAIT) != -1 || errno != EAGAIN;
}

/* What is allowed or refused on descriptors: for each, which processes may write. */
struct writer {
    int fd;
    unsigned may; /* bits of enum process */
    const char *what;
};

#define MAY(name) (1u << PROCESS_##name)
#define UNPINNED  (MAY(store) | MAY(supervisor))
#define EVERYBODY 0xffffffffu

static const struct writer writers[] = {
    {FD_LOG, EVERYBODY, "write to the log"},
    {FD_RESULTS, MAY(analyze) | UNPINNED, "write results"},
    {FD_SIGN, MAY(sign) | MAY(pack) | UNPINNED, "write to the signer"},
    {FD_DIGESTS, MAY(digest) | UNPINNED, "write digests"},
    {FD_FORWARD, MAY(digest) | UNPINNED, "write to the forward pipe"},
    {FD_BUNDLE, MAY(pack) | UNPINNED, "write the bundle"},
    {FD_HISTORY, MAY(analyze) | UNPINNED, "tell the history"},
    {FD_HANDOVER, MAY(history) | UNPINNED, "say that the history is whole"},
    {FD_WAKE_CAPTURE, MAY(analyze) | UNPINNED, "wake capture"},
    {FD_WAKE_ANALYZE, MAY(capture) | UNPINNED, "wake analyze"},
    {FD_WAKE_STORE, MAY(capture) | MAY(analyze) | UNPINNED, "wake store"},
    {FD_SOURCES, UNPINNED, "write into a source"},
    {FD_SOURCES + 1, UNPINNED, "write to the packet socket: transmit"},
};

static const char *const dangerous[] = {
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "bpf",
    "mount",
    "umount2",
    "open_by_handle_at",
    "openat2",
    "io_uring_setup",
    "memfd_create",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "init_module",
    "finit_module",
    "kexec_load",
    "keyctl",
    "add_key",
    "perf_event_open",
    "userfaultfd",
    "unshare",
    "setns",
    "chroot",
    "pivot_root",
    "personality",
    "setuid",
    "setresuid",
    "capset",
    "seccomp",
    "tkill",
    "rt_sigqueueinfo",
    "clone3",
    "vfork",
    "ioperm",
    "iopl",
    "swapon",
    "reboot",
    "syslog",
    "quotactl",
    "modify_ldt",
    "landlock_restrict_self",
    "pidfd_getfd",
    "splice",
    "tee",
    "vmsplice",
    "sendfile",
    "setsockopt",
    "symlinkat",
    "mknodat",
    "fchmod",
    "fchmodat",
    "fchown",
    "chmod",
};

/* Asks with modes 0; else sets the clock, by nothing. */
static int adjust_clock(long modes)
{
    struct timex t = {.modes = (unsigned)modes};
    return syscall(SYS_adjtimex, &t) < 0 ? -1 : 0;
}

static void attempts_everywhere(bool sanitized)
{
    const struct policy *p = &policy_of_this_process;
    unsigned me = 1u << p->process;
    bool asks = me & MAY(supervisor);
    expect("ask whether the clock is disciplined", asks ? ALLOWED : KILLED, adjust_clock, 0);
    expect("set the clock", asks ? OTHER : KILLED, adjust_clock, ADJ_SETOFFSET);
    expect("malloc 1 MiB", ALLOWED, work_in_memory, 1 << 20);
    expect("malloc 64 MiB", ALLOWED, work_in_memory, 64 << 20);
    expect("PR_GET_SECCOMP", ALLOWED, ask_prctl, PR_GET_SECCOMP);
    for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
        expect(writers[i].what, writers[i].may & me ? ALLOWED : KILLED, write_to, writers[i].fd);
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++) {
        int number = seccomp_syscall_resolve_name(dangerous[i]);
        if (number >= 0)
            expect(dangerous[i], KILLED, nonsense, number);
    }
    expect("send on the packet socket", KILLED, send_to, FD_SOURCES + 1);
    expect("socket AF_INET", KILLED, make_socket, AF_INET);
    expect("socket AF_UNIX", KILLED, make_socket, AF_UNIX);
    expect("socket AF_PACKET", KILLED, make_socket, AF_PACKET);
    expect("hand files over", me & MAY(store) ? ALLOWED : KILLED, hand_over, FD_HANDOVER);
    expect("hand files over elsewhere", KILLED, hand_over, FD_RESULTS);
    expect("take files", me & MAY(history) ? ALLOWED : KILLED, take_over, FD_HANDOVER);
    expect("take files from elsewhere", KILLED, take_over, FD_RESULTS);
    expect("setrlimit", KILLED, raise_limit, RLIMIT_NPROC);
    expect("mprotect PROT_EXEC", KILLED, make_executable, 0);
    if (!sanitized) {
        expect("mmap PROT_EXEC", KILLED, make_executable, 1);
        expect("fork", KILLED, fork_child, 0);
        expect("prctl PR_SET_DUMPABLE", KILLED, ask_prctl, PR_SET_DUMPABLE);
    }
    expect("signal its parent", p->signals ? ALLOWED : KILLED, signal_parent, 0);
}

static void attempts_on_files(bool sanitized)
{
    unsigned me = 1u << policy_of_this_process.process;
    bool opens = me & (MAY(store) | MAY(pack) | MAY(supervisor));
    bool is_told = me & (MAY(capture) | MAY(verify) | MAY(lookup)) || sanitized;
    enum outcome refused = opens || is_told ? OTHER : KILLED;
    expect("read /etc/passwd", refused, open_path, (long)"/etc/passwd");
    expect("read /", refused, open_path, (long)"/");
    expect("read the evidence by its path", opens ? ALLOWED : refused, open_path, (long)folder);
    expect("read beneath the evidence", opens ? ALLOWED : refused, read_beneath, (long)"source");
    expect("read ../etc/passwd", refused, read_beneath, (long)"../../etc/passwd");
    expect("create beneath the evidence", me & MAY(store) ? ALLOWED : refused, create_beneath,
           (long)"new");
    expect("create outside", refused, create_beneath, (long)"../new");
    expect("reopen a read-only descriptor for writing", me & MAY(store) ? ALLOWED : refused,
           reopen_writable, FD_SOURCES); /* beneath the evidence, so store may */
}

int main(int argc, char **argv)
{
    bool sanitized = false;
#ifdef DNSBAILIFF_SANITIZED
    sanitized = true;
#endif
    log_name(policy_of_this_process.name);
    if (!mkdtemp(folder))
        return 1;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list(stdout);
    } else {
        if (argc == 3 && strcmp(argv[1], "--golden") == 0 && !sanitized)
            compare(argv[2]);
        attempts_everywhere(sanitized);
        attempts_on_files(sanitized);
    }
    char path[64];
    snprintf(path, sizeof path, "%s/source", folder);
    unlink(path);
    rmdir(folder);
    if (argc != 2)
        printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
