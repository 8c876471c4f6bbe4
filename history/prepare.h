/*
 * prepare: a database is made ready for writing: ours, whole, and with its tables.
 *
 * Contained in: history, tests.
 */
#ifndef HISTORY_PREPARE_H
#define HISTORY_PREPARE_H

#include <stddef.h>

struct sqlite3;

/* Sets the journal, makes the tables in an empty file, checks one that has some. 0,
 * DATABASE_DAMAGED (another program's, another version's, or not whole: nothing was changed), or
 * DATABASE_FAILED; then ret_why says what. */
int prepare_database(struct sqlite3 *, char *ret_why, size_t room);

#endif
