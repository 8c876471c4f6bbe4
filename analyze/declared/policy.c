/*
 * policy: a zone's policy file.
 *
 * Contained in: analyze, tests; reads before confinement only.
 */
#include "analyze/declared/policy.h"

#include "analyze/declared/zonefile.h"
#include "rules/catalogue.h"
#include "rules/conf.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_TEXT_MAX (NAME_TEXT_MAX + 32)
#define DNSKEY_HEAD      4    /* flags, protocol, algorithm (RFC 4034 2.1) */
#define KEY_TEXT_MAX     8192 /* a DNSKEY of 4096 bits takes 700 characters */

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Makes room for one more; NULL (with the error filled) without memory. */
static void *grow(struct conf *conf, const yaml_node_t *node, void *list, size_t *count,
                  size_t size, void **ret_slot)
{
    char *grown = reallocarray(list, *count + 1, size);
    if (!grown) {
        conf_fail(conf, node, "out of memory");
        return NULL;
    }
    *ret_slot = memset(grown + *count * size, 0, size);
    (*count)++;
    return grown;
}

/* --- names and patterns -------------------------------------------------------------------- */

static int read_zone_name(struct conf *conf, const yaml_node_t *node, uint8_t *ret_name)
{
    const char *text = conf_text(conf, node, "a name like example.com.");
    if (!text)
        return -1;
    if (!name_parse(text, ret_name))
        return conf_fail(conf, node, "expected a name like example.com., not \"%s\"", text);
    return 0;
}

static int read_pattern(struct conf *conf, const yaml_node_t *node, struct policy_pattern *ret)
{
    char copy[PATTERN_TEXT_MAX];
    const char *text = conf_text(conf, node, "a name, or a name and a type");
    if (!text)
        return -1;
    size_t length = strlen(text);
    if (length >= sizeof copy)
        return conf_fail(conf, node, "expected a name, or a name and a type");
    memcpy(copy, text, length + 1);
    ret->line = (unsigned)node->start_mark.line + 1;
    char *type = strchr(copy, ' ');
    ret->type = 0;
    if (type) {
        *type++ = '\0';
        type += strspn(type, " ");
        ret->type = (uint16_t)ldns_get_rr_type_by_name(type);
        if (!ret->type)
            return conf_fail(conf, node, "expected a type like A or TYPE65534, not \"%s\"", type);
    }
    ret->subtree = strncmp(copy, "*.", 2) == 0;
    if (!name_parse(copy + (ret->subtree ? 2 : 0), ret->name))
        return conf_fail(conf, node, "expected a name like www.example.com., not \"%s\"", copy);
    return 0;
}

bool policy_matches(const struct policy_pattern *pattern, const uint8_t *owner, uint16_t type)
{
    if (pattern->type && pattern->type != type)
        return false;
    if (pattern->subtree)
        return name_within(owner, pattern->name) && !name_equal(owner, pattern->name);
    return name_equal(owner, pattern->name);
}

static int add_dynamic(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct policy *policy = context;
    void *slot;
    struct policy_pattern *list =
        grow(conf, node, policy->dynamic, &policy->dynamic_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->dynamic = list;
    return read_pattern(conf, node, slot);
}

static int add_watch(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct policy *policy = context;
    void *slot;
    struct policy_pattern *list =
        grow(conf, node, policy->watch, &policy->watch_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->watch = list;
    return read_pattern(conf, node, slot);
}

/* --- addresses ----------------------------------------------------------------------------- */

static int read_address(struct conf *conf, const yaml_node_t *node, struct fact_address *ret)
{
    const char *text = conf_text(conf, node, "an IPv4 or IPv6 address");
    if (!text)
        return -1;
    if (inet_pton(AF_INET, text, ret->bytes) == 1)
        ret->family = 4;
    else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
        ret->family = 6;
    else
        return conf_fail(conf, node, "expected an IPv4 or IPv6 address, not \"%s\"", text);
    return 0;
}

static int add_server(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct policy *policy = context;
    void *slot;
    struct fact_address *list =
        grow(conf, node, policy->servers, &policy->server_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->servers = list;
    return read_address(conf, node, slot);
}

static int add_client(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct policy *policy = context;
    void *slot;
    struct fact_address *list = grow(conf, node, policy->transfer_clients,
                                     &policy->transfer_client_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->transfer_clients = list;
    return read_address(conf, node, slot);
}

/* --- signing ------------------------------------------------------------------------------- */

static int read_validity(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct policy *)context)->validity_ns);
}

static int read_refresh(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct policy *)context)->refresh_ns);
}

