/*
 * judge: what the families of rules share: the fact at hand, the table of findings, and text.
 *
 * Contained in: analyze, tests. Private to the room `rules`.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include "rules/profile.h"
#include "rules/rules.h"

#define FINDINGS_DEFAULT 20000 /* some 2 KiB each */
#define LINES_MAX        32    /* expected or observed lines of one finding; more are counted */
#define MEMBERS_MAX      4096  /* RRsets told apart in one finding about a signing key */
/* A finding that came back more often than that was flapping: from then on it closes only when it
 * was gone for FLAP_HOLD, twice that at each return, at most FLAP_HOLD_MAX. */
#define FLAP_FREE     1
#define FLAP_HOLD     (INT64_C(60) * 1000000000)
#define FLAP_HOLD_MAX (INT64_C(3600) * 1000000000)
/* More of the same is told so long after the finding was last told, twice that each time. */
#define UPDATE_GAP       (INT64_C(60) * 1000000000)
#define UPDATE_GAP_MAX   (INT64_C(3600) * 1000000000)
#define ENTRY_KEYS_MAX   32 /* keys told apart in one finding about signatures */
#define ENTRY_KEYS_SHOWN 4  /* … named in its summary */
#define ENTRY_NO_KEY     UINT32_MAX
#define ENTRY_KEYS_ROOM  256
#define LINE_ROOM        2048 /* one presentation line; longer rdata is cut and says so */
#define EXPIRING_DEFAULT (INT64_C(48) * 3600 * 1000000000)

struct findings; /* opaque: the table */
struct entry;    /* opaque: a finding with what its life needs */

struct judge { /* one fact being judged */
    struct rules *rules;
    const struct profile *profile;
    const struct rules_limits *limits;
    struct findings *findings;
    const struct fact *fact;
    struct finding **ret;
    size_t room, count;
    bool quiet; /* what follows tells more of what is known, and is no observation of its own */
};

/* --- families: each looks at the fact's kind itself ---------------------------------------- */
void keys_judge(struct judge *);
void roll_judge(struct judge *);
void signatures_judge(struct judge *);
void delegation_judge(struct judge *);
void records_judge(struct judge *);
void sensor_judge(struct judge *);
void load_judge(struct judge *);
void resolution_judge(struct judge *);
void served_judge(struct judge *);
void denial_judge(struct judge *);
/* ds-malformed, of one DS: true if its digest cannot be one of its type. */
bool dsform_judge(struct judge *, const struct fact_ds *);
void contest_judge(struct judge *);
void habit_judge(struct judge *);
void rhythm_judge(struct judge *);
void servers_judge(struct judge *);
void views_judge(struct judge *);
void cut_judge(struct judge *);
void transport_judge(struct judge *);
/* The rule for a TXT RRset that changed: is the mail policy weaker now? `why` says how. */
bool mail_weakened(const struct fact_rrset *expected, const struct fact_rrset *observed,
                   const uint8_t *owner, const char **ret_why);

/* --- the table (finding.c; what fills an entry: entry.c) ----------------------------------- */

struct findings *findings_new(size_t most, rules_on_finding *, void *context);
void findings_free(struct findings *);

struct subject { /* what a finding is about; with the rule this gives its id */
    const uint8_t *zone, *owner;
    uint16_t type;
    const void *identity; /* tells deviations of one thing apart, or NULL */
    size_t identity_size;
};

/* The finding of that rule about that subject, new or known, to be filled; NULL when it is
 * switched off, excluded, suppressed, or the table is full. Lines are kept: entry_clear first where
 * they are to be written anew. */
