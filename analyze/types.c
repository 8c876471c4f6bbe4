/*
 * types: words for numbers, rdata as text; see types.h.
 *
 * Contained in: analyze, tests. Must never: hand a byte outside printable ASCII to its caller.
 */
#include "analyze/types.h"

#include "rules/algorithm.h"
#include "sandbox/cursor.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct word {
    uint16_t number;
    const char *text;
};

/* www.iana.org/assignments/dns-parameters, ascending */
static const struct word rrs[] = {
    {1, "A"},           {2, "NS"},        {3, "MD"},        {4, "MF"},       {5, "CNAME"},
    {6, "SOA"},         {7, "MB"},        {8, "MG"},        {9, "MR"},       {10, "NULL"},
    {11, "WKS"},        {12, "PTR"},      {13, "HINFO"},    {14, "MINFO"},   {15, "MX"},
    {16, "TXT"},        {17, "RP"},       {18, "AFSDB"},    {19, "X25"},     {20, "ISDN"},
    {21, "RT"},         {22, "NSAP"},     {23, "NSAP-PTR"}, {24, "SIG"},     {25, "KEY"},
    {26, "PX"},         {27, "GPOS"},     {28, "AAAA"},     {29, "LOC"},     {30, "NXT"},
    {31, "EID"},        {32, "NIMLOC"},   {33, "SRV"},      {34, "ATMA"},    {35, "NAPTR"},
    {36, "KX"},         {37, "CERT"},     {38, "A6"},       {39, "DNAME"},   {40, "SINK"},
    {41, "OPT"},        {42, "APL"},      {43, "DS"},       {44, "SSHFP"},   {45, "IPSECKEY"},
    {46, "RRSIG"},      {47, "NSEC"},     {48, "DNSKEY"},   {49, "DHCID"},   {50, "NSEC3"},
    {51, "NSEC3PARAM"}, {52, "TLSA"},     {53, "SMIMEA"},   {55, "HIP"},     {56, "NINFO"},
    {57, "RKEY"},       {58, "TALINK"},   {59, "CDS"},      {60, "CDNSKEY"}, {61, "OPENPGPKEY"},
    {62, "CSYNC"},      {63, "ZONEMD"},   {64, "SVCB"},     {65, "HTTPS"},   {66, "DSYNC"},
    {67, "HHIT"},       {68, "BRID"},     {99, "SPF"},      {100, "UINFO"},  {101, "UID"},
    {102, "GID"},       {103, "UNSPEC"},  {104, "NID"},     {105, "L32"},    {106, "L64"},
    {107, "LP"},        {108, "EUI48"},   {109, "EUI64"},   {128, "NXNAME"}, {249, "TKEY"},
    {250, "TSIG"},      {251, "IXFR"},    {252, "AXFR"},    {253, "MAILB"},  {254, "MAILA"},
    {255, "ANY"},       {256, "URI"},     {257, "CAA"},     {258, "AVC"},    {259, "DOA"},
    {260, "AMTRELAY"},  {261, "RESINFO"}, {262, "WALLET"},  {263, "CLA"},    {264, "IPN"},
    {32768, "TA"},      {32769, "DLV"},
};