static int read_algorithm(struct conf *conf, const yaml_node_t *node, void *context)
{
    uint64_t number;
    if (conf_number(conf, node, 1, 255, &number) != 0)
        return -1;
    ((struct policy *)context)->algorithm = (uint8_t)number;
    return 0;
}

static int read_signing(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const struct conf_field fields[] = {
        {"validity", read_validity}, {"refresh", read_refresh}, {"algorithm", read_algorithm}};
    const struct policy *policy = context;
    if (conf_map(conf, node, fields, COUNT(fields), context) != 0)
        return -1;
    /* What is signed anew with more life left than it is given would be overdue at once. */
    if (policy->validity_ns && policy->refresh_ns >= policy->validity_ns)
        return conf_fail(conf, node,
                         "expected `refresh`, the life left when the signer signs "
                         "anew, below `validity`");
    return 0;
}

/* --- planned changes ----------------------------------------------------------------------- */

struct plan_reading {
    const struct policy *policy;
    struct policy_plan *plan;
    bool has_change, has_from, has_to;
};

static int plan_change(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const char *const words[] = {
#define X(name, word, text) word,
        POLICY_CHANGES(X)
#undef X
    };
    struct plan_reading *reading = context;
    const char *text = conf_text(conf, node, "the kind of change");
    if (!text)
        return -1;
    for (unsigned i = 0; i < COUNT(words); i++)
        if (strcmp(words[i], text) == 0) {
            reading->plan->change = (enum policy_change)i;
            reading->has_change = true;
            return 0;
        }
    return conf_fail(conf, node,
                     "expected one of "
#define X(name, word, text) word " "
                     POLICY_CHANGES(X)
#undef X
                         "and not \"%s\"",
                     text);
}

static int take_key(void *context, const struct zonefile_record *record, char *ret_what,
                    size_t what_room)
{
    struct policy_plan *plan = context;
    if (record->type != LDNS_RR_TYPE_DNSKEY || record->rdata_size <= DNSKEY_HEAD || plan->key) {
        snprintf(ret_what, what_room, "expected one key");
        return -1;
    }
    plan->key = malloc(record->rdata_size);
    if (!plan->key)
        return -1;
    memcpy(plan->key, record->rdata, record->rdata_size);
    plan->key_size = record->rdata_size;
    return 0;
}

/* A key that was copied in part would match nothing. */
static bool is_whole(const struct policy_plan *plan)
{
    size_t size = plan->key_size - DNSKEY_HEAD;
    switch (plan->key[3]) {
    case LDNS_ECDSAP256SHA256:
        return size == 64;
    case LDNS_ECDSAP384SHA384:
        return size == 96;
    case LDNS_ED25519:
        return size == 32;
    case LDNS_ED448:
        return size == 57;
    default: /* RSA: a modulus of 512 bits at least, and an exponent */
        return size > 64;
    }
}

static int plan_key(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const uint8_t root[1] = {0};
    struct plan_reading *reading = context;
    char line[KEY_TEXT_MAX], ignored[256];
    const char *text = conf_text(conf, node, "a key like \"257 3 13 mdsswUyr...\"");
    if (!text)
        return -1;
    int length = snprintf(line, sizeof line, ". IN DNSKEY %s\n", text);
    if (length < 0 || (size_t)length >= sizeof line || strpbrk(text, "\n;()") ||
        zonefile_read("", line, (size_t)length, root, take_key, reading->plan, ignored,
                      sizeof ignored) != 0 ||
        !reading->plan->key || !is_whole(reading->plan))
        return conf_fail(conf, node,
                         "expected a whole key, like \"257 3 13 mdsswUyr...\" "
                         "(RFC 4034 2.2)");
    return 0;
}

static int plan_name(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct plan_reading *reading = context;
    reading->plan->has_pattern = true;
    return read_pattern(conf, node, &reading->plan->pattern);
}

static int plan_from(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct plan_reading *reading = context;
    reading->has_from = true;
    return conf_time(conf, node, false, &reading->plan->from_ns);
}

static int plan_to(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct plan_reading *reading = context;
    reading->has_to = true;
    return conf_time(conf, node, true, &reading->plan->to_ns);
}

static int read_why(struct conf *conf, const yaml_node_t *node, void *context)
{
    (void)context;
    return conf_text(conf, node, "the reason") ? 0 : -1;
}

