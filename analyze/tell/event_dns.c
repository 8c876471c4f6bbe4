/*
 * event_dns: one DNS message as JSON; see event_dns.h.
 *
 * Contained in: analyze, tests. Must never: take rdata for well formed; a record that is not gets
 * its RFC 3597 text and no member of its own.
 */
#include "analyze/tell/event_dns.h"

#include "analyze/canon.h"
#include "analyze/types.h"
#include "sandbox/cursor.h"

#include <stdio.h>
#include <string.h>

/* Longest rdata that is rendered: larger than any key or signature. */
#define RDATA_MAX        4096
#define BITMAP_TYPES_MAX 512
/* Room that one record may take, so that the object stays within its limit. */
#define RECORD_ROOM (RDATA_MAX * 12 + 8 * NAME_TEXT_MAX)

struct rdata {
    uint8_t bytes[RDATA_MAX];
    size_t size;
};

static void put_name(struct jline *j, const char *key, const uint8_t *name)
{
    char text[NAME_TEXT_MAX];
    jline_string(j, key, name_text(name, text));
}

/* The name at the cursor (uncompressed rdata); NULL if there is none. */
static const uint8_t *take_name(struct cursor *c, uint8_t room[NAME_MAX_BYTES])
{
    size_t next;
    if (!cursor_ok(c) || name_read(c->base, c->size, c->at, false, room, &next) == 0)
        return NULL;
    cursor_seek(c, next);
    return room;
}

/* RFC 4034 4.1.2; more types than anyone uses are not listed. */
static void put_bitmap(struct jline *j, struct cursor *c)
{
    char word[TYPES_TEXT];
    unsigned room = BITMAP_TYPES_MAX;
    jline_array(j, "types");
    while (cursor_left(c) >= 3) {
        unsigned window = cursor_u8(c), size = cursor_u8(c);
        const uint8_t *bits = size <= 32 ? cursor_bytes(c, size) : NULL;
        if (!bits)
            break;
        for (unsigned i = 0; i < size * 8 && room > 0; i++)
            if (bits[i / 8] & (0x80u >> i % 8)) {
                jline_string(j, NULL, types_rr((uint16_t)(window << 8 | i), word));
                room--;
            }
    }
    jline_close(j, ']');
}

/* RFC 4034 3.1 */
static void put_rrsig(struct jline *j, struct cursor c)
{
    uint8_t name[NAME_MAX_BYTES];
    char word[TYPES_TEXT];
    uint16_t covered = cursor_u16(&c);
    uint8_t algorithm = cursor_u8(&c), labels = cursor_u8(&c);
    uint32_t ttl = cursor_u32(&c), expiration = cursor_u32(&c), inception = cursor_u32(&c);
    uint16_t tag = cursor_u16(&c);
    const uint8_t *signer = take_name(&c, name);
    if (!signer)
        return;
    jline_object(j, "rrsig");
    jline_string(j, "type_covered", types_rr(covered, word));
    jline_number(j, "algorithm", algorithm);
    jline_number(j, "labels", labels);
    jline_number(j, "original_ttl", ttl);
    jline_number(j, "expiration", expiration);
    jline_number(j, "inception", inception);
    jline_number(j, "key_tag", tag);
    put_name(j, "signer_name", signer);
    jline_number(j, "signature_bytes", cursor_left(&c));
    jline_close(j, '}');
}

