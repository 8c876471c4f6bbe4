/*
 * schema: the tables of history.sqlite, version SCHEMA_VERSION.
 *
 * Contained in: history, lookup, tests. What reads and what writes share this page. Names are in
 * presentation form with their final dot, rdata too, one record a line in canonical order,
 * printable ASCII only. Times are nanoseconds since 1970, UTC, of packets; the views show them as
 * RFC 3339. inception and expiration are seconds, resolved near the time they were seen (RFC 1982).
 * A count is of responses, in the answer or authority section. A change is a new SCHEMA_VERSION.
 */
#ifndef HISTORY_SCHEMA_H
#define HISTORY_SCHEMA_H

#define SCHEMA_VERSION     1          /* PRAGMA user_version */
#define SCHEMA_APPLICATION 0x444e5362 /* PRAGMA application_id: "DNSb" */

/* 16 bytes of SHA-256: of an RRset's records, each behind its length; of an RRSIG's rdata; of zone
 * and DNSKEY's rdata.
 */
#define SCHEMA_DIGEST_BYTES 16

#define SCHEMA_SIGHTING                                                                            \
    "first_seen INTEGER NOT NULL,last_seen INTEGER NOT NULL,count INTEGER NOT NULL"

#define SCHEMA_TIME(column)                                                                        \
    "strftime('%Y-%m-%dT%H:%M:%S'," column "/1000000000,'unixepoch')||printf('.%06dZ'," column     \
    "/1000%1000000)"
#define SCHEMA_SECONDS(column) "strftime('%Y-%m-%dT%H:%M:%SZ'," column ",'unixepoch')"
#define SCHEMA_SEEN(table)                                                                         \
    SCHEMA_TIME(table ".first_seen")                                                               \
    " AS first_seen," SCHEMA_TIME(table ".last_seen") " AS last_seen," table ".count AS count"

