/* finding: identity, life, grouping and limits of findings. */
#include "tests/unit/fact_builder.h"

#define REST "012345678901234567890123456789012345678901234567890123456789012" /* of 64 bytes */

struct log { /* what was reported, in order */
    char text[4096];
    size_t used, reports;
};

static void on_finding(void *context, const struct finding *finding)
{
    static const char *const states[] = {"open", "updated", "closed"};
    struct log *log = context;
    int n = snprintf(log->text + log->used, sizeof log->text - log->used, "%s%s:%s*%llu",
                     log->used ? " " : "", rule_text(finding->rule)->id, states[finding->state],
                     (unsigned long long)finding->count);
    assert_true(n > 0 && log->used + (size_t)n < sizeof log->text);
    log->used += (size_t)n;
    log->reports++;
}

static struct rules *rules_logging(struct log *log, size_t most)
{
    const struct rules_limits limits = {.findings = most};
    char error[256];
    *log = (struct log){0};
    struct rules *rules = rules_new(NULL, NULL, 0, &limits, on_finding, log, error, sizeof error);
    assert_non_null(rules);
    builder_reset();
    return rules;
}

static struct finding *give(struct rules *rules, const struct fact *fact)
{
    struct finding *findings[4] = {NULL};
    (void)rules_judge(rules, fact, findings, 4);
    return findings[0];
}

static struct fact record(const char *zone, const char *owner, const char *data, int64_t seconds)
{
    struct fact fact = fact_of(FACT_RRSET, zone);
    fact.time_ns = NOW + seconds * NS_S;
    fact.frame = (uint64_t)(100 + seconds);
    fact.baseline.present = fact.baseline.strict = true;
    fact.observed = set_of(owner, 1, 1, data);
    fact.baseline.expected = set_of(owner, 1, 1, "good");
    return fact;
}

static void opened_seen_closed_and_back(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact bad = record("x.", "a.x.", "evil", 0), good = record("x.", "a.x.", "good", 10);
    struct finding *finding = give(rules, &bad);
    assert_non_null(finding);
    finding_seen(rules, finding, NOW + 2 * NS_S, 102);
    finding_seen(rules, finding, NOW + 1 * NS_S, 101); /* late: first and last are by time */
    assert_int_equal(finding->count, 3);
    assert_int_equal(finding->first_seen_ns, NOW);
    assert_int_equal(finding->last_seen_ns, NOW + 2 * NS_S);
    assert_int_equal(finding->frame_count, 3);
    assert_string_equal(log.text, "record-changed:open*1");
    rules_flush(rules, NOW, true);
    rules_flush(rules, NOW, true); /* nothing moved since */
    assert_string_equal(log.text, "record-changed:open*1 record-changed:updated*3");
    assert_null(give(rules, &good));
    assert_int_equal(finding->state, FINDING_CLOSED);
    assert_int_equal(finding->closed_ns, NOW + 10 * NS_S); /* not when it was last so */
    assert_int_equal(finding->closed_frame, 110);
    finding_seen(rules, finding, NOW + 20 * NS_S, 120);
    assert_int_equal(finding->state, FINDING_UPDATED);
    assert_int_equal(finding->closed_ns, 0);
    assert_string_equal(log.text, "record-changed:open*1 record-changed:updated*3 "
                                  "record-changed:closed*3 record-changed:updated*4");
    rules_free(rules);
}

/* When trust changes the same keys are judged again: what comes out as it was is not told again. */
static void judged_again_told_once(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact_key old = key_of(257, 13, 111, "O" REST), new = key_of(256, 13, 222, "N" REST);
    struct fact fact = fact_of(FACT_DNSKEY, "x.");
    DECLARED_KEYS(&fact, old);
    KEYS(&fact, old, new);
    assert_non_null(give(rules, &fact));
    assert_string_equal(log.text, "key-unknown:open*1");
    fact.kind = FACT_CHAIN;
    give(rules, &fact);
    rules_flush(rules, NOW, true);
    assert_string_equal(log.text, "key-unknown:open*1");
    fact.kind = FACT_DNSKEY;
    give(rules, &fact);
    rules_flush(rules, NOW, true);
    assert_string_equal(log.text, "key-unknown:open*1 key-unknown:updated*2");
    rules_free(rules);
}

