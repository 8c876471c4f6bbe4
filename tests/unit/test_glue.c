/*
 * test_glue: what is claimed of glue beside the zone's own addresses, and what may not be.
 */
#include "tests/unit/fact_builder.h"

#include "analyze/canon.h"
#include "analyze/follow/glue.h"
#include "analyze/follow/servers.h"

#define TTL 10

static struct settings settings;
static struct world world;
static struct zone *zone;

static int setup(void **state)
{
    static const uint8_t apex[] = "\1z";
    (void)state;
    builder_reset();
    settings_default(&settings);
    if (world_init(&world, &settings, NULL, NULL, 1) < 0)
        return -1;
    zone = world_zone(&world, apex);
    return zone && glue_of(&world, zone) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    servers_let_go(zone->servers);
    world_fini(&world);
    return 0;
}

/* An A RRset: each letter is an address. */
static struct rrset *addresses(const char *owner, const char *letters, size_t count)
{
    struct rrset *set = take(sizeof *set);
    const uint8_t *name = N(owner);
    const size_t name_bytes = name_size(name);
    uint8_t *identity = take(name_bytes + count * 6), *records = identity + name_bytes;
    const uint16_t size = 4;
    memcpy(identity, name, name_bytes);
    for (size_t i = 0; i < count; i++) {
        const uint8_t address[4] = {192, 0, 2, (uint8_t)letters[i]};
        memcpy(records + 6 * i, &size, 2);
        memcpy(records + 6 * i + 2, address, 4);
    }
    *set = (struct rrset){.type = TYPE_A,
                          .count = (uint16_t)count,
                          .owner = identity,
                          .owner_size = (uint8_t)name_bytes,
                          .size = (uint32_t)(name_bytes + count * 6),
                          .records = records};
    return set;
}

/* "P3ab": in second 3 the parent gives the addresses a and b; C: the zone. */
static void play(const char *steps)
{
    for (const char *at = steps; *at; at += strspn(at, " ")) {
        char *letters;
        bool of_parent = *at == 'P';
        int64_t time_ns = strtoll(at + 1, &letters, 10) * NS_S;
        size_t count = strspn(letters, "abcdefgh");
        struct rrset *set = addresses("ns.z.", letters, count);
        if (of_parent)
            glue_note_parent(&world, zone->servers->glues, set, TTL, (uint64_t)letters[0], time_ns,
                             1);
        else
            glue_note_child(glue_find(zone->servers->glues, set->owner, TYPE_A), set, TTL, time_ns,
                            2);
        at = letters + count;
    }
}

