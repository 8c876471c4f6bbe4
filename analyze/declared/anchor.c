/*
 * anchor: trust anchors from DS and DNSKEY lines and from IANA's root-anchors.xml.
 *
 * Contained in: analyze, tests; reads before confinement only. Must never take an anchor from the
 * wire.
 */
#include "analyze/declared/anchor.h"

#include "analyze/canon.h"
#include "analyze/declared/zonefile.h"
#include "rules/algorithm.h"
#include "rules/conf.h"
#include "rules/embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EMBED(anchor_default_xml, "deploy/root-anchors.xml");

#define FLAG_ZONE     0x0100 /* RFC 4034 2.1.1 */
#define FLAG_REVOKE   0x0080 /* RFC 5011 7 */
#define ANCHORS_MAX   4096   /* more than any operator has */
#define DIGEST_MAX    64
#define XML_VALUE_MAX 256

struct anchors {
    struct anchor *list;
    size_t count, room;
};

struct anchors *anchors_new(void)
{
    return calloc(1, sizeof(struct anchors));
}

static void anchors_cut(struct anchors *anchors, size_t count)
{
    while (anchors->count > count)
        free(anchors->list[--anchors->count].rdata);
}

void anchors_free(struct anchors *anchors)
{
    if (!anchors)
        return;
    anchors_cut(anchors, 0);
    free(anchors->list);
    free(anchors);
}

size_t anchors_list(const struct anchors *anchors, const struct anchor **ret_anchors)
{
    *ret_anchors = anchors->list;
    return anchors->count;
}

bool anchor_window(int64_t opens_ns, int64_t closes_ns, int64_t time_ns, int64_t *from_ns,
                   int64_t *until_ns)
{
    bool early = time_ns < opens_ns, late = !early && time_ns > closes_ns;
    int64_t from = early ? INT64_MIN : late ? closes_ns + 1 : opens_ns;
    int64_t until = early ? opens_ns - 1 : late ? INT64_MAX : closes_ns;
    *from_ns = from > *from_ns ? from : *from_ns;
    *until_ns = until < *until_ns ? until : *until_ns;
    return !early && !late;
}

/* Takes a copy of the rdata. NULL if the table or the memory is full. */
static struct anchor *anchors_push(struct anchors *anchors, const uint8_t *zone, bool is_ds,
                                   const uint8_t *rdata, size_t size)
{
    if (anchors->count == anchors->room) {
        size_t room = anchors->room ? anchors->room * 2 : 8;
        if (room > ANCHORS_MAX)
            return NULL;
        struct anchor *list = realloc(anchors->list, room * sizeof *list);
        if (!list)
            return NULL;
        anchors->list = list;
        anchors->room = room;
    }
    uint8_t *copy = malloc(size);
    if (!copy)
        return NULL;
    memcpy(copy, rdata, size);
    struct anchor *anchor = &anchors->list[anchors->count++];
    *anchor = (struct anchor){.is_ds = is_ds,
                              .rdata = copy,
                              .rdata_size = (uint16_t)size,
                              .from_ns = INT64_MIN,
                              .until_ns = INT64_MAX};
    memcpy(anchor->zone, zone, name_size(zone));
    return anchor;
}

/* --- lines --------------------------------------------------------------------------------- */

static const char *ds_mistake(const uint8_t *rdata, size_t size)
{
    if (size < 5)
        return "expected DS: tag algorithm digest-type digest";
    /* A type that IANA does not list is kept, and never matched. */
    const struct algorithm *digest = algorithm_digest(rdata[3]);
    if (digest && size - 4 != digest->bytes)
        return "expected a digest of the length that its type has (RFC 4034 5.1.4)";
    return NULL;
}

static const char *dnskey_mistake(const uint8_t *rdata, size_t size)
{
    if (size < 5)
        return "expected DNSKEY: flags protocol algorithm key";
    unsigned flags = (unsigned)rdata[0] << 8 | rdata[1];
    if (!(flags & FLAG_ZONE) || rdata[2] != 3)
        return "expected a zone key: flag 256 set and protocol 3 (RFC 4034 2.1)";
    if (flags & FLAG_REVOKE)
        return "expected a key that is not revoked (RFC 5011 2.1)";
    return NULL;
}

