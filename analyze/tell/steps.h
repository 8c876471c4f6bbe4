/*
 * steps: what was checked and how it came out, line by line: as text for people or as JSON.
 *
 * Contained in: analyze, tests. A step stands in a section (a zone, or the answer). Both forms are
 * bounded; what does not fit is left out, and that is said.
 */
#ifndef ANALYZE_TELL_STEPS_H
#define ANALYZE_TELL_STEPS_H

#include "analyze/jline.h"
#include "analyze/validate/rrset.h"

#define STEPS_BYTES ((size_t)1 << 19) /* of an explanation; a report message holds twice that */

enum step_status {
    STEP_NOTE,   /* told, nothing was checked */
    STEP_OK,     /* checked, in order */
    STEP_FAIL,   /* checked, wrong */
    STEP_MISSING /* could not be checked: was not observed */
};

struct steps {
    bool json;
    char *text;  /* STEPS_BYTES, unless json */
    size_t size; /* of the text */
    struct jline line;
    char section[NAME_TEXT_MAX + 16];
    bool cut; /* something was left out */
};

/* 0, or -1 without memory. */
int steps_init(struct steps *, bool json);
void steps_fini(struct steps *);
/* Empties it; JSON: opens the object. */
void steps_begin(struct steps *);
/* Text only: a line as it is. */
__attribute__((format(printf, 2, 3))) void steps_line(struct steps *, const char *format, ...);
/* The heading under which steps follow; JSON: the member "in" of each of them. */
void steps_section(struct steps *, const char *title);
/* One step. `check` is a stable word ("signature", "ds" …); the frames are those of `set` (may be
 * NULL). */
__attribute__((format(printf, 5, 6))) void steps_add(struct steps *, enum step_status,
                                                     const char *check, const struct rrset *set,
                                                     const char *format, ...);
/* The whole, ending in a line feed; borrowed until steps_begin. NULL if it was too long. */
const char *steps_end(struct steps *, size_t *ret_size);

#endif
