/*
 * roll_facts: facts about a key roll, for the tests of rules.
 */
#ifndef TESTS_UNIT_ROLL_FACTS_H
#define TESTS_UNIT_ROLL_FACTS_H

#include "tests/unit/fact_builder.h"

/* A stage of `key` in the roll from `other` (may be NULL) to `roll`, seen to happen. */
static inline struct fact roll_fact(const char *zone, enum roll_stage stage,
                                    const struct fact_key *roll, const struct fact_key *key,
                                    const struct fact_key *other)
{
    struct fact fact = fact_of(FACT_ROLL, zone);
    struct fact_roll *r = take(sizeof *r);
    *r = (struct fact_roll){.stage = stage,
                            .roll = roll,
                            .key = key,
                            .other = other,
                            .proven = true,
                            .exposed = true,
                            .passed_ns = 3 * NS_S,
                            .needed_ns = 300 * NS_S,
                            .until_ns = NOW + 297 * NS_S,
                            .owner = N("www.example.test."),
                            .type = 1};
    fact.roll = r;
    return fact;
}

static inline struct fact_roll *roll_in(struct fact *fact)
{
    return (struct fact_roll *)(uintptr_t)fact->roll;
}

#endif