static int on_record(void *context, const struct zonefile_record *record, char *ret_what,
                     size_t what_room)
{
    bool is_ds = record->type == TYPE_DS;
    const char *mistake = NULL;
    if (is_ds)
        mistake = ds_mistake(record->rdata, record->rdata_size);
    else if (record->type == TYPE_DNSKEY)
        mistake = dnskey_mistake(record->rdata, record->rdata_size);
    else
        mistake = "expected a DS or DNSKEY record";
    if (!mistake && !anchors_push(context, record->owner, is_ds, record->rdata, record->rdata_size))
        mistake = "too many anchors, or out of memory";
    if (!mistake)
        return 0;
    snprintf(ret_what, what_room, "%s", mistake);
    return -1;
}

/* --- root-anchors.xml (RFC 9718 2.1) ------------------------------------------------------- *
 * Not a reader of XML at large: the elements of RFC 9718, in a file from the operator. */

struct xml {
    const char *name, *text; /* file, whole text (NUL-terminated copy) */
    char *error;
    size_t error_room;
};

static int xml_fail(const struct xml *xml, const char *at, const char *what)
{
    unsigned line = 1;
    for (const char *p = xml->text; p < at; p++)
        line += *p == '\n';
    if (xml->error_room)
        snprintf(xml->error, xml->error_room, "%s:%u: %s", xml->name, line, what);
    return -1;
}

/* The text of the first <tag> between `from` and `until`, without white space around it. */
static int xml_element(const struct xml *xml, const char *from, const char *until, const char *tag,
                       char ret_value[XML_VALUE_MAX])
{
    char open[32], what[64];
    snprintf(open, sizeof open, "<%s>", tag);
    snprintf(what, sizeof what, "expected <%s> (RFC 9718 2.1)", tag);
    const char *start = strstr(from, open);
    if (!start || start >= until)
        return xml_fail(xml, from, what);
    start += strlen(open);
    const char *end = strchr(start, '<');
    if (!end || end > until)
        return xml_fail(xml, start, what);
    while (start < end && strchr(" \t\r\n", *start))
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    if (start == end || end - start >= XML_VALUE_MAX)
        return xml_fail(xml, start, what);
    memcpy(ret_value, start, (size_t)(end - start));
    ret_value[end - start] = '\0';
    return 0;
}

static int xml_number(const struct xml *xml, const char *from, const char *until, const char *tag,
                      unsigned most, unsigned *ret)
{
    char value[XML_VALUE_MAX], *end;
    if (xml_element(xml, from, until, tag, value) != 0)
        return -1;
    unsigned long number = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || number > most)
        return xml_fail(xml, from, "expected a number");
    *ret = (unsigned)number;
    return 0;
}

static int xml_hex(const char *text, uint8_t *ret_bytes, size_t room, size_t *ret_size)
{
    size_t length = strlen(text);
    if (length % 2 || length / 2 > room)
        return -1;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        ret_bytes[i / 2] = (uint8_t)(i % 2 ? ret_bytes[i / 2] | digit : digit << 4);
    }
    *ret_size = length / 2;
    return 0;
}

/* An attribute of time in the tag between `from` and `until`; absent is fine. */
static int xml_time(const struct xml *xml, const char *from, const char *until, const char *name,
                    int64_t *ret_ns)
{
    char mark[32], value[40];
    snprintf(mark, sizeof mark, "%s=\"", name);
    const char *start = strstr(from, mark);
    if (!start || start >= until)
        return 0;
    start += strlen(mark);
    const char *end = strchr(start, '"');
    if (!end || end > until || (size_t)(end - start) >= sizeof value)
        return xml_fail(xml, start, "expected a time in quotes");
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    if (conf_parse_time(value, false, ret_ns) != 0)
        return xml_fail(xml, start, "expected a time like 2017-02-02T00:00:00+00:00");
    return 0;
}

