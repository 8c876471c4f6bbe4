/*
 * command: `dnsbailiff rules list|explain|algorithms`: the catalogue and IANA's advice, for people
 * and for scripts.
 *
 * This is a process of its own (rules): it reads its arguments, writes standard output, and holds
 * nothing. It contains the catalogue and no rule.
 */
#include "rules/algorithm.h"
#include "rules/catalogue.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH   80
#define INDENT  4
#define NEAREST 3
#define ID_MAX  64

#define EXIT_USAGE 2

static const char help[] =
    "usage: dnsbailiff rules list [--family NAME] [--json]\n"
    "       dnsbailiff rules explain ID...\n"
    "       dnsbailiff rules algorithms\n"
    "\n"
    "The findings that dnsbailiff knows.\n"
    "\n"
    "  list            one line for each: id, severity, family, B (needs a baseline), status\n"
    "    --family NAME only: keys, signatures, delegation, records, denial, transport,\n"
    "                  resolution, sensor\n"
    "    --json        a JSON array with everything that explain shows\n"
    "  explain ID...   what it means, why it matters, what it looks like in dig, innocent\n"
    "                  causes, first steps, references\n"
    "  algorithms      IANA's advice on algorithms and digests, as of which day, and which of\n"
    "                  them this version can check\n"
    "\n"
    "Status \"described\": this version explains the finding and does not look for it.\n"
    "A profile can change severities and switch findings off (see dnsbailiff.yaml(5)).\n"
    "\n"
    "Exit status: 0 done, 1 output failed, 2 usage, or no such id.\n";

/* --- list ---------------------------------------------------------------------------------- */

static const char *status(const struct rule_text *text)
{
    return text->works ? "works" : "described";
}

static void json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte < 0x20)
            printf("\\u%04x", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void json_member(const char *name, const char *value)
{
    printf(",\"%s\":", name);
    json_string(value);
}

static void json_rule(enum rule_id rule)
{
    const struct rule_text *text = rule_text(rule);
    printf("{\"id\":");
    json_string(text->id);
    printf(",\"signature_id\":%u", rule_signature_id(rule));
    json_member("severity", severity_name(text->severity));
    json_member("family", text->family);
    printf(",\"needs_baseline\":%s", text->needs_baseline ? "true" : "false");
    json_member("status", status(text));
    json_member("meaning", text->meaning);
    json_member("why", text->why);
    json_member("dig", text->dig);
    json_member("innocent", text->innocent);
    json_member("steps", text->steps);
    json_member("references", text->references);
    json_member("zonemaster", text->zonemaster);
    json_member("dnsviz", text->dnsviz);
    if (text->ede)
        printf(",\"ede\":%u", text->ede);
    putchar('}');
}

static bool known_family(const char *family)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (strcmp(rule_text((enum rule_id)i)->family, family) == 0)
            return true;
    return false;
}

static int list(const char *family, bool json)
{
    unsigned shown = 0, working = 0;
    if (!json)
        printf("%-25s %-9s %-11s %-2s %s\n", "id", "severity", "family", "B", "status");
    else
        putchar('[');
    for (unsigned i = 0; i < RULE_COUNT; i++) {
        const struct rule_text *text = rule_text((enum rule_id)i);
        if (family && strcmp(text->family, family) != 0)
            continue;
        if (json) {
            printf(shown ? ",\n" : "\n");
            json_rule((enum rule_id)i);
        } else {
            printf("%-25s %-9s %-11s %-2s %s\n", text->id, severity_name(text->severity),
                   text->family, text->needs_baseline ? "B" : "-", status(text));
        }
        shown++;
        working += text->works;
    }
    if (json)
        printf("\n]\n");
    else
        printf("\n%u findings, %u of them looked for by this version; B needs a baseline.\n", shown,
               working);
    return EXIT_SUCCESS;
}

/* --- explain ------------------------------------------------------------------------------- */

/* Prose, broken between words. */
static void paragraph(const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column && column + 1 + length > WIDTH) {
            putchar('\n');
            column = 0;
        }
        if (column == 0) {
            printf("%*s", INDENT, "");
            column = INDENT;
        } else {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)length, text);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

/* One to a line: commands are to be copied. */
static void lines(const char *text, const char *separators)
{
    while (*text) {
        size_t length = strcspn(text, separators);
        printf("%*s%.*s\n", INDENT, "", (int)length, text);
        text += length;
        text += strspn(text, separators);
        text += strspn(text, " ");
    }
}

static void section(const char *title, const char *text)
{
    if (!*text)
        return;
    printf("\n%s\n", title);
    paragraph(text);
}

