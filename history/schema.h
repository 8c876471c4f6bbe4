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

#include <stdbool.h>
#include <stddef.h>

#define SCHEMA_VERSION     1          /* PRAGMA user_version */
#define SCHEMA_APPLICATION 0x444e5362 /* PRAGMA application_id: "DNSb" */

/* 16 bytes of SHA-256: of an RRset's records, each behind its length; of an RRSIG's rdata; of zone
 * and DNSKEY's rdata.
 */
#define SCHEMA_DIGEST_BYTES 16

/* The statements in their order; NULL after the last. */
const char *schema_table(size_t at);

struct sqlite3;
/* Is what is there this schema, word by word? A view or a trigger of somebody else would run as we
 * read or write. */
bool schema_is_ours(struct sqlite3 *);

#endif
