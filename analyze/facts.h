/*
 * facts: what the analyser hands to the rules: one observation, with what the baseline says of it.
 *
 * Contained in: analyze, rules, tests. A fact is built on the stack and borrowed for the call. It
 * is made when something is new (a new RRset, a new key, a changed verdict, a signature's window
 * crossed); repetitions reach the findings that they support through finding_seen, and are told as
 * facts (`again`) only where they may refute some.
 */
#ifndef ANALYZE_FACTS_H
#define ANALYZE_FACTS_H

#include "analyze/fact_health.h"
#include "analyze/name.h"
#include "analyze/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fact_rdata { /* one record's data, canonical wire form (RFC 4034 6.2), borrowed */
    const uint8_t *bytes;
    uint16_t size;
};

struct fact_rrset { /* a set of records of one owner and type, sorted canonically, without
                       duplicates */
    const uint8_t *owner;
    uint16_t type;
    uint32_t ttl;
    size_t count;
    const struct fact_rdata *rdata;
};

struct fact_key {   /* one DNSKEY */
    uint16_t flags; /* 0x0100 ZONE, 0x0080 REVOKE, 0x0001 SEP (RFC 4034 2.1.1, 5011) */
    uint8_t protocol, algorithm;
    uint16_t tag; /* RFC 4034 appendix B, as it stands (changes when REVOKE is set) */
    struct fact_rdata public_key; /* the key field alone */
    bool undecodable;             /* its length is right, and yet it was found to be no key */
    bool signs_dnskey; /* a valid signature of the observed DNSKEY RRset was made with it */
};

struct fact_ds { /* one DS */
    uint16_t tag;
    uint8_t algorithm, digest_type;
    struct fact_rdata digest;
    bool matches_key; /* a DNSKEY of the zone, observed or in the baseline, hashes to it */
};

struct fact_suppression { /* the owner does not want to be told of this */
    const char *rule;     /* id in the catalogue */
    const uint8_t *name;  /* canonical */
    bool subtree;         /* every name below `name`, not itself ("*.name") */
    uint16_t type;        /* 0: any */
    int64_t until_ns;     /* packet time, inclusive */
};

enum fact_kind {
    FACT_DNSKEY,     /* a DNSKEY RRset not seen before: keys[] */
    FACT_DS,         /* a DS RRset not seen before (from the parent): ds[] */
    FACT_NO_DS,      /* a proof that the zone has no DS */
    FACT_SIGNATURE,  /* one RRSIG over one RRset was judged, or its state changed with time:
                        signature */
    FACT_UNSIGNED,   /* an RRset without RRSIG in a zone known to be signed, DO=1 */
    FACT_CHAIN,      /* the trust in a zone's keys changed: verdict is that of its DNSKEY RRset */
    FACT_RRSET,      /* an RRset of an answer, not seen with this content before: observed */
    FACT_DELEGATION, /* an NS RRset, from a referral or from the apex, or glue of it: observed */
    FACT_DENIED,     /* a signed denial of observed.owner / observed.type (rdata empty) */
    FACT_SERVED,     /* a validly signed RRset as a response served it: observed, served */
    FACT_PROOF,      /* observed.owner / observed.type (rdata empty) was denied, or came from a
                        wildcard or by an unsigned delegation: reason says how the proof of it came
                        out, denial what it was */
    FACT_HABIT,      /* a validly signed RRset, and how its key signed before: signature, habit; or
                        in the owner's file: stated */
    FACT_RHYTHM,     /* a validly signed RRset of an authority, and when its signer signed anew
                        before: rhythm */
    FACT_CONTEST,    /* two contents of one name and type, signed by one key: observed, contest */
    FACT_NSEC3,      /* validly signed NSEC3 with parameters that are news: nsec3 */
    FACT_DISPUTE,    /* observed was shown, and validly denied, and nothing explains it:
                        contradiction */
    FACT_WALK,       /* a client collects the zone's names from its denials: walk */
    FACT_SENSOR,     /* what the tap shows, or not; about no zone: sensor */
    FACT_ROLL,       /* a key roll went on, or a step of it was unsafe: roll */
    FACT_LOAD,     /* judging observed.owner / observed.type (rdata empty) cost more than we spend:
                      load */
    FACT_SERVERS,  /* what the servers of the zone serve, compared: servers */
    FACT_BACK,     /* the serial of one server went back, or has come up again: servers */
    FACT_SERVER,   /* an authoritative answer of a server: server */
    FACT_TRANSFER, /* a transfer of the zone was answered, or refused: transfer */
    FACT_VIEWS,    /* two sides hold two views of observed.owner / observed.type: views */
    FACT_CUT,      /* the NS RRset of parent (observed) and child (cut), compared: cut */
    FACT_GLUE,     /* addresses of the zone's name servers, at the parent and its own: glues */
    FACT_CDS,      /* CDS, CDNSKEY and DNSKEY RRset of one server, compared: cds */
    FACT_HEALTH,   /* what resolvers made of the zone: health */
    FACT_TRANSPORT /* how messages travelled, not what they say: transport; observed.owner and
                      .type (rdata empty) are those of the question */
};

