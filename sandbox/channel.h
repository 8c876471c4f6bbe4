/*
 * channel: framed messages between two processes over a stream socket.
 *
 * Contained in: analyze, store, sign, digest, pack, history, supervisor. A message is a type, a
 * length and bytes; the receiver says which types it takes and how long they may be, and anything
 * else ends the receiver (our own failure, or a peer that was taken over), never the bytes'
 * interpretation.
 */
#ifndef SANDBOX_CHANNEL_H
#define SANDBOX_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_MESSAGE_MAX ((size_t)1 << 20)

/* In a list of HOLD: goes where the one before it in the list goes. Of a response all frames must
 * be there, and its query, or it cannot be judged again. */
#define HOLD_WITH (UINT64_C(1) << 63)

/* Every message type of the program: name, number, sender -> receiver, contents. */
#define MESSAGE_TYPES(X)                                                                           \
    X(EVENT, 1, "analyze -> store: struct msg_event, then one JSON object for eve.json")           \
    X(FINDING, 2,                                                                                  \
      "analyze -> store: struct msg_finding, frame numbers (u64), then its JSON object")           \
    X(HOLD, 3, "analyze -> store: u64 frame numbers that may be cited later (replay); HOLD_WITH")  \
    X(REPORT, 4, "analyze -> store: text of the summary, UTF-8, lines")                            \
    X(FINISHED, 5, "analyze -> store: struct msg_finished; nothing follows")                       \
    X(DIGEST, 6, "digest -> store: struct msg_digest")                                             \
    X(CHECKPOINT, 7, "store -> sign: struct msg_checkpoint; answered with SIGNATURE (the note)")   \
    X(CERTIFY, 8, "store -> sign, once: the log's origin; answered with KEY0")                     \
    X(NEXT_KEY, 9, "store -> sign: makes the next epoch's key; answered with PUBLIC")              \
    X(ROTATE, 10, "store -> sign: erases the current key; the next, if made, takes over; OK")      \
    X(SEAL, 11, "pack -> sign: tagmanifest-sha512.txt; answered with SIGNATURE (CMS, DER)")        \
    X(SIGNATURE, 12, "sign -> store, pack: the bytes asked for")                                   \
    X(CHAIN, 13, "pack -> sign: asks for the certificates; answered with CERTIFICATES")            \
    X(KEY0, 14, "sign -> store: public key of epoch 0 (32 bytes), then the CMS over key0.b64")     \
    X(PUBLIC, 15, "sign -> store: public key of the next epoch (32 bytes)")                        \
    X(OK, 16, "sign -> store: done, nothing to say")                                               \
    X(CERTIFICATES, 17, "sign -> pack: struct msg_certificates, then chain.pem")                   \
    X(INVENTORY, 18, "analyze -> store: one JSON object for inventory.jsonl")                      \
    X(KEYS, 19, "analyze -> store: lines of keys.dnsbailiff")                                      \
    X(HISTORY, 20,                                                                                 \
      "analyze -> history: struct msg_history, struct msg_history_server for each server, a byte " \
      "for each signature (1 + its state, 0 not judged), then owner, records and signatures in "   \
      "canonical form, records and signatures each behind their u16 size")                         \
    X(HISTORY_END, 21, "analyze -> history: struct msg_history_end; nothing follows")

enum message_type {
#define X(name, number, text) MSG_##name = number,
    MESSAGE_TYPES(X)
#undef X
};

struct msg_event {
    uint64_t frame;  /* frame the event is about, 0 none */
    int64_t time_ns; /* packet time */
};

struct msg_finding {
    char id[24];       /* NUL-padded; stable over runs of the same input */
    uint32_t frames;   /* how many u64 frame numbers follow, at most 4096 */
    uint32_t is_final; /* 1: the state at the end of the run, nothing later about this id */
};

struct msg_finished {
    uint64_t frames, messages, findings; /* totals of the run */
    uint32_t worst;                      /* 0 none, 1 info, 2 low, 3 medium, 4 high, 5 critical */
    uint32_t reserved;
};

struct msg_digest {
    uint32_t source;  /* index of the source */
    uint32_t changed; /* 1: size or times of the file changed while it was read */
    uint64_t size;    /* bytes hashed, as stored (compressed) */
    uint8_t sha256[32];
    uint8_t sha512[64];
};

struct msg_checkpoint {
    uint64_t epoch; /* must be the epoch whose key is in force */
    uint64_t size;  /* records; greater than in any request before */
    uint8_t root[32];
};

struct msg_certificates {
    int64_t not_before; /* the signer's certificate is valid from, seconds since 1970 */
    uint32_t ephemeral; /* 1: an identity made for this run, which nobody vouches for */
    uint32_t reserved;
};

struct msg_history { /* an RRset with one set of signatures: what was added since it was last told
                      */
    int64_t first_ns, last_ns;      /* packet times; first above last: only the verdict is new */
    uint64_t count;                 /* responses */
    uint64_t frame;                 /* that completed the first response with it */
    uint32_t ttl;                   /* as first seen */
    uint16_t type, records, reason; /* reason: enum reason of the last verdict */
    uint8_t owner_size, signatures, servers;
    uint8_t more_servers; /* 1: others sent it too, and are not listed */
    uint8_t reserved[6];
};

struct msg_history_server {
    uint8_t address[16]; /* as in struct flow */
    uint8_t family;
    uint8_t aa; /* 1: it answered with AA=1 */
    uint8_t reserved[6];
    int64_t first_ns, last_ns;
    uint64_t count;
};

struct msg_history_end {
    int64_t first_ns, last_ns; /* packet times of the run; first above last: no frame */
    uint64_t frames;
    uint64_t lost; /* tellings that could not be passed on in time */
};

struct channel; /* opaque */

/* fd is borrowed and blocking unless `poll`ed by the caller; NULL with errno set. Caller frees. */
struct channel *channel_new(int fd);
void channel_free(struct channel *);

/* Queues a message of two parts (either may be empty); written when 64 KiB are pending or on flush.
 * The process ends if the peer is gone: a result that cannot be delivered must not be dropped. */
void channel_send(struct channel *, enum message_type, const void *head, size_t head_size,
                  const void *body, size_t body_size);
void channel_flush(struct channel *);

/* For a receiver that may lag or be gone, on a descriptor that does not block: after channel_lazy,
 * channel_send only queues, and must not be called without channel_room. channel_push writes what
 * the descriptor takes at once: 1 all is written, 0 bytes are left, -1 the receiver is gone (what
 * is queued is dropped). */
void channel_lazy(struct channel *);
bool channel_room(const struct channel *);
int channel_push(struct channel *);

/* 1 and a message (borrowed until the next call, aligned to 8), 0 when the peer closed, -1 when
 * none is whole yet and the descriptor would block (only if `may_block` is false). A malformed
 * frame ends the process. */
int channel_receive(struct channel *, bool may_block, enum message_type *ret_type,
                    const uint8_t **ret_bytes, size_t *ret_size);

#endif
