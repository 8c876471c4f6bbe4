/*
 * baseline_zone: one declared zone: its file sorted into RRsets and a table of names.
 *
 * Contained in: analyze, baseline, tests. Private to baseline.c, which answers from it. Reads
 * before confinement only.
 */
#ifndef ANALYZE_DECLARED_BASELINE_ZONE_H
#define ANALYZE_DECLARED_BASELINE_ZONE_H

#include "analyze/declared/baseline.h"

#define NODE_CUT   1u /* NS below the apex: a delegation */
#define NODE_DNAME 2u /* names below it do not exist here (RFC 6672 2.3) */
#define NODE_HOST  4u /* named by an NS record of the apex */
#define NO_SLOT    UINT32_MAX

struct record { /* owner and rdata in one allocation, owner first */
    uint8_t *bytes;
    uint32_t ttl;
    uint16_t type, owner_size, rdata_size;
    unsigned line;
};

struct set { /* rdata[first] … rdata[first + count - 1] */
    uint32_t first, count, ttl;
    uint16_t type;
};

struct node {
    const uint8_t *name;
    uint32_t first_set, set_count;
    unsigned flags;
};

struct names { /* open addressing; a slot holds an index, or NO_SLOT */
    uint32_t *slots;
    size_t mask;
};

struct baseline_zone {
    uint8_t apex[NAME_MAX_BYTES];
    char *file;
    uint8_t sha256[32]; /* of the file as read */
    uint32_t version;
    struct record *records;
    size_t record_count, record_room;
    struct fact_rdata *rdata; /* of records[], in the same order */
    struct set *sets;
    size_t set_count;
    struct node *nodes;
    size_t node_count;
    struct names names;
    struct policy *policy; /* NULL: strict */
    struct declared *declared;
    struct fact_suppression *suppressions;
    struct fact_address *servers; /* of the apex's NS; none where one of them is not declared */
    size_t server_count;
    struct baseline_signature *signatures;
    size_t signature_count, signature_room;
    bool has_soa;
    enum fact_chain denial;
};

/* "FILE:LINE: what" into ret_error; -1. */
int baseline_fail_at(char *ret_error, size_t room, const char *file, unsigned line,
                     const char *what);
int baseline_fail(char *ret_error, size_t room, const char *file, const char *what);

/* Room for so many names; -1: no memory. */
int baseline_names_init(struct names *, size_t count);
/* The slot where the search for a name begins; the next one follows, modulo the mask. */
size_t baseline_names_start(const struct names *, const uint8_t *name);

/* NULL: ret_error says file, line and what was expected. Freed by baseline_zone_free. */
struct baseline_zone *baseline_zone_read(const char *file, const void *text, size_t size,
                                         char *ret_error, size_t error_room);
void baseline_zone_free(struct baseline_zone *); /* NULL is fine */
/* The name in the zone, or NULL; an RRset of it, or NULL. */
struct node *baseline_node(const struct baseline_zone *, const uint8_t *name);
const struct set *baseline_set(const struct baseline_zone *, const struct node *, uint16_t type);

#endif