static void what_does_not_refute(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact bad = record("x.", "a.x.", "evil", 5);
    struct finding *finding = give(rules, &bad);
    struct fact older = record("x.", "a.x.", "good", 4);
    struct fact cached = record("x.", "a.x.", "good", 9);
    struct fact other = record("x.", "b.x.", "good", 9);
    struct fact foreign = record("y.", "a.x.", "good", 9);
    cached.aa = false; /* a cache against an authority */
    give(rules, &older);
    give(rules, &cached);
    give(rules, &other);
    give(rules, &foreign);
    assert_int_equal(finding->state, FINDING_OPEN);
    rules_free(rules);
}

/* Answers that alternate make a few alerts, not one each. */
static void alternation_is_no_flood(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    for (int i = 0; i < 100; i++) {
        builder_reset();
        struct fact bad = record("x.", "a.x.", "evil", 2 * i);
        struct fact good = record("x.", "a.x.", "good", 2 * i + 1);
        give(rules, &bad);
        give(rules, &good);
    }
    const struct finding *const *findings;
    assert_int_equal(rules_findings(rules, &findings), 1);
    assert_int_equal(findings[0]->count, 100);
    assert_int_equal(findings[0]->state, FINDING_UPDATED); /* it stays open */
    assert_true(log.reports <= 8);
    assert_int_equal(findings[0]->frame_count, FINDING_FRAMES_MAX); /* the first: they are held */
    assert_int_equal(findings[0]->frames[0], 100);
    assert_int_equal(findings[0]->frames[FINDING_FRAMES_MAX - 1], 100 + 2 * 63);
    rules_free(rules);
}

/* Ids are part of the output: this one was computed apart from the program, with sha256sum over the
 * parts, each after its length in four bytes. */
static void ids_are_stable(void **state)
{
    (void)state;
    struct log log;
    char first[FINDING_ID_TEXT];
    for (int run = 0; run < 2; run++) {
        struct rules *rules = rules_logging(&log, 0);
        struct fact other = record("x.", "b.x.", "evil", run); /* order and time do not matter */
        if (run)
            give(rules, &other);
        struct fact fact = record("x.", "a.x.", "evil", run * 7);
        struct finding *finding = give(rules, &fact);
        if (run)
            assert_string_equal(finding->id, first);
        memcpy(first, finding->id, sizeof first);
        if (!run)
            assert_string_not_equal(give(rules, &other)->id, first);
        rules_free(rules);
    }
    assert_string_equal(first, "1a903caf8804b05a");
}

static void many_rrsets_one_cause(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    for (int i = 0; i < 100; i++) {
        char owner[32];
        builder_reset();
        snprintf(owner, sizeof owner, "h%d.x.", i);
        struct fact fact = signature_of(SIGNATURE_EXPIRED, "x.", owner);
        signature_in(&fact)->expiration = NOW / NS_S - 1;
        fact.time_ns += i;
        give(rules, &fact);
    }
    const struct finding *const *findings;
    assert_int_equal(rules_findings(rules, &findings), 1);
    assert_non_null(strstr(findings[0]->summary, "and 99 more RRsets"));
    assert_int_equal(findings[0]->observed_count, 32); /* bounded, the rest is counted */
    assert_string_equal(findings[0]->observed[31], "; 69 more");
    assert_int_equal(log.reports, 1);
    for (int i = 0; i < 100; i++) { /* signed anew, one after the other */
        char owner[32];
        builder_reset();
        snprintf(owner, sizeof owner, "h%d.x.", i);
        struct fact fact = signature_of(SIGNATURE_VALID, "x.", owner);
        signature_in(&fact)->tag = 2000; /* by the next key */
        fact.time_ns += NS_S;
        assert_int_equal(findings[0]->state, FINDING_OPEN);
        give(rules, &fact);
    }
    assert_int_equal(findings[0]->state, FINDING_CLOSED);
    rules_free(rules);
}

