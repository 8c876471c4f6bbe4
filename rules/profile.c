/*
 * profile: the built-in default and the operator's profile over it.
 *
 * Contained in: analyze, tests. Must never switch anything off that the operator did not name.
 */
#include "rules/profile.h"

#include "analyze/facts.h"
#include "rules/conf.h"
#include "rules/embed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

EMBED(profile_default_yaml, "rules/default.yaml");

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct rule_reading {
    struct profile *profile;
    enum rule_id rule;
};

static int read_enabled(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct rule_reading *reading = context;
    return conf_bool(conf, node, &reading->profile->enabled[reading->rule]);
}

static int read_severity(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct rule_reading *reading = context;
    const char *text = conf_text(conf, node, "critical, high, medium, low or info");
    if (!text)
        return -1;
    enum severity severity = severity_find(text);
    if (!severity)
        return conf_fail(conf, node, "expected critical, high, medium, low or info, not \"%s\"",
                         text);
    reading->profile->severity[reading->rule] = severity;
    return 0;
}

static int read_rule(struct conf *conf, const yaml_node_t *key, const yaml_node_t *value,
                     void *context)
{
    static const struct conf_field fields[] = {{"enabled", read_enabled},
                                               {"severity", read_severity}};
    const char *id = (const char *)key->data.scalar.value;
    struct rule_reading reading = {context, rule_find(id)};
    if (reading.rule == RULE_COUNT)
        return conf_fail(conf, key,
                         "expected the id of a rule (see dnsbailiff rules list), not \"%s\"", id);
    return conf_map(conf, value, fields, COUNT(fields), &reading);
}

static int read_rules(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_pairs(conf, node, read_rule, context);
}

static int read_expiring(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct profile *)context)->expiring_ns);
}

static int read_space(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct profile *)context)->space_ns);
}

static int read_small(struct conf *conf, const yaml_node_t *node, uint64_t least, uint64_t most,
                      unsigned *ret)
{
    uint64_t number;
    if (conf_number(conf, node, least, most, &number) != 0)
        return -1;
    *ret = (unsigned)number;
    return 0;
}

static int read_bits(struct conf *conf, const yaml_node_t *node, unsigned *ret)
{
    return read_small(conf, node, 512, 16384, ret);
}

static int read_rsa_bits(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_bits(conf, node, &((struct profile *)context)->rsa_bits);
}

static int read_rsa_bits_zsk(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_bits(conf, node, &((struct profile *)context)->rsa_bits_zsk);
}

static int read_serial_lag(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct profile *)context)->serial_lag_ns);
}

static int read_settle(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_duration(conf, node, &((struct profile *)context)->servers_settle_ns);
}

static int read_between(struct conf *conf, const yaml_node_t *node, uint64_t least, uint64_t most,
                        unsigned *ret)
{
    uint64_t number;
    if (conf_number(conf, node, least, most, &number) != 0)
        return -1;
    *ret = (unsigned)number;
    return 0;
}

static int read_ttl_low(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 1, 86400, &((struct profile *)context)->ttl_low);
}

static int read_refusals(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 1, 1000000, &((struct profile *)context)->transfer_refusals);
}

static int read_walk_names(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 8, 1000000, &((struct profile *)context)->walk_names);
}

static int read_walk_hashes(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 8, 1000000, &((struct profile *)context)->walk_hashes);
}

static int read_walk_share(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 50, 100, &((struct profile *)context)->walk_share);
}

static int read_habit_signatures(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 2, 1000000, &((struct profile *)context)->habit_signatures);
}

static int read_habit_signings(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_between(conf, node, 2, 1000000, &((struct profile *)context)->habit_signings);
}

static int read_refresh_cycles(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_small(conf, node, 2, FACT_RHYTHM_CYCLES,
                      &((struct profile *)context)->refresh_cycles);
}

static int read_refresh_margin(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_small(conf, node, 10, 100, &((struct profile *)context)->refresh_margin);
}

static int read_servfail_percent(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_small(conf, node, 1, 100, &((struct profile *)context)->servfail_percent);
}

static int read_servfail_questions(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_small(conf, node, 2, HEALTH_QUESTIONS_MAX,
                      &((struct profile *)context)->servfail_questions);
}

static int read_validation_answers(struct conf *conf, const yaml_node_t *node, void *context)
{
    return read_small(conf, node, 10, 1000000000, &((struct profile *)context)->validation_answers);
}

