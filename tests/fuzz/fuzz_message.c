/*
 * fuzz_message: any bytes as a DNS message, beside ldns; then as JSON.
 *
 * First byte: how many bytes more the message had on the wire. What both parsers accept must be the
 * same message. Known differences: ldns refuses rdata that does not fit its type (we do not look),
 * goes on where it stopped reading a record (we go on where its length says, RFC 1035 3.2.1),
 * follows pointers forward, takes any number of OPT anywhere and does not look into it; we take
 * pointers to the header (it does not).
 */
#include "analyze/decode/message.h"
#include "analyze/tell/event_dns.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct dns_message message;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_bounds(const struct dns_message *m)
{
    must(m->owner_count >= 1 && m->owner_count <= MESSAGE_NAMES_MAX);
    must(m->rr_count <= MESSAGE_RRS_MAX && m->qname == 0);
    must((m->trouble != NULL) == (m->state != MESSAGE_WHOLE));
    must(m->ede_count <= MESSAGE_EDES_MAX);
    for (unsigned i = 0; i < m->owner_count; i++) {
        const struct dns_owner *owner = &m->owners[i];
        must(owner->size >= 1 && owner->size == name_size(owner->name));
        for (unsigned j = 0; j < i && i < 40; j++) /* one index for one name */
            must(!name_equal(owner->name, m->owners[j].name));
    }
    for (unsigned i = 0; i < m->rr_count; i++) {
        must(m->rrs[i].owner < m->owner_count);
        must((size_t)m->rrs[i].rdata + m->rrs[i].rdlen <= m->size);
        must(m->rrs[i].section >= SECTION_ANSWER && m->rrs[i].section <= SECTION_ADDITIONAL);
        must(i == 0 || m->rrs[i].rdata >= m->rrs[i - 1].rdata);
    }
}

static void check_name(const uint8_t *name, const ldns_rdf *theirs)
{
    uint8_t lower[NAME_MAX_BYTES];
    size_t size = ldns_rdf_size(theirs);
    must(size == name_size(name));
    memcpy(lower, ldns_rdf_data(theirs), size);
    name_lower(lower, size);
    must(memcmp(lower, name, size) == 0);
}

static void check_section(const struct dns_message *m, uint8_t section, const ldns_rr_list *theirs)
{
    size_t at = 0, count = ldns_rr_list_rr_count(theirs);
    for (unsigned i = 0; i < m->rr_count; i++) {
        const struct dns_rr *rr = &m->rrs[i];
        /* ldns keeps TSIG elsewhere */
        if (rr->section != section || (rr->type == 250 && section == SECTION_ADDITIONAL))
            continue;
        must(at < count);
        const ldns_rr *their = ldns_rr_list_rr(theirs, at++);
        check_name(message_owner(m, rr), ldns_rr_owner(their));
        must(ldns_rr_get_type(their) == rr->type && ldns_rr_get_class(their) == rr->class);
        must(ldns_rr_ttl(their) == rr->ttl);
    }
    must(at == count);
}

/* Where ldns takes each record to end is where its length says. */
static bool aligned(const struct dns_message *m)
{
    size_t at = m->question_end;
    for (unsigned i = 0; i < m->rr_count; i++) {
        size_t end = (size_t)m->rrs[i].rdata + m->rrs[i].rdlen;
        ldns_rr_type type = LDNS_RR_TYPE_OPT; /* which is not among ours */
        while (type == LDNS_RR_TYPE_OPT) {
            ldns_rr *rr = NULL;
            if (ldns_wire2rr(&rr, m->bytes, m->size, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
                return false;
            type = ldns_rr_get_type(rr);
            ldns_rr_free(rr);
        }
        if (at != end)
            return false;
    }
    return true;
}

static void check_against(const struct dns_message *m, const ldns_pkt *theirs)
{
    must(ldns_pkt_id(theirs) == m->id && ldns_pkt_qr(theirs) == (m->flags >> 15));
    must(ldns_pkt_get_opcode(theirs) == (ldns_pkt_opcode)DNS_OPCODE(m->flags));
    must(ldns_pkt_tc(theirs) == !!(m->flags & DNS_TC) &&
         ldns_pkt_ad(theirs) == !!(m->flags & DNS_AD));
    must(m->has_question == (m->counts[0] == 1));
    if (m->has_question) {
        const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(theirs), 0);
        check_name(message_qname(m), ldns_rr_owner(question));
        must(ldns_rr_get_type(question) == m->qtype && ldns_rr_get_class(question) == m->qclass);
    }
    if (m->edns)
        must(ldns_pkt_edns_udp_size(theirs) == m->edns_size &&
             ldns_pkt_edns_do(theirs) == m->edns_do &&
             ldns_pkt_edns_version(theirs) == m->edns_version);
    check_section(m, SECTION_ANSWER, ldns_pkt_answer(theirs));
    check_section(m, SECTION_AUTHORITY, ldns_pkt_authority(theirs));
    check_section(m, SECTION_ADDITIONAL, ldns_pkt_additional(theirs));
}

/* What ldns accepts and we do not must be for a reason that we know of. */
static void check_refused(const struct dns_message *m)
{
    must(strstr(m->trouble, "OPT") || strstr(m->trouble, "owner name") ||
         strstr(m->trouble, "question"));
}

static void check_json(const struct dns_message *m)
{
    static struct jline line = {.most = (size_t)1 << 20};
    size_t size = 0;
    jline_begin(&line);
    event_dns_put(&line, m);
    const char *text = jline_end(&line, &size);
    must(text && strlen(text) == size && text[size - 1] == '}');
    for (size_t i = 0; i < size; i++)
        must(text[i] >= ' ' && text[i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size == 0 || size > 65536)
        return 0;
    size_t more = bytes[0];
    bytes++;
    size--;
    message_parse(bytes, size, size + more, &message);
    check_bounds(&message);
    check_json(&message);
    if (more > 0 || message.state == MESSAGE_CUT) {
        must(more > 0 || message.state != MESSAGE_CUT);
        return 0;
    }
    ldns_pkt *theirs = NULL;
    if (ldns_wire2pkt(&theirs, bytes, size) != LDNS_STATUS_OK)
        return 0;
    if (!message.crowded && aligned(&message)) {
        if (message.state != MESSAGE_WHOLE)
            check_refused(&message);
        else
            check_against(&message, theirs);
    }
    ldns_pkt_free(theirs);
    return 0;
}
