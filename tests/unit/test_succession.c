/*
 * test_succession: a zone that is sound, then changed while it is observed: its DS, its keys, or
 * both; what may be in caches from before, and what was not observed since.
 */
#include "analyze/validate/trust.h"
#include "tests/unit/signed_zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VALID -3600, 864000

struct tree {
    struct settings settings;
    struct anchors *anchors;
    struct signed_zone root, before, after; /* zone. with the keys of either time */
    struct answers answers;
    uint64_t frame;
};

static int plant(void **state)
{
    struct tree *t = calloc(1, sizeof *t);
    settings_default(&t->settings);
    t->root = signed_zone_make(".", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->before = signed_zone_make("zone.", LDNS_SIGN_ECDSAP256SHA256, 256);
    t->after = signed_zone_make("zone.", LDNS_SIGN_ED25519, 256);
    t->anchors = anchors_new();
    zone_anchor(t->anchors, &t->root);
    assert_int_equal(answers_init(&t->answers, &t->settings, t->anchors, NULL, 42), 0);
    *state = t;
    return 0;
}

static int fell(void **state)
{
    struct tree *t = *state;
    answers_fini(&t->answers);
    anchors_free(t->anchors);
    ldns_key_deep_free(t->root.key);
    ldns_key_deep_free(t->before.key);
    ldns_key_deep_free(t->after.key);
    free(t);
    return 0;
}

static struct answer *see(struct tree *t, struct reply r, int64_t seconds)
{
    t->frame += 2;
    return show(&t->answers, r, t->frame, seconds);
}

static struct reply answer_of(const char *qname, ldns_rr_type type, ldns_rr_list *set,
                              const struct signed_zone *signer)
{
    struct reply r = reply_to(qname, type, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_ANSWER, set, signer, VALID, NULL);
    return r;
}

static ldns_rr *ds_with(const struct signed_zone *zone, ldns_hash digest)
{
    ldns_rr *key = zone_dnskey(zone), *ds = ldns_key_rr2ds(key, digest);
    ldns_rr_free(key);
    return ds;
}

static struct reply ds_reply(struct tree *t, ldns_rr_list *set)
{
    return answer_of("zone.", LDNS_RR_TYPE_DS, set, &t->root);
}

static struct reply keys_reply(const struct signed_zone *zone)
{
    return answer_of("zone.", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(zone)), zone);
}

static struct reply www(const struct signed_zone *signer)
{
    return answer_of("www.zone.", LDNS_RR_TYPE_A, RECORDS("www.zone. 300 A 192.0.2.1"), signer);
}

static void root_keys(struct tree *t)
{
    see(t, answer_of(".", LDNS_RR_TYPE_DNSKEY, one(zone_dnskey(&t->root)), &t->root), 0);
}

static void assert_reason(const struct answer *a, enum reason reason)
{
    assert_non_null(a);
    assert_string_equal(reason_code(a->reason), reason_code(reason));
}

/* --- digests --- */

static void sha1_counts_in_a_ds_rrset_of_its_own(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(ds_with(&t->before, LDNS_SHA256))), 1);
    see(t, keys_reply(&t->before), 2);
    assert_reason(see(t, www(&t->before), 3), REASON_CHAIN);
    see(t, ds_reply(t, one(ds_with(&t->after, LDNS_SHA1))), 4);
    assert_reason(see(t, keys_reply(&t->after), 5), REASON_CHAIN);
    assert_reason(see(t, www(&t->after), 6), REASON_CHAIN);
}

static void sha1_beside_sha256_does_not_count(void **state)
{
    struct tree *t = *state;
    ldns_rr_list *both = one(ds_with(&t->before, LDNS_SHA256));
    ldns_rr_list_push_rr(both, ds_with(&t->after, LDNS_SHA1));
    root_keys(t);
    see(t, ds_reply(t, both), 1);
    assert_reason(see(t, keys_reply(&t->after), 2), REASON_DS_MISMATCH);
    assert_reason(see(t, www(&t->after), 3), REASON_DS_MISMATCH);
}

/* --- a zone that denies having keys --- */

/* NODATA without proof, as an unsigned copy of the zone gives it. */
static struct reply no_keys(void)
{
    struct reply r = reply_to("zone.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("zone. 300 SOA ns.zone. h.zone. 1 2 3 4 5"), NULL,
              0, 0, NULL);
    return r;
}

