/*
 * verify_text: the texts of evidence/format.h, scanned strictly.
 *
 * Contained in: verify, tests. Must never: accept two spellings of one value.
 */
#include "evidence/verify_text.h"

#include <string.h>
#include <time.h>

static size_t left(const struct scan *s)
{
    return s->failed ? 0 : (size_t)(s->end - s->at);
}

bool scan_done(const struct scan *s)
{
    return !s->failed && s->at == s->end;
}

bool scan_try(struct scan *s, const char *text)
{
    size_t size = strlen(text);
    if (left(s) < size || memcmp(s->at, text, size) != 0)
        return false;
    s->at += size;
    return true;
}

void scan_literal(struct scan *s, const char *text)
{
    if (!scan_try(s, text))
        s->failed = true;
}

uint64_t scan_number(struct scan *s)
{
    uint64_t value = 0;
    size_t count = 0;
    for (; left(s) > 0 && *s->at >= '0' && *s->at <= '9'; s->at++, count++) {
        if (count == 18 || (count == 1 && value == 0)) {
            s->failed = true;
            return 0;
        }
        value = value * 10 + (uint64_t)(*s->at - '0');
    }
    if (count == 0)
        s->failed = true;
    return s->failed ? 0 : value;
}

int64_t scan_signed(struct scan *s)
{
    bool negative = scan_try(s, "-");
    int64_t value = (int64_t)scan_number(s);
    if (negative && value == 0)
        s->failed = true;
    return negative ? -value : value;
}

struct verify_text scan_until(struct scan *s, char stop)
{
    const char *found = left(s) > 0 ? memchr(s->at, stop, left(s)) : NULL;
    if (!found) {
        s->failed = true;
        return (struct verify_text){.at = "", .size = 0};
    }
    struct verify_text text = {.at = s->at, .size = (size_t)(found - s->at)};
    s->at = found + 1;
    return text;
}

/* Length of the UTF-8 sequence at `at` (RFC 3629: shortest form, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *at, size_t size)
{
    size_t length = at[0] < 0x80   ? 1
                    : at[0] < 0xc2 ? 0
                    : at[0] < 0xe0 ? 2
                    : at[0] < 0xf0 ? 3
                    : at[0] < 0xf5 ? 4
                                   : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool beyond = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
    return overlong || beyond ? 0 : length;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* \" and \\, and \u00xx for what JSON or a terminal cannot take as it is; 0 for any other escape.
 */
static size_t escape_length(const char *at, size_t size)
{
    if (size >= 2 && (at[1] == '"' || at[1] == '\\'))
        return 2;
    if (size < 6 || memcmp(at, "\\u00", 4) != 0 || !is_hex(at[4]) || !is_hex(at[5]))
        return 0;
    bool control = at[4] < '2' || (at[4] == '7' && at[5] == 'f');
    return control ? 6 : 0;
}

struct verify_text scan_string(struct scan *s)
{
    struct verify_text text = {.at = "", .size = 0};
    scan_literal(s, "\"");
    if (s->failed)
        return text;
    const char *start = s->at;
    while (left(s) > 0 && *s->at != '"') {
        unsigned char c = (unsigned char)*s->at;
        size_t step = c == '\\'               ? escape_length(s->at, left(s))
                      : c < 0x20 || c == 0x7f ? 0
                                              : utf8_length((const unsigned char *)s->at, left(s));
        if (step == 0) {
            s->failed = true;
            return text;
        }
        s->at += step;
    }
    if (left(s) > 0)
        text = (struct verify_text){.at = start, .size = (size_t)(s->at - start)};
    scan_literal(s, "\"");
    return text;
}

static int digits(struct scan *s, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++, s->at++) {
        if (left(s) == 0 || *s->at < '0' || *s->at > '9') {
            s->failed = true;
            return 0;
        }
        value = value * 10 + (*s->at - '0');
    }
    return value;
}

int64_t scan_time(struct scan *s)
{
    struct tm tm = {.tm_isdst = 0};
    tm.tm_year = digits(s, 4) - 1900;
    scan_literal(s, "-");
    tm.tm_mon = digits(s, 2) - 1;
    scan_literal(s, "-");
    tm.tm_mday = digits(s, 2);
    scan_literal(s, "T");
    tm.tm_hour = digits(s, 2);
    scan_literal(s, ":");
    tm.tm_min = digits(s, 2);
    scan_literal(s, ":");
    tm.tm_sec = digits(s, 2);
    scan_literal(s, ".");
    int64_t fraction = digits(s, 9);
    scan_literal(s, "Z");
    /* Nanoseconds fit 64 bits from 1970 to 2261; a day that timegm would move is no day. */
    struct tm moved = tm;
    int64_t seconds = s->failed ? 0 : (int64_t)timegm(&moved);
    if (moved.tm_mday != tm.tm_mday || moved.tm_mon != tm.tm_mon || moved.tm_hour != tm.tm_hour ||
        moved.tm_min != tm.tm_min || moved.tm_sec != tm.tm_sec || seconds < 0 ||
        tm.tm_year + 1900 > 2261)
        s->failed = true;
    return s->failed ? 0 : seconds * 1000000000 + fraction;
}

static int nibble(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

void scan_hex(struct scan *s, uint8_t *ret_bytes, size_t size)
{
    if (left(s) < 2 * size) {
        s->failed = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_hex(s->at[2 * i]) || !is_hex(s->at[2 * i + 1])) {
            s->failed = true;
            return;
        }
        ret_bytes[i] = (uint8_t)(nibble(s->at[2 * i]) << 4 | nibble(s->at[2 * i + 1]));
    }
    s->at += 2 * size;
}

static int base64_value(char c)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c ? strchr(alphabet, c) : NULL;
    return found ? (int)(found - alphabet) : -1;
}

bool verify_base64(struct verify_text text, uint8_t *ret_bytes, size_t size)
{
    if (text.size != (size + 2) / 3 * 4)
        return false;
    size_t written = 0;
    for (size_t i = 0; i < text.size; i += 4) {
        uint32_t group = 0;
        size_t bytes = size - written < 3 ? size - written : 3;
        for (size_t j = 0; j < 4; j++) {
            int value = j <= bytes ? base64_value(text.at[i + j]) : text.at[i + j] == '=' ? 0 : -1;
            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        if (bytes < 3 && group << (8 * (bytes + 1)) != 0)
            return false;
        for (size_t j = 0; j < bytes; j++)
            ret_bytes[written++] = (uint8_t)(group >> (16 - 8 * j));
    }
    return true;
}

void verify_hex(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digit[bytes[i] >> 4];
        ret_text[2 * i + 1] = digit[bytes[i] & 15];
    }
    ret_text[2 * size] = '\0';
}

bool verify_text_same(struct verify_text a, struct verify_text b)
{
    return a.size == b.size && memcmp(a.at, b.at, a.size) == 0;
}

bool verify_text_is(struct verify_text text, const char *other)
{
    return verify_text_same(text, (struct verify_text){.at = other, .size = strlen(other)});
}

int verify_next_line(struct verify_text *rest, struct verify_text *ret_line)
{
    if (rest->size == 0)
        return 0;
    size_t most = rest->size < LINE_MAX_BYTES ? rest->size : LINE_MAX_BYTES;
    const char *end = memchr(rest->at, '\n', most);
    if (!end)
        return -1;
    *ret_line = (struct verify_text){.at = rest->at, .size = (size_t)(end - rest->at)};
    rest->size -= ret_line->size + 1;
    rest->at = end + 1;
    return 1;
}
