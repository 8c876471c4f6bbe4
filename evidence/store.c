/*
 * store: the process that keeps the evidence.
 *
 * Takes frames from the ring, results from analyze, hashes of the sources from digest, and asks
 * sign for signatures. Writes one evidence directory and nothing else. In replay it follows analyze
 * through the ring: it first looks how far analyze has come, then reads what analyze said up to
 * there (which frames may be cited), then keeps or drops the frames. Results are always drained, so
 * analyze never waits for store while store waits for analyze.
 *
 * Must never: look into a frame or a DNS message, overwrite a file, or write a record for something
 * that is not durable yet.
 */
#include "evidence/accept.h"
#include "evidence/archive.h"
#include "evidence/custody.h"
#include "evidence/exhibits.h"
#include "evidence/file.h"
#include "evidence/format.h"
#include "evidence/hash.h"
#include "evidence/json.h"
#include "evidence/ledger.h"
#include "evidence/listing.h"
#include "evidence/past.h"
#include "evidence/recorder.h"
#include "evidence/results.h"
#include "evidence/storage.h"
#include "evidence/text.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/ring.h"
#include "sandbox/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Live: how much of one thing is done before the other gets its turn, so that neither a burst of
 * events nor a burst of frames makes the other wait until frames are lost. In replay results are
 * always drained to the end, since what analyze holds must be known before frames are dropped. */
#define RESULTS_A_TURN 256u
#define FRAMES_A_TURN  8192u
/* Live: room is looked at although nothing happens, milliseconds. */
#define STORAGE_LOOK_MS 5000

struct store {
    struct inputs *inputs;
    const struct settings *settings;
    char sensor[sizeof((struct settings *)0)->sensor + 1];
    char origin[TEXT_MAX], boot_id[64], os[256], hardware[128];
    const char *clock_state;
    struct storage storage;
    int64_t begun_ns;
    int segments, log, state; /* folders */
    struct channel *sign, *from_analyze, *from_digest;
    struct ring *ring;
    struct ledger *ledger;
    struct recorder *recorder;
    struct results *results;
    struct file *loss;
    struct past_options past;         /* runs 0: no history is kept */
    struct custody_exhibit *exhibits; /* sources, or interfaces */
    size_t exhibit_count, digests_missing;
    bool analyze_done;
    struct msg_finished totals;
};

static int64_t now_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0)
        log_die("store: clock: %m");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t monotonic_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* --- before confinement --------------------------------------------------------------------------
 */

static void read_boot_id(char *ret_id, size_t room)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret_id, room - 1);
    if (fd >= 0)
        (void)close(fd);
    ret_id[n > 0 ? n : 0] = '\0';
    ret_id[strcspn(ret_id, "\n")] = '\0';
}

static const char *clock_discipline(void)
{
    struct timex t = {.modes = 0}; /* only asks */
    int state = adjtimex(&t);
    if (state < 0)
        return "unknown";
    return state == TIME_ERROR || (t.status & STA_UNSYNC) ? "unsynchronised" : "synchronised";
}

static void look_around(struct store *s)
{
    struct utsname u;
    read_boot_id(s->boot_id, sizeof s->boot_id);
    s->clock_state = clock_discipline();
    if (uname(&u) == 0) {
        (void)snprintf(s->os, sizeof s->os, "%s %s", u.sysname, u.release);
        (void)snprintf(s->hardware, sizeof s->hardware, "%s", u.machine);
    }
}

static void open_descriptors(struct store *s)
{
    s->inputs = inputs_open(FD_INPUTS);
    s->settings = inputs_settings(s->inputs);
    s->ring = ring_open_reader(RING_STORE);
    s->sign = channel_new(FD_SIGN);
    s->from_analyze = channel_new(FD_RESULTS);
    if (!s->ring || !s->sign || !s->from_analyze)
        log_die("store: %m");
    if (fcntl(FD_DIGESTS, F_GETFD) >= 0 && !(s->from_digest = channel_new(FD_DIGESTS)))
        log_die("store: %m");
}

/* --- beginning -----------------------------------------------------------------------------------
 */

