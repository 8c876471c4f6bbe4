/*
 * embed: a file's bytes in a program at build time, so that a process needs no file to have its
 * defaults.
 *
 * Contained in: analyze. Paths are relative to the project's top, where make runs; the Makefile
 * names the file as a prerequisite of the object. The bytes end with a NUL that the size leaves
 * out.
 */
#ifndef RULES_EMBED_H
#define RULES_EMBED_H

#include <stddef.h>

#define EMBED(symbol, path)                                                                        \
    __asm__(".pushsection .rodata\n" #symbol ":\n.incbin \"" path "\"\n" #symbol                   \
            "_end:\n.byte 0\n.popsection\n");                                                      \
    extern const char symbol[] __attribute__((visibility("hidden")));                              \
    extern const char symbol##_end[] __attribute__((visibility("hidden")))

#define EMBED_SIZE(symbol) ((size_t)(symbol##_end - symbol))

#endif
