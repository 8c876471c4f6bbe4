/*
 * sign: the process that holds the keys.
 *
 * Holds the identity (P-256, certified or made for this run) and the epoch keys (Ed25519). Answers
 * the few questions of the table below, each only in the phase in which it makes sense, and reads
 * nothing else: no packet, no file after confinement. While a log is being written nothing can be
 * sealed, and the log of a run is certified once. A question out of turn ends the process: its
 * asker is wrong or taken over, and no signature is better than a wrong one.
 *
 * Must never: write a private key, parse what it signs beyond its length, or answer from memory of
 * another run.
 */
#include "evidence/checkpoint.h"
#include "evidence/epoch.h"
#include "evidence/format.h"
#include "evidence/identity.h"
#include "evidence/text.h"
#include "sandbox/channel.h"
#include "sandbox/confine.h"
#include "sandbox/control.h"
#include "sandbox/fds.h"
#include "sandbox/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum phase {
    PHASE_IDLE = 1, /* no log: before the first question, or only packing */
    PHASE_LOG = 2,  /* a log is being written */
    PHASE_DONE = 4  /* its last key is erased */
};

struct signer {
    struct channel *channel;
    struct identity *identity;
    struct epoch *epoch;
    enum phase phase;
};

static void answer(struct signer *s, enum message_type type, const void *head, size_t head_size,
                   const void *body, size_t body_size)
{
    channel_send(s->channel, type, head, head_size, body, body_size);
    channel_flush(s->channel);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void certify(struct signer *s, const uint8_t *bytes, size_t size)
{
    char origin[TEXT_MAX] = {0};
    uint8_t key[ED25519_KEY_BYTES], *der;
    char key0[TEXT_BASE64_ROOM(ED25519_KEY_BYTES) + 1];
    size_t der_size;
    if (size >= sizeof origin)
        log_die("sign: origin too long");
    memcpy(origin, bytes, size);
    if (!checkpoint_origin_fits(origin))
        log_die("sign: impossible origin");
    s->epoch = epoch_new(origin);
    (void)epoch_public(s->epoch, key);
    size_t length = text_base64(key, sizeof key, key0);
    key0[length++] = '\n';
    identity_sign(s->identity, key0, length, &der, &der_size);
    answer(s, MSG_KEY0, key, sizeof key, der, der_size);
    free(der);
    s->phase = PHASE_LOG;
}

static void checkpoint(struct signer *s, const uint8_t *bytes, size_t size)
{
    struct msg_checkpoint m;
    char note[CHECKPOINT_MAX];
    size_t length;
    (void)size; /* fixed: see the table */
    memcpy(&m, bytes, sizeof m);
    int error = epoch_checkpoint(s->epoch, m.epoch, m.size, m.root, note, &length);
    if (error != EPOCH_OK)
        log_die("sign: checkpoint of size %llu in epoch %llu refused (%d)",
                (unsigned long long)m.size, (unsigned long long)m.epoch, error);
    answer(s, MSG_SIGNATURE, note, length, NULL, 0);
}

static void next_key(struct signer *s, const uint8_t *bytes, size_t size)
{
    uint8_t key[ED25519_KEY_BYTES];
    (void)bytes, (void)size;
    if (epoch_prepare(s->epoch, key) != EPOCH_OK)
        log_die("sign: no key is in force");
    answer(s, MSG_PUBLIC, key, sizeof key, NULL, 0);
}

static void rotate(struct signer *s, const uint8_t *bytes, size_t size)
{
    uint8_t key[ED25519_KEY_BYTES];
    (void)bytes, (void)size;
    (void)epoch_rotate(s->epoch);
    if (epoch_public(s->epoch, key) != EPOCH_OK)
        s->phase = PHASE_DONE;
    answer(s, MSG_OK, NULL, 0, NULL, 0);
}

static void seal(struct signer *s, const uint8_t *bytes, size_t size)
{
    uint8_t *der;
    size_t der_size;
    identity_sign(s->identity, bytes, size, &der, &der_size);
    answer(s, MSG_SIGNATURE, der, der_size, NULL, 0);
    free(der);
}

static void chain(struct signer *s, const uint8_t *bytes, size_t size)
{
    struct msg_certificates m = {.not_before = identity_not_before(s->identity),
                                 .ephemeral = identity_is_ephemeral(s->identity)};
    char *pem;
    size_t pem_size;
    (void)bytes, (void)size;
    identity_chain(s->identity, &pem, &pem_size);
    answer(s, MSG_CERTIFICATES, &m, sizeof m, pem, pem_size);
    free(pem);
}

/* Which questions are answered, when, and how long they may be. */
static const struct question {
    enum message_type type;
    unsigned phases;
    size_t least, most; /* bytes */
    void (*answer)(struct signer *, const uint8_t *bytes, size_t size);
} questions[] = {
    {MSG_CERTIFY, PHASE_IDLE, 1, TEXT_MAX / 2, certify},
    {MSG_CHECKPOINT, PHASE_LOG, sizeof(struct msg_checkpoint), sizeof(struct msg_checkpoint),
     checkpoint},
    {MSG_NEXT_KEY, PHASE_LOG, 0, 0, next_key},
    {MSG_ROTATE, PHASE_LOG, 0, 0, rotate},
    {MSG_SEAL, PHASE_IDLE | PHASE_DONE, 1, 4096, seal},
    {MSG_CHAIN, PHASE_IDLE | PHASE_DONE, 0, 0, chain},
};

static void dispatch(struct signer *s, enum message_type type, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        const struct question *q = &questions[i];
        if (q->type != type)
            continue;
        if (!(q->phases & s->phase) || size < q->least || size > q->most)
            log_die("sign: question %d out of turn", (int)type);
        q->answer(s, bytes, size);
        return;
    }
    log_die("sign: unknown question %d", (int)type);
}

