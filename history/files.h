/*
 * files: the files that SQLite sees: three descriptors that this process was given, and nothing
 * else.
 *
 * Contained in: history, lookup, tests. SQLite opens files by name; here FILES_DATABASE and the
 * names beside it mean the descriptors, and every other name does not exist. So the process needs
 * no file system, and SQLite's own locks work as they do between any two programs.
 */
#ifndef HISTORY_FILES_H
#define HISTORY_FILES_H

#define FILES_DATABASE "/history.sqlite"

struct files {                     /* borrowed for the life of the process; -1: there is none */
    int database, journal, memory; /* history.sqlite, history.sqlite-wal, history.sqlite-shm */
};

/* Once, before any database is opened. 0, or -1: this SQLite cannot be made to. */
int files_init(const struct files *);
/* Changes which descriptors the names mean; no database may be open. */
void files_use(const struct files *);

#endif