static const struct word classes[] = {
    {1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"},
};

static const struct word algorithms[] = {
#define X(number, mnemonic, checked, signing, validation, reference) {number, mnemonic},
    ALGORITHMS(X)
#undef X
};

static const struct word digests[] = {
#define X(number, mnemonic, bytes, checked, delegation, validation, reference) {number, mnemonic},
    DIGESTS(X)
#undef X
};

static const struct word rcodes[] = {
    {0, "NOERROR"},  {1, "FORMERR"},    {2, "SERVFAIL"}, {3, "NXDOMAIN"},  {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"},   {7, "YXRRSET"},  {8, "NXRRSET"},   {9, "NOTAUTH"},
    {10, "NOTZONE"}, {11, "DSOTYPENI"}, {16, "BADVERS"}, {17, "BADKEY"},   {18, "BADTIME"},
    {19, "BADMODE"}, {20, "BADNAME"},   {21, "BADALG"},  {22, "BADTRUNC"}, {23, "BADCOOKIE"},
};

static const struct word opcodes[] = {
    {0, "QUERY"}, {1, "IQUERY"}, {2, "STATUS"}, {4, "NOTIFY"}, {5, "UPDATE"}, {6, "DSO"},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* The tables ascend. */
static const char *word_of(const struct word *table, size_t count, uint16_t number,
                           const char *prefix, char *ret_text)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].number == number)
            return table[middle].text;
        if (table[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    snprintf(ret_text, TYPES_TEXT, "%s%u", prefix, number);
    return ret_text;
}

const char *types_rr(uint16_t type, char ret_text[TYPES_TEXT])
{
    return word_of(rrs, COUNT(rrs), type, "TYPE", ret_text);
}

const char *types_class(uint16_t class, char ret_text[TYPES_TEXT])
{
    return word_of(classes, COUNT(classes), class, "CLASS", ret_text);
}

const char *types_algorithm(uint8_t algorithm, char ret_text[TYPES_TEXT])
{
    return word_of(algorithms, COUNT(algorithms), algorithm, "ALG", ret_text);
}

const char *types_digest(uint8_t digest_type, char ret_text[TYPES_TEXT])
{
    return word_of(digests, COUNT(digests), digest_type, "DIGEST", ret_text);
}

const char *types_rcode(uint16_t rcode, char ret_text[TYPES_TEXT])
{
    return word_of(rcodes, COUNT(rcodes), rcode, "RCODE", ret_text);
}

const char *types_opcode(uint8_t opcode, char ret_text[TYPES_TEXT])
{
    return word_of(opcodes, COUNT(opcodes), opcode, "OPCODE", ret_text);
}

/* `bare`: the number alone will do. */
static bool number_of(const struct word *table, size_t count, const char *prefix, bool bare,
                      unsigned long most, const char *text, unsigned long *ret_number)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(table[i].text, text) == 0) {
            *ret_number = table[i].number;
            return true;
        }
    size_t skip = strlen(prefix);
    if (strncasecmp(text, prefix, skip) == 0)
        text += skip;
    else if (!bare)
        return false;
    if (*text < '0' || *text > '9' || strlen(text) > 5)
        return false;
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number > most)
        return false;
    *ret_number = number;
    return true;
}

bool types_rr_parse(const char *text, uint16_t *ret_type)
{
    unsigned long number;
    if (!number_of(rrs, COUNT(rrs), "TYPE", false, UINT16_MAX, text, &number))
        return false;
    *ret_type = (uint16_t)number;
    return true;
}

bool types_class_parse(const char *text, uint16_t *ret_class)
{
    unsigned long number;
    if (!number_of(classes, COUNT(classes), "CLASS", false, UINT16_MAX, text, &number))
        return false;
    *ret_class = (uint16_t)number;
    return true;
}

bool types_algorithm_parse(const char *text, uint8_t *ret_algorithm)
{
    unsigned long number;
    if (!number_of(algorithms, COUNT(algorithms), "ALG", true, UINT8_MAX, text, &number))
        return false;
    *ret_algorithm = (uint8_t)number;
    return true;
}

bool types_rcode_parse(const char *text, uint16_t *ret_rcode)
{
    unsigned long number;
    if (!number_of(rcodes, COUNT(rcodes), "RCODE", true, 4095, text, &number))
        return false;
    *ret_rcode = (uint16_t)number;
    return true;
}

/* Text of bounded length; what does not fit is shown to be missing. */
struct text {
    char *bytes;
    size_t used, room;
    bool full;
};

static void put(struct text *t, const char *bytes, size_t size)
{
    if (t->full || size >= t->room - t->used) {
        t->full = true;
        return;
    }
    memcpy(t->bytes + t->used, bytes, size);
    t->used += size;
}