/* "99.9": at most three digits behind the point. */
static int read_validation_rate(struct conf *conf, const yaml_node_t *node, void *context)
{
    const char *text = conf_text(conf, node, "a percentage like 99.9");
    if (!text)
        return -1;
    unsigned whole, share;
    int used = 0;
    char behind[4] = "000";
    bool good = *text >= '0' && *text <= '9' && sscanf(text, "%3u%n", &whole, &used) == 1;
    if (good && text[used] == '.') {
        size_t digits = strspn(text + used + 1, "0123456789");
        good = digits >= 1 && digits <= 3;
        memcpy(behind, text + used + 1, good ? digits : 0);
        used += 1 + (int)digits;
    }
    share = good ? whole * 1000 + (unsigned)strtoul(behind, NULL, 10) : 0;
    if (!good || text[used] || share > 100000)
        return conf_fail(conf, node, "expected a percentage like 99.9, not \"%s\"", text);
    ((struct profile *)context)->validation_share = share;
    return 0;
}

/* How many of a thing: at least 2, for one is chance. */
#define READ_COUNT(field)                                                                          \
    static int read_##field(struct conf *conf, const yaml_node_t *node, void *context)             \
    {                                                                                              \
        return conf_number(conf, node, 2, 1000000000,                                              \
                           &((struct profile *)context)->thresholds.field);                        \
    }
READ_COUNT(flood)
READ_COUNT(unasked)
READ_COUNT(tcp)
READ_COUNT(edns)
READ_COUNT(tunnel)

static int read_thresholds(struct conf *conf, const yaml_node_t *node, void *context)
{
    static const struct conf_field fields[] = {{"expiring", read_expiring},
                                               {"rsa-bits", read_rsa_bits},
                                               {"rsa-bits-zsk", read_rsa_bits_zsk},
                                               {"habit-signatures", read_habit_signatures},
                                               {"habit-signings", read_habit_signings},
                                               {"refresh-cycles", read_refresh_cycles},
                                               {"refresh-margin", read_refresh_margin},
                                               {"serial-lag", read_serial_lag},
                                               {"servers-settle", read_settle},
                                               {"ttl-low", read_ttl_low},
                                               {"transfer-refusals", read_refusals},
                                               {"servfail-percent", read_servfail_percent},
                                               {"servfail-questions", read_servfail_questions},
                                               {"validation-rate", read_validation_rate},
                                               {"validation-answers", read_validation_answers},
                                               {"spoof-flood", read_flood},
                                               {"response-unasked", read_unasked},
                                               {"tcp-blocked", read_tcp},
                                               {"edns-downgrade", read_edns},
                                               {"tunnel-shape", read_tunnel},
                                               {"space", read_space},
                                               {"walk-names", read_walk_names},
                                               {"walk-hashes", read_walk_hashes},
                                               {"walk-share", read_walk_share}};
    return conf_map(conf, node, fields, COUNT(fields), context);
}

static int add_excluded(struct conf *conf, const yaml_node_t *node, void *context)
{
    struct profile *profile = context;
    const char *text = conf_text(conf, node, "a zone's name");
    if (!text)
        return -1;
    void *grown = reallocarray(profile->excluded, profile->excluded_count + 1, NAME_MAX_BYTES);
    if (!grown)
        return conf_fail(conf, node, "out of memory");
    profile->excluded = grown;
    if (!name_parse(text, profile->excluded[profile->excluded_count]))
        return conf_fail(conf, node, "expected a zone's name, not \"%s\"", text);
    profile->excluded_count++;
    return 0;
}

static int read_exclude(struct conf *conf, const yaml_node_t *node, void *context)
{
    return conf_list(conf, node, add_excluded, context);
}

static int profile_read(struct profile *profile, const char *file, const void *text, size_t size,
                        char *ret_error, size_t error_room)
{
    static const struct conf_field fields[] = {
        {"rules", read_rules}, {"thresholds", read_thresholds}, {"exclude", read_exclude}};
    struct conf conf;
    int result = 0;
    if (conf_open(&conf, file, text, size, ret_error, error_room) != 0)
        return -1;
    if (conf_top(&conf)) /* an empty profile changes nothing */
        result = conf_map(&conf, conf_top(&conf), fields, COUNT(fields), profile);
    conf_close(&conf);
    return result;
}

int profile_init(struct profile *profile, const char *file, const void *text, size_t size,
                 char *ret_error, size_t error_room)
{
    *profile = (struct profile){0};
    for (size_t i = 0; i < RULE_COUNT; i++)
        profile->enabled[i] = true;
    if (profile_read(profile, "default.yaml", profile_default_yaml,
                     EMBED_SIZE(profile_default_yaml), ret_error, error_room) == 0 &&
        (!text || profile_read(profile, file, text, size, ret_error, error_room) == 0))
        return 0;
    profile_fini(profile);
    return -1;
}

void profile_fini(struct profile *profile)
{
    free(profile->excluded);
    *profile = (struct profile){0};
}

bool profile_excludes(const struct profile *profile, const uint8_t *zone)
{
    for (size_t i = 0; i < profile->excluded_count; i++)
        if (name_within(zone, profile->excluded[i]))
            return true;
    return false;
}
