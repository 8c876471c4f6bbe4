/*
 * covert: data in names; see covert.h.
 *
 * Contained in: analyze, tests. Must never: take the shape of the names alone for a tunnel.
 */
#define XXH_INLINE_ALL

#include "analyze/follow/covert.h"

#include "analyze/canon.h"
#include "analyze/decode/table.h"
#include "analyze/follow/transport.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define TYPE_NULL    10
#define TYPE_SRV     33
#define TYPE_PRIVATE 65280 /* and up: RFC 6895 3.1 */

#define WINDOW_NS (600 * INT64_C(1000000000))
#define DOMAINS   512
#define FRAMES    12
#define WORDS     32 /* different names and answers, as bits by hash: 2048 */
/* Labels from here on may be data, with so many different bytes: base32 and hexadecimal reach that
 * within some dozen bytes, words and padding do not. */
#define DATA_LABEL   20
#define DATA_SYMBOLS 10
/* Bytes of data in a name: more than a DKIM or CDN token (32), a UUID (36) or a SHA-1 in
 * hexadecimal (40); encoders of tunnels fill names as far as they go. */
#define DATA_LEAST 41
/* Bytes of answers in all, and for each name: a reputation in TXT is shorter. */
#define DOWN_LEAST      4096
#define DOWN_LEAST_MEAN 24
/* Of the names, one in so many must have been answered with data that no other had. */
#define ANSWERS_SHARE 4
/* Names alone, without data in the answers, must be so many times more, and all ask for types that
 * can carry it. */
#define ALONE 2

struct domain {         /* names that one client asks below one domain */
    uint8_t client[16]; /* key */
    uint64_t hash;      /* key: of the domain */
    int64_t begin_ns;
    uint8_t family, common; /* common: labels that all names share, counted from the right */
    uint16_t type;          /* of the last */
    uint8_t frame_count;
    uint32_t names, answers; /* different ones */
    uint32_t telling;        /* names, asked for a type that can carry data */
    uint32_t told;           /* of names */
    uint64_t up, down;
    uint64_t asked[WORDS], answered[WORDS];
    uint64_t frames[FRAMES];
    uint8_t name[NAME_MAX_BYTES]; /* the last one */
};
#define DOMAIN_KEY 24

/* Known to move data through names, in products that people install on purpose; and reverse names.
 */
static const char *const lawful_names[] = {
    "arpa",     "sophosxl.net", "mcafee.com",   "e5.sk",
    "eset.com", "spamhaus.org", "spamhaus.net", "barracudacentral.org"};
#define LAWFUL (sizeof lawful_names / sizeof *lawful_names)

struct covert {
    uint8_t lawful[LAWFUL][NAME_MAX_BYTES];
    struct table *domains;
    struct teller *teller;
};

struct covert *covert_new(struct teller *teller)
{
    struct covert *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->teller = teller;
    for (size_t i = 0; i < LAWFUL; i++)
        name_parse(lawful_names[i], c->lawful[i]);
    c->domains = table_new(DOMAINS, sizeof(struct domain), DOMAIN_KEY, NULL, NULL);
    if (!c->domains) {
        free(c);
        return NULL;
    }
    return c;
}

void covert_free(struct covert *c)
{
    if (!c)
        return;
    table_free(c->domains);
    free(c);
}

/* --- names --- */

static bool is_lawful(const struct covert *c, const uint8_t *name)
{
    for (size_t i = 0; i < LAWFUL; i++)
        if (name_within(name, c->lawful[i]))
            return true;
    return false;
}

static bool looks_random(const uint8_t *label)
{
    uint64_t seen[4] = {0};
    unsigned symbols = 0;
    for (unsigned i = 1; i <= *label; i++)
        seen[label[i] >> 6] |= UINT64_C(1) << (label[i] & 63);
    for (unsigned i = 0; i < 4; i++)
        symbols += (unsigned)__builtin_popcountll(seen[i]);
    return symbols >= DATA_SYMBOLS;
}

/* Do its labels hold data, and does none say what the name is for (RFC 8552)? */
static bool carries(const uint8_t *name)
{
    unsigned data = 0;
    for (const uint8_t *label = name; *label; label += 1 + *label) {
        if (label[1] == '_')
            return false;
        if (*label >= DATA_LABEL && looks_random(label))
            data += *label;
    }
    return data >= DATA_LEAST;
}

/* The labels that name the domain somebody registered, near enough: two; three where the second is
 * as short as those below which registries sell (co.uk). */
static unsigned domain_labels(const uint8_t *name, unsigned labels)
{
    if (labels < 3)
        return labels;
    const uint8_t *second = name_suffix(name, 2);
    return second[0] <= 3 && second[1 + second[0]] == 2 ? 3 : 2;
}

/* Labels that both share, from the right. */
static unsigned shared_labels(const uint8_t *a, const uint8_t *b, unsigned most)
{
    unsigned n = most;
    while (n > 0 && !name_equal(name_suffix(a, n), name_suffix(b, n)))
        n--;
    return n;
}

