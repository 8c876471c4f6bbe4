/*
 * database: rows of history.sqlite, one transaction a batch.
 *
 * Contained in: history, tests. The journal is a WAL, so that a reader never waits for the writer,
 * nor the writer for a reader. A row that is there is added to; whether it is there the digest
 * says. Must never: put bytes of a packet into SQL, or into a text that is not printable ASCII.
 */
#include "history/database.h"

#include "analyze/key.h"
#include "analyze/name.h"
#include "analyze/types.h"
#include "analyze/verdict.h"
#include "history/files.h"
#include "history/prepare.h"
#include "history/record.h"
#include "history/schema.h"
#include "sandbox/log.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Signatures of one RRset that nobody judged: a zone has one or two keys for a type; what a KeyTrap
 * has says nothing. */
#define UNJUDGED_MOST 4

#define TYPE_DS       43
#define TYPE_DNSKEY   48
#define DNSKEY_FIXED  4 /* RFC 4034 2.1: flags, protocol, algorithm */
#define SERVERS_NEAR  1024
#define HEAP_MOST     ((int64_t)256 << 20)
#define BUSY_MS       2000
#define JOURNAL_PAGES 16384 /* 64 MiB: beyond it nothing more is taken until readers let go */
#define BASE64_ROOM   ((size_t)4 * ((1u << 16) / 3 + 2))

/* What the two tables of sightings and the three of things have in common: first, last, count. */
#define ADD_SIGHTING                                                                               \
    "first_seen=min(first_seen,excluded.first_seen),last_seen=max(last_seen,excluded.last_seen),"  \
    "count=count+excluded.count"

/* X(name, SQL) */
#define STATEMENTS(X)                                                                              \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(SIZE, "SELECT page_count*page_size FROM pragma_page_count(),pragma_page_size()")             \
    X(RUN_END, "UPDATE run SET first_seen=?1,last_seen=?2,frames=?3,lost=?4,not_written=?5,"       \
               "ended=1 WHERE id=?6")                                                              \
    X(RRSET, "SELECT id FROM rrset WHERE owner=?1 AND type=?2 AND digest=?3")                      \
    X(RRSET_SEEN, "UPDATE rrset SET first_seen=min(first_seen,?2),last_seen=max(last_seen,?3),"    \
                  "count=count+?4,verdict=coalesce(?5,verdict),reason=coalesce(?6,reason),"        \
                  "more_servers=max(more_servers,?7) WHERE id=?1")                                 \
    X(RRSET_NEW, "INSERT INTO rrset(digest,first_seen,last_seen,count,verdict,reason,"             \
                 "more_servers,owner,type,ttl,rdata,first_run,first_frame) "                       \
                 "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)")                             \
    X(RRSET_SERVER, "INSERT INTO rrset_server(rrset,server,first_seen,last_seen,count,aa) "        \
                    "VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO UPDATE SET " ADD_SIGHTING            \
                    ",aa=max(aa,excluded.aa)")                                                     \
    X(SIGNATURE, "SELECT id FROM signature WHERE rrset=?1 AND digest=?2")                          \
    X(SIGNATURE_SEEN, "UPDATE signature SET first_seen=min(first_seen,?2),"                        \
                      "last_seen=max(last_seen,?3),count=count+?4,state=?5 WHERE id=?1")           \
    X(SIGNATURE_NEW,                                                                               \
      "INSERT INTO signature(rrset,digest,first_seen,last_seen,count,state,signer,key_tag,"        \
      "algorithm,labels,original_ttl,inception,expiration,signature) "                             \
      "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)")                                    \
    X(SIGNATURE_SERVER,                                                                            \
      "INSERT INTO signature_server(signature,server,first_seen,last_seen,count) "                 \
      "VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET " ADD_SIGHTING)                            \
    X(KEY, "SELECT id FROM key WHERE digest=?1")                                                   \
    X(KEY_SEEN, "UPDATE key SET first_seen=min(first_seen,?2),last_seen=max(last_seen,?3),"        \
                "count=count+?4 WHERE id=?1")                                                      \
    X(KEY_NEW, "INSERT INTO key(digest,first_seen,last_seen,count,zone,flags,protocol,algorithm,"  \
               "key_tag,public_key) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")                       \
    X(KEY_RRSET, "INSERT OR IGNORE INTO key_rrset(key,rrset) VALUES(?1,?2)")                       \
    X(SERVER_SEEN, "SELECT id FROM server WHERE address=?1")                                       \
    X(SERVER_NEW, "INSERT INTO server(address) VALUES(?1)")

