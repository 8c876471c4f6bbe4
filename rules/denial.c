/*
 * denial: findings about the denial of existence (RFC 4035 5.4, RFC 5155 8, RFC 9276).
 *
 * Contained in: analyze, tests. One cause is one finding: a zone, the step of the proof that
 * failed, and whether those who have the zone or those who pass it on failed it. The questions are
 * counted in it.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>

#define TYPE_NSEC  47
#define TYPE_NSEC3 50

/* Proofs that came whole for so long after the last broken one end the finding: of names that do
 * not exist the same one is seldom asked for twice. */
#define QUIET_NS (INT64_C(600) * 1000000000)
#define HOUR_NS  (INT64_C(3600) * 1000000000)

/* --- denial-broken, denial-missing --------------------------------------------------------- */

/* Which step of the proof failed; NULL: none did. */
static const char *failed_step(const struct fact *fact)
{
    switch (fact->reason) {
    case REASON_NAME_NOT_COVERED:
        return fact->denial->of == DENIAL_OF_NAME ? "no NSEC or NSEC3 covers the name"
                                                  : "no NSEC or NSEC3 matches or covers the name";
    case REASON_WILDCARD_NOT_DENIED:
        return fact->denial->of == DENIAL_OF_NAME
                   ? "nothing denies the wildcard that would have matched"
                   : "no NSEC or NSEC3 of the wildcard that would have matched denies the type";
    case REASON_TYPE_NOT_DENIED:
        return "the bitmap of the name has the type, or a CNAME";
    case REASON_CLOSEST_ENCLOSER:
        return "no NSEC3 proves the closest encloser";
    case REASON_NEXT_CLOSER:
        return "no NSEC3 covers the next closer name";
    case REASON_WILDCARD_CLOSER:
        return fact->denial->count ? "no NSEC or NSEC3 denies a closer name than the wildcard"
                                   : "it carries no NSEC or NSEC3 that denies the name itself";
    case REASON_DS_NOT_DENIED:
        return "no NSEC or NSEC3 shows a delegation without DS";
    case REASON_DENIAL_MISSING: /* RFC 5155 8.1, 8.2: such records are ignored */
        return fact->denial->count ? "none of its NSEC or NSEC3 can be used (of the child, of an "
                                     "unknown hash or with unknown flags, or malformed)"
                                   : NULL;
    default:
        return NULL;
    }
}

static const char *what_was_said(const struct fact *fact)
{
    switch (fact->denial->of) {
    case DENIAL_OF_NAME:
        return "NXDOMAIN";
    case DENIAL_OF_TYPE:
        return "NODATA";
    case DENIAL_OF_CLOSER:
        return "the answer from a wildcard";
    case DENIAL_OF_DS:
        return "the absence of a DS";
    }
    return "";
}

/* Where it failed: with those who have the zone, or with those who pass it on. */
static struct subject denial_subject(const struct fact *fact, bool authority, uint8_t identity[2])
{
    identity[0] = authority;
    identity[1] = (uint8_t)fact->reason;
    return (struct subject){fact->zone, fact->zone, TYPE_NSEC, identity, 2};
}

struct group { /* a finding about many questions */
    struct entry *entry;
    const char *question; /* the first */
    char others[48], server[80];
};

/* Opens or finds it and enters the question. `entry` NULL when not wanted: a resolver passes on
 * what the servers left out, which is one deviation. */
static struct group group_begin(struct judge *judge, enum rule_id rule)
{
    const struct fact *fact = judge->fact;
    uint8_t identity[2], origin_identity[2];
    struct subject subject = denial_subject(fact, fact->aa, identity);
    struct subject origin = denial_subject(fact, true, origin_identity);
    struct group group = {.entry = NULL};
    char name[NAME_TEXT_MAX], type[32], line[LINE_ROOM], server[64];
    if (!fact->aa && findings_open(judge, rule, &origin))
        return group;
    group.entry = entry_begin(judge, rule, &subject);
    if (!group.entry)
        return group;
    entry_join(group.entry, judge->findings, fact->observed.owner, fact->observed.type);
    entry_mark(group.entry, (uint8_t)fact->denial->of);
    snprintf(line, sizeof line, "%s for %s %s", what_was_said(fact),
             name_text(fact->observed.owner, name), text_type(judge, fact->observed.type, type));
    group.question = entry_first(group.entry, line);
    size_t members = entry_members(group.entry);
    if (members > 1)
        snprintf(group.others, sizeof group.others, " and %zu more question%s", members - 1,
                 members > 2 ? "s" : "");
    snprintf(group.server, sizeof group.server, "%s %s", fact->aa ? "server" : "resolver",
             text_server(fact, server));
    snprintf(line, sizeof line, "; %s for %s %s from %s", what_was_said(fact), name, type,
             group.server);
    entry_observed(group.entry, line);
    return group;
}

