/*
 * test_verify_bundle: honest bundles verify, and each kind of forgery fails in the check that is
 * for it. The exhaustive trials are in tests/evidence/tamper.c.
 */
#include "evidence/verify.h"
#include "tests/evidence/forge_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct forge_identity identity;
static char *authority;
static size_t authority_size;

static int make_identity(void **state)
{
    (void)state;
    identity = forge_identity_new("forge");
    authority = forge_pem(&identity, true, &authority_size);
    return 0;
}

static int drop_identity(void **state)
{
    (void)state;
    forge_identity_free(&identity);
    free(authority);
    return 0;
}

static enum verify_result verify(const struct forge *f, struct verify_options options,
                                 struct verify_report *ret)
{
    size_t size;
    uint8_t *tar = forge_tar(f, true, &size);
    enum verify_result result = verify_bundle(tar, size, &options, ret);
    free(tar);
    return result;
}

static struct verify_options with_authority(void)
{
    return (struct verify_options){.ca = authority, .ca_size = authority_size};
}

/* Fails unless the report says so; prints it where it does not. */
static void expect(const struct verify_report *r, enum verify_check check, enum verify_outcome want)
{
    if (r->line[check].outcome == want)
        return;
    for (int i = 0; i < VERIFY_CHECK_COUNT; i++)
        print_message("%2d %d %s\n", i, (int)r->line[i].outcome, r->line[i].reason);
    fail_msg("check %d is not %d", (int)check, (int)want);
}

static void honest_replay(void **state)
{
    (void)state;
    struct forge_case c;
    struct verify_report r;
    forge_case_replay(&c, &identity);
    enum verify_result result = verify(&c.bundle, with_authority(), &r);
    for (int i = 0; i < VERIFY_VERDICTS; i++)
        if (i != VERIFY_KNOWN_CHECKPOINT)
            expect(&r, (enum verify_check)i, VERIFY_PASS);
    assert_int_equal(result, VERIFY_RESULT_VERIFIED);
    assert_int_equal(r.log_size, 8);
    assert_int_equal(verify(&c.bundle, (struct verify_options){.ca = NULL}, &r),
                     VERIFY_RESULT_INTEGRITY_ONLY);
    expect(&r, VERIFY_IDENTITY, VERIFY_NOT_CHECKED);
    forge_case_free(&c);
}

static void honest_capture(void **state)
{
    (void)state;
    struct forge_case c;
    struct verify_report r;
    struct forge_capture_plan plan = {.step_back = 0};
    forge_case_capture(&c, &identity, &plan);
    enum verify_result result = verify(&c.bundle, with_authority(), &r);
    for (int i = 0; i < VERIFY_VERDICTS; i++)
        if (i != VERIFY_KNOWN_CHECKPOINT && i != VERIFY_SOURCE)
            expect(&r, (enum verify_check)i, VERIFY_PASS);
    assert_int_equal(result, VERIFY_RESULT_VERIFIED);
    forge_case_free(&c);
}

/* Captures that whoever held every key tells consistently, and that still cannot be. */
static void impossible_captures(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct forge_capture_plan plan;
        enum verify_check check;
        enum verify_outcome want;
    } table[] = {
        {"overlapping frames", {.first_frame = {0, 3, 0}}, VERIFY_CAPTURE, VERIFY_FAIL},
        {"frames from before", {.first_frame = {10, 4, 7}}, VERIFY_CAPTURE, VERIFY_FAIL},
        {"out of time order", {.shift = {0, -9, 0}}, VERIFY_CAPTURE, VERIFY_FAIL},
        {"packets later than their record", {.shift = {0, 0, 9}}, VERIFY_CLOCK, VERIFY_FAIL},
        {"segment left out", {.file_number = {2, 4, 5}}, VERIFY_CAPTURE, VERIFY_FAIL},
        {"numbers swapped", {.file_number = {3, 2, 4}}, VERIFY_CAPTURE, VERIFY_FAIL},
        {"counter goes back", {.received = {30, 20, 40}}, VERIFY_COUNTERS, VERIFY_FAIL},
        {"clock step, no record", {.step_back = 15}, VERIFY_CLOCK, VERIFY_FAIL},
        {"clock step, recorded too small",
         {.step_back = 15, .step_ns = -1000000000},
         VERIFY_CLOCK,
         VERIFY_FAIL},
        {"clock step, recorded",
         {.step_back = 15, .step_ns = -15000000000},
         VERIFY_CLOCK,
         VERIFY_PASS},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct forge_case c;
        struct verify_report r;
        forge_case_capture(&c, &identity, &table[i].plan);
        verify(&c.bundle, with_authority(), &r);
        print_message("%s: %s\n", table[i].name, r.line[table[i].check].reason);
        expect(&r, table[i].check, table[i].want);
        expect(&r, VERIFY_SEAL, VERIFY_PASS);
        forge_case_free(&c);
    }
}

