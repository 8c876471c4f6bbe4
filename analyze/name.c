/*
 * name: domain names in canonical wire form; see name.h.
 *
 * Contained in: analyze, rules, tests. Must never: allocate, or read a byte of a message without
 * having checked that it is there. Only name_read and name_parse see input that somebody else
 * wrote.
 */
#include "analyze/name.h"

#include "sandbox/cursor.h"

#include <string.h>

#define POINTER_BITS 0xc0u
/* A name has at most 127 labels, so no honest name needs more hops; without this limit a chain of
 * pointers to pointers would cost 8192 steps for each of thousands of owners. */
#define HOPS_MAX 127

static bool is_upper(uint8_t byte)
{
    return (uint8_t)(byte - 'A') < 26;
}

/* Eight bytes at once: bit 7 of a byte of `upper` tells that the byte is in A..Z; it becomes 0x20.
 */
static uint64_t upper_bits(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80u * ones;
    uint64_t low7 = word & ~high;
    uint64_t from_a = low7 + (0x80u - 'A') * ones;
    uint64_t past_z = low7 + (0x7fu - 'Z') * ones;
    return (from_a ^ past_z) & ~word & high;
}

bool name_lower(uint8_t *name, size_t size)
{
    uint64_t word, changed = 0;
    size_t i = 0;
    for (; i + sizeof(word) <= size; i += sizeof(word)) {
        memcpy(&word, name + i, sizeof(word));
        uint64_t upper = upper_bits(word);
        changed |= upper;
        word |= upper >> 2;
        memcpy(name + i, &word, sizeof(word));
    }
    for (; i < size; i++)
        if (is_upper(name[i])) {
            name[i] |= 0x20;
            changed = 1;
        }
    return changed != 0;
}

/* Appends the run of plain labels at the cursor, up to a pointer or the root. False if malformed.
 */
static bool read_run(struct cursor *c, uint8_t *name, size_t *used, bool *ret_ended)
{
    const uint8_t *base = c->base;
    size_t start = c->at, at = start;
    for (;;) {
        if (at >= c->size)
            return false;
        uint8_t length = base[at];
        if (length == 0 || length >= POINTER_BITS)
            break;
        if (length > 63) /* 01 and 10 are not label types any more (RFC 6891 5) */
            return false;
        at += 1u + length;
    }
    *ret_ended = base[at] == 0;
    size_t run = at - start + *ret_ended; /* the root label belongs to the run */
    if (run > NAME_MAX_BYTES - *used)
        return false;
    if (run > 0)
        memcpy(name + *used, base + start, run);
    *used += run;
    c->at = start + run;
    return true;
}

size_t name_read(const uint8_t *message, size_t size, size_t at, bool keep_case,
                 uint8_t ret_name[NAME_MAX_BYTES], size_t *ret_next)
{
    struct cursor c = cursor_over(message, size);
    size_t used = 0, next = 0;
    size_t lowest = at; /* where the present run starts: a pointer must go before it */
    cursor_seek(&c, at);
    if (!cursor_ok(&c))
        return 0;
    for (unsigned hops = 0;; hops++) {
        bool ended;
        if (!read_run(&c, ret_name, &used, &ended))
            return 0;
        if (ended)
            break;
        size_t target = cursor_u16(&c) & 0x3fffu;
        if (!cursor_ok(&c) || target >= lowest || hops == HOPS_MAX)
            return 0;
        if (next == 0)
            next = c.at;
        lowest = target;
        c.at = target; /* lies before a byte that was read */
    }
    if (!keep_case)
        name_lower(ret_name, used);
    *ret_next = next ? next : c.at;
    return used;
}

/* One character of a label, escapes resolved; -1 when malformed. */
static int parse_byte(const char **text)
{
    const char *t = *text;
    if (*t != '\\') {
        *text = t + 1;
        return (uint8_t)*t;
    }
    t++;
    if (*t == '\0')
        return -1;
    if (*t < '0' || *t > '9') {
        *text = t + 1;
        return (uint8_t)*t;
    }
    int value = 0;
    for (int i = 0; i < 3; i++, t++) {
        if (*t < '0' || *t > '9')
            return -1;
        value = value * 10 + (*t - '0');
    }
    *text = t;
    return value <= 255 ? value : -1;
}

size_t name_parse(const char *text, uint8_t ret_name[NAME_MAX_BYTES])
{
    size_t used = 0;
    if (strcmp(text, ".") == 0) {
        ret_name[0] = 0;
        return 1;
    }
    do {
        size_t length_at = used++;
        while (*text != '\0' && *text != '.') {
            int byte = parse_byte(&text);
            /* the root label must still fit behind */
            if (byte < 0 || used >= NAME_MAX_BYTES - 1)
                return 0;
            ret_name[used++] = (uint8_t)byte;
        }
        size_t length = used - length_at - 1;
        if (length == 0 || length > 63)
            return 0;
        ret_name[length_at] = (uint8_t)length;
        if (*text == '.')
            text++;
    } while (*text != '\0');
    ret_name[used++] = 0;
    name_lower(ret_name, used);
    return used;
}

