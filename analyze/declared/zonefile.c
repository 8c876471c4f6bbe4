/*
 * zonefile: presentation form to canonical records, with ldns.
 *
 * Contained in: analyze, tests. Must never be given bytes from packets (ldns allocates and trusts
 * its stdio stream), nor run after confinement.
 */
#include "analyze/declared/zonefile.h"

#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_TTL 3600

static int fail(const char *file, unsigned line, const char *what, char *ret_error,
                size_t error_room)
{
    if (error_room)
        snprintf(ret_error, error_room, "%s:%u: %s", file, line, what);
    return -1;
}

/* One record: class, canonical form, and on to the caller. */
static int deliver(ldns_rr *rr, ldns_buffer *buffer, unsigned line, zonefile_on_record *on_record,
                   void *context, char *what, size_t what_room)
{
    struct zonefile_record record = {.line = line};
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN) {
        snprintf(what, what_room, "expected class IN");
        return -1;
    }
    ldns_rr2canonical(rr);
    const ldns_rdf *owner = ldns_rr_owner(rr);
    if (ldns_rdf_size(owner) > NAME_MAX_BYTES) {
        snprintf(what, what_room, "expected a name of at most 255 bytes");
        return -1;
    }
    memcpy(record.owner, ldns_rdf_data(owner), ldns_rdf_size(owner));
    ldns_buffer_clear(buffer);
    if (ldns_rr_rdata2buffer_wire(buffer, rr) != LDNS_STATUS_OK ||
        ldns_buffer_position(buffer) > UINT16_MAX) {
        snprintf(what, what_room, "expected rdata of at most 65535 bytes");
        return -1;
    }
    record.type = (uint16_t)ldns_rr_get_type(rr);
    record.ttl = ldns_rr_ttl(rr);
    record.rdata = ldns_buffer_begin(buffer);
    record.rdata_size = (uint16_t)ldns_buffer_position(buffer);
    return on_record(context, &record, what, what_room);
}

/* The next word of a record's text, over comments and parentheses; NULL at its end. */
static const char *next_word(const char **text, const char *end, size_t *ret_size)
{
    const char *at = *text;
    for (; at < end && strchr(" \t\r\n();", *at); at++)
        if (*at == ';')
            while (at + 1 < end && at[1] != '\n')
                at++;
    const char *word = at;
    while (at < end && !strchr(" \t\r\n();", *at))
        at++;
    *text = at;
    *ret_size = (size_t)(at - word);
    return *ret_size ? word : NULL;
}

/* Has the digest of a DS an odd number of digits? ldns fills it up: a digit that was lost when the
 * record was copied would make another digest of it, and everything below bogus. */
static bool digit_lost(const ldns_rr *rr, const char *text, const char *end)
{
    ldns_rr_type type = ldns_rr_get_type(rr);
    const char *name = type == LDNS_RR_TYPE_DS ? "DS" : type == LDNS_RR_TYPE_CDS ? "CDS" : NULL;
    bool owner = text < end && !strchr(" \t\r\n(", *text);
    size_t size, digits = 0, field = 0;
    for (const char *word; name && (word = next_word(&text, end, &size)); owner = false) {
        if (field > 3)
            digits += size;
        if (field || (!owner && size == strlen(name) && strncasecmp(word, name, size) == 0))
            field++;
    }
    return digits % 2;
}

/* Reads the stream over `text` to its end; 0 or -1. */
static int read_stream(FILE *stream, const char *text, const char *file, ldns_rdf **origin,
                       ldns_buffer *buffer, zonefile_on_record *on_record, void *context,
                       char *ret_error, size_t error_room)
{
    uint32_t ttl = DEFAULT_TTL;
    ldns_rdf *previous = NULL;
    int line = 1, result = 0;
    while (result == 0 && !feof(stream)) {
        ldns_rr *rr = NULL;
        char what[256];
        long begin = ftell(stream);
        ldns_status status = ldns_rr_new_frm_fp_l(&rr, stream, &ttl, origin, &previous, &line);
        unsigned at = line > 1 ? (unsigned)line - 1 : 1; /* line: the one after the record */
        switch (status) {
        case LDNS_STATUS_OK:
            if (digit_lost(rr, text + begin, text + ftell(stream)))
                result = fail(file, at, "expected an even number of digits in the digest",
                              ret_error, error_room);
            else if (deliver(rr, buffer, at, on_record, context, what, sizeof what) != 0)
                result = fail(file, at, what, ret_error, error_room);
            break;
        case LDNS_STATUS_SYNTAX_EMPTY:
        case LDNS_STATUS_SYNTAX_TTL:
        case LDNS_STATUS_SYNTAX_ORIGIN:
            break;
        case LDNS_STATUS_SYNTAX_INCLUDE:
            result = fail(file, at, "expected the whole zone in one file, not $INCLUDE", ret_error,
                          error_room);
            break;
        default:
            snprintf(what, sizeof what, "expected a record: %s", ldns_get_errorstr_by_id(status));
            result = fail(file, at, what, ret_error, error_room);
        }
        ldns_rr_free(rr);
    }
    if (result == 0 && ferror(stream))
        result = fail(file, (unsigned)line, "cannot be read", ret_error, error_room);
    ldns_rdf_deep_free(previous);
    return result;
}

/* The line of a parenthesis or quotation mark that stays open, or that closes nothing; 0 if all is
 * closed. ldns takes the end of the file for its end, so a file cut short would pass for whole. */
static unsigned open_line(const char *text, size_t size)
{
    unsigned line = 1, opened = 0;
    bool quoted = false, comment = false, in_group = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '\n') {
            line++;
            comment = false;
        } else if (comment) {
            continue;
        } else if (c == '\\') {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
            opened = in_group ? opened : line;
        } else if (quoted) {
            continue;
        } else if (c == ';') {
            comment = true;
        } else if (c == '(') {
            in_group = true;
            opened = line;
        } else if (c == ')') {
            if (!in_group)
                return line;
            in_group = false;
        }
    }
    return quoted || in_group ? opened : 0;
}

int zonefile_read(const char *file, const void *text, size_t size, const uint8_t *origin,
                  zonefile_on_record *on_record, void *context, char *ret_error, size_t error_room)
{
    if (size == 0)
        return fail(file, 1, "expected records, the file is empty", ret_error, error_room);
    const char *nul = memchr(text, 0, size);
    if (nul) {
        unsigned line = 1;
        for (const char *at = text; at < nul; at++)
            line += *at == '\n';
        return fail(file, line, "expected text, found a NUL byte", ret_error, error_room);
    }
    unsigned open = open_line(text, size);
    if (open)
        return fail(file, open, "expected the parenthesis or quotation mark to be closed",
                    ret_error, error_room);
    int result = -1;
    FILE *stream = fmemopen((void *)(uintptr_t)text, size, "r");
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rdf *base = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_size(origin), origin);
    if (stream && buffer && base)
        result = read_stream(stream, text, file, &base, buffer, on_record, context, ret_error,
                             error_room);
    else
        fail(file, 1, "out of memory", ret_error, error_room);
    ldns_rdf_deep_free(base);
    ldns_buffer_free(buffer);
    if (stream)
        fclose(stream);
    return result;
}

uint16_t zonefile_key_tag(const uint8_t *rdata, size_t size)
{
    return ldns_calc_keytag_raw(rdata, size);
}
