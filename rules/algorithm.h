/*
 * algorithm: what IANA's tables say of the algorithms of keys and of the digests of DS, and which
 * of them this program can check: a table with a version, no code.
 *
 * Contained in: analyze, the `rules` command, tests. The columns are those of RFC 9904 2.1, which
 * replaced RFC 8624: "Use for DNSSEC Signing" (for digests "Use for DNSSEC Delegation") and "Use
 * for DNSSEC Validation". To follow the registries: change rows and versions here, `make manual`,
 * and the tests say what else depends on it.
 */
#ifndef RULES_ALGORITHM_H
#define RULES_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ALGORITHM_VERSION "2026-08-10" /* iana.org/assignments/dns-sec-alg-numbers */
#define DIGEST_VERSION    "2026-01-13" /* iana.org/assignments/ds-rr-types */

/* X(name, "as IANA writes it") */
#define ADVICES(X)                                                                                 \
    X(NONE, "-")                                                                                   \
    X(RECOMMENDED, "RECOMMENDED")                                                                  \
    X(MAY, "MAY")                                                                                  \
    X(NOT_RECOMMENDED, "NOT RECOMMENDED")                                                          \
    X(MUST_NOT, "MUST NOT")

enum advice {
#define X(name, text) ADVICE_##name,
    ADVICES(X)
#undef X
};

/* X(number, "mnemonic", can be checked here, signing, validation, "where that is said") in order of
 * number */
#define ALGORITHMS(X)                                                                              \
    X(0, "DELETE", false, NONE, NONE, "RFC 8078 4")                                                \
    X(1, "RSAMD5", false, MUST_NOT, MUST_NOT, "RFC 9904 3")                                        \
    X(2, "DH", false, NONE, NONE, "RFC 2539")                                                      \
    X(3, "DSA", false, MUST_NOT, MUST_NOT, "RFC 9904 3")                                           \
    X(5, "RSASHA1", true, MUST_NOT, RECOMMENDED, "RFC 9905 2")                                     \
    X(6, "DSA-NSEC3-SHA1", false, MUST_NOT, MUST_NOT, "RFC 9904 3")                                \
    X(7, "RSASHA1-NSEC3-SHA1", true, MUST_NOT, RECOMMENDED, "RFC 9905 2")                          \
    X(8, "RSASHA256", true, RECOMMENDED, RECOMMENDED, "RFC 9904 3")                                \
    X(10, "RSASHA512", true, NOT_RECOMMENDED, RECOMMENDED, "RFC 9904 3")                           \
    X(12, "ECC-GOST", false, MUST_NOT, MUST_NOT, "RFC 9906 2")                                     \
    X(13, "ECDSAP256SHA256", true, RECOMMENDED, RECOMMENDED, "RFC 9904 3")                         \
    X(14, "ECDSAP384SHA384", true, MAY, RECOMMENDED, "RFC 9904 3")                                 \
    X(15, "ED25519", true, RECOMMENDED, RECOMMENDED, "RFC 9904 3")                                 \
    X(16, "ED448", true, MAY, RECOMMENDED, "RFC 9904 3")                                           \
    X(17, "SM2SM3", false, MAY, MAY, "RFC 9904 3")                                                 \
    X(18, "MLDSA44", false, MAY, MAY, "RFC 9904 2.2")                                              \
    X(23, "ECC-GOST12", false, MAY, MAY, "RFC 9904 3")                                             \
    X(252, "INDIRECT", false, NONE, NONE, "RFC 4034 A.1")                                          \
    X(253, "PRIVATEDNS", false, MAY, MAY, "RFC 9904 3")                                            \
    X(254, "PRIVATEOID", false, MAY, MAY, "RFC 9904 3")

/* X(number, "mnemonic", bytes of the digest, can be computed here, delegation, validation, "where
 * that is said") */
#define DIGESTS(X)                                                                                 \
    X(0, "NULL", 1, false, MUST_NOT, MUST_NOT, "RFC 9904 4")                                       \
    X(1, "SHA-1", 20, true, MUST_NOT, RECOMMENDED, "RFC 9905 2")                                   \
    X(2, "SHA-256", 32, true, RECOMMENDED, RECOMMENDED, "RFC 9904 4")                              \
    X(3, "GOST R 34.11-94", 32, false, MUST_NOT, MUST_NOT, "RFC 9906 2")                           \
    X(4, "SHA-384", 48, true, MAY, RECOMMENDED, "RFC 9904 4")                                      \
    X(5, "GOST R 34.11-2012", 32, false, MAY, MAY, "RFC 9904 4")                                   \
    X(6, "SM3", 32, false, MAY, MAY, "RFC 9904 4")

struct algorithm { /* a row of either table */
    uint8_t number;
    const char *mnemonic;
    size_t bytes;           /* of a digest; 0 for algorithms */
    bool checked;           /* by this program */
    enum advice signing;    /* or delegation */
    enum advice validation; /* MUST NOT: never checked, so such a zone is insecure (RFC 4035 5.2) */
    const char *reference;
};

/* The row of that number, or NULL where the table has none. */
const struct algorithm *algorithm_find(uint8_t number);
const struct algorithm *algorithm_digest(uint8_t digest_type);
/* The i-th row, NULL at the end. */
const struct algorithm *algorithm_nth(size_t i);
const struct algorithm *algorithm_digest_nth(size_t i);
const char *algorithm_advice(enum advice); /* "MUST NOT" … */

#endif
