/*
 * resolution: what the two families about resolvers share.
 *
 * Contained in: analyze, tests. Private to the room `rules`.
 */
#ifndef RULES_RESOLUTION_H
#define RULES_RESOLUTION_H

#include "rules/judge.h"

enum resolution_type { TYPE_A = 1, TYPE_SOA = 6, TYPE_MX = 15, TYPE_TXT = 16, TYPE_AAAA = 28 };

/* A single broken name asked for in many ways says nothing of its zone. */
#define RESOLUTION_NAMES     2
#define RESOLUTION_QUESTIONS 3

/* The zone itself; TYPE_SOA stands for all of it. */
struct subject resolution_subject(const struct fact *, const void *identity, size_t size);
/* Distinct names among the questions. */
size_t resolution_names(const struct fact_health *);
/* "www.example. IN A" */
const char *resolution_question(const struct judge *, const uint8_t *name, uint16_t type,
                                char ret_text[LINE_ROOM]);
/* ", EDE 7", or nothing */
const char *resolution_ede(uint16_t ede, char ret_text[16]);

void validation_judge(struct judge *);

#endif
