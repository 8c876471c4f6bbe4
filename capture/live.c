/*
 * live: frames from network interfaces, several at once, into the ring.
 *
 * Contained in: capture. Must never: transmit, wait for a reader, or open anything after
 * confinement.
 *
 * libpcap maps the kernel's packet ring (TPACKET_V3); a frame is copied once, from there to ours.
 * Counters are asked of the kernel directly: pcap_stats opens files in /sys each time, and without
 * them reports nonsense for the interface's own drops. Those files are opened here once, before
 * confinement, and read again and again.
 */
#include "capture/live.h"

#include "capture/filter.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"
#include "sandbox/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* The kernel's ring for each interface: at 1 Mpps of 250 bytes a quarter of a second, which is what
 * a reader may sleep when the machine is busy. */
#define KERNEL_BYTES (64 << 20)
/* A block that is not full is handed over after this time. */
#define BLOCK_MS 100
/* Frames taken from one interface before the next one's turn. */
#define TURN_FRAMES 4096
#define FACES_MAX   64
#define SECOND_NS   INT64_C(1000000000)

struct face {
    pcap_t *pcap;
    const char *name;
    uint16_t index;    /* in the ring */
    uint16_t linktype; /* LINKTYPE_ */
    int counters[2];   /* files of /sys with the card's own drops, -1 none */
    uint64_t drops_before;
    struct frame_interface told;
    struct ring_loss loss;
    struct output *out;
    int64_t last_ns; /* time of its last frame */
};

struct live {
    struct face faces[FACES_MAX];
    size_t count;
};

/* ---- opening ----------------------------------------------------------------------------------
 */

/* A file about the interface in /sys, or -1: interfaces like "any" have none. */
static int open_about(const char *name, const char *file)
{
    char path[160];
    if (strchr(name, '/') || name[0] == '.')
        return -1;
    int n = snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, file);
    return n > 0 && (size_t)n < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Its text without the newline, "" if there is none. */
static void read_about(const char *name, const char *file, char *ret_text, size_t room)
{
    ret_text[0] = '\0';
    int fd = open_about(name, file);
    if (fd < 0)
        return;
    ssize_t n = pread(fd, ret_text, room - 1, 0);
    close(fd);
    ret_text[n > 0 ? n : 0] = '\0';
    ret_text[strcspn(ret_text, "\n")] = '\0';
}

static uint64_t card_drops(const struct face *f)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 2; i++) {
        char text[24];
        ssize_t n = f->counters[i] < 0 ? 0 : pread(f->counters[i], text, sizeof text - 1, 0);
        if (n > 0) {
            text[n] = '\0';
            sum += strtoull(text, NULL, 10);
        }
    }
    return sum;
}

static uint16_t linktype_of(int dlt)
{
    switch (dlt) {
    case DLT_RAW:
        return 101; /* LINKTYPE_RAW; from 104 on, and for Ethernet, NULL and PPP, they are equal */
    case DLT_ATM_RFC1483:
        return 100;
    default:
        return (uint16_t)dlt;
    }
}