enum signature_state {
    SIGNATURE_VALID,
    SIGNATURE_BAD,     /* does not verify */
    SIGNATURE_EXPIRED, /* verifies, or its key is not known, and expired */
    SIGNATURE_FUTURE,
    SIGNATURE_KEY_UNKNOWN, /* the DNSKEY RRset was seen and lacks the key, as does the baseline */
    SIGNATURE_MALFORMED,
    SIGNATURE_UNCHECKED /* key not observed yet, unsupported algorithm, or budget */
};

struct fact_signature {
    enum signature_state state;
    const uint8_t *signer;
    uint16_t covered, tag;
    uint8_t algorithm, labels;
    uint32_t original_ttl;
    int64_t inception,
        expiration; /* seconds since 1970, RFC 1982 arithmetic resolved near packet time */
    bool verifies;  /* the cryptographic check succeeded, whatever the time */
    bool only_one;  /* no other signature of this RRset is valid: the RRset is bogus by it */
    bool foreign;   /* no trusted DNSKEY RRset has a key of its algorithm */
    bool astray;    /* the signer is not the zone that holds the RRset (fact.zone) */
};

struct fact_algorithms { /* a set of DNSSEC algorithms */
    uint64_t bits[4];
};

struct fact_served {
    struct fact_algorithms signed_with; /* algorithms of the RRSIGs that came with it */
    bool whole;                         /* from an authority, DO=1, every RRSIG was looked at */
    /* what the zone announces; empty where keys and RRset may be of different states of it */
    struct fact_algorithms in_dnskey, in_ds; /* in_ds for a DNSKEY RRset alone */
    uint32_t ttl, original_ttl;
    int64_t expiration; /* of the signature that lasts longest, seconds since 1970 */
    bool ttl_raised;    /* ttl is above original_ttl */
    bool outlives;      /* an authority's TTL lasts beyond `expiration` */
    bool overdue;       /* from an authority, and by the owner's word due to be signed anew */
};

/* what a proof is to show */
enum denial_of {
    DENIAL_OF_NAME,   /* NXDOMAIN */
    DENIAL_OF_TYPE,   /* NODATA */
    DENIAL_OF_CLOSER, /* an answer from a wildcard: nothing closer to the name exists */
    DENIAL_OF_DS      /* an unsigned delegation, in a referral or when asked for */
};

struct fact_denial {
    enum denial_of of;
    size_t count; /* NSEC and NSEC3 RRsets in the authority section, one record each */
    const struct fact_rrset *sets;
};

/* why no update of the zone explains two contents of one RRset */
enum contest_how {
    CONTEST_ONE_SERVER,  /* one server served both under one serial */
    CONTEST_TWO_SERVERS, /* two servers, one serial */
    CONTEST_SERIAL_BACK, /* the one that was signed later came with the lower serial */
    CONTEST_SIGNED_AFTER /* it was signed after the SOA that its server had then or later */
};

struct fact_exhibit { /* zone-file lines that anyone can check */
    /* an RRset each, with all its RRSIGs */
    const char *const *first, *const *second;
    /* DNSKEY and DS RRsets with RRSIGs, up to the anchor */
    const char *const *chain;
    size_t first_count, second_count, chain_count;
};

struct fact_side { /* how one of the two was served */
    uint8_t family;
    uint8_t server[16];
    uint64_t frame;
    bool has_serial;
    uint32_t serial;
    /* the server had that serial at both times, and was seen with no other between */
    int64_t soa_from_ns, soa_to_ns;
    uint64_t soa_frames[2];
};