/* An adopted change: the record stands once, in a run of its own, and its zone file is enclosed. */
static void acceptances(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct forge_accept_plan plan;
        enum verify_check check;
        enum verify_outcome want;
    } table[] = {
        {"honest", {.more = 0}, VERIFY_FILES, VERIFY_PASS},
        {"none", {.more = (unsigned)-1}, VERIFY_LOG, VERIFY_FAIL},
        {"two", {.more = 1}, VERIFY_LOG, VERIFY_FAIL},
        {"in a replay", {.run = "replay"}, VERIFY_LOG, VERIFY_FAIL},
        {"of another zone file", {.other_hash = true}, VERIFY_FILES, VERIFY_FAIL},
        {"of no zone file", {.file = "provenance/sensor.json"}, VERIFY_FILES, VERIFY_FAIL},
        {"of a file that is not here", {.file = "baseline/y.zone"}, VERIFY_FILES, VERIFY_FAIL},
        {"of no checkpoint", {.root = "AAAA"}, VERIFY_LOG, VERIFY_FAIL},
        {"with a source", {.source = true}, VERIFY_SOURCE, VERIFY_FAIL},
        {"an unknown run", {.run = "accepted"}, VERIFY_LOG, VERIFY_FAIL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct forge_case c;
        struct verify_report r;
        forge_case_accept(&c, &identity, &table[i].plan);
        enum verify_result result = verify(&c.bundle, with_authority(), &r);
        print_message("%s: %s\n", table[i].name, r.line[table[i].check].reason);
        expect(&r, table[i].check, table[i].want);
        assert_int_equal(result == VERIFY_RESULT_FAILED, table[i].want == VERIFY_FAIL);
        forge_case_free(&c);
    }
}

static void look_alike_authority(void **state)
{
    (void)state;
    struct forge_case c;
    struct verify_report r;
    struct forge_identity other = forge_identity_new("forge");
    forge_case_replay(&c, &other);
    assert_int_equal(verify(&c.bundle, with_authority(), &r), VERIFY_RESULT_FAILED);
    expect(&r, VERIFY_IDENTITY, VERIFY_FAIL);
    /* Without an anchor from outside it looks whole, which is why that is integrity only. */
    assert_int_equal(verify(&c.bundle, (struct verify_options){.ca = NULL}, &r),
                     VERIFY_RESULT_INTEGRITY_ONLY);
    forge_case_free(&c);
    forge_identity_free(&other);
}

static void expired_identity(void **state)
{
    (void)state;
    struct forge_case c;
    struct verify_report r;
    struct verify_options options = with_authority();
    forge_case_replay(&c, &identity);
    options.at = 4000000000;
    assert_int_equal(verify(&c.bundle, options, &r), VERIFY_RESULT_FAILED);
    expect(&r, VERIFY_IDENTITY, VERIFY_FAIL);
    options.at = 1780000000;
    assert_int_equal(verify(&c.bundle, options, &r), VERIFY_RESULT_VERIFIED);
    forge_case_free(&c);
}

static void known_checkpoint(void **state)
{
    (void)state;
    struct forge_case c, cut;
    struct verify_report r;
    struct verify_options options = with_authority();
    char note[1024];
    forge_case_replay(&c, &identity);
    for (size_t size = 1; size <= c.log.count; size++) {
        unsigned key = size <= 5 ? 0 : size <= 7 ? 1 : 2;
        options.known_checkpoint_size =
            forge_checkpoint_text(&c.log, size, c.log.key[key], note, sizeof note);
        options.known_checkpoint = note;
        verify(&c.bundle, options, &r);
        expect(&r, VERIFY_KNOWN_CHECKPOINT, VERIFY_PASS);
        /* … signed by another epoch's key, it is nobody's word. */
        options.known_checkpoint_size =
            forge_checkpoint_text(&c.log, size, c.log.key[key + 1], note, sizeof note);
        verify(&c.bundle, options, &r);
        expect(&r, VERIFY_KNOWN_CHECKPOINT, VERIFY_FAIL);
    }
    /* The log goes on differently after record 3: whole in itself, a fork to who remembers. */
    options.known_checkpoint_size =
        forge_checkpoint_text(&c.log, 8, c.log.key[2], note, sizeof note);
    forge_case_replay(&cut, &identity);
    memcpy(cut.log.origin, c.log.origin, sizeof cut.log.origin);
    assert_int_equal(verify(&cut.bundle, options, &r), VERIFY_RESULT_FAILED);
    expect(&r, VERIFY_KNOWN_CHECKPOINT, VERIFY_FAIL);
    forge_case_free(&c);
    forge_case_free(&cut);
}

static void small_inputs(void **state)
{
    (void)state;
    static const uint8_t zeros[2048];
    struct verify_report r;
    struct verify_options options = {.ca = NULL};
    for (size_t size = 0; size <= sizeof zeros; size += 256)
        assert_int_equal(verify_bundle(zeros, size, &options, &r), VERIFY_RESULT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_replay),        cmocka_unit_test(honest_capture),
        cmocka_unit_test(impossible_captures),  cmocka_unit_test(acceptances),
        cmocka_unit_test(look_alike_authority), cmocka_unit_test(expired_identity),
        cmocka_unit_test(known_checkpoint),     cmocka_unit_test(small_inputs),
    };
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
