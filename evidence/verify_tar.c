/*
 * verify_tar: the archive, read strictly (POSIX.1-2017 pax, ustar interchange format).
 *
 * Contained in: verify, tests. Must never: follow a length before comparing it with what is left,
 * or accept a header that it would have written otherwise.
 */
#include "evidence/verify_tar.h"

#include "sandbox/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK      512
#define END_BLOCKS 2

/* Fields of a ustar header: offset and width. */
enum {
    NAME = 0,
    NAME_WIDTH = 100,
    MODE = 100,
    UID = 108,
    GID = 116,
    SIZE = 124,
    MTIME = 136,
    CHECKSUM = 148,
    TYPE = 156,
    MAGIC = 257,
    MAJOR = 329,
    MINOR = 337,
    PREFIX = 345,
    PREFIX_WIDTH = 155
};

static const uint8_t zeros[BLOCK];

/* Eleven octal digits and a space, as libarchive writes numbers of this width. */
static bool octal(const uint8_t *field, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 11; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        value = value << 3 | (uint64_t)(field[i] - '0');
    }
    *ret_value = value;
    return field[11] == ' ';
}

static size_t text_width(const uint8_t *field, size_t width)
{
    const uint8_t *end = memchr(field, 0, width);
    return end ? (size_t)(end - field) : width;
}

/* The whole path of a header: prefix, a slash, name. */
static size_t path_of(const uint8_t *header, char *ret_path)
{
    size_t prefix = text_width(header + PREFIX, PREFIX_WIDTH);
    size_t name = text_width(header + NAME, NAME_WIDTH);
    size_t at = 0;
    if (prefix > 0) {
        memcpy(ret_path, header + PREFIX, prefix);
        at = prefix;
        ret_path[at++] = '/';
    }
    memcpy(ret_path + at, header + NAME, name);
    at += name;
    ret_path[at] = '\0';
    return at;
}

/* The one header for this path, size and time. False when there is none. */
static bool canonical(const char *path, uint64_t size, uint64_t mtime, uint8_t *ret_header)
{
    size_t length = strlen(path), prefix = 0;
    if (length > NAME_WIDTH) {
        /* The shortest prefix that leaves a name that fits, as libarchive splits. */
        const char *slash = strchr(path + length - NAME_WIDTH - 1, '/');
        if (!slash || slash == path || slash[1] == '\0' || slash - path > PREFIX_WIDTH)
            return false;
        prefix = (size_t)(slash - path);
    }
    memset(ret_header, 0, BLOCK);
    memcpy(ret_header + PREFIX, path, prefix);
    const char *name = prefix ? path + prefix + 1 : path;
    memcpy(ret_header + NAME, name, strlen(name));
    memcpy(ret_header + MODE, "000444 ", 8);
    memcpy(ret_header + UID, "000000 ", 8);
    memcpy(ret_header + GID, "000000 ", 8);
    char number[24];
    snprintf(number, sizeof number, "%011llo ", (unsigned long long)size);
    memcpy(ret_header + SIZE, number, 12);
    snprintf(number, sizeof number, "%011llo ", (unsigned long long)mtime);
    memcpy(ret_header + MTIME, number, 12);
    ret_header[TYPE] = '0';
    memcpy(ret_header + MAGIC, "ustar\00000", 8);
    memcpy(ret_header + MAJOR, "000000 ", 8);
    memcpy(ret_header + MINOR, "000000 ", 8);
    memset(ret_header + CHECKSUM, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += ret_header[i];
    snprintf(number, sizeof number, "%06o", sum);
    memcpy(ret_header + CHECKSUM, number, 7);
    return true;
}

/* What is wrong with a path, or NULL. Only characters that every file system keeps as they are. */
static const char *path_fault(const char *path)
{
    if (path[0] == '/')
        return "absolute";
    const char *at = path;
    while (true) {
        size_t length = strcspn(at, "/");
        if (length == 0)
            return "empty component";
        if (at[0] == '.' && (length == 1 || (length == 2 && at[1] == '.')))
            return "climbs";
        for (size_t i = 0; i < length; i++) {
            unsigned char c = (unsigned char)at[i];
            bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && strchr("._-+=,@", c));
            if (!fine)
                return "character out of place";
        }
        if (at[length] == '\0')
            return NULL;
        at += length + 1;
    }
}

