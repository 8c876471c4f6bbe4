/*
 * analyze: the process that parses packets. Holds nothing: no files, no network, no keys.
 *
 * Contained in: libexec/dnsbailiff/analyze. Reads its inputs, raises its walls, then turns frames
 * from the ring into messages to store. Must never: open anything after confinement, or trust a
 * byte of a frame.
 */
#include "analyze/declared/anchor.h"
#include "analyze/declared/baseline.h"
#include "analyze/pipeline.h"
#include "analyze/tell/explain.h"
#include "analyze/tell/learn.h"
#include "analyze/validate/ahead.h"
#include "sandbox/channel.h"
#include "sandbox/condition.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/inputs.h"
#include "sandbox/log.h"
#include "sandbox/ring.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Ring space goes back, and holds go out, after so many records. */
#define BATCH_RECORDS 2048
#define ERROR_TEXT    512
/* A waiting loop looks for words of the supervisor so often, milliseconds. */
#define PATIENCE_MS 500
/* One for each process whose walls could be wrong, and some. */
#define TOLD_MAX 16
/* How long the end of a capture waits for a history that takes nothing, milliseconds. */
#define LAST_WAIT_MS 10000

struct analyzer {
    struct ring *ring;
    struct channel *results;
    struct channel *history; /* NULL: none is kept, or it is gone */
    struct ahead *ahead;
    struct pipeline *pipeline;
    struct explain *explain;         /* what is asked, or NULL: the summary is the report then */
    struct learn *learn;             /* what was validated is the report, or NULL */
    size_t batch_bytes;              /* of the ring, after which its space is given back */
    struct condition told[TOLD_MAX]; /* replay: of the sensor, so far */
    size_t told_count;
    bool live, ended;
};

/* --- what goes to store --- */

static void send_event(void *context, uint64_t frame, int64_t time_ns, const char *json,
                       size_t size)
{
    struct analyzer *z = context;
    struct msg_event head = {.frame = frame, .time_ns = time_ns};
    channel_send(z->results, MSG_EVENT, &head, sizeof head, json, size);
}

/* Head, cited frames, frames of the chain, in one message. */
static void send_finding(void *context, const struct finding *f, bool last, const char *json,
                         size_t size)
{
    struct analyzer *z = context;
    struct {
        struct msg_finding head;
        uint64_t frames[2 * FINDING_FRAMES_MAX];
    } m = {.head = {.is_final = last}};
    size_t frames = f->frame_count + f->chain_count;
    memcpy(m.head.id, f->id, sizeof f->id);
    m.head.frames = (uint32_t)frames;
    memcpy(m.frames, f->frames, f->frame_count * sizeof *f->frames);
    memcpy(m.frames + f->frame_count, f->chain, f->chain_count * sizeof *f->chain);
    channel_send(z->results, MSG_FINDING, &m, sizeof m.head + frames * sizeof *m.frames, json,
                 size);
}

static void send_hold(void *context, const uint64_t *frames, size_t count)
{
    struct analyzer *z = context;
    if (z->live)
        return; /* every frame is sealed in a segment */
    channel_send(z->results, MSG_HOLD, frames, count * sizeof *frames, NULL, 0);
}

static void send_inventory(void *context, const char *json, size_t size)
{
    struct analyzer *z = context;
    channel_send(z->results, MSG_INVENTORY, json, size, NULL, 0);
}

static void send_keys(void *context, const char *text, size_t size)
{
    struct analyzer *z = context;
    channel_send(z->results, MSG_KEYS, text, size, NULL, 0);
}

/* --- what goes to history --- */

static void give_up(struct analyzer *z)
{
    channel_free(z->history);
    z->history = NULL;
}

/* Writes what it takes; with `wait`, and then at least something. False: bytes are left. */
static bool push_history(struct analyzer *z, bool wait)
{
    struct pollfd p = {.fd = FD_HISTORY, .events = POLLOUT};
    int pushed = z->history ? channel_push(z->history) : 1;
    if (pushed == 0 && wait && poll(&p, 1, z->live ? LAST_WAIT_MS : -1) != 0)
        pushed = channel_push(z->history);
    else if (pushed == 0 && wait)
        pushed = -1;
    if (pushed < 0)
        give_up(z);
    return pushed != 0;
}

/* It may lag, and it may go: nothing waits for it, except where the caller says so. In a capture
 * that is at the end, and then not for ever. */
static bool tell_history(void *context, const void *head, size_t head_size, const void *body,
                         size_t body_size, bool wait)
{
    struct analyzer *z = context;
    while (z->history && !channel_room(z->history))
        if (!push_history(z, wait) && !wait && z->history && !channel_room(z->history))
            return false;
    if (z->history == NULL)
        return false;
    channel_send(z->history, MSG_HISTORY, head, head_size, body, body_size);
    return true;
}

static bool history_is_gone(void *context)
{
    return ((struct analyzer *)context)->history == NULL;
}

