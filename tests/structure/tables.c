/*
 * tables: prints the program's tables as the manual and the example configuration show them.
 *
 * Contained in: `make manual` and the structure checks. The X-macros are the one source: a manual
 * that says something else fails tests/structure/manual.sh.
 *
 *   tables
 * settings|yaml|verdicts|reasons|counters|objectives|rules|checks|aparts|algorithms|digests
 */
#include "analyze/decode/dissect.h"
#include "analyze/follow/objectives.h"
#include "analyze/verdict.h"
#include "evidence/verify.h"
#include "rules/algorithm.h"
#include "rules/catalogue.h"
#include "sandbox/settings.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A number as an operator would write it: in KiB, MiB or GiB when that is exact. */
static void number(uint64_t n, const char *key)
{
    static const char *const unit[] = {"", "KiB", "MiB", "GiB"};
    size_t k = strlen(key), i = 0;
    if (k > 6 && strcmp(key + k - 6, "-bytes") == 0)
        while (i < 3 && n && n % 1024 == 0) {
            n /= 1024;
            i++;
        }
    printf("%" PRIu64 "%s", n, unit[i]);
}

/* A switch is written as a word. */
static bool is_switch(uint64_t least, uint64_t most)
{
    return least == 0 && most == 1;
}

static void setting(const char *key, uint64_t value, uint64_t least, uint64_t most,
                    const char *text)
{
    printf(".It Cm %s\n%s; default ", key, text);
    if (is_switch(least, most)) {
        printf("%s.\n", value ? "true" : "false");
        return;
    }
    number(value, key);
    printf(", from ");
    number(least, key);
    printf(" to ");
    number(most, key);
    printf(".\n");
}

static void example(const char *key, uint64_t value, uint64_t least, uint64_t most,
                    const char *text)
{
    printf("# %s (", text);
    if (is_switch(least, most)) {
        printf("true or false)\n%s: %s\n\n", key, value ? "true" : "false");
        return;
    }
    number(least, key);
    printf(" to ");
    number(most, key);
    printf(")\n%s: ", key);
    number(value, key);
    printf("\n\n");
}

static void settings(void)
{
#define X(field, key, value, least, most, text) setting(key, value, least, most, text);
    SETTINGS(X)
#undef X
}

static void yaml(void)
{
#define X(field, key, value, least, most, text) example(key, value, least, most, text);
    SETTINGS(X)
#undef X
}

static void verdicts(void)
{
#define X(name, text, meaning) printf(".It Cm %s\n%s.\n", text, meaning);
    VERDICTS(X)
#undef X
}

static void reasons(void)
{
    static const char *const of[] = {
#define X(name, text, meaning) [VERDICT_##name] = text,
        VERDICTS(X)
#undef X
    };
#define X(name, code, verdict, ede, rfc, dnsviz, text)                                             \
    printf(".It Cm %s Pq %s\n%s", code, of[VERDICT_##verdict], text);                              \
    if (rfc[0])                                                                                    \
        printf(" (%s)", rfc);                                                                      \
    if (ede != EDE_NONE)                                                                           \
        printf(", EDE %u", (unsigned)ede);                                                         \
    printf(".\n");
    REASONS(X)
#undef X
}

static void objective_members(void)
{
#define X(name, text) printf(".It Cm %s\n%s.\n", #name, text);
    OBJECTIVES(X)
#undef X
}

static void counters(void)
{
#define X(name, text) printf(".It Cm %s\n%s.\n", #name, text);
    DISSECT_COUNTERS(X)
#undef X
}

static void checks(void)
{
#define X(id, name, text) printf(".It Cm %s\n%s.\n", name, text);
    VERIFY_CHECKS(X)
#undef X
}

static void aparts(void)
{
#define X(id, name, text) printf(".It Cm %s\n%s.\n", name, text);
    VERIFY_APARTS(X)
#undef X
}

/* Those that this version opens; `dnsbailiff rules list` has the others too. */
static void rules(void)
{
    for (enum rule_id i = 0; i < RULE_COUNT; i++) {
        const struct rule_text *t = rule_text(i);
        if (t->works)
            printf(".It Cm %s Pq %s%s\n%s\n", t->id, severity_name(t->severity),
                   t->needs_baseline ? ", needs the baseline" : "", t->meaning);
    }
}

static void advice(const char *version, const struct algorithm *(*nth)(size_t))
{
    const struct algorithm *row;
    printf("As of %s.\n.Bl -column -offset 2n \"254\" \"RSASHA1-NSEC3-SHA1\" \"checked\" "
           "\"NOT RECOMMENDED\" \"RECOMMENDED\"\n",
           version);
    for (size_t i = 0; (row = nth(i)) != NULL; i++)
        printf(".It %u Ta %s Ta %s Ta %s Ta %s\n", row->number, row->mnemonic,
               row->checked ? "checked" : "\\-", algorithm_advice(row->signing),
               algorithm_advice(row->validation));
    printf(".El\n");
}

static void algorithms(void)
{
    advice(ALGORITHM_VERSION, algorithm_nth);
}

static void digests(void)
{
    advice(DIGEST_VERSION, algorithm_digest_nth);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {
        {"settings", settings},     {"yaml", yaml},         {"verdicts", verdicts},
        {"reasons", reasons},       {"counters", counters}, {"objectives", objective_members},
        {"rules", rules},           {"checks", checks},     {"aparts", aparts},
        {"algorithms", algorithms}, {"digests", digests}};
    for (size_t i = 0; argc == 2 && i < sizeof tables / sizeof tables[0]; i++)
        if (strcmp(argv[1], tables[i].name) == 0) {
            tables[i].print();
            return 0;
        }
    fprintf(stderr,
            "usage: tables settings|yaml|verdicts|reasons|counters|objectives|rules|checks|aparts|"
            "algorithms|digests\n");
    return 2;
}
