/*
 * verify_offer: what of a bundle the findings can be derived from again.
 *
 * Contained in: verify, explain, report, lookup, tests; runs confined. Must never: offer a file
 * that no record of the log names.
 */
#include "evidence/verify_offer.h"

#include "evidence/verify_story.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- settings -------------------------------------------------------------------------------- */

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

static void offer_ports(struct verify_offer *offer, const json_t *ports)
{
    char list[OFFERED_NAME_MAX] = "";
    size_t used = 0, index;
    json_t *port;
    json_array_foreach(ports, index, port) if (used < sizeof list - 8) used +=
        (size_t)snprintf(list + used, sizeof list - used, "%s%d", used ? "," : "",
                         (int)(json_integer_value(port) & 0xffff));
    offer_option(offer, "--ports");
    offer_option(offer, "%s", list);
}

/* The settings that were in force, as options of replay: more than the configuration file said. */
void verify_offer_settings(const void *bytes, size_t size, struct verify_offer *offer)
{
    json_error_t error;
    json_t *settings = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
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
            offer_ports(offer, value);
        } else if (strcmp(key, "sources-by-time") == 0) {
            offer->by_time = (uint32_t)json_array_size(value);
        }
    }
    json_decref(settings);
}

/* --- the filter ------------------------------------------------------------------------------ */

static bool is_word(const char *token, size_t size)
{
    static const char *const words[] = {
        "and",    "arp",       "dst",   "ether", "greater", "host", "icmp", "icmp6", "ip",
        "ip6",    "less",      "len",   "mask",  "mpls",    "net",  "not",  "or",    "port",
        "pppoes", "portrange", "proto", "sctp",  "src",     "tcp",  "udp",  "vlan"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size && memcmp(words[i], token, size) == 0)
            return true;
    return false;
}

/* A number or an address. What only begins like one, as "1.example", "1.2.3.4.5" or "1-2", is a
 * name; nothing with a colon is. */
static bool is_number(const char *token, size_t size)
{
    const char *digits = "0123456789./";
    size_t dots = 0;
    if (memchr(token, ':', size))
        digits = "0123456789abcdefABCDEF.:/";
    else if (size > 2 && token[0] == '0' && token[1] == 'x')
        digits = "0123456789abcdefABCDEFx";
    for (size_t i = 0; i < size; i++) {
        dots += token[i] == '.';
        if (!memchr(digits, token[i], strlen(digits)))
            return false;
    }
    return dots <= 3;
}

static bool is_range(const char *token, size_t size)
{
    const char *dash = memchr(token, '-', size);
    return dash && is_number(token, (size_t)(dash - token)) && dash + 1 < token + size &&
           is_number(dash + 1, (size_t)(token + size - dash - 1));
}

/* A filter is compiled by a process that is not confined yet, and the names of hosts in it are
 * looked up on the network: of a stranger's bundle only what needs none of that is taken. */
bool verify_offer_is_plain(const char *filter)
{
    static const char operators[] = " ()[]!&|=<>+*^", range[] = "portrange";
    bool after_range = false;
    while (*filter) {
        size_t size = strcspn(filter, operators);
        if (size > 0 && !is_word(filter, size) && !is_number(filter, size) &&
            !(after_range && is_range(filter, size)))
            return false;
        after_range = size == sizeof range - 1 && memcmp(filter, range, size) == 0;
        filter += size;
        filter += strspn(filter, operators);
    }
    return true;
}

/* --- files ----------------------------------------------------------------------------------- */

static void refuse(struct verify_offer *offer, const char *why)
{
    offer->frames = ENCLOSED_NOTHING;
    snprintf(offer->why, sizeof offer->why, "%s", why);
}

static bool is_offered(const char *name)
{
    return strcmp(name, BUNDLE_FINDINGS) == 0 || strcmp(name, BUNDLE_PROFILE) == 0 ||
           verify_starts(name, BUNDLE_BASELINE) || verify_starts(name, BUNDLE_ANCHORS);
}

static bool offer_files(const struct verify *v, struct verify_offer *offer)
{
    for (size_t i = 0; i < v->member_count; i++) {
        const struct verify_member *m = &v->members[i];
        if (!is_offered(m->name))
            continue;
        if (offer->count == OFFERED_MAX || strlen(m->name) >= OFFERED_NAME_MAX)
            return false;
        struct verify_offered *o = &offer->file[offer->count++];
        snprintf(o->name, sizeof o->name, "%s", m->name);
        o->offset = (uint64_t)(m->bytes - v->bytes);
        o->size = m->size;
        memcpy(o->sha256, m->sha256, sizeof o->sha256);
    }
    return true;
}

