/*
 * verify_bag: BagIt (RFC 8493) as this program writes it: manifests, tag manifests, bag-info.
 */
#ifndef EVIDENCE_VERIFY_BAG_H
#define EVIDENCE_VERIFY_BAG_H

#include "evidence/verify_text.h"

/* What bag-info.txt states and only the log or the seal can confirm. */
struct verify_bag {
    struct verify_text origin, log_root;
    uint64_t log_size;
    int64_t sealed_at;    /* Sealing-Time, seconds since 1970 */
    int64_t verify_epoch; /* Verify-Epoch */
    bool ephemeral;       /* Seal: ephemeral */
};

/* Checks all four manifests against the members, hashing each member once (VERIFY_MANIFESTS), then
 * the names outside data/, bagit.txt and bag-info.txt (VERIFY_BAG). False when bag-info.txt could
 * not be read: ret_bag is then untouched. */
bool verify_bag_check(struct verify *, struct verify_bag *ret_bag);

#endif
