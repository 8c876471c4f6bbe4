/*
 * verify_replay: do the findings follow again from what the bundle encloses?
 *
 * Contained in: verify, tests. verify_replay_offer and _compare run confined and read the bundle;
 * verify_replay_run runs unconfined and must never do so: it copies ranges into a folder of its
 * own, compares their hashes with those that were verified, and starts `replay`, which confines
 * itself.
 */
#include "evidence/verify_replay.h"

#include "evidence/verify_hash.h"
#include "evidence/verify_record.h"
#include "evidence/verify_tar.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- in the checker ------------------------------------------------------------------------------
 */

static bool is_offered(const char *name)
{
    static const char *const files[] = {BUNDLE_CAPTURE NAME_EXTRACT, BUNDLE_FINDINGS,
                                        BUNDLE_PROFILE};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(name, files[i]) == 0)
            return true;
    return verify_starts(name, BUNDLE_BASELINE) || verify_starts(name, BUNDLE_ANCHORS);
}

__attribute__((format(printf, 2, 3))) static void offer_option(struct verify_offer *offer,
                                                               const char *format, ...)
{
    if (offer->option_count == OFFERED_OPTIONS_MAX)
        return;
    char *option = offer->option[offer->option_count++];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(option, OFFERED_NAME_MAX, format, arguments) >= OFFERED_NAME_MAX)
        offer->option_count--;
    va_end(arguments);
}

/* The settings that were in force, as options of replay: more than the configuration file said. */
static void offer_settings(const struct verify *v, struct verify_offer *offer)
{
    const struct verify_member *m = verify_find(v, BUNDLE_SETTINGS);
    json_error_t error;
    json_t *settings =
        m ? json_loadb((const char *)m->bytes, m->size, JSON_REJECT_DUPLICATES, &error) : NULL;
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        bool is_flag = strcmp(key, "ignore-rfc8624") == 0 || strcmp(key, "ignore-rfc9276") == 0;
        if (json_is_integer(value)) {
            offer_option(offer, "--set");
            offer_option(offer, "%s=%lld", key, (long long)json_integer_value(value));
        } else if (is_flag && json_is_true(value)) {
            offer_option(offer, "--%s", key);
        } else if (strcmp(key, "at") == 0 && json_is_string(value)) {
            offer_option(offer, "--at");
            offer_option(offer, "%s", json_string_value(value));
        } else if (strcmp(key, "ports") == 0 && json_array_size(value) > 0) {
            char list[OFFERED_NAME_MAX] = "";
            size_t used = 0, index;
            json_t *port;
            json_array_foreach(value, index, port) if (used < sizeof list - 8) used +=
                (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? "," : "",
                                 (int)(json_integer_value(port) & 0xffff));
            offer_option(offer, "--ports");
            offer_option(offer, "%s", list);
        }
    }
    json_decref(settings);
}

bool verify_replay_offer(const uint8_t *bytes, size_t size, const struct verify_report *before,
                         struct verify_offer *ret_offer)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify_report report = {.log_size = 0};
    struct verify v = {.bytes = bytes, .size = size, .options = &options, .report = &report};
    bool fits = verify_tar_read(&v);
    ret_offer->count = 0;
    ret_offer->is_replay = fits && verify_find(&v, BUNDLE_CAPTURE NAME_EXTRACT);
    ret_offer->is_partial = before->line[VERIFY_FINDINGS].outcome != VERIFY_PASS;
    if (fits)
        offer_settings(&v, ret_offer);
    for (size_t i = 0; fits && i < v.member_count; i++) {
        const struct verify_member *m = &v.members[i];
        if (!is_offered(m->name))
            continue;
        if (ret_offer->count == OFFERED_MAX || strlen(m->name) >= OFFERED_NAME_MAX) {
            fits = false;
            break;
        }
        struct verify_offered *o = &ret_offer->file[ret_offer->count++];
        snprintf(o->name, sizeof o->name, "%s", m->name);
        o->offset = (uint64_t)(m->bytes - bytes);
        o->size = m->size;
        verify_sha256(m->bytes, m->size, o->sha256);
    }
    verify_tar_fini(&v);
    return fits;
}

