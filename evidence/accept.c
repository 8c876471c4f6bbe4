/*
 * accept: the `accept` record. Contained in: store. Must never write a text into the log that is
 * not one clean line.
 */
#include "evidence/accept.h"

#include "evidence/text.h"
#include "sandbox/log.h"

#include <string.h>

/* The lines of the input, in the order of the record's keys (evidence/format.h). */
static const struct line {
    const char *key;
    enum { LINE_TEXT, LINE_HASH, LINE_NUMBER } kind;
} lines[] = {
    {"finding", LINE_TEXT},    {"finding_sha256", LINE_HASH},
    {"zone", LINE_TEXT},       {"old_sha256", LINE_HASH},
    {"file", LINE_TEXT},       {"sha256", LINE_HASH},
    {"who", LINE_TEXT},        {"why", LINE_TEXT},
    {"log_origin", LINE_TEXT}, {"log_size", LINE_NUMBER},
    {"log_root", LINE_TEXT},
};

static bool find(const struct inputs *inputs, struct input *ret_input)
{
    size_t at = 0;
    return inputs_next(inputs, INPUT_ACCEPT, &at, ret_input) == 1;
}

bool accept_asked(const struct inputs *inputs)
{
    struct input in;
    return find(inputs, &in);
}

static void write_line(struct json *j, const struct line *line, const char *text, size_t size)
{
    size_t hex = strspn(text, "0123456789abcdef");
    bool good = size > 0 && size <= TEXT_MAX;
    if (line->kind == LINE_HASH)
        good = size == HASH_HEX && hex >= size;
    if (line->kind == LINE_NUMBER)
        good = size > 0 && size <= 18 && strspn(text, "0123456789") >= size;
    if (!good)
        log_die("accept: no %s that can be recorded", line->key);
    if (line->kind != LINE_NUMBER) {
        json_text(j, line->key, text, size);
        return;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    json_number(j, line->key, number);
}

void accept_record(const struct inputs *inputs, struct ledger *ledger)
{
    struct input in;
    if (!find(inputs, &in) || !text_is_clean(in.bytes, in.size, true) || in.size == 0 ||
        ((const char *)in.bytes)[in.size - 1] != '\n')
        log_die("accept: not lines of text");
    const char *at = in.bytes, *end = at + in.size;
    struct json *j = ledger_begin(ledger, "accept");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!stop)
            log_die("accept: lines are missing");
        write_line(j, &lines[i], at, (size_t)(stop - at));
        at = stop + 1;
    }
    if (at != end)
        log_die("accept: lines too many");
    ledger_commit(ledger);
}
