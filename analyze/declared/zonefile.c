/*
 * zonefile: presentation form to canonical records, with ldns.
 *
 * Contained in: analyze, tests. Must never be given bytes from packets (ldns allocates and trusts
 * its stdio stream), nor run after confinement.
 */
#include "analyze/declared/zonefile.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
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

/* 600, 1h30m */
static bool is_ttl(const char *word, size_t size)
{
    size_t i = 0;
    while (i < size && (isdigit((unsigned char)word[i]) || (i && strchr("smhdwSMHDW", word[i]))))
        i++;
    return size && i == size;
}

static bool is_class(const char *word, size_t size)
{
    return (size == 2 && (strncasecmp(word, "IN", 2) == 0 || strncasecmp(word, "CH", 2) == 0 ||
                          strncasecmp(word, "HS", 2) == 0)) ||
           (size > 5 && strncasecmp(word, "CLASS", 5) == 0 && is_ttl(word + 5, size - 5));
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

/* The most that a number of this kind can be; 0 for what is no number. */
static uint64_t most_of(ldns_rdf_type kind)
{
    switch (kind) {
    case LDNS_RDF_TYPE_INT8:
    case LDNS_RDF_TYPE_ALG:
        return UINT8_MAX;
    case LDNS_RDF_TYPE_INT16:
        return UINT16_MAX;
    case LDNS_RDF_TYPE_INT32:
        return UINT32_MAX;
    default:
        return 0;
    }
}

/* Where a word is a number beyond `most`, which ldns would cut to its lowest bits. */
static bool beyond(const char *word, size_t size, uint64_t most)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size && isdigit((unsigned char)word[i]); i++)
        if ((number = number * 10 + (uint64_t)(word[i] - '0')) > most)
            return true;
    return false;
}

/* Passes over owner, TTL and class: sets *text behind the type. NULL, or what was expected. */
static const char *pass_type(const char **text, const char *end)
{
    size_t size;
    bool owner = *text < end && !isspace((unsigned char)**text);
    for (const char *word; (word = next_word(text, end, &size)); owner = false) {
        if (owner || is_class(word, size))
            continue;
        if (!is_ttl(word, size))
            return size > 4 && strncasecmp(word, "TYPE", 4) == 0 &&
                           beyond(word + 4, size - 4, UINT16_MAX)
                       ? "expected a type up to TYPE65535"
                       : NULL;
        if (beyond(word, size, INT32_MAX))
            return "expected a TTL of at most 2147483647 seconds";
    }
    return NULL;
}

/* What ldns takes for something else than is written there; NULL if all is well. */
static const char *misread(const ldns_rr *rr, const char *text, const char *end)
{
    static const uint8_t generic_head = 2; /* the words \# and length */
    const char *wrong = pass_type(&text, end);
    if (wrong)
        return wrong;
    if (ldns_rr_get_type(rr) == 0)
        return "expected a type like A or TYPE65280";
    size_t size, words = 0, length = 0;
    bool generic = false;
    for (const char *word; (word = next_word(&text, end, &size)); words++) {
        if (words == 0)
            generic = size == 2 && memcmp(word, "\\#", 2) == 0;
        if (!generic && (*word == '"' || words >= ldns_rr_rd_count(rr)))
            break;
        if (generic && words == 1)
            length = strtoul(word, NULL, 10);
        uint64_t most = generic ? 0 : most_of(ldns_rdf_get_type(ldns_rr_rdf(rr, words)));
        if (most && beyond(word, size, most))
            return most == UINT8_MAX    ? "expected a number of at most 255"
                   : most == UINT16_MAX ? "expected a number of at most 65535"
                                        : "expected a number of at most 4294967295";
    }
    if (!generic || words < generic_head)
        return NULL;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
        length -= ldns_rdf_size(ldns_rr_rdf(rr, i));
    return length ? "expected rdata as its type has it, of the length stated" : NULL;
}

