/*
 * flow: addresses and flow identifiers in the forms that other tools use; see flow.h.
 *
 * Contained in: analyze, tests. Must never: allocate.
 */
/* SHA1_Init and its kin are marked deprecated for algorithm agility; Community ID fixes SHA-1, and
 * the replacement allocates for each call. */
#define OPENSSL_SUPPRESS_DEPRECATED
#define XXH_INLINE_ALL

#include "analyze/decode/flow.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <xxhash.h>

static size_t decimal(uint8_t value, char *text)
{
    size_t n = 0;
    if (value >= 100)
        text[n++] = (char)('0' + value / 100);
    if (value >= 10)
        text[n++] = (char)('0' + value / 10 % 10);
    text[n++] = (char)('0' + value % 10);
    return n;
}

const char *flow_address(uint8_t family, const uint8_t address[16],
                         char ret_text[FLOW_ADDRESS_TEXT])
{
    if (family == 6) {
        if (!inet_ntop(AF_INET6, address, ret_text, FLOW_ADDRESS_TEXT))
            ret_text[0] = '\0';
        return ret_text;
    }
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (i > 0)
            ret_text[n++] = '.';
        n += decimal(address[i], ret_text + n);
    }
    ret_text[n] = '\0';
    return ret_text;
}

/* The flow seen from its lower end: addresses and ports in one block. */
struct ends {
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* network order */
};

static void order_ends(const struct flow *f, struct ends *ret)
{
    int order = memcmp(f->src, f->dst, sizeof(f->src));
    bool swap = order > 0 || (order == 0 && f->sport > f->dport);
    memcpy(ret->src, swap ? f->dst : f->src, sizeof(ret->src));
    memcpy(ret->dst, swap ? f->src : f->dst, sizeof(ret->dst));
    ret->sport = htons(swap ? f->dport : f->sport);
    ret->dport = htons(swap ? f->sport : f->dport);
}

const char *flow_community(const struct flow *f, char ret_text[FLOW_COMMUNITY_TEXT])
{
    static const uint8_t seed[2];
    const uint8_t proto[2] = {f->proto, 0};
    size_t size = f->family == 6 ? 16 : 4;
    uint8_t digest[SHA_DIGEST_LENGTH];
    struct ends e;
    SHA_CTX sha;
    order_ends(f, &e);
    SHA1_Init(&sha);
    SHA1_Update(&sha, seed, sizeof(seed));
    SHA1_Update(&sha, e.src, size);
    SHA1_Update(&sha, e.dst, size);
    SHA1_Update(&sha, proto, sizeof(proto));
    SHA1_Update(&sha, &e.sport, sizeof(e.sport));
    SHA1_Update(&sha, &e.dport, sizeof(e.dport));
    SHA1_Final(digest, &sha);
    memcpy(ret_text, "1:", 2);
    EVP_EncodeBlock((unsigned char *)ret_text + 2, digest, sizeof(digest)); /* 28 and NUL */
    return ret_text;
}

uint64_t flow_id(const struct flow *f)
{
    struct ends e;
    order_ends(f, &e);
    uint64_t hash = XXH3_64bits_withSeed(&e, sizeof(e), f->proto);
    return hash & ((UINT64_C(1) << 53) - 1);
}
