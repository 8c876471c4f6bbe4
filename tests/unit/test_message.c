/*
 * test_message: DNS messages, whole, cut, broken and hostile.
 */
#include "analyze/decode/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dns_message message;

/* Header with one question for "Aa.Test." A, then what the test adds. */
struct wire {
    uint8_t bytes[65535];
    size_t size;
};

static void put(struct wire *w, const void *bytes, size_t size)
{
    assert_true(w->size + size <= sizeof(w->bytes));
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

static void put16(struct wire *w, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(w, bytes, 2);
}

static void put_header(struct wire *w, unsigned flags, unsigned qd, unsigned an, unsigned ns,
                       unsigned ar)
{
    w->size = 0;
    put16(w, 0x1234);
    put16(w, flags);
    put16(w, qd);
    put16(w, an);
    put16(w, ns);
    put16(w, ar);
}

static void put_question(struct wire *w)
{
    put(w, "\2Aa\4Test\0\0\1\0\1", 13);
}

static void put_rr(struct wire *w, const void *owner, size_t owner_size, unsigned type,
                   unsigned class, unsigned ttl, const void *rdata, size_t rdlen)
{
    put(w, owner, owner_size);
    put16(w, type);
    put16(w, class);
    put16(w, ttl >> 16);
    put16(w, ttl & 0xffff);
    put16(w, (unsigned)rdlen);
    put(w, rdata, rdlen);
}

static enum message_state parse(const struct wire *w, size_t size, size_t wire_size)
{
    /* in a block of its own size, so that the sanitizer sees every byte too far */
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, w->bytes, size);
    enum message_state state = message_parse(copy, size, wire_size, &message);
    assert_ptr_equal(message.bytes, copy);
    assert_int_equal(state, message.state);
    assert_int_equal(state != MESSAGE_WHOLE, message.trouble != NULL);
    for (unsigned i = 0; i < message.rr_count; i++) {
        assert_true(message.rrs[i].owner < message.owner_count);
        assert_true((size_t)message.rrs[i].rdata + message.rrs[i].rdlen <= size);
    }
    free(copy);
    return state;
}

static struct wire w;

/* A response as a signed zone's server writes it. */
static void put_typical(void)
{
    put_header(&w, DNS_QR | DNS_AA | DNS_RD | 3, 1, 2, 1, 2);
    put_question(&w);
    put_rr(&w, "\xc0\x0c", 2, 1, 1, 300, "\x7f\0\0\1", 4);
    put_rr(&w, "\2aA\xc0\x0f", 5, 46, 1, 300, "signature", 9); /* same name, written out */
    put_rr(&w, "\xc0\x0f", 2, 2, 1, 600, "\2ns\xc0\x0f", 5);
    put_rr(&w, "\2ns\xc0\x0f", 5, 28, 1, 600, "0123456789abcdef", 16);
    put_rr(&w, "\0", 1, 41, 1232, 0x01008000, "\0\x0f\0\4\0\6no\0\x0a\0\0", 12);
}

static void whole(void **state)
{
    (void)state;
    char text[NAME_TEXT_MAX];
    put_typical();
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_WHOLE);
    assert_int_equal(message.id, 0x1234);
    assert_int_equal(message.flags, DNS_QR | DNS_AA | DNS_RD | 3);
    assert_true(message.has_question);
    assert_true(message.qname_mixed_case);
    assert_string_equal(name_text(message_qname(&message), text), "aa.test.");
    assert_int_equal(message.qtype, 1);
    assert_int_equal(message.qclass, 1);
    assert_int_equal(message.question_end, 25);
    assert_int_equal(message.rr_count, 4);
    assert_int_equal(message.owner_count, 4); /* aa.test, test, ns.test, root */
    assert_int_equal(message.rrs[0].owner, message.qname);
    assert_int_equal(message.rrs[1].owner, message.qname);
    assert_int_equal(message.rrs[0].section, SECTION_ANSWER);
    assert_int_equal(message.rrs[2].section, SECTION_AUTHORITY);
    assert_int_equal(message.rrs[3].section, SECTION_ADDITIONAL);
    assert_int_equal(message.rrs[3].type, 28);
    assert_int_equal(message.rrs[3].ttl, 600);
    assert_int_equal(message.rrs[3].rdlen, 16);
    assert_string_equal(name_text(message_owner(&message, &message.rrs[3]), text), "ns.test.");
    assert_true(message.edns && message.edns_do);
    assert_int_equal(message.edns_size, 1232);
    assert_int_equal(message.rcode, 0x13);
    assert_int_equal(message.ede_count, 1);
    assert_int_equal(message.ede[0], 6);
    assert_false(message.crowded);
}

/* Cut at every byte: CUT when the wire had more, MALFORMED or NOT_DNS when not; never a crash. */
static void cut(void **state)
{
    (void)state;
    put_typical();
    unsigned before = 0;
    for (size_t size = 0; size < w.size; size++) {
        enum message_state snapped = parse(&w, size, w.size);
        assert_int_equal(snapped, size < 12 ? MESSAGE_NOT_DNS : MESSAGE_CUT);
        assert_true(message.rr_count >= before);
        before = message.rr_count;
        assert_int_equal(message.has_question, size >= 25);
        enum message_state lied = parse(&w, size, size);
        assert_int_equal(lied, size < 25 ? MESSAGE_NOT_DNS : MESSAGE_MALFORMED);
    }
    assert_int_equal(before, 4);
}

