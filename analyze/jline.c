/*
 * jline: a line of JSON; see jline.h.
 *
 * Contained in: analyze, tests. Must never: leave a quote, a backslash or a control character of
 * somebody else's as it is.
 */
#include "analyze/jline.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdef";

void jline_init(struct jline *j, size_t most)
{
    *j = (struct jline){.most = most};
}

void jline_fini(struct jline *j)
{
    free(j->text);
    jline_init(j, j->most);
}

static bool make_room(struct jline *j, size_t more)
{
    if (more < j->room - j->size)
        return true;
    if (j->full || more >= j->most - j->size) {
        j->full = true;
        return false;
    }
    size_t room = j->room ? j->room : 4096;
    while (room - j->size <= more)
        room *= 2;
    if (room > j->most)
        room = j->most;
    char *text = realloc(j->text, room);
    if (!text) {
        j->full = true;
        return false;
    }
    j->text = text;
    j->room = room;
    return true;
}

static void put(struct jline *j, const char *bytes, size_t size)
{
    if (!make_room(j, size))
        return;
    memcpy(j->text + j->size, bytes, size);
    j->size += size;
}

static void put_char(struct jline *j, char c)
{
    put(j, &c, 1);
}

/* Comma and key. */
static void put_key(struct jline *j, const char *key)
{
    char last = j->size > 0 ? j->text[j->size - 1] : '{';
    if (last != '{' && last != '[')
        put_char(j, ',');
    if (!key)
        return;
    put_char(j, '"');
    put(j, key, strlen(key));
    put(j, "\":", 2);
}

void jline_begin(struct jline *j)
{
    j->size = 0;
    j->full = false;
    put_char(j, '{');
}

const char *jline_end(struct jline *j, size_t *ret_size)
{
    put_char(j, '}');
    if (j->full)
        return NULL;
    j->text[j->size] = '\0';
    *ret_size = j->size;
    return j->text;
}

void jline_object(struct jline *j, const char *key)
{
    put_key(j, key);
    put_char(j, '{');
}

void jline_array(struct jline *j, const char *key)
{
    put_key(j, key);
    put_char(j, '[');
}

void jline_close(struct jline *j, char bracket)
{
    put_char(j, bracket);
}

size_t jline_utf8(const uint8_t *s, size_t left)
{
    size_t size = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < size)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return size;
}

/* Writes what may not stand as it is; returns the bytes of input that it stands for. */
static size_t put_escaped(struct jline *j, const uint8_t *s, size_t left)
{
    if (s[0] >= 0x80) {
        size_t size = jline_utf8(s, left);
        put(j, size ? (const char *)s : "\\ufffd", size ? size : 6);
        return size ? size : 1;
    }
    if (s[0] == '"' || s[0] == '\\') {
        const char pair[2] = {'\\', (char)s[0]};
        put(j, pair, sizeof(pair));
    } else {
        const char code[6] = {'\\', 'u', '0', '0', digits[s[0] >> 4], digits[s[0] & 15]};
        put(j, code, sizeof(code));
    }
    return 1;
}

void jline_bytes(struct jline *j, const char *key, const void *bytes, size_t size)
{
    const uint8_t *s = bytes;
    put_key(j, key);
    put_char(j, '"');
    for (size_t i = 0; i < size;) {
        size_t plain = i;
        while (plain < size && s[plain] >= ' ' && s[plain] < 0x7f && s[plain] != '"' &&
               s[plain] != '\\')
            plain++;
        put(j, (const char *)s + i, plain - i);
        i = plain;
        if (i < size)
            i += put_escaped(j, s + i, size - i);
    }
    put_char(j, '"');
}

void jline_string(struct jline *j, const char *key, const char *text)
{
    jline_bytes(j, key, text, strlen(text));
}

void jline_number(struct jline *j, const char *key, uint64_t number)
{
    char text[20];
    size_t at = sizeof(text);
    do
        text[--at] = (char)('0' + number % 10);
    while (number /= 10);
    put_key(j, key);
    put(j, text + at, sizeof(text) - at);
}

void jline_bool(struct jline *j, const char *key, bool value)
{
    put_key(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void jline_null(struct jline *j, const char *key)
{
    put_key(j, key);
    put(j, "null", 4);
}

void jline_hex(struct jline *j, const char *key, const uint8_t *bytes, size_t size)
{
    put_key(j, key);
    put_char(j, '"');
    for (size_t i = 0; i < size; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        put(j, pair, sizeof(pair));
    }
    put_char(j, '"');
}
