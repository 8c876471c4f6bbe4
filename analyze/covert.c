/*
 * covert: data in names; see covert.h.
 *
 * Contained in: analyze, tests. Must never: take the shape of the names alone for a tunnel.
 */
#define XXH_INLINE_ALL

#include "analyze/covert.h"

#include "analyze/table.h"
#include "analyze/transport.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define WINDOW_NS (600 * INT64_C(1000000000))
#define DOMAINS   512
#define FRAMES    12
#define WORDS     32 /* different names and answers, as bits by hash: 2048 */
/* Longer than a DKIM or CDN token (32), a SHA-1 in hexadecimal (40) or a UUID (36); encoders of
 * tunnels fill labels as far as they go. */
#define COVERT_LABEL 40
/* Bytes of answers in all, and for each name: a reputation in TXT is shorter. */
#define DOWN_LEAST      4096
#define DOWN_LEAST_MEAN 24
/* Of the names, one in so many must have been answered with data that no other had. */
#define ANSWERS_SHARE 4
/* Different bytes in a long label of data: base32 and hexadecimal reach this within some dozen
 * bytes; words and padding do not. */
#define SYMBOLS_LEAST 10

struct domain {         /* names that one client asks below one domain */
    uint8_t client[16]; /* key */
    uint64_t hash;      /* key: of the domain */
    int64_t begin_ns;
    uint8_t family, common; /* common: labels that all names share, counted from the right */
    uint16_t type;          /* of the last */
    uint8_t frame_count;
    uint32_t names, answers; /* different ones */
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

/* Is there a label of data, and none that says what the name is for (RFC 8552)? */
static bool carries(const uint8_t *name)
{
    bool data = false;
    for (const uint8_t *label = name; *label; label += 1 + *label) {
        if (label[1] == '_')
            return false;
        if (*label <= COVERT_LABEL)
            continue;
        uint64_t seen[4] = {0};
        unsigned symbols = 0;
        for (unsigned i = 1; i <= *label; i++)
            seen[label[i] >> 6] |= UINT64_C(1) << (label[i] & 63);
        for (unsigned i = 0; i < 4; i++)
            symbols += (unsigned)__builtin_popcountll(seen[i]);
        data |= symbols >= SYMBOLS_LEAST;
    }
    return data;
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
    return type == 16 /* TXT */ || type == 10 /* NULL */ || type == 5 /* CNAME */ ||
           type == 15 /* MX */ || type == 33 /* SRV */ || type >= 65280 /* private, RFC 6895 3.1 */;
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

static bool is_tunnel(const struct covert *c, const struct domain *d)
{
    return d->names >= c->teller->thresholds->tunnel && d->names >= d->told * 2 &&
           (uint64_t)d->answers * ANSWERS_SHARE >= d->names && d->down >= DOWN_LEAST &&
           d->down >= (uint64_t)d->names * DOWN_LEAST_MEAN;
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
