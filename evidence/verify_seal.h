/*
 * verify_seal: the signatures of the identity, and who vouches for it.
 */
#ifndef EVIDENCE_VERIFY_SEAL_H
#define EVIDENCE_VERIFY_SEAL_H

#include "evidence/verify_bag.h"
#include "evidence/verify_cms.h"

/* SEAL: signatures/seal.p7s over the signed manifest, and chain.pem. False when the seal does not
 * hold; otherwise the caller runs verify_cms_fini on ret_seal. */
bool verify_seal_check(struct verify *, struct verify_signature *ret_seal);
/* EPOCHS: the first epoch's key is certified by the same identity. IDENTITY: that identity is
 * certified by the authority of the options. SEAL: bag-info says of the identity what is true. */
void verify_seal_identity(struct verify *, const struct verify_bag *,
                          const struct verify_signature *seal);

#endif