static int add_plan(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const struct conf_field fields[] = {{"change", plan_change}, {"key", plan_key},
                                               {"name", plan_name},     {"from", plan_from},
                                               {"to", plan_to},         {"why", read_why}};
    struct policy *policy = context;
    void *slot;
    struct policy_plan *list =
        grow(conf, node, policy->plans, &policy->plan_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->plans = list;
    struct plan_reading reading = {.policy = policy, .plan = slot};
    if (conf_map(conf, node, fields, COUNT(fields), &reading) != 0)
        return -1;
    if (!reading.has_change || !reading.has_from || !reading.has_to)
        return conf_fail(conf, node, "expected change, from and to in a planned change");
    if (reading.plan->to_ns < reading.plan->from_ns)
        return conf_fail(conf, node, "expected `to` after `from`");
    if (reading.plan->change == POLICY_RECORDS && !reading.plan->has_pattern)
        return conf_fail(conf, node, "expected `name` in a planned record-change");
    return 0;
}

/* --- suppressions -------------------------------------------------------------------------- */

struct suppress_reading {
    struct policy_suppression *suppression;
    bool has_name, has_until;
};

static int suppress_rule(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct suppress_reading *reading = context;
    const char *text = conf_text(conf, node, "the id of a rule");
    if (!text)
        return -1;
    if (rule_find(text) == RULE_COUNT)
        return conf_fail(conf, node,
                         "expected the id of a rule (see dnsbailiff rules list), "
                         "not \"%s\"",
                         text);
    reading->suppression->rule = strdup(text);
    return reading->suppression->rule ? 0 : conf_fail(conf, node, "out of memory");
}

static int suppress_name(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct suppress_reading *reading = context;
    reading->has_name = true;
    return read_pattern(conf, node, &reading->suppression->pattern);
}

static int suppress_until(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct suppress_reading *reading = context;
    reading->has_until = true;
    return conf_time(conf, node, true, &reading->suppression->until_ns);
}

static int add_suppression(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const struct conf_field fields[] = {{"rule", suppress_rule},
                                               {"name", suppress_name},
                                               {"until", suppress_until},
                                               {"why", read_why}};
    struct policy *policy = context;
    void *slot;
    struct policy_suppression *list =
        grow(conf, node, policy->suppressions, &policy->suppression_count, sizeof *list, &slot);
    if (!list)
        return -1;
    policy->suppressions = list;
    struct suppress_reading reading = {.suppression = slot};
    if (conf_map(conf, node, fields, COUNT(fields), &reading) != 0)
        return -1;
    if (!reading.suppression->rule || !reading.has_name || !reading.has_until)
        return conf_fail(conf, node, "expected rule, name and until in a suppression");
    return 0;
}

/* --- the whole file ------------------------------------------------------------------------ */

static int read_zone(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_zone_name(conf, node, ((struct policy *)context)->zone);
}

static int read_strict(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_bool(conf, node, &((struct policy *)context)->strict);
}

static int read_multi_signer(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_bool(conf, node, &((struct policy *)context)->multi_signer);
}

/* --- negative anchors ---------------------------------------------------------------------- */

static int switch_off(struct conf *conf, const yaml_node_t *node, struct policy *policy)
{
    if (policy->negative)
        return conf_fail(conf, node, "expected `validate: false` or `negative-anchor`, not both");
    policy->negative = true;
    policy->negative_from_ns = INT64_MIN;
    policy->negative_until_ns = INT64_MAX;
    return 0;
}

static int read_validate(struct conf *conf, const yaml_node_t *node, void *context)
{
    bool validate;
    if (conf_bool(conf, node, &validate) != 0)
        return -1;
    return validate ? 0 : switch_off(conf, node, context);
}

struct negative_reading {
    struct policy *policy;
    bool has_until, has_why;
};

static int negative_from(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct negative_reading *reading = context;
    return conf_time(conf, node, false, &reading->policy->negative_from_ns);
}

static int negative_until(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct negative_reading *reading = context;
    reading->has_until = true;
    return conf_time(conf, node, true, &reading->policy->negative_until_ns);
}

static int negative_why(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct negative_reading *reading = context;
    reading->has_why = true;
    return read_why(conf, node, NULL);
}

/* One that never ends, or that nobody can explain, is how zones stay unprotected (RFC 7646 2). */
static int read_negative(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const struct conf_field fields[] = {
        {"from", negative_from}, {"until", negative_until}, {"why", negative_why}};
    struct negative_reading reading = {.policy = context};
    if (switch_off(conf, node, context) != 0 ||
        conf_map(conf, node, fields, COUNT(fields), &reading) != 0)
        return -1;
    if (!reading.has_until || !reading.has_why)
        return conf_fail(conf, node, "expected until and why in a negative-anchor (RFC 7646 2)");
    if (reading.policy->negative_until_ns < reading.policy->negative_from_ns)
        return conf_fail(conf, node, "expected `until` after `from`");
    return 0;
}

#define READ_LIST(function, each)                                                                  \
    static int function(struct conf *conf, const yaml_node_t *node, void *context)                 \
    {                                                                                              \
        return conf_list(conf, node, each, context);                                               \
    }
READ_LIST(read_dynamic, add_dynamic)
READ_LIST(read_watch, add_watch)
READ_LIST(read_servers, add_server)
READ_LIST(read_clients, add_client)
READ_LIST(read_planned, add_plan)
READ_LIST(read_suppress, add_suppression)

/* Names in a policy must lie in its zone: anything else is a mistake that would never match. */
static int check_name(struct conf *conf, const struct policy *policy,
                      const struct policy_pattern *pattern)
{
    char zone[NAME_TEXT_MAX], name[NAME_TEXT_MAX];
    yaml_node_t at = {.start_mark = {.line = pattern->line - 1}};
    if (name_within(pattern->name, policy->zone))
        return 0;
    return conf_fail(conf, &at, "expected names within %s, not %s", name_text(policy->zone, zone),
                     name_text(pattern->name, name));
}

static int check_names(struct conf *conf, const struct policy *policy)
{
    int result = 0;
    for (size_t i = 0; i < policy->dynamic_count && result == 0; i++)
        result = check_name(conf, policy, &policy->dynamic[i]);
    for (size_t i = 0; i < policy->watch_count && result == 0; i++)
        result = check_name(conf, policy, &policy->watch[i]);
    for (size_t i = 0; i < policy->suppression_count && result == 0; i++)
        result = check_name(conf, policy, &policy->suppressions[i].pattern);
    for (size_t i = 0; i < policy->plan_count && result == 0; i++)
        if (policy->plans[i].has_pattern)
            result = check_name(conf, policy, &policy->plans[i].pattern);
    return result;
}

/* Without a zone file a policy can switch validation off, and nothing else. */
static int note_need(struct conf *conf, const yaml_node_t *key, const yaml_node_t *value,
                     void *context)
{
    struct policy *policy = context;
    const char *word = conf_text(conf, key, "a word");
    bool free_of_zone =
        word && (strcmp(word, "validate") == 0 || strcmp(word, "negative-anchor") == 0 ||
                 (strcmp(word, "zone") == 0 && policy->negative));
    (void)value;
    if (word && !free_of_zone && policy->needs_zone == 0)
        policy->needs_zone = (unsigned)key->start_mark.line + 1;
    return word ? 0 : -1;
}

static int read_policy(struct conf *conf, struct policy *policy)
{
    static const struct conf_field fields[] = {
        {"zone", read_zone},         {"strict", read_strict},
        {"dynamic", read_dynamic},   {"watch", read_watch},
        {"servers", read_servers},   {"transfer-clients", read_clients},
        {"signing", read_signing},   {"multi-signer", read_multi_signer},
        {"planned", read_planned},   {"suppress", read_suppress},
        {"validate", read_validate}, {"negative-anchor", read_negative}};
    const yaml_node_t *top = conf_top(conf);
    if (!top)
        return conf_fail(conf, NULL, "expected a policy with `zone`");
    policy->zone[0] = UINT8_MAX; /* no name begins so: not given yet */
    if (conf_map(conf, top, fields, COUNT(fields), policy) != 0)
        return -1;
    if (policy->zone[0] == UINT8_MAX)
        return conf_fail(conf, top, "expected `zone: example.com.`");
    if (conf_pairs(conf, top, note_need, policy) != 0)
        return -1;
    return check_names(conf, policy);
}

struct policy *policy_read(const char *file, const void *text, size_t size, char *ret_error,
                           size_t error_room)
{
    struct conf conf;
    struct policy *policy = calloc(1, sizeof *policy);
    char *name = strdup(file);
    if (!policy || !name) {
        free(policy);
        free(name);
        if (error_room)
            snprintf(ret_error, error_room, "%s:1: out of memory", file);
        return NULL;
    }
    policy->file = name;
    policy->strict = true;
    if (conf_open(&conf, file, text, size, ret_error, error_room) != 0) {
        policy_free(policy);
        return NULL;
    }
    int result = read_policy(&conf, policy);
    conf_close(&conf);
    if (result != 0) {
        policy_free(policy);
        return NULL;
    }
    return policy;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->plan_count; i++)
        free(policy->plans[i].key);
    for (size_t i = 0; i < policy->suppression_count; i++)
        free(policy->suppressions[i].rule);
    free(policy->dynamic);
    free(policy->watch);
    free(policy->servers);
    free(policy->transfer_clients);
    free(policy->plans);
    free(policy->suppressions);
    free(policy->file);
    free(policy);
}