static void name_run(struct store *s)
{
    char begun[TEXT_TIME_ROOM], random[TEXT_HEX_ROOM(4)];
    uint8_t bytes[4];
    size_t length = strnlen(s->settings->sensor, sizeof s->settings->sensor);
    memcpy(s->sensor, s->settings->sensor, length);
    s->sensor[length] = '\0';
    if (length == 0)
        (void)snprintf(s->sensor, sizeof s->sensor, "sensor");
    if (strspn(s->sensor, "abcdefghijklmnopqrstuvwxyz0123456789.-") != strlen(s->sensor))
        log_die("store: impossible sensor name");
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        log_die("store: no randomness: %m");
    text_hex(bytes, sizeof bytes, random);
    s->begun_ns = now_ns();
    text_time_id(s->begun_ns / 1000000000, begun);
    (void)snprintf(s->origin, sizeof s->origin, CHECKPOINT_ORIGIN "%s/%s-%s", s->sensor, begun,
                   random);
}

static int folder(int dir, const char *name)
{
    int fd = file_folder(dir, name);
    if (fd < 0)
        log_die("store: %s: %s", name, strerror(-fd));
    return fd;
}

static void write_guide(int state)
{
    static const char text[] =
        "What dnsbailiff found out in this run, and what it judged by.\n"
        "The log beside it (../log) holds the hash of every file here that counts as evidence;\n"
        "`dnsbailiff pack` makes a sealed bundle of it. Do not edit: it would not verify.\n";
    int error = file_put(state, "README.txt", text, sizeof text - 1, NULL);
    if (error != 0)
        log_die("store: state: %s", strerror(-error));
}

static void list_exhibits(struct store *s, enum input_kind kind)
{
    struct input in;
    for (size_t at = 0; inputs_next(s->inputs, kind, &at, &in) == 1;) {
        struct custody_exhibit *more =
            reallocarray(s->exhibits, s->exhibit_count + 1, sizeof *more);
        if (!more)
            log_die("store: out of memory");
        s->exhibits = more;
        s->exhibits[s->exhibit_count++] =
            (struct custody_exhibit){.name = in.name, .is_file = kind == INPUT_SOURCE};
    }
}

static void record_open(struct store *s, const struct archive_head *previous)
{
    struct listing inputs = {0};
    struct input filter;
    size_t at = 0;
    exhibits_copy(s->state, s->inputs, &inputs);
    struct json *j = ledger_begin(s->ledger, "open");
    json_number(j, "format", FORMAT_VERSION);
    json_string(j, "origin", s->origin);
    json_string(j, "run",
                s->settings->live         ? "capture"
                : accept_asked(s->inputs) ? "accept"
                                          : "replay");
    json_string(j, "software", "dnsbailiff " DNSBAILIFF_VERSION);
    json_string(j, "sensor", s->sensor);
    json_string(j, "boot_id", s->boot_id);
    json_string(j, "clock", s->clock_state);
    if (inputs_next(s->inputs, INPUT_FILTER, &at, &filter) == 1)
        json_text(j, "filter", filter.size ? filter.bytes : filter.name,
                  filter.size ? filter.size : strlen(filter.name));
    else
        json_string(j, "filter", "");
    listing_write(&inputs, j, "inputs");
    archive_write(previous, j, "previous");
    ledger_commit(s->ledger);
    listing_fini(&inputs);
}

static void settle(void *context)
{
    struct store *s = context;
    if (s->results)
        results_settle(s->results);
}

static void sealed(void *context, const char *file, uint64_t seq, int64_t last_ns)
{
    struct store *s = context;
    results_custody(s->results, "segment-sealed", file, seq, last_ns);
}

