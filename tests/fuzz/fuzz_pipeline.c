/*
 * fuzz_pipeline: any bytes as a capture, through everything that analyze does with it.
 *
 * Input: a byte of modes, the start in seconds since 1970 (32 bits), then frames: link type (index
 * and length of the capture's cut), time since the last, a 16-bit length, bytes. What must hold:
 * every event and finding is one JSON object in one line without control characters; the summary is
 * printable; no frame is held before it came; a finding cites only frames that were held; and where
 * the anchor is a stranger's nothing is ever secure: there is no chain that could make it so.
 */
#include "analyze/pipeline.h"
#include "analyze/validate/ahead.h"
#include "history/record.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { FRAMES_MAX = 2048 };
enum { MODE_STRANGER = 1, MODE_BASELINE = 2, MODE_TALKATIVE = 4, MODE_SMALL = 8, MODE_AHEAD = 16 };

/* The root key of tests/scenarios, and one that signed nothing there. */
static const char lab_root[] =
    ". IN DNSKEY 257 3 8 "
    "AwEAAaW7ezcnsGmyHYAuNbhGpHSeIcfa7NEDwfKswoyLx8XBH+cdVNImtP6tutyr2lL6DNI+9KjaudBRNVm1"
    "Gt11MAtKtTelp5d2kAJuh2xzg866KLtBekLl/xDDQkvRGCFWr3v0++af+ddUER3KyXqvm1CMuAnisBoKi7Ua"
    "MCryR9LIAl2x2zkrkPwrJxAx5vwYZu3VknekV4LqHlhs5JURU4ZocBEvDDOplm8RJ2OgnXS3MScvS5PpPjrw"
    "AnpfbOK+A4J4/6W9vkaNqh10PVWQs/9FWOxPbyGX3EoRnvTYSghaDfkeF85jVly73Z+ZxvJ7NmULLu9hBLci"
    "NUcUVX1ujW8="
    "\n";
static const char stranger[] = ". IN DS 20326 8 2 "
                               "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
/* example.test. of the scenarios as its owner declared it, shortened. */
static const char declared[] =
    "example.test. 300 IN SOA ns1.example.test. hostmaster.example.test. 1 3600 900 1209600 300\n"
    "example.test. 300 IN NS ns1.example.test.\n"
    "example.test. 300 IN NS ns2.example.test.\n"
    "example.test. 300 IN MX 10 mail.example.test.\n"
    "example.test. 300 IN TXT \"v=spf1 mx ip4:192.0.2.25 -all\"\n"
    "www.example.test. 300 IN A 192.0.2.10\n"
    "example.test. 300 IN DNSKEY 256 3 13 "
    "/cdmGLOFV0ZLrSZ/+sE387oKmsQadbPwXEdLLFC6vMpytjzfs20C1i6nstSGez96u0XbvtM5QlGrzNyxqFCpRQ==\n"
    "example.test. 300 IN DNSKEY 257 3 13 "
    "Fm6GKNv/1n77KyQEvtCYibAyOJ38SSkbe9XogQ+LD+hr0P4/b6NSEbJbf6+uyel+GgDkNQrxrJsZp8NxyHs0wQ==\n";

static struct {
    struct anchors *lab, *stranger;
    struct baseline *baseline, *none;
} given;

static struct {
    uint64_t number; /* of the present frame */
    bool held[FRAMES_MAX + 1];
    bool nothing_is_secure;
} run;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static struct anchors *anchors_of(const char *text)
{
    char error[200];
    struct anchors *anchors = anchors_new();
    must(anchors && anchors_add(anchors, "anchor", text, strlen(text), error, sizeof error) == 0);
    return anchors;
}

static struct baseline *baseline_of(const char *text)
{
    char error[200];
    struct baseline *baseline = baseline_new();
    must(baseline != NULL);
    if (text)
        must(baseline_add_zone(baseline, "zone", text, strlen(text), error, sizeof error) == 0);
    must(baseline_ready(baseline, error, sizeof error) == 0);
    return baseline;
}

static void prepare(void)
{
    given.lab = anchors_of(lab_root);
    given.stranger = anchors_of(stranger);
    given.baseline = baseline_of(declared);
    given.none = baseline_of(NULL);
}

static json_t *must_be_line(const char *json, size_t size)
{
    json_error_t error;
    must(size >= 2 && json[0] == '{' && json[size - 1] == '}');
    for (size_t i = 0; i < size; i++)
        must((uint8_t)json[i] >= 0x20 && json[i] != 0x7f);
    json_t *object = json_loadb(json, size, JSON_REJECT_DUPLICATES, &error);
    must(json_is_object(object));
    return object;
}

static void on_event(void *context, uint64_t frame, int64_t time_ns, const char *json, size_t size)
{
    (void)context;
    (void)time_ns;
    must(frame <= run.number);
    json_t *object = must_be_line(json, size);
    const json_t *dnssec = json_object_get(object, "dnssec");
    const char *verdict = json_string_value(json_object_get(dnssec, "verdict"));
    must(dnssec == NULL || verdict != NULL);
    if (run.nothing_is_secure && verdict)
        must(strcmp(verdict, "secure") != 0);
    json_decref(object);
}