/* Whoever signs: what is wrong with a zone's signatures is one finding that names the keys. */
static void many_keys_one_cause(void **state)
{
    (void)state;
    struct log log;
    char text[512];
    struct rules *rules = rules_logging(&log, 0);
    for (uint16_t i = 0; i < 7; i++) {
        struct fact fact = signature_of(SIGNATURE_BAD, "x.", i < 6 ? "a.x." : "b.x.");
        signature_in(&fact)->tag = (uint16_t)(1000 + i);
        signature_in(&fact)->algorithm = i < 2 ? 8 : 13;
        give(rules, &fact);
        builder_reset();
    }
    struct fact other = signature_of(SIGNATURE_BAD, "y.", "a.y.");
    give(rules, &other);
    assert_string_equal(found(rules, text), "rrsig-bad rrsig-bad");
    const struct finding *const *findings;
    rules_findings(rules, &findings);
    const struct finding *f = findings[name_equal(findings[0]->zone, N("x.")) ? 0 : 1];
    assert_string_equal(f->summary,
                        "x.: signatures over a.x. TYPE1 and 1 more RRset do not verify with keys "
                        "1000, 1001 (algorithm 8), 1002, 1003 (algorithm 13) and 3 more; last "
                        "from 192.0.2.53");
    assert_int_equal(f->observed_count, 7);
    builder_reset();
    struct fact sound = signature_of(SIGNATURE_VALID, "x.", "a.x."); /* six keys leave with it */
    sound.time_ns += NS_S;
    give(rules, &sound);
    struct fact last = signature_of(SIGNATURE_BAD, "x.", "b.x.");
    signature_in(&last)->tag = 1006;
    last.time_ns += 2 * NS_S;
    give(rules, &last);
    assert_string_equal(f->summary, "x.: signature over a.x. TYPE1 does not verify with key 1006 "
                                    "(algorithm 13); last from 192.0.2.53");
    rules_free(rules);
}

/* What came back closes only when it stays away, longer each time, and says how often it came. */
static void flapping_is_damped(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct finding *finding = NULL;
    for (int i = 0; i < 4; i++) {
        builder_reset();
        struct fact bad = record("x.", "a.x.", "evil", 2 * i);
        struct fact good = record("x.", "a.x.", "good", 2 * i + 1);
        finding = give(rules, &bad);
        give(rules, &good);
        assert_int_equal(finding->state == FINDING_CLOSED, i < 2);
    }
    assert_int_equal(finding->flaps, 3); /* the third did not need to open it */
    assert_int_equal(log.reports, 5);
    rules_flush(rules, NOW + 66 * NS_S, false); /* three returns: two minutes */
    assert_int_equal(finding->state, FINDING_UPDATED);
    rules_flush(rules, NOW + 127 * NS_S, false);
    assert_int_equal(finding->state, FINDING_CLOSED);
    finding_seen(rules, finding, NOW + 200 * NS_S, 300);
    assert_int_equal(finding->state, FINDING_UPDATED);
    assert_int_equal(finding->flaps, 4);
    rules_flush(rules, NOW + 100000 * NS_S, false); /* nothing refuted it: it stays */
    assert_int_equal(finding->state, FINDING_UPDATED);
    rules_free(rules);
}

/* A thing that lasts is told at growing intervals, the last word at the end. */
static void more_of_the_same_is_rare(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact bad = record("x.", "a.x.", "evil", 0);
    struct finding *finding = give(rules, &bad);
    for (int second = 1; second <= 24 * 3600; second++) {
        finding_seen(rules, finding, NOW + second * NS_S, 0);
        if (second % 10 == 0)
            rules_flush(rules, NOW + second * NS_S, false);
    }
    assert_in_range(log.reports, 24, 32); /* 1, 2, 4 … minutes, then each hour */
    size_t before = log.reports;
    finding_seen(rules, finding, NOW + 24 * 3600 * NS_S + 1, 0);
    rules_flush(rules, NOW + 24 * 3600 * NS_S + 1, false);
    assert_int_equal(log.reports, before);
    rules_flush(rules, NOW + 24 * 3600 * NS_S + 1, true);
    assert_int_equal(log.reports, before + 1);
    assert_int_equal(finding->count, 24 * 3600 + 2);
    rules_free(rules);
}

