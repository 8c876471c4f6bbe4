/*
 * verify_compare: two lists of findings, the sealed one and the one that followed again.
 *
 * Contained in: verify, tests; runs confined. Must never: take "not observed again" for "not
 * there".
 */
#include "evidence/verify_compare.h"

#include "evidence/verify_text.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct claim {
    char id[sizeof((struct verify_apart){.id = ""}.id)];
    struct verify_text line; /* borrowed */
    size_t order;            /* in its list: of a capture, the last line of an id counts */
};

struct list {
    struct claim *claims; /* sorted by id, each once */
    size_t count, room, repeated;
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

struct comparison {
    const struct verify_offer *offer;
    bool is_whole; /* the first run saw these frames, and no others */
    bool has_lost; /* or it lost some of them, and says so */
    struct verify_report *report;
    struct list before, after;
    struct words words;
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

/* --- lists ----------------------------------------------------------------------------------- */

static bool read_claim(struct verify_text line, size_t order, struct claim *ret_claim)
{
    json_t *finding = load(line);
    const char *id = json_string_value(json_object_get(finding, "id"));
    bool good = id && id[0] && strlen(id) < sizeof ret_claim->id;
    *ret_claim = (struct claim){.line = line, .order = order};
    if (good)
        memcpy(ret_claim->id, id, strlen(id));
    json_decref(finding);
    return good;
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static struct list read_list(const void *bytes, size_t size)
{
    struct list list = {.count = 0};
    struct verify_text rest = {.at = bytes, .size = size}, line;
    int got;
    while ((got = verify_next_line(&rest, &line)) > 0) {
        if (!make_room((void **)&list.claims, list.count, &list.room, sizeof *list.claims) ||
            !read_claim(line, list.count, &list.claims[list.count]))
            break;
        list.count++;
    }
    list.is_broken = got != 0;
    if (list.count == 0)
        return list;
    qsort(list.claims, list.count, sizeof *list.claims, compare_claims);
    size_t kept = 0;
    for (size_t i = 1; i < list.count; i++) {
        if (strcmp(list.claims[i].id, list.claims[kept].id) == 0)
            list.repeated++;
        else
            kept++;
        list.claims[kept] = list.claims[i];
    }
    list.count = kept + 1;
    return list;
}

/* --- verdicts of the second run --------------------------------------------------------------- */

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

static bool has_rule(const json_t *finding, const char *const *rules, size_t count)
{
    const char *rule = json_string_value(json_object_get(finding, "rule"));
    for (size_t i = 0; rule && i < count; i++)
        if (strcmp(rule, rules[i]) == 0)
            return true;
    return false;
}

/* Does it say: this was seen and is wrong? All others rest on what was not seen, on rates, or on
 * the order of much traffic. */
static bool is_of_presence(const json_t *finding)
{
    static const char *const rules[] = {
        "key-unknown",       "key-changed",       "key-revoked",           "key-weak",
        "key-malformed",     "rrsig-bad",         "rrsig-expired",         "rrsig-not-yet-valid",
        "rrsig-expiring",    "rrsig-malformed",   "rrsig-signer-not-zone", "rrsig-labels",
        "ds-unknown",        "ds-malformed",      "ds-digest-wrong",       "ds-algorithm-mismatch",
        "ds-weak",           "record-unexpected", "record-changed",        "mail-moved",
        "delegation-changed"};
    return has_rule(finding, rules, sizeof rules / sizeof *rules);
}

/* Is it what a sensor says of itself? A capture has a clock and loses frames; from its segments
 * neither can be seen. */
static bool is_own_word(const struct comparison *c, const json_t *finding)
{
    static const char *const rules[] = {"sensor-confinement", "sensor-storage", "sensor-clock",
                                        "sensor-loss"};
    return has_rule(finding, rules, c->offer->frames == ENCLOSED_SEGMENTS ? 4 : 2);
}

/* Was every frame that it cites judged again? */
static bool was_judged(const json_t *finding, const struct words *words)
{
    const json_t *frames = json_object_get(finding, "frames");
    size_t index;
    json_t *frame;
    json_array_foreach(frames, index, frame)
    {
        if (!has_verdict(words, (uint64_t)json_integer_value(frame)))
            return false;
    }
    return true;
}

/* --- one finding against itself --------------------------------------------------------------- */

/* The first of the members in which they differ, or NULL. */
static const char *differs(const json_t *a, const json_t *b, const char *const *members,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *left = json_object_get(a, members[i]), *right = json_object_get(b, members[i]);
        if (left != right && (!left || !right || !json_equal(left, right)))
            return members[i];
    }
    return NULL;
}

#define DIFFERS(a, b, list) differs((a), (b), (list), sizeof(list) / sizeof *(list))

static const char *const about[] = {"rule", "zone", "rrname", "rrtype"};
static const char *const extent[] = {"count", "first_seen", "last_seen", "frames"};
static const char *const severity[] = {"severity"};
static const char *const words_of[] = {"summary", "expected", "observed"};
static const char *const rest[] = {"state", "rfc",      "ede",         "loss",          "kept",
                                   "proof", "baseline", "dnsviz_code", "zonemaster_tag"};
static const char *const chain[] = {"chain"};

/* Of all the traffic: in what it differs, or NULL. */
static const char *differs_whole(const json_t *a, const json_t *b)
{
    const char *member = DIFFERS(a, b, severity);
    member = member ? member : DIFFERS(a, b, words_of);
    member = member ? member : DIFFERS(a, b, rest);
    member = member ? member : DIFFERS(a, b, extent);
    return member ? member : DIFFERS(a, b, chain);
}

static int order_of(const json_t *a, const json_t *b, const char *member)
{
    const char *left = json_string_value(json_object_get(a, member));
    const char *right = json_string_value(json_object_get(b, member));
    return left && right ? strcmp(left, right) : 0;
}

/* Is the sealed one the derived one, seen more often and for longer? */
static bool is_fewer(const json_t *sealed, const json_t *derived)
{
    static const char *const begin[] = {"first_seen", "frames"};
    return !DIFFERS(sealed, derived, begin) &&
           json_integer_value(json_object_get(sealed, "count")) >=
               json_integer_value(json_object_get(derived, "count")) &&
           order_of(sealed, derived, "last_seen") >= 0;
}

/* Of a part: the same, and whether that can be. More traffic makes a finding larger, other, graver
 * or closed; but the same observations of something that was seen to be wrong say the same, and no
 * finding is graded otherwise that says the same. The chain may be of other frames. */
static const char *differs_part(const json_t *a, const json_t *b, enum verify_apart_kind *ret_kind,
                                bool *ret_fewer)
{
    const char *graded = DIFFERS(a, b, severity), *worded = DIFFERS(a, b, words_of);
    const char *larger = DIFFERS(a, b, extent), *other = DIFFERS(a, b, rest);
    *ret_fewer = larger && !graded && !worded && !other && is_fewer(a, b);
    if (*ret_fewer)
        return NULL;
    if (!larger && ((graded && !worded && !other) || ((graded || worded) && is_of_presence(a))))
        *ret_kind = VERIFY_CONTRARY;
    else
        *ret_kind = VERIFY_PARTLY;
    return graded ? graded : larger ? larger : worded ? worded : other;
}

/* Does the derived one stand for the sealed one? Else how it differs, and in what. */
static bool stands(const struct comparison *c, const json_t *a, const json_t *b,
                   enum verify_apart_kind *ret_kind, const char **ret_member)
{
    bool is_fewer = false;
    *ret_kind = VERIFY_CONTRARY;
    if ((*ret_member = DIFFERS(a, b, about)) != NULL)
        return false;
    *ret_member = c->is_whole ? differs_whole(a, b) : differs_part(a, b, ret_kind, &is_fewer);
    c->report->fewer += is_fewer;
    return *ret_member == NULL;
}

/* --- the report ------------------------------------------------------------------------------- */

static void tell(const char *text, char *ret_text, size_t room)
{
    struct verify_shown shown;
    snprintf(ret_text, room, "%.*s", (int)room - 1,
             text ? verify_escape(text, strlen(text), &shown) : "");
}

static void set_apart(struct comparison *c, enum verify_apart_kind kind, const json_t *finding,
                      const char *member)
{
    struct verify_report *r = c->report;
    uint64_t before = 0;
    for (size_t i = 0; i < VERIFY_APART_KINDS; i++)
        before += r->apart_count[i];
    r->apart_count[kind]++;
    if (before >= VERIFY_APART_MAX)
        return;
    struct verify_apart *a = &r->apart[before];
    *a = (struct verify_apart){.kind = kind};
    tell(json_string_value(json_object_get(finding, "id")), a->id, sizeof a->id);
    tell(json_string_value(json_object_get(finding, "rule")), a->rule, sizeof a->rule);
    tell(json_string_value(json_object_get(finding, "zone")), a->zone, sizeof a->zone);
    tell(member, a->member, sizeof a->member);
}

static void on_pair(struct comparison *c, const struct claim *sealed, const struct claim *derived)
{
    enum verify_apart_kind kind;
    const char *member;
    if (verify_text_same(sealed->line, derived->line)) {
        c->report->same++;
        return;
    }
    json_t *a = load(sealed->line), *b = load(derived->line);
    if (is_own_word(c, a))
        set_apart(c, VERIFY_OWN, a, NULL);
    else if (stands(c, a, b, &kind, &member))
        c->report->same++;
    else
        set_apart(c, c->has_lost && kind == VERIFY_CONTRARY ? VERIFY_PARTLY : kind, a, member);
    json_decref(a);
    json_decref(b);
}

static void on_absent(struct comparison *c, const struct claim *sealed)
{
    json_t *finding = load(sealed->line);
    bool is_contrary = c->is_whole || (c->offer->frames == ENCLOSED_EXTRACT && !c->has_lost &&
                                       is_of_presence(finding) && was_judged(finding, &c->words));
    set_apart(c,
              is_own_word(c, finding) ? VERIFY_OWN
              : is_contrary           ? VERIFY_CONTRARY
                                      : VERIFY_ABSENT,
              finding, NULL);
    json_decref(finding);
}

/* Of a part much follows that the whole refutes: that servers differ, that something is missing.
 * What was seen to be wrong is wrong in the whole, too. */
static void on_added(struct comparison *c, const struct claim *derived)
{
    json_t *finding = load(derived->line);
    if (!is_own_word(c, finding) && (c->is_whole || is_of_presence(finding)))
        set_apart(c, VERIFY_ADDED, finding, NULL);
    json_decref(finding);
}

/* Did the sensor say that it lost frames, or did not come to judge them? */
static bool tells_of_loss(const struct list *list)
{
    static const char *const rules[] = {"sensor-loss"};
    bool tells = false;
    for (size_t i = 0; i < list->count && !tells; i++) {
        json_t *finding = load(list->claims[i].line);
        tells = has_rule(finding, rules, 1);
        json_decref(finding);
    }
    return tells;
}

/* Both are sorted. */
static void walk(struct comparison *c)
{
    const struct list *a = &c->before, *b = &c->after;
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count   ? 1
                    : j == b->count ? -1
                                    : strcmp(a->claims[i].id, b->claims[j].id);
        if (order == 0)
            on_pair(c, &a->claims[i++], &b->claims[j++]);
        else if (order < 0)
            on_absent(c, &a->claims[i++]);
        else
            on_added(c, &b->claims[j++]);
    }
}

static const char *enclosed_text(const struct verify_offer *o)
{
    switch (o->frames) {
    case ENCLOSED_SOURCES:
        return "the whole capture";
    case ENCLOSED_SEGMENTS:
        return "the segments";
    default:
        return "the frames that they cite";
    }
}

__attribute__((format(printf, 2, 3))) static void add(char text[VERIFY_REASON_MAX],
                                                      const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, VERIFY_REASON_MAX - used, format, arguments);
    va_end(arguments);
}