static void begin(struct store *s)
{
    struct archive_head previous;
    name_run(s);
    archive_previous(FD_EVIDENCE, &previous);
    s->segments = folder(FD_EVIDENCE, DIR_SEGMENTS);
    s->log = folder(FD_EVIDENCE, DIR_LOG);
    s->state = folder(FD_EVIDENCE, DIR_STATE);
    (void)close(folder(FD_EVIDENCE, DIR_TIMESTAMPS));
    if (fsync(FD_EVIDENCE) != 0)
        log_die("store: %m");
    write_guide(s->state);
    list_exhibits(s, INPUT_SOURCE);
    if (s->from_digest)
        s->digests_missing = s->exhibit_count;
    list_exhibits(s, INPUT_INTERFACE);
    s->ledger = ledger_open(&(struct ledger_options){.dir = s->log,
                                                     .sign = s->sign,
                                                     .origin = s->origin,
                                                     .epoch_records = s->settings->epoch_records,
                                                     .settle = settle,
                                                     .context = s});
    if (fcntl(FD_HANDOVER, F_GETFD) >= 0) {
        s->past = (struct past_options){
            .socket = FD_HANDOVER, .dir = FD_EVIDENCE, .state = s->state, .runs = previous.runs};
        past_begin(&s->past);
    }
    record_open(s, &previous);
    if (accept_asked(s->inputs))
        accept_record(s->inputs, s->ledger);
    int error = file_create(s->state, strrchr(FILE_LOSS, '/') + 1, FILE_OPEN, &s->loss);
    if (error != 0)
        log_die("store: %s: %s", FILE_LOSS, strerror(-error));
    s->recorder = recorder_new(&(struct recorder_options){.dir = FD_EVIDENCE,
                                                          .segments = s->segments,
                                                          .settings = s->settings,
                                                          .ledger = s->ledger,
                                                          .loss = s->loss,
                                                          .sealed = sealed,
                                                          .context = s,
                                                          .hardware = s->hardware,
                                                          .os = s->os});
    s->results = results_new(&(struct results_options){.dir = FD_EVIDENCE,
                                                       .state = s->state,
                                                       .live = s->settings->live,
                                                       .ledger = s->ledger,
                                                       .recorder = s->recorder,
                                                       .ring = s->ring});
    if (s->settings->live)
        ledger_checkpoint(s->ledger);
    else
        ring_follow_analyze(s->ring);
}

/* --- the run -------------------------------------------------------------------------------------
 */

static bool drain_results(struct store *s)
{
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    int got = -1;
    bool any = false;
    unsigned left = RESULTS_A_TURN;
    while (!s->analyze_done && (!s->settings->live || left-- > 0) &&
           (got = channel_receive(s->from_analyze, false, &type, &bytes, &size)) == 1) {
        results_take(s->results, type, bytes, size);
        s->analyze_done = results_finished(s->results, &s->totals);
        any = true;
    }
    if (!s->analyze_done && got == 0)
        log_die("store: analyze ended before it was done");
    return any;
}

static void record_source(struct store *s, const struct msg_digest *m)
{
    char base[NAME_MAX_KEPT + 1], member[NAME_MAX_KEPT + 32];
    if (m->source >= s->exhibit_count || !s->exhibits[m->source].is_file)
        log_die("store: hash of a source that is none");
    struct custody_exhibit *e = &s->exhibits[m->source];
    e->size = m->size;
    memcpy(e->sha256, m->sha256, sizeof e->sha256);
    text_member_name(e->name, base, sizeof base);
    (void)snprintf(member, sizeof member, NAME_SOURCE, m->source, base);
    struct json *j = ledger_begin(s->ledger, "source");
    json_number(j, "index", m->source);
    json_string(j, "name", e->name);
    json_string(j, "member", member);
    json_number(j, "size", m->size);
    json_hex(j, "sha256", m->sha256, sizeof m->sha256);
    json_hex(j, "sha512", m->sha512, sizeof m->sha512);
    json_bool(j, "changed", m->changed != 0);
    ledger_commit(s->ledger);
}

static bool drain_digests(struct store *s)
{
    enum message_type type;
    const uint8_t *bytes;
    size_t size;
    struct msg_digest m;
    int got = -1;
    bool any = false;
    while (s->digests_missing > 0 &&
           (got = channel_receive(s->from_digest, false, &type, &bytes, &size)) == 1) {
        if (type != MSG_DIGEST || size != sizeof m)
            log_die("store: digest sent message %d", (int)type);
        memcpy(&m, bytes, sizeof m);
        record_source(s, &m);
        s->digests_missing--;
        any = true;
    }
    if (s->digests_missing > 0 && got == 0)
        log_die("store: digest ended before it was done");
    return any;
}

static bool drain_ring(struct store *s)
{
    const struct ring_record *f;
    bool any = false;
    unsigned left = FRAMES_A_TURN;
    while (!recorder_ended(s->recorder) && (!s->settings->live || left-- > 0) &&
           (f = ring_next(s->ring, NULL)) != NULL) {
        recorder_take(s->recorder, f);
        ring_release(s->ring);
        any = true;
    }
    return any;
}

static void obey(struct store *s, enum control_word word)
{
    if (word == CONTROL_ROTATE && s->settings->live)
        recorder_rotate(s->recorder, true);
}

