/*
 * actor: stands in for capture, analyze, store, sign, digest or pack, so that the supervisor, the
 * wires and the confinement can be tested by themselves, and deaths can be staged.
 *
 * Its part is the policy that it is linked with. The BPF expression is its script: "WHO ACT", where
 * ACT is hang (wait to be killed), exit (status 1), leave (status 0, not done), forbidden (a system
 * call its policy refuses), shout (terminal escapes in the log), table (lists its descriptors) or
 * damaged; everything else plays a replay of 10000 frames.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/policy.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

#define FRAMES 10000

static struct inputs *inputs;
static struct ring *ring;
static struct progress *progress;

/* Whether the script gives this process this act. */
static bool acts(const char *act)
{
    struct input filter;
    char wanted[64];
    size_t at = 0;
    if (!inputs_next(inputs, INPUT_FILTER, &at, &filter))
        return false;
    int n = snprintf(wanted, sizeof wanted, "%s %s", policy_of_this_process.name, act);
    return n > 0 && filter.size == (size_t)n && memcmp(filter.bytes, wanted, filter.size) == 0;
}

static void list_table(void)
{
    char text[256] = "";
    size_t at = 0;
    for (int fd = 0; fd < 256; fd++)
        if (fcntl(fd, F_GETFD) >= 0 && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, " %d%s", fd,
                                   (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY ? "r" : "");
    log_line(LOG_NOTE, "table%s", text);
}

static void perform(void)
{
    if (acts("exit"))
        log_die("told to fail");
    if (acts("leave"))
        _exit(0);
    if (acts("forbidden"))
        syscall(SYS_getppid);
    if (acts("shout")) {
        static const char shout[] = "\033[2Jdnsbailiff-sign: all is well\r\n\302\233x\n";
        ssize_t n = write(FD_LOG, shout, sizeof shout - 1);
        (void)n;
    }
    while (acts("hang"))
        poll(NULL, 0, 1000);
}

static void capture(void)
{
    for (uint64_t i = 1; i <= FRAMES; i++) {
        struct ring_record *record = ring_reserve(ring, 200);
        if (!record)
            log_die("ring: %m");
        record->type = RING_FRAME;
        record->number = i;
        ring_commit(ring);
        progress->frames = i;
        if (i == FRAMES / 2)
            perform();
    }
    struct ring_record *end = ring_reserve(ring, sizeof(struct ring_loss));
    if (!end)
        log_die("ring: %m");
    end->type = RING_END;
    ring_commit(ring);
    ring_publish(ring);
    if (acts("damaged"))
        control_send(CONTROL_DONE, DONE_DAMAGED, "capture.pcap: cut at 4711");
    else
        control_send(CONTROL_DONE, DONE_OK, "");
}

/* The frames up to RING_END. */
static uint64_t read_ring(void)
{
    uint64_t frames = 0;
    for (;;) {
        const struct ring_record *record = ring_next(ring, NULL);
        if (!record) {
            ring_release(ring);
            ring_wait(ring, -1);
            continue;
        }
        bool ends = record->type == RING_END;
        ring_release(ring);
        if (ends)
            return frames;
        if (++frames == FRAMES / 2)
            perform();
    }
}

static void analyze(void)
{
    struct channel *results = channel_new(FD_RESULTS);
    struct msg_finished finished = {.frames = read_ring(), .worst = 3};
    channel_send(results, MSG_REPORT, "all\033[2J seen\n", 14, NULL, 0);
    channel_send(results, MSG_FINISHED, &finished, sizeof finished, NULL, 0);
    channel_flush(results);
    control_send(CONTROL_DONE, DONE_OK, "");
}

static void write_file(const char *folder, const char *path, const void *bytes, size_t size)
{
    mkdirat(FD_EVIDENCE, folder, 0700);
    int fd = openat(FD_EVIDENCE, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fsync(fd))
        log_die("%s: %m", path);
    close(fd);
}

static void store(void)
{
    struct channel *results = channel_new(FD_RESULTS), *digests = channel_new(FD_DIGESTS);
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    struct msg_finished finished = {.frames = 0};
    uint64_t frames = read_ring();
    while (channel_receive(results, true, &type, &bytes, &size)) {
        if (type == MSG_REPORT)
            write_file("state", "state/report.txt", bytes, size);
        else if (type == MSG_FINISHED && size == sizeof finished)
            memcpy(&finished, bytes, size);
    }
    if (finished.frames != frames || frames != FRAMES)
        log_die("analyze ended after %llu of %llu frames", (unsigned long long)finished.frames,
                (unsigned long long)frames);
    while (channel_receive(digests, true, &type, &bytes, &size))
        ;
    write_file("log", "log/log.jsonl", "{}\n", 3);
    char text[32];
    snprintf(text, sizeof text, CONTROL_WORST, finished.worst);
    control_send(CONTROL_DONE, DONE_OK, text);
}

static void sign(void)
{
    struct channel *asks = channel_new(FD_SIGN);
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    perform();
    while (channel_receive(asks, true, &type, &bytes, &size)) {
        channel_send(asks, MSG_SIGNATURE, "signed", 6, NULL, 0);
        channel_flush(asks);
    }
}

static void digest(void)
{
    struct channel *out = channel_new(FD_DIGESTS);
    struct msg_digest result = {.source = 0};
    uint8_t bytes[4096];
    perform();
    for (ssize_t n; (n = read(FD_SOURCES, bytes, sizeof bytes)) > 0;)
        result.size += (uint64_t)n;
    channel_send(out, MSG_DIGEST, &result, sizeof result, NULL, 0);
    channel_flush(out);
    control_send(CONTROL_DONE, DONE_OK, "");
}

static void history(void)
{
    uint8_t bytes[4096];
    perform();
    while (read(FD_HISTORY, bytes, sizeof bytes) > 0)
        ;
    control_send(CONTROL_DONE, DONE_OK, "");
}

static void pack(void)
{
    struct channel *signer = channel_new(FD_SIGN);
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    perform();
    if (fstatat(FD_EVIDENCE, "log/log.jsonl", &st, 0))
        log_die("log: %m");
    channel_send(signer, MSG_SEAL, "x", 1, NULL, 0);
    channel_flush(signer);
    if (channel_receive(signer, true, &type, &bytes, &size) != 1 || type != MSG_SIGNATURE ||
        write(FD_BUNDLE, bytes, size) != (ssize_t)size)
        log_die("seal: %m");
    control_send(CONTROL_DONE, DONE_OK, "");
}

int main(void)
{
    enum process process = policy_of_this_process.process;
    log_name(policy_of_this_process.name);
    inputs = inputs_open(FD_INPUTS);
    if (acts("table"))
        list_table();
    if (process == PROCESS_capture) {
        ring = ring_open_producer(true);
        progress = control_progress();
    } else if (process == PROCESS_analyze || process == PROCESS_store) {
        ring = ring_open_reader(process == PROCESS_store ? RING_STORE : RING_ANALYZE);
        if (process == PROCESS_store)
            ring_follow_analyze(ring);
    }
    confine(process);
    control_await_go();
    void (*const parts[PROCESS_COUNT])(void) = {
        [PROCESS_capture] = capture, [PROCESS_analyze] = analyze, [PROCESS_store] = store,
        [PROCESS_sign] = sign,       [PROCESS_digest] = digest,   [PROCESS_pack] = pack,
        [PROCESS_history] = history};
    parts[process]();
    return 0;
}