const struct verify_offered *verify_replay_find(const struct verify_offer *offer, const char *name)
{
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(offer->file[i].name, name, OFFERED_NAME_MAX) == 0)
            return &offer->file[i];
    return NULL;
}

/* --- in the parent -------------------------------------------------------------------------------
 */

struct place {
    char folder[128]; /* private, removed at the end */
    char program[512];
    const char *arguments[2 * OFFERED_MAX + OFFERED_OPTIONS_MAX + 32];
    size_t argument_count; /* a NULL follows: the place is zeroed */
    char evidence[160], baseline[160];
    char paths[OFFERED_MAX][OFFERED_NAME_MAX + 160];
};

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void argue(struct place *p, const char *argument)
{
    if (p->argument_count + 1 < sizeof p->arguments / sizeof *p->arguments)
        p->arguments[p->argument_count++] = argument;
}

/* Copies one range into the folder, if it is still what was verified. The name was checked by the
 * reader of the archive; it is checked again because a taken-over checker could lie. */
static bool copy_out(const uint8_t *bytes, size_t size, const struct verify_offered *o,
                     const char *folder, char *ret_path, size_t room)
{
    uint8_t hash[HASH_BYTES];
    char name[OFFERED_NAME_MAX];
    memcpy(name, o->name, sizeof name);
    name[sizeof name - 1] = '\0';
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    if (base[0] == '\0' || base[0] == '.' ||
        strspn(base, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(base) ||
        o->offset > size || o->size > size - o->offset)
        return false;
    const char *into = verify_starts(name, BUNDLE_BASELINE)  ? "baseline/"
                       : verify_starts(name, BUNDLE_ANCHORS) ? "anchors/"
                                                             : "";
    int length = snprintf(ret_path, room, "%s/%s%s", folder, into, base);
    if (length < 0 || (size_t)length >= room)
        return false;
    int fd = open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const uint8_t *at = bytes + o->offset;
    size_t left = (size_t)o->size;
    while (left > 0) {
        ssize_t written = write(fd, at, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        at += written;
        left -= (size_t)written;
    }
    verify_sha256(bytes + o->offset, (size_t)o->size, hash);
    return close(fd) == 0 && left == 0 && memcmp(hash, o->sha256, sizeof hash) == 0;
}

static bool prepare(struct place *p, const uint8_t *bytes, size_t size,
                    const struct verify_offer *offer)
{
    char path[sizeof p->folder + 16];
    const char *temporary = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%.90s/dnsbailiff-verify-XXXXXX",
             temporary && temporary[0] == '/' ? temporary : "/tmp");
    if (!mkdtemp(p->folder)) {
        p->folder[0] = '\0';
        return false;
    }
    snprintf(path, sizeof path, "%s/baseline", p->folder);
    if (mkdir(path, 0700) < 0)
        return false;
    snprintf(path, sizeof path, "%s/anchors", p->folder);
    if (mkdir(path, 0700) < 0)
        return false;
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (!copy_out(bytes, size, &offer->file[i], p->folder, p->paths[i], sizeof p->paths[i]))
            return false;
    return true;
}

/* The supervisor beside this program. */
static bool find_program(struct place *p)
{
    ssize_t size = readlink("/proc/self/exe", p->program, sizeof p->program - 16);
    if (size <= 0)
        return false;
    p->program[size] = '\0';
    char *slash = strrchr(p->program, '/');
    if (!slash)
        return false;
    memcpy(slash, "/supervisor", sizeof "/supervisor");
    return access(p->program, X_OK) == 0;
}

/* Options are words of a few characters; a taken-over checker gets no others through. */
static bool argue_options(struct place *p, const struct verify_offer *offer)
{
    for (uint32_t i = 0; i < offer->option_count; i++) {
        const char *option = offer->option[i];
        if (i == OFFERED_OPTIONS_MAX || !memchr(option, 0, OFFERED_NAME_MAX) ||
            strspn(option, "abcdefghijklmnopqrstuvwxyz0123456789-=,:.TZ") != strlen(option))
            return false;
        argue(p, option);
    }
    return true;
}

static bool compose(struct place *p, const struct verify_offer *offer)
{
    snprintf(p->evidence, sizeof p->evidence, "%s/out", p->folder);
    snprintf(p->baseline, sizeof p->baseline, "%s/baseline", p->folder);
    argue(p, "dnsbailiff");
    argue(p, "replay");
    argue(p, "--quiet");
    argue(p, "--log-verdicts");
    argue(p, "all");
    argue(p, "-l");
    argue(p, p->evidence);
    bool has_baseline = false;
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = offer->file[i].name;
        const char *option = verify_starts(name, BUNDLE_ANCHORS)              ? "--trust-anchor"
                             : strcmp(name, BUNDLE_PROFILE) == 0              ? "--profile"
                             : strcmp(name, BUNDLE_CAPTURE NAME_EXTRACT) == 0 ? "-r"
                                                                              : NULL;
        has_baseline = has_baseline || verify_starts(name, BUNDLE_BASELINE);
        if (!option)
            continue;
        argue(p, option);
        argue(p, p->paths[i]);
    }
    if (has_baseline) {
        argue(p, "--baseline");
        argue(p, p->baseline);
    }
    return argue_options(p, offer);
}

