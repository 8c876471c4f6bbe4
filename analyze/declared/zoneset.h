/*
 * zoneset: all that is declared of one zone, as a sorted set of records, and as a baseline file.
 *
 * Contained in: baseline, tests. What DNSSEC maintenance alters by itself (RRSIG, NSEC, NSEC3) is
 * counted and left out, as the analyser leaves it out when it reads a baseline.
 */
#ifndef ANALYZE_DECLARED_ZONESET_H
#define ANALYZE_DECLARED_ZONESET_H

#include "analyze/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zoneset_record {
    uint8_t *owner; /* canonical; rdata lies in the same allocation */
    const uint8_t *rdata;
    uint32_t ttl;
    uint16_t type, size;
    unsigned line; /* of the file it was read from; 0 none */
};

struct zoneset {
    uint8_t apex[NAME_MAX_BYTES]; /* owner of the SOA; valid if there is one */
    bool has_soa;
    unsigned soas;     /* times a SOA was read: a transfer gives it first and last */
    bool ends_in_soa;  /* the last record read is a SOA */
    bool has_relative; /* a name was completed with the caller's origin */
    unsigned relative_line;
    struct zoneset_record *records;
    size_t count, room;
    uint64_t rrsigs, nsecs, nsec3s; /* left out */
};

/* Zeroed storage is empty. */
void zoneset_fini(struct zoneset *);

/* Adds the records of a zone file (RFC 1035 5). `origin` (canonical) completes relative names;
 * NULL: none is known, and ->has_relative tells whether that mattered. A file is read whole or
 * refused: 0, or -1 with "file:line: what was expected". */
int zoneset_read(struct zoneset *, const char *file, const void *text, size_t size,
                 const uint8_t *origin, char *ret_error, size_t error_room);
/* Adds one record in canonical form. 0, or -1 without memory. */
int zoneset_add(struct zoneset *, const uint8_t *owner, uint16_t type, uint32_t ttl,
                const uint8_t *rdata, uint16_t size);
/* Sorts: the apex first, then names in canonical order (RFC 4034 6.1); SOA, NS, DS, DNSKEY before
 * other types. Drops what is there twice. */
void zoneset_sort(struct zoneset *);
/* Of a sorted set with SOA: 0, or -1 with what was expected: names within the zone, one SOA. */
int zoneset_check(const struct zoneset *, const char *file, char *ret_error, size_t error_room);
/* The records of the type at the apex. */
size_t zoneset_at_apex(const struct zoneset *, uint16_t type);
/* As a zone file of absolute names, one record a line, that reads back as the same set; `head`
 * (whole comment lines) first. The same set gives the same bytes. Caller frees; NULL with a text in
 * ret_error. */
char *zoneset_text(const struct zoneset *, const char *head, size_t *ret_size, char *ret_error,
                   size_t error_room);

/* One record as "owner ttl IN type rdata", without line feed; returns its length, or -1 without
 * memory. Caller frees *ret_line. */
int zoneset_line(const struct zoneset_record *, bool generic, char **ret_line);

/* What a file of this zone is called: "example.com.zone", "root.zone"; a byte that a name should
 * not have becomes '_'. */
#define ZONESET_FILE_TEXT (NAME_TEXT_MAX + 8)
const char *zoneset_file_name(const uint8_t *apex, char ret_name[ZONESET_FILE_TEXT]);

struct zoneset_change { /* of one owner and type; runs of neighbours in the sorted sets */
    const uint8_t *owner;
    uint16_t type;
    const struct zoneset_record *before, *after; /* the RRsets, borrowed */
    size_t before_count, after_count;            /* 0: there is none */
};
/* Calls for every RRset that is not the same in both, in order. TTLs and the SOA's serial are no
 * difference. */
void zoneset_diff(const struct zoneset *before, const struct zoneset *after,
                  void (*on_change)(void *context, const struct zoneset_change *), void *context);
/* Is this record (by type and rdata) one of these? */
bool zoneset_has(const struct zoneset_record *records, size_t count,
                 const struct zoneset_record *record);

#endif