struct entry *entry_begin(struct judge *, enum rule_id, const struct subject *);
/* Is there one about it? */
bool findings_has(struct judge *, enum rule_id, const struct subject *);
/* Is there one, and open? */
bool findings_open(struct judge *, enum rule_id, const struct subject *);
/* Its mark (entry_mark); 0 if there is none that is open. */
uint8_t findings_mark(struct judge *, enum rule_id, const struct subject *);
void findings_set_mark(struct judge *, enum rule_id, const struct subject *, uint8_t mark);
void entry_clear(struct entry *);
void entry_summary(struct entry *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void entry_expected(struct entry *, const char *line);
void entry_observed(struct entry *, const char *line);
/* Keeps the first proof given: the lines are copied. */
void entry_proof(struct entry *, const struct fact_exhibit *, const char *const served[2]);
/* Adds the RRset to those the finding is about: true if it is new to it. */
bool entry_join(struct entry *, struct findings *, const uint8_t *owner, uint16_t type);
/* The same for one key's signature over it; an RRset is one, by however many keys. `time_ns`: of
 * the fact, so that what is taken back later does not take along what joined since. */
bool entry_join_key(struct entry *, struct findings *, const uint8_t *owner, uint16_t type,
                    uint32_t key, int64_t time_ns);
size_t entry_members(const struct entry *); /* RRsets */
/* The keys it is about now: "keys 12345, 23456 (RSASHA256)" */
const char *entry_keys(const struct judge *, const struct entry *, char *ret_text, size_t room);
/* A note of the rule's own on what the finding was last about, for findings_close_quiet. */
void entry_mark(struct entry *, uint8_t mark);
/* The first text given for this finding: what it is named after does not change with every RRset.
 */
const char *entry_first(struct entry *, const char *text);
/* The least of the times given so far, this one included: deadlines are about the first. */
int64_t entry_earliest(struct entry *, int64_t seconds);
/* It rests on what the owner declared, which is named with it; always so where the rule needs the
 * baseline. */
void entry_declared(const struct judge *, struct entry *);
/* Counts the observation, cites the frames, grades, reports if need be. `severity` 0: the rule's
 * default. */
void entry_end(struct judge *, struct entry *, enum severity severity);

/* Later traffic refutes it. No-op if there is none, or it is closed, or it is older news; one that
 * flaps closes only when it stays away. */
void findings_close(struct judge *, enum rule_id, const struct subject *);
/* Every finding of that rule in the zone. */
void findings_close_zone(struct judge *, enum rule_id, const uint8_t *zone);
/* Are any of that rule open in the zone? */
bool findings_any(struct judge *, enum rule_id, const uint8_t *zone);
/* Nobody is sent any more to servers of the zone that its owner did not declare: what they alone
 * gave, whoever is in order refutes, and that they answer is over until they are seen again. */
void findings_strangers_left(struct judge *, const uint8_t *zone);
/* Is it about the fact's RRset already? */
bool findings_concerns(struct judge *, enum rule_id, const struct subject *);
/* The fact's RRset is sound again: it leaves the zone's findings of that rule; one without members
 * closes. */
void findings_leave(struct judge *, enum rule_id, const uint8_t *zone);
/* The same, where only the server that last supported the finding can refute it. */
void findings_leave_server(struct judge *, enum rule_id, const uint8_t *zone);
/* Those of the zone with that mark that nothing has supported for so long. */
void findings_close_quiet(struct judge *, enum rule_id, const uint8_t *zone, uint8_t mark,
                          int64_t quiet_ns);
/* The same for the one finding about that subject. */
void findings_leave_one(struct judge *, enum rule_id, const struct subject *);
/* Remembers, bounded, that a valid signature of the zone was seen; and tells. */
void findings_note_valid(struct findings *, const uint8_t *zone);
bool findings_noted_valid(struct findings *, const uint8_t *zone);

void findings_seen(struct findings *, struct finding *, const struct finding_sight *);
/* How many findings of the zone are open that repetitions may refute. */
size_t findings_refutable(struct findings *, const uint8_t *zone);
/* Every finding of that rule in the zone but those with these ids. */
void findings_close_but(struct judge *, enum rule_id, const uint8_t *zone,
                        const char (*ids)[FINDING_ID_TEXT], size_t count);
void findings_id(struct judge *, enum rule_id, const struct subject *,
                 char ret_id[FINDING_ID_TEXT]);
void findings_lossy(struct findings *, int64_t from_ns, int64_t to_ns);
void findings_flush(struct findings *, int64_t now_ns, bool end);
void findings_clock(struct findings *, int64_t now_ns);
size_t findings_sorted(struct findings *, const struct finding *const **ret_findings);
uint64_t findings_dropped(const struct findings *);
uint64_t findings_suppressed(const struct findings *);

/* --- text (text.c): all write into ret_text and return it ---------------------------------- */

const char *text_type(const struct judge *, uint16_t type, char ret_text[32]);
const char *text_algorithm(const struct judge *, uint8_t algorithm, char ret_text[32]);
/* "owner IN TYPE rdata" */
const char *text_record(const struct judge *, const uint8_t *owner, uint16_t type,
                        const struct fact_rdata *, char ret_text[LINE_ROOM]);
const char *text_key(const uint8_t *owner, const struct fact_key *, char ret_text[LINE_ROOM]);
const char *text_ds(const uint8_t *owner, const struct fact_ds *, char ret_text[LINE_ROOM]);
/* "owner IN RRSIG …", the signature itself left out */
const char *text_signature(const struct judge *, const uint8_t *owner,
                           const struct fact_signature *, char ret_text[LINE_ROOM]);
const char *text_time(int64_t seconds, char ret_text[32]); /* RFC 3339, UTC */
const char *text_duration(int64_t seconds,
                          char ret_text[48]); /* "14d 1h", "90m": two largest units */
const char *text_server(const struct fact *, char ret_text[64]);
const char *text_address(uint8_t family, const uint8_t *address, char ret_text[64]);
/* "validly signed", "bogus: …", "not validated", "not signed": of the fact's RRset */
const char *text_trust(const struct fact *, char ret_text[256]);
/* Adds every record of the set, as expected or observed lines. */
void text_expect_set(const struct judge *, struct entry *, const struct fact_rrset *);
void text_observe_set(const struct judge *, struct entry *, const struct fact_rrset *);

/* --- small facts --------------------------------------------------------------------------- */

#define KEY_SEP    0x0001u /* RFC 4034 2.1.1 */
#define KEY_REVOKE 0x0080u /* RFC 5011 3 */
#define KEY_ZONE   0x0100u /* RFC 4034 2.1.1 */

/* The clock that windows are judged by: packet time unless the operator said otherwise. */
int64_t fact_clock(const struct fact *);
bool rdata_equal(const struct fact_rdata *, const struct fact_rdata *);
bool rrset_equal(const struct fact_rrset *, const struct fact_rrset *);
bool rrset_has(const struct fact_rrset *, const struct fact_rdata *);
bool ds_known(const struct fact_baseline *, const struct fact_ds *);

#endif