/* Sleeps until somebody has something to say. */
static void wait_for_work(struct store *s)
{
    struct pollfd p[4] = {{.fd = FD_WAKE_STORE, .events = POLLIN},
                          {.fd = s->analyze_done ? -1 : FD_RESULTS, .events = POLLIN},
                          {.fd = s->digests_missing > 0 ? FD_DIGESTS : -1, .events = POLLIN},
                          {.fd = FD_CONTROL, .events = POLLIN}};
    if (!ring_sleep(s->ring))
        return;
    results_flush(s->results);
    int due_ms = recorder_due_ms(s->recorder);
    if (s->settings->live && (due_ms < 0 || due_ms > STORAGE_LOOK_MS))
        due_ms = STORAGE_LOOK_MS;
    if (poll(p, 4, due_ms) < 0 && errno != EINTR)
        log_die("store: poll: %m");
    ring_awake(s->ring);
    if (p[3].revents)
        obey(s, control_poll());
}

static bool is_complete(const struct store *s)
{
    return s->analyze_done && s->digests_missing == 0 && recorder_ended(s->recorder);
}

static void run(struct store *s)
{
    while (!is_complete(s)) {
        bool any = drain_digests(s); /* early: what was replayed stands at the head of the log */
        if (!s->settings->live)
            ring_follow_analyze(s->ring); /* first how far, … */
        any |= drain_results(s);          /* … then what was said up to there, … */
        any |= drain_ring(s);             /* … then the frames. */
        if (s->settings->live) {
            recorder_rotate(s->recorder, false);
            storage_watch(&s->storage, s->recorder, monotonic_ns());
        }
        if (!any && !is_complete(s))
            wait_for_work(s);
        else if (s->settings->live)
            obey(s, control_poll());
    }
}

/* --- the end -------------------------------------------------------------------------------------
 */

static void keep_frames(struct store *s)
{
    if (s->settings->live) {
        recorder_rotate(s->recorder, true);
        return;
    }
    size_t count;
    uint64_t *cited = results_cited(s->results, &count);
    recorder_extract(s->recorder, cited, count);
}

static void seal_loss(struct store *s, struct listing *l)
{
    uint64_t size;
    uint8_t digest[HASH_BYTES];
    recorder_finish(s->recorder);
    int error = file_seal(s->loss, &size, digest);
    if (error != 0)
        log_die("store: %s: %s", FILE_LOSS, strerror(-error));
    listing_add(l, BUNDLE_LOSS, size, digest);
}

static void finish(struct store *s)
{
    struct listing files = {0}, results = {0};
    keep_frames(s);
    results_seal(s->results, &files);
    seal_loss(s, &files);
    if (s->past.runs > 0)
        (void)past_seal(&s->past, s->settings->live, &files);
    for (size_t i = 0; i < files.count; i++) { /* custody lists what there is before itself */
        char member[sizeof files.list[i].file + 8];
        (void)snprintf(member, sizeof member, "data/%s", files.list[i].file);
        listing_add(&results, member, files.list[i].size, files.list[i].sha256);
    }
    custody_write(&(struct custody_run){.origin = s->origin,
                                        .sensor = s->sensor,
                                        .live = s->settings->live,
                                        .begun_ns = s->begun_ns,
                                        .ended_ns = now_ns(),
                                        .exhibits = s->exhibits,
                                        .exhibit_count = s->exhibit_count,
                                        .results = &results,
                                        .state = s->state},
                  &files);
    /* From here on a checkpoint has nothing to settle: the results are sealed. */
    results_free(s->results);
    s->results = NULL;
    struct json *j = ledger_begin(s->ledger, "close");
    json_string(j, "reason", s->settings->live ? "stopped" : "finished");
    json_number(j, "frames", s->totals.frames);
    json_number(j, "messages", s->totals.messages);
    json_number(j, "findings", s->totals.findings);
    listing_write(&files, j, "files");
    ledger_commit(s->ledger);
    ledger_close(s->ledger);
    listing_fini(&files);
    listing_fini(&results);
}

int main(void)
{
    static struct store s;
    log_name("store");
    (void)signal(SIGPIPE, SIG_IGN);
    look_around(&s);
    hash_free(hash_new(HASH_SHA256)); /* OpenSSL reads its configuration while it may */
    open_descriptors(&s);
    confine(PROCESS_store);
    control_await_go();

    begin(&s);
    storage_init(&s.storage, FD_EVIDENCE);
    run(&s);
    finish(&s);
    recorder_free(s.recorder);
    free(s.exhibits);
    char worst[32];
    (void)snprintf(worst, sizeof worst, CONTROL_WORST, s.totals.worst);
    control_send(CONTROL_DONE, DONE_OK, worst);
    return 0;
}