static void set_filter(struct face *f, const struct settings *s, const char *expression)
{
    struct bpf_program program = {0};
    struct bpf_insn built_in[FILTER_DNS_MAX];
    int dlt = pcap_datalink(f->pcap);
    if (expression[0]) {
        if (pcap_compile(f->pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
            log_line(LOG_ERROR, "%s: filter: %s", f->name, pcap_geterr(f->pcap));
            _exit(2);
        }
        snprintf(f->told.filter, sizeof f->told.filter, "%s", expression);
    } else {
        program.bf_insns = built_in;
        program.bf_len = (u_int)filter_dns(dlt, s->ports, SETTINGS_PORTS, built_in);
        int n = snprintf(f->told.filter, sizeof f->told.filter,
                         "built in: fragments, tunnels, ICMP errors, and ports 853");
        for (size_t i = 0; i < SETTINGS_PORTS && s->ports[i]; i++)
            n +=
                snprintf(f->told.filter + n, sizeof f->told.filter - (size_t)n, " %u", s->ports[i]);
    }
    if (pcap_setfilter(f->pcap, &program) < 0)
        log_die("%s: filter: %s", f->name, pcap_geterr(f->pcap));
    if (expression[0])
        pcap_freecode(&program);
}

static void open_face(struct face *f, const struct settings *s, const char *expression)
{
    char error[PCAP_ERRBUF_SIZE] = "", speed[24];
    f->pcap = pcap_create(f->name, error);
    if (!f->pcap)
        log_die("%s: %s", f->name, error);
    if (pcap_set_snaplen(f->pcap, (int)s->snaplen) || pcap_set_promisc(f->pcap, 1) ||
        pcap_set_timeout(f->pcap, BLOCK_MS) || pcap_set_buffer_size(f->pcap, KERNEL_BYTES) ||
        pcap_set_tstamp_precision(f->pcap, PCAP_TSTAMP_PRECISION_NANO))
        log_die("%s: options refused", f->name);
    int r = pcap_activate(f->pcap);
    if (r < 0)
        log_die("%s: %s", f->name,
                pcap_geterr(f->pcap)[0] ? pcap_geterr(f->pcap) : pcap_statustostr(r));
    if (r > 0)
        log_line(LOG_WARNING, "%s: %s", f->name, pcap_statustostr(r));
    if (pcap_setnonblock(f->pcap, 1, error) < 0)
        log_die("%s: %s", f->name, error);
    set_filter(f, s, expression);

    f->linktype = linktype_of(pcap_datalink(f->pcap));
    f->told.linktype = f->linktype;
    f->told.snaplen = (uint32_t)pcap_snapshot(f->pcap);
    f->told.tsresol = 1000000000;
    f->told.is_first = true;
    snprintf(f->told.name, sizeof f->told.name, "%s", f->name);
    read_about(f->name, "ifalias", f->told.description, sizeof f->told.description);
    read_about(f->name, "speed", speed, sizeof speed); /* Mbit/s; -1 unknown */
    if (speed[0] && speed[0] != '-')
        f->told.speed = strtoull(speed, NULL, 10) * 1000000;
    f->counters[0] = open_about(f->name, "statistics/rx_missed_errors");
    f->counters[1] = open_about(f->name, "statistics/rx_fifo_errors");
    f->drops_before = card_drops(f);
}

struct live *live_open(const struct inputs *inputs, const char *expression)
{
    struct live *l = calloc(1, sizeof *l);
    struct input in;
    size_t at = 0;
    if (!l)
        log_die("live: %s", strerror(errno));
    while (inputs_next(inputs, INPUT_INTERFACE, &at, &in) == 1) {
        if (l->count == FACES_MAX)
            log_die("live: more than %d interfaces", FACES_MAX);
        struct face *f = &l->faces[l->count++];
        f->name = in.name;
        open_face(f, inputs_settings(inputs), expression);
    }
    if (!l->count)
        log_die("live: no interface");
    return l;
}

/* ---- running ----------------------------------------------------------------------------------
 */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct face *f = (struct face *)(void *)user;
    uint64_t dropped = f->out->loss.dropped_ring;
    int64_t time_ns = (int64_t)h->ts.tv_sec * SECOND_NS + h->ts.tv_usec; /* nanoseconds, as asked */
    if (time_ns < 0 || time_ns > FRAME_TIME_MAX)
        time_ns = time_ns < 0 ? 0 : FRAME_TIME_MAX;
    f->last_ns = time_ns;
    output_frame(f->out, f->index, f->index,
                 &(struct frame){
                     .bytes = bytes,
                     .caplen = h->caplen < RING_FRAME_MAX ? h->caplen : (uint32_t)RING_FRAME_MAX,
                     .len = h->len,
                     .time_ns = time_ns,
                     .linktype = f->linktype,
                 });
    f->loss.dropped_ring += f->out->loss.dropped_ring - dropped;
    f->loss.bytes += h->caplen;
    f->loss.received++;
}

/* Frames that lie ready. An interface that fails is closed; the others go on. */
static int take(struct face *f)
{
    if (!f->pcap)
        return 0;
    int n = pcap_dispatch(f->pcap, TURN_FRAMES, on_frame, (u_char *)f);
    if (n >= 0)
        return n;
    log_line(LOG_ERROR, "%s: %s", f->name, pcap_geterr(f->pcap));
    return -1;
}

/* The kernel's counters start again at each question. `received` is what came to us plus what the
 * kernel dropped for want of room, not the kernel's own count: that has what libpcap leaves out,
 * such as the second copy of everything on the loopback interface. */