static bool offer_range(const struct verify *v, const struct verify_member *m,
                        struct verify_offer *offer)
{
    if (offer->range_count == OFFERED_FRAMES_MAX)
        return false;
    struct verify_range *r = &offer->range[offer->range_count++];
    r->offset = (uint64_t)(m->bytes - v->bytes);
    r->size = m->size;
    memcpy(r->sha256, m->sha256, sizeof r->sha256);
    return true;
}

void verify_offer_source(struct verify_offer *offer, uint64_t index, const char *name, size_t size)
{
    const char *slash = memrchr(name, '/', size);
    size_t cut = slash ? (size_t)(slash + 1 - name) : 0;
    name += cut;
    size -= cut;
    /* With a backslash something is escaped in the log; what begins with a dot -R leaves out. */
    if (index < OFFERED_SOURCES_MAX && size < OFFERED_NAME_MAX && !memchr(name, '\\', size) &&
        size > 0 && name[0] != '.')
        memcpy(offer->source[index], name, size);
}

/* All that was replayed, byte for byte, and through the same filter? */
static bool offer_sources(const struct verify_story *s, struct verify_offer *offer)
{
    const struct verify *v = s->v;
    int size =
        snprintf(offer->filter, sizeof offer->filter, "%.*s",
                 s->filter.size < OFFERED_FILTER_MAX ? (int)s->filter.size : 0, s->filter.at);
    if (s->sources == 0 || s->sources > OFFERED_SOURCES_MAX || s->sources != s->included ||
        s->changed_sources > 0 || (size_t)size != s->filter.size ||
        !verify_offer_is_plain(offer->filter))
        return false;
    for (size_t i = verify_first_under(v, BUNDLE_CAPTURE "source-"); i < v->member_count; i++)
        if (!verify_starts(v->members[i].name, BUNDLE_CAPTURE "source-") ||
            !offer_range(v, &v->members[i], offer))
            break;
    offer->frames = ENCLOSED_SOURCES;
    offer->is_whole = offer->range_count == s->sources;
    return offer->is_whole;
}

static void offer_segments(const struct verify_story *s, struct verify_offer *offer)
{
    offer->frames = s->is_replay ? ENCLOSED_EXTRACT : ENCLOSED_SEGMENTS;
    offer->is_whole = !s->is_replay && !s->frames_lost;
    offer->range_count = 0;
    offer->filter[0] = '\0';
    for (size_t i = 0; i < s->segment_count; i++)
        if (s->segments[i].member && !offer_range(s->v, s->segments[i].member, offer)) {
            refuse(offer, "more segments than are replayed at once: unpack the bundle, and replay "
                          "-R its data/capture");
            return;
        }
    if (offer->range_count == 0)
        refuse(offer, "no frames are enclosed");
}

void verify_offer_make(const struct verify_story *s, struct verify_offer *ret_offer)
{
    struct verify_offer *offer = ret_offer;
    const struct verify *v = s->v;
    struct verify_shown shown;
    offer->has_lost = s->frames_lost;
    verify_escape(s->software.at, s->software.size, &shown);
    snprintf(offer->software, sizeof offer->software, "%.63s", shown.text);
    if (s->is_accept) {
        refuse(offer, "an acceptance: it found nothing");
        return;
    }
    if (!s->is_closed || !s->has_findings) {
        refuse(offer, "the run had not ended: no findings were sealed");
        return;
    }
    const struct verify_member *settings = verify_find(v, BUNDLE_SETTINGS);
    if (settings)
        verify_offer_settings(settings->bytes, settings->size, offer);
    if (!offer_files(v, offer)) {
        refuse(offer, "more baseline files than are replayed");
        return;
    }
    if (!s->is_replay || !offer_sources(s, offer))
        offer_segments(s, offer);
    bool is_empty = offer->frames == ENCLOSED_EXTRACT && s->segments[0].packets == 0;
    if (is_empty && s->finding_count == 0)
        refuse(offer, "nothing was found, and the extract, which has what findings cite, is empty");
}

const struct verify_offered *verify_offer_find(const struct verify_offer *offer, const char *name)
{
    uint32_t count = offer->count < OFFERED_MAX ? offer->count : OFFERED_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(offer->file[i].name, name, OFFERED_NAME_MAX) == 0)
            return &offer->file[i];
    return NULL;
}