static const char *type_of(uint8_t flag)
{
    switch (flag) {
    case '1':
        return "a hard link";
    case '2':
        return "a symbolic link";
    case '3':
    case '4':
        return "a device";
    case '5':
        return "a folder";
    case '6':
        return "a pipe";
    case 'x':
    case 'g':
        return "an extended header";
    default:
        return "no plain file";
    }
}

struct reading {
    struct verify *v;
    struct cursor at;
    size_t room, names_room, names_used;
    char before[PREFIX_WIDTH + NAME_WIDTH + 2]; /* path of the member before */
    bool broken;                                /* reading on makes no sense */
};

static bool grow(struct reading *r, size_t name_size)
{
    struct verify *v = r->v;
    if (v->member_count == VERIFY_MEMBERS_MAX) {
        verify_fault(v, VERIFY_ARCHIVE, "more than %zu members", VERIFY_MEMBERS_MAX);
        return false;
    }
    if (v->member_count == r->room) {
        size_t room = r->room ? r->room * 2 : 64;
        struct verify_member *more = realloc(v->members, room * sizeof *more);
        if (!more)
            return false;
        v->members = more;
        r->room = room;
    }
    if (name_size > r->names_room - r->names_used) {
        size_t room = r->names_room * 2 + 4096;
        char *more = realloc(v->names, room);
        if (!more)
            return false;
        v->names = more;
        r->names_room = room;
    }
    return true;
}

/* Holds the path against the folder and the member before it. Returns the name below the folder. */
static const char *judge_path(struct reading *r, const char *path)
{
    struct verify *v = r->v;
    struct verify_shown shown;
    const char *shown_path = verify_escape(path, strlen(path), &shown);
    const char *fault = path_fault(path);
    if (fault) {
        verify_fault(v, VERIFY_ARCHIVE, "member %s: %s", shown_path, fault);
        return NULL;
    }
    const char *slash = strchr(path, '/');
    size_t top = slash ? (size_t)(slash - path) : 0;
    if (!slash || top >= sizeof v->report->folder) {
        verify_fault(v, VERIFY_ARCHIVE, "member %s is in no folder", shown_path);
        return NULL;
    }
    if (v->report->folder[0] == '\0')
        memcpy(v->report->folder, path, top);
    if (strlen(v->report->folder) != top || memcmp(v->report->folder, path, top) != 0) {
        verify_fault(v, VERIFY_ARCHIVE, "member %s: a second top folder", shown_path);
        return NULL;
    }
    if (strlen(slash + 1) > VERIFY_NAME_MAX) {
        verify_fault(v, VERIFY_ARCHIVE, "member %s: name too long", shown_path);
        return NULL;
    }
    int order = strcmp(r->before, path);
    if (order >= 0) {
        verify_fault(v, VERIFY_ARCHIVE, "member %s %s", shown_path,
                     order == 0 ? "is there twice" : "is out of order");
        return NULL;
    }
    return slash + 1;
}

/* One member; the cursor stands behind it afterwards. */
static void read_member(struct reading *r, const uint8_t *header)
{
    struct verify *v = r->v;
    struct verify_shown shown;
    char path[PREFIX_WIDTH + NAME_WIDTH + 2];
    size_t length = path_of(header, path);
    const char *shown_path = verify_escape(path, length, &shown);
    uint64_t size, mtime;
    r->broken = true;
    if (header[TYPE] != '0') {
        verify_fault(v, VERIFY_ARCHIVE, "member %s is %s", shown_path, type_of(header[TYPE]));
        return;
    }
    uint8_t expected[BLOCK];
    if (!octal(header + SIZE, &size) || !octal(header + MTIME, &mtime) ||
        !canonical(path, size, mtime, expected) || memcmp(expected, header, BLOCK) != 0) {
        verify_fault(v, VERIFY_ARCHIVE, "header of %s is not the canonical one", shown_path);
        return;
    }
    if (v->member_count == 0)
        v->mtime = (int64_t)mtime;
    if (v->mtime != (int64_t)mtime)
        verify_fault(v, VERIFY_ARCHIVE, "member %s has a time of its own", shown_path);
    const char *name = judge_path(r, path);
    if (!name)
        return;
    const uint8_t *bytes = size <= SIZE_MAX ? cursor_bytes(&r->at, (size_t)size) : NULL;
    const uint8_t *padding = cursor_bytes(&r->at, (BLOCK - (size_t)size % BLOCK) % BLOCK);
    if (!bytes || !padding) {
        verify_fault(v, VERIFY_ARCHIVE, "cut short inside %s", shown_path);
        return;
    }
    if (memcmp(padding, zeros, (BLOCK - (size_t)size % BLOCK) % BLOCK) != 0)
        verify_fault(v, VERIFY_ARCHIVE, "bytes hidden behind %s", shown_path);
    size_t name_size = strlen(name) + 1;
    if (!grow(r, name_size))
        return;
    /* The name's place is kept as an offset until the storage no longer moves. */
    memcpy(v->names + r->names_used, name, name_size);
    v->members[v->member_count++] =
        (struct verify_member){.name = NULL, .bytes = bytes, .size = (size_t)size};
    r->names_used += name_size;
    memcpy(r->before, path, length + 1);
    r->broken = false;
}

