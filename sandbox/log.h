/*
 * log: one line to the operator, from any process, also under its filter (snprintf and write only).
 *
 * Form: "dnsbailiff-<process>: where: what (RFC 4035 5.3.1)". Bytes from packets must pass
 * log_escape.
 */
#ifndef SANDBOX_LOG_H
#define SANDBOX_LOG_H

#include <stddef.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTE };

/* Names the process in every line; `name` is borrowed for ever. */
void log_name(const char *name);
void log_line(enum log_level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Our own failure or the kernel's refusal: the line, then exit status 1. */
void log_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* Printable ASCII stays, the rest becomes \ddd (RFC 4343 style). Writes at most `room` bytes with
 * NUL; returns ret_text. */
const char *log_escape(const void *bytes, size_t size, char *ret_text, size_t room);

#endif