static void one_server_without_keys(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 1);
    struct answer *sound = see(t, www(&t->before), 2);
    assert_reason(sound, REASON_DNSKEY_NOT_SEEN);
    struct answer *denied = see(t, no_keys(), 3);
    assert_reason(denied, REASON_DNSKEY_MISSING);
    assert_reason(sound, REASON_DNSKEY_MISSING);
    see(t, keys_reply(&t->before), 4);
    assert_reason(sound, REASON_CHAIN);
    assert_reason(denied, REASON_DENIAL_MISSING);
}

static struct reply no_ds(struct tree *t)
{
    struct reply r = reply_to("zone.", LDNS_RR_TYPE_DS, LDNS_RCODE_NOERROR);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS(". 300 SOA ns. h. 1 2 3 4 5"), &t->root, VALID,
              NULL);
    reply_set(&r, LDNS_SECTION_AUTHORITY, RECORDS("zone. 300 NSEC zonf. NS RRSIG NSEC"), &t->root,
              VALID, NULL);
    return r;
}

/* What it denied while it was unsigned it did not deny under its DS; what it denies since, it does.
 */
static void an_unsigned_zone_gets_signed(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    assert_reason(see(t, no_ds(t), 1), REASON_DENIAL);
    assert_reason(see(t, no_keys(), 2), REASON_UNSIGNED_DELEGATION);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 100);
    struct answer *sound = see(t, www(&t->before), 101);
    assert_reason(sound, REASON_DNSKEY_NOT_SEEN);
    assert_reason(see(t, no_keys(), 102), REASON_DNSKEY_MISSING);
    assert_reason(sound, REASON_DNSKEY_MISSING);
    see(t, keys_reply(&t->before), 103);
    assert_reason(sound, REASON_CHAIN);
}

/* --- keys of another time --- */

/* Keys that were first seen a day later say nothing of a signature by others; nor do they when an
 * earlier run has kept them. */
static void keys_of_the_next_day(void **state)
{
    struct tree *t = *state;
    root_keys(t);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 86400);
    see(t, keys_reply(&t->before), 86401);
    struct answer *other = see(t, www(&t->after), 10);
    assert_reason(other, REASON_CHAIN_STALE);
    assert_ptr_equal(see(t, www(&t->after), 86402), other);
    assert_reason(other, REASON_KEY_UNKNOWN);
}

/* --- a new DS --- */

static void sound_then_ds(struct tree *t, const struct signed_zone *named, int64_t seconds)
{
    root_keys(t);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 1);
    see(t, keys_reply(&t->before), 2);
    see(t, www(&t->before), 3);
    see(t, ds_reply(t, one(zone_ds(named))), seconds);
}

static const struct trust *trust_of_zone(struct tree *t, int64_t seconds)
{
    uint8_t name[NAME_MAX_BYTES];
    assert_true(name_parse("zone.", name) > 0);
    return trust_zone(&t->answers.world, world_zone(&t->answers.world, name),
                      (T0 + seconds) * SECOND);
}

/* The DS says that the keys are others now: what is signed by them waits until they are seen. */
static void the_new_keys_come_last(void **state)
{
    struct tree *t = *state;
    sound_then_ds(t, &t->after, 60);
    struct answer *a = see(t, www(&t->after), 61);
    assert_reason(a, REASON_CHAIN_STALE);
    assert_true(trust_of_zone(t, 61)->unseen);
    see(t, keys_reply(&t->after), 62);
    assert_reason(a, REASON_CHAIN);
    assert_false(trust_of_zone(t, 62)->unseen);
    assert_reason(see(t, www(&t->before), 63), REASON_CHAIN); /* it may be in caches */
}

/* Without a new DS the keys are as they were, and a signature by another is a forgery. */
static void the_keys_are_fresh(void **state)
{
    struct tree *t = *state;
    sound_then_ds(t, &t->before, 60);
    assert_reason(see(t, www(&t->after), 61), REASON_KEY_UNKNOWN);
}

/* The DS names keys that the zone has not: whoever has the old one validates for as long as it
 * lasts, and nobody after. */
