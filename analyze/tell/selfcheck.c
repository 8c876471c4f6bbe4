/*
 * selfcheck: see selfcheck.h. Contained in: analyze, tests. Must never: take what another process
 * told for more than a statement about the sensor.
 */
#include "analyze/tell/selfcheck.h"

#include "analyze/decode/flow.h"

#include <stdio.h>
#include <string.h>

#define SECOND_NS INT64_C(1000000000)
/* So long after a step packet time counts as steady. */
#define STEADY_NS (3600 * SECOND_NS)

void selfcheck_init(struct selfcheck *s)
{
    *s = (struct selfcheck){.open = false};
}

static void tell(const struct fact_sensor *f, int64_t time_ns, const uint64_t *frames, size_t count,
                 sensor_on_fact *on_fact, void *context)
{
    static const uint8_t root[1] = {0};
    struct fact fact = {.kind = FACT_SENSOR,
                        .time_ns = time_ns,
                        .clock_ns = time_ns,
                        .zone = root,
                        .observed = {.owner = root},
                        .frames = frames,
                        .frame_count = count,
                        .sensor = f};
    on_fact(context, &fact);
}

void selfcheck_stepped(struct selfcheck *s, sensor_on_fact *on_fact, void *context)
{
    char how[96];
    snprintf(how, sizeof how, "by %llu.%03llu s%s, first at frame %llu",
             (unsigned long long)(s->most_ns / SECOND_NS),
             (unsigned long long)(s->most_ns % SECOND_NS / 1000000), s->steps > 1 ? " at most" : "",
             (unsigned long long)s->frame);
    struct fact_sensor f = {
        .kind = SENSOR_CLOCK_BACK, .part = s->steps, .from_ns = s->from_ns, .how = how};
    s->open = true;
    tell(&f, s->last_ns, &s->frame, 1, on_fact, context);
}

void selfcheck_review(struct selfcheck *s, int64_t now_ns, sensor_on_fact *on_fact, void *context)
{
    if (!s->open || now_ns <= s->from_ns || flow_elapsed(s->last_ns, now_ns) < STEADY_NS)
        return;
    struct fact_sensor f = {.kind = SENSOR_CLOCK_BACK, .over = true, .from_ns = s->from_ns};
    s->open = false;
    tell(&f, now_ns, NULL, 0, on_fact, context);
}

void selfcheck_told(const struct condition *c, int64_t now_ns, sensor_on_fact *on_fact,
                    void *context)
{
    static const enum sensor_kind kinds[] = {
        [CONDITION_CLOCK_SET] = SENSOR_CLOCK_SET, [CONDITION_CLOCK_FREE] = SENSOR_CLOCK_FREE,
        [CONDITION_SPACE] = SENSOR_SPACE,         [CONDITION_UNWRITTEN] = SENSOR_UNWRITTEN,
        [CONDITION_HISTORY] = SENSOR_HISTORY,     [CONDITION_WALLS] = SENSOR_WALLS};
    struct fact_sensor f = {.kind = kinds[c->kind],
                            .over = c->over != 0,
                            .part = c->part,
                            .all = c->all,
                            .from_ns = now_ns,
                            .interface = c->name[0] ? c->name : NULL,
                            .how = c->how[0] ? c->how : NULL};
    tell(&f, now_ns, NULL, 0, on_fact, context);
}