static void test_states(void **state)
{
    (void)state;
    static const struct {
        const char *steps;
        enum glue_state now, at_end;
    } cases[] = {
        {"P0a", GLUE_UNSEEN, GLUE_UNSEEN},
        {"P0a C1a", GLUE_AGREES, GLUE_AGREES},
        {"P0ab C1ab", GLUE_AGREES, GLUE_AGREES},
        /* one after the other only: either may have changed meanwhile; at the end of a recording,
         * and so near each other, that is unlikely */
        {"P0a C1b", GLUE_UNSEEN, GLUE_DIFFERS},
        {"P0a C61b", GLUE_UNSEEN, GLUE_UNSEEN},
        /* one of them before and after the other */
        {"P0a C1b P2a", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0a C1b P500000a", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0a C1b C2b", GLUE_UNSEEN, GLUE_DIFFERS},
        {"P0a C1b C2b P3a", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0ab C1a P2ab", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0a C1ab P2a", GLUE_DIFFERS, GLUE_DIFFERS},
        /* the zone changes, and the parent follows before caches forget, or after */
        {"P0a C1a C2b P3a C4b", GLUE_CHANGING, GLUE_CHANGING},
        {"P0a C1a C2b P3a P4b C5b", GLUE_AGREES, GLUE_AGREES},
        {"P0a C1a C2b P11a", GLUE_CHANGING, GLUE_CHANGING},
        {"P0a C1a C2b P12a C13b", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0a C1a C2b P12a C13b P14b", GLUE_AGREES, GLUE_AGREES},
        /* the parent changes, and the zone follows */
        {"P0a C1a P2b C3a P4b", GLUE_CHANGING, GLUE_CHANGING},
        {"P0a C1a P2b C3a P4b C5b", GLUE_AGREES, GLUE_AGREES},
        {"P0a C1a P2b C13a P14b", GLUE_DIFFERS, GLUE_DIFFERS},
        /* to something else on both sides */
        {"P0a C1a P2b C3c P4b", GLUE_DIFFERS, GLUE_DIFFERS},
        /* chosen anew for each answer: held against all of it, for longer */
        {"P0a C1a C2b C3a C4b P5a", GLUE_CHANGING, GLUE_CHANGING},
        {"P0a C1a C2b C3a C4b P50a C51b P52a", GLUE_CHANGING, GLUE_CHANGING},
        {"P0a C1a C2b C3a C4b P90000a C90001b P90002a", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0c C1a C2b C3a C4b P5c", GLUE_DIFFERS, GLUE_DIFFERS},
        {"P0ab C1a C2b C3a C4b P5ab C6a", GLUE_CHANGING, GLUE_CHANGING},
        /* servers of the parent that are behind each other */
        {"P0a C1b P2b P3a C4b P5a", GLUE_CHANGING, GLUE_CHANGING},
        /* packets overtake each other */
        {"P5a C6b P0b", GLUE_UNSEEN, GLUE_DIFFERS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct glues *g = zone->servers->glues;
        play(cases[i].steps);
        const struct glue *glue = glue_find(g, N("ns.z."), TYPE_A);
        assert_non_null(glue);
        if (glue_compare(glue, false) != cases[i].now ||
            glue_compare(glue, true) != cases[i].at_end)
            fail_msg("%s: %d, at the end %d", cases[i].steps, glue_compare(glue, false),
                     glue_compare(glue, true));
        glue_let_go(g);
        builder_reset();
    }
}

/* A referral that was seen before is recognised by its hash, whichever of several it is. */
static void test_again(void **state)
{
    (void)state;
    struct glues *g = zone->servers->glues;
    play("P0a C1b");
    const struct glue *glue = glue_find(g, N("ns.z."), TYPE_A);
    assert_false(glue_again(g, 'x', 2 * NS_S, 3));
    assert_int_equal(glue_compare(glue, false), GLUE_UNSEEN);
    assert_true(glue_again(g, 'a', 2 * NS_S, 3));
    assert_int_equal(glue_compare(glue, false), GLUE_DIFFERS);
    play("P3b");
    assert_int_equal(glue_compare(glue, false), GLUE_AGREES);
    assert_true(glue_again(g, 'a', 20 * NS_S, 9));
    assert_int_equal(glue->parent.form[0].frame, 9);
    assert_int_equal(glue->parent.form[0].since_ns, 20 * NS_S);
}

/* Who answers must be somebody that the delegation, or the zone, leads to. */
static void test_leads_to(void **state)
{
    (void)state;
    const struct glues *g = zone->servers->glues;
    const uint8_t a[16] = {192, 0, 2, 'a'}, b[16] = {192, 0, 2, 'b'}, c[16] = {192, 0, 2, 'c'};
    play("P0a C1b");
    assert_true(glue_leads_to(g, addresses("ns.z.", "c", 1), 4, a));
    assert_true(glue_leads_to(g, addresses("ns.z.", "c", 1), 4, b));
    assert_true(glue_leads_to(g, addresses("ns.z.", "c", 1), 4, c));
    assert_false(glue_leads_to(g, addresses("ns.z.", "d", 1), 4, c));
    assert_false(glue_leads_to(g, addresses("ns.z.", "d", 1), 6, a));
}

/* Inside, the name has an address of one's own network; outside, a public one. */
static void test_views(void **state)
{
    (void)state;
    struct glues *g = zone->servers->glues;
    struct rrset *inside = addresses("ns.z.", "a", 1), *outside = addresses("ns.z.", "b", 1);
    memcpy((uint8_t *)(uintptr_t)inside->records + 2, "\12\0\0\1", 4);
    glue_note_parent(&world, g, outside, TTL, 1, 0, 1);
    struct glue *glue = glue_find(g, inside->owner, TYPE_A);
    glue_note_child(glue, inside, TTL, NS_S, 1);
    glue_note_parent(&world, g, outside, TTL, 1, 2 * NS_S, 1);
    assert_int_equal(glue_compare(glue, true), GLUE_CHANGING);
}

static void test_bounds(void **state)
{
    (void)state;
    struct glues *g = zone->servers->glues;
    size_t before = world.zone_bytes;
    char owner[32];
    struct rrset *set[2 * GLUE_MAX];
    for (unsigned i = 0; i < 2 * GLUE_MAX; i++) {
        snprintf(owner, sizeof owner, "n%u.z.", i);
        set[i] = addresses(owner, "a", 1);
        assert_int_equal(glue_note_parent(&world, g, set[i], TTL, 1, NS_S, 1), i < GLUE_MAX);
        assert_int_equal(set[i]->held, i < GLUE_MAX);
    }
    for (unsigned i = 0; i < 3 * GLUE_FORMS; i++) {
        const char letter = (char)('a' + i);
        struct rrset *other = addresses("n0.z.", &letter, 1);
        glue_note_parent(&world, g, other, TTL, 100 + i, (2 + i) * NS_S, 1);
        assert_true(glue_find(g, N("n0.z."), TYPE_A)->parent.forms <= GLUE_FORMS);
    }
    assert_int_equal(g->count, GLUE_MAX);
    assert_int_equal(world.zone_bytes - before, g->room * sizeof *g->glue);
    glue_let_go(g);
    for (unsigned i = 0; i < 2 * GLUE_MAX; i++)
        assert_int_equal(set[i]->held, 0);
}

static void test_zone_of(void **state)
{
    (void)state;
    play("P0a");
    zone->seen = true;
    assert_ptr_equal(glue_zone(&world, N("ns.z."), TYPE_A), zone);
    assert_null(glue_zone(&world, N("ns.z."), TYPE_AAAA));
    assert_null(glue_zone(&world, N("www.z."), TYPE_A));
    assert_null(glue_zone(&world, N("ns.y."), TYPE_A));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_states), TEST(test_again),  TEST(test_leads_to),
        TEST(test_views),  TEST(test_bounds), TEST(test_zone_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
