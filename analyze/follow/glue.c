/*
 * glue: what referrals say of a zone's name servers, beside what the zone says.
 *
 * Contained in: analyze, tests. Must never: claim a difference between two observations that were
 * made one after the other only, unless a recording ends with them; grow beyond its limits.
 */
#include "analyze/follow/glue.h"

#include "analyze/decode/flow.h"
#include "analyze/follow/servers.h"
#include "analyze/follow/views.h"

#include <stdlib.h>
#include <string.h>

#define GLUE_FIRST 2
#define SECOND_NS  INT64_C(1000000000)

/* --- memory --- */

struct glues *glue_of(struct world *w, struct zone *zone)
{
    struct servers *s = servers_of(w, zone);
    if (s == NULL || s->glues)
        return s ? s->glues : NULL;
    s->glues = calloc(1, sizeof *s->glues);
    if (s->glues == NULL)
        return NULL;
    s->glues->told_ns = INT64_MIN;
    w->zone_bytes += sizeof *s->glues;
    return s->glues;
}

size_t glue_free(struct glues *g)
{
    if (g == NULL)
        return 0;
    size_t bytes = sizeof *g + g->room * sizeof *g->glue;
    free(g->glue);
    free(g);
    return bytes;
}

static void side_let_go(struct glue_side *side)
{
    for (size_t i = 0; i < side->forms; i++)
        side->form[i].set->held--;
    side->forms = 0;
}

void glue_let_go(struct glues *g)
{
    for (size_t i = 0; g && i < g->count; i++) {
        side_let_go(&g->glue[i].parent);
        side_let_go(&g->glue[i].child);
    }
    if (g)
        g->count = 0;
}

/* --- finding --- */

struct glue *glue_find(const struct glues *g, const uint8_t *owner, uint16_t type)
{
    for (size_t i = 0; g && i < g->count; i++) {
        const struct rrset *set = g->glue[i].parent.form[0].set;
        if (set->type == type && name_equal(set->owner, owner))
            return &g->glue[i];
    }
    return NULL;
}

struct zone *glue_zone(const struct world *w, const uint8_t *name, uint16_t type)
{
    for (unsigned labels = name_labels(name); labels > 0; labels--) {
        struct zone *zone = world_find(w, name_suffix(name, labels));
        if (zone && zone->servers && glue_find(zone->servers->glues, name, type))
            return zone;
    }
    return NULL;
}

static struct glue *make(struct world *w, struct glues *g)
{
    if (g->count == GLUE_MAX)
        return NULL;
    if (g->count == g->room) {
        size_t room = g->room ? g->room * 2 : GLUE_FIRST;
        struct glue *more = realloc(g->glue, room * sizeof *more);
        if (more == NULL)
            return NULL;
        w->zone_bytes += (room - g->room) * sizeof *more;
        g->glue = more;
        g->room = room;
    }
    struct glue *glue = &g->glue[g->count++];
    *glue = (struct glue){.differs = false};
    return glue;
}

static bool has_record(const struct rrset *set, const uint8_t *record, uint16_t size)
{
    uint16_t other_size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &other_size)) != NULL;)
        if (other_size == size && memcmp(r, record, size) == 0)
            return true;
    return false;
}

/* --- noting --- */

static void add_referral(struct glue_form *form, uint64_t referral)
{
    for (size_t i = 0; i < GLUE_REFERRALS; i++)
        if (form->referral[i] == referral)
            return;
    memmove(form->referral + 1, form->referral, sizeof form->referral - sizeof *form->referral);
    form->referral[0] = referral;
}

/* Signatures and who made them may be others; the RRset to judge is the latest. */
static void take_set(struct glue_form *form, struct rrset *set)
{
    if (form->set == set)
        return;
    form->set->held--;
    form->set = set;
    set->held++;
}

/* The form at `at` is what the side says now. */
static void to_front(struct glue_side *side, size_t at, int64_t time_ns, uint64_t frame)
{
    struct glue_form form = side->form[at];
    memmove(side->form + 1, side->form, at * sizeof *side->form);
    if (at > 0) {
        form.since_ns = time_ns;
        form.frame = frame;
    }
    side->form[0] = form;
}

static bool note(struct glue_side *side, struct rrset *set, uint32_t ttl, uint64_t referral,
                 int64_t time_ns, uint64_t frame)
{
    size_t at = 0;
    if (side->forms && time_ns < side->form[0].last_ns)
        return false;
    while (at < side->forms && !servers_same_records(side->form[at].set, set))
        at++;
    bool is_new = at > 0 || side->forms == 0;
    if (at < side->forms) {
        side->varies |= at > 0;
        take_set(&side->form[at], set);
    } else {
        if (side->forms == GLUE_FORMS)
            side->form[--at].set->held--;
        else
            side->forms++;
        side->form[at] = (struct glue_form){.set = set, .since_ns = time_ns, .frame = frame};
        set->held++;
    }
    to_front(side, at, time_ns, frame);
    side->form[0].last_ns = time_ns;
    if (referral)
        add_referral(&side->form[0], referral);
    if (ttl > side->ttl)
        side->ttl = ttl;
    return is_new;
}