static void read_end(struct reading *r)
{
    struct verify *v = r->v;
    for (int i = 1; i < END_BLOCKS; i++) {
        const uint8_t *block = cursor_bytes(&r->at, BLOCK);
        if (!block || memcmp(block, zeros, BLOCK) != 0) {
            verify_fault(v, VERIFY_ARCHIVE, "no end mark");
            return;
        }
    }
    if (cursor_left(&r->at) > 0)
        verify_fault(v, VERIFY_ARCHIVE, "%zu bytes after the end", cursor_left(&r->at));
}

static int compare_folded(const void *a, const void *b)
{
    const struct verify_member *const *left = a, *const *right = b;
    return strcasecmp((*left)->name, (*right)->name);
}

/* Two names that a file system without case takes for one, or a file where another needs a folder.
 */
static void judge_collisions(struct verify *v)
{
    struct verify_shown shown;
    const struct verify_member **folded = calloc(v->member_count + 1, sizeof *folded);
    if (!folded) {
        verify_fault(v, VERIFY_ARCHIVE, "out of memory");
        return;
    }
    for (size_t i = 0; i < v->member_count; i++)
        folded[i] = &v->members[i];
    qsort(folded, v->member_count, sizeof *folded, compare_folded);
    for (size_t i = 0; i < v->member_count; i++) {
        const char *name = folded[i]->name;
        if (i > 0 && strcasecmp(folded[i - 1]->name, name) == 0)
            verify_fault(v, VERIFY_ARCHIVE, "member %s differs from another only in case",
                         verify_escape(name, strlen(name), &shown));
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
            char parent[VERIFY_NAME_MAX + 1];
            size_t length = (size_t)(slash - name);
            memcpy(parent, name, length);
            parent[length] = '\0';
            struct verify_member key = {.name = parent};
            const struct verify_member *key_at = &key;
            if (bsearch(&key_at, folded, v->member_count, sizeof *folded, compare_folded))
                verify_fault(v, VERIFY_ARCHIVE, "member %s is a file and a folder",
                             verify_escape(parent, length, &shown));
        }
    }
    free(folded);
}

bool verify_tar_read(struct verify *v)
{
    struct reading r = {.v = v, .at = cursor_over(v->bytes, v->size)};
    while (true) {
        const uint8_t *header = cursor_bytes(&r.at, BLOCK);
        if (!header) {
            verify_fault(v, VERIFY_ARCHIVE, "cut short after %zu members", v->member_count);
            return false;
        }
        if (header[0] == '\0' && memcmp(header, zeros, BLOCK) == 0)
            break;
        read_member(&r, header);
        if (r.broken) {
            /* Out of memory is the only way to get here without a fault. */
            if (!verify_has_failed(v, VERIFY_ARCHIVE))
                verify_fault(v, VERIFY_ARCHIVE, "out of memory");
            return false;
        }
    }
    read_end(&r);
    const char *name = v->names;
    for (size_t i = 0; i < v->member_count; i++) {
        v->members[i].name = name;
        name += strlen(name) + 1;
    }
    if (v->member_count == 0)
        verify_fault(v, VERIFY_ARCHIVE, "no members");
    else
        judge_collisions(v);
    verify_passed(v, VERIFY_ARCHIVE, "%zu files in %s", v->member_count, v->report->folder);
    return v->member_count > 0;
}

void verify_tar_fini(struct verify *v)
{
    free(v->members);
    free(v->names);
    v->members = NULL;
    v->names = NULL;
    v->member_count = 0;
}