/* The last word. */
static void end_history(struct analyzer *z, const struct pipeline_totals *t)
{
    struct msg_history_end end = {t->first_ns, t->last_ns, t->frames, t->untold};
    while (z->history && !channel_room(z->history))
        push_history(z, true);
    if (z->history)
        channel_send(z->history, MSG_HISTORY_END, &end, sizeof end, NULL, 0);
    while (!push_history(z, true))
        ;
}

/* --- inputs --- */

#define USAGE 2 /* exit status: the operator's mistake, named by file and line */

static void __attribute__((noreturn)) refuse(const char *mistake)
{
    log_line(LOG_ERROR, "%s", mistake);
    exit(USAGE);
}

static struct anchors *read_anchors(const struct inputs *inputs)
{
    struct anchors *anchors = anchors_new();
    char error[ERROR_TEXT];
    struct input input;
    size_t at = 0, count = 0;
    if (anchors == NULL)
        log_die("anchors: no memory");
    while (inputs_next(inputs, INPUT_ANCHOR, &at, &input)) {
        if (anchors_add(anchors, input.name, input.bytes, input.size, error, sizeof error) < 0)
            refuse(error);
        count++;
    }
    if (count == 0)
        anchors_add_default(anchors);
    return anchors;
}

static struct baseline *read_baseline(const struct inputs *inputs)
{
    struct baseline *baseline = baseline_new();
    char error[ERROR_TEXT];
    struct input input;
    size_t at = 0;
    if (baseline == NULL)
        log_die("baseline: no memory");
    while (inputs_next(inputs, INPUT_BASELINE_ZONE, &at, &input))
        if (baseline_add_zone(baseline, input.name, input.bytes, input.size, error, sizeof error) <
            0)
            refuse(error);
    at = 0;
    while (inputs_next(inputs, INPUT_BASELINE_POLICY, &at, &input))
        if (baseline_add_policy(baseline, input.name, input.bytes, input.size, error,
                                sizeof error) < 0)
            refuse(error);
    if (baseline_ready(baseline, error, sizeof error) < 0)
        refuse(error);
    return baseline;
}

static struct explain *read_question(const struct inputs *inputs)
{
    char error[ERROR_TEXT];
    struct input input;
    size_t at = 0;
    if (!inputs_next(inputs, INPUT_QUESTION, &at, &input))
        return NULL;
    bool json = input.size == 4 && memcmp(input.bytes, "json", 4) == 0;
    struct explain *explain = explain_new(input.name, json, error, sizeof error);
    if (explain == NULL)
        refuse(error);
    return explain;
}

static struct learn *read_learn(const struct inputs *inputs)
{
    struct input input;
    size_t at = 0;
    if (!inputs_next(inputs, INPUT_LEARN, &at, &input))
        return NULL;
    struct learn *learn = learn_new(inputs_settings(inputs)->memory_bytes / 4);
    if (learn == NULL)
        log_die("learn: no memory");
    return learn;
}

/* The last part of a path: what events call the file. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static size_t read_names(const struct inputs *inputs, enum input_kind kind, const char ***ret_names)
{
    struct input input;
    size_t at = 0, count = 0;
    while (inputs_next(inputs, kind, &at, &input))
        count++;
    const char **names = calloc(count + 1, sizeof *names);
    if (names == NULL)
        log_die("inputs: no memory");
    at = count = 0;
    while (inputs_next(inputs, kind, &at, &input))
        names[count++] = base_name(input.name);
    *ret_names = names;
    return count;
}

/* Threads beside this one for signature checks, each behind its own walls already. */
static struct ahead *make_ahead(const struct settings *settings)
{
    unsigned threads = settings->threads ? (unsigned)settings->threads : ahead_processors();
    struct ahead *ahead = ahead_new(threads, confine_thread);
    if (ahead == NULL)
        log_die("threads: %m");
    ahead_ready(ahead);
    return ahead;
}

static struct pipeline *make_pipeline(const struct inputs *inputs, struct analyzer *z)
{
    const struct settings *settings = inputs_settings(inputs);
    struct pipeline_inputs in = {
        .settings = settings, .ahead = z->ahead, .explain = z->explain, .learn = z->learn};
    struct pipeline_outputs out = {.event = send_event,
                                   .finding = send_finding,
                                   .hold = send_hold,
                                   .context = z,
                                   .inventory = send_inventory,
                                   .keys = send_keys};
    if (z->history)
        out.history = (struct sighting_outputs){tell_history, history_is_gone, z, !settings->live};
    const char **names;
    char error[ERROR_TEXT];
    struct input profile;
    size_t at = 0;
    in.anchors = read_anchors(inputs);
    in.baseline = read_baseline(inputs);
    in.source_count = read_names(inputs, settings->live ? INPUT_INTERFACE : INPUT_SOURCE, &names);
    in.sources = names;
    if (inputs_next(inputs, INPUT_PROFILE, &at, &profile)) {
        in.profile_name = profile.name;
        in.profile = profile.bytes;
        in.profile_size = profile.size;
    }
    in.seed = settings->hash_seed;
    struct pipeline *pipeline = pipeline_new(&in, &out, error, sizeof error);
    if (pipeline == NULL)
        refuse(error);
    return pipeline;
}

