/*
 * condition: words about the sensor itself. Contained in: supervisor, store, analyze. Must never
 * trust what the other end wrote: it may have been taken over.
 */
#include "sandbox/condition.h"

#include <string.h>

_Static_assert(sizeof(struct condition) <= sizeof((struct control_msg *)0)->text,
               "a condition is one word");

void condition_pack(const struct condition *condition, struct control_msg *ret_msg)
{
    memset(ret_msg, 0, sizeof *ret_msg);
    ret_msg->word = CONTROL_CONDITION;
    memcpy(ret_msg->text, condition, sizeof *condition);
}

void condition_send(const struct condition *condition)
{
    struct control_msg msg;
    condition_pack(condition, &msg);
    control_write(&msg);
}

static void tame(char *text, size_t room)
{
    text[room - 1] = '\0';
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

bool condition_unpack(const struct control_msg *msg, struct condition *ret_condition)
{
    struct condition c;
    if (msg->word != CONTROL_CONDITION)
        return false;
    memcpy(&c, msg->text, sizeof c);
    if (c.kind < CONDITION_CLOCK_SET || c.kind > CONDITION_WALLS || c.over > 1)
        return false;
    tame(c.name, sizeof c.name);
    tame(c.how, sizeof c.how);
    *ret_condition = c;
    return true;
}