/* A signer that makes signatures for hours: low at once, medium when one is about to end, and that
 * closes when it is made anew. */
static void short_lives(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact fact = signature_of(SIGNATURE_VALID, "x.", "a.x.");
    struct fact_signature *signature = signature_in(&fact);
    signature->inception = NOW / NS_S - HOUR;
    signature->expiration = NOW / NS_S + 3 * HOUR;
    struct finding *low = give(rules, &fact);
    assert_int_equal(low->severity, SEVERITY_LOW);
    assert_non_null(strstr(low->summary, "made for 4 h only"));
    fact.time_ns = fact.clock_ns = NOW + (2 * HOUR + HOUR / 2) * NS_S;
    struct finding *medium = give(rules, &fact);
    assert_int_equal(medium->severity, SEVERITY_MEDIUM);
    assert_ptr_not_equal(low, medium);
    signature->inception += 2 * HOUR;
    signature->expiration += 2 * HOUR;
    give(rules, &fact);
    assert_int_equal(medium->state, FINDING_CLOSED);
    assert_int_equal(low->state, FINDING_OPEN);
    signature->expiration += 300 * HOUR; /* the signer was told to make them for longer */
    give(rules, &fact);
    assert_int_equal(low->state, FINDING_CLOSED);
    rules_free(rules);
}

/* A valid signature beside a bad one refutes nothing; once it is alone it does. */
static void valid_beside_bad(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact bad = signature_of(SIGNATURE_BAD, "x.", "a.x.");
    struct fact good = signature_of(SIGNATURE_VALID, "x.", "a.x.");
    signature_in(&good)->tag = 1001;
    struct finding *finding = give(rules, &bad);
    good.also_wrong = true;
    give(rules, &good);
    assert_int_equal(finding->state, FINDING_OPEN);
    good.also_wrong = false;
    give(rules, &good);
    assert_int_equal(finding->state, FINDING_CLOSED);
    rules_free(rules);
}

/* Signatures were seen before the DNSKEY RRset that has their key: judged again they are valid, and
 * were all the time, however often and however lately they were seen. */
static void what_was_not_so(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact a = signature_of(SIGNATURE_KEY_UNKNOWN, "x.", "a.x.");
    struct fact b = signature_of(SIGNATURE_KEY_UNKNOWN, "x.", "b.x.");
    a.dnskey_seen = b.dnskey_seen = true;
    b.time_ns += 10 * NS_S;
    struct finding *finding = give(rules, &a);
    assert_ptr_equal(give(rules, &b), finding);
    finding_seen(rules, finding, NOW + 20 * NS_S, 9);
    a.retro = b.retro = a.revised = b.revised = true;
    signature_in(&a)->state = signature_in(&b)->state = SIGNATURE_VALID;
    give(rules, &a);
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(rules, &b);
    assert_int_equal(finding->state, FINDING_CLOSED);
    rules_free(rules);
}

/* However often it came and went: it does not go away now, it never was. */
static void what_never_was_does_not_flap(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact wrong = signature_of(SIGNATURE_KEY_UNKNOWN, "x.", "a.x.");
    struct fact sound = signature_of(SIGNATURE_VALID, "x.", "a.x.");
    struct finding *finding = NULL;
    wrong.dnskey_seen = true;
    for (int i = 0; i < 4; i++) { /* two servers in turns */
        wrong.time_ns += NS_S;
        finding = give(rules, &wrong);
        sound.time_ns = wrong.time_ns + NS_S / 2;
        give(rules, &sound);
    }
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    give(rules, &wrong);
    wrong.retro = wrong.revised = true;
    signature_in(&wrong)->state = SIGNATURE_VALID;
    give(rules, &wrong);
    assert_int_equal(finding->state, FINDING_CLOSED);
    rules_free(rules);
}

