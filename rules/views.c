/*
 * views: a zone that tells its clients different things, by who they are or by which server they
 * ask.
 *
 * Contained in: analyze, tests. One finding per zone: the names in it are its members.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_SOA 6

static void observe_side(struct judge *judge, struct entry *entry, const struct fact_view *side)
{
    const struct fact_rrset *asked = &judge->fact->observed;
    char server[64], client[64], name[NAME_TEXT_MAX], type[32], who[160], line[LINE_ROOM];
    const char *is_signed = !side->signature_known ? ""
                            : side->is_signed      ? ", signed"
                                                   : ", unsigned";
    snprintf(who, sizeof who, "%s to %s", text_address(side->family, side->server, server),
             text_address(side->family, side->client, client));
    name_text(asked->owner, name);
    text_type(judge, asked->type, type);
    if (side->set.count == 0)
        snprintf(line, sizeof line, "%s: no %s %s%s", who, name, type, is_signed);
    else
        snprintf(line, sizeof line, "%s: %s %s, %zu record%s%s", who, name, type, side->set.count,
                 side->set.count > 1 ? "s" : "", is_signed);
    entry_observed(entry, line);
    if (side->set.count)
        text_observe_set(judge, entry, &side->set);
}

static const char *text_difference(const struct fact_views *views)
{
    if (views->by_signature)
        return views->by_network ? "one view is unsigned and has addresses of a private network"
                                 : "one view is unsigned";
    return views->by_network ? "one view has addresses of a private network"
                             : "they have different primaries";
}

void views_judge(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_views *views = fact->views;
    if (fact->kind != FACT_VIEWS)
        return;
    if (views->over) {
        findings_leave(judge, RULE_VIEWS_DISAGREE, fact->zone);
        return;
    }
    if (fact->baseline.dynamic)
        return;
    struct subject subject = {fact->zone, fact->zone, TYPE_SOA, NULL, 0};
    struct entry *entry = entry_begin(judge, RULE_VIEWS_DISAGREE, &subject);
    if (!entry)
        return;
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX], type[32], line[LINE_ROOM], more[48] = "";
    if (entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type))
        for (size_t i = 0; i < 2; i++)
            observe_side(judge, entry, &views->side[i]);
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    size_t others = entry_members(entry) - 1;
    if (others)
        snprintf(more, sizeof more, " and %zu more question%s", others, others > 1 ? "s" : "");
    bool one_server = views->side[0].family == views->side[1].family &&
                      memcmp(views->side[0].server, views->side[1].server, 16) == 0;
    entry_summary(entry, "%s has two views, by %s: they differ in %s%s, and %s",
                  name_text(fact->zone, zone), one_server ? "who asks" : "which server is asked",
                  entry_first(entry, line), more, text_difference(views));
    entry_end(judge, entry, (enum severity)0);
}