struct fact_contest {
    enum contest_how how;
    bool over;               /* explained since, by a newer serial */
    bool one_client;         /* some client got both */
    struct fact_rrset other; /* the content seen first; `observed` is the other one */
    struct fact_signature by_first, by_second; /* by the same key */
    struct fact_side first, second;
    struct fact_exhibit proof;
};

#define FACT_NSEC3_MAX 4 /* distinct parameters remembered of a zone; more is nobody's roll */

struct fact_nsec3_parameters { /* RFC 5155 3 */
    uint8_t algorithm, salt_size;
    uint16_t iterations;
    bool opt_out; /* some record has the flag */
    uint8_t salt[255];
    uint8_t server_family, server[16]; /* authority that first served them; family 0 not seen */
    int64_t first_ns, last_ns;         /* when RRsets with them were seen for the first time */
};

struct fact_nsec3 {
    size_t count; /* sets of parameters in use, by first appearance */
    const struct fact_nsec3_parameters *parameters;
};

enum contradiction_how {
    CONTRADICTION_ONE_SERIAL,  /* both under one serial, the one again after the other */
    CONTRADICTION_SERIAL_BACK, /* denied under a lower serial than the server had before */
    CONTRADICTION_SIGNED_BACK  /* what was signed earlier came after what was signed later */
};

struct fact_contradiction {
    enum contradiction_how how;
    struct fact_rrset denial;    /* the NSEC or NSEC3 RRset */
    int64_t shown_ns, denied_ns; /* when they were seen last */
    uint8_t shown_family, denied_family;
    const uint8_t *shown_by, *denied_by; /* servers, 16 bytes */
};

struct fact_walk { /* one client in one zone */
    uint8_t client_family;
    const uint8_t *client; /* 16 bytes */
    bool over;             /* there was one, and for an hour nothing of it */
    bool nsec3;
    bool whole;         /* NSEC: back where it began, so every name was collected */
    uint64_t names;     /* NSEC records one after the other in the chain; distinct NSEC3 hashes */
    uint64_t unasked;   /* NSEC: such of these as a question for something else may have brought */
    uint64_t questions; /* NSEC3: for names that do not exist, one label below the zone */
    uint64_t wasted;    /* NSEC3: of these, such as brought no new hash */
    unsigned share;     /* NSEC3: percent of the zone's hashes, by the span that they cover */
    int64_t since_ns;
};

/* how the declared zone denies, as far as its file has the records */
enum fact_chain {
    FACT_CHAIN_UNKNOWN,
    FACT_CHAIN_NSEC,
    FACT_CHAIN_NSEC3,
    FACT_CHAIN_OPT_OUT /* NSEC3, with opt-out in some record */
};

#define HABIT_SOON 120 /* seconds: signings that were seen about as soon as each other */

/* What is known of the key that made a valid signature, by the signatures before
 * (analyze/follow/habit.h): of those over the same kind of RRset (data, keys, denials). */
struct fact_habit {
    uint32_t samples, signings;                 /* signatures; different inception times */
    int64_t validity_min, validity_max;         /* seconds */
    uint32_t inception_round, expiration_round; /* all were multiples of: 1, 60, … a week */
    uint32_t unrounded;                         /* signings that began off the minute */
    int64_t set_back;           /* least seconds from inception to the first sight of a signing */
    uint32_t set_back_signings; /* signings seen within HABIT_SOON of that */
    uint32_t ttl, ttl_samples;  /* original TTL of this type; samples 0: unknown, or several */
    bool of_keys, of_data;      /* the kind */
    uint16_t key_flags;
    uint32_t over_data, over_keys; /* signatures by this key over data; over keys */
    uint32_t others_over_data;     /* most by another key of the zone */
    int64_t age;                   /* of the signature in hand: from inception to first sight */
};

/* How far off the validities that are known is no sign of another hand: seconds. */
static inline int64_t fact_habit_slack(const struct fact_habit *h)
{
    int64_t spread = (h->validity_max - h->validity_min) / 4, share = h->validity_max / 20;
    int64_t slack = spread > share ? spread : share;
    return slack > 3600 ? slack : 3600;
}

#define FACT_RHYTHM_CYCLES 8

/* When the key that signed an RRset replaced its signatures before (analyze/follow/rhythm.h): of
 * those over the same kind of RRset (keys, all else). Seconds. */