/* Other content of the same name and type that was seen since is not taken back with it. */
static void what_is_so_still(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact first = signature_of(SIGNATURE_KEY_UNKNOWN, "x.", "a.x."), second = first;
    first.dnskey_seen = second.dnskey_seen = true;
    second.time_ns += 10 * NS_S;
    struct finding *finding = give(rules, &first);
    give(rules, &second);
    struct fact revised = signature_of(SIGNATURE_BAD, "x.", "a.x.");
    revised.retro = revised.revised = true;
    struct finding *bad = give(rules, &revised);
    assert_ptr_not_equal(bad, finding);
    assert_int_not_equal(finding->state, FINDING_CLOSED);
    revised.time_ns = second.time_ns;
    give(rules, &revised);
    assert_int_equal(finding->state, FINDING_CLOSED);
    assert_int_not_equal(bad->state, FINDING_CLOSED);
    rules_free(rules);
}

static void clock_of_the_signer(void **state)
{
    (void)state;
    for (int valid_seen = 0; valid_seen < 2; valid_seen++) {
        struct log log;
        struct rules *rules = rules_logging(&log, 0);
        struct fact sound = signature_of(SIGNATURE_VALID, "x.", "a.x.");
        struct fact future = signature_of(SIGNATURE_FUTURE, "x.", "b.x.");
        signature_in(&future)->inception = NOW / NS_S + HOUR;
        if (valid_seen)
            give(rules, &sound);
        struct finding *finding = give(rules, &future);
        assert_int_equal(strstr(finding->summary, "a clock is wrong") == NULL, valid_seen);
        rules_free(rules);
    }
}

static void table_is_bounded(void **state)
{
    (void)state;
    struct log log;
    const struct finding *const *findings;
    struct rules *rules = rules_logging(&log, 5);
    for (int i = 0; i < 20; i++) {
        char owner[32];
        builder_reset();
        snprintf(owner, sizeof owner, "h%d.x.", i);
        struct fact fact = record("x.", owner, "evil", i);
        give(rules, &fact);
    }
    assert_int_equal(rules_findings(rules, &findings), 5);
    assert_int_equal(rules_dropped(rules), 15);
    builder_reset();
    struct fact again = record("x.", "h0.x.", "evil", 30); /* known ones are still counted */
    give(rules, &again);
    assert_int_equal(findings[0]->count, 2);
    rules_free(rules);
}

static void sorted_by_weight_then_time(void **state)
{
    (void)state;
    struct log log;
    char text[512];
    struct rules *rules = rules_logging(&log, 0);
    struct fact late = record("x.", "a.x.", "evil", 9), early = record("x.", "b.x.", "evil", 1);
    struct fact bad = signature_of(SIGNATURE_BAD, "x.", "a.x.");
    struct fact malformed = signature_of(SIGNATURE_MALFORMED, "x.", "a.x.");
    bad.time_ns += 100 * NS_S;
    give(rules, &malformed);
    give(rules, &late);
    give(rules, &early);
    give(rules, &bad);
    assert_string_equal(found(rules, text),
                        "rrsig-bad record-changed record-changed rrsig-malformed");
    const struct finding *const *findings;
    rules_findings(rules, &findings);
    assert_true(findings[1]->first_seen_ns < findings[2]->first_seen_ns);
    rules_free(rules);
}

static void growing_worse_is_told(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact mild = signature_of(SIGNATURE_EXPIRED, "x.", "a.x.");
    struct fact grave = signature_of(SIGNATURE_EXPIRED, "x.", "b.x.");
    signature_in(&mild)->expiration = signature_in(&grave)->expiration = NOW / NS_S - 1;
    signature_in(&mild)->only_one = false;
    struct finding *finding = give(rules, &mild);
    assert_int_equal(finding->severity, SEVERITY_MEDIUM);
    give(rules, &grave);
    assert_int_equal(finding->severity, SEVERITY_HIGH);
    assert_string_equal(log.text, "rrsig-expired:open*1 rrsig-expired:updated*2");
    rules_free(rules);
}