static void explain(enum rule_id rule)
{
    const struct rule_text *text = rule_text(rule);
    printf("%s (%s, %s%s)\n", text->id, severity_name(text->severity), text->family,
           text->needs_baseline ? ", needs a baseline" : "");
    if (!text->works)
        printf("%*sDescribed only: this version does not look for it.\n", INDENT, "");
    section("What it means", text->meaning);
    section("Why it matters", text->why);
    if (*text->dig) {
        printf("\nIn dig\n");
        lines(text->dig, "\n");
    }
    section("Innocent causes", text->innocent);
    section("First steps", text->steps);
    if (*text->references) {
        printf("\nReferences\n");
        lines(text->references, ";");
    }
    if (*text->zonemaster || *text->dnsviz || text->ede) {
        printf("\nElsewhere\n");
        if (text->ede)
            printf("%*sExtended DNS Error %u (RFC 8914)\n", INDENT, "", text->ede);
        if (*text->dnsviz)
            printf("%*sDNSViz %s\n", INDENT, "", text->dnsviz);
        if (*text->zonemaster)
            printf("%*sZonemaster %s\n", INDENT, "", text->zonemaster);
    }
    printf("\nEVE signature_id %u\n", rule_signature_id(rule));
}

/* --- algorithms ---------------------------------------------------------------------------- */

static void table(const char *title, const char *version, const char *column,
                  const struct algorithm *(*nth)(size_t))
{
    const struct algorithm *row;
    printf("%s, IANA, as of %s\n%-3s %-19s %-8s %-16s %-16s %s\n", title, version, "no.",
           "mnemonic", "checked", column, "validation", "see");
    for (size_t i = 0; (row = nth(i)) != NULL; i++)
        printf("%-3u %-19s %-8s %-16s %-16s %s\n", row->number, row->mnemonic,
               row->checked ? "yes" : "no", algorithm_advice(row->signing),
               algorithm_advice(row->validation), row->reference);
}

static int algorithms(void)
{
    table("DNS Security Algorithm Numbers", ALGORITHM_VERSION, "signing", algorithm_nth);
    putchar('\n');
    table("DS RR Type Digest Algorithms", DIGEST_VERSION, "delegation", algorithm_digest_nth);
    return EXIT_SUCCESS;
}

/* Levenshtein's distance, both texts at most ID_MAX bytes. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[ID_MAX + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i]; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < length; j++) {
            unsigned best = corner + (a[i] != b[j]);
            corner = row[j + 1];
            best = row[j + 1] + 1 < best ? row[j + 1] + 1 : best;
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j + 1] = best;
        }
    }
    return row[length];
}

/* Names the ids that are nearest to the mistaken one; ids that contain it are nearest of all. */
static void suggest(const char *id)
{
    bool named[RULE_COUNT] = {false};
    char cut[ID_MAX + 1];
    snprintf(cut, sizeof cut, "%s", id);
    fprintf(stderr, "dnsbailiff rules: no finding has the id \"");
    for (const char *at = cut; *at; at++)
        fputc((unsigned char)*at >= 0x20 && (unsigned char)*at < 0x7f ? *at : '?', stderr);
    fprintf(stderr, "\"; the nearest are");
    for (unsigned n = 0; n < NEAREST; n++) {
        unsigned best = RULE_COUNT, least = UINT32_MAX;
        for (unsigned i = 0; i < RULE_COUNT; i++) {
            const char *known = rule_text((enum rule_id)i)->id;
            unsigned far = *cut && strstr(known, cut) ? 0 : distance(cut, known);
            if (!named[i] && far < least) {
                least = far;
                best = i;
            }
        }
        named[best] = true;
        fprintf(stderr, "%s %s", n ? "," : "", rule_text((enum rule_id)best)->id);
    }
    fputc('\n', stderr);
}

static int explain_all(char **ids, int count)
{
    for (int i = 0; i < count; i++)
        if (rule_find(ids[i]) == RULE_COUNT) {
            suggest(ids[i]);
            return EXIT_USAGE;
        }
    for (int i = 0; i < count; i++) {
        if (i)
            printf("\n%.*s\n\n", WIDTH,
                   "----------------------------------------"
                   "----------------------------------------");
        explain(rule_find(ids[i]));
    }
    return EXIT_SUCCESS;
}

/* --- main ---------------------------------------------------------------------------------- */

static int usage(const char *what)
{
    fprintf(stderr, "dnsbailiff rules: %s\n%s", what, help);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"family", required_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    const char *family = NULL;
    bool json = false;
    int option, result;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        case 'j':
            json = true;
            break;
        case 'f':
            family = optarg;
            break;
        default:
            return usage("no such option, or its value is missing");
        }
    }
    argv += optind;
    argc -= optind;
    if (argc < 1)
        return usage("expected list, explain or algorithms");
    if (strcmp(argv[0], "list") == 0) {
        if (argc > 1)
            return usage("list takes no further argument");
        if (family && !known_family(family))
            return usage("no such family");
        result = list(family, json);
    } else if (strcmp(argv[0], "explain") == 0) {
        if (argc < 2 || json || family)
            return usage("explain takes the ids of findings");
        result = explain_all(argv + 1, argc - 1);
    } else if (strcmp(argv[0], "algorithms") == 0) {
        if (argc > 1 || json || family)
            return usage("algorithms takes no option and no further argument");
        result = algorithms();
    } else {
        return usage("expected list, explain or algorithms");
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "dnsbailiff rules: cannot write to standard output\n");
        return EXIT_FAILURE;
    }
    return result;
}