struct fact_rhythm {
    bool of_keys;
    int64_t left, age; /* of the newest signature over the RRset, when it was served */
    int64_t
        newest_age;   /* of the newest one of the kind that the zone's servers were seen to serve */
    bool resumed;     /* it is newer than all when one was last found overdue */
    bool outdated;    /* the server is behind others */
    unsigned servers; /* that served signatures much older than any before */
    unsigned lately;  /* … of so many that were seen within a day */
    size_t cycles;    /* occasions at which signatures were replaced, the latest last */
    struct fact_rhythm_cycle {
        int64_t left, age; /* what the replaced ones had left, and their age: the least, the most */
    } cycle[FACT_RHYTHM_CYCLES];
};

enum sensor_kind {
    SENSOR_DROPPED,      /* frames lost on the way to the ring: part of all */
    SENSOR_NOT_ANALYSED, /* recorded, but overwritten in the ring before they were analysed */
    SENSOR_DAMAGED,      /* places in the sources that could not be read */
    SENSOR_GAPS,         /* TCP streams with bytes that never came: part of all streams */
    SENSOR_ONLY_QUERIES, /* messages without their counterpart: part of all messages */
    SENSOR_ONLY_RESPONSES,
    SENSOR_HALVES,     /* queries of some flows and responses of others */
    SENSOR_TWICE,      /* packets seen a second time within 10 ms: part of all distinct ones */
    SENSOR_CUT,        /* packets captured short: part of all; harmful if responses */
    SENSOR_WRAPPED,    /* packets inside others; `how` names the layers */
    SENSOR_TAGS,       /* VLAN tags in one direction only: part, with tags, of all */
    SENSOR_OFFLOAD,    /* checksums left to the network card: part of those checked */
    SENSOR_CHECKSUMS,  /* wrong checksums: part of those checked */
    SENSOR_OVERSIZE,   /* larger than an Ethernet frame: part of all */
    SENSOR_FRAGMENTS,  /* answers of which fragments are missing: part of those in fragments */
    SENSOR_CLOCK_BACK, /* packet time went back so many times; `how` says how far */
    SENSOR_CLOCK_SET,  /* live: the wall clock was set; `how` says where to and how far */
    SENSOR_CLOCK_FREE, /* live: nothing disciplines the wall clock */
    SENSOR_SPACE,      /* part bytes are free for evidence, and become all bytes a second fewer */
    SENSOR_UNWRITTEN,  /* part frames could not be written; `how` */
    SENSOR_HISTORY,    /* the history ended before the capture; `how` */
    SENSOR_WALLS       /* the walls of process `interface` are not as its policy says; `how` */
};

struct fact_sensor {
    enum sensor_kind kind;
    bool over;             /* was so, and is no longer: the latest interval shows none */
    bool harmful;          /* SENSOR_CUT: responses that cannot be judged */
    uint64_t part, all;    /* as said at the kind */
    int64_t from_ns;       /* the interval; it ends at the fact's time */
    const char *interface; /* NULL: all together; or the process */
    const char *how;       /* more in words, or NULL */
};

#define FACT_SERVER_TAGS 8 /* key tags shown of one server; more are left out */

/* What servers of one zone must have in common. SIGNERS: the keys that signed the SOA. */
enum servers_what {
    SERVERS_SERIAL,
    SERVERS_KEYS,
    SERVERS_SIGNERS,
    SERVERS_CDS,
    SERVERS_CDNSKEY,
    SERVERS_WHATS
};

struct fact_server { /* one server of a zone, as it was last seen */
    uint8_t family;
    const uint8_t *address; /* 16 bytes as in struct flow */
    bool odd;               /* behind the others, or unlike one of them */
    bool has_serial, none;  /* none: it says that there is no such RRset */
    uint32_t serial;
    int64_t since_ns, last_ns; /* seen so, first and last */
    size_t tags;
    const uint16_t *tag;
};

struct fact_servers {
    enum servers_what what;
    bool differ;       /* some do */
    bool equal;        /* all that were seen have the same: neither if that cannot be told */
    int64_t lasted_ns; /* so long at least, observed on both sides; 0: not seen side by side */
    bool began;      /* with a change that was seen: before it they were equal, or may have been */
    bool one_serial; /* while the SOA of both had the same serial */
    bool in_turns;   /* … of the same primary, one before and after the other, and neither of them
                        was ever seen to change */
    bool apart;      /* key sets: one signs with a key that the other does not publish */
    bool published;  /* signers: of all that differ each publishes the keys of the others, seen */
    bool only_sep;   /* key sets that differ have the same keys without SEP */
    bool final;      /* the recording ends: nothing more will be observed */
    int64_t refresh_ns, expire_ns; /* of the SOA */
    size_t count;
    const struct fact_server *server;
    /* FACT_BACK: of server[0] */
    uint32_t peak;         /* the serial it had */
    int64_t peak_since_ns; /* since when */
    int64_t back_ns;       /* when it was first seen with an older one */
    unsigned back_count;   /* answers with older ones since then, without a newer one between */
    bool back_known;       /* the older one was that of the zone within the last refresh */
    bool balanced;         /* the address went back and forth before */
    bool over;             /* it has come up again, or all have followed or must have expired */
};