/* What follows, and what does not. */
static void summarise(const struct comparison *c, char text[VERIFY_REASON_MAX])
{
    const uint64_t *n = c->report->apart_count;
    size_t all = c->before.count - n[VERIFY_OWN];
    const char *from = enclosed_text(c->offer);
    if (all == 0 && n[VERIFY_ADDED] == 0)
        add(text, "nothing was found, and nothing follows from %s", from);
    else if (c->report->same == all && n[VERIFY_ADDED] == 0)
        add(text, "%zu finding%s again%s from %s", all, all == 1 ? " follows" : "s follow",
            c->report->fewer > 0 ? "" : ", word for word,", from);
    else
        add(text, "%" PRIu64 " of %zu findings follow again from %s", c->report->same, all, from);
    if (c->report->fewer > 0)
        add(text, "; %" PRIu64 " of them had been seen more often, or for longer",
            c->report->fewer);
    if (n[VERIFY_CONTRARY] > 0)
        add(text, "; %" PRIu64 " do not follow as they were sealed", n[VERIFY_CONTRARY]);
    if (n[VERIFY_ADDED] > 0)
        add(text, "; %" PRIu64 " follow that were not sealed", n[VERIFY_ADDED]);
    if (n[VERIFY_PARTLY] > 0)
        add(text, "; %" PRIu64 " follow in part", n[VERIFY_PARTLY]);
    if (n[VERIFY_ABSENT] > 0)
        add(text, "; %" PRIu64 " rest on more traffic", n[VERIFY_ABSENT]);
    if (n[VERIFY_PARTLY] + n[VERIFY_ABSENT] > 0)
        add(text, "%s",
            c->offer->frames == ENCLOSED_EXTRACT ? " (replay --include-source encloses it all)"
                                                 : ", some of which was lost, as logged");
    if (n[VERIFY_OWN] > 0)
        add(text, "; %" PRIu64 " are the sensor's word about itself", n[VERIFY_OWN]);
}

