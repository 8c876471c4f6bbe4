/*
 * print: SELECTs over the schema's own views, and what comes of them.
 *
 * Contained in: lookup, tests. SQL here never holds a value: what the user asks for is bound, and
 * names are compared as names, by a function of ours. Must never: run SQL of the database's own (a
 * schema that is not ours word by word is refused first).
 */
#include "history/print.h"

#include "analyze/name.h"
#include "history/schema.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MOMENT 40 /* room for a time as the views show it */
#define PIECE  4096
/* ?1 name, ?2 zone, ?3 type, ?4 since, ?5 until */
#define WHERE(owner, type)                                                                         \
    " WHERE (?1 IS NULL OR " owner "=?1) AND (?2 IS NULL OR is_within(" owner ",?2))"              \
    " AND (?3 IS NULL OR " type "=?3) AND last_seen>=?4 AND first_seen<=?5"

static const struct table {
    const char *name, *sql;
    enum print_table table;
} tables[] = {
    {"runs",
     "SELECT id,kind,sensor,software,sources,began,first_seen,last_seen,frames,lost,not_written,"
     "ended FROM runs WHERE (first_seen IS NULL OR (last_seen>=?4 AND first_seen<=?5)) AND "
     "coalesce(?1,?2,?3,'') IS NOT NULL ORDER BY id",
     PRINT_RUNS},
    {"rrsets",
     "SELECT owner,type,ttl,rdata,verdict,reason,first_seen,last_seen,count,servers,signatures,id "
     "FROM rrsets" WHERE("owner", "type") " ORDER BY owner,type,first_seen,id",
     PRINT_RRSETS},
    {"signatures",
     "SELECT owner,type,signer,key_tag,algorithm,labels,original_ttl,inception,expiration,state,"
     "first_seen,last_seen,count,servers,signature FROM signatures" WHERE(
         "owner", "type") " ORDER BY owner,type,first_seen,id",
     PRINT_SIGNATURES},
    {"keys",
     "SELECT zone,flags,protocol,algorithm,key_tag,first_seen,last_seen,count,servers,public_key "
     "FROM keys" WHERE("zone", "'DNSKEY'") " ORDER BY zone,first_seen,id",
     PRINT_KEYS},
    {"servers",
     "SELECT address,rrsets,first_seen,last_seen,count,aa FROM servers WHERE last_seen>=?4 AND "
     "first_seen<=?5 AND ((?1 IS NULL AND ?2 IS NULL AND ?3 IS NULL) OR address IN (SELECT address "
     "FROM server JOIN rrset_server ON server=server.id JOIN rrset r ON rrset=r.id WHERE "
     "(?1 IS NULL OR owner=?1) AND (?2 IS NULL OR is_within(owner,?2)) AND "
     "(?3 IS NULL OR type=?3))) ORDER BY address",
     PRINT_SERVERS},
};

#define TABLES (sizeof tables / sizeof *tables)

static const char of_rrset[] =
    "SELECT signer,key_tag,algorithm,labels,original_ttl,inception,expiration,state,first_seen,"
    "last_seen,count,servers,signature FROM signatures WHERE rrset_id=?1 ORDER BY first_seen,id";

struct print {
    sqlite3 *db;
    struct report_out *out;
    const struct print_filter *filter;
    char since[MOMENT], until[MOMENT];
    sqlite3_stmt *signatures; /* of_rrset */
};

/* --- values --- */

static const char *moment(int64_t ns, char ret_text[MOMENT])
{
    struct tm tm;
    char text[MOMENT];
    time_t seconds = (time_t)(ns / 1000000000);
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret_text, MOMENT, "%.20s.%06dZ", text, (int)(ns / 1000 % 1000000));
    return ret_text;
}