static void must_be_held(const uint64_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        must(frames[i] >= 1 && frames[i] <= run.number && run.held[frames[i]]);
}

static void on_finding(void *context, const struct finding *f, bool last, const char *json,
                       size_t size)
{
    (void)context;
    json_decref(must_be_line(json, size));
    if (last) {
        must_be_held(f->frames, f->frame_count);
        must_be_held(f->chain, f->chain_count);
    }
}

/* What the history reads as hostile is what we write. */
static bool on_sighting(void *context, const void *head, size_t head_size, const void *body,
                        size_t body_size, bool wait)
{
    static struct record record;
    static uint8_t bytes[1 << 20];
    (void)context;
    must(head_size + body_size <= sizeof bytes);
    memcpy(bytes, head, head_size);
    memcpy(bytes + head_size, body, body_size);
    must(record_read(bytes, head_size + body_size, &record));
    return wait || run.number % 3; /* a receiver that lags now and then */
}

static bool is_never_gone(void *context)
{
    (void)context;
    return false;
}

static void on_hold(void *context, const uint64_t *frames, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        uint64_t frame = frames[i] & ~HOLD_WITH;
        must(frame >= 1 && frame <= run.number);
        run.held[frame] = true;
    }
}

static void tighten(struct settings *s, uint8_t mode)
{
    settings_default(s);
    s->streams = s->datagrams = 4;
    s->stream_bytes = 65538;
    s->queries = 1024;
    s->memory_bytes = mode & MODE_SMALL ? 1 << 17 : 1 << 20;
    s->message_signatures = mode & MODE_SMALL ? 4 : 16;
    s->second_signatures = mode & MODE_SMALL ? 100 : 1000;
    s->message_hashes = 16;
    s->log_dns = s->log_verdicts_all = (mode & MODE_TALKATIVE) != 0;
}

static size_t give_frame(struct pipeline *p, const uint8_t *bytes, size_t size, int64_t *time_ns)
{
    static const uint16_t linktypes[] = {1, 113, 276, 101, 0, 108, 9, 228};
    size_t length = (size_t)(bytes[2] << 8 | bytes[3]), cut = bytes[0] >> 3;
    int64_t step = bytes[1] & 0x7f;
    if (length > size - 4)
        length = size - 4;
    if (cut > length)
        cut = length;
    /* in a block of its own size, so that the sanitizer sees every byte too far */
    struct ring_record *r = calloc(1, sizeof *r + length - cut);
    must(r != NULL);
    r->type = RING_FRAME;
    r->linktype = linktypes[bytes[0] & 7];
    r->time_ns = *time_ns += bytes[1] & 0x80 ? step * step * INT64_C(1000000000) : step * 1000000;
    r->number = ++run.number;
    r->len = (uint32_t)length;
    r->caplen = (uint32_t)(length - cut);
    memcpy(r + 1, bytes + 4, length - cut);
    pipeline_record(p, r);
    free(r);
    return 4 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const sources[] = {"fuzz.pcap"};
    static struct ahead *ahead;
    char error[200];
    struct settings s;
    if (given.lab == NULL)
        prepare();
    if (size < 5)
        return 0;
    uint8_t mode = bytes[0];
    int64_t time_ns = (int64_t)((uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 |
                                (uint32_t)bytes[3] << 8 | bytes[4]) *
                      1000000000;
    if (ahead == NULL)
        must((ahead = ahead_new(1, NULL)) != NULL);
    tighten(&s, mode);
    memset(&run, 0, sizeof run);
    run.nothing_is_secure = mode & MODE_STRANGER;
    bool compare = mode & MODE_BASELINE && !run.nothing_is_secure;
    struct pipeline_inputs in = {.settings = &s,
                                 .anchors = mode & MODE_STRANGER ? given.stranger : given.lab,
                                 .baseline = compare ? given.baseline : given.none,
                                 .sources = sources,
                                 .source_count = 1,
                                 .ahead = mode & MODE_AHEAD ? ahead : NULL,
                                 .seed = 42};
    struct pipeline_outputs out = {.event = on_event,
                                   .finding = on_finding,
                                   .hold = on_hold,
                                   .history = {on_sighting, is_never_gone, NULL, false}};
    struct pipeline *p = pipeline_new(&in, &out, error, sizeof error);
    must(p != NULL);
    for (bytes += 5, size -= 5; size >= 4 && run.number < FRAMES_MAX;) {
        size_t taken = give_frame(p, bytes, size, &time_ns);
        bytes += taken;
        size -= taken;
        if (run.number % 64 == 0)
            pipeline_flush(p);
    }
    pipeline_finish(p);
    must(pipeline_totals(p).frames == run.number);
    size_t report_size;
    const char *report = pipeline_report(p, &report_size);
    must(report != NULL);
    for (size_t i = 0; i < report_size; i++)
        must(report[i] == '\n' || ((uint8_t)report[i] >= 0x20 && report[i] != 0x7f));
    pipeline_free(p);
    return 0;
}
