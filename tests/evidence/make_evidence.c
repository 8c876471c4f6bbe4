/*
 * make_evidence: a small evidence directory and bundle from a capture, without capture and analyze.
 *
 *   make_evidence LIBEXEC EVIDENCE-DIR BUNDLE [-r PCAP] [-i IDENTITY-DIR] [-n FINDINGS] [-e
 * RECORDS]
 *                 [-b ANCHOR] [-z ZONEFILE] [-S] [-L] [-P] [-x N]
 *
 * Plays the supervisor, capture (reads a classic little-endian pcap) and analyze (holds and cites
 * frames, sends synthetic events and findings) around the real store, sign, digest and pack. -e
 * records an epoch; -S includes the source; -L live instead of replay; -P only packs EVIDENCE-DIR.
 * For tests: what it feeds is true to the contracts, not to DNS.
 */
#include "sandbox/channel.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH 100 /* our own descriptors stay above the table */
#define ROWS 16

struct row {
    int number, fd;
};

struct child {
    const char *name;
    pid_t pid;
    int control;
};

struct plan {
    const char *libexec, *dir, *bundle, *pcap, *identity, *anchor, *zone;
    unsigned findings;
    uint64_t epoch_records;
    int include_source, live, pack_only;
    size_t broken; /* 0: nothing */
};

static int high(int fd)
{
    int up = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
    if (up < 0)
        log_die("descriptor: %m");
    close(fd);
    return up;
}

static void pair(int type, int ret_fds[2])
{
    int fds[2];
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0)
        log_die("socketpair: %m");
    ret_fds[0] = high(fds[0]);
    ret_fds[1] = high(fds[1]);
}

/* Forks with exactly the table; runs the program, or `act` in this image. */
static struct child start(const struct plan *p, const char *name, const struct row *rows,
                          size_t count, void (*act)(const struct plan *))
{
    struct child c = {.name = name};
    int control[2];
    pair(SOCK_SEQPACKET, control);
    c.pid = fork();
    if (c.pid < 0)
        log_die("fork: %m");
    if (c.pid == 0) {
        char path[4096];
        for (size_t i = 0; i < count; i++)
            if (rows[i].fd >= 0 && dup2(rows[i].fd, rows[i].number) < 0)
                _exit(120);
        if (dup2(control[1], FD_CONTROL) < 0)
            _exit(120);
        if (act) {
            act(p);
            _exit(0);
        }
        snprintf(path, sizeof path, "%s/%s", p->libexec, name);
        execl(path, path, (char *)NULL);
        log_die("%s: %m", path);
    }
    close(control[1]);
    c.control = control[0];
    return c;
}

static void say(const struct child *c, enum control_word word)
{
    struct control_msg m = {.word = (uint32_t)word};
    if (write(c->control, &m, sizeof m) != (ssize_t)sizeof m)
        log_die("%s is gone", c->name);
}

static void await(const struct child *c, enum control_word word, char *ret_text)
{
    struct control_msg m;
    for (;;) {
        if (read(c->control, &m, sizeof m) != (ssize_t)sizeof m)
            log_die("%s ended early", c->name);
        if (m.word == (uint32_t)word)
            break;
    }
    if (ret_text)
        snprintf(ret_text, sizeof m.text, "%s", m.text);
}