static void conclude(struct comparison *c, struct verify *v)
{
    const uint64_t *n = c->report->apart_count;
    char text[VERIFY_REASON_MAX] = "";
    bool is_ours = strcmp(c->offer->software, "dnsbailiff " DNSBAILIFF_VERSION) == 0;
    bool is_wrong = n[VERIFY_CONTRARY] > 0 || (c->is_whole && n[VERIFY_ADDED] > 0);
    summarise(c, text);
    if (is_wrong && !is_ours)
        add(text, "; sealed by %s, this is " DNSBAILIFF_VERSION, c->offer->software);
    if (is_wrong && is_ours)
        verify_fault(v, VERIFY_VERDICTS, "%s", text);
    else if (is_wrong || n[VERIFY_PARTLY] + n[VERIFY_ABSENT] + n[VERIFY_ADDED] > 0)
        verify_doubt(v, VERIFY_VERDICTS, "%s", text);
    else
        verify_passed(v, VERIFY_VERDICTS, "%s", text);
}

void verify_compare_findings(const void *sealed, size_t sealed_size,
                             const struct verify_replayed *r, const struct verify_offer *offer,
                             struct verify_report *report)
{
    static const struct verify_options options = {.ca = NULL};
    struct verify v = {.options = &options, .report = report};
    struct comparison c = {.offer = offer,
                           .report = report,
                           .before = read_list(sealed, sealed_size),
                           .after = read_list(r->findings, r->findings_size),
                           .words = read_words(r->events, r->events_size)};
    report->line[VERIFY_VERDICTS] = (struct verify_line){.outcome = VERIFY_NOT_CHECKED};
    c.has_lost =
        offer->frames != ENCLOSED_SOURCES &&
        (offer->has_lost || (offer->frames == ENCLOSED_SEGMENTS && tells_of_loss(&c.before)));
    c.is_whole = offer->is_whole && !c.has_lost;
    if (c.before.is_broken || c.after.is_broken) {
        verify_fault(&v, VERIFY_VERDICTS, "a list of findings is malformed");
    } else if (c.before.repeated > 0 && offer->frames != ENCLOSED_SEGMENTS) {
        verify_fault(&v, VERIFY_VERDICTS, "a finding is sealed twice");
    } else {
        walk(&c);
        conclude(&c, &v);
    }
    free(c.words.list);
    free(c.before.claims);
    free(c.after.claims);
}
