/*
 * entry: what is kept of one finding beside what is told of it.
 *
 * Contained in: analyze, tests. Private to the table (finding.c) and to what fills an entry
 * (entry.c); families of rules see it through rules/judge.h alone.
 */
#ifndef RULES_ENTRY_H
#define RULES_ENTRY_H

#include "rules/givers.h"
#include "rules/judge.h"

#define uthash_fatal(message) abort() /* our memory is gone: our own failure */
#include <uthash.h>

#define SUMMARY_ROOM 1024

struct member { /* an RRset that a finding is about, and by which key; 24 bytes, by MEMBERS_MAX */
    uint64_t rrset;  /* hash of owner and type */
    int64_t time_ns; /* of the last fact that it joined by */
    uint32_t key;    /* algorithm and tag, or ENTRY_NO_KEY */
    uint32_t given;  /* bits of the servers that give it so; 0: not known */
};

struct entry_key { /* a key of a finding about signatures */
    uint32_t key;
    uint32_t members; /* RRsets in the finding because of it */
};

struct entry {
    struct finding finding; /* first: a pointer to it is a pointer to the entry */
    struct entry *next;     /* of the same zone */
    struct zone_note *zone;
    struct member *members; /* by arrival */
    size_t member_count, member_room;
    size_t rrset_count;    /* distinct RRsets among them */
    uint64_t members_more; /* beyond MEMBERS_MAX: such a finding no longer closes by itself */
    struct entry_key keys[ENTRY_KEYS_MAX];
    size_t key_count;
    uint64_t keys_more; /* beyond ENTRY_KEYS_MAX: RRset and key, counted and not told apart */
    size_t expected_more, observed_more;
    int64_t earliest;
    char *first;                       /* the first RRset, as text */
    bool fresh, back;                  /* to be reported by entry_end */
    bool aa;                           /* supported by an authoritative answer */
    uint8_t mark;                      /* the rule's own note on what it was last about */
    uint8_t server_family, server[16]; /* that last supported it; family 0: none */
    struct givers givers;              /* authorities that supported it */
    uint32_t given;                    /* … and were not seen to be in order since */
    int64_t cached_until_ns;           /* until then a cache may hold what an authority gave */
    bool gathers;                      /* it has, or had, members */
    size_t joined;                     /* member that the fact in hand is about, or SIZE_MAX */
    int64_t refuted_ns; /* refuted since then, but it came back too often to be closed at once */
    int64_t told_ns;    /* when it was last reported, packet time */
    unsigned updates;   /* reports of more of the same since it opened or came back */
    uint64_t told;      /* hash of what was last reported */
    UT_hash_handle hh;
};

/* Storage inside the entry, not the entry. */
void entry_fini(struct entry *);
/* One more observation, at that packet time. */
void entry_observe(struct entry *, int64_t time_ns);
/* Adds the frame to those cited: the first ones, for each is held for the bundle, and a flood must
 * not push the evidence out. */
void entry_cite(uint64_t *frames, size_t *count, uint64_t frame);
bool entry_has(const struct entry *, uint64_t rrset);
/* The RRset is sound again, or was all the time: what joined until then goes, unless servers other
 * than `struck` (bits) give it. If it was `own` (a bit, or 0) that gave it, what that one gave
 * besides is old news as well: zones are signed as a whole. True if it was in, and nothing is left.
 */
bool entry_leave(struct entry *, uint64_t rrset, int64_t until_ns, uint32_t struck, uint32_t own);
/* That server gives the finding's RRset (hash; of what gathers RRsets) so. */
void entry_given(struct entry *, uint8_t family, const uint8_t address[16], uint64_t rrset,
                 int64_t time_ns, uint32_t ttl);
/* Of owner and type, as members are told apart. */
uint64_t finding_member(struct findings *, const uint8_t *owner, uint16_t type);

#endif