/* Reads the stream over `text` to its end; 0 or -1. */
static int read_stream(FILE *stream, const char *text, size_t size, const char *file,
                       ldns_rdf **origin, ldns_buffer *buffer, zonefile_on_record *on_record,
                       void *context, char *ret_error, size_t error_room)
{
    uint32_t ttl = DEFAULT_TTL;
    bool stated = false; /* by $TTL; else that of the record before (RFC 1035 5.1) */
    ldns_rdf *previous = NULL;
    int line = 1, result = 0;
    while (result == 0 && !feof(stream)) {
        ldns_rr *rr = NULL;
        char what[256];
        const char *wrong;
        long begin = ftell(stream);
        ldns_status status = ldns_rr_new_frm_fp_l(&rr, stream, &ttl, origin, &previous, &line);
        unsigned at = line > 1 ? (unsigned)line - 1 : 1; /* line: the one after the record */
        switch (status) {
        case LDNS_STATUS_OK:
            if (!stated)
                ttl = ldns_rr_ttl(rr);
            wrong = misread(rr, text + begin, text + ftell(stream));
            if (wrong)
                result = fail(file, at, wrong, ret_error, error_room);
            else if (digit_lost(rr, text + begin, text + ftell(stream)))
                result = fail(file, at, "expected an even number of digits in the digest",
                              ret_error, error_room);
            else if (deliver(rr, buffer, at, on_record, context, what, sizeof what) != 0)
                result = fail(file, at, what, ret_error, error_room);
            break;
        case LDNS_STATUS_SYNTAX_TTL:
            stated = true;
            break;
        case LDNS_STATUS_SYNTAX_EMPTY:
        case LDNS_STATUS_SYNTAX_ORIGIN:
            break;
        case LDNS_STATUS_SYNTAX_INCLUDE:
            result = fail(file, at, "expected the whole zone in one file, not $INCLUDE", ret_error,
                          error_room);
            break;
        default:
            if (size - (size_t)begin > 9 && memcmp(text + begin, "$GENERATE", 9) == 0) {
                result = fail(file, at, "expected every record written out, not $GENERATE",
                              ret_error, error_room);
                break;
            }
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

/* A line where a record or a directive begins, as ldns wants it: RFC 1035 5.1 allows the class
 * before the TTL, ldns the TTL before the class only; and it knows directives in capitals only. No
 * byte more or less, so what is found stays where it is. */
static void set_right(char *line, char *end)
{
    const char *at = line, *class, *ttl;
    size_t class_size, ttl_size;
    char turned[64];
    if (*line == '$') {
        for (; line < end && !isspace((unsigned char)*line); line++)
            *line = (char)toupper((unsigned char)*line);
        return;
    }
    if (!isspace((unsigned char)*line) && !next_word(&at, end, &class_size))
        return;
    class = next_word(&at, end, &class_size);
    if (!class || !is_class(class, class_size))
        return;
    ttl = next_word(&at, end, &ttl_size);
    if (!ttl || !is_ttl(ttl, ttl_size) || (size_t)(at - class) > sizeof turned)
        return;
    size_t gap = (size_t)(ttl - class) - class_size;
    memcpy(turned, ttl, ttl_size);
    memcpy(turned + ttl_size, class + class_size, gap);
    memcpy(turned + ttl_size + gap, class, class_size);
    memcpy(line + (class - line), turned, ttl_size + gap + class_size);
}

/* All of them: the lines that begin outside of quotation marks, parentheses and comments. */
static void set_all_right(char *text, size_t size)
{
    bool quoted = false, comment = false, in_group = false, begins = true;
    for (size_t i = 0; i < size; i++) {
        if (begins && !quoted && !in_group)
            set_right(text + i, text + size);
        begins = text[i] == '\n';
        comment = comment && !begins;
        if (comment)
            continue;
        if (text[i] == '\\')
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted && text[i] == ';')
            comment = true;
        else if (!quoted && (text[i] == '(' || text[i] == ')'))
            in_group = text[i] == '(';
    }
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
    char *own = malloc(size);
    if (own)
        set_all_right(memcpy(own, text, size), size);
    FILE *stream = own ? fmemopen(own, size, "r") : NULL;
    ldns_buffer *buffer = ldns_buffer_new(LDNS_MAX_PACKETLEN);
    ldns_rdf *base = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_size(origin), origin);
    if (stream && buffer && base)
        result = read_stream(stream, own, size, file, &base, buffer, on_record, context, ret_error,
                             error_room);
    else
        fail(file, 1, "out of memory", ret_error, error_room);
    ldns_rdf_deep_free(base);
    ldns_buffer_free(buffer);
    if (stream)
        fclose(stream);
    free(own);
    return result;
}

uint16_t zonefile_key_tag(const uint8_t *rdata, size_t size)
{
    return ldns_calc_keytag_raw(rdata, size);
}