static void questions(void **state)
{
    (void)state;
    static const struct {
        unsigned count, written;
        enum message_state state;
        bool has;
    } rows[] = {{0, 0, MESSAGE_WHOLE, false},
                {1, 1, MESSAGE_WHOLE, true},
                {2, 2, MESSAGE_WHOLE, false},
                {2, 1, MESSAGE_NOT_DNS, false},
                {65535, 3, MESSAGE_NOT_DNS, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put_header(&w, DNS_QR, rows[i].count, 0, 0, 0);
        for (unsigned j = 0; j < rows[i].written; j++)
            put_question(&w);
        assert_int_equal(parse(&w, w.size, w.size), rows[i].state);
        assert_int_equal(message.has_question, rows[i].has);
        assert_int_equal(message.qtype, rows[i].has ? 1 : 0);
        assert_int_equal(name_is_root(message_qname(&message)), !rows[i].has);
    }
    /* a pointer into the header is not taken for the absent question */
    put_header(&w, DNS_QR, 0, 1, 0, 0);
    w.bytes[0] = 0;
    put_rr(&w, "\xc0\0", 2, 1, 1, 0, "", 0);
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_WHOLE);
    assert_int_equal(message.rr_count, 1);
}

static void options(void **state)
{
    (void)state;
    static const struct {
        const char *what, *rdata;
        size_t size;
        enum message_state state;
        unsigned edes;
    } rows[] = {
        {"empty", "", 0, MESSAGE_WHOLE, 0},
        {"two EDE", "\0\x0f\0\2\0\1\0\x0f\0\2\0\2", 12, MESSAGE_WHOLE, 2},
        {"EDE without a code", "\0\x0f\0\1x", 5, MESSAGE_WHOLE, 0},
        {"option too long", "\0\x0f\0\3\0\1", 6, MESSAGE_MALFORMED, 0},
        {"half a header", "\0\x0f\0", 3, MESSAGE_MALFORMED, 0},
        {"six EDE",
         "\0\x0f\0\2\0\1\0\x0f\0\2\0\1\0\x0f\0\2\0\1\0\x0f\0\2\0\1\0\x0f\0\2\0\1\0\x0f\0\2\0\1", 36,
         MESSAGE_WHOLE, MESSAGE_EDES_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        put_header(&w, DNS_QR, 1, 0, 0, 1);
        put_question(&w);
        put_rr(&w, "\0", 1, 41, 512, 0, rows[i].rdata, rows[i].size);
        if (parse(&w, w.size, w.size) != rows[i].state)
            fail_msg("%s: %s", rows[i].what, message.trouble ? message.trouble : "whole");
        assert_int_equal(message.ede_count, rows[i].edes);
        assert_true(message.edns);
    }
    put_header(&w, DNS_QR, 0, 0, 0, 2);
    put_rr(&w, "\0", 1, 41, 512, 0, "", 0);
    put_rr(&w, "\0", 1, 41, 512, 0, "", 0);
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_MALFORMED); /* two */
    put_header(&w, DNS_QR, 0, 1, 0, 0);
    put_rr(&w, "\0", 1, 41, 512, 0, "", 0);
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_MALFORMED); /* in the answer */
    put_header(&w, DNS_QR, 0, 0, 0, 1);
    put_rr(&w, "\1a\0", 3, 41, 512, 0, "", 0);
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_MALFORMED); /* named */
}

/* As many owners as fit: all kept up to the limit, each under one index, then crowded. */
static void owners(void **state)
{
    (void)state;
    for (unsigned pass = 0; pass < 2; pass++) {
        unsigned names = pass == 0 ? MESSAGE_NAMES_MAX - 3 : MESSAGE_NAMES_MAX + 300;
        put_header(&w, DNS_QR, 1, 2 * names, 0, 1);
        put_question(&w);
        for (unsigned i = 0; i < 2 * names; i++) {
            uint8_t name[7] = {5, 'a', 'b'};
            for (unsigned j = 0, rest = i % names; j < 3; j++, rest /= 16)
                name[3 + j] = (uint8_t)('a' + rest % 16);
            put_rr(&w, name, sizeof(name), 1, 1, 0, "\1\2\3\4", 4);
        }
        put_rr(&w, "\0", 1, 41, 512, 0x8000, "", 0);
        assert_int_equal(parse(&w, w.size, w.size), MESSAGE_WHOLE);
        assert_int_equal(message.crowded, pass == 1);
        assert_true(message.edns_do);
        if (pass == 0) {
            assert_int_equal(message.rr_count, 2 * names);
            assert_int_equal(message.owner_count, names + 2);
            for (unsigned i = 0; i < names; i++)
                assert_int_equal(message.rrs[i].owner, message.rrs[i + names].owner);
        } else {
            assert_int_equal(message.owner_count, MESSAGE_NAMES_MAX - 1);
        }
    }
}

/* The most RRs that 64 KiB can hold. */
static void most_rrs(void **state)
{
    (void)state;
    put_header(&w, DNS_QR, 0, 65535, 0, 0);
    while (w.size + 11 <= sizeof(w.bytes))
        put_rr(&w, "\0", 1, 1, 1, 0, "", 0);
    assert_int_equal(parse(&w, w.size, w.size), MESSAGE_MALFORMED);
    assert_int_equal(message.rr_count, (sizeof(w.bytes) - 12) / 11);
    assert_true(message.rr_count <= MESSAGE_RRS_MAX);
}

/* Flip every bit of a real-looking response: whatever comes out stays inside (checked by parse). */
static void flipped(void **state)
{
    (void)state;
    put_typical();
    for (size_t i = 0; i < w.size * 8; i++) {
        w.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        parse(&w, w.size, w.size);
        parse(&w, w.size, w.size + 1);
        w.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),   cmocka_unit_test(cut),    cmocka_unit_test(questions),
        cmocka_unit_test(options), cmocka_unit_test(owners), cmocka_unit_test(most_rrs),
        cmocka_unit_test(flipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