static void chains_end_a_mismatch(void **state)
{
    (void)state;
    struct log log;
    char text[512];
    struct rules *rules = rules_logging(&log, 0);
    struct fact broken = fact_of(FACT_CHAIN, "x."), sound = fact_of(FACT_CHAIN, "x.");
    const uint64_t chain[] = {3, 4};
    broken.verdict = VERDICT_BOGUS;
    broken.reason = REASON_DS_MISMATCH;
    broken.chain = chain;
    broken.chain_count = 2;
    DSS(&broken, ds_of(999, 13, 2, "01234567890123456789012345678901"));
    sound.time_ns += NS_S;
    struct finding *finding = give(rules, &broken);
    assert_int_equal(finding->chain_count, 2);
    assert_int_equal(finding->chain[1], 4);
    give(rules, &sound);
    assert_string_equal(found(rules, text), "ds-mismatch!");
    rules_free(rules);
}

static void ds_learns_its_key(void **state)
{
    (void)state;
    struct log log;
    struct rules *rules = rules_logging(&log, 0);
    struct fact_key key = key_of(257, 13, 111, "K" REST), other = key_of(257, 13, 222, "O" REST);
    struct fact parent = fact_of(FACT_DS, "x."), child = fact_of(FACT_DNSKEY, "x.");
    DECLARED_KEYS(&parent, other);
    DECLARED_KEYS(&child, other);
    child.baseline.multi_signer = true; /* keeps the key rules out of this */
    DSS(&parent, ds_from("x.", &key, 2));
    struct finding *finding = give(rules, &parent);
    assert_non_null(strstr(finding->summary, "no key with this tag has been seen"));
    KEYS(&child, other, key);
    give(rules, &child);
    assert_non_null(strstr(finding->summary, "its digest is that of the key with this tag, seen"));
    assert_int_equal(finding->count, 1);
    assert_true(finding->changed);
    rules_free(rules);
}

/* What the servers leave out, resolvers can only pass on; a resolver alone is named. */
static void stripping_is_attributed(void **state)
{
    (void)state;
    static const uint8_t resolver[16] = {198, 51, 100, 1};
    for (int server_first = 0; server_first < 2; server_first++) {
        struct log log;
        struct rules *rules = rules_logging(&log, 0);
        struct fact server = fact_of(FACT_UNSIGNED, "x."), passed_on = server;
        server.observed = passed_on.observed = set_of("www.x.", 1, 1, "data");
        passed_on.aa = false;
        passed_on.server = resolver;
        if (server_first)
            give(rules, &server);
        struct finding *finding = give(rules, &passed_on);
        assert_int_equal(finding == NULL, server_first);
        if (finding)
            assert_non_null(strstr(finding->summary, "from resolver 198.51.100.1"));
        rules_free(rules);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_seen_closed_and_back),
        cmocka_unit_test(judged_again_told_once),
        cmocka_unit_test(what_does_not_refute),
        cmocka_unit_test(alternation_is_no_flood),
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(many_rrsets_one_cause),
        cmocka_unit_test(many_keys_one_cause),
        cmocka_unit_test(flapping_is_damped),
        cmocka_unit_test(more_of_the_same_is_rare),
        cmocka_unit_test(short_lives),
        cmocka_unit_test(valid_beside_bad),
        cmocka_unit_test(what_was_not_so),
        cmocka_unit_test(what_never_was_does_not_flap),
        cmocka_unit_test(what_is_so_still),
        cmocka_unit_test(clock_of_the_signer),
        cmocka_unit_test(table_is_bounded),
        cmocka_unit_test(sorted_by_weight_then_time),
        cmocka_unit_test(growing_worse_is_told),
        cmocka_unit_test(chains_end_a_mismatch),
        cmocka_unit_test(ds_learns_its_key),
        cmocka_unit_test(stripping_is_attributed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
