/*
 * message: one DNS message as views into its bytes; see message.h.
 *
 * Contained in: analyze, tests. Must never: allocate, interpret rdata (but OPT's, RFC 6891), or
 * spend more than linear time in the size of the message.
 */
#include "analyze/decode/message.h"

#include "sandbox/cursor.h"

#include <string.h>

#define HEADER_BYTES 12
#define TYPE_OPT     41
#define OPTION_EDE   15 /* RFC 8914 2 */
#define NO_OWNER     UINT16_MAX

/* Pointers to recent owners are recognised without reading the name again. */
#define RECENT_OWNERS 8
/* Up to so many owners a linear search is faster than clearing a table. */
#define LINEAR_OWNERS 16
/* Table of owners: at most half full; a probe longer than this is an attack on the hash. */
#define TABLE_SLOTS  2048
#define TABLE_PROBES 32

struct parse {
    struct cursor c;
    struct dns_message *m;
    size_t wire_size;
    uint32_t hashes[MESSAGE_NAMES_MAX]; /* of owners, by index */
    bool table_ready;
    uint16_t table[TABLE_SLOTS]; /* index + 1, 0 free; only used beyond LINEAR_OWNERS */
};

static uint32_t hash_name(const uint8_t *name, size_t size)
{
    uint64_t hash = size * 0x9e3779b97f4a7c15u, word = 0;
    for (; size >= sizeof(word); name += sizeof(word), size -= sizeof(word)) {
        memcpy(&word, name, sizeof(word));
        hash = (hash ^ word) * 0x9fb21c651e98df25u;
        hash ^= hash >> 32;
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word = word << 8 | name[i];
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return (uint32_t)(hash ^ hash >> 32);
}

static bool same_owner(const struct parse *p, unsigned i, uint32_t hash,
                       const struct dns_owner *new)
{
    const struct dns_owner *old = &p->m->owners[i];
    return p->hashes[i] == hash &&
           old->size == new->size &&memcmp(old->name, new->name, new->size) == 0;
}

/* The slot of this name: taken by it, or free. NULL when the probe grew too long. */
static uint16_t *table_slot(struct parse *p, uint32_t hash, const struct dns_owner *new)
{
    for (unsigned i = 0; i < TABLE_PROBES; i++) {
        uint16_t *slot = &p->table[(hash + i) % TABLE_SLOTS];
        if (*slot == 0 || same_owner(p, *slot - 1u, hash, new))
            return slot;
    }
    return NULL;
}

static void table_build(struct parse *p)
{
    memset(p->table, 0, sizeof(p->table));
    p->table_ready = true;
    for (unsigned i = 0; i < p->m->owner_count; i++) {
        uint16_t *slot = table_slot(p, p->hashes[i], &p->m->owners[i]);
        if (slot)
            *slot = (uint16_t)(i + 1);
    }
}

/* owners[owner_count] has just been read: keeps it, or finds its equal. NO_OWNER: no room. */
static uint16_t keep_owner(struct parse *p)
{
    struct dns_message *m = p->m;
    const struct dns_owner *new = &m->owners[m->owner_count];
    uint32_t hash = hash_name(new->name, new->size);
    uint16_t *slot = NULL;
    if (m->owner_count < LINEAR_OWNERS) {
        for (unsigned i = m->owner_count; i-- > 0;)
            if (same_owner(p, i, hash, new))
                return (uint16_t)i;
    } else {
        if (!p->table_ready)
            table_build(p);
        slot = table_slot(p, hash, new);
        if (slot && *slot != 0)
            return (uint16_t)(*slot - 1u);
        if (!slot)
            return NO_OWNER;
    }
    /* the last place stays free: the next name is read into it */
    if (m->owner_count == MESSAGE_NAMES_MAX - 1)
        return NO_OWNER;
    if (slot)
        *slot = (uint16_t)(m->owner_count + 1);
    p->hashes[m->owner_count] = hash;
    return m->owner_count++;
}

static uint16_t recent_owner(const struct dns_message *m, uint16_t target)
{
    unsigned stop = m->owner_count > RECENT_OWNERS ? m->owner_count - RECENT_OWNERS : 0;
    for (unsigned i = m->owner_count; i-- > stop;)
        if (m->owners[i].at == target)
            return (uint16_t)i;
    return NO_OWNER;
}

/* Reads an owner name. False if malformed; *ret_owner is NO_OWNER when there is no room for it. */
static bool read_owner(struct parse *p, uint16_t *ret_owner)
{
    struct dns_message *m = p->m;
    const uint8_t *at = m->bytes + p->c.at;
    uint16_t place = (uint16_t)p->c.at;
    if (cursor_left(&p->c) >= 2 && at[0] >= 0xc0) {
        place = (uint16_t)((at[0] & 0x3f) << 8 | at[1]);
        *ret_owner = recent_owner(m, place);
        if (*ret_owner != NO_OWNER) {
            p->c.at += 2;
            return true;
        }
    }
    struct dns_owner *owner = &m->owners[m->owner_count];
    size_t next, size = name_read(m->bytes, m->size, p->c.at, false, owner->name, &next);
    if (size == 0)
        return false;
    owner->at = place;
    owner->size = (uint8_t)size;
    p->c.at = next;
    *ret_owner = keep_owner(p);
    if (*ret_owner == NO_OWNER)
        m->crowded = true;
    return true;
}

static enum message_state stop(struct parse *p, enum message_state state, const char *trouble)
{
    p->m->trouble = trouble;
    return p->m->state = state;
}

/* The bytes ended early: cut by the capture, or a lie. */
static enum message_state ends_early(struct parse *p, const char *trouble)
{
    if (p->wire_size > p->m->size)
        return stop(p, MESSAGE_CUT, "cut short by the capture");
    return stop(p, MESSAGE_MALFORMED, trouble);
}

/* RFC 6891 6.1.2; the fixed part is in the fields of the RR. */
static enum message_state read_opt(struct parse *p, uint16_t class, uint32_t ttl,
                                   const uint8_t *rdata, size_t size)
{
    struct dns_message *m = p->m;
    if (m->edns)
        return stop(p, MESSAGE_MALFORMED, "more than one OPT (RFC 6891 6.1.1)");
    m->edns = true;
    m->edns_size = class;
    m->rcode = (uint16_t)(m->rcode | ttl >> 24 << 4);
    m->edns_version = (uint8_t)(ttl >> 16);
    m->edns_do = (ttl & 0x8000u) != 0;
    struct cursor c = cursor_over(rdata, size);
    while (cursor_left(&c) > 0) {
        uint16_t code = cursor_u16(&c);
        uint16_t length = cursor_u16(&c);
        const uint8_t *value = cursor_bytes(&c, length);
        if (!value)
            return stop(p, MESSAGE_MALFORMED, "an EDNS option exceeds the OPT (RFC 6891 6.1.2)");
        if (code == OPTION_EDE && length >= 2 && m->ede_count < MESSAGE_EDES_MAX)
            m->ede[m->ede_count++] = (uint16_t)(value[0] << 8 | value[1]);
    }
    return MESSAGE_WHOLE;
}

static enum message_state read_rr(struct parse *p, uint8_t section)
{
    struct dns_message *m = p->m;
    uint16_t owner;
    if (!read_owner(p, &owner))
        return ends_early(p, "an owner name is broken (RFC 1035 4.1.4)");
    const uint8_t *fixed = cursor_bytes(&p->c, 10);
    if (!fixed)
        return ends_early(p, "the message ends inside an RR (RFC 1035 4.1.3)");
    uint16_t type = (uint16_t)(fixed[0] << 8 | fixed[1]);
    uint16_t class = (uint16_t)(fixed[2] << 8 | fixed[3]);
    uint32_t ttl =
        (uint32_t)fixed[4] << 24 | (uint32_t)fixed[5] << 16 | (uint32_t)fixed[6] << 8 | fixed[7];
    uint16_t rdlen = (uint16_t)(fixed[8] << 8 | fixed[9]);
    size_t rdata = p->c.at;
    if (!cursor_bytes(&p->c, rdlen))
        return ends_early(p, "rdata exceeds the message (RFC 1035 4.1.3)");
    if (type == TYPE_OPT) {
        /* a name that found no room was read into the place behind the last one */
        unsigned named = owner == NO_OWNER ? m->owner_count : owner;
        if (section != SECTION_ADDITIONAL || m->owners[named].size != 1)
            return stop(p, MESSAGE_MALFORMED, "an OPT that is misplaced or named (RFC 6891 6.1.2)");
        return read_opt(p, class, ttl, m->bytes + rdata, rdlen);
    }
    if (owner == NO_OWNER)
        return MESSAGE_WHOLE; /* crowded */
    if (m->rr_count == MESSAGE_RRS_MAX) {
        m->crowded = true;
        return MESSAGE_WHOLE;
    }
    m->rrs[m->rr_count++] = (struct dns_rr){.type = type,
                                            .class = class,
                                            .ttl = ttl,
                                            .owner = owner,
                                            .rdata = (uint16_t)rdata,
                                            .rdlen = rdlen,
                                            .section = section};
    return MESSAGE_WHOLE;
}

static void set_no_question(struct parse *p)
{
    struct dns_message *m = p->m;
    m->has_question = false;
    m->qtype = m->qclass = 0;
    m->owners[0].at = UINT16_MAX; /* nowhere: no pointer has that value */
    m->owners[0].size = 1;
    m->owners[0].name[0] = 0;
}

/* The only question, or none of several. False if unreadable. */
static bool read_questions(struct parse *p)
{
    struct dns_message *m = p->m;
    struct dns_owner *first = &m->owners[0];
    m->has_question = m->counts[0] == 1;
    for (unsigned i = 0; i < m->counts[0]; i++) {
        size_t next, size = name_read(m->bytes, m->size, p->c.at, true, first->name, &next);
        if (size == 0)
            return false;
        first->at = (uint16_t)p->c.at;
        first->size = (uint8_t)size;
        p->c.at = next;
        m->qtype = cursor_u16(&p->c);
        m->qclass = cursor_u16(&p->c);
        if (!cursor_ok(&p->c))
            return false;
    }
    if (!m->has_question)
        set_no_question(p);
    m->qname_mixed_case = name_lower(first->name, first->size);
    p->hashes[0] = hash_name(first->name, first->size);
    m->owner_count = 1;
    m->question_end = (uint16_t)p->c.at;
    return true;
}

/* All that a caller may read although the bytes did not give it. */
static void clear(struct dns_message *m, const uint8_t *bytes, size_t size)
{
    m->bytes = bytes;
    m->size = size > UINT16_MAX ? UINT16_MAX : size; /* offsets are 16 bits wide */
    m->state = MESSAGE_WHOLE;
    m->trouble = NULL;
    m->id = m->flags = m->rcode = 0;
    memset(m->counts, 0, sizeof(m->counts));
    m->qname_mixed_case = m->crowded = false;
    m->qname = 0;
    m->question_end = HEADER_BYTES;
    m->rr_count = 0;
    m->owner_count = 1;
    m->edns = m->edns_do = false;
    m->edns_version = m->ede_count = 0;
    m->edns_size = 0;
}

/* Header and question. */
static enum message_state read_head(struct parse *p, const uint8_t *bytes, size_t size,
                                    size_t wire_size, struct dns_message *ret)
{
    clear(ret, bytes, size);
    p->c = cursor_over(bytes, ret->size);
    p->m = ret;
    p->wire_size = wire_size;
    p->table_ready = false;
    set_no_question(p);
    const uint8_t *header = cursor_bytes(&p->c, HEADER_BYTES);
    if (!header)
        return stop(p, MESSAGE_NOT_DNS, "shorter than a header (RFC 1035 4.1.1)");
    ret->id = (uint16_t)(header[0] << 8 | header[1]);
    ret->flags = (uint16_t)(header[2] << 8 | header[3]);
    ret->rcode = ret->flags & 15u;
    for (unsigned i = 0; i < 4; i++)
        ret->counts[i] = (uint16_t)(header[4 + 2 * i] << 8 | header[5 + 2 * i]);
    if (read_questions(p))
        return MESSAGE_WHOLE;
    set_no_question(p);
    if (wire_size > ret->size)
        return stop(p, MESSAGE_CUT, "cut short by the capture");
    return stop(p, MESSAGE_NOT_DNS, "the question is unreadable (RFC 1035 4.1.2)");
}

enum message_state message_head(const uint8_t *bytes, size_t size, size_t wire_size,
                                struct dns_message *ret)
{
    struct parse p; /* deliberately not cleared: 8 KiB, hardly any of it used */
    return read_head(&p, bytes, size, wire_size, ret);
}

enum message_state message_parse(const uint8_t *bytes, size_t size, size_t wire_size,
                                 struct dns_message *ret)
{
    struct parse p;
    if (read_head(&p, bytes, size, wire_size, ret) != MESSAGE_WHOLE)
        return ret->state;
    for (uint8_t section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++)
        for (unsigned i = 0; i < ret->counts[section]; i++)
            if (read_rr(&p, section) != MESSAGE_WHOLE)
                return ret->state;
    return MESSAGE_WHOLE;
}
