/*
 * canon: rdata in canonical form (RFC 4034 6.2 as corrected by RFC 6840 5.1): names uncompressed,
 * and in lower case for the types that RFC 4034 lists.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_CANON_H
#define ANALYZE_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DNS types that the validator has to know by number (IANA). */
enum dns_type {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_SIG = 24,
    TYPE_AAAA = 28,
    TYPE_NXT = 30,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_DNSKEY = 48,
    TYPE_NSEC3 = 50,
    TYPE_NSEC3PARAM = 51,
    TYPE_CDS = 59,
    TYPE_CDNSKEY = 60,
    TYPE_IXFR = 251,
    TYPE_AXFR = 252,
    TYPE_ANY = 255
};

/* Writes the canonical form of `rdlen` bytes of rdata at `at` in a message into `out` (room bytes).
 * Returns the bytes written, or -1: malformed (a name that leaves the rdata or the message), or -2:
 * no room. */
int canon_rdata(uint16_t type, const uint8_t *message, size_t size, size_t at, uint16_t rdlen,
                uint8_t *out, size_t room);

#endif
