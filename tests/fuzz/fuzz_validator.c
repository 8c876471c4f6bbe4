/*
 * fuzz_validator: messages of a signed tree, taken apart and put together wrongly, beside the
 * truth.
 *
 * The tree is signed by ldns with fixed Ed25519 keys that only this file knows, so the truth about
 * every name is known too: a verdict of secure for data that was never signed, for the absence of
 * something that exists, or outside the time of the signatures is a failure, whatever was sent
 * before. Input: a byte of modes, then packets: message (index), seconds (an entry of a table),
 * number of changes (0 to 7), and four bytes a change.
 */
#include "analyze/batch.h"
#include "analyze/canon.h"

#include <ldns/ldns.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define T0       INT64_C(1800000000)
#define SECOND   INT64_C(1000000000)
#define VALIDITY 86400

enum { MODE_SMALL = 1, MODE_AHEAD = 2, MODE_NO_QUERY = 4, MODE_NO_MEMO = 8 };
enum { RRS_MAX = 24, MESSAGES_MAX = 40, RDATA_MAX = 400, PACKETS_MAX = 64, TRUTHS_MAX = 80 };

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* --- the tree --- */

struct rr {
    uint8_t owner[NAME_MAX_BYTES];
    uint16_t type, class, size;
    uint32_t ttl;
    uint8_t section;
    uint8_t rdata[RDATA_MAX];
};

struct message {
    uint8_t qname[NAME_MAX_BYTES];
    uint16_t qtype, flags;
    size_t count;
    struct rr rr[RRS_MAX];
};

struct truth { /* an RRset that was signed, or a name and type that exist */
    uint8_t owner[NAME_MAX_BYTES];
    uint16_t type;
    size_t count;
    struct {
        uint16_t size;
        uint8_t bytes[RDATA_MAX];
    } record[6];
};

static struct {
    ldns_key *root, *test, *zone, *three;
    struct anchors *anchors;
    size_t messages, truths;
    struct message message[MESSAGES_MAX];
    struct truth truth[TRUTHS_MAX];
} tree;

static ldns_key *key_of(const char *owner, char letter)
{
    char text[200];
    uint8_t secret[32];
    uint8_t base64[64];
    ldns_key *key = NULL;
    memset(secret, letter, sizeof secret);
    must(EVP_EncodeBlock(base64, secret, sizeof secret) == 44);
    snprintf(text, sizeof text,
             "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: %s\n",
             (const char *)base64);
    FILE *f = fmemopen(text, strlen(text), "r");
    must(f && ldns_key_new_frm_fp(&key, f) == LDNS_STATUS_OK);
    fclose(f);
    ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str(owner));
    ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    ldns_rr *rr = ldns_key2rr(key);
    ldns_key_set_keytag(key, ldns_calc_keytag(rr));
    ldns_rr_free(rr);
    ldns_key_set_inception(key, (uint32_t)(T0 - 3600));
    ldns_key_set_expiration(key, (uint32_t)(T0 + VALIDITY));
    ldns_key_set_use(key, true);
    return key;
}

/* RRs by what ldns writes, each uncompressed. */
static void put_rr(struct message *m, const ldns_rr *rr, uint8_t section)
{
    uint8_t *wire = NULL;
    size_t size = 0, next;
    must(m->count < RRS_MAX &&
         ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &size) == LDNS_STATUS_OK);
    struct rr *out = &m->rr[m->count++];
    must(name_read(wire, size, 0, false, out->owner, &next) > 0 && size - next - 10 <= RDATA_MAX);
    out->type = (uint16_t)(wire[next] << 8 | wire[next + 1]);
    out->class = 1;
    out->ttl = 300;
    out->section = section;
    out->size = (uint16_t)(size - next - 10);
    memcpy(out->rdata, wire + next + 10, out->size);
    free(wire);
}

static void note_truth(const struct message *m, size_t from, size_t to)
{
    must(tree.truths < TRUTHS_MAX && to - from <= 6);
    struct truth *t = &tree.truth[tree.truths++];
    memcpy(t->owner, m->rr[from].owner, sizeof t->owner);
    t->type = m->rr[from].type;
    for (size_t i = from; i < to; i++) {
        t->record[t->count].size = m->rr[i].size;
        memcpy(t->record[t->count++].bytes, m->rr[i].rdata, m->rr[i].size);
    }
}