static void count(struct face *f, int64_t time_ns)
{
    struct tpacket_stats_v3 kernel = {0};
    socklen_t size = sizeof kernel;
    if (f->pcap &&
        getsockopt(pcap_fileno(f->pcap), SOL_PACKET, PACKET_STATISTICS, &kernel, &size) == 0) {
        f->loss.received += kernel.tp_drops;
        f->loss.dropped_kernel += kernel.tp_drops;
    }
    uint64_t drops = card_drops(f);
    if (drops > f->drops_before)
        f->loss.dropped_interface += drops - f->drops_before;
    f->drops_before = drops;
    output_loss(f->out, f->index, time_ns, &f->loss);
}

/* Closes it after its last counters. */
static void give_up(struct face *f)
{
    count(f, now_ns());
    f->pcap = NULL; /* not pcap_close: it would ask for what the confinement refuses */
}

/* From every interface what lies ready. True when one of them gave frames and has not come to
 * `until_ns` yet. */
static bool take_all(struct live *l, int64_t until_ns)
{
    bool behind = false;
    for (size_t i = 0; i < l->count; i++) {
        struct face *f = &l->faces[i];
        int n = take(f);
        if (n < 0)
            give_up(f);
        behind |= n > 0 && f->last_ns < until_ns;
    }
    return behind;
}

/* Waits for frames, a word from the supervisor, or the block time. True: STOP. */
static bool wait(const struct live *l, int timeout_ms)
{
    struct pollfd p[FACES_MAX + 1] = {{.fd = FD_CONTROL, .events = POLLIN}};
    for (size_t i = 0; i < l->count; i++)
        p[i + 1] =
            (struct pollfd){.fd = l->faces[i].pcap ? pcap_get_selectable_fd(l->faces[i].pcap) : -1,
                            .events = POLLIN};
    if (poll(p, l->count + 1, timeout_ms) < 0 && errno != EINTR)
        log_die("live: poll: %s", strerror(errno));
    return p[0].revents && control_poll() == CONTROL_STOP;
}

static bool any_left(const struct live *l)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->faces[i].pcap)
            return true;
    return false;
}

/* What the kernel took before STOP: its last block is handed over when its time is up, so wait a
 * little longer than that; a frame from after STOP is no reason to go on. */
static void drain(struct live *l)
{
    int64_t stop = now_ns();
    int64_t until = stop + 3 * (int64_t)BLOCK_MS * 1000000;
    while (any_left(l) && now_ns() < until) {
        if (take_all(l, stop)) /* there is a backlog: however long it takes */
            until = now_ns() + 3 * (int64_t)BLOCK_MS * 1000000;
        ring_publish(l->faces[0].out->ring);
        (void)wait(l, BLOCK_MS / 4);
    }
}

static void finish(struct live *l, struct output *out)
{
    struct ring_loss sum = {.bytes = out->loss.bytes, .dropped_ring = out->loss.dropped_ring};
    int64_t now = now_ns();
    for (size_t i = 0; i < l->count; i++) {
        count(&l->faces[i], now);
        sum.received += l->faces[i].loss.received;
        sum.dropped_kernel += l->faces[i].loss.dropped_kernel;
        sum.dropped_interface += l->faces[i].loss.dropped_interface;
    }
    out->loss = sum;
    output_end(out, now);
}

int live_run(struct live *l, struct output *out, char *ret_text, size_t room)
{
    bool stop = false;
    ret_text[0] = '\0';
    for (size_t i = 0; i < l->count; i++) {
        struct face *f = &l->faces[i];
        f->out = out;
        f->index = (uint16_t)output_interface(out, (uint16_t)i, &f->told);
    }
    int64_t told = now_ns();
    while (!stop && any_left(l)) {
        ring_publish(out->ring);
        stop = wait(l, BLOCK_MS);
        (void)take_all(l, 0);
        out->progress->frames = out->number;
        out->progress->bytes_done = out->loss.bytes;
        int64_t now = now_ns();
        for (size_t i = 0; now - told >= SECOND_NS && i < l->count; i++)
            count(&l->faces[i], now);
        if (now - told >= SECOND_NS || now < told)
            told = now;
    }
    if (stop)
        drain(l);
    else
        snprintf(ret_text, room, "no interface is left to capture on");
    finish(l, out);
    return stop ? 0 : -1;
}