/* --- process ------------------------------------------------------------------------------------
 */

static struct identity *take_identity(void)
{
    char why[160];
    if (fcntl(FD_IDENTITY, F_GETFD) < 0)
        return identity_ephemeral();
    struct identity *id = identity_load(FD_IDENTITY, why, sizeof why);
    if (!id) {
        log_line(LOG_ERROR, "identity: %s", why);
        exit(2); /* the operator's mistake */
    }
    (void)close(FD_IDENTITY);
    return id;
}

/* Everything OpenSSL loads on first use is loaded now, while files may still be opened. */
static void rehearse(const struct identity *id)
{
    struct epoch *e = epoch_new("rehearsal");
    uint8_t root[HASH_BYTES] = {0}, key[ED25519_KEY_BYTES], *der;
    char note[CHECKPOINT_MAX], *pem;
    size_t size;
    if (epoch_prepare(e, key) != EPOCH_OK ||
        epoch_checkpoint(e, 0, 1, root, note, &size) != EPOCH_OK)
        log_die("sign: cannot make checkpoints");
    epoch_free(e);
    identity_sign(id, "", 0, &der, &size);
    free(der);
    identity_chain(id, &pem, &size);
    free(pem);
}

int main(void)
{
    struct signer s = {.phase = PHASE_IDLE};
    enum message_type type;
    const uint8_t *bytes;
    size_t size;

    log_name("sign");
    (void)signal(SIGPIPE, SIG_IGN);
    if (prctl(PR_SET_DUMPABLE, 0) != 0) /* no core file, no ptrace: it would hold the keys */
        log_die("sign: prctl: %m");
    s.identity = take_identity();
    rehearse(s.identity);
    s.channel = channel_new(FD_SIGN);
    if (!s.channel)
        log_die("sign: %m");
    confine(PROCESS_sign);
    control_await_go();

    while (channel_receive(s.channel, true, &type, &bytes, &size) == 1)
        dispatch(&s, type, bytes, size);

    epoch_free(s.epoch);
    identity_free(s.identity);
    channel_free(s.channel);
    control_send(CONTROL_DONE, DONE_OK, "");
    return 0;
}
