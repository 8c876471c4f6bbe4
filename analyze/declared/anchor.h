/*
 * anchor: trust anchors as the operator gave them (RFC 4033 4.4, RFC 5011, RFC 7958).
 *
 * Contained in: analyze, tests. Takes DS and DNSKEY presentation lines, several a file, comments
 * and blank lines allowed, and the IANA root-anchors.xml with its validity periods.
 */
#ifndef ANALYZE_DECLARED_ANCHOR_H
#define ANALYZE_DECLARED_ANCHOR_H

#include "analyze/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct anchor {
    uint8_t zone[NAME_MAX_BYTES];
    bool is_ds;     /* else a DNSKEY */
    uint8_t *rdata; /* DS or DNSKEY rdata, wire form */
    uint16_t rdata_size;
    int64_t from_ns, until_ns; /* validity; INT64_MIN and INT64_MAX when unbounded */
};

struct anchors; /* opaque */
struct anchors *anchors_new(void);
void anchors_free(struct anchors *);
/* 0, or -1 with "name:line: what was expected" in ret_error; nothing of the file is kept then. */
int anchors_add(struct anchors *, const char *name, const void *text, size_t size, char *ret_error,
                size_t error_room);
/* The IANA root set: KSK-2017 (20326) and KSK-2024 (38696), as shipped in deploy/root-anchors.xml.
 */
void anchors_add_default(struct anchors *);
size_t anchors_list(const struct anchors *, const struct anchor **ret_anchors); /* borrowed */
/* Does the time lie in [opens_ns, closes_ns]? [*from_ns, *until_ns] is narrowed to times at which
 * the answer is the same. */
bool anchor_window(int64_t opens_ns, int64_t closes_ns, int64_t time_ns, int64_t *from_ns,
                   int64_t *until_ns);

#endif