struct fact_view { /* what one side is told */
    uint8_t family;
    const uint8_t *server, *client; /* 16 bytes as in struct flow */
    struct fact_rrset set;          /* count 0: denied */
    bool is_signed, signature_known;
};

struct fact_views {
    bool over; /* the sides agree again: nothing below is valid */
    bool by_signature, by_network, by_primary;
    struct fact_view side[2];
};

struct fact_transfer {
    uint8_t family;
    const uint8_t *client; /* 16 bytes as in struct flow */
    bool refused, incremental;
    uint32_t attempts; /* refused ones of the hour */
};

struct fact_cut {            /* beside observed, the parent's NS RRset */
    struct fact_rrset child; /* the apex NS RRset */
    bool differ;
    bool current;      /* the older observation was within its own TTL when the newer was made */
    bool began;        /* with a change that was seen */
    int64_t lasted_ns; /* since that, or since both were first seen so */
    int64_t ttl_ns;    /* the larger of the two */
};

struct fact_glue { /* one family of addresses of a name server whose name lies in the zone */
    struct fact_rrset parent, child; /* glue of referrals; the zone's own answer (AA=1) */
};

struct fact_glues { /* those that differ now; none: they agree again */
    size_t count;
    const struct fact_glue *glue;
};

struct fact_cds { /* of one server, at about one time; with the DNSKEYs in keys[] */
    struct fact_rrset cds, cdnskey; /* empty: absent, or not seen */
    bool cds_known, cdnskey_known;  /* seen, or seen to be absent */
    bool signers_known;             /* keys[].signs_dnskey is */
    bool ds_known, signed_by_ds;    /* by a key that a DS of the parent names (RFC 7344 4.1) */
};

struct fact_address {
    uint8_t family;    /* 4 or 6 */
    uint8_t bytes[16]; /* IPv4 in the first four, the rest zero */
};

enum transport_kind {
    TRANSPORT_RACE,        /* two different responses to one query: contender */
    TRANSPORT_FLOOD,       /* responses that miss an open query by id or port: part; queries: all */
    TRANSPORT_UNASKED,     /* responses to nobody's query at `client`: part, of so many servers */
    TRANSPORT_TCP_SILENT,  /* after TC=1, SYN without reply: part; answers with TC=1: all */
    TRANSPORT_TCP_REFUSED, /* … answered by RST */
    TRANSPORT_TCP_UNSEEN,  /* … no SYN seen, and the question is asked again: all */
    TRANSPORT_DOWNGRADE,   /* questions asked again without EDNS, answered unsigned: part */
    TRANSPORT_TUNNEL       /* names that carry data: part; their bytes, and those of the answers */
};

struct fact_transport {
    enum transport_kind kind;
    bool over;                      /* was so, and has ended */
    uint8_t family;                 /* 4, 6 */
    const uint8_t *client, *server; /* 16 bytes as in struct flow; server NULL: several */
    uint64_t part, all;             /* as said at the kind */
    uint64_t servers;               /* UNASKED: at least so many */
    uint64_t up, down;              /* TUNNEL: bytes in names, bytes in answers */
    int64_t from_ns;                /* since when; until the fact's time */
    bool certain;     /* TCP_UNSEEN: the tap shows other TCP exchanges, or the client asked so often
                         that it cannot have had its answer */
    bool signed_zone; /* DOWNGRADE: a question was of a signed zone */
    const struct fact_contender *contender; /* RACE: both, in order of arrival */
};

struct fact_contender {    /* one of several responses to the same query */
    struct fact_rrset set; /* where they differ; count 0: no such RRset in it */
    uint16_t rcode;
    enum verdict_kind verdict;
    enum reason reason;
    uint64_t frame;
    int64_t time_ns;
};