static bool run_program(struct place *p)
{
    pid_t child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        int nothing = open("/dev/null", O_RDWR);
        if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0 || dup2(nothing, 2) < 0)
            _exit(1);
        close_range(3, ~0u, 0);
        execv(p->program, (char *const *)p->arguments);
        _exit(1);
    }
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A file of the second run; our own pipeline wrote it. */
static bool read_back(const struct place *p, const char *name, char **ret_text, size_t *ret_size)
{
    char path[sizeof p->folder + 64];
    struct stat status;
    snprintf(path, sizeof path, "%s/out/%s", p->folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    char *text = fstat(fd, &status) == 0 ? malloc((size_t)status.st_size + 1) : NULL;
    size_t size = 0;
    for (ssize_t got; text && size < (size_t)status.st_size; size += (size_t)got) {
        got = read(fd, text + size, (size_t)status.st_size - size);
        if (got <= 0)
            break;
    }
    close(fd);
    if (!text || size != (size_t)status.st_size) {
        free(text);
        return false;
    }
    *ret_text = text;
    *ret_size = size;
    return true;
}

void verify_replay_free(struct verify_replayed *r)
{
    free(r->findings);
    free(r->events);
}

static const char *run_in(struct place *p, const uint8_t *bytes, size_t size,
                          const struct verify_offer *offer, struct verify_replayed *ret_replayed)
{
    struct verify_replayed r = {.findings = NULL};
    if (!find_program(p))
        return "the analyser is not installed beside the verifier";
    if (!prepare(p, bytes, size, offer))
        return "no folder could be made to replay the frames in (TMPDIR)";
    if (!compose(p, offer))
        return "the settings of the run are not ones that replay takes";
    if (!run_program(p))
        return "the replay of the frames enclosed did not end well";
    if (!read_back(p, FILE_FINDINGS, &r.findings, &r.findings_size) ||
        !read_back(p, FILE_EVE, &r.events, &r.events_size)) {
        verify_replay_free(&r);
        return "the replay of the frames enclosed left no findings";
    }
    *ret_replayed = r;
    return NULL;
}

const char *verify_replay_run(const uint8_t *bytes, size_t size, const struct verify_offer *offer,
                              struct verify_replayed *ret_replayed)
{
    struct place *p = calloc(1, sizeof *p);
    if (!p)
        return "out of memory";
    const char *why = run_in(p, bytes, size, offer, ret_replayed);
    if (p->folder[0])
        (void)nftw(p->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return why;
}

/* --- in the comparer -----------------------------------------------------------------------------
 */

/* What a finding claims, as one text, and the frames it was seen in. */
struct claim {
    char *key;
    uint64_t *frames;
    size_t frame_count;
};

struct list {
    struct claim *claims; /* sorted by key */
    size_t count, room;
    bool is_broken;
};

/* Frames on which the second run has a last word: sorted by frame, the later word behind. */
struct word {
    uint64_t frame;
    size_t order;
    bool is_verdict; /* secure, insecure or bogus */
};

struct words {
    struct word *list;
    size_t count, room;
};

static json_t *load(struct verify_text line)
{
    json_error_t error;
    return json_loadb(line.at, line.size, JSON_REJECT_DUPLICATES, &error);
}

/* Room for one more, or false. */
static bool make_room(void **list, size_t count, size_t *room, size_t each)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 64;
    void *grown = reallocarray(*list, more, each);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

/* What must come out again; counts, times and frame lists depend on how much traffic was seen. */
static bool claim_of(struct verify_text line, struct claim *ret_claim)
{
    static const char *const members[] = {"rule",   "zone",     "rrname",
                                          "rrtype", "expected", "observed"};
    json_t *finding = load(line), *list = json_array();
    struct claim claim = {.key = NULL};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(finding, members[i]);
        json_array_append_new(list, value ? json_incref(value) : json_null());
    }
    json_t *frames = json_object_get(finding, "frames"), *frame;
    size_t index;
    claim.frames = calloc(json_array_size(frames) + 1, sizeof *claim.frames);
    if (json_is_object(finding) && claim.frames)
        claim.key = json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_array_foreach(frames, index, frame) if (claim.frames) claim.frames[claim.frame_count++] =
        (uint64_t)json_integer_value(frame);
    json_decref(list);
    json_decref(finding);
    if (!claim.key) {
        free(claim.frames);
        return false;
    }
    *ret_claim = claim;
    return true;
}

static int compare_claims(const void *a, const void *b)
{
    return strcmp(((const struct claim *)a)->key, ((const struct claim *)b)->key);
}

static struct list read_list(const void *bytes, size_t size)
{
    struct list list = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    int got;
    while ((got = verify_next_line(&rest, &line)) > 0) {
        if (!make_room((void **)&list.claims, list.count, &list.room, sizeof *list.claims) ||
            !claim_of(line, &list.claims[list.count]))
            break;
        list.count++;
    }
    list.is_broken = got != 0;
    if (list.count > 1)
        qsort(list.claims, list.count, sizeof *list.claims, compare_claims);
    return list;
}

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->claims[i].key);
        free(list->claims[i].frames);
    }
    free(list->claims);
}

