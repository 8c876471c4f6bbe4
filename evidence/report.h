/*
 * report: what a run left behind, retold for people: inventory, timeline, scope.
 *
 * Contained in: report, tests. It knows JSON lines and no DNS: everything it says was recorded and
 * sealed by the run (state/inventory.jsonl, findings.jsonl, eve.json, the log). What those files
 * say may have been written by somebody hostile, so all of this runs confined, and text leaves as
 * printable ASCII.
 */
#ifndef EVIDENCE_REPORT_H
#define EVIDENCE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- what is read (report_case.c) --- */

struct report_bytes {
    const uint8_t *bytes; /* NULL: the file is not there */
    size_t size;
};

struct report_files {
    const char *name;     /* of the folder or bundle, as the user gave it */
    const char *standing; /* what is known of its integrity, one line */
    struct report_bytes inventory, findings, eve, log;
};

struct report_case {
    const struct report_files *files;
    json_t *run;       /* the run's record, or NULL: it has not ended, or an older program */
    json_t *zones;     /* array, by name; the last line of each */
    json_t *findings;  /* array in order of first_seen; the last line of each id */
    json_t *received;  /* object: finding id -> its record */
    json_t *alerts;    /* array: alert events, in their order */
    json_t *records;   /* array: open, source, gap, clock, close records of the log */
    size_t unreadable; /* lines that were not what they should be */
};

/* False: no memory. Caller calls report_case_fini in any case. */
bool report_case_read(struct report_case *, const struct report_files *);
void report_case_fini(struct report_case *);

/* Members of objects that may be missing or of another kind: "" or 0 then. Borrowed. */
const char *report_text(const json_t *, const char *key);
uint64_t report_number(const json_t *, const char *key);
bool report_is(const json_t *, const char *key); /* true, not false, null or absent */
bool report_known(const json_t *, const char *key);
/* "2026-11-22T08:30:34.123456Z" with any fraction: nanoseconds since 1970; INT64_MIN if it is none.
 */
int64_t report_time(const char *text);
/* The findings of a zone; `zone` NULL: all. */
bool report_same(const json_t *, const char *key, const char *value);

/* --- what is written (report_out.c) --- */

struct report_out {
    char *bytes; /* the caller's */
    size_t size, room;
    unsigned columns; /* of what is folded; 0: REPORT_COLUMNS */
    bool full;
};

#define REPORT_COLUMNS     100 /* where nobody says how wide the terminal is */
#define REPORT_COLUMNS_MIN 60

enum report_form { REPORT_TEXT, REPORT_JSON, REPORT_CSV };

void report_put(struct report_out *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text folded to the columns; lines after the first begin with `indent` spaces. */
void report_fold(struct report_out *, unsigned indent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One field (RFC 4180); what a spreadsheet would take for a formula gets a ' in front. */
void report_csv(struct report_out *, const char *text, bool last);
void report_csv_number(struct report_out *, uint64_t number, bool last);
/* The object, with the source and its standing as first members. Takes `json`. */
void report_json(struct report_out *, const struct report_case *, json_t *json);
/* "2026-11-22 08:30:34" of a recorded time, or "not observed". */
#define REPORT_MOMENT 24
const char *report_moment(const char *time, char ret_text[REPORT_MOMENT]);
/* "29 d 23 h", "4.2 s": at most 15 characters. */
#define REPORT_SPAN 24
const char *report_span(int64_t seconds, char ret_text[REPORT_SPAN]);
/* How an outage of the inventory shows: "bogus", or "dark" where nothing bogus was seen. */
const char *report_outage(const json_t *outage);
/* First lines of every text: what this is about. */
void report_head(struct report_out *, const struct report_case *, const char *what);

/* --- the reports --- */

void report_inventory(struct report_out *, const struct report_case *, enum report_form);
void report_timeline(struct report_out *, const struct report_case *, enum report_form);
void report_scope(struct report_out *, const struct report_case *, enum report_form);

#endif