enum statement {
#define X(name, sql) STATEMENT_##name,
    STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

static const char *const sql_of[STATEMENT_COUNT] = {
#define X(name, sql) [STATEMENT_##name] = sql,
    STATEMENTS(X)
#undef X
};

struct near { /* a server whose row is known */
    uint8_t family, address[16];
    int64_t id;
};

struct database {
    sqlite3 *db;
    sqlite3_stmt *statement[STATEMENT_COUNT];
    int64_t run;
    uint64_t most_bytes, bytes, not_written;
    bool open, failed;
    bool full; /* there is no room for what is being taken */
    size_t pending;
    int journal_pages;
    char why[240];
    EVP_MD_CTX *context;
    EVP_MD *sha256; /* fetched once: it costs more than the hash */
    struct near near[SERVERS_NEAR];
    struct record record;
    char text[RECORD_TEXT_MAX];
    char base64[BASE64_ROOM];
};

/* --- SQLite --- */

static int fail(struct database *d, const char *what)
{
    if (!d->failed)
        snprintf(d->why, sizeof d->why, "%s: %s", what, sqlite3_errmsg(d->db));
    d->failed = true;
    return DATABASE_FAILED;
}

/* One step of a statement whose values are bound; ret_id (may be NULL) is its first column. Returns
 * 1 with a row, 0 without. */
static int step(struct database *d, enum statement which, int64_t *ret_id)
{
    sqlite3_stmt *s = d->statement[which];
    int got = sqlite3_step(s), result = got == SQLITE_ROW ? 1 : 0;
    if (got == SQLITE_ROW) {
        if (ret_id)
            *ret_id = sqlite3_column_int64(s, 0);
        got = SQLITE_DONE; /* at most one row has the key that was asked for */
    }
    if (got != SQLITE_DONE)
        result = fail(d, sql_of[which]);
    sqlite3_reset(s);
    return result;
}

static void put_number(struct database *d, enum statement which, int place, int64_t number)
{
    if (sqlite3_bind_int64(d->statement[which], place, number) != SQLITE_OK)
        fail(d, "bind");
}

static void put_text(struct database *d, enum statement which, int place, const char *text,
                     size_t size)
{
    if (sqlite3_bind_text(d->statement[which], place, text, (int)size, SQLITE_STATIC) != SQLITE_OK)
        fail(d, "bind");
}

static void put_word(struct database *d, enum statement which, int place, const char *word)
{
    put_text(d, which, place, word, word ? strlen(word) : 0);
}

static void put_digest(struct database *d, enum statement which, int place,
                       const uint8_t digest[EVP_MAX_MD_SIZE])
{
    if (sqlite3_bind_blob(d->statement[which], place, digest, SCHEMA_DIGEST_BYTES, SQLITE_STATIC) !=
        SQLITE_OK)
        fail(d, "bind");
}

struct seen {
    int64_t first_ns, last_ns;
    uint64_t count;
};

/* Counts are of packets: they do not reach the sign bit. */
static void put_seen(struct database *d, enum statement which, int place, struct seen seen)
{
    put_number(d, which, place, seen.first_ns);
    put_number(d, which, place + 1, seen.last_ns);
    put_number(d, which, place + 2, (int64_t)(seen.count & INT64_MAX));
}

/* --- opening --- */

static int on_journal(void *context, sqlite3 *db, const char *name, int pages)
{
    struct database *d = context;
    (void)name;
    d->journal_pages = pages;
    if (pages >= 1000) /* SQLite's own measure */
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK;
}

static int begin_run(struct database *d, const struct database_run *run)
{
    static const char sql[] = "INSERT INTO run(kind,sensor,software,sources,began,lost,not_written,"
                              "ended) VALUES(?1,?2,?3,?4,?5,0,0,0)";
    sqlite3_stmt *s = NULL;
    const char *const words[] = {run->kind, run->sensor, run->software, run->sources};
    if (sqlite3_prepare_v2(d->db, sql, -1, &s, NULL) != SQLITE_OK)
        return fail(d, "run");
    for (int i = 0; i < 4; i++)
        sqlite3_bind_text(s, i + 1, words[i], -1, SQLITE_STATIC);
    sqlite3_bind_int64(s, 5, run->began_ns);
    int got = sqlite3_step(s);
    d->run = sqlite3_last_insert_rowid(d->db);
    sqlite3_finalize(s);
    return got == SQLITE_DONE ? 0 : fail(d, "run");
}

static void measure(struct database *d)
{
    int64_t bytes = 0;
    if (step(d, STATEMENT_SIZE, &bytes) == 1)
        d->bytes = (uint64_t)bytes;
}

/* The last eighth is for keys and DS: a flood of names must not keep them out. */
static bool is_full(const struct database *d, uint16_t type)
{
    bool is_key = type == TYPE_DNSKEY || type == TYPE_DS;
    return d->bytes >= d->most_bytes - (is_key ? 0 : d->most_bytes / 8);
}

static int open_all(struct database *d, const struct database_run *run, char *ret_why, size_t room)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int on = 1;
    if (sqlite3_open_v2(FILES_DATABASE, &d->db, flags, NULL) != SQLITE_OK) {
        snprintf(ret_why, room, "%s", d->db ? sqlite3_errmsg(d->db) : "no memory");
        return DATABASE_FAILED;
    }
    sqlite3_extended_result_codes(d->db, 0);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_file_control(d->db, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
    sqlite3_busy_timeout(d->db, BUSY_MS);
    int error = prepare_database(d->db, ret_why, room);
    if (error)
        return error;
    sqlite3_wal_hook(d->db, on_journal, d);
    if (begin_run(d, run)) {
        snprintf(ret_why, room, "%s", d->why);
        return DATABASE_FAILED;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(d->db, sql_of[i], -1, SQLITE_PREPARE_PERSISTENT, &d->statement[i],
                               NULL) != SQLITE_OK) {
            snprintf(ret_why, room, "%s: %s", sql_of[i], sqlite3_errmsg(d->db));
            return DATABASE_FAILED;
        }
    return 0;
}

int database_open(const struct database_run *run, struct database **ret_database, char *ret_why,
                  size_t room)
{
    struct database *d = calloc(1, sizeof *d);
    if (d == NULL) {
        snprintf(ret_why, room, "no memory");
        return DATABASE_FAILED;
    }
    sqlite3_hard_heap_limit64(HEAP_MOST);
    d->context = EVP_MD_CTX_new();
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (d->context == NULL || d->sha256 == NULL)
        log_die("history: SHA-256 is not available");
    d->most_bytes = run->most_bytes;
    int error = open_all(d, run, ret_why, room);
    if (error) {
        database_close(d);
        return error;
    }
    measure(d);
    *ret_database = d;
    return 0;
}

void database_close(struct database *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(d->statement[i]);
    sqlite3_close(d->db);
    EVP_MD_CTX_free(d->context);
    EVP_MD_free(d->sha256);
    free(d);
}

/* --- rows --- */

static void digest_of(struct database *d, const uint8_t *const *part, const size_t *size,
                      size_t parts, uint8_t ret_digest[EVP_MAX_MD_SIZE])
{
    bool ok = EVP_DigestInit_ex(d->context, d->sha256, NULL);
    for (size_t i = 0; ok && i < parts; i++)
        ok = EVP_DigestUpdate(d->context, part[i], size[i]);
    if (!ok || !EVP_DigestFinal_ex(d->context, ret_digest, NULL))
        log_die("history: SHA-256 is not available");
}

static size_t base64(struct database *d, const uint8_t *bytes, size_t size)
{
    if (size > UINT16_MAX)
        size = UINT16_MAX;
    return (size_t)EVP_EncodeBlock((unsigned char *)d->base64, bytes, (int)size);
}

/* New rows cost space; what is there is added to in any case. A telling without a response is of a
 * new verdict: what is not there was not written before either. */
static bool has_room(struct database *d)
{
    bool seen = d->record.head.count > 0;
    d->not_written += seen && d->full;
    return seen && !d->full;
}

/* The row of a server, 0 if there is none. */
static int64_t server_row(struct database *d, const struct msg_history_server *v)
{
    uint64_t half[2];
    char text[INET6_ADDRSTRLEN];
    int64_t id = 0;
    memcpy(half, v->address, sizeof half);
    uint64_t hash = (half[0] ^ (half[1] << 7) ^ v->family) * UINT64_C(0x9e3779b97f4a7c15);
    struct near *n = &d->near[hash >> 32 & (SERVERS_NEAR - 1)];
    if (n->id && n->family == v->family && memcmp(n->address, v->address, 16) == 0)
        return n->id;
    if (!inet_ntop(v->family == 4 ? AF_INET : AF_INET6, v->address, text, sizeof text))
        return 0;
    put_word(d, STATEMENT_SERVER_SEEN, 1, text);
    int got = step(d, STATEMENT_SERVER_SEEN, &id);
    if (got == 0) {
        put_word(d, STATEMENT_SERVER_NEW, 1, text);
        if (d->full || step(d, STATEMENT_SERVER_NEW, NULL) < 0)
            return 0;
        id = sqlite3_last_insert_rowid(d->db);
    }
    *n = (struct near){.family = v->family, .id = id};
    memcpy(n->address, v->address, 16);
    return id;
}

static void add_servers(struct database *d, enum statement which, int64_t row)
{
    const struct record *r = &d->record;
    for (uint8_t i = 0; i < r->head.servers && !d->failed; i++) {
        const struct msg_history_server *v = &r->server[i];
        int64_t server = d->full ? 0 : server_row(d, v);
        if (server == 0)
            continue;
        put_number(d, which, 1, row);
        put_number(d, which, 2, server);
        put_seen(d, which, 3, (struct seen){v->first_ns, v->last_ns, v->count});
        if (which == STATEMENT_RRSET_SERVER)
            put_number(d, which, 6, v->aa != 0);
        step(d, which, NULL);
    }
}

static struct seen seen_of(const struct record *r)
{
    return (struct seen){r->head.first_ns, r->head.last_ns, r->head.count};
}

/* 0 with the row's number, 1: there is none and no room for one. */
static int add_rrset(struct database *d, int64_t *ret_row)
{
    const struct record *r = &d->record;
    uint8_t digest[EVP_MAX_MD_SIZE];
    char owner[NAME_TEXT_MAX], word[TYPES_TEXT];
    const char *type = types_rr(r->head.type, word);
    digest_of(d, &r->records, &r->records_size, 1, digest);
    enum reason reason = (enum reason)r->head.reason;
    bool judged = reason != REASON_NONE;
    put_word(d, STATEMENT_RRSET, 1, name_text(r->owner, owner));
    put_word(d, STATEMENT_RRSET, 2, type);
    put_digest(d, STATEMENT_RRSET, 3, digest);
    int got = step(d, STATEMENT_RRSET, ret_row);
    if (got == 1) {
        put_number(d, STATEMENT_RRSET_SEEN, 1, *ret_row);
        put_seen(d, STATEMENT_RRSET_SEEN, 2, seen_of(r));
        put_word(d, STATEMENT_RRSET_SEEN, 5, judged ? verdict_name(reason_verdict(reason)) : NULL);
        put_word(d, STATEMENT_RRSET_SEEN, 6, judged ? reason_code(reason) : NULL);
        put_number(d, STATEMENT_RRSET_SEEN, 7, r->head.more_servers != 0);
        got = step(d, STATEMENT_RRSET_SEEN, NULL);
        return got < 0 ? got : 0;
    }
    if (got < 0)
        return got;
    if (!has_room(d))
        return 1;
    const enum statement new = STATEMENT_RRSET_NEW;
    put_digest(d, new, 1, digest);
    put_seen(d, new, 2, seen_of(r));
    put_word(d, new, 5, judged ? verdict_name(reason_verdict(reason)) : "not-judged");
    put_word(d, new, 6, reason_code(reason));
    put_number(d, new, 7, r->head.more_servers != 0);
    put_word(d, new, 8, owner);
    put_word(d, new, 9, type);
    put_number(d, new, 10, r->head.ttl);
    put_text(d, new, 11, d->text, record_text(r, d->text, sizeof d->text));
    put_number(d, new, 12, d->run);
    put_number(d, new, 13, (int64_t)(r->head.frame & INT64_MAX));
    if (step(d, new, NULL) < 0)
        return DATABASE_FAILED;
    *ret_row = sqlite3_last_insert_rowid(d->db);
    return 0;
}

static void add_signature(struct database *d, int64_t rrset, uint8_t i)
{
    const struct record *r = &d->record;
    const struct record_piece *p = &r->signature[i].rdata;
    const uint8_t *w = p->bytes; /* RFC 4034 3.1 */
    const size_t size = p->size;
    uint8_t digest[EVP_MAX_MD_SIZE];
    char signer[NAME_TEXT_MAX];
    int64_t row = 0;
    digest_of(d, &w, &size, 1, digest);
    const char *state = record_state(r->signature[i].state);
    put_number(d, STATEMENT_SIGNATURE, 1, rrset);
    put_digest(d, STATEMENT_SIGNATURE, 2, digest);
    int got = step(d, STATEMENT_SIGNATURE, &row);
    if (got < 0 || (got == 0 && !has_room(d)))
        return;
    if (got == 1) {
        put_number(d, STATEMENT_SIGNATURE_SEEN, 1, row);
        put_seen(d, STATEMENT_SIGNATURE_SEEN, 2, seen_of(r));
        put_word(d, STATEMENT_SIGNATURE_SEEN, 5, state);
        if (step(d, STATEMENT_SIGNATURE_SEEN, NULL) < 0)
            return;
    } else {
        const enum statement new = STATEMENT_SIGNATURE_NEW;
        put_number(d, new, 1, rrset);
        put_digest(d, new, 2, digest);
        put_seen(d, new, 3, seen_of(r));
        put_word(d, new, 6, state);
        put_word(d, new, 7, name_text(r->signature[i].signer, signer));
        put_number(d, new, 8, w[16] << 8 | w[17]);
        put_number(d, new, 9, w[2]);
        put_number(d, new, 10, w[3]);
        put_number(d, new, 11, (int64_t)w[4] << 24 | w[5] << 16 | w[6] << 8 | w[7]);
        put_number(d, new, 12, record_seconds(w + 12, r->head.last_ns));
        put_number(d, new, 13, record_seconds(w + 8, r->head.last_ns));
        put_text(d, new, 14, d->base64,
                 base64(d, r->signature[i].bytes, r->signature[i].bytes_size));
        if (step(d, new, NULL) < 0)
            return;
        row = sqlite3_last_insert_rowid(d->db);
    }
    add_servers(d, STATEMENT_SIGNATURE_SERVER, row);
}

static void add_key(struct database *d, int64_t rrset, const struct record_piece *p)
{
    const struct record *r = &d->record;
    uint8_t digest[EVP_MAX_MD_SIZE];
    const uint8_t *part[] = {r->owner, p->bytes};
    const size_t size[] = {r->head.owner_size, p->size};
    char zone[NAME_TEXT_MAX];
    int64_t row = 0;
    if (p->size < DNSKEY_FIXED)
        return; /* the RRset has it as it is */
    digest_of(d, part, size, 2, digest);
    put_digest(d, STATEMENT_KEY, 1, digest);
    int got = step(d, STATEMENT_KEY, &row);
    if (got < 0 || (got == 0 && !has_room(d)))
        return;
    if (got == 1) {
        put_number(d, STATEMENT_KEY_SEEN, 1, row);
        put_seen(d, STATEMENT_KEY_SEEN, 2, seen_of(r));
        if (step(d, STATEMENT_KEY_SEEN, NULL) < 0)
            return;
    } else {
        const enum statement new = STATEMENT_KEY_NEW;
        put_digest(d, new, 1, digest);
        put_seen(d, new, 2, seen_of(r));
        put_word(d, new, 5, name_text(r->owner, zone));
        put_number(d, new, 6, p->bytes[0] << 8 | p->bytes[1]);
        put_number(d, new, 7, p->bytes[2]);
        put_number(d, new, 8, p->bytes[3]);
        put_number(d, new, 9, key_tag(p->bytes, p->size));
        put_text(d, new, 10, d->base64,
                 base64(d, p->bytes + DNSKEY_FIXED, p->size - (size_t)DNSKEY_FIXED));
        if (step(d, new, NULL) < 0)
            return;
        row = sqlite3_last_insert_rowid(d->db);
    }
    if (d->full)
        return;
    put_number(d, STATEMENT_KEY_RRSET, 1, row);
    put_number(d, STATEMENT_KEY_RRSET, 2, rrset);
    step(d, STATEMENT_KEY_RRSET, NULL);
}

/* --- batches --- */

static int begin(struct database *d)
{
    while (!d->open) { /* somebody else writes: a person with the shell; we have time */
        int got = sqlite3_step(d->statement[STATEMENT_BEGIN]);
        sqlite3_reset(d->statement[STATEMENT_BEGIN]);
        if (got == SQLITE_DONE)
            d->open = true;
        else if (got != SQLITE_BUSY)
            return fail(d, "BEGIN");
    }
    return 0;
}

int database_take(struct database *d, const uint8_t *bytes, size_t size)
{
    int64_t row = 0;
    if (!record_read(bytes, size, &d->record))
        log_die("history: malformed message from analyze");
    if (begin(d))
        return DATABASE_FAILED;
    d->pending += size;
    d->full = is_full(d, d->record.head.type);
    if (add_rrset(d, &row))
        return d->failed ? DATABASE_FAILED : 0;
    const struct record *r = &d->record;
    add_servers(d, STATEMENT_RRSET_SERVER, row);
    unsigned unjudged = 0;
    for (uint8_t i = 0; i < r->head.signatures && !d->failed; i++)
        if (r->signature[i].state != 0 || unjudged++ < UNJUDGED_MOST)
            add_signature(d, row, i);
    if (r->head.type == TYPE_DNSKEY) {
        const uint8_t *at = r->records;
        size_t left = r->records_size;
        struct record_piece piece;
        while (!d->failed && record_next(&at, &left, &piece))
            add_key(d, row, &piece);
    }
    return d->failed ? DATABASE_FAILED : 0;
}

int database_commit(struct database *d)
{
    d->pending = 0;
    if (!d->open)
        return 0;
    if (step(d, STATEMENT_COMMIT, NULL) < 0)
        return DATABASE_FAILED;
    d->open = false;
    measure(d);
    return d->failed ? DATABASE_FAILED : 0;
}

size_t database_pending(const struct database *d)
{
    return d->pending;
}

bool database_congested(struct database *d)
{
    int left = 0, done = 0;
    if (d->journal_pages < JOURNAL_PAGES)
        return false;
    if (sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_RESTART, &left, &done) ==
        SQLITE_OK)
        d->journal_pages = 0;
    return d->journal_pages >= JOURNAL_PAGES;
}

uint64_t database_not_written(const struct database *d)
{
    return d->not_written;
}

int database_finish(struct database *d, const struct msg_history_end *end)
{
    bool any = end->first_ns <= end->last_ns;
    if (begin(d))
        return DATABASE_FAILED;
    const enum statement last = STATEMENT_RUN_END;
    sqlite3_clear_bindings(d->statement[last]);
    if (any) {
        put_number(d, last, 1, end->first_ns);
        put_number(d, last, 2, end->last_ns);
    }
    put_number(d, last, 3, (int64_t)(end->frames & INT64_MAX));
    put_number(d, last, 4, (int64_t)(end->lost & INT64_MAX));
    put_number(d, last, 5, (int64_t)(d->not_written & INT64_MAX));
    put_number(d, last, 6, d->run);
    if (step(d, last, NULL) < 0 || database_commit(d))
        return DATABASE_FAILED;
    int got = sqlite3_wal_checkpoint_v2(d->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (got == SQLITE_BUSY)
        return 1;
    return got == SQLITE_OK ? 0 : fail(d, "checkpoint");
}

const char *database_why(const struct database *d)
{
    return d->why;
}