enum roll_stage {
    ROLL_PUBLISHED, /* a key appeared in the DNSKEY RRset */
    ROLL_SIGNS,     /* RRsets are signed with it */
    ROLL_DS_SEEN,   /* the parent's DS names it */
    ROLL_DS_GONE,   /* … and no longer */
    ROLL_REVOKED,   /* RFC 5011 */
    ROLL_REMOVED,   /* it left the DNSKEY RRset */
    ROLL_RESTORED,  /* it is back */
    ROLL_UNDONE,    /* a new key, that no other follows: no server is known to have it any more */
    /* unsafe steps; passed_ns and needed_ns say by how much */
    ROLL_SIGNS_EARLY,     /* RRsets had no other signature while caches could hold a DNSKEY RRset
                             without it */
    ROLL_REMOVED_EARLY,   /* it left while caches could hold RRsets without another signature */
    ROLL_KSK_EARLY,       /* it left while caches could hold a DS RRset that names no other key */
    ROLL_KSK_NO_DS,       /* it was exchanged for one that no DS, nor an anchor, names */
    ROLL_DS_EARLY,        /* the DS names only keys that are not in a DNSKEY RRset that caches can
                             hold */
    ROLL_ALGORITHM_EARLY, /* a DS of an algorithm meets RRsets without signature by it (RFC 6781
                             4.1.4): only for validators that insist on every algorithm */
    ROLL_HOLD_DOWN,       /* a trust anchor left before others had to trust its successor (RFC 5011)
                           */
    ROLL_SAFE_AGAIN,      /* the time has passed, or the conclusion was refuted */
    ROLL_DS_PENDING,      /* the key signs the DNSKEY RRset, the DS names its predecessor only */
    ROLL_DS_FOLLOWED      /* no longer */
};

enum roll_method {
    ROLL_BY_UNKNOWN,
    ROLL_BY_PREPUBLICATION,   /* RFC 7583 3.2.1 */
    ROLL_BY_DOUBLE_SIGNATURE, /* RFC 7583 3.2.2; of KSKs: double-KSK, 3.3.1 */
    ROLL_BY_DOUBLE_DS,        /* RFC 7583 3.3.2 */
    ROLL_BY_ALGORITHM         /* RFC 6781 4.1.4 */
};

struct fact_roll {
    enum roll_stage stage;
    enum roll_method method;
    const struct fact_key *roll;  /* gives the roll its name: the new key where there is one */
    const struct fact_key *key;   /* whose stage it is */
    const struct fact_key *other; /* predecessor of `roll`, or NULL */
    bool both;                    /* CSK: `roll` signs the DNSKEY RRset and others */
    bool proven;  /* one server was seen to go from one to the other; else inferred */
    bool exposed; /* an unsafe step: caches are known to be harmed, or it was left out altogether */
    bool overdue; /* ROLL_DS_PENDING: for longer than TTLs explain */
    int64_t passed_ns, needed_ns;
    int64_t until_ns;     /* when caches are rid of it; INT64_MAX: not by themselves */
    const uint8_t *owner; /* an RRset concerned, or NULL */
    uint16_t type;
};

struct fact_baseline { /* what the owner declared, for the zone this fact is about */
    bool present;      /* there is a baseline for this zone */
    bool strict;       /* hold all records to it; else keys, DS, NS and watched names only */
    bool watched;      /* the name is under `watch` */
    bool dynamic;      /* the policy says that owner and type change by themselves */
    bool may_exist;    /* … that the owner, for which a wildcard is declared, exists at times */
    bool planned;      /* a planned change of this kind is in its window at packet time */
    bool planned_sep; /* … one that names no key: any new key with SEP, any new DS, is expected */
    bool planned_zsk; /* … one that names no key: any new key without SEP is expected */
    bool planned_withdrawal; /* … to go insecure: keys and DS are taken away */
    bool signed_zone;        /* the declared zone has DNSKEYs or DS */
    bool name_exists;        /* the owner (or its wildcard) is declared with any type */
    bool ns_unknown;         /* the owner is a zone by what is declared of it, but not its NS */
    bool below_cut;    /* the owner lies below a delegation of the declared zone: not comparable */
    bool multi_signer; /* RFC 8901 */
    enum fact_chain denial;     /* what the declared zone denies with */
    const char *file;           /* zone file's name, NULL if absent */
    const uint8_t *sha256;      /* of the zone file's bytes, NULL if absent */
    uint32_t version;           /* that the zone file states, from 1 */
    struct fact_rrset expected; /* declared RRset of observed.owner/type; count 0: none declared */
    size_t key_count;           /* declared DNSKEYs */
    const struct fact_key *keys;
    size_t ds_count; /* declared DS, else those that the declared SEP keys yield */
    const struct fact_ds *ds;
    size_t key_declared; /* of keys[]: those of the zone file come first, then planned ones */
    size_t ds_declared;  /* of ds[]: to show as expected; further digests of the keys follow */
    int64_t validity_ns, refresh_ns; /* `signing` of the policy, 0 unknown */
    uint8_t algorithm; /* the only one that undeclared keys may have which are expected; 0 any */
    const struct fact_suppression *suppressions; /* of the zone */
    size_t suppression_count;
    const struct fact_address *servers; /* that answer with authority */
    size_t server_count;                /* 0: not known */
    bool servers_inferred; /* from NS and addresses in the zone file, not stated by the policy */
    const struct fact_address *transfer_clients;
    size_t transfer_client_count; /* 0: not stated */
};

