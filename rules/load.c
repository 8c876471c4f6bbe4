/*
 * load: responses that cost more to judge than anyone should spend (CVE-2023-50387,
 * CVE-2023-50868).
 *
 * Contained in: analyze, tests.
 */
#include "rules/judge.h"

#include <stdio.h>

#define TYPE_ANY 255 /* whatever is asked */

void load_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    char zone[NAME_TEXT_MAX], owner[NAME_TEXT_MAX], type[32], line[LINE_ROOM];
    if (fact->kind != FACT_LOAD)
        return;
    struct subject subject = {fact->zone, fact->zone, TYPE_ANY, NULL, 0};
    struct entry *entry = entry_begin(judge, RULE_VALIDATOR_LOAD, &subject);
    if (!entry)
        return;
    snprintf(line, sizeof line, "%s %s: %s", name_text(fact->observed.owner, owner),
             text_type(judge, fact->observed.type, type), fact->load);
    const char *first = entry_first(entry, line);
    entry_clear(entry);
    entry_observed(entry, first);
    entry_summary(entry, "answers of %s may bring validators to a halt; %s",
                  name_text(fact->zone, zone), first);
    entry_end(judge, entry, 0);
}
