/*
 * mail: is an SPF, DMARC or DKIM record more permissive than it was? (RFC 7208, RFC 7489, RFC 6376)
 *
 * Contained in: analyze, tests. Looks at the text only; never follows an include.
 */
#include "rules/judge.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define POLICY_ROOM 4096 /* longer records are compared in their first bytes */
#define TERM_ROOM   256

/* The character-strings of a TXT record as one text (RFC 7208 3.3), NUL-terminated. */
static void txt_text(const struct fact_rdata *rdata, char ret_text[POLICY_ROOM])
{
    size_t at = 0, used = 0;
    while (at < rdata->size) {
        size_t length = rdata->bytes[at++];
        if (length > rdata->size - at)
            length = rdata->size - at;
        size_t fits = POLICY_ROOM - 1 - used;
        size_t taken = length < fits ? length : fits;
        memcpy(ret_text + used, rdata->bytes + at, taken);
        used += taken;
        at += length;
    }
    ret_text[used] = '\0';
}

/* The first record that begins with `version`, as text; false if there is none. */
static bool find_policy(const struct fact_rrset *set, const char *version,
                        char ret_text[POLICY_ROOM])
{
    size_t length = strlen(version);
    for (size_t i = 0; i < set->count; i++) {
        txt_text(&set->rdata[i], ret_text);
        char after = strlen(ret_text) >= length ? ret_text[length] : '\0';
        if (strncasecmp(ret_text, version, length) == 0 &&
            (after == '\0' || after == ' ' || after == ';'))
            return true;
    }
    return false;
}

/* The next term up to one of `separators`; NULL at the end. */
static const char *next_term(const char *at, const char *separators, char ret_term[TERM_ROOM])
{
    at += strspn(at, separators);
    if (!*at)
        return NULL;
    size_t length = strcspn(at, separators);
    size_t taken = length < TERM_ROOM - 1 ? length : TERM_ROOM - 1;
    memcpy(ret_term, at, taken);
    ret_term[taken] = '\0';
    return at + length;
}

/* --- SPF ----------------------------------------------------------------------------------- */

/* 3 fail, 2 softfail, 1 neutral or no `all`, 0 pass (RFC 7208 4.6.2, 4.7, 5.1). */
static int spf_all(const char *policy)
{
    char term[TERM_ROOM];
    int result = 1;
    while ((policy = next_term(policy, " ", term)) != NULL) {
        if (strcasecmp(term, "-all") == 0)
            return 3;
        if (strcasecmp(term, "~all") == 0)
            return 2;
        if (strcasecmp(term, "?all") == 0)
            return 1;
        if (strcasecmp(term, "+all") == 0 || strcasecmp(term, "all") == 0)
            return 0;
    }
    return result;
}

static bool has_term(const char *policy, const char *wanted)
{
    char term[TERM_ROOM];
    while ((policy = next_term(policy, " ", term)) != NULL)
        if (strcasecmp(term, wanted) == 0)
            return true;
    return false;
}

static bool is_foreign(const char *term)
{
    const char *bare = strchr("+-~?", *term) ? term + 1 : term;
    if (*term == '-')
        return false; /* a refusal */
    return strncasecmp(bare, "include:", 8) == 0 || strncasecmp(bare, "redirect=", 9) == 0;
}

static const char *spf_weaker(const char *before, const char *after)
{
    char term[TERM_ROOM];
    int was = spf_all(before), is = spf_all(after);
    if (is < was)
        return is == 0 ? "SPF now lets anyone send (+all)" : "SPF has a weaker `all`";
    const char *at = after;
    while ((at = next_term(at, " ", term)) != NULL)
        if (is_foreign(term) && !has_term(before, term))
            return "SPF has a new include or redirect";
    return NULL;
}

/* --- tag lists: DMARC, DKIM ---------------------------------------------------------------- */

/* The value of tag `name` in "a=b; c=d", without white space; "" if absent. */
static void tag_value(const char *policy, const char *name, char ret_value[TERM_ROOM])
{
    char term[TERM_ROOM];
    size_t length = strlen(name);
    ret_value[0] = '\0';
    while ((policy = next_term(policy, ";", term)) != NULL) {
        const char *at = term + strspn(term, " \t");
        if (strncasecmp(at, name, length) != 0)
            continue;
        at += length;
        at += strspn(at, " \t");
        if (*at != '=')
            continue;
        at++;
        at += strspn(at, " \t");
        snprintf(ret_value, TERM_ROOM, "%.*s", (int)strcspn(at, " \t"), at);
        return;
    }
}

static int dmarc_rank(const char *value)
{
    if (strcasecmp(value, "reject") == 0)
        return 2;
    return strcasecmp(value, "quarantine") == 0 ? 1 : 0;
}

/* What holds for subdomains: sp, else p (RFC 7489 6.3). */
static int dmarc_sub_rank(const char *policy)
{
    char value[TERM_ROOM];
    tag_value(policy, "sp", value);
    if (!*value)
        tag_value(policy, "p", value);
    return dmarc_rank(value);
}

static int dmarc_percent(const char *policy)
{
    char value[TERM_ROOM];
    int percent = 100;
    tag_value(policy, "pct", value);
    if (*value && sscanf(value, "%3d", &percent) != 1)
        return 100;
    return percent;
}

static const char *dmarc_weaker(const char *before, const char *after)
{
    char was[TERM_ROOM], is[TERM_ROOM];
    tag_value(before, "p", was);
    tag_value(after, "p", is);
    if (dmarc_rank(is) < dmarc_rank(was))
        return dmarc_rank(is) == 0 ? "DMARC asks for nothing any more (p=none)"
                                   : "DMARC has a weaker policy";
    if (dmarc_sub_rank(after) < dmarc_sub_rank(before))
        return "DMARC has a weaker policy for subdomains";
    if (dmarc_percent(after) < dmarc_percent(before))
        return "DMARC applies to less mail (pct)";
    return NULL;
}

static bool dkim_tests(const char *policy)
{
    char value[TERM_ROOM], flag[TERM_ROOM];
    const char *at = value;
    tag_value(policy, "t", value);
    while ((at = next_term(at, ":", flag)) != NULL)
        if (strcasecmp(flag, "y") == 0)
            return true;
    return false;
}

/* --- all ----------------------------------------------------------------------------------- */

/* Is some label of the owner this one? */
static bool has_label(const uint8_t *owner, const char *label)
{
    size_t length = strlen(label);
    for (; *owner; owner += 1 + *owner)
        if (*owner == length && memcmp(owner + 1, label, length) == 0)
            return true;
    return false;
}

bool mail_weakened(const struct fact_rrset *expected, const struct fact_rrset *observed,
                   const uint8_t *owner, const char **ret_why)
{
    char before[POLICY_ROOM], after[POLICY_ROOM];
    const char *why = NULL;
    if (find_policy(expected, "v=spf1", before))
        why = find_policy(observed, "v=spf1", after) ? spf_weaker(before, after)
                                                     : "the SPF record is gone";
    else if (has_label(owner, "_dmarc") && find_policy(expected, "v=DMARC1", before))
        why = find_policy(observed, "v=DMARC1", after) ? dmarc_weaker(before, after)
                                                       : "the DMARC record is gone";
    else if (has_label(owner, "_domainkey") && expected->count && observed->count) {
        txt_text(&expected->rdata[0], before);
        txt_text(&observed->rdata[0], after);
        if (dkim_tests(after) && !dkim_tests(before))
            why = "DKIM is marked as a test (t=y)";
    }
    if (why)
        *ret_why = why;
    return why != NULL;
}
