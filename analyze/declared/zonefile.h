/*
 * zonefile: presentation form (RFC 1035 5, RFC 3597) to records in canonical wire form, with ldns.
 *
 * Contained in: analyze, tests; used before confinement only, on what the operator gave.
 */
#ifndef ANALYZE_DECLARED_ZONEFILE_H
#define ANALYZE_DECLARED_ZONEFILE_H

#include "analyze/name.h"

#include <stddef.h>
#include <stdint.h>

struct zonefile_record {
    uint8_t owner[NAME_MAX_BYTES]; /* canonical */
    uint16_t type;
    uint32_t ttl;
    const uint8_t *rdata; /* canonical (RFC 4034 6.2, RFC 6840 5.1), borrowed for the call */
    uint16_t rdata_size;
    unsigned line; /* the record's last line */
};

/* Returns 0, or -1 after writing "what was expected" to ret_what (zonefile_read adds file and
 * line). */
typedef int zonefile_on_record(void *context, const struct zonefile_record *, char *ret_what,
                               size_t what_room);

/* Reads every record of `text` in order. `origin` (canonical) completes names without a final dot
 * until $ORIGIN says otherwise. A file is read whole or refused: 0, or -1 with
 * "file:line: what was expected" in ret_error. Only class IN; $INCLUDE is refused. */
int zonefile_read(const char *file, const void *text, size_t size, const uint8_t *origin,
                  zonefile_on_record *, void *context, char *ret_error, size_t error_room);

/* RFC 4034 appendix B, over DNSKEY rdata. */
uint16_t zonefile_key_tag(const uint8_t *rdata, size_t size);

#endif