/* Made of traffic, by whoever wrote the file: read behind the walls. */
static void recall(const struct inputs *inputs, struct analyzer *z)
{
    char error[ERROR_TEXT];
    struct input input;
    for (size_t at = 0; inputs_next(inputs, INPUT_STATE, &at, &input);)
        if (pipeline_recall(z->pipeline, input.name, input.bytes, input.size, error, sizeof error) <
            0)
            log_die("%s", error);
}

/* OpenSSL and the time zone load on first use, which the filter would refuse. */
static void warm_up(void)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    static const EVP_MD *(*const digests[])(void) = {EVP_sha1, EVP_sha256, EVP_sha384, EVP_sha512};
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        if (!EVP_Digest("", 0, digest, NULL, digests[i](), NULL))
            log_die("OpenSSL: a digest is not available");
    tzset();
}

/* --- the loop --- */

/* In replay what was told of the sensor waits for the end, so that two runs are judged alike. */
static void obey(struct analyzer *z)
{
    struct control_msg msg;
    struct condition condition;
    struct timespec now = {0};
    for (enum control_word word; (word = control_poll_msg(&msg)) != 0;) {
        if (word == CONTROL_STATS)
            pipeline_stats(z->pipeline);
        if (word != CONTROL_CONDITION || !condition_unpack(&msg, &condition))
            continue;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        if (z->live)
            pipeline_condition(z->pipeline, &condition,
                               (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
        else if (z->told_count < TOLD_MAX)
            z->told[z->told_count++] = condition;
    }
}

/* In replay a batch ends after a fixed number of records and bytes, whenever they come, so that two
 * runs are judged alike; live it also ends when the ring is empty. */
static void take_batch(struct analyzer *z)
{
    uint64_t missed = 0;
    size_t bytes = 0;
    for (unsigned i = 0; i < BATCH_RECORDS && bytes < z->batch_bytes && !z->ended;) {
        const struct ring_record *r = ring_next(z->ring, &missed);
        if (r == NULL && z->live && i > 0)
            break;
        if (r == NULL) {
            ring_wait(z->ring, PATIENCE_MS);
            obey(z);
            continue;
        }
        z->ended = r->type == RING_END;
        bytes += r->size;
        pipeline_record(z->pipeline, r);
        i++;
    }
    if (z->live)
        obey(z);
    if (missed)
        pipeline_missed(z->pipeline, missed);
    pipeline_flush(z->pipeline);
    /* Holds must be on their way before the frames may pass store. */
    channel_flush(z->results);
    ring_release(z->ring);
    push_history(z, false);
}

/* NULL, or why nothing could be explained. */
static const char *send_report(struct analyzer *z)
{
    size_t size;
    const char *report;
    while (z->learn && (report = learn_next(z->learn, &size)) != NULL)
        channel_send(z->results, MSG_REPORT, report, size, NULL, 0);
    if (z->learn)
        return NULL;
    report = z->explain ? explain_report(z->explain, &size) : pipeline_report(z->pipeline, &size);
    if (report == NULL && z->explain == NULL)
        log_die("report: no memory");
    if (report)
        channel_send(z->results, MSG_REPORT, report, size, NULL, 0);
    return report ? NULL : explain_nearest(z->explain);
}

static const char *finish(struct analyzer *z)
{
    obey(z);
    for (size_t i = 0; i < z->told_count; i++)
        pipeline_condition(z->pipeline, &z->told[i], 0);
    pipeline_finish(z->pipeline);
    const char *nothing = send_report(z);
    struct pipeline_totals totals = pipeline_totals(z->pipeline);
    end_history(z, &totals);
    struct msg_finished head = {totals.frames, totals.messages, totals.findings,
                                (uint32_t)totals.worst, 0};
    channel_send(z->results, MSG_FINISHED, &head, sizeof head, NULL, 0);
    channel_flush(z->results);
    return nothing;
}

int main(void)
{
    struct analyzer z = {0};
    log_name("analyze");
    struct inputs *inputs = inputs_open(FD_INPUTS);
    z.ring = ring_open_reader(RING_ANALYZE);
    z.results = channel_new(FD_RESULTS);
    if (fcntl(FD_HISTORY, F_GETFD) >= 0 && (z.history = channel_new(FD_HISTORY)) != NULL)
        channel_lazy(z.history);
    if (z.ring == NULL || z.results == NULL)
        log_die("ring or channel: cannot be opened");
    warm_up();
    z.live = inputs_settings(inputs)->live;
    z.batch_bytes = inputs_settings(inputs)->ring_bytes / 4;
    z.ahead = make_ahead(inputs_settings(inputs));
    z.explain = read_question(inputs);
    z.learn = read_learn(inputs);
    z.pipeline = make_pipeline(inputs, &z);

    confine(PROCESS_analyze);
    control_await_go();
    recall(inputs, &z);
    while (!z.ended)
        take_batch(&z);
    const char *nothing = finish(&z);
    control_send(CONTROL_DONE, nothing ? DONE_NOT_FOUND : DONE_OK, nothing);
    return 0;
}
