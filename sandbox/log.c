/*
 * log: one line to the operator.
 *
 * Contained in: every process. Must never: use stdio streams, locale or syslog (under a filter they
 * fail silently), or let a control character through to a terminal.
 */
#include "sandbox/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "sandbox/fds.h"

#define LINE_MAX_BYTES 1024

static const char *process_name = "";

void log_name(const char *name)
{
    process_name = name;
}

/* A line is one line: whatever would move the cursor or start an escape sequence becomes '?'. */
static void tame(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

__attribute__((format(printf, 2, 0))) static void put(const char *prefix, const char *format,
                                                      va_list arguments)
{
    char line[LINE_MAX_BYTES];
    int saved = errno;
    int head = snprintf(line, sizeof line, "dnsbailiff%s%s: %s", process_name[0] ? "-" : "",
                        process_name, prefix);
    size_t at = head < 0 ? 0 : (size_t)head;
    if (at > sizeof line - 2)
        at = sizeof line - 2;
    errno = saved; /* for %m */
    int body = vsnprintf(line + at, sizeof line - 1 - at, format, arguments);
    if (body > 0)
        at += (size_t)body;
    if (at > sizeof line - 2) /* cut, not dropped */
        at = sizeof line - 2;
    tame(line, at);
    line[at++] = '\n';
    for (size_t done = 0; done < at;) {
        ssize_t n = write(FD_LOG, line + done, at - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* nobody listens; there is nobody to tell */
        done += (size_t)n;
    }
    errno = saved;
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(level == LOG_ERROR     ? "error: "
        : level == LOG_WARNING ? "warning: "
                               : "",
        format, arguments);
    va_end(arguments);
}

void log_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put("error: ", format, arguments);
    va_end(arguments);
    _exit(1);
}

const char *log_escape(const void *bytes, size_t size, char *ret_text, size_t room)
{
    const uint8_t *in = bytes;
    size_t at = 0;
    if (!room)
        return ret_text;
    for (size_t i = 0; i < size; i++) {
        bool plain = in[i] > 0x20 && in[i] < 0x7f && in[i] != '\\';
        if (room - at <= (plain ? 1u : 4u)) /* the character and the NUL */
            break;
        if (plain) {
            ret_text[at++] = (char)in[i];
        } else {
            ret_text[at++] = '\\';
            ret_text[at++] = (char)('0' + in[i] / 100);
            ret_text[at++] = (char)('0' + in[i] / 10 % 10);
            ret_text[at++] = (char)('0' + in[i] % 10);
        }
    }
    ret_text[at] = '\0';
    return ret_text;
}