static int compare_words(const void *a, const void *b)
{
    const struct word *left = a, *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

static struct words read_words(const void *bytes, size_t size)
{
    struct words words = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    while (verify_next_line(&rest, &line) > 0) {
        json_t *event = load(line);
        const char *type = json_string_value(json_object_get(event, "event_type"));
        const char *verdict =
            json_string_value(json_object_get(json_object_get(event, "dnssec"), "verdict"));
        if (type && strcmp(type, "dnssec") == 0 && verdict &&
            make_room((void **)&words.list, words.count, &words.room, sizeof *words.list)) {
            words.list[words.count] = (struct word){
                .frame = (uint64_t)json_integer_value(json_object_get(event, "pcap_cnt")),
                .order = words.count,
                .is_verdict = strcmp(verdict, "secure") == 0 || strcmp(verdict, "insecure") == 0 ||
                              strcmp(verdict, "bogus") == 0};
            words.count++;
        }
        json_decref(event);
    }
    if (words.count > 1)
        qsort(words.list, words.count, sizeof *words.list, compare_words);
    return words;
}

static bool has_verdict(const struct words *words, uint64_t frame)
{
    size_t low = 0, high = words->count; /* behind the last word on the frame */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (words->list[middle].frame <= frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && words->list[low - 1].frame == frame && words->list[low - 1].is_verdict;
}

/* Does it say: this was seen and is wrong? All others rest on what was not seen, on rates, or on
 * the order of much traffic. */
static bool is_of_presence(const char *key)
{
    static const char *const rules[] = {
        "key-unknown",       "key-changed",       "key-revoked",           "key-weak",
        "key-malformed",     "rrsig-bad",         "rrsig-expired",         "rrsig-not-yet-valid",
        "rrsig-expiring",    "rrsig-malformed",   "rrsig-signer-not-zone", "rrsig-labels",
        "ds-unknown",        "ds-malformed",      "ds-digest-wrong",       "ds-algorithm-mismatch",
        "ds-weak",           "record-unexpected", "record-changed",        "mail-moved",
        "delegation-changed"};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        size_t size = strlen(rules[i]);
        if (strncmp(key, "[\"", 2) == 0 && strncmp(key + 2, rules[i], size) == 0 &&
            key[2 + size] == '"')
            return true;
    }
    return false;
}

static bool is_contradicted(const struct claim *claim, const struct words *words)
{
    for (size_t i = 0; i < claim->frame_count; i++)
        if (!has_verdict(words, claim->frames[i]))
            return false;
    return is_of_presence(claim->key);
}

struct difference {
    size_t count, grave; /* missing; of these, contradicted */
    const char *first, *first_grave;
};

/* What of `a` is not in `b`; both sorted. */
static struct difference missing(const struct list *a, const struct list *b,
                                 const struct words *words)
{
    struct difference d = {.first = "", .first_grave = ""};
    for (size_t i = 0, at = 0; i < a->count; i++) {
        const struct claim *claim = &a->claims[i];
        while (at < b->count && strcmp(b->claims[at].key, claim->key) < 0)
            at++;
        if (at < b->count && strcmp(b->claims[at].key, claim->key) == 0) {
            at++;
            continue;
        }
        if (d.count++ == 0)
            d.first = claim->key;
        if (is_contradicted(claim, words) && d.grave++ == 0)
            d.first_grave = claim->key;
    }
    return d;
}

void verify_replay_compare(const void *sealed, size_t sealed_size, const struct verify_replayed *r,
                           bool is_partial, struct verify_report *report)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify v = {.options = &options, .report = report};
    struct list before = read_list(sealed, sealed_size);
    struct list after = read_list(r->findings, r->findings_size);
    struct words words = read_words(r->events, r->events_size);
    struct verify_shown shown;
    report->line[VERIFY_VERDICTS] = (struct verify_line){.outcome = VERIFY_NOT_CHECKED};
    struct difference lost = missing(&before, &after, &words);
    struct difference added = missing(&after, &before, &words);
    if (before.is_broken || after.is_broken)
        verify_fault(&v, VERIFY_VERDICTS, "a list of findings is malformed");
    else if (lost.grave > 0 && !is_partial)
        verify_fault(&v, VERIFY_VERDICTS,
                     "%zu findings do not follow from the frames that they cite, first %s",
                     lost.grave, verify_escape(lost.first_grave, strlen(lost.first_grave), &shown));
    if (lost.count > 0)
        verify_doubt(&v, VERIFY_VERDICTS,
                     "%zu of %zu findings rest on more traffic than is enclosed, first %s",
                     lost.count, before.count,
                     verify_escape(lost.first, strlen(lost.first), &shown));
    if (added.count > 0)
        verify_doubt(&v, VERIFY_VERDICTS, "%zu findings follow that were not sealed, first %s",
                     added.count, verify_escape(added.first, strlen(added.first), &shown));
    verify_passed(&v, VERIFY_VERDICTS, "%zu findings follow again from the frames", before.count);
    free(words.list);
    free_list(&before);
    free_list(&after);
}
