/*
 * report_recovery: the cases of recovery and what to do in each (RFC 6781 4.2, RFC 7583, RFC 5011).
 *
 * Contained in: report, tests. Pure: facts in, case and constant text out.
 */
#include "evidence/report_scope.h"

static const char *const zsk[] = {
    "take the signer off the network as it is; keep its logs and the HSM's, with a hash of each",
    "restore the zone's data from a source that the signer could not write to",
    "publish a new ZSK beside the old one and wait the DNSKEY TTL, so that caches have it "
    "(RFC 7583 3.2.1)",
    "sign the whole zone anew with the new ZSK only",
    "take the old ZSK out of the DNSKEY RRset once its signatures have left caches, at once if "
    "forged data must stop validating sooner than good data may fail (RFC 6781 4.2.2)",
    "the DNSKEY RRset that holds the old ZSK can be replayed until the KSK's signature over it "
    "expires: if that is far off, roll the KSK too",
    NULL};
static const char *const ksk[] = {
    "ask the owner whether the keys are theirs (a roll that was not announced); if so, declare "
    "them, and nothing of what follows is needed",
    "take the signer off the network as it is; keep its logs and the HSM's, with a hash of each",
    "decide, before acting: keep the chain of trust (slower, no outage) or break it by having the "
    "DS removed (faster, the zone is insecure until it is back) (RFC 6781 4.2.1)",
    "make a new KSK, publish it beside the old one and wait the DNSKEY TTL (RFC 7583 3.3.1)",
    "have the parent publish the new DS, check it at every server of the parent, and only then "
    "have "
    "it remove the old one",
    "take out every undeclared key and sign the DNSKEY RRset with the new KSK only, with a short "
    "validity",
    "what the old KSK signed can be replayed until the old DS has left caches: the DS TTL after "
    "the "
    "parent removed it",
    "if the old KSK is configured anywhere as a trust anchor, revoke it (RFC 5011) and tell its "
    "users",
    NULL};
static const char *const both[] = {
    "take the signer off the network as it is; keep its logs and the HSM's, with a hash of each",
    "restore the zone's data from a source that the signer could not write to",
    "make a new KSK and a new ZSK on a signer that is known to be clean",
    "publish both beside the old ones, wait the DNSKEY TTL, sign everything with the new ZSK "
    "(RFC 7583 3.2, 3.3)",
    "have the parent publish the new DS, check it at every server of the parent, have it remove "
    "the old one",
    "take out all old and undeclared keys; what they signed can be replayed until the old DS has "
    "left caches",
    "if that is too slow: have the DS removed, wait the DS TTL, start anew unsigned, and sign "
    "again "
    "(RFC 6781 4.2.1)",
    NULL};
static const char *const algorithm[] = {
    "find out who changed the algorithm: the signer's configuration, or somebody with its keys; in "
    "the latter case this is also the case KSK and ZSK",
    "bring back the declared algorithm: first its signatures over every RRset, then, after the "
    "longest TTL of the zone, its keys (RFC 6781 4.1.4)",
    "have the parent publish a DS for the declared algorithm with SHA-256, check it at every "
    "server "
    "of the parent, and have it remove the other",
    "wait the DS TTL, then take out the other algorithm's keys, and after the DNSKEY TTL its "
    "signatures (RFC 6781 4.1.4: keys before signatures)",
    "what the other algorithm's keys signed can be replayed until its DS has left caches",
    NULL};
static const char *const parent[] = {
    "call the registrar and the registry: have the declared DS and NS put back and the domain "
    "locked "
    "(registry lock); change the credentials of the account from a clean machine",
    "ask the registry who made the change, when and from where",
    "check the DS and NS at every server of the parent; caches keep the false ones for their TTL",
    "the attacker's answers stay in caches for their own TTLs: ask large resolver operators to "
    "flush "
    "the names",
    "find out whether certificates were issued for the names meanwhile (CT logs), and mail that "
    "was "
    "taken in",
    NULL};
static const char *const foreign[] = {
    "find which server gives these signatures and what signed its copy of the zone: a second "
    "signer, an old key set, or an attacker at that server",
    "resolvers that validate fail on them: take the server out of the NS set, or repair it", NULL};
static const char *const data[] = {
    "ask the owner whether the change is theirs; if so, accept it into the baseline",
    "if not: find where the false answers came from (the frames cited), and whether a resolver was "
    "poisoned or a server changed",
    NULL};
static const char *const undeclared[] = {
    "ask the owner whether the keys are theirs (a roll that was not announced); if so, declare "
    "them",
    "record more traffic, or query the zone's DNSKEY and DS, so that who signs the DNSKEY RRset is "
    "seen",
    "until that is known, prepare for the worse case: KSK and ZSK", NULL};

static const char *const *const steps[RECOVERY_COUNT] = {
    [RECOVERY_ZSK] = zsk,       [RECOVERY_KSK] = ksk,
    [RECOVERY_BOTH] = both,     [RECOVERY_ALGORITHM] = algorithm,
    [RECOVERY_PARENT] = parent, [RECOVERY_FOREIGN] = foreign,
    [RECOVERY_DATA] = data,     [RECOVERY_UNDECLARED] = undeclared};

const char *report_recovery_name(enum recovery r)
{
    static const char *const names[] = {
#define X(id, name, text) name,
        RECOVERIES(X)
#undef X
    };
    return names[r];
}

const char *report_recovery_text(enum recovery r)
{
    static const char *const texts[] = {
#define X(id, name, text) text,
        RECOVERIES(X)
#undef X
    };
    return texts[r];
}

const char *const *report_recovery_steps(enum recovery r)
{
    return steps[r];
}

enum recovery report_recovery_of(const struct recovery_facts *f, bool *ret_also_parent)
{
    enum recovery r = RECOVERY_DATA;
    if (f->delegation && !f->own_entry && !f->own_data)
        r = RECOVERY_PARENT;
    else if (f->algorithm)
        r = RECOVERY_ALGORITHM;
    else if (f->own_entry || f->own_data)
        r = !(f->own_entry || f->goes_on) ? RECOVERY_ZSK
            : f->own_data                 ? RECOVERY_BOTH
                                          : RECOVERY_KSK;
    else if (f->goes_on)
        r = RECOVERY_KSK;
    else if (f->ds)
        r = RECOVERY_PARENT;
    else if (f->unknown)
        r = RECOVERY_UNDECLARED;
    else if (f->foreign)
        r = RECOVERY_FOREIGN;
    /* A zone that moves to an algorithm, or that goes on, has a new DS by that alone. */
    bool by_itself = r == RECOVERY_ALGORITHM || f->goes_on;
    *ret_also_parent = r != RECOVERY_PARENT && (f->delegation || (f->ds && !by_itself));
    return r;
}