static void judge_broken(struct judge *judge, const char *step)
{
    const struct fact *fact = judge->fact;
    struct group group = group_begin(judge, RULE_DENIAL_BROKEN);
    char zone[NAME_TEXT_MAX];
    if (!group.entry)
        return;
    for (size_t i = 0; i < fact->denial->count; i++)
        text_observe_set(judge, group.entry, &fact->denial->sets[i]);
    entry_summary(group.entry, "%s: %s%s %s not proven: %s; last from %s",
                  name_text(fact->zone, zone), group.question, group.others,
                  *group.others ? "are" : "is", step, group.server);
    entry_end(judge, group.entry, (enum severity)0);
}

static void judge_missing(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    struct group group = group_begin(judge, RULE_DENIAL_MISSING);
    char zone[NAME_TEXT_MAX];
    if (!group.entry)
        return;
    entry_expected(group.entry, "; NSEC or NSEC3 in the authority section, with RRSIG");
    entry_summary(
        group.entry, "%s is signed, and %s%s come%s without NSEC and NSEC3; last from %s%s",
        name_text(fact->zone, zone), group.question, group.others, *group.others ? "" : "s",
        group.server, fact->rewritten ? ", which says that it blocks the name" : "");
    entry_end(judge, group.entry, fact->rewritten ? SEVERITY_LOW : (enum severity)0);
}

/* A whole proof refutes what was said of the same question at the same server; and after a while,
 * for there is seldom a second time, what was said of any other of its kind. */
static void judge_whole(struct judge *judge)
{
    static const enum rule_id rules[] = {RULE_DENIAL_BROKEN, RULE_DENIAL_MISSING};
    const struct fact *fact = judge->fact;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        findings_leave_server(judge, rules[i], fact->zone);
        findings_close_quiet(judge, rules[i], fact->zone, (uint8_t)fact->denial->of, QUIET_NS);
    }
    findings_close_quiet(judge, RULE_DENIAL_CONTRADICTED, fact->zone, 0, HOUR_NS);
}

static void judge_proof(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const char *step = failed_step(fact);
    if (!fact->do_bit || fact->tc || fact->baseline.below_cut)
        return;
    if (step)
        judge_broken(judge, step);
    else if (fact->reason == REASON_DENIAL_MISSING)
        judge_missing(judge);
    else if (fact->verdict == VERDICT_SECURE || fact->verdict == VERDICT_INSECURE)
        judge_whole(judge);
}

/* --- nsec3-parameters ---------------------------------------------------------------------- */

/* As NSEC3PARAM writes them, with the flag: "1 0 10 aabb", "opt-out". */
static const char *parameters_text(const struct fact_nsec3_parameters *p, char ret_text[600])
{
    int used = snprintf(ret_text, 600, "%u %u %u ", p->algorithm, p->opt_out, p->iterations);
    for (size_t i = 0; i < p->salt_size && used > 0 && used < 590; i++)
        used += snprintf(ret_text + used, 600 - (size_t)used, "%02X", p->salt[i]);
    if (p->salt_size == 0)
        snprintf(ret_text + used, 600 - (size_t)used, "-");
    return ret_text;
}

static void say(char *text, size_t room, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, room - used, "%s%s", used ? "; " : "", more);
}

/* Are two of them served by different servers at a time, or did one follow the other? */
static const char *how_they_differ(const struct fact_nsec3 *n)
{
    const struct fact_nsec3_parameters *a = &n->parameters[n->count - 2], *b = a + 1;
    bool servers = a->server_family && b->server_family &&
                   (a->server_family != b->server_family ||
                    memcmp(a->server, b->server, sizeof a->server) != 0);
    if (servers)
        return "the parameters differ between servers";
    return a->last_ns > b->first_ns ? "two sets of parameters are in use"
                                    : "the parameters changed";
}