/* RFC 4034 appendix B; algorithm 1 takes it from the modulus (B.1). */
static uint16_t key_tag(const uint8_t *rdata, size_t size)
{
    uint32_t sum = 0;
    if (rdata[3] == 1)
        return (uint16_t)(size < 7 ? 0 : rdata[size - 3] << 8 | rdata[size - 2]);
    for (size_t i = 0; i < size; i++)
        sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

/* RFC 4034 2.1 */
static void put_dnskey(struct jline *j, struct cursor c)
{
    if (cursor_left(&c) < 4)
        return;
    jline_object(j, "dnskey");
    jline_number(j, "key_tag", key_tag(c.base, c.size));
    jline_number(j, "flags", cursor_u16(&c));
    jline_number(j, "protocol", cursor_u8(&c));
    jline_number(j, "algorithm", cursor_u8(&c));
    jline_number(j, "key_bytes", cursor_left(&c));
    jline_close(j, '}');
}

/* RFC 4034 5.1 */
static void put_ds(struct jline *j, struct cursor c)
{
    if (cursor_left(&c) < 4)
        return;
    jline_object(j, "ds");
    jline_number(j, "key_tag", cursor_u16(&c));
    jline_number(j, "algorithm", cursor_u8(&c));
    jline_number(j, "digest_type", cursor_u8(&c));
    jline_hex(j, "digest", c.base + c.at, cursor_left(&c));
    jline_close(j, '}');
}

/* RFC 4034 4.1 */
static void put_nsec(struct jline *j, struct cursor c)
{
    uint8_t room[NAME_MAX_BYTES];
    const uint8_t *next = take_name(&c, room);
    if (!next)
        return;
    jline_object(j, "nsec");
    put_name(j, "next", next);
    put_bitmap(j, &c);
    jline_close(j, '}');
}

/* RFC 4648 7, without padding and in lower case, as owner names of NSEC3 have it. */
static void put_base32(struct jline *j, const char *key, const uint8_t *bytes, size_t size)
{
    static const char alphabet[] = "0123456789abcdefghijklmnopqrstuv";
    char text[255 * 8 / 5 + 2];
    size_t n = 0;
    for (size_t bit = 0; bit < size * 8; bit += 5) {
        unsigned pair = (unsigned)bytes[bit / 8] << 8;
        if (bit / 8 + 1 < size)
            pair |= bytes[bit / 8 + 1];
        text[n++] = alphabet[pair >> (11 - bit % 8) & 31u];
    }
    jline_bytes(j, key, text, n);
}

/* RFC 5155 3.2 */
static void put_nsec3(struct jline *j, struct cursor c)
{
    uint8_t hash = cursor_u8(&c), flags = cursor_u8(&c);
    uint16_t iterations = cursor_u16(&c);
    uint8_t salt_size = cursor_u8(&c);
    const uint8_t *salt = cursor_bytes(&c, salt_size);
    uint8_t next_size = cursor_u8(&c);
    const uint8_t *next = cursor_bytes(&c, next_size);
    if (!cursor_ok(&c))
        return;
    jline_object(j, "nsec3");
    jline_number(j, "hash_algorithm", hash);
    jline_number(j, "flags", flags);
    jline_number(j, "iterations", iterations);
    jline_hex(j, "salt", salt, salt_size);
    put_base32(j, "next", next, next_size);
    put_bitmap(j, &c);
    jline_close(j, '}');
}

static void put_member(struct jline *j, uint16_t type, const struct rdata *rdata)
{
    struct cursor c = cursor_over(rdata->bytes, rdata->size);
    switch (type) {
    case TYPE_RRSIG:
        put_rrsig(j, c);
        break;
    case TYPE_DNSKEY:
        put_dnskey(j, c);
        break;
    case TYPE_DS:
        put_ds(j, c);
        break;
    case TYPE_NSEC:
        put_nsec(j, c);
        break;
    case TYPE_NSEC3:
        put_nsec3(j, c);
        break;
    default:
        break;
    }
}

static void put_rr(struct jline *j, const struct dns_message *m, const struct dns_rr *rr)
{
    char word[TYPES_TEXT], text[2 * RDATA_MAX];
    struct rdata rdata;
    int size = canon_rdata(rr->type, m->bytes, m->size, rr->rdata, rr->rdlen, rdata.bytes,
                           sizeof(rdata.bytes));
    jline_object(j, NULL);
    put_name(j, "rrname", message_owner(m, rr));
    jline_string(j, "rrtype", types_rr(rr->type, word));
    if (rr->class != 1)
        jline_string(j, "rrclass", types_class(rr->class, word));
    jline_number(j, "ttl", rr->ttl);
    if (size < 0) {
        jline_bool(j, "malformed", true);
    } else {
        rdata.size = (size_t)size;
        jline_string(j, "rdata",
                     types_rdata_text(rr->type, rdata.bytes, rdata.size, text, sizeof(text)));
        put_member(j, rr->type, &rdata);
    }
    jline_close(j, '}');
}

/* How many records of the section were left out for lack of room. */
static size_t put_section(struct jline *j, const struct dns_message *m, uint8_t section,
                          const char *key)
{
    size_t omitted = 0, found = 0;
    for (unsigned i = 0; i < m->rr_count; i++) {
        if (m->rrs[i].section != section)
            continue;
        if (j->size + RECORD_ROOM > j->most) {
            omitted++;
            continue;
        }
        if (found++ == 0)
            jline_array(j, key);
        put_rr(j, m, &m->rrs[i]);
    }
    if (found > 0)
        jline_close(j, ']');
    return omitted;
}

static void put_head(struct jline *j, const struct dns_message *m)
{
    char word[TYPES_TEXT], flags[8];
    snprintf(flags, sizeof(flags), "%04x", m->flags);
    jline_number(j, "version", 3);
    jline_string(j, "type", m->flags & DNS_QR ? "response" : "request");
    jline_number(j, "id", m->id);
    jline_string(j, "flags", flags);
    jline_bool(j, "qr", m->flags & DNS_QR);
    jline_bool(j, "aa", m->flags & DNS_AA);
    jline_bool(j, "tc", m->flags & DNS_TC);
    jline_bool(j, "rd", m->flags & DNS_RD);
    jline_bool(j, "ra", m->flags & DNS_RA);
    jline_bool(j, "ad", m->flags & DNS_AD);
    jline_bool(j, "cd", m->flags & DNS_CD);
    jline_bool(j, "do", m->edns_do);
    jline_number(j, "opcode", DNS_OPCODE(m->flags));
    jline_string(j, "rcode", types_rcode(m->rcode, word));
    if (m->trouble)
        jline_string(j, "trouble", m->trouble);
}

void event_dns_put(struct jline *j, const struct dns_message *m)
{
    char word[TYPES_TEXT];
    jline_object(j, "dns");
    put_head(j, m);
    if (m->has_question) {
        jline_array(j, "queries");
        jline_object(j, NULL);
        put_name(j, "rrname", message_qname(m));
        jline_string(j, "rrtype", types_rr(m->qtype, word));
        jline_close(j, '}');
        jline_close(j, ']');
    }
    size_t omitted = put_section(j, m, SECTION_ANSWER, "answers");
    omitted += put_section(j, m, SECTION_AUTHORITY, "authorities");
    omitted += put_section(j, m, SECTION_ADDITIONAL, "additionals");
    if (omitted > 0)
        jline_number(j, "omitted", omitted);
    jline_close(j, '}');
}
