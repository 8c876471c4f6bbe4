/*
 * banned: C functions that must not be called: a call is an error of the compiler.
 *
 * Contained in: every source file, by the compiler's -include. They write without knowing the room,
 * report no overflow, keep hidden state, or start a shell. Instead: snprintf, memcpy with a checked
 * size, strtoull, posix_spawn.
 */
#ifndef SANDBOX_BANNED_H
#define SANDBOX_BANNED_H

/* Their own declarations come first: the macros below must not meet them. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNED(name)                                                                               \
    __extension__({                                                                                \
        _Static_assert(0, name " is banned: see sandbox/banned.h");                                \
        0;                                                                                         \
    })

#undef alloca
#define alloca(...) ((void *)(size_t)BANNED("alloca"))
#undef strcpy
#define strcpy(...) ((char *)(size_t)BANNED("strcpy"))
#undef strcat
#define strcat(...) ((char *)(size_t)BANNED("strcat"))
#undef stpcpy
#define stpcpy(...) ((char *)(size_t)BANNED("stpcpy"))
#undef sprintf
#define sprintf(...) BANNED("sprintf")
#undef vsprintf
#define vsprintf(...) BANNED("vsprintf")
#undef gets
#define gets(...) ((char *)(size_t)BANNED("gets"))
#undef strtok
#define strtok(...) ((char *)(size_t)BANNED("strtok"))
#undef system
#define system(...) BANNED("system")
#undef popen
#define popen(...) ((FILE *)(size_t)BANNED("popen"))
#undef tmpnam
#define tmpnam(...) ((char *)(size_t)BANNED("tmpnam"))
#undef mktemp
#define mktemp(...) ((char *)(size_t)BANNED("mktemp"))
#undef atoi
#define atoi(...) BANNED("atoi")
#undef atol
#define atol(...) BANNED("atol")

#endif