/* What there is against them; empty: nothing. */
static void against(const struct judge *judge, char ret_text[256])
{
    const struct fact *fact = judge->fact;
    const struct fact_nsec3 *n = fact->nsec3;
    const struct fact_nsec3_parameters *now = &n->parameters[n->count - 1];
    enum fact_chain declared = fact->baseline.denial;
    char text[96];
    ret_text[0] = '\0';
    if (now->iterations && !judge->limits->ignore_rfc9276) {
        snprintf(text, sizeof text, "%u iteration%s, not 0", now->iterations,
                 now->iterations > 1 ? "s" : "");
        say(ret_text, 256, text);
    }
    if (now->salt_size && !judge->limits->ignore_rfc9276) {
        snprintf(text, sizeof text, "a salt of %u byte%s", now->salt_size,
                 now->salt_size > 1 ? "s" : "");
        say(ret_text, 256, text);
    }
    if (now->opt_out && (declared == FACT_CHAIN_NSEC || declared == FACT_CHAIN_NSEC3) &&
        !fact->baseline.planned)
        say(ret_text, 256, "opt-out, which the declared zone does not have");
    if (n->count > 1 && !fact->baseline.planned)
        say(ret_text, 256, how_they_differ(n));
}

static void judge_nsec3(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_nsec3 *n = fact->nsec3;
    struct subject subject = {fact->zone, fact->zone, TYPE_NSEC3, NULL, 0};
    char zone[NAME_TEXT_MAX], what[256], text[600], line[LINE_ROOM];
    against(judge, what);
    if (!*what) {
        findings_close(judge, RULE_NSEC3_PARAMETERS, &subject);
        return;
    }
    struct entry *entry = entry_begin(judge, RULE_NSEC3_PARAMETERS, &subject);
    if (!entry)
        return;
    entry_clear(entry);
    name_text(fact->zone, zone);
    snprintf(line, sizeof line, "%s IN NSEC3PARAM 1 0 0 -", zone);
    entry_expected(entry, line);
    for (size_t i = 0; i < n->count; i++) {
        const struct fact_nsec3_parameters *p = &n->parameters[i];
        struct fact seen = {.server_family = p->server_family, .server = p->server};
        char server[64], since[32];
        snprintf(line, sizeof line, "; %s NSEC3 %s since %s%s%s", zone, parameters_text(p, text),
                 text_time(p->first_ns / 1000000000, since),
                 p->server_family ? " from server " : "",
                 p->server_family ? text_server(&seen, server) : "");
        entry_observed(entry, line);
    }
    entry_summary(entry, "NSEC3 of %s: %s", zone, what);
    entry_end(judge, entry, (enum severity)0);
}

/* --- denial-contradicted ------------------------------------------------------------------- */

static const char *how_contradicted(enum contradiction_how how)
{
    switch (how) {
    case CONTRADICTION_ONE_SERIAL:
        return "both came under one serial, the one again after the other";
    case CONTRADICTION_SERIAL_BACK:
        return "the denial came under a lower serial than the server had before";
    case CONTRADICTION_SIGNED_BACK:
        return "what was signed earlier came after what was signed later";
    }
    return "";
}

