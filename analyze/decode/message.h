/*
 * message: one DNS message as views into its bytes (RFC 1035 4, RFC 6891).
 *
 * Contained in: analyze, tests. Parses nothing twice, allocates nothing, trusts nothing: counts in
 * the header are upper bounds, every RR is checked to lie inside, owner names are made canonical
 * once and shared: RRs of one owner have one owner index, wherever and however the name is written.
 */
#ifndef ANALYZE_DECODE_MESSAGE_H
#define ANALYZE_DECODE_MESSAGE_H

#include "analyze/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smallest RR is 11 bytes (root owner), so 65535 bytes hold fewer. */
#define MESSAGE_RRS_MAX 5958
/* Distinct owners kept of one message; further ones make the message `crowded` and are not judged.
 */
#define MESSAGE_NAMES_MAX 1024 /* one of them is scratch */
#define MESSAGE_EDES_MAX  4

enum dns_section { SECTION_ANSWER = 1, SECTION_AUTHORITY = 2, SECTION_ADDITIONAL = 3 };

enum message_state {
    MESSAGE_WHOLE = 0,
    MESSAGE_NOT_DNS, /* shorter than a header, or the question is unreadable: not counted as DNS */
    MESSAGE_MALFORMED, /* header and question read; an RR lies outside or a name is broken: rrs
                          before it kept */
    MESSAGE_CUT /* bytes end before the message does, because the frame was snapped or lost in part
                 */
};

struct dns_owner {
    uint16_t at;  /* where it is first written */
    uint8_t size; /* bytes of name */
    uint8_t name[NAME_MAX_BYTES];
};

struct dns_rr {
    uint16_t type, class;
    uint32_t ttl;
    uint16_t owner; /* index into owners */
    uint16_t rdata; /* offset in bytes */
    uint16_t rdlen;
    uint8_t section; /* enum dns_section */
    uint8_t reserved;
};

struct dns_message {
    const uint8_t *bytes; /* borrowed */
    size_t size;
    enum message_state state;
    const char *trouble; /* static text with RFC section when state is not WHOLE, else NULL */
    uint16_t id, flags;  /* flags: the second 16 bits of the header as they are */
    uint16_t counts[4];  /* as the header claims */
    bool has_question;   /* false: no or several questions; qname is then the root and qtype 0 */
    uint16_t qtype, qclass;
    uint16_t qname;        /* index into owners */
    uint16_t question_end; /* offset of the first byte after the question section */
    bool qname_mixed_case; /* 0x20 or odd writing */
    uint16_t rr_count, owner_count;
    bool crowded;
    /* EDNS (the OPT RR is not among rrs) */
    bool edns, edns_do;
    uint8_t edns_version;
    uint16_t edns_size;
    uint16_t rcode; /* extended rcode included */
    uint8_t ede_count;
    uint16_t ede[MESSAGE_EDES_MAX]; /* RFC 8914 info codes */
    struct dns_rr rrs[MESSAGE_RRS_MAX];
    struct dns_owner owners[MESSAGE_NAMES_MAX];
};

#define DNS_QR            0x8000u
#define DNS_AA            0x0400u
#define DNS_TC            0x0200u
#define DNS_RD            0x0100u
#define DNS_RA            0x0080u
#define DNS_AD            0x0020u
#define DNS_CD            0x0010u
#define DNS_OPCODE(flags) (((flags) >> 11) & 15u)

/* Parses `size` bytes. `wire_size` is what the message measured on the wire (>= size; larger if
 * snapped). Fills *ret but touches only as many rrs and owners as there are. The result's state is
 * returned. */
enum message_state message_parse(const uint8_t *bytes, size_t size, size_t wire_size,
                                 struct dns_message *ret);

/* The same as far as the question: enough to pair a response and to recognise one seen before. The
 * RRs and the EDNS fields are empty; MESSAGE_WHOLE only says that header and question are readable.
 */
enum message_state message_head(const uint8_t *bytes, size_t size, size_t wire_size,
                                struct dns_message *ret);

static inline const uint8_t *message_owner(const struct dns_message *m, const struct dns_rr *rr)
{
    return m->owners[rr->owner].name;
}

static inline const uint8_t *message_qname(const struct dns_message *m)
{
    return m->owners[m->qname].name;
}

#endif
