/*
 * event_dns: the body of a `dns` event: Suricata's DNS v3 object, with members for DNSSEC records.
 *
 * Contained in: analyze, tests.
 */
#ifndef ANALYZE_EVENT_DNS_H
#define ANALYZE_EVENT_DNS_H

#include "analyze/jline.h"
#include "analyze/message.h"

/* Adds "dns":{…} to the object that is open. */
void event_dns_put(struct jline *, const struct dns_message *);

#endif