static const char *text_at(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

static const char *text_of(sqlite3_stmt *s, const char *name)
{
    for (int i = 0; i < sqlite3_column_count(s); i++)
        if (strcmp(sqlite3_column_name(s, i), name) == 0)
            return text_at(s, i);
    return "";
}

/* report_put takes a line; rdata may be longer. */
static void put_long(struct report_out *out, const char *text, size_t size)
{
    for (size_t at = 0; at < size; at += PIECE)
        report_put(out, "%.*s", (int)(size - at < PIECE ? size - at : PIECE), text + at);
}

/* --- JSON --- */

static void put_string(struct report_out *out, const char *text, size_t size)
{
    report_put(out, "\"");
    for (size_t at = 0; at < size;) {
        size_t plain = at;
        while (plain < size && text[plain] >= ' ' && text[plain] <= '~' && text[plain] != '"' &&
               text[plain] != '\\')
            plain++;
        put_long(out, text + at, plain - at);
        if (plain < size)
            report_put(out, "\\u%04x", (unsigned)(unsigned char)text[plain]);
        at = plain + 1;
    }
    report_put(out, "\"");
}

static void put_list(struct report_out *out, const char *text, char between)
{
    bool first = true;
    report_put(out, "[");
    for (const char *at = text; *at; first = false) {
        size_t size = (size_t)(strchrnul(at, between) - at);
        report_put(out, "%s", first ? "" : ",");
        put_string(out, at, size);
        at += size + (at[size] != '\0');
    }
    report_put(out, "]");
}

static bool is_switch(const char *name)
{
    return strcmp(name, "aa") == 0 || strcmp(name, "ended") == 0;
}

static void put_value(struct report_out *out, sqlite3_stmt *s, int column)
{
    const char *name = sqlite3_column_name(s, column), *text = text_at(s, column);
    int type = sqlite3_column_type(s, column);
    if (strcmp(name, "servers") == 0)
        put_list(out, text, ' ');
    else if (strcmp(name, "rdata") == 0 || strcmp(name, "sources") == 0)
        put_list(out, text, '\n');
    else if (type == SQLITE_NULL)
        report_put(out, "null");
    else if (type == SQLITE_INTEGER && is_switch(name))
        report_put(out, sqlite3_column_int64(s, column) ? "true" : "false");
    else if (type == SQLITE_INTEGER)
        report_put(out, "%" PRId64, (int64_t)sqlite3_column_int64(s, column));
    else
        put_string(out, text, strlen(text));
}

static void put_object(struct print *p, sqlite3_stmt *s, bool has_signatures)
{
    int columns = sqlite3_column_count(s) - (has_signatures ? 2 : 0); /* theirs, and the id */
    for (int i = 0; i < columns; i++) {
        report_put(p->out, "%s\"%s\":", i ? "," : "{", sqlite3_column_name(s, i));
        put_value(p->out, s, i);
    }
    if (has_signatures) {
        bool first = true;
        report_put(p->out, ",\"signatures\":[");
        sqlite3_bind_int64(p->signatures, 1, sqlite3_column_int64(s, columns + 1));
        for (; sqlite3_step(p->signatures) == SQLITE_ROW; first = false) {
            report_put(p->out, "%s", first ? "\n   " : ",\n   ");
            put_object(p, p->signatures, false);
        }
        sqlite3_reset(p->signatures);
        report_put(p->out, "]");
    }
    report_put(p->out, "}");
}

/* --- text --- */

static void put_sighting(struct print *p, sqlite3_stmt *s, const char *indent)
{
    const char *first = text_of(s, "first_seen"), *last = text_of(s, "last_seen");
    const char *count = text_of(s, "count"), *servers = text_of(s, "servers");
    report_put(p->out, "%sseen %s time%s, %.10s %.8s", indent, count,
               strcmp(count, "1") == 0 ? "" : "s", first, strlen(first) > 11 ? first + 11 : "");
    if (strcmp(first, last) != 0)
        report_put(p->out, " to %.10s %.8s", last, strlen(last) > 11 ? last + 11 : "");
    if (*servers)
        report_put(p->out, ", from %s", servers);
    report_put(p->out, "\n");
}

static void text_rrset(struct print *p, sqlite3_stmt *s)
{
    report_put(p->out, "\n%s %s  ttl %s, %s", text_of(s, "owner"), text_of(s, "type"),
               text_of(s, "ttl"), text_of(s, "verdict"));
    if (strcmp(text_of(s, "reason"), "none") != 0)
        report_put(p->out, " (%s)", text_of(s, "reason"));
    report_put(p->out, "\n");
    put_sighting(p, s, "  ");
    for (const char *at = text_of(s, "rdata"); *at;) {
        size_t size = (size_t)(strchrnul(at, '\n') - at);
        report_put(p->out, "    ");
        put_long(p->out, at, size);
        report_put(p->out, "\n");
        at += size + (at[size] != '\0');
    }
    sqlite3_bind_text(p->signatures, 1, text_of(s, "id"), -1, SQLITE_TRANSIENT);
    while (sqlite3_step(p->signatures) == SQLITE_ROW) {
        sqlite3_stmt *g = p->signatures;
        report_put(p->out, "  signed by %s %s algorithm %s, %.10s %.8s to %.10s %.8s, %s\n",
                   text_of(g, "signer"), text_of(g, "key_tag"), text_of(g, "algorithm"),
                   text_of(g, "inception"), text_of(g, "inception") + 11, text_of(g, "expiration"),
                   text_of(g, "expiration") + 11, text_of(g, "state"));
        put_sighting(p, g, "    ");
    }
    sqlite3_reset(p->signatures);
}

static void text_row(struct print *p, const struct table *t, sqlite3_stmt *s)
{
    switch (t->table) {
    case PRINT_RRSETS:
        text_rrset(p, s);
        return;
    case PRINT_SIGNATURES:
        report_put(p->out, "\n%s %s  signed by %s %s algorithm %s, %s to %s, %s\n",
                   text_of(s, "owner"), text_of(s, "type"), text_of(s, "signer"),
                   text_of(s, "key_tag"), text_of(s, "algorithm"), text_of(s, "inception"),
                   text_of(s, "expiration"), text_of(s, "state"));
        break;
    case PRINT_KEYS:
        report_put(p->out, "\n%s DNSKEY  %s %s %s, key tag %s\n", text_of(s, "zone"),
                   text_of(s, "flags"), text_of(s, "protocol"), text_of(s, "algorithm"),
                   text_of(s, "key_tag"));
        break;
    case PRINT_SERVERS:
        report_put(p->out, "\n%s  %s RRsets%s\n", text_of(s, "address"), text_of(s, "rrsets"),
                   strcmp(text_of(s, "aa"), "1") == 0 ? ", authoritative (AA=1)" : "");
        break;
    default:
        report_put(p->out, "\nrun %s: %s by %s, begun %s%s, %s frames\n", text_of(s, "id"),
                   text_of(s, "kind"), text_of(s, "sensor"), text_of(s, "began"),
                   strcmp(text_of(s, "ended"), "1") == 0 ? "" : ", not ended",
                   *text_of(s, "frames") ? text_of(s, "frames") : "unknown");
        if (strcmp(text_of(s, "lost"), "0") != 0 || strcmp(text_of(s, "not_written"), "0") != 0)
            report_put(p->out, "  not in it: %s tellings that came too fast, %s for want of room\n",
                       text_of(s, "lost"), text_of(s, "not_written"));
        return;
    }
    put_sighting(p, s, "  ");
}

/* --- tables --- */

static void bind(struct print *p, sqlite3_stmt *s)
{
    const char *const values[] = {p->filter->name, p->filter->zone, p->filter->type, p->since,
                                  p->until};
    for (int i = 0; i < 5; i++)
        if (i < sqlite3_bind_parameter_count(s))
            sqlite3_bind_text(s, i + 1, values[i], -1, SQLITE_STATIC);
}

static void csv_head(struct print *p, sqlite3_stmt *s, int columns)
{
    for (int i = 0; i < columns; i++)
        report_csv(p->out, sqlite3_column_name(s, i), i + 1 == columns);
}

static int put_table(struct print *p, const struct table *t, enum report_form form)
{
    sqlite3_stmt *s = NULL;
    uint64_t rows = 0;
    int got = sqlite3_prepare_v2(p->db, t->sql, -1, &s, NULL);
    if (got != SQLITE_OK)
        return -1;
    bind(p, s);
    int columns = sqlite3_column_count(s) - (t->table == PRINT_RRSETS ? 1 : 0); /* the id */
    if (form == REPORT_CSV)
        csv_head(p, s, columns);
    while ((got = sqlite3_step(s)) == SQLITE_ROW && !p->out->full) {
        if (form == REPORT_JSON) {
            report_put(p->out, "%s", rows ? ",\n  " : "\n  ");
            put_object(p, s, t->table == PRINT_RRSETS);
        } else if (form == REPORT_CSV) {
            for (int i = 0; i < columns; i++)
                report_csv(p->out, text_at(s, i), i + 1 == columns);
        } else {
            text_row(p, t, s);
        }
        rows++;
    }
    sqlite3_finalize(s);
    if (form == REPORT_TEXT && rows == 0)
        report_put(p->out, "\nno %s\n", t->name);
    return got == SQLITE_DONE || p->out->full ? 0 : -1;
}

/* Of everything text shows what the others do not say by themselves. */
static bool is_shown(const struct table *t, enum print_table wanted, enum report_form form)
{
    if (wanted != PRINT_ALL)
        return t->table == wanted;
    if (form == REPORT_CSV)
        return t->table == PRINT_RRSETS;
    return t->table != PRINT_SIGNATURES && !(form == REPORT_TEXT && t->table == PRINT_SERVERS);
}

static int put_all(struct print *p, const struct print_source *source, enum report_form form)
{
    int failed = 0;
    if (form == REPORT_JSON) {
        report_put(p->out, "{\"source\":{\"name\":");
        put_string(p->out, source->name, strlen(source->name));
        report_put(p->out, ",\"standing\":");
        put_string(p->out, source->standing, strlen(source->standing));
        report_put(p->out, "}");
    } else if (form == REPORT_TEXT) {
        report_put(p->out, "history of %s\n", source->name);
        report_fold(p->out, 0, "%s", source->standing);
    }
    for (size_t i = 0; i < TABLES && !failed; i++) {
        if (!is_shown(&tables[i], p->filter->table, form))
            continue;
        if (form == REPORT_JSON)
            report_put(p->out, ",\n \"%s\":[", tables[i].name);
        failed = put_table(p, &tables[i], form);
        if (form == REPORT_JSON)
            report_put(p->out, "]");
    }
    if (form == REPORT_JSON)
        report_put(p->out, "}\n");
    return failed;
}

/* --- the database --- */

static void is_within(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint8_t name[NAME_MAX_BYTES], zone[NAME_MAX_BYTES];
    const char *a = (const char *)sqlite3_value_text(values[0]);
    const char *b = (const char *)sqlite3_value_text(values[1]);
    bool both = count == 2 && a && b && name_parse(a, name) && name_parse(b, zone);
    sqlite3_result_int(context, both && name_within(name, zone));
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t result = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        result = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return result;
}

static int check(sqlite3 *db, char *ret_why, size_t room)
{
    int64_t application = number(db, "PRAGMA application_id");
    if (application < 0)
        snprintf(ret_why, room, "cannot be read: %s", sqlite3_errmsg(db));
    else if (application != SCHEMA_APPLICATION)
        snprintf(ret_why, room, "is not a history");
    else if (number(db, "PRAGMA user_version") != SCHEMA_VERSION || !schema_is_ours(db))
        snprintf(ret_why, room, "is a history of another version of this program");
    else
        return 0;
    return -1;
}

int print_history(sqlite3 *db, const struct print_source *source, const struct print_filter *filter,
                  enum report_form form, struct report_out *out, char *ret_why, size_t room)
{
    struct print p = {.db = db, .out = out, .filter = filter};
    moment(filter->since_ns, p.since);
    moment(filter->until_ns, p.until);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (sqlite3_exec(db,
                     "PRAGMA cell_size_check=ON;PRAGMA trusted_schema=OFF;"
                     "PRAGMA temp_store=MEMORY;BEGIN",
                     NULL, NULL, NULL) != SQLITE_OK) {
        snprintf(ret_why, room, "cannot be read: %s", sqlite3_errmsg(db));
        return -1;
    }
    if (check(db, ret_why, room))
        return -1;
    int failed = sqlite3_create_function(db, "is_within", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                         NULL, is_within, NULL, NULL) != SQLITE_OK ||
                 sqlite3_prepare_v2(db, of_rrset, -1, &p.signatures, NULL) != SQLITE_OK ||
                 put_all(&p, source, form);
    if (failed)
        snprintf(ret_why, room, "is damaged: %s", sqlite3_errmsg(db));
    sqlite3_finalize(p.signatures);
    return failed ? -1 : 0;
}
