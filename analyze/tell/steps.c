/*
 * steps: the two forms of an explanation.
 *
 * Contained in: analyze, tests. Everything that comes from the wire arrives here as escaped text.
 */
#include "analyze/tell/steps.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_TEXT 2048
/* Kept back in JSON, so that the members behind the steps fit. */
#define TAIL_BYTES 16384

int steps_init(struct steps *s, bool json)
{
    memset(s, 0, sizeof *s);
    s->json = json;
    jline_init(&s->line, STEPS_BYTES);
    s->text = json ? NULL : malloc(STEPS_BYTES);
    return json || s->text ? 0 : -1;
}

void steps_fini(struct steps *s)
{
    jline_fini(&s->line);
    free(s->text);
    memset(s, 0, sizeof *s);
}

void steps_begin(struct steps *s)
{
    s->size = 0;
    s->cut = false;
    s->section[0] = 0;
    if (s->json)
        jline_begin(&s->line);
}

static void append(struct steps *s, const char *text, size_t size)
{
    if (size + TAIL_BYTES > STEPS_BYTES - s->size) {
        s->cut = true;
        return;
    }
    memcpy(s->text + s->size, text, size);
    s->size += size;
}

static void append_line(struct steps *s, const char *text)
{
    append(s, text, strlen(text));
    append(s, "\n", 1);
}

void steps_line(struct steps *s, const char *format, ...)
{
    char text[STEP_TEXT];
    va_list args;
    if (s->json)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    append_line(s, text);
}

void steps_section(struct steps *s, const char *title)
{
    snprintf(s->section, sizeof s->section, "%s", title);
    steps_line(s, "\n%s", title);
}

static void frames_text(const struct rrset *set, char text[120])
{
    size_t size = 0;
    text[0] = 0;
    for (uint8_t i = 0; set && i < set->frame_count && size < 90; i++)
        size += (size_t)snprintf(text + size, 120 - size, "%s%" PRIu64,
                                 i                      ? ", "
                                 : set->frame_count > 1 ? "  [frames "
                                                        : "  [frame ",
                                 set->frames[i]);
    if (size)
        snprintf(text + size, 120 - size, "]");
}

static void add_json(struct steps *s, const char *status, const char *check,
                     const struct rrset *set, const char *text)
{
    if (s->line.size + strlen(text) * 6 + TAIL_BYTES > STEPS_BYTES) {
        s->cut = true;
        return;
    }
    jline_object(&s->line, NULL);
    jline_string(&s->line, "in", s->section);
    jline_string(&s->line, "check", check);
    jline_string(&s->line, "status", status);
    jline_string(&s->line, "text", text);
    jline_array(&s->line, "frames");
    for (uint8_t i = 0; set && i < set->frame_count; i++)
        jline_number(&s->line, NULL, set->frames[i]);
    jline_close(&s->line, ']');
    jline_close(&s->line, '}');
}

void steps_add(struct steps *s, enum step_status status, const char *check, const struct rrset *set,
               const char *format, ...)
{
    static const char *const words[] = {
        [STEP_NOTE] = "note", [STEP_OK] = "ok", [STEP_FAIL] = "fail", [STEP_MISSING] = "missing"};
    static const char *const marks[] = {[STEP_NOTE] = "     ",
                                        [STEP_OK] = "ok   ",
                                        [STEP_FAIL] = "FAIL ",
                                        [STEP_MISSING] = "?    "};
    char text[STEP_TEXT], frames[120];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (s->json) {
        add_json(s, words[status], check, set, text);
        return;
    }
    frames_text(set, frames);
    steps_line(s, "  %s %s%s", marks[status], text, frames);
}

const char *steps_end(struct steps *s, size_t *ret_size)
{
    if (!s->json) {
        *ret_size = s->size;
        return s->text;
    }
    const char *text = jline_end(&s->line, ret_size);
    return text;
}