static void nobody_has_the_keys(void **state)
{
    struct tree *t = *state;
    size_t size;
    struct reply r = www(&t->before);
    uint8_t *wire = reply_wire(&r, &size);
    sound_then_ds(t, &t->after, 60);
    assert_true(trust_of_zone(t, 60)->unseen);
    see(t, keys_reply(&t->before), 61);
    assert_true(trust_of_zone(t, 61)->orphaned);
    assert_int_equal(trust_of_zone(t, 61)->gone_ns, (T0 + 60 + 3600) * SECOND);
    assert_reason(show_wire(&t->answers, wire, size, 1000, 62), REASON_CHAIN);
    assert_reason(see(t, www(&t->after), 63), REASON_KEY_UNKNOWN);
    see(t, ds_reply(t, one(zone_ds(&t->after))), 3500);
    see(t, keys_reply(&t->before), 3660);
    assert_int_equal(trust_of_zone(t, 3661)->state, TRUST_BOGUS);
    assert_reason(see(t, www(&t->before), 3661), REASON_DS_MISMATCH);            /* signed anew */
    assert_reason(show_wire(&t->answers, wire, size, 1002, 3661), REASON_CHAIN); /* cached */
    assert_reason(show_wire(&t->answers, wire, size, 1004, 3961), REASON_DS_MISMATCH);
    free(wire);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 4000); /* as it was before */
    assert_false(trust_of_zone(t, 4000)->orphaned);
    assert_reason(see(t, www(&t->before), 4001), REASON_CHAIN);
}

/* A DS that was put back at once. */
static void the_old_ds_comes_back(void **state)
{
    struct tree *t = *state;
    sound_then_ds(t, &t->after, 60);
    see(t, keys_reply(&t->before), 61);
    assert_true(trust_of_zone(t, 61)->orphaned);
    see(t, ds_reply(t, one(zone_ds(&t->before))), 70);
    assert_false(trust_of_zone(t, 70)->orphaned);
    assert_reason(see(t, www(&t->before), 71), REASON_CHAIN);
}

/* Double DS and double KSK, of which only half is seen. */
static void a_roll_is_no_mismatch(void **state)
{
    struct tree *t = *state;
    ldns_rr_list *both = one(zone_ds(&t->before));
    ldns_rr_list_push_rr(both, zone_ds(&t->after));
    sound_then_ds(t, &t->before, 60);
    see(t, ds_reply(t, both), 70);
    see(t, keys_reply(&t->before), 71);
    assert_false(trust_of_zone(t, 71)->orphaned);
    assert_false(trust_of_zone(t, 71)->unseen);
    struct reply keys = reply_to("zone.", LDNS_RR_TYPE_DNSKEY, LDNS_RCODE_NOERROR);
    ldns_rr_list *two = one(zone_dnskey(&t->before));
    ldns_rr_list_push_rr(two, zone_dnskey(&t->after));
    reply_set(&keys, LDNS_SECTION_ANSWER, two, &t->after, VALID, NULL);
    see(t, keys, 80);
    see(t, ds_reply(t, one(zone_ds(&t->after))), 90);
    assert_false(trust_of_zone(t, 90)->orphaned);
    assert_false(trust_of_zone(t, 90)->unseen);
    assert_reason(see(t, www(&t->before), 91), REASON_CHAIN);
}

/* The zone moves to an algorithm that we do not know: insecure as soon as its DS says so. */
static void the_new_ds_is_beyond_us(void **state)
{
    struct tree *t = *state;
    sound_then_ds(t, &t->before, 60);
    see(t,
        ds_reply(t, RECORDS("zone. 3600 DS 1 200 2 0000000000000000000000000000000000000000000000"
                            "000000000000000000")),
        70);
    assert_int_equal(trust_of_zone(t, 71)->state, TRUST_INSECURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(function) cmocka_unit_test_setup_teardown(function, plant, fell)
        TEST(sha1_counts_in_a_ds_rrset_of_its_own),
        TEST(sha1_beside_sha256_does_not_count),
        TEST(one_server_without_keys),
        TEST(an_unsigned_zone_gets_signed),
        TEST(keys_of_the_next_day),
        TEST(the_new_keys_come_last),
        TEST(the_keys_are_fresh),
        TEST(nobody_has_the_keys),
        TEST(the_old_ds_comes_back),
        TEST(a_roll_is_no_mismatch),
        TEST(the_new_ds_is_beyond_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