struct fact_fellow { /* a server that has the same version of the zone as the fact's */
    uint8_t family;
    const uint8_t *server; /* 16 bytes as in struct flow */
    int64_t since_ns;
};

struct fact {
    enum fact_kind kind;
    int64_t time_ns;        /* packet time of the observation */
    int64_t clock_ns;       /* what it was judged at: packet time, unless --at says otherwise */
    uint64_t frame;         /* frame that completed the message; 0 none */
    const uint64_t *frames; /* all frames of the message */
    size_t frame_count;
    const uint64_t *chain; /* frames of the DNSKEY and DS RRsets that the judgement rests on */
    size_t chain_count;
    const uint8_t *zone; /* apex of the zone it is about */
    struct fact_rrset observed;
    enum verdict_kind verdict; /* of the observed RRset, at packet time */
    enum reason reason;
    bool from_above; /* it is that of a zone above: nothing of this zone itself was found wrong */
    bool retro;      /* judged later than it was captured */
    /* the message */
    bool aa, tc, do_bit, from_referral;
    uint8_t server_family; /* 4, 6; 0 unknown */
    const uint8_t *server; /* 16 bytes as in struct flow */
    /* by kind */
    const struct fact_key *keys;
    size_t key_count;
    const struct fact_ds *ds;
    size_t ds_count;
    const struct fact_signature *signature;
    const struct fact_served *served;
    const struct fact_contest *contest;
    const struct fact_habit *habit;
    const struct fact_habit *stated; /* … as by the signatures of the owner's zone file; only where
                                        the zone's SOA is still seen signed in their manner */
    const struct fact_rhythm *rhythm;
    const char *load; /* what there was too much of, in words */
    bool dnskey_seen; /* the zone's DNSKEY RRset has been observed and validated */
    bool orphaned;    /* the newest DS RRset names no key that the zone was seen to have since */
    int64_t gone_ns;  /* and when the one before it has left the caches */
    bool also_wrong;  /* FACT_SIGNATURE: another signature over the same RRset was found wrong */
    bool revised;     /* FACT_SIGNATURE, FACT_CHAIN: of the same something else was told before */
    const struct fact_fellow *fellows; /* where findings of the zone wait to be refuted */
    size_t fellow_count;
    bool again;      /* told before; it refutes what this server gave, and supports nothing */
    bool rewritten;  /* the resolver says that it made the answer itself: extended error 4, 15 to 18
                        (RFC 8914), the SOA of a policy zone, or the address 0.0.0.0 */
    bool was_signed; /* FACT_UNSIGNED: valid signatures of the zone were seen */
    const struct fact_sensor *sensor;
    const struct fact_transport *transport;
    const struct fact_denial *denial;
    const struct fact_servers *servers;
    const struct fact_views *views;
    const struct fact_transfer *transfer;
    const struct fact_cut *cut;
    const struct fact_glues *glues;
    const struct fact_cds *cds;
    const struct fact_health *health;
    const struct fact_roll *roll;
    const struct fact_nsec3 *nsec3;
    const struct fact_walk *walk;
    const struct fact_contradiction *contradiction;
    bool kept;  /* the judgement rests on keys from an earlier run (analyze/follow/keep.h) */
    bool lossy; /* frames were lost near this time: findings of absence go down one level */
    struct fact_baseline baseline;
};

#endif
