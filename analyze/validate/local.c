/*
 * local: names that are served locally.
 *
 * Contained in: analyze, tests. Flat tables; a look at each is only had where a proof is missing.
 */
#include "analyze/validate/local.h"

#include "analyze/name.h"

#include <string.h>

#define NAME(text) (const uint8_t *)(text)

/* Wire form; the C string's end is the root. */
static const uint8_t *const names[] = {
    NAME("\011localhost"),
    NAME("\007invalid"),
    NAME("\005local"),
    NAME("\005onion"),
    NAME("\003alt"),
    NAME("\010internal"),
    NAME("\004home\004arpa"),
    NAME("\010resolver\004arpa"),
    NAME("\001d\001f\003ip6\004arpa"),
    NAME("\0018\001e\001f\003ip6\004arpa"),
    NAME("\0019\001e\001f\003ip6\004arpa"),
    NAME("\001a\001e\001f\003ip6\004arpa"),
    NAME("\001b\001e\001f\003ip6\004arpa"),
    NAME("\0018\001b\001d\0010\0011\0010\0010\0012\003ip6\004arpa"),
    NAME("\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010"
         "\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\0010\003ip6"
         "\004arpa"), /* ::, ::1 */
};

/* Prefixes of IPv4, by their first bytes: of so many of them, the last in a range. */
static const struct prefix {
    unsigned size, byte[2], from, to;
} prefixes[] = {
    {1, {0}, 0, 0},          {1, {0}, 10, 10},          {1, {0}, 127, 127},
    {2, {100}, 64, 127},     {2, {169}, 254, 254},      {2, {172}, 16, 31},
    {2, {192}, 168, 168},    {3, {192, 0}, 2, 2},       {3, {198, 51}, 100, 100},
    {3, {203, 0}, 113, 113}, {3, {255, 255}, 255, 255},
};

/* A label of digits; 256 for any other. */
static unsigned number(const uint8_t *label)
{
    unsigned n = 0;
    for (unsigned i = 1; i <= label[0]; i++) {
        if (label[0] > 3 || label[i] < '0' || label[i] > '9')
            return 256;
        n = n * 10 + (label[i] - '0');
    }
    return n;
}

static bool nobodys_address(const uint8_t *name)
{
    unsigned labels = name_labels(name), byte[3], known = 0;
    if (!name_within(name, NAME("\007in-addr\004arpa")))
        return false;
    while (known < 3 && known + 2 < labels) {
        byte[known] = number(name_suffix(name, known + 3));
        known++;
    }
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        const struct prefix *p = &prefixes[i];
        bool same = known >= p->size;
        for (unsigned k = 0; same && k + 1 < p->size; k++)
            same = byte[k] == p->byte[k];
        if (same && byte[p->size - 1] >= p->from && byte[p->size - 1] <= p->to)
            return true;
    }
    return false;
}

bool local_name(const uint8_t *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name_within(name, names[i]))
            return true;
    return nobodys_address(name);
}