static int xml_digest(struct anchors *anchors, const struct xml *xml, const uint8_t *zone,
                      const char *from, const char *until)
{
    unsigned tag, algorithm, type;
    char digest[XML_VALUE_MAX];
    uint8_t rdata[4 + DIGEST_MAX];
    size_t size;
    int64_t from_ns = INT64_MIN, until_ns = INT64_MAX;
    const char *attributes_end = strchr(from, '>');
    if (!attributes_end || attributes_end > until)
        return xml_fail(xml, from, "expected <KeyDigest …>");
    if (xml_time(xml, from, attributes_end, "validFrom", &from_ns) != 0 ||
        xml_time(xml, from, attributes_end, "validUntil", &until_ns) != 0 ||
        xml_number(xml, from, until, "KeyTag", UINT16_MAX, &tag) != 0 ||
        xml_number(xml, from, until, "Algorithm", UINT8_MAX, &algorithm) != 0 ||
        xml_number(xml, from, until, "DigestType", UINT8_MAX, &type) != 0 ||
        xml_element(xml, from, until, "Digest", digest) != 0)
        return -1;
    if (xml_hex(digest, rdata + 4, DIGEST_MAX, &size) != 0)
        return xml_fail(xml, from, "expected a digest in hexadecimal");
    rdata[0] = (uint8_t)(tag >> 8);
    rdata[1] = (uint8_t)tag;
    rdata[2] = (uint8_t)algorithm;
    rdata[3] = (uint8_t)type;
    const char *mistake = ds_mistake(rdata, size + 4);
    if (mistake)
        return xml_fail(xml, from, mistake);
    struct anchor *anchor = anchors_push(anchors, zone, true, rdata, size + 4);
    if (!anchor)
        return xml_fail(xml, from, "too many anchors, or out of memory");
    anchor->from_ns = from_ns;
    anchor->until_ns = until_ns;
    return 0;
}

static int xml_read(struct anchors *anchors, const struct xml *xml)
{
    const char *end = xml->text + strlen(xml->text);
    const char *top = strstr(xml->text, "<TrustAnchor");
    char zone_text[XML_VALUE_MAX];
    uint8_t zone[NAME_MAX_BYTES];
    if (!top)
        return xml_fail(xml, xml->text, "expected <TrustAnchor> (RFC 9718 2.1)");
    if (xml_element(xml, top, end, "Zone", zone_text) != 0)
        return -1;
    if (!name_parse(zone_text, zone))
        return xml_fail(xml, top, "expected the zone's name");
    size_t before = anchors->count;
    const char *at = top;
    while ((at = strstr(at, "<KeyDigest")) != NULL) {
        const char *until = strstr(at, "</KeyDigest>");
        if (!until)
            return xml_fail(xml, at, "expected </KeyDigest>");
        if (xml_digest(anchors, xml, zone, at, until) != 0)
            return -1;
        at = until;
    }
    if (anchors->count == before)
        return xml_fail(xml, top, "expected at least one <KeyDigest>");
    return 0;
}

/* --- the whole file ------------------------------------------------------------------------ */

int anchors_add(struct anchors *anchors, const char *name, const void *text, size_t size,
                char *ret_error, size_t error_room)
{
    static const uint8_t root[1] = {0};
    const char *bytes = text;
    size_t before = anchors->count, at = 0;
    int result = -1;
    while (at < size && strchr(" \t\r\n", bytes[at]) && bytes[at])
        at++;
    if (at < size && bytes[at] == '<') {
        char *copy = strndup(bytes, size);
        struct xml xml = {name, copy, ret_error, error_room};
        if (copy)
            result = xml_read(anchors, &xml);
        else if (error_room)
            snprintf(ret_error, error_room, "%s:1: out of memory", name);
        free(copy);
    } else {
        result = zonefile_read(name, text, size, root, on_record, anchors, ret_error, error_room);
        if (result == 0 && anchors->count == before) {
            if (error_room)
                snprintf(ret_error, error_room, "%s:1: expected a DS or DNSKEY record", name);
            result = -1;
        }
    }
    if (result != 0)
        anchors_cut(anchors, before);
    return result;
}

void anchors_add_default(struct anchors *anchors)
{
    char error[256];
    if (anchors_add(anchors, "root-anchors.xml", anchor_default_xml, EMBED_SIZE(anchor_default_xml),
                    error, sizeof error) != 0)
        abort(); /* the file that was built in: our own mistake */
}