/* One RRset from its lines, separated by '\n', with its signature; key NULL: unsigned. `shown`: the
 * owner under which it appears (a wildcard's expansion), or NULL. */
static void put_set(struct message *m, uint8_t section, const char *lines, ldns_key *key,
                    const char *shown)
{
    char copy[2000], *save;
    ldns_rr_list *set = ldns_rr_list_new(), *signatures = NULL;
    size_t from = m->count;
    must(strlen(lines) < sizeof copy);
    memcpy(copy, lines, strlen(lines) + 1);
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        ldns_rr *rr;
        must(ldns_rr_new_frm_str(&rr, line, 300, NULL, NULL) == LDNS_STATUS_OK);
        ldns_rr_list_push_rr(set, rr);
    }
    for (size_t i = 0; i < ldns_rr_list_rr_count(set); i++)
        put_rr(m, ldns_rr_list_rr(set, i), section);
    if (key) {
        ldns_key_list *keys = ldns_key_list_new();
        ldns_key_list_push_key(keys, key);
        signatures = ldns_sign_public(set, keys);
        must(signatures && ldns_rr_list_rr_count(signatures) == 1);
        note_truth(m, from, m->count);
        put_rr(m, ldns_rr_list_rr(signatures, 0), section);
        free(keys->_keys);
        LDNS_FREE(keys);
    }
    for (size_t i = from; shown && i < m->count; i++) {
        ldns_rdf *name = ldns_dname_new_frm_str(shown);
        memcpy(m->rr[i].owner, ldns_rdf_data(name), ldns_rdf_size(name));
        ldns_rdf_deep_free(name);
    }
    ldns_rr_list_deep_free(set);
    ldns_rr_list_deep_free(signatures);
}

static struct message *question(const char *qname, uint16_t qtype, uint16_t rcode)
{
    must(tree.messages < MESSAGES_MAX);
    struct message *m = &tree.message[tree.messages++];
    ldns_rdf *name = ldns_dname_new_frm_str(qname);
    memcpy(m->qname, ldns_rdf_data(name), ldns_rdf_size(name));
    name_lower(m->qname, ldns_rdf_size(name));
    ldns_rdf_deep_free(name);
    m->qtype = qtype;
    m->flags = (uint16_t)(DNS_QR | DNS_AA | rcode);
    return m;
}

static char *line_of(ldns_rr *rr)
{
    ldns_rr_set_ttl(rr, 300);
    char *text = ldns_rr2str(rr);
    ldns_rr_free(rr);
    return text;
}

static void put_chain(const char *name, ldns_key *key, ldns_key *parent)
{
    char *dnskey = line_of(ldns_key2rr(key));
    put_set(question(name, TYPE_DNSKEY, 0), SECTION_ANSWER, dnskey, key, NULL);
    if (parent) {
        ldns_rr *rr = ldns_key2rr(key);
        char *ds = line_of(ldns_key_rr2ds(rr, LDNS_SHA256));
        put_set(question(name, TYPE_DS, 0), SECTION_ANSWER, ds, parent, NULL);
        free(ds);
        ldns_rr_free(rr);
    } else {
        char error[200];
        must(anchors_add(tree.anchors, "root", dnskey, strlen(dnskey), error, sizeof error) == 0);
    }
    free(dnskey);
}

#define ZONE_SOA  "zone.test. 300 IN SOA ns.zone.test. h.zone.test. 1 2 3 4 300"
#define TEST_SOA  "test. 300 IN SOA ns.test. h.test. 1 2 3 4 300"
#define THREE_SOA "three.test. 300 IN SOA ns.three.test. h.three.test. 1 2 3 4 300"
/* The NSEC chains, whole. */
#define NSEC_ZONE "zone.test. 300 IN NSEC alias.zone.test. A NS SOA RRSIG NSEC DNSKEY"
#define NSEC_D    "d.zone.test. 300 IN NSEC *.wild.zone.test. DNAME RRSIG NSEC"
#define NSEC_WILD "*.wild.zone.test. 300 IN NSEC www.zone.test. A RRSIG NSEC"
#define NSEC_WWW  "www.zone.test. 300 IN NSEC zone.test. A RRSIG NSEC"

