/*
 * schema: the SQL that makes history.sqlite, as `.schema` in the sqlite3 shell shows it.
 *
 * Contained in: history, lookup, tests. Must never: change without SCHEMA_VERSION: what is there is
 * compared with it word by word.
 */
#include "history/schema.h"

#include <sqlite3.h>
#include <string.h>

/* RFC 3339 of nanoseconds and of seconds. */
#define TIME(column)                                                                               \
    "strftime('%Y-%m-%dT%H:%M:%S'," column "/1000000000,'unixepoch')||printf('.%06dZ'," column     \
    "/1000%1000000)"
#define SECONDS(column) "strftime('%Y-%m-%dT%H:%M:%SZ'," column ",'unixepoch')"

/* clang-format off */
static const char *const tables[] = {
    "CREATE TABLE run( -- one for each run into this evidence directory\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  kind TEXT NOT NULL, -- capture or replay\n"
    "  sensor TEXT NOT NULL,\n"
    "  software TEXT NOT NULL,\n"
    "  sources TEXT NOT NULL, -- captures or interfaces, a name a line\n"
    "  began INTEGER NOT NULL, -- by the sensor's clock\n"
    "  first_seen INTEGER, -- packet times, NULL: it has not ended\n"
    "  last_seen INTEGER,\n"
    "  frames INTEGER,\n"
    "  lost INTEGER NOT NULL, -- tellings of the analyser that came too fast\n"
    "  not_written INTEGER NOT NULL, -- for want of room: history-bytes\n"
    "  ended INTEGER NOT NULL -- 0: it is under way, or was cut short\n"
    ")",
    "CREATE TABLE server( -- whoever answered\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  address TEXT NOT NULL UNIQUE\n"
    ")",
    "CREATE TABLE rrset( -- owner, type and the set of rdata make it\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  owner TEXT NOT NULL,\n"
    "  type TEXT NOT NULL,\n"
    "  digest BLOB NOT NULL,\n"
    "  ttl INTEGER NOT NULL, -- as first seen\n"
    "  rdata TEXT NOT NULL, -- a record a line, canonical order\n"
    "  verdict TEXT NOT NULL, -- the last one\n"
    "  reason TEXT NOT NULL,\n"
    "  first_seen INTEGER NOT NULL,\n"
    "  last_seen INTEGER NOT NULL,\n"
    "  count INTEGER NOT NULL,\n"
    "  first_run INTEGER NOT NULL REFERENCES run,\n"
    "  first_frame INTEGER NOT NULL, -- of that run\n"
    "  more_servers INTEGER NOT NULL, -- 1: others sent it than rrset_server has\n"
    "  UNIQUE(owner, type, digest)\n"
    ")",
    "CREATE TABLE rrset_server(\n"
    "  rrset INTEGER NOT NULL REFERENCES rrset,\n"
    "  server INTEGER NOT NULL REFERENCES server,\n"
    "  first_seen INTEGER NOT NULL,\n"
    "  last_seen INTEGER NOT NULL,\n"
    "  count INTEGER NOT NULL,\n"
    "  aa INTEGER NOT NULL, -- 1: with AA=1 at least once\n"
    "  PRIMARY KEY(rrset, server)\n"
    ") WITHOUT ROWID",
    "CREATE TABLE signature( -- an RRSIG over this very RRset\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  rrset INTEGER NOT NULL REFERENCES rrset,\n"
    "  digest BLOB NOT NULL,\n"
    "  signer TEXT NOT NULL,\n"
    "  key_tag INTEGER NOT NULL,\n"
    "  algorithm INTEGER NOT NULL,\n"
    "  labels INTEGER NOT NULL,\n"
    "  original_ttl INTEGER NOT NULL,\n"
    "  inception INTEGER NOT NULL, -- seconds\n"
    "  expiration INTEGER NOT NULL,\n"
    "  signature TEXT NOT NULL, -- base64\n"
    "  state TEXT NOT NULL, -- the last judgement\n"
    "  first_seen INTEGER NOT NULL,\n"
    "  last_seen INTEGER NOT NULL,\n"
    "  count INTEGER NOT NULL,\n"
    "  UNIQUE(rrset, digest)\n"
    ")",
    "CREATE TABLE signature_server(\n"
    "  signature INTEGER NOT NULL REFERENCES signature,\n"
    "  server INTEGER NOT NULL REFERENCES server,\n"
    "  first_seen INTEGER NOT NULL,\n"
    "  last_seen INTEGER NOT NULL,\n"
    "  count INTEGER NOT NULL,\n"
    "  PRIMARY KEY(signature, server)\n"
    ") WITHOUT ROWID",
    "CREATE TABLE key( -- a DNSKEY, in whichever RRsets it was\n"
    "  id INTEGER PRIMARY KEY,\n"
    "  digest BLOB NOT NULL UNIQUE,\n"
    "  zone TEXT NOT NULL,\n"
    "  flags INTEGER NOT NULL,\n"
    "  protocol INTEGER NOT NULL,\n"
    "  algorithm INTEGER NOT NULL,\n"
    "  key_tag INTEGER NOT NULL,\n"
    "  public_key TEXT NOT NULL, -- base64\n"
    "  first_seen INTEGER NOT NULL,\n"
    "  last_seen INTEGER NOT NULL,\n"
    "  count INTEGER NOT NULL\n"
    ")",
    "CREATE TABLE key_rrset(\n"
    "  key INTEGER NOT NULL REFERENCES key,\n"
    "  rrset INTEGER NOT NULL REFERENCES rrset,\n"
    "  PRIMARY KEY(key, rrset)\n"
    ") WITHOUT ROWID",
    "CREATE VIEW runs AS SELECT id, kind, sensor, software, sources,\n"
    "  " TIME("began") " AS began,\n"
    "  " TIME("first_seen") " AS first_seen,\n"
    "  " TIME("last_seen") " AS last_seen,\n"
    "  frames, lost, not_written, ended FROM run",
    "CREATE VIEW rrsets AS SELECT owner, type, ttl, rdata, verdict, reason,\n"
    "  " TIME("first_seen") " AS first_seen,\n"
    "  " TIME("last_seen") " AS last_seen,\n"
    "  count,\n"
    "  (SELECT group_concat(address, ' ') FROM rrset_server JOIN server ON server = server.id\n"
    "    WHERE rrset = rrset.id) || iif(more_servers, ' ...', '') AS servers,\n"
    "  (SELECT count(*) FROM signature WHERE rrset = rrset.id) AS signatures,\n"
    "  id FROM rrset",
    "CREATE VIEW signatures AS SELECT owner, type, signer, key_tag, algorithm, labels,\n"
    "  original_ttl,\n"
    "  " SECONDS("inception") " AS inception,\n"
    "  " SECONDS("expiration") " AS expiration,\n"
    "  state,\n"
    "  " TIME("s.first_seen") " AS first_seen,\n"
    "  " TIME("s.last_seen") " AS last_seen,\n"
    "  s.count AS count,\n"
    "  (SELECT group_concat(address, ' ') FROM signature_server JOIN server\n"
    "    ON server = server.id WHERE signature = s.id) AS servers,\n"
    "  signature, s.rrset AS rrset_id, s.id AS id\n"
    "  FROM signature s JOIN rrset r ON s.rrset = r.id",
    "CREATE VIEW keys AS SELECT zone, flags, protocol, algorithm, key_tag,\n"
    "  " TIME("first_seen") " AS first_seen,\n"
    "  " TIME("last_seen") " AS last_seen,\n"
    "  count,\n"
    "  (SELECT group_concat(address, ' ') FROM (SELECT DISTINCT address FROM key_rrset q\n"
    "    JOIN rrset_server x ON x.rrset = q.rrset JOIN server v ON x.server = v.id\n"
    "    WHERE q.key = key.id)) AS servers,\n"
    "  public_key, id FROM key",
    "CREATE VIEW servers AS SELECT address,\n"
    "  count(*) AS rrsets,\n"
    "  " TIME("min(first_seen)") " AS first_seen,\n"
    "  " TIME("max(last_seen)") " AS last_seen,\n"
    "  sum(count) AS count, max(aa) AS aa\n"
    "  FROM server JOIN rrset_server ON server = server.id GROUP BY server.id",
};
/* clang-format on */

#define COUNT (sizeof tables / sizeof *tables)

const char *schema_table(size_t at)
{
    return at < COUNT ? tables[at] : NULL;
}

bool schema_is_ours(sqlite3 *db)
{
    static const char sql[] = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid";
    sqlite3_stmt *s = NULL;
    size_t at = 0;
    bool same = sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK;
    while (same && sqlite3_step(s) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(s, 0);
        same = at < COUNT && text && strcmp(text, tables[at++]) == 0;
    }
    sqlite3_finalize(s);
    return same && at == COUNT;
}
