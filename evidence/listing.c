/*
 * listing: files with their hashes. Contained in: store.
 */
#include "evidence/listing.h"

#include "sandbox/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void listing_fini(struct listing *l)
{
    free(l->list);
    *l = (struct listing){0};
}

void listing_add(struct listing *l, const char *member, uint64_t size,
                 const uint8_t sha256[HASH_BYTES])
{
    static const char top[] = "data/";
    if (strncmp(member, top, sizeof top - 1) != 0 || strlen(member) >= sizeof l->list->file)
        log_die("listing: impossible member %s", member);
    if (l->count == l->room) {
        size_t room = l->room ? l->room * 2 : 16;
        struct listing_entry *list = reallocarray(l->list, room, sizeof *list);
        if (!list)
            log_die("listing: out of memory");
        l->list = list;
        l->room = room;
    }
    struct listing_entry *e = &l->list[l->count++];
    (void)snprintf(e->file, sizeof e->file, "%s", member + sizeof top - 1);
    e->size = size;
    memcpy(e->sha256, sha256, HASH_BYTES);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct listing_entry *)a)->file, ((const struct listing_entry *)b)->file);
}

void listing_write(struct listing *l, struct json *j, const char *key)
{
    if (l->count > 1)
        qsort(l->list, l->count, sizeof *l->list, by_path);
    json_array(j, key);
    for (size_t i = 0; i < l->count; i++) {
        json_object(j, NULL);
        json_string(j, "file", l->list[i].file);
        json_number(j, "size", l->list[i].size);
        json_hex(j, "sha256", l->list[i].sha256, HASH_BYTES);
        json_close(j, '}');
    }
    json_close(j, ']');
}