/* --- answers --- */

static bool can_carry(uint16_t type)
{
    return type == TYPE_TXT || type == TYPE_NULL || type == TYPE_CNAME || type == TYPE_MX ||
           type == TYPE_SRV || type >= TYPE_PRIVATE;
}

/* Bytes in the answer section that can carry data, and a hash of them. */
static size_t payload(const struct dns_message *m, uint64_t *ret_hash)
{
    size_t bytes = 0;
    uint64_t hash = 0;
    for (size_t i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        if (rr->section != SECTION_ANSWER || !can_carry(rr->type))
            continue;
        bytes += rr->rdlen;
        hash = XXH3_64bits_withSeed(m->bytes + rr->rdata, rr->rdlen, hash);
    }
    *ret_hash = hash;
    return bytes;
}

/* --- counting --- */

static bool set_bit(uint64_t bits[WORDS], uint64_t hash)
{
    uint64_t *word = &bits[hash >> 6 & (WORDS - 1)], bit = UINT64_C(1) << (hash & 63);
    bool fresh = !(*word & bit);
    *word |= bit;
    return fresh;
}

static struct domain *domain_of(struct covert *c, const struct datagram *dg, uint64_t hash,
                                unsigned labels)
{
    uint8_t key[DOMAIN_KEY];
    memcpy(key, dg->flow.dst, 16);
    memcpy(key + 16, &hash, sizeof(hash));
    struct domain *d = table_find(c->domains, key);
    bool known = d != NULL;
    if (known)
        table_touch(c->domains, d);
    else
        d = table_insert(c->domains, key);
    if (known && flow_elapsed(d->begin_ns, dg->time_ns) <= WINDOW_NS)
        return d;
    memset((uint8_t *)d + DOMAIN_KEY, 0, sizeof(*d) - DOMAIN_KEY);
    d->family = dg->flow.family;
    d->begin_ns = dg->time_ns;
    d->common = (uint8_t)(labels > 0 ? labels - 1 : 0);
    return d;
}

/* Data in both directions; or in names alone, and then of questions that only make sense with it.
 */
static bool is_tunnel(const struct covert *c, const struct domain *d)
{
    uint64_t least = c->teller->thresholds->tunnel;
    bool both = (uint64_t)d->answers * ANSWERS_SHARE >= d->names && d->down >= DOWN_LEAST &&
                d->down >= (uint64_t)d->names * DOWN_LEAST_MEAN;
    bool alone = d->names >= least * ALONE && d->telling == d->names;
    return d->names >= least && d->names >= d->told * 2 && (both || alone);
}

static void tell(struct covert *c, struct domain *d, const struct datagram *dg)
{
    d->told = d->names;
    const struct fact_transport what = {.kind = TRANSPORT_TUNNEL,
                                        .family = d->family,
                                        .client = d->client,
                                        .part = d->names,
                                        .up = d->up,
                                        .down = d->down,
                                        .from_ns = d->begin_ns};
    struct fact fact = {.kind = FACT_TRANSPORT,
                        .time_ns = dg->time_ns,
                        .clock_ns = dg->time_ns,
                        .frame = dg->frame,
                        .frames = d->frames,
                        .frame_count = d->frame_count,
                        .zone = name_suffix(d->name, d->common),
                        .observed = {.owner = d->name, .type = d->type},
                        .transport = &what};
    c->teller->fact(c->teller->context, &fact);
}

void covert_add(struct covert *c, const struct datagram *dg, const struct dns_message *m)
{
    const struct dns_owner *name = &m->owners[m->qname];
    uint64_t answer;
    if (m->rcode != 0 || DNS_OPCODE(m->flags) != 0 || !m->has_question || !carries(name->name) ||
        is_lawful(c, name->name))
        return;
    unsigned labels = name_labels(name->name), shortest = domain_labels(name->name, labels);
    const uint8_t *domain = name_suffix(name->name, shortest);
    struct domain *d =
        domain_of(c, dg, XXH3_64bits_withSeed(domain, name_size(domain), c->teller->seed), labels);
    if (!set_bit(d->asked, XXH3_64bits_withSeed(name->name, name->size, c->teller->seed)))
        return;
    d->common = (uint8_t)(d->names++ ? shared_labels(d->name, name->name, d->common) : labels - 1);
    d->type = m->qtype;
    d->telling += m->qtype != TYPE_CNAME && m->qtype != TYPE_MX && can_carry(m->qtype);
    memcpy(d->name, name->name, name->size);
    d->up += name->size - name_size(domain);
    size_t bytes = payload(m, &answer);
    d->down += bytes;
    d->answers += bytes > 0 && set_bit(d->answered, answer);
    if (d->names > 4 && d->frame_count < FRAMES) {
        d->frames[d->frame_count++] = dg->frame;
        c->teller->hold(c->teller->context, &dg->frame, 1);
    }
    if (is_tunnel(c, d))
        tell(c, d, dg);
}