bool glue_again(struct glues *g, uint64_t referral, int64_t time_ns, uint64_t frame)
{
    bool known = false;
    for (size_t i = 0; i < g->count; i++) {
        struct glue_side *side = &g->glue[i].parent;
        for (size_t k = 0; k < side->forms; k++) {
            bool was_in = false;
            for (size_t n = 0; n < GLUE_REFERRALS; n++)
                was_in |= side->form[k].referral[n] == referral;
            if (!was_in)
                continue;
            (void)note(side, side->form[k].set, 0, referral, time_ns, frame);
            known = true;
            break;
        }
    }
    return known;
}

bool glue_note_parent(struct world *w, struct glues *g, struct rrset *set, uint32_t ttl,
                      uint64_t referral, int64_t time_ns, uint64_t frame)
{
    struct glue *glue = glue_find(g, set->owner, set->type);
    if (glue == NULL)
        glue = make(w, g);
    return glue && note(&glue->parent, set, ttl, referral, time_ns, frame);
}

static bool side_leads_to(const struct glue_side *side, const uint8_t *address, uint16_t size)
{
    for (size_t i = 0; i < side->forms; i++)
        if (has_record(side->form[i].set, address, size))
            return true;
    return false;
}

bool glue_leads_to(const struct glues *g, const struct rrset *set, uint8_t family,
                   const uint8_t *address)
{
    uint16_t size = family == 4 ? 4 : 16;
    if (has_record(set, address, size))
        return true;
    for (size_t i = 0; i < g->count; i++)
        if (side_leads_to(&g->glue[i].parent, address, size) ||
            side_leads_to(&g->glue[i].child, address, size))
            return true;
    return false;
}

bool glue_note_child(struct glue *glue, struct rrset *set, uint32_t ttl, int64_t time_ns,
                     uint64_t frame)
{
    return note(&glue->child, set, ttl, 0, time_ns, frame);
}

/* --- comparison --- */

/* How many of its forms caches may hold: those at the front. */
static size_t current(const struct glue_side *side, int64_t now_ns, int64_t ttl_ns)
{
    size_t count = 1;
    int64_t window_ns = side->varies && ttl_ns < GLUE_VARIES_NS ? GLUE_VARIES_NS : ttl_ns;
    while (count < side->forms && flow_elapsed(side->form[count].last_ns, now_ns) <= window_ns)
        count++;
    return count;
}

/* Is every address of the set in one of the forms? */
static bool covers(const struct glue_side *side, size_t forms, const struct rrset *set)
{
    uint16_t size;
    for (const uint8_t *r = NULL; (r = rrset_record(set, r, &size)) != NULL;) {
        bool found = false;
        for (size_t i = 0; i < forms && !found; i++)
            found = has_record(side->form[i].set, r, size);
        if (!found)
            return false;
    }
    return true;
}

enum glue_state glue_compare(const struct glue *glue, bool final)
{
    const struct glue_side *p = &glue->parent, *c = &glue->child;
    if (p->forms == 0 || c->forms == 0)
        return GLUE_UNSEEN;
    const struct glue_form *pf = &p->form[0], *cf = &c->form[0];
    if (servers_same_records(pf->set, cf->set))
        return GLUE_AGREES;
    if (views_apart(pf->set, cf->set))
        return GLUE_CHANGING;
    int64_t from = pf->since_ns > cf->since_ns ? pf->since_ns : cf->since_ns;
    int64_t to = pf->last_ns < cf->last_ns ? pf->last_ns : cf->last_ns;
    int64_t now = pf->last_ns > cf->last_ns ? pf->last_ns : cf->last_ns;
    int64_t ttl_ns = (int64_t)(p->ttl > c->ttl ? p->ttl : c->ttl) * SECOND_NS;
    size_t ps = current(p, now, ttl_ns), cs = current(c, now, ttl_ns);
    bool parent_known = covers(c, cs, pf->set), child_known = covers(p, ps, cf->set);
    /* One who says several things need not say all that the other does. */
    if ((ps > 1 || cs > 1) && ((cs > 1 && parent_known) || (ps > 1 && child_known)))
        return GLUE_CHANGING;
    bool near = final && p->forms == 1 && c->forms == 1 && flow_elapsed(to, from) <= GLUE_NEAR_NS;
    return from <= to || near ? GLUE_DIFFERS : GLUE_UNSEEN;
}