static const char
    *const
        schema_tables[] =
            {
                /* One for each run into this evidence directory. ended 0: it is under way, or was
                 * cut short. lost: tellings of the analyser that came too fast; not_written: what
                 * history-bytes had no room for. */
                "CREATE TABLE run(id INTEGER PRIMARY KEY,kind TEXT NOT NULL,sensor TEXT NOT NULL,"
                "software TEXT NOT NULL,sources TEXT NOT NULL,began INTEGER NOT NULL,first_seen "
                "INTEGER,"
                "last_seen INTEGER,frames INTEGER,lost INTEGER NOT NULL,not_written INTEGER NOT "
                "NULL,"
                "ended INTEGER NOT NULL)",
                "CREATE TABLE server(id INTEGER PRIMARY KEY,address TEXT NOT NULL UNIQUE)",
                /* Owner, type and the set of rdata make an RRset; its TTL is the one it was first
                 * seen with, its verdict the last one. first_frame is a frame (packet id) of run
                 * first_run. more_servers: further ones sent it than are listed. */
                "CREATE TABLE rrset(id INTEGER PRIMARY KEY,owner TEXT NOT NULL,type TEXT NOT NULL,"
                "digest BLOB NOT NULL,ttl INTEGER NOT NULL,rdata TEXT NOT NULL,verdict TEXT NOT "
                "NULL,"
                "reason TEXT NOT NULL," SCHEMA_SIGHTING
                ",first_run INTEGER NOT NULL REFERENCES run,"
                "first_frame INTEGER NOT NULL,more_servers INTEGER NOT "
                "NULL,UNIQUE(owner,type,digest))",
                /* aa 1: the server answered with AA=1 at least once. */
                "CREATE TABLE rrset_server(rrset INTEGER NOT NULL REFERENCES rrset,"
                "server INTEGER NOT NULL REFERENCES server," SCHEMA_SIGHTING ",aa INTEGER NOT NULL,"
                "PRIMARY KEY(rrset,server)) WITHOUT ROWID",
                /* A signature over this very RRset. state: the last judgement, see the manual. */
                "CREATE TABLE signature(id INTEGER PRIMARY KEY,rrset INTEGER NOT NULL REFERENCES "
                "rrset,"
                "digest BLOB NOT NULL,signer TEXT NOT NULL,key_tag INTEGER NOT NULL,"
                "algorithm INTEGER NOT NULL,labels INTEGER NOT NULL,original_ttl INTEGER NOT NULL,"
                "inception INTEGER NOT NULL,expiration INTEGER NOT NULL,signature TEXT NOT NULL,"
                "state TEXT NOT NULL," SCHEMA_SIGHTING ",UNIQUE(rrset,digest))",
                "CREATE TABLE signature_server(signature INTEGER NOT NULL REFERENCES signature,"
                "server INTEGER NOT NULL REFERENCES server," SCHEMA_SIGHTING
                ",PRIMARY KEY(signature,server)) WITHOUT ROWID",
                /* A DNSKEY, in whichever RRsets it was seen. */
                "CREATE TABLE key(id INTEGER PRIMARY KEY,digest BLOB NOT NULL UNIQUE,zone TEXT NOT "
                "NULL,"
                "flags INTEGER NOT NULL,protocol INTEGER NOT NULL,algorithm INTEGER NOT NULL,"
                "key_tag INTEGER NOT NULL,public_key TEXT NOT NULL," SCHEMA_SIGHTING ")",
                "CREATE TABLE key_rrset(key INTEGER NOT NULL REFERENCES key,"
                "rrset INTEGER NOT NULL REFERENCES rrset,PRIMARY KEY(key,rrset)) WITHOUT ROWID",
                "CREATE VIEW runs AS SELECT id,kind,sensor,software,sources," SCHEMA_TIME("began") " AS began," SCHEMA_TIME(
                    "first_seen") " AS first_seen," SCHEMA_TIME("last_seen") " AS "
                                                                             "last_seen,frames,"
                                                                             "lost,not_written,"
                                                                             "ended FROM run",
                "CREATE VIEW rrsets AS SELECT "
                "r.owner,r.type,r.ttl,r.rdata,r.verdict,r.reason," SCHEMA_SEEN(
                    "r") ",(SELECT group_concat(address,' ') FROM rrset_server JOIN server ON "
                         "server=server.id "
                         "WHERE rrset=r.id)||CASE r.more_servers WHEN 0 THEN '' ELSE ' ...' END AS "
                         "servers,"
                         "(SELECT count(*) FROM signature WHERE rrset=r.id) AS signatures,r.id "
                         "FROM rrset r",
                "CREATE VIEW signatures AS SELECT "
                "r.owner,r.type,s.signer,s.key_tag,s.algorithm,s.labels,"
                "s.original_ttl," SCHEMA_SECONDS("s.inception") " AS inception," SCHEMA_SECONDS(
                    "s.expiration") " AS expiration,s.state," SCHEMA_SEEN("s") ",(SELECT "
                                                                               "group_concat("
                                                                               "address,' ') FROM "
                                                                               "signature_server "
                                                                               "JOIN server "
                                                                               "ON "
                                                                               "server=server.id "
                                                                               "WHERE "
                                                                               "signature=s.id) AS "
                                                                               "servers,s."
                                                                               "signature,s.rrset "
                                                                               "AS rrset_id,s.id "
                                                                               "FROM signature s "
                                                                               "JOIN rrset r ON "
                                                                               "s.rrset=r.id",
                "CREATE VIEW keys AS SELECT "
                "k.zone,k.flags,k.protocol,k.algorithm,k.key_tag," SCHEMA_SEEN(
                    "k") ",(SELECT group_concat(address,' ') FROM (SELECT DISTINCT address FROM "
                         "key_rrset q "
                         "JOIN rrset_server x ON x.rrset=q.rrset JOIN server ON x.server=server.id "
                         "WHERE q.key=k.id)) AS servers,k.public_key,k.id FROM key k",
                "CREATE VIEW servers AS SELECT v.address,count(*) AS rrsets,max(x.aa) AS aa,"
                "sum(x.count) AS count," SCHEMA_TIME(
                    "min(x.first_seen)") " AS first_seen," SCHEMA_TIME("max(x.last_seen)") " AS "
                                                                                           "last_"
                                                                                           "seen "
                                                                                           "FROM "
                                                                                           "server "
                                                                                           "v JOIN "
                                                                                           "rrset_"
                                                                                           "server "
                                                                                           "x ON "
                                                                                           "x."
                                                                                           "server="
                                                                                           "v.id "
                                                                                           "GROUP "
                                                                                           "BY "
                                                                                           "v.id",
};

#define SCHEMA_TABLES (sizeof schema_tables / sizeof *schema_tables)

#endif
