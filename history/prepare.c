/*
 * prepare: a database is made ready for writing: ours, whole, and with its tables.
 *
 * Contained in: history, tests.
 */
#include "history/prepare.h"

#include "history/database.h"
#include "history/schema.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define CACHE_KIB 32768

static int execute(sqlite3 *db, const char *sql, char *ret_why, size_t room)
{
    char *error = NULL;
    int got = sqlite3_exec(db, sql, NULL, NULL, &error);
    if (got != SQLITE_OK)
        snprintf(ret_why, room, "%s", error ? error : sqlite3_errstr(got));
    sqlite3_free(error);
    return got == SQLITE_OK                                ? 0
           : got == SQLITE_CORRUPT || got == SQLITE_NOTADB ? DATABASE_DAMAGED
                                                           : DATABASE_FAILED;
}

static int64_t ask_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        number = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return number;
}

/* With the first thing that is wrong in ret_why. */
static bool is_whole(sqlite3 *db, char *ret_why, size_t room)
{
    sqlite3_stmt *s = NULL;
    const char *text = NULL;
    if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(s, 0);
    bool whole = text && strcmp(text, "ok") == 0;
    if (!whole)
        snprintf(ret_why, room, "damaged: %s", text ? text : sqlite3_errmsg(db));
    for (char *c = ret_why; !whole && *c; c++)
        if (*c < ' ' || *c > '~')
            *c = ' ';
    sqlite3_finalize(s);
    return whole;
}

static int make_tables(sqlite3 *db, char *ret_why, size_t room)
{
    char numbers[96];
    snprintf(numbers, sizeof numbers, "PRAGMA application_id=%d;PRAGMA user_version=%d",
             SCHEMA_APPLICATION, SCHEMA_VERSION);
    int error = execute(db, "BEGIN", ret_why, room);
    for (size_t i = 0; error == 0 && schema_table(i); i++)
        error = execute(db, schema_table(i), ret_why, room);
    error = error ? error : execute(db, numbers, ret_why, room);
    return error ? error : execute(db, "COMMIT", ret_why, room);
}

int prepare_database(sqlite3 *db, char *ret_why, size_t room)
{
    /* The first page goes in without a journal: there is nothing yet that could be lost. */
    static const char journal[] =
        "PRAGMA cell_size_check=ON;PRAGMA trusted_schema=OFF;PRAGMA temp_store=MEMORY;"
        "PRAGMA journal_mode=MEMORY;PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL";
    char cache[48];
    int error = execute(db, journal, ret_why, room);
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d", CACHE_KIB);
    error = error ? error : execute(db, cache, ret_why, room);
    if (error)
        return error;
    if (ask_number(db, "SELECT count(*) FROM sqlite_schema") == 0)
        return make_tables(db, ret_why, room);
    if (ask_number(db, "PRAGMA application_id") != SCHEMA_APPLICATION)
        snprintf(ret_why, room, "not a history of this program");
    else if (ask_number(db, "PRAGMA user_version") != SCHEMA_VERSION || !schema_is_ours(db))
        snprintf(ret_why, room, "a history of another version of this program");
    else if (is_whole(db, ret_why, room))
        return 0;
    return DATABASE_DAMAGED;
}