static void put_byte(struct text *t, uint8_t byte)
{
    char escape[4] = {'\\', (char)('0' + byte / 100), (char)('0' + byte / 10 % 10),
                      (char)('0' + byte % 10)};
    if (byte >= ' ' && byte < 0x7f)
        put(t, (char *)&byte, 1);
    else
        put(t, byte == '\t' ? " " : escape, byte == '\t' ? 1 : sizeof(escape));
}

static const char *finish(struct text *t)
{
    if (t->full) {
        if (t->used > t->room - 4)
            t->used = t->room - 4;
        memcpy(t->bytes + t->used, "...", 3);
        t->used += 3;
    }
    t->bytes[t->used] = '\0';
    return t->bytes;
}

static void put_unknown(struct text *t, const uint8_t *rdata, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char head[24];
    int n = snprintf(head, sizeof(head), "\\# %zu%s", size, size > 0 ? " " : "");
    put(t, head, (size_t)n);
    for (size_t i = 0; i < size && !t->full; i++) {
        const char pair[2] = {digits[rdata[i] >> 4], digits[rdata[i] & 15]};
        put(t, pair, 2);
    }
}

/* An RR of the root around the rdata, as ldns wants it; NULL if ldns refuses it. */
static ldns_rr *read_rr(uint16_t type, const uint8_t *rdata, size_t size)
{
    const uint8_t head[] = {0, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0,
                            0, (uint8_t)(size >> 8), (uint8_t)size};
    uint8_t *wire = malloc(sizeof(head) + size);
    ldns_rr *rr = NULL;
    size_t at = 0;
    if (!wire)
        return NULL;
    memcpy(wire, head, sizeof(head));
    memcpy(wire + sizeof(head), rdata, size);
    if (ldns_wire2rr(&rr, wire, sizeof(head) + size, &at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
        rr = NULL;
    free(wire);
    if (at == sizeof(head) + size)
        return rr;
    ldns_rr_free(rr);
    return NULL;
}

/* Each field of the rdata, a space between; false if ldns cannot print it. */
static bool put_fields(struct text *t, const ldns_rr *rr)
{
    ldns_buffer *field = ldns_buffer_new(256);
    bool ok = field != NULL && ldns_rr_rd_count(rr) > 0;
    for (size_t i = 0; ok && i < ldns_rr_rd_count(rr); i++) {
        ldns_buffer_clear(field);
        ok = ldns_rdf2buffer_str(field, ldns_rr_rdf(rr, i)) == LDNS_STATUS_OK;
        if (ok && i > 0)
            put(t, " ", 1);
        size_t length = ok ? ldns_buffer_position(field) : 0;
        const uint8_t *bytes = ldns_buffer_begin(field);
        /* bitmaps end in a space, and RFC 5155 3.3 wants base32 without padding */
        bool padded = ok && ldns_rdf_get_type(ldns_rr_rdf(rr, i)) == LDNS_RDF_TYPE_NSEC3_NEXT_OWNER;
        while (length > 0 && (bytes[length - 1] == ' ' || (padded && bytes[length - 1] == '=')))
            length--;
        for (size_t j = 0; j < length; j++)
            put_byte(t, bytes[j]);
    }
    ldns_buffer_free(field);
    return ok;
}

/* NULL has no presentation form (RFC 1035 3.3.10), OPT is no record. */
static bool ldns_knows(uint16_t type)
{
    const ldns_rr_descriptor *d = ldns_rr_descript(type);
    return d && d->_name && strncmp(d->_name, "TYPE", 4) != 0 && type != LDNS_RR_TYPE_NULL &&
           type != LDNS_RR_TYPE_OPT;
}

const char *types_rdata_text(uint16_t type, const uint8_t *rdata, size_t size, char *ret_text,
                             size_t room)
{
    struct text t = {.bytes = ret_text, .room = room};
    ldns_rr *rr = NULL;
    if (size > UINT16_MAX)
        size = UINT16_MAX;
    if (size > 0 && ldns_knows(type))
        rr = read_rr(type, rdata, size);
    if (!rr || !put_fields(&t, rr)) {
        t = (struct text){.bytes = ret_text, .room = room};
        put_unknown(&t, rdata, size);
    }
    ldns_rr_free(rr);
    return finish(&t);
}
