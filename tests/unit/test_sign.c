/*
 * test_sign: which question is answered when; everything out of turn ends the process that holds
 * the keys.
 */
#include "tests/unit/sign_child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ORIGIN "dnsbailiff/test/x"

struct step {
    enum message_type type;
    const void *bytes;
    size_t size;
    enum message_type answer; /* 0: refused, and the process ends with 1 */
};

static const struct msg_checkpoint first = {.epoch = 0, .size = 5}, same = {.epoch = 0, .size = 5},
                                   smaller = {.epoch = 0, .size = 4},
                                   later = {.epoch = 1, .size = 6}, early = {.epoch = 1, .size = 9};
static char longer[4097];

#define CERTIFY                                                                                    \
    {                                                                                              \
        MSG_CERTIFY, ORIGIN, sizeof ORIGIN - 1, MSG_KEY0                                           \
    }
#define FIRST                                                                                      \
    {                                                                                              \
        MSG_CHECKPOINT, &first, sizeof first, MSG_SIGNATURE                                        \
    }
#define NEXT                                                                                       \
    {                                                                                              \
        MSG_NEXT_KEY, NULL, 0, MSG_PUBLIC                                                          \
    }
#define ROTATE                                                                                     \
    {                                                                                              \
        MSG_ROTATE, NULL, 0, MSG_OK                                                                \
    }
#define SEAL                                                                                       \
    {                                                                                              \
        MSG_SEAL, "hash  file\n", 11, MSG_SIGNATURE                                                \
    }
#define CHAIN                                                                                      \
    {                                                                                              \
        MSG_CHAIN, NULL, 0, MSG_CERTIFICATES                                                       \
    }
#define REFUSED(type, bytes, size)                                                                 \
    {                                                                                              \
        type, bytes, size, (enum message_type)0                                                    \
    }

static const struct {
    const char *situation;
    struct step list[10];
} cases[] = {
    {"a run, then its bundle",
     {CERTIFY,
      FIRST,
      NEXT,
      ROTATE,
      {MSG_CHECKPOINT, &later, sizeof later, MSG_SIGNATURE},
      ROTATE,
      CHAIN,
      SEAL,
      SEAL}},
    {"only packing", {CHAIN, SEAL}},
    {"no seal while a log is written", {CERTIFY, REFUSED(MSG_SEAL, "x", 1)}},
    {"no certificates while a log is written", {CERTIFY, REFUSED(MSG_CHAIN, NULL, 0)}},
    {"no second log", {CERTIFY, REFUSED(MSG_CERTIFY, ORIGIN, sizeof ORIGIN - 1)}},
    {"no second log after the end", {CERTIFY, ROTATE, REFUSED(MSG_CERTIFY, ORIGIN, 5)}},
    {"no checkpoint without a log", {REFUSED(MSG_CHECKPOINT, &first, sizeof first)}},
    {"no checkpoint after the end",
     {CERTIFY, ROTATE, REFUSED(MSG_CHECKPOINT, &first, sizeof first)}},
    {"no two heads of one size", {CERTIFY, FIRST, REFUSED(MSG_CHECKPOINT, &same, sizeof same)}},
    {"no smaller head", {CERTIFY, FIRST, REFUSED(MSG_CHECKPOINT, &smaller, sizeof smaller)}},
    {"no head of another epoch", {CERTIFY, FIRST, REFUSED(MSG_CHECKPOINT, &early, sizeof early)}},
    {"no next key after the end", {CERTIFY, ROTATE, REFUSED(MSG_NEXT_KEY, NULL, 0)}},
    {"short checkpoint", {CERTIFY, REFUSED(MSG_CHECKPOINT, &first, sizeof first - 1)}},
    {"long checkpoint", {CERTIFY, REFUSED(MSG_CHECKPOINT, longer, sizeof first + 1)}},
    {"a question with too much", {CERTIFY, REFUSED(MSG_ROTATE, "x", 1)}},
    {"empty seal", {REFUSED(MSG_SEAL, NULL, 0)}},
    {"long seal", {REFUSED(MSG_SEAL, longer, sizeof longer)}},
    {"impossible origin", {REFUSED(MSG_CERTIFY, "two words", 9)}},
    {"long origin", {REFUSED(MSG_CERTIFY, longer, TEXT_MAX)}},
    {"an answer as a question", {REFUSED(MSG_SIGNATURE, "x", 1)}},
    {"a message of others", {REFUSED(MSG_EVENT, "x", 1)}},
};

static void test_phases(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sign_child child = sign_child_start();
        struct channel *c = channel_new(child.fd);
        int expected = 0;
        for (const struct step *q = cases[i].list; q->type; q++) {
            enum message_type type;
            const uint8_t *bytes;
            size_t size;
            channel_send(c, q->type, q->bytes, q->size, NULL, 0);
            channel_flush(c);
            int got = channel_receive(c, true, &type, &bytes, &size);
            if (q->answer ? got != 1 || type != q->answer : got != 0)
                fail_msg("%s: question %d: got %d", cases[i].situation, (int)q->type, got);
            if (!q->answer)
                expected = 1;
        }
        channel_free(c);
        assert_int_equal(sign_child_end(&child), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
