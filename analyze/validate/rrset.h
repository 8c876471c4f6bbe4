/*
 * rrset: RRsets with their signatures, each distinct one kept once, in canonical form.
 *
 * Contained in: analyze, tests. Identity is exact: owner, type, the sorted set of canonical rdata
 * and the sorted set of RRSIG rdata are compared byte for byte, so that a hash collision can never
 * lend one RRset the verdict of another. TTLs are not part of it (a cache lowers them; the
 * signature covers the original).
 */
#ifndef ANALYZE_VALIDATE_RRSET_H
#define ANALYZE_VALIDATE_RRSET_H

#include "analyze/decode/message.h"
#include "analyze/facts.h"
#include "analyze/key.h"
#include "analyze/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RRsets looked at in one message; a message with more is `crowded` and not judged. */
#define RRSET_GROUPS_MAX 256
/* Records of one RRset. NS and DNSKEY sets in the wild stay under 64; KeyTrap shapes use hundreds.
 */
#define RRSET_RECORDS_MAX 1024
/* Signatures of one RRset that are considered (CVE-2023-50387 sends thousands). */
#define RRSET_SIGNATURES_MAX 16
/* Frames remembered as carrying the first observation. */
#define RRSET_FRAMES_MAX 4
/* Findings that one RRset can support at a time. */
#define RRSET_FINDINGS_MAX 4
/* Keys whose result is remembered per signature: more than one only when key tags collide. */
#define SIGNATURE_CHECKS_MAX 4

struct finding;
struct sighting_pending;
struct zone;

struct signature {        /* one RRSIG; views into the RRset's own bytes */
    const uint8_t *rdata; /* canonical: 18 fixed bytes, signer in lower case, signature */
    const uint8_t *signer;
    const uint8_t *bytes; /* the signature field */
    uint16_t rdata_size, bytes_size;
    uint16_t covered, tag;
    uint8_t algorithm, labels;
    uint32_t original_ttl, expiration, inception; /* as on the wire; serial arithmetic */
    uint8_t checks;
    struct {
        const struct key *key;
        enum key_result result;
        bool charged; /* to the budget, which is when the result counts (analyze/validate/attempt.c)
                       */
    } check[SIGNATURE_CHECKS_MAX];
    bool queued;      /* a check is under way (analyze/validate/ahead.c) */
    uint8_t reported; /* enum signature_state + 1 that the rules were last told, 0 none */
    bool noted;       /* among what its key signed (analyze/follow/usage.h) */
};

struct rrset {
    struct rrset *next; /* of the same bucket */
    uint64_t hash;
    uint16_t type;
    uint16_t count;       /* records */
    uint8_t signatures;   /* usable RRSIGs kept */
    bool more_signatures; /* there were more than RRSET_SIGNATURES_MAX, or malformed ones */
    bool recalled; /* known from an earlier run (analyze/follow/keep.h), not yet seen in this one */
    uint32_t held; /* places in zones that refer to it; above 0 it survives rrsets_forget */
    uint8_t
        compared; /* 1 + enum verdict_kind with which the rules were given its content, 0 not yet */
    uint8_t turns; /* of what is declared, up to which it was held against it (tell.h) */
    uint8_t owner_size;
    uint32_t size; /* bytes of the identity, behind this struct */
    uint32_t ttl;  /* as first seen */
    const uint8_t *owner;
    const uint8_t *records; /* count times: u16 size (host order), rdata; sorted */
    struct signature *signature;
    int64_t first_seen_ns, last_seen_ns;
    int64_t current_ns;   /* until then it was all that a cache could hold, by the TTLs it came
                             with: of keys each time, else at first */
    int64_t sound_ns;     /* until then caches may hold it that validated it; 0 none */
    int64_t authority_ns; /* last seen with AA=1, of keys each time, else at first; 0 not so */
    uint64_t served;      /* what was last told of it (analyze/follow/served.h), 0 nothing */
    uint64_t seen;
    uint64_t frames[RRSET_FRAMES_MAX]; /* of the first observation */
    uint8_t frame_count, finding_count;
    struct finding *findings[RRSET_FINDINGS_MAX];
    uint8_t listed; /* 1 + enum reason with which the history was last told of it, 0 never */
    struct sighting_pending *sighting; /* what the history is to be told, or NULL */
    /* the last judgement (analyze/validate/judge.c) */
    struct {
        bool done;
        enum reason reason;
        const struct zone *zone;   /* whose keys decided */
        uint32_t version;          /* of that zone's trust when it was made */
        int64_t from_ns, until_ns; /* packet times at which it holds */
        uint8_t by;                /* index of the signature that decided */
        bool outlived;             /* sound by what caches may still hold, and by nothing else */
        bool wildcard;             /* the signature covers a wildcard above the owner */
        uint64_t message;          /* struct budget: in which it was made */
    } judged;
};

