/*
 * print: what a history holds, as text, JSON or CSV.
 *
 * Contained in: lookup, tests. The database may have been made by anybody: it is only read, and
 * text leaves as printable ASCII.
 */
#ifndef HISTORY_PRINT_H
#define HISTORY_PRINT_H

#include "evidence/report.h"

#include <stdbool.h>
#include <stdint.h>

struct sqlite3;

enum print_table {
    PRINT_ALL,
    PRINT_RRSETS,
    PRINT_SIGNATURES,
    PRINT_KEYS,
    PRINT_SERVERS,
    PRINT_RUNS
};

struct print_filter {
    const char *name, *zone, *type; /* canonical text; NULL: any. zone: at or below it */
    int64_t since_ns, until_ns;     /* seen at some time in between */
    enum print_table table;         /* PRINT_ALL: everything, in CSV the RRsets */
};

struct print_source {
    const char *name;     /* as the user gave it */
    const char *standing; /* what is known of its integrity, one line */
};

/* 0, or -1 with a reason: the database is not whole, or no history of this version. */
int print_history(struct sqlite3 *, const struct print_source *, const struct print_filter *,
                  enum report_form, struct report_out *, char *ret_why, size_t room);

#endif