static void reap(const struct child *c)
{
    int status;
    if (waitpid(c->pid, &status, 0) != c->pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        log_die("%s failed with status %x", c->name, (unsigned)status);
}

/* --- capture -------------------------------------------------------------------------------------
 */

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void announce(struct ring *ring, enum ring_type type, const void *payload, size_t size,
                     uint16_t linktype)
{
    struct ring_record *r = ring_reserve(ring, size);
    if (!r)
        log_die("capture: ring: %m");
    r->type = (uint16_t)type;
    r->linktype = linktype;
    memcpy(r + 1, payload, size);
    ring_commit(ring);
}

static void play_capture(const struct plan *p)
{
    struct ring *ring = ring_open_producer(!p->live);
    FILE *in = fopen(p->pcap, "rb");
    uint8_t head[24], packet[16];
    static uint8_t bytes[RING_FRAME_MAX];
    struct ring_interface interface = {.snaplen = 262144, .tsresol = 1000000, .name = "tap0"};
    struct ring_loss loss = {0};
    if (!ring || !in || fread(head, 1, sizeof head, in) != sizeof head ||
        (u32(head) != 0xa1b2c3d4u && u32(head) != 0xa1b23c4du))
        log_die("capture: %s: not a classic pcap", p->pcap);
    int64_t unit = u32(head) == 0xa1b2c3d4u ? 1000 : 1;
    uint16_t linktype = (uint16_t)u32(head + 20);
    control_await_go();
    announce(ring, RING_SOURCE, "", 0, 0);
    announce(ring, RING_INTERFACE, &interface, sizeof interface, linktype);
    for (uint64_t offset = 24; fread(packet, 1, sizeof packet, in) == sizeof packet;) {
        uint32_t caplen = u32(packet + 8);
        if (caplen > sizeof bytes || fread(bytes, 1, caplen, in) != caplen)
            break;
        struct ring_record *r = ring_reserve(ring, caplen);
        if (!r)
            log_die("capture: ring: %m");
        loss.received++;
        loss.bytes += caplen;
        r->type = RING_FRAME;
        r->number = loss.received;
        r->time_ns = (int64_t)u32(packet) * 1000000000 + (int64_t)u32(packet + 4) * unit;
        r->offset = offset;
        r->len = u32(packet + 12);
        r->linktype = linktype;
        memcpy(r + 1, bytes, caplen);
        ring_commit(ring);
        offset += 16 + caplen;
    }
    if (p->live)
        announce(ring, RING_LOSS, &loss, sizeof loss, 0);
    announce(ring, RING_END, &loss, sizeof loss, 0);
    ring_publish(ring);
}

/* --- analyze -------------------------------------------------------------------------------------
 */

#define CITED 3u

static void send_event(struct channel *c, uint64_t frame, int64_t time_ns)
{
    char json[512];
    struct msg_event m = {.frame = frame, .time_ns = time_ns};
    int n = snprintf(json, sizeof json,
                     "{\"timestamp\":\"2026-11-22T00:00:00.000000+0000\",\"event_type\":\"dnssec\","
                     "\"pcap_cnt\":%llu,\"dnssec\":{\"verdict\":\"secure\",\"zone\":\"test.\"}}",
                     (unsigned long long)frame);
    channel_send(c, MSG_EVENT, &m, sizeof m, json, (size_t)n);
}

static void send_finding(struct channel *c, unsigned i, uint64_t frames)
{
    uint8_t body[1024];
    struct msg_finding m = {.frames = CITED, .is_final = 1};
    uint64_t cited[CITED];
    for (unsigned k = 0; k < CITED; k++)
        cited[k] = 1 + (i * 7 + k * 2) % frames;
    snprintf(m.id, sizeof m.id, "key-unknown-%04u", i);
    memcpy(body, cited, sizeof cited);
    int n = snprintf((char *)body + sizeof cited, sizeof body - sizeof cited,
                     "{\"id\":\"%s\",\"rule\":\"key-unknown\",\"severity\":\"critical\",\"state\":"
                     "\"open\",\"zone\":\"test.\",\"rrname\":\"test.\",\"rrtype\":\"DNSKEY\","
                     "\"summary\":\"a key nobody declared\",\"expected\":[],\"observed\":[],"
                     "\"frames\":[%llu,%llu,%llu],\"chain\":[],\"count\":1,\"loss\":false}",
                     m.id, (unsigned long long)cited[0], (unsigned long long)cited[1],
                     (unsigned long long)cited[2]);
    channel_send(c, MSG_FINDING, &m, sizeof m, body, sizeof cited + (size_t)n);
}

/* What a taken-over analyze might send: store must end, not write it. */
static void send_broken(struct channel *c, size_t which)
{
    static const char *const lines[] = {"{\"a\":1}\n{\"forged\":1}", "{\"a\":1", "[1]",
                                        "{\"a\":\"\xc3\"}", "{\"a\":\"\x1b[2J\"}"};
    const size_t count = sizeof lines / sizeof lines[0];
    struct msg_event event = {0};
    struct msg_finding finding = {.frames = UINT32_MAX, .is_final = 1, .id = "x"};
    uint64_t frame = 1;
    if (which <= count)
        channel_send(c, MSG_EVENT, &event, sizeof event, lines[which - 1],
                     strlen(lines[which - 1]));
    else if (which == count + 1)
        channel_send(c, MSG_FINDING, &finding, sizeof finding, "{}", 2);
    else if (which == count + 2)
        channel_send(c, MSG_HOLD, &frame, 7, NULL, 0);
    else if (which == count + 3)
        channel_send(c, MSG_SEAL, "x", 1, NULL, 0);
    else
        channel_send(c, MSG_REPORT, "\x1b]0;", 4, NULL, 0);
}

static void play_analyze(const struct plan *p)
{
    static const char report[] = "A synthetic run: no verdict here means anything.\n";
    struct ring *ring = ring_open_reader(RING_ANALYZE);
    struct channel *c = channel_new(FD_RESULTS);
    struct msg_finished totals = {.findings = p->findings, .worst = 5};
    const struct ring_record *r;
    if (!ring || !c)
        log_die("analyze: %m");
    control_await_go();
    for (bool ended = false; !ended;) {
        while (!ended && (r = ring_next(ring, NULL)) != NULL) {
            if (r->type == RING_FRAME) {
                totals.frames = r->number;
                if (!p->live)
                    channel_send(c, MSG_HOLD, &r->number, sizeof r->number, NULL, 0);
                if (r->number % 8 == 1)
                    send_event(c, r->number, r->time_ns);
            }
            ended = r->type == RING_END;
            if (!p->live)
                channel_flush(c);
            ring_release(ring);
        }
        if (!ended)
            ring_wait(ring, -1);
    }
    for (unsigned i = 0; i < p->findings && totals.frames > 0; i++)
        send_finding(c, i, totals.frames);
    if (p->broken)
        send_broken(c, p->broken);
    channel_send(c, MSG_REPORT, report, sizeof report - 1, NULL, 0);
    channel_send(c, MSG_FINISHED, &totals, sizeof totals, NULL, 0);
    channel_flush(c);
}

/* --- supervisor ----------------------------------------------------------------------------------
 */

static void add_file(struct inputs_writer *w, enum input_kind kind, const char *path)
{
    static char bytes[1 << 20];
    FILE *in = path ? fopen(path, "rb") : NULL;
    if (!path)
        return;
    size_t size = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    if (!in || inputs_add(w, kind, path, bytes, size) != 0)
        log_die("%s: %m", path);
    fclose(in);
}

static int make_inputs(const struct plan *p)
{
    static const char sensor[] = "{\"host\":\"test\",\"kernel\":\"test\",\"programs\":{}}\n";
    struct inputs_writer *w = inputs_new();
    struct settings s;
    struct stat st;
    settings_default(&s);
    snprintf(s.sensor, sizeof s.sensor, "test");
    s.epoch_records = p->epoch_records;
    s.live = (uint8_t)p->live;
    s.segment_bytes = 8192;
    if (!w || stat(p->pcap, &st) != 0 || inputs_add(w, INPUT_SETTINGS, "", &s, sizeof s) != 0)
        log_die("inputs: %m");
    struct input_source source = {.size = (uint64_t)st.st_size};
    inputs_add(w, p->live ? INPUT_INTERFACE : INPUT_SOURCE, p->live ? "tap0" : p->pcap, &source,
               sizeof source);
    inputs_add(w, INPUT_SENSOR, "", sensor, sizeof sensor - 1);
    add_file(w, INPUT_ANCHOR, p->anchor);
    add_file(w, INPUT_BASELINE_ZONE, p->zone);
    return high(inputs_seal(w));
}

static void record(const struct plan *p, int inputs, int evidence, int sign)
{
    struct ring_fds f;
    int results[2], digests[2];
    if (ring_create(RING_BYTES_MIN, &f) != 0)
        log_die("ring: %m");
    int *all[] = {&f.data,       &f.data_ro,    &f.head,    &f.head_ro, &f.tail[0], &f.tail[1],
                  &f.tail_ro[0], &f.tail_ro[1], &f.wake[0], &f.wake[1], &f.wake[2]};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = high(*all[i]);
    pair(SOCK_STREAM, results);
    pair(SOCK_STREAM, digests);
    const struct row capture[] = {{FD_RING, f.data},
                                  {FD_RING_HEAD, f.head},
                                  {FD_TAIL_ANALYZE, f.tail_ro[0]},
                                  {FD_TAIL_STORE, f.tail_ro[1]},
                                  {FD_WAKE_CAPTURE, f.wake[0]},
                                  {FD_WAKE_ANALYZE, f.wake[1]},
                                  {FD_WAKE_STORE, f.wake[2]}};
    const struct row analyze[] = {{FD_RING, f.data_ro},         {FD_RING_HEAD, f.head_ro},
                                  {FD_TAIL_ANALYZE, f.tail[0]}, {FD_TAIL_STORE, f.tail_ro[1]},
                                  {FD_WAKE_CAPTURE, f.wake[0]}, {FD_WAKE_ANALYZE, f.wake[1]},
                                  {FD_WAKE_STORE, f.wake[2]},   {FD_RESULTS, results[0]}};
    const struct row store[] = {{FD_INPUTS, inputs},
                                {FD_RING, f.data_ro},
                                {FD_RING_HEAD, f.head_ro},
                                {FD_TAIL_ANALYZE, f.tail_ro[0]},
                                {FD_TAIL_STORE, f.tail[1]},
                                {FD_WAKE_CAPTURE, f.wake[0]},
                                {FD_WAKE_STORE, f.wake[2]},
                                {FD_RESULTS, results[1]},
                                {FD_SIGN, sign},
                                {FD_DIGESTS, digests[1]},
                                {FD_EVIDENCE, evidence}};
    int source = high(open(p->pcap, O_RDONLY | O_CLOEXEC));
    const struct row digest[] = {
        {FD_INPUTS, inputs}, {FD_DIGESTS, digests[0]}, {FD_SOURCES, source}};
    struct child c[4] = {
        start(p, "capture", capture, sizeof capture / sizeof *capture, play_capture),
        start(p, "analyze", analyze, sizeof analyze / sizeof *analyze, play_analyze),
        start(p, "store", store, sizeof store / sizeof *store, NULL),
        start(p, "digest", digest, sizeof digest / sizeof *digest, NULL)};
    await(&c[2], CONTROL_READY, NULL);
    await(&c[3], CONTROL_READY, NULL);
    for (int i = 0; i < 4; i++)
        say(&c[i], CONTROL_GO);
    for (int i = 0; i < 4; i++)
        reap(&c[i]);
}

static void pack(const struct plan *p, int inputs, int evidence, int sign)
{
    char id[240];
    int bundle = high(open(p->bundle, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444));
    int source = high(open(p->pcap, O_RDONLY | O_CLOEXEC));
    const struct row rows[] = {{FD_INPUTS, inputs},
                               {FD_SIGN, sign},
                               {FD_EVIDENCE, evidence},
                               {FD_BUNDLE, bundle},
                               {FD_SOURCES, source}};
    struct child c = start(p, "pack", rows, p->include_source ? 5 : 4, NULL);
    await(&c, CONTROL_READY, NULL);
    say(&c, CONTROL_GO);
    await(&c, CONTROL_DONE, id);
    reap(&c);
    printf("%s\n", id);
}

static void usage(void)
{
    fprintf(stderr, "usage: make_evidence LIBEXEC DIR BUNDLE -r PCAP [-i IDENTITY] [-n FINDINGS] "
                    "[-e RECORDS] [-b ANCHOR] [-z ZONE] [-S] [-L] [-P] [-x N]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    struct plan p = {.findings = 10, .epoch_records = 5};
    int sign[2], option;
    log_name("make_evidence");
    signal(SIGPIPE, SIG_IGN);
    while ((option = getopt(argc, argv, "r:i:n:e:b:z:x:SLP")) != -1) {
        switch (option) {
        case 'r':
            p.pcap = optarg;
            break;
        case 'i':
            p.identity = optarg;
            break;
        case 'n':
            p.findings = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'e':
            p.epoch_records = strtoul(optarg, NULL, 10);
            break;
        case 'b':
            p.anchor = optarg;
            break;
        case 'z':
            p.zone = optarg;
            break;
        case 'x':
            p.broken = strtoul(optarg, NULL, 10);
            break;
        case 'S':
            p.include_source = 1;
            break;
        case 'L':
            p.live = 1;
            break;
        case 'P':
            p.pack_only = 1;
            break;
        default:
            usage();
        }
    }
    if (argc - optind != 3 || !p.pcap)
        usage();
    p.libexec = argv[optind];
    p.dir = argv[optind + 1];
    p.bundle = argv[optind + 2];

    int inputs = make_inputs(&p);
    if (mkdir(p.dir, 0755) != 0 && errno != EEXIST)
        log_die("%s: %m", p.dir);
    int evidence = high(open(p.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    pair(SOCK_STREAM, sign);
    int identity = p.identity ? high(open(p.identity, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) : -1;
    const struct row rows[] = {{FD_INPUTS, inputs}, {FD_SIGN, sign[1]}, {FD_IDENTITY, identity}};
    struct child signer = start(&p, "sign", rows, 3, NULL);
    close(sign[1]);
    await(&signer, CONTROL_READY, NULL);
    say(&signer, CONTROL_GO);
    if (!p.pack_only)
        record(&p, inputs, evidence, sign[0]);
    pack(&p, inputs, evidence, sign[0]);
    close(sign[0]);
    reap(&signer);
    return 0;
}