struct rrsets; /* opaque: the table */

/* `seed` keys the hash (an attacker must not choose buckets). */
struct rrsets *rrsets_new(uint64_t seed);
void rrsets_free(struct rrsets *);
/* Bytes in use. */
size_t rrsets_bytes(const struct rrsets *);
/* Calls for every RRset, in no particular order. */
void rrsets_each(const struct rrsets *, void (*on_rrset)(void *context, struct rrset *),
                 void *context);
/* Drops every RRset that no zone holds. Pointers to the others stay valid; what was found out about
 * them with keys and zones that may be dropped too is found out again. */
void rrsets_forget(struct rrsets *);

struct rrset_group { /* one RRset as it lies in a message */
    uint16_t owner;  /* index into the message's owners */
    uint16_t type;
    uint8_t section;
    bool fresh; /* rrset was made for this message */
    uint16_t records, signatures;
    uint32_t ttl;        /* smallest */
    struct rrset *rrset; /* after rrset_intern, NULL if malformed or too large */
};

/* The RRset was in a response at this packet time. */
static inline void rrset_seen(struct rrset *set, int64_t time_ns)
{
    if (time_ns > set->last_seen_ns || set->seen == 0)
        set->last_seen_ns = time_ns;
    set->seen++;
}

struct rrset_groups {
    size_t count;
    bool crowded; /* more groups or records than are looked at */
    struct rrset_group group[RRSET_GROUPS_MAX];
};

/* Sorts the RRs of the message (class IN) into RRsets by section, owner and type; RRSIGs go with
 * the RRset they cover. `sections` is a bit mask of 1 << enum dns_section. */
void rrset_groups(const struct dns_message *, unsigned sections, struct rrset_groups *ret);

/* Finds or makes the RRset of a group. `frames` are those of the message. Sets group->rrset and
 * ->fresh. */
void rrset_intern(struct rrsets *, const struct dns_message *, struct rrset_group *,
                  int64_t time_ns, const uint64_t *frames, size_t frame_count);

/* Which addresses of names in the zone the additional section gives, in any order: a hash, 0 for
 * none. */
uint64_t rrset_glue(const struct dns_message *, const uint8_t *zone, uint64_t seed);

/* Calls for each record: `at` starts as NULL; returns the rdata and sets *ret_size, NULL after the
 * last. */
const uint8_t *rrset_record(const struct rrset *, const uint8_t *at, uint16_t *ret_size);
/* Room for `count` entries; fills the view that rules get. */
struct fact_rrset rrset_view(const struct rrset *, struct fact_rdata *room);

/* Room for the signed data of any RRset that is kept. */
#define RRSET_SIGNED_MAX (((size_t)1 << 18) + RRSET_RECORDS_MAX * (NAME_MAX_BYTES + 10))
/* Writes what the signature signs (RFC 4034 3.1.8.1); returns its bytes, 0 if it does not fit. */
size_t rrset_signed_data(const struct rrset *, const struct signature *,
                         uint8_t ret_data[RRSET_SIGNED_MAX]);

#endif
