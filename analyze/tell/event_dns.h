/*
 * event_dns: the body of a `dns` event: Suricata's DNS v3 object, with members for DNSSEC records.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_TELL_EVENT_DNS_H
#define ANALYZE_TELL_EVENT_DNS_H

#include "analyze/decode/message.h"
#include "analyze/jline.h"

/* Adds "dns":{…} to the object that is open. */
void event_dns_put(struct jline *, const struct dns_message *);

#endif
