/*
 * canon: canonical rdata. One row per type that holds names; everything else is its own canonical
 * form.
 *
 * Contained in: analyze, tests. Must never read outside the message.
 */
#include "analyze/canon.h"

#include "analyze/name.h"

#include <string.h>

/*
 * The layout of an rdata up to its last name: a digit string is so many fixed bytes ('a' = 18), 's'
 * a character-string, 'n' a name to be lower-cased (RFC 4034 6.2), '*' the rest as it is. NSEC is
 * not here: its next name keeps its case (RFC 6840 5.1) and may not be compressed (RFC 3597 4).
 */
static const char *layout(uint16_t type)
{
    switch (type) {
    case TYPE_NS:
    case 3: /* MD */
    case 4: /* MF */
    case TYPE_CNAME:
    case 7: /* MB */
    case 8: /* MG */
    case 9: /* MR */
    case TYPE_PTR:
    case TYPE_DNAME:
        return "n";
    case TYPE_SOA:
        return "nn*";
    case 14: /* MINFO */
    case 17: /* RP */
        return "nn";
    case TYPE_MX:
    case 18: /* AFSDB */
    case 21: /* RT */
    case 36: /* KX */
        return "2n";
    case 26: /* PX */
        return "2nn";
    case 33: /* SRV */
        return "6n";
    case 35: /* NAPTR */
        return "4sssn";
    case TYPE_SIG:
    case TYPE_RRSIG:
        return "an*";
    case TYPE_NXT:
        return "n*";
    default:
        return NULL;
    }
}

int canon_rdata(uint16_t type, const uint8_t *message, size_t size, size_t at, uint16_t rdlen,
                uint8_t *out, size_t room)
{
    if (at > size || rdlen > size - at)
        return -1;
    const char *fields = layout(type);
    if (fields == NULL) {
        if (rdlen > room)
            return -2;
        memcpy(out, message + at, rdlen);
        return rdlen;
    }
    size_t end = at + rdlen, written = 0;
    for (; *fields; fields++) {
        size_t take;
        if (*fields == 'n') {
            uint8_t name[NAME_MAX_BYTES];
            size_t next;
            /* A name may point backwards out of the rdata, but what is written of it must lie
             * inside. */
            size_t bytes = name_read(message, size, at, false, name, &next);
            if (bytes == 0 || next > end)
                return -1;
            if (bytes > room - written)
                return -2;
            memcpy(out + written, name, bytes);
            written += bytes;
            at = next;
            continue;
        }
        if (*fields == 's')
            take = at < end ? (size_t)message[at] + 1 : 1;
        else if (*fields == '*')
            take = end - at;
        else
            take = *fields == 'a' ? 18 : (size_t)(*fields - '0');
        if (take > end - at)
            return -1;
        if (take > room - written)
            return -2;
        memcpy(out + written, message + at, take);
        written += take;
        at += take;
    }
    return at == end ? (int)written : -1;
}