/* Writes one byte of a label in presentation form; returns the characters written. */
static size_t text_byte(uint8_t byte, char *text)
{
    if (byte <= ' ' || byte >= 0x7f) {
        text[0] = '\\';
        text[1] = (char)('0' + byte / 100);
        text[2] = (char)('0' + byte / 10 % 10);
        text[3] = (char)('0' + byte % 10);
        return 4;
    }
    size_t n = 0;
    /* what a zone file would take for syntax (RFC 1035 5.1) */
    if (strchr(".\\\"();@$", byte))
        text[n++] = '\\';
    text[n++] = (char)byte;
    return n;
}

const char *name_text(const uint8_t *name, char ret_text[NAME_TEXT_MAX])
{
    size_t n = 0;
    if (name[0] == 0)
        ret_text[n++] = '.';
    for (; name[0] != 0; name += 1u + name[0]) {
        for (unsigned i = 1; i <= name[0]; i++)
            n += text_byte(name[i], ret_text + n);
        ret_text[n++] = '.';
    }
    ret_text[n] = '\0';
    return ret_text;
}

size_t name_size(const uint8_t *name)
{
    size_t size = 1;
    for (; name[0] != 0; name += 1u + name[0])
        size += 1u + name[0];
    return size;
}

unsigned name_labels(const uint8_t *name)
{
    unsigned labels = 0;
    for (; name[0] != 0; name += 1u + name[0])
        labels++;
    return labels;
}

bool name_equal(const uint8_t *a, const uint8_t *b)
{
    /* label by label, so that the longer name is never read past the end of the shorter */
    for (; a[0] == b[0]; a += 1u + a[0], b += 1u + b[0]) {
        if (a[0] == 0)
            return true;
        if (memcmp(a + 1, b + 1, a[0]) != 0)
            return false;
    }
    return false;
}

bool name_is_root(const uint8_t *name)
{
    return name[0] == 0;
}

bool name_is_wildcard(const uint8_t *name)
{
    return name[0] == 1 && name[1] == '*';
}

bool name_within(const uint8_t *name, const uint8_t *zone)
{
    size_t left = name_size(name), wanted = name_size(zone);
    while (left > wanted) {
        left -= 1u + name[0];
        name += 1u + name[0];
    }
    return left == wanted && memcmp(name, zone, wanted) == 0;
}

const uint8_t *name_strip(const uint8_t *name, unsigned labels)
{
    for (; labels > 0 && name[0] != 0; labels--)
        name += 1u + name[0];
    return name;
}

const uint8_t *name_suffix(const uint8_t *name, unsigned labels)
{
    unsigned have = name_labels(name);
    return name_strip(name, have > labels ? have - labels : 0);
}

unsigned name_common(const uint8_t *a, const uint8_t *b)
{
    unsigned have_a = name_labels(a), have_b = name_labels(b);
    unsigned level = have_a < have_b ? have_a : have_b;
    unsigned common = 0;
    a = name_suffix(a, level);
    b = name_suffix(b, level);
    for (; a[0] != 0; a += 1u + a[0], b += 1u + b[0])
        common = a[0] == b[0] && memcmp(a + 1, b + 1, a[0]) == 0 ? common + 1 : 0;
    return common;
}

/* One label against another: as octet strings, a missing octet sorts first (RFC 4034 6.1). */
static int compare_label(const uint8_t *a, const uint8_t *b)
{
    uint8_t shorter = a[0] < b[0] ? a[0] : b[0];
    int order = memcmp(a + 1, b + 1, shorter);
    return order != 0 ? order : (int)a[0] - (int)b[0];
}

static unsigned label_starts(const uint8_t *name, uint8_t ret_at[NAME_MAX_LABELS])
{
    unsigned labels = 0;
    for (unsigned at = 0; name[at] != 0; at += 1u + name[at])
        ret_at[labels++] = (uint8_t)at;
    return labels;
}

int name_compare(const uint8_t *a, const uint8_t *b)
{
    uint8_t at_a[NAME_MAX_LABELS], at_b[NAME_MAX_LABELS];
    unsigned left_a = label_starts(a, at_a), left_b = label_starts(b, at_b);
    while (left_a > 0 && left_b > 0) {
        int order = compare_label(a + at_a[--left_a], b + at_b[--left_b]);
        if (order != 0)
            return order;
    }
    return (int)left_a - (int)left_b;
}