static void plant_nsec(void)
{
    struct message *m = question("www.zone.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER,
            "www.zone.test. 300 IN A 192.0.2.1\nwww.zone.test. 300 IN A 192.0.2.2", tree.zone,
            NULL);
    m = question("alias.zone.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER, "alias.zone.test. 300 IN CNAME www.zone.test.", tree.zone, NULL);
    put_set(m, SECTION_ANSWER,
            "www.zone.test. 300 IN A 192.0.2.1\nwww.zone.test. 300 IN A 192.0.2.2", tree.zone,
            NULL);
    m = question("any.wild.zone.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER, "*.wild.zone.test. 300 IN A 192.0.2.9", tree.zone,
            "any.wild.zone.test.");
    put_set(m, SECTION_AUTHORITY, NSEC_WILD, tree.zone, NULL);
    m = question("www.d.zone.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER, "d.zone.test. 300 IN DNAME zone.test.", tree.zone, NULL);
    put_set(m, SECTION_ANSWER, "www.d.zone.test. 300 IN CNAME www.zone.test.", NULL, NULL);
    put_set(m, SECTION_ANSWER,
            "www.zone.test. 300 IN A 192.0.2.1\nwww.zone.test. 300 IN A 192.0.2.2", tree.zone,
            NULL);
    m = question("nope.zone.test.", TYPE_A, 3);
    put_set(m, SECTION_AUTHORITY, ZONE_SOA, tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, NSEC_D, tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, NSEC_ZONE, tree.zone, NULL);
    m = question("www.zone.test.", TYPE_TXT, 0);
    put_set(m, SECTION_AUTHORITY, ZONE_SOA, tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, NSEC_WWW, tree.zone, NULL);
    m = question("any.wild.zone.test.", TYPE_TXT, 0);
    put_set(m, SECTION_AUTHORITY, ZONE_SOA, tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, NSEC_WILD, tree.zone, NULL);
    m = question("zone.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER, "zone.test. 300 IN A 192.0.2.7", tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, "zone.test. 300 IN NS ns.zone.test.", tree.zone, NULL);
    put_set(m, SECTION_AUTHORITY, "alias.zone.test. 300 IN NSEC d.zone.test. CNAME RRSIG NSEC",
            tree.zone, NULL);
}

static void plant_above(void)
{
    struct message *m = question("x.plain.test.", TYPE_A, 0);
    m->flags = DNS_QR;
    put_set(m, SECTION_AUTHORITY, "plain.test. 300 IN NS ns.plain.test.", NULL, NULL);
    put_set(m, SECTION_AUTHORITY, "plain.test. 300 IN NSEC three.test. NS RRSIG NSEC", tree.test,
            NULL);
    m = question("x.plain.test.", TYPE_A, 0);
    put_set(m, SECTION_ANSWER, "x.plain.test. 300 IN A 192.0.2.5", NULL, NULL);
    m = question("nope.test.", TYPE_A, 3);
    put_set(m, SECTION_AUTHORITY, TEST_SOA, tree.test, NULL);
    put_set(m, SECTION_AUTHORITY, "test. 300 IN NSEC plain.test. NS SOA RRSIG NSEC DNSKEY",
            tree.test, NULL);
    put_set(m, SECTION_AUTHORITY, "three.test. 300 IN NSEC zone.test. NS DS RRSIG NSEC", tree.test,
            NULL);
    put_set(m, SECTION_AUTHORITY, "zone.test. 300 IN NSEC test. NS DS RRSIG NSEC", tree.test, NULL);
    m = question("nope.", TYPE_A, 3);
    put_set(m, SECTION_AUTHORITY, ". 300 IN SOA a. b. 1 2 3 4 300", tree.root, NULL);
    put_set(m, SECTION_AUTHORITY, ". 300 IN NSEC test. NS SOA RRSIG NSEC DNSKEY", tree.root, NULL);
    put_set(m, SECTION_AUTHORITY, "test. 300 IN NSEC . NS DS RRSIG NSEC", tree.root, NULL);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* three.test.: its apex, a (A), e (empty), b.e (A), cut (unsigned delegation, under opt-out: not in
 * the chain). */
static void plant_nsec3(void)
{
    static const char *const names[] = {"three.test.", "a.three.test.", "e.three.test.",
                                        "b.e.three.test."};
    static const char *const types[] = {"NS SOA RRSIG DNSKEY NSEC3PARAM", "A RRSIG", "", "A RRSIG"};
    char *hash[4], *sorted[4];
    for (size_t i = 0; i < 4; i++) {
        ldns_rdf *name = ldns_dname_new_frm_str(names[i]);
        ldns_rdf *hashed = ldns_nsec3_hash_name(name, 1, 0, 0, NULL);
        hash[i] = sorted[i] = ldns_rdf2str(hashed);
        hash[i][32] = 0; /* the label without the root behind it */
        ldns_rdf_deep_free(name);
        ldns_rdf_deep_free(hashed);
    }
    qsort(sorted, 4, sizeof *sorted, by_text);
    for (unsigned variant = 0; variant < 3; variant++) {
        struct message *m = variant == 0   ? question("nope.three.test.", TYPE_A, 3)
                            : variant == 1 ? question("a.three.test.", TYPE_TXT, 0)
                                           : question("cut.three.test.", TYPE_DS, 0);
        put_set(m, SECTION_AUTHORITY, THREE_SOA, tree.three, NULL);
        for (size_t i = 0; i < 4; i++) {
            char line[300];
            size_t at = 0;
            while (sorted[at] != hash[i])
                at++;
            snprintf(line, sizeof line, "%s.three.test. 300 IN NSEC3 1 1 0 - %s %s", hash[i],
                     sorted[(at + 1) % 4], types[i]);
            put_set(m, SECTION_AUTHORITY, line, tree.three, NULL);
        }
    }
    for (size_t i = 0; i < 4; i++)
        free(hash[i]);
    put_set(question("a.three.test.", TYPE_A, 0), SECTION_ANSWER,
            "a.three.test. 300 IN A 192.0.2.3", tree.three, NULL);
    put_set(question("b.e.three.test.", TYPE_A, 0), SECTION_ANSWER,
            "b.e.three.test. 300 IN A 192.0.2.4", tree.three, NULL);
}

static void plant(void)
{
    tree.anchors = anchors_new();
    tree.root = key_of(".", 'r');
    tree.test = key_of("test.", 't');
    tree.zone = key_of("zone.test.", 'z');
    tree.three = key_of("three.test.", '3');
    put_chain(".", tree.root, NULL);
    put_chain("test.", tree.test, tree.root);
    put_chain("zone.test.", tree.zone, tree.test);
    put_chain("three.test.", tree.three, tree.test);
    plant_nsec();
    plant_above();
    plant_nsec3();
}

/* --- the truth --- */

static struct { /* of this run */
    struct answers answers;
    struct pair *pair;
    struct memo *memo;
    struct batch *batch;
    uint64_t frame;
    unsigned secure;
} run;

static const uint8_t *wire_name(const char *text)
{
    static uint8_t name[8][NAME_MAX_BYTES];
    static unsigned turn;
    uint8_t *out = name[turn++ % 8], *at = out;
    for (const char *dot; (dot = strchr(text, '.')) != NULL; text = dot + 1) {
        if (dot == text)
            break;
        *at++ = (uint8_t)(dot - text);
        memcpy(at, text, (size_t)(dot - text));
        at += dot - text;
    }
    *at = 0;
    return out;
}

static bool strictly_below(const uint8_t *name, const char *above)
{
    return name_within(name, wire_name(above)) && !name_equal(name, wire_name(above));
}

/* Was a set with exactly these records signed under that owner? */
static bool was_signed(const uint8_t *owner, const struct rrset *set)
{
    for (size_t i = 0; i < tree.truths; i++) {
        const struct truth *t = &tree.truth[i];
        size_t found = 0;
        uint16_t size;
        if (t->type != set->type || t->count != set->count || !name_equal(t->owner, owner))
            continue;
        for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;)
            for (size_t k = 0; k < t->count; k++)
                found += t->record[k].size == size && memcmp(t->record[k].bytes, r, size) == 0;
        if (found == t->count)
            return true;
    }
    return false;
}

static bool is_true(const struct rrset *set)
{
    if (was_signed(set->owner, set))
        return true;
    if (strictly_below(set->owner, "wild.zone.test.") &&
        was_signed(wire_name("*.wild.zone.test."), set))
        return true;
    /* what the DNAME yields; its target is checked by the validator's unit tests */
    return set->type == TYPE_CNAME && strictly_below(set->owner, "d.zone.test.");
}

/* Names of which no signed denial may be believed, and the types there; 0 any type. */
static bool exists(const uint8_t *name, uint16_t type)
{
    if (strictly_below(name, "d.zone.test.") || name_within(name, wire_name("plain.test.")))
        return type != TYPE_DS || !name_equal(name, wire_name("plain.test."));
    if (name_equal(name, wire_name("wild.zone.test.")) ||
        name_equal(name, wire_name("e.three.test.")))
        return type == 0;
    if (strictly_below(name, "wild.zone.test."))
        return type == 0 || type == TYPE_A;
    for (size_t i = 0; i < tree.truths; i++)
        if (tree.truth[i].type != TYPE_NSEC3 && name_equal(tree.truth[i].owner, name) &&
            (type == 0 || type == tree.truth[i].type || tree.truth[i].type == TYPE_CNAME))
            return true;
    return false;
}

static void must_be_true(const struct answer *a, int64_t time_ns)
{
    if (reason_verdict(a->reason) != VERDICT_SECURE || a->kind == ANSWER_OTHER)
        return;
    must(time_ns >= (T0 - 3600) * SECOND && time_ns < (T0 + VALIDITY + 1) * SECOND);
    if (a->kind == ANSWER_NXDOMAIN)
        must(!exists(a->qname, 0));
    else if (a->kind == ANSWER_NODATA)
        must(!exists(a->qname, a->qtype));
    for (size_t i = 0; a->kind == ANSWER_POSITIVE && i < a->sets; i++)
        if (answer_nth(a, i)->section == SECTION_ANSWER)
            must(is_true(answer_nth(a, i)->set));
}

static void on_judged(void *context, struct answer *a, bool retro)
{
    (void)context;
    (void)retro;
    must_be_true(a, a->time_ns);
}

static void on_answer(void *context, const struct datagram *dg, uint16_t id, struct answer *a,
                      const struct query *query, bool fresh, const struct dns_message *referral)
{
    (void)context;
    (void)id;
    (void)query;
    (void)fresh;
    (void)referral;
    must_be_true(a, dg->time_ns);
    run.secure += reason_verdict(a->reason) == VERDICT_SECURE;
}

/* --- changes --- */

static struct rr *some_rr(struct message *m, uint8_t which)
{
    return m->count ? &m->rr[which % m->count] : NULL;
}

static void change_rdata(struct rr *rr, uint8_t how, uint8_t where, uint8_t value)
{
    size_t at = rr->size ? (size_t)where % rr->size : 0;
    switch (how) {
    case 0:
        if (rr->size)
            rr->rdata[at] = value;
        break;
    case 1: /* near the end: signatures, digests, bitmaps */
        if (rr->size)
            rr->rdata[rr->size - 1u - where % (rr->size < 64 ? rr->size : 64u)] ^= value;
        break;
    case 2:
        if (rr->size < RDATA_MAX) {
            memmove(rr->rdata + at + 1, rr->rdata + at, rr->size - at);
            rr->rdata[at] = value;
            rr->size++;
        }
        break;
    default:
        if (rr->size > at)
            rr->size = (uint16_t)at;
        break;
    }
}

static void change_set(struct message *m, uint8_t how, uint8_t which, uint8_t value)
{
    const struct message *other = &tree.message[value % tree.messages];
    struct rr *rr = some_rr(m, which);
    switch (how) {
    case 0: /* without it */
        if (rr) {
            memmove(rr, rr + 1, (size_t)(&m->rr[m->count] - (rr + 1)) * sizeof *rr);
            m->count--;
        }
        break;
    case 1: /* one from elsewhere, instead */
        if (rr && other->count)
            *rr = other->rr[which % other->count];
        break;
    case 2: /* one from elsewhere, too */
        if (m->count < RRS_MAX && other->count)
            m->rr[m->count++] = other->rr[which % other->count];
        break;
    case 3: /* all of another message */
        for (size_t i = 0; i < other->count && m->count < RRS_MAX; i++)
            m->rr[m->count++] = other->rr[i];
        break;
    default:
        if (rr)
            rr->section = (uint8_t)(1 + value % 3);
        break;
    }
}

static void change(struct message *m, const uint8_t b[4])
{
    static const uint16_t types[] = {1, 2, 5, 6, 16, 28, 39, 43, 46, 47, 48, 50, 51, 255};
    const struct message *other = &tree.message[b[3] % tree.messages];
    struct rr *rr = some_rr(m, b[1]);
    switch (b[0] % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (rr)
            change_rdata(rr, b[0] % 16, b[2], b[3]);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        change_set(m, (uint8_t)(b[0] % 16 - 4), b[1], b[3]);
        break;
    case 9: /* another question */
        memcpy(m->qname, other->qname, sizeof m->qname);
        break;
    case 10:
        m->qtype = types[b[3] % (sizeof types / sizeof *types)];
        break;
    case 11:
        m->flags ^= (uint16_t)(b[2] & 4 ? DNS_AA : b[2] & 8 ? DNS_AD : 3);
        break;
    case 12: /* a letter of an owner, or of the question */
        if (rr && b[2] & 1 && rr->owner[0])
            rr->owner[1 + b[2] / 2 % rr->owner[0]] = b[3];
        else if (m->qname[0])
            m->qname[1 + b[2] / 2 % m->qname[0]] = b[3];
        break;
    case 13: /* one label more or less */
        if (rr && b[2] & 1 && rr->owner[0])
            memmove(rr->owner, rr->owner + rr->owner[0] + 1, name_size(name_strip(rr->owner, 1)));
        else if (rr && name_size(rr->owner) + 2 <= 255) {
            memmove(rr->owner + 2, rr->owner, name_size(rr->owner));
            rr->owner[0] = 1;
            rr->owner[1] = b[3];
        }
        break;
    case 14:
        if (rr)
            rr->type = types[b[3] % (sizeof types / sizeof *types)];
        break;
    default:
        if (rr && other->count)
            memcpy(rr->owner, other->rr[b[2] % other->count].owner, sizeof rr->owner);
        break;
    }
}

/* --- the wire --- */

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static size_t write_message(const struct message *m, bool query, uint16_t id, uint8_t *out)
{
    uint8_t *at = put16(put16(out, id), query ? DNS_RD : m->flags);
    unsigned counts[4] = {0};
    for (size_t i = 0; !query && i < m->count; i++)
        counts[m->rr[i].section]++;
    at = put16(put16(put16(put16(at, 1), counts[1]), counts[2]), counts[3] + 1);
    size_t size = name_size(m->qname);
    memcpy(at, m->qname, size);
    at = put16(put16(at + size, m->qtype), 1);
    for (uint8_t section = 1; section <= 3; section++) {
        for (size_t i = 0; !query && i < m->count; i++) {
            const struct rr *rr = &m->rr[i];
            if (rr->section != section)
                continue;
            size = name_size(rr->owner);
            memcpy(at, rr->owner, size);
            at = put16(put16(at + size, rr->type), rr->class);
            at = put16(put16(put16(at, 0), rr->ttl), rr->size);
            memcpy(at, rr->rdata, rr->size);
            at += rr->size;
        }
    }
    *at++ = 0; /* OPT with DO */
    at = put16(put16(put16(put16(put16(at, TYPE_OPT), 1232), 0), 0x8000), 0);
    return (size_t)(at - out);
}

static void send_message(struct batch *batch, const struct message *m, bool query, int64_t time_ns)
{
    static uint8_t wire[RRS_MAX * (NAME_MAX_BYTES + 10 + RDATA_MAX) + 1024];
    struct datagram dg = {.flow = {.family = 4, .proto = IPPROTO_UDP, .sport = 53, .dport = 4000},
                          .bytes = wire,
                          .time_ns = time_ns,
                          .frame = ++run.frame,
                          .frames = &run.frame,
                          .frame_count = 1};
    if (query) {
        dg.flow.sport = 4000;
        dg.flow.dport = 53;
    }
    dg.size = dg.wire_size = write_message(m, query, 7, wire);
    batch_message(batch, &dg);
}

static size_t send_packet(struct batch *batch, const uint8_t *bytes, size_t size, uint8_t mode)
{
    static const int32_t times[] = {
        0, 1, 60, 400, 4000, -3599, -3700, VALIDITY - 1, VALIDITY + 1, VALIDITY + 4000, 10, 20};
    struct message m = tree.message[bytes[0] % tree.messages];
    int64_t time_ns = (T0 + times[bytes[1] % (sizeof times / sizeof *times)]) * SECOND;
    size_t used = 3;
    for (unsigned i = 0; i < (bytes[2] & 7u) && size - used >= 4; i++, used += 4)
        change(&m, bytes + used);
    if (!(mode & MODE_NO_QUERY))
        send_message(batch, &m, true, time_ns);
    send_message(batch, &m, false, time_ns);
    if (bytes[2] & 8)
        batch_flush(batch);
    return used;
}

static void begin(uint8_t mode)
{
    static struct settings s;
    static struct ahead *ahead;
    if (ahead == NULL)
        must((ahead = ahead_new(1, NULL)) != NULL);
    settings_default(&s);
    s.queries = 1024;
    s.memory_bytes = mode & MODE_SMALL ? 8192 : 1 << 20;
    s.message_signatures = mode & MODE_SMALL ? 4 : 64;
    memset(&run, 0, sizeof run);
    must(answers_init(&run.answers, &s, tree.anchors, NULL, 42) == 0);
    run.answers.on_judged = on_judged;
    run.pair = pair_new(&s);
    run.memo = memo_new(mode & MODE_NO_MEMO ? 0 : 1 << 16, 42);
    struct batch_parts parts = {.answers = &run.answers,
                                .pair = run.pair,
                                .memo = run.memo,
                                .ahead = mode & MODE_AHEAD ? ahead : NULL,
                                .on_answer = on_answer,
                                .on_forget = NULL};
    run.batch = batch_new(&parts);
    must(run.pair && run.memo && run.batch);
}

static void end(void)
{
    batch_flush(run.batch);
    batch_free(run.batch);
    memo_free(run.memo);
    pair_free(run.pair);
    answers_fini(&run.answers);
}

/* As it is, all of the tree is secure but what lies below its unsigned delegation: else the truths
 * above would be idle. */
static void must_be_sound(void)
{
    begin(0);
    for (size_t i = 0; i < 2 * tree.messages; i++) { /* the second time every key is known */
        const uint8_t packet[3] = {(uint8_t)(i % tree.messages), 0, 8};
        unsigned before = run.secure;
        const struct message *m = &tree.message[i % tree.messages];
        (void)send_packet(run.batch, packet, sizeof packet, 0);
        bool opt_out = m->flags & 3 || m->qtype == TYPE_DS;
        must(run.secure > before || i < tree.messages ||
             name_equal(m->qname, wire_name("x.plain.test.")) ||
             (opt_out && strictly_below(m->qname, "three.test.")));
    }
    end();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (tree.messages == 0) {
        plant();
        must_be_sound();
    }
    if (size < 1)
        return 0;
    uint8_t mode = bytes[0];
    begin(mode);
    bytes++;
    size--;
    for (unsigned packets = 0; size >= 3 && packets < PACKETS_MAX; packets++) {
        size_t used = send_packet(run.batch, bytes, size, mode);
        bytes += used;
        size -= used;
    }
    end();
    return 0;
}