static void judge_contradicted(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_contradiction *c = fact->contradiction;
    struct subject subject = {fact->zone, fact->zone, TYPE_NSEC, NULL, 0};
    struct fact shown = {.server_family = c->shown_family, .server = c->shown_by};
    struct fact denied = {.server_family = c->denied_family, .server = c->denied_by};
    char name[NAME_TEXT_MAX], zone[NAME_TEXT_MAX], type[32], line[LINE_ROOM];
    char server[64], other[64], when[32], more[48] = "";
    struct entry *entry = entry_begin(judge, RULE_DENIAL_CONTRADICTED, &subject);
    if (!entry)
        return;
    entry_join(entry, judge->findings, fact->observed.owner, fact->observed.type);
    snprintf(line, sizeof line, "%s %s", name_text(fact->observed.owner, name),
             text_type(judge, fact->observed.type, type));
    const char *first = entry_first(entry, line);
    size_t members = entry_members(entry);
    if (members > 1)
        snprintf(more, sizeof more, " and %zu more RRset%s", members - 1, members > 2 ? "s" : "");
    text_server(&shown, server);
    text_server(&denied, other);
    entry_summary(entry,
                  "%s: %s%s shown by server %s and denied by server %s, both validly signed; "
                  "%s",
                  name_text(fact->zone, zone), first, more, server, other,
                  how_contradicted(c->how));
    snprintf(line, sizeof line, "; shown by %s at %s", server,
             text_time(c->shown_ns / 1000000000, when));
    entry_observed(entry, line);
    text_observe_set(judge, entry, &fact->observed);
    snprintf(line, sizeof line, "; denied by %s at %s", other,
             text_time(c->denied_ns / 1000000000, when));
    entry_observed(entry, line);
    text_observe_set(judge, entry, &c->denial);
    entry_end(judge, entry, (enum severity)0);
}

/* --- zone-walk ----------------------------------------------------------------------------- */

/* A whole small chain says as much as a part of a large one. What was asked for the names' own sake
 * has to be the more: whoever looks every host up in order walks along as well. */
#define WALK_WHOLE_LEAST   6
#define WALK_UNASKED_LEAST 12
/* Nearly all hashes of a smaller zone may come together by chance; and of a small one at random
 * only by many questions, most of which bring nothing new. Few of them, and nearly all with
 * something new, were chosen. */
#define WALK_HASHES_LEAST    10
#define WALK_QUESTIONS_LEAST 64

static bool is_walk(const struct judge *judge, const struct fact_walk *walk)
{
    if (walk->nsec3)
        return walk->names >= judge->profile->walk_hashes ||
               (walk->share >= judge->profile->walk_share && walk->names >= WALK_HASHES_LEAST &&
                (walk->questions >= WALK_QUESTIONS_LEAST || walk->wasted * 10 <= walk->questions));
    if (walk->names - walk->unasked >= judge->profile->walk_names)
        return true;
    uint64_t least = walk->unasked * 2 > walk->names ? WALK_UNASKED_LEAST : WALK_WHOLE_LEAST;
    return walk->whole && walk->names >= least;
}

static void judge_walk(struct judge *judge)
{
    const struct fact *fact = judge->fact;
    const struct fact_walk *walk = fact->walk;
    struct subject subject = {fact->zone, fact->zone, TYPE_NSEC, NULL, 0};
    struct fact client = {.server_family = walk->client_family, .server = walk->client};
    char zone[NAME_TEXT_MAX], line[LINE_ROOM], address[64], since[32];
    if (walk->over) {
        findings_close_quiet(judge, RULE_ZONE_WALK, fact->zone, 0, HOUR_NS);
        return;
    }
    if (!is_walk(judge, walk))
        return;
    struct entry *entry = entry_begin(judge, RULE_ZONE_WALK, &subject);
    if (!entry)
        return;
    name_text(fact->zone, zone);
    text_server(&client, address);
    snprintf(line, sizeof line, "; client %s, since %s", address,
             text_time(walk->since_ns / 1000000000, since));
    entry_observed(entry, line);
    if (walk->nsec3)
        entry_summary(entry,
                      "%s collects NSEC3 hashes of %s: %llu, %u %% of the zone, by %llu questions "
                      "for names that do not exist",
                      address, zone, (unsigned long long)walk->names, walk->share,
                      (unsigned long long)walk->questions);
    else
        entry_summary(entry, "%s walks %s along its NSEC chain: %llu names in a row%s", address,
                      zone, (unsigned long long)walk->names,
                      walk->whole ? ", which are all there are" : "");
    entry_end(judge, entry, (enum severity)0);
}

void denial_judge(struct judge *judge)
{
    switch (judge->fact->kind) {
    case FACT_PROOF:
        judge_proof(judge);
        break;
    case FACT_NSEC3:
        judge_nsec3(judge);
        break;
    case FACT_DISPUTE:
        judge_contradicted(judge);
        break;
    case FACT_WALK:
        judge_walk(judge);
        break;
    default:
        break;
    }
}
