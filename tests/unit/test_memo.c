/*
 * test_memo: a response is recognised by all its bytes but its id and its TTLs, and by nothing
 * less.
 */
#include "analyze/validate/memo.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct dns_message message;
static struct answer *const first = (struct answer *)0x1000;

static uint8_t *a_response(size_t *ret_size)
{
    struct reply r = reply_to("www.zone.test.", LDNS_RR_TYPE_MX, LDNS_RCODE_NOERROR);
    reply_set(
        &r, LDNS_SECTION_ANSWER,
        RECORDS("www.zone.test. 300 MX 1 a.zone.test.", "www.zone.test. 300 MX 2 b.zone.test."),
        NULL, 0, 0, NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("zone.test. 300 NS ns.zone.test."), NULL, 0, 0,
              NULL);
    return reply_wire(&r, ret_size);
}

static const struct dns_message *parse(const uint8_t *wire, size_t size)
{
    assert_int_equal(message_parse(wire, size, size, &message), MESSAGE_WHOLE);
    return &message;
}

static const struct dns_message *head(const uint8_t *wire, size_t size)
{
    return message_head(wire, size, size, &message) == MESSAGE_WHOLE ? &message : NULL;
}

static bool is_ttl(const struct dns_message *m, size_t at)
{
    for (size_t i = 0; i < m->rr_count; i++)
        if (at >= m->rrs[i].rdata - 6u && at < m->rrs[i].rdata - 2u)
            return true;
    return false;
}

static void only_id_and_ttl_may_differ(void **state)
{
    (void)state;
    size_t size;
    uint8_t *wire = a_response(&size);
    struct memo *memo = memo_new(1 << 20, 7);
    memo_set(memo_add(memo, parse(wire, size), 3), first);
    bool free_byte[512] = {true, true};
    for (size_t i = 2; i < size; i++)
        free_byte[i] = is_ttl(&message, i);
    assert_true(size < sizeof free_byte);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const struct dns_message *m = head(wire, size);
        const struct answer *found = m ? memo_find(memo, m, 3) : NULL;
        assert_ptr_equal(found, free_byte[bit / 8] ? first : NULL);
        wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_null(memo_find(memo, head(wire, size), 1)); /* asked without DO */
    assert_null(memo_find(memo, head(wire, size - 1), 3));
    assert_ptr_equal(memo_find(memo, head(wire, size), 3), first);
    memo_forget(memo);
    assert_null(memo_find(memo, head(wire, size), 3));
    memo_free(memo);
    free(wire);
}

/* Thousands of variants in a memo with room for few: each is found as itself or not at all, also
 * where its place was taken between memo_add and memo_set. */
static void each_is_itself_or_forgotten(void **state)
{
    (void)state;
    enum { VARIANTS = 20000 };
    static struct memo_place places[VARIANTS];
    size_t size, found = 0;
    uint8_t *wire = a_response(&size);
    struct memo *memo = memo_new(1 << 20, 7);
    for (unsigned i = 0; i < VARIANTS; i++) {
        wire[14] = (uint8_t)(i >> 8);
        wire[15] = (uint8_t)i;
        places[i] = memo_add(memo, parse(wire, size), 0);
    }
    for (unsigned i = 0; i < VARIANTS; i++)
        memo_set(places[i], (struct answer *)(uintptr_t)(0x1000 + 16 * i));
    for (unsigned i = 0; i < VARIANTS; i++) {
        wire[14] = (uint8_t)(i >> 8);
        wire[15] = (uint8_t)i;
        const struct answer *is = memo_find(memo, head(wire, size), 0);
        if (is)
            assert_ptr_equal(is, (struct answer *)(uintptr_t)(0x1000 + 16 * i));
        found += is != NULL;
    }
    assert_in_range(found, 100, VARIANTS / 2);
    memo_free(memo);
    free(wire);
}

static void bounded(void **state)
{
    (void)state;
    size_t size, kept = 0;
    uint8_t *wire = a_response(&size);
    struct memo *memo = memo_new(64 << 10, 7);
    for (unsigned i = 0; i < 4096; i++) {
        wire[13] = (uint8_t)('a' + i % 16); /* the first label of the question */
        wire[14] = (uint8_t)('a' + i / 16 % 16);
        wire[15] = (uint8_t)('a' + i / 256);
        struct memo_place place = memo_add(memo, parse(wire, size), 0);
        memo_set(place, first);
        kept += place.entry != NULL;
    }
    assert_true(kept >= 1);
    size_t found = 0;
    for (unsigned i = 0; i < 4096; i++) {
        wire[13] = (uint8_t)('a' + i % 16);
        wire[14] = (uint8_t)('a' + i / 16 % 16);
        wire[15] = (uint8_t)('a' + i / 256);
        found += memo_find(memo, head(wire, size), 0) != NULL;
    }
    assert_true(found * (size - 2) <= 64 << 10);
    assert_true(found > 0);
    memo_free(memo);
    free(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_id_and_ttl_may_differ),
        cmocka_unit_test(each_is_itself_or_forgotten),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
