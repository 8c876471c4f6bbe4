/*
 * settings: defaults, and numbers with units from text.
 *
 * Contained in: every process (only the supervisor parses).
 */
#include "sandbox/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum dimension { PLAIN, BYTES, SECONDS, HOURS };

struct unit {
    const char *name;
    uint64_t factor; /* in bytes or seconds */
    enum dimension dimension;
};

static const struct unit units[] = {
    {"B", 1, BYTES},
    {"KiB", 1ull << 10, BYTES},
    {"MiB", 1ull << 20, BYTES},
    {"GiB", 1ull << 30, BYTES},
    {"TiB", 1ull << 40, BYTES},
    {"kB", 1000, BYTES},
    {"MB", 1000000, BYTES},
    {"GB", 1000000000, BYTES},
    {"TB", 1000000000000, BYTES},
    {"s", 1, SECONDS},
    {"m", 60, SECONDS},
    {"min", 60, SECONDS},
    {"h", 3600, SECONDS},
    {"d", 86400, SECONDS},
    {"w", 604800, SECONDS},
};

struct field {
    const char *key;
    size_t offset;
    uint64_t least, most;
};

static const struct field fields[] = {
#define X(field, key, value, least, most, text)                                                    \
    {key, offsetof(struct settings, field), least, most},
    SETTINGS(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void settings_default(struct settings *ret_settings)
{
    memset(ret_settings, 0, sizeof *ret_settings); /* padding too: the bytes are sealed */
#define X(field, key, value, least, most, text) ret_settings->field = value;
    SETTINGS(X)
#undef X
    ret_settings->ports[0] = 53;
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

static enum dimension dimension_of(const char *key)
{
    return ends_in(key, "-bytes")     ? BYTES
           : ends_in(key, "-seconds") ? SECONDS
           : ends_in(key, "-hours")   ? HOURS
                                      : PLAIN;
}

/* Digits; the rest of the text is left in *text. False without digits or beyond 64 bits. */
static bool digits(const char **text, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *p = *text;
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *text = p;
    *ret_number = number;
    return true;
}

/* The number in the key's own unit; NULL, or what was wrong. */
static const char *parse(const char *text, enum dimension dimension, uint64_t *ret_number)
{
    uint64_t number;
    if (!digits(&text, &number))
        return "not a number";
    while (*text == ' ')
        text++;
    if (!*text) {
        *ret_number = number;
        return NULL;
    }
    enum dimension family = dimension == HOURS ? SECONDS : dimension;
    for (size_t i = 0; i < COUNT(units); i++) {
        if (units[i].dimension != family || strcmp(units[i].name, text) != 0)
            continue;
        if (number > UINT64_MAX / units[i].factor)
            return "too large";
        number *= units[i].factor;
        if (dimension == HOURS) {
            if (number % 3600)
                return "not a whole number of hours";
            number /= 3600;
        }
        *ret_number = number;
        return NULL;
    }
    return family == BYTES     ? "unknown unit (B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)"
           : family == SECONDS ? "unknown unit (s, min, h, d, w)"
                               : "takes no unit";
}

/* A switch may be given in words. */
static const char *as_switch(const char *text)
{
    static const char *const words[][2] = {{"true", "1"}, {"false", "0"}, {"yes", "1"},
                                           {"no", "0"},   {"on", "1"},    {"off", "0"}};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(text, words[i][0]) == 0)
            return words[i][1];
    return text;
}

int settings_set(struct settings *s, const char *key, const char *text, char *ret_why, size_t room)
{
    for (size_t i = 0; i < COUNT(fields); i++) {
        const struct field *f = &fields[i];
        if (strcmp(f->key, key) != 0)
            continue;
        uint64_t number = 0;
        bool is_switch = f->least == 0 && f->most == 1;
        const char *why = parse(is_switch ? as_switch(text) : text, dimension_of(key), &number);
        if (is_switch && (why || number > 1))
            why = "neither true nor false";
        if (!why && (number < f->least || number > f->most)) {
            snprintf(ret_why, room, "outside %llu to %llu", (unsigned long long)f->least,
                     (unsigned long long)f->most);
            return SETTINGS_BAD;
        }
        if (!why && strcmp(key, "ring-bytes") == 0 && (number & (number - 1)))
            why = "not a power of two";
        if (why) {
            snprintf(ret_why, room, "%s", why);
            return SETTINGS_BAD;
        }
        memcpy((char *)s + f->offset, &number, sizeof number);
        return 0;
    }
    return SETTINGS_NO_KEY;
}

int settings_ports(struct settings *s, const char *text)
{
    uint16_t ports[SETTINGS_PORTS] = {0};
    size_t count = 0;
    do {
        uint64_t port;
        if (count == SETTINGS_PORTS || !digits(&text, &port) || port < 1 || port > 65535)
            return SETTINGS_BAD;
        ports[count++] = (uint16_t)port;
    } while (*text == ',' && *++text);
    if (*text || text[-1] == ',')
        return SETTINGS_BAD;
    memcpy(s->ports, ports, sizeof ports);
    return 0;
}
