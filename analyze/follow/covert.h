/*
 * covert: names that carry data (tunnel-shape).
 *
 * Contained in: analyze, tests. Told of a client and a domain when, within ten minutes, many
 * different names with more than forty bytes of random looking labels were asked below it and
 * answered with data that differs and lies in records able to carry it (TXT, NULL, CNAME, MX, SRV,
 * private types): both directions carry something. Or twice as many, all asked for TXT, NULL, SRV
 * or a private type, whatever the answer: data that only leaves.
 *
 * Left out, therefore: address look-ups of any kind (block lists, reputation by hash, content
 * delivery, cache busting), names that do not exist (random subdomains, zone walks), names with a
 * label that starts with "_" (DKIM, ACME, DANE), reverse names, and what a few vendors are known to
 * do on purpose (the list in covert.c).
 */
#ifndef ANALYZE_FOLLOW_COVERT_H
#define ANALYZE_FOLLOW_COVERT_H

#include "analyze/decode/flow.h"
#include "analyze/decode/message.h"

struct teller;
struct covert; /* opaque */

struct covert *covert_new(struct teller *); /* borrowed; NULL: no memory */
void covert_free(struct covert *);
/* A response, read whole, to a question with a long name. */
void covert_add(struct covert *, const struct datagram *, const struct dns_message *);

#endif
