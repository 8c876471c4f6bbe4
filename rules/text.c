/*
 * text: presentation lines for findings, without libc's time zones (which would open files under
 * the filter).
 *
 * Contained in: analyze, tests. Must never emit a control character: the table strips them again.
 */
#include "rules/judge.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define HEX_ROOM 4 /* cut mark and NUL */

const char *text_type(const struct judge *judge, uint16_t type, char ret_text[32])
{
    const struct rules_text *text = judge->limits->text;
    if (text && text->type)
        return text->type(type, ret_text, 32);
    snprintf(ret_text, 32, "TYPE%u", type);
    return ret_text;
}

const char *text_algorithm(const struct judge *judge, uint8_t algorithm, char ret_text[32])
{
    const struct rules_text *text = judge->limits->text;
    if (text && text->algorithm)
        return text->algorithm(algorithm, ret_text, 32);
    snprintf(ret_text, 32, "algorithm %u", algorithm);
    return ret_text;
}

/* Upper-case hexadecimal; what does not fit is cut and ends in "...". */
static void text_hex(const uint8_t *bytes, size_t size, char *ret_text, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t most = (room - HEX_ROOM) / 2, shown = size < most ? size : most;
    for (size_t i = 0; i < shown; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    memcpy(ret_text + 2 * shown, shown < size ? "..." : "", shown < size ? HEX_ROOM : 1);
}

const char *text_record(const struct judge *judge, const uint8_t *owner, uint16_t type,
                        const struct fact_rdata *rdata, char ret_text[LINE_ROOM])
{
    const struct rules_text *text = judge->limits->text;
    char name[NAME_TEXT_MAX], type_name[32], data[LINE_ROOM / 2];
    const char *shown = NULL;
    if (text && text->rdata && rdata->size < LINE_ROOM / 4)
        shown = text->rdata(type, rdata->bytes, rdata->size, data, sizeof data);
    if (!shown) {
        int n = snprintf(data, sizeof data, "\\# %u ", rdata->size);
        text_hex(rdata->bytes, rdata->size, data + n, sizeof data - (size_t)n);
        shown = data;
    }
    snprintf(ret_text, LINE_ROOM, "%s IN %s %s", name_text(owner, name),
             text_type(judge, type, type_name), shown);
    return ret_text;
}

const char *text_key(const uint8_t *owner, const struct fact_key *key, char ret_text[LINE_ROOM])
{
    char name[NAME_TEXT_MAX], base64[LINE_ROOM / 2];
    size_t most = (sizeof base64 - 8) / 4 * 3;
    size_t shown = key->public_key.size < most ? key->public_key.size : most;
    EVP_EncodeBlock((unsigned char *)base64, key->public_key.bytes, (int)shown);
    snprintf(ret_text, LINE_ROOM, "%s IN DNSKEY %u %u %u %s%s ; key tag %u", name_text(owner, name),
             key->flags, key->protocol, key->algorithm, base64,
             shown < key->public_key.size ? "..." : "", key->tag);
    return ret_text;
}

const char *text_ds(const uint8_t *owner, const struct fact_ds *ds, char ret_text[LINE_ROOM])
{
    char name[NAME_TEXT_MAX], hex[LINE_ROOM / 2];
    text_hex(ds->digest.bytes, ds->digest.size, hex, sizeof hex);
    snprintf(ret_text, LINE_ROOM, "%s IN DS %u %u %u %s", name_text(owner, name), ds->tag,
             ds->algorithm, ds->digest_type, hex);
    return ret_text;
}

struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second;
};

/* Days to the civil calendar; H. Hinnant, "chrono-compatible low-level date algorithms". */
static struct civil civil_of(int64_t seconds)
{
    int64_t days = seconds / 86400, rest = seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * day_of_year + 2) / 153;
    struct civil civil = {.year = (int64_t)year_of_era + era * 400 + (month >= 10),
                          .month = month < 10 ? month + 3 : month - 9,
                          .day = day_of_year - (153 * month + 2) / 5 + 1,
                          .hour = (unsigned)(rest / 3600),
                          .minute = (unsigned)(rest / 60 % 60),
                          .second = (unsigned)(rest % 60)};
    return civil;
}

const char *text_duration(int64_t seconds, char ret_text[48])
{
    static const struct {
        int64_t seconds;
        char letter;
    } unit[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t used = 0;
    int64_t left = seconds < 0 ? -seconds : seconds;
    unsigned shown = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < 4 && shown < 2; i++) {
        int64_t n = left / unit[i].seconds;
        left %= unit[i].seconds;
        if (n == 0 && !(i == 3 && shown == 0))
            continue;
        used +=
            (size_t)snprintf(ret_text + used, 48 - used, "%s%lld%c",
                             shown ? " " : (seconds < 0 ? "-" : ""), (long long)n, unit[i].letter);
        shown++;
    }
    return ret_text;
}

const char *text_time(int64_t seconds, char ret_text[32])
{
    struct civil civil = civil_of(seconds);
    snprintf(ret_text, 32, "%04d-%02u-%02uT%02u:%02u:%02uZ", (int)(civil.year % 10000), civil.month,
             civil.day, civil.hour, civil.minute, civil.second);
    return ret_text;
}

/* The form of RFC 4034 3.2. */
static const char *text_stamp(int64_t seconds, char ret_text[32])
{
    struct civil civil = civil_of(seconds);
    snprintf(ret_text, 32, "%04d%02u%02u%02u%02u%02u", (int)(civil.year % 10000), civil.month,
             civil.day, civil.hour, civil.minute, civil.second);
    return ret_text;
}

const char *text_signature(const struct judge *judge, const uint8_t *owner,
                           const struct fact_signature *signature, char ret_text[LINE_ROOM])
{
    char name[NAME_TEXT_MAX], signer[NAME_TEXT_MAX], type[32], from[32], until[32];
    int n =
        snprintf(ret_text, LINE_ROOM, "%s IN RRSIG %s %u %u %u %s %s %u %s (...)",
                 name_text(owner, name), text_type(judge, signature->covered, type),
                 signature->algorithm, signature->labels, signature->original_ttl,
                 text_stamp(signature->expiration, until), text_stamp(signature->inception, from),
                 signature->tag, name_text(signature->signer, signer));
    if (n >= LINE_ROOM)
        ret_text[LINE_ROOM - 1] = '\0';
    return ret_text;
}

const char *text_address(uint8_t family, const uint8_t *address, char ret_text[64])
{
    const char *known = NULL;
    if (address && family == 4)
        known = inet_ntop(AF_INET, address, ret_text, 64);
    else if (address && family == 6)
        known = inet_ntop(AF_INET6, address, ret_text, 64);
    if (!known)
        snprintf(ret_text, 64, "an unknown address");
    return ret_text;
}

const char *text_server(const struct fact *fact, char ret_text[64])
{
    return text_address(fact->server_family, fact->server, ret_text);
}

const char *text_trust(const struct fact *fact, char ret_text[256])
{
    switch (fact->verdict) {
    case VERDICT_SECURE:
        return "validly signed";
    case VERDICT_INSECURE:
        return "in an unsigned zone";
    case VERDICT_BOGUS:
        snprintf(ret_text, 256, "bogus: %s", reason_text(fact->reason));
        return ret_text;
    default:
        return "not validated";
    }
}

void text_expect_set(const struct judge *judge, struct entry *entry, const struct fact_rrset *set)
{
    char line[LINE_ROOM];
    for (size_t i = 0; i < set->count; i++)
        entry_expected(entry, text_record(judge, set->owner, set->type, &set->rdata[i], line));
}

void text_observe_set(const struct judge *judge, struct entry *entry, const struct fact_rrset *set)
{
    char line[LINE_ROOM];
    for (size_t i = 0; i < set->count; i++)
        entry_observed(entry, text_record(judge, set->owner, set->type, &set->rdata[i], line));
}

/* --- small facts --------------------------------------------------------------------------- */

int64_t fact_clock(const struct fact *fact)
{
    return fact->clock_ns ? fact->clock_ns : fact->time_ns;
}

bool rdata_equal(const struct fact_rdata *a, const struct fact_rdata *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

bool rrset_equal(const struct fact_rrset *a, const struct fact_rrset *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) /* both sorted canonically, without duplicates */
        if (!rdata_equal(&a->rdata[i], &b->rdata[i]))
            return false;
    return true;
}

bool rrset_has(const struct fact_rrset *set, const struct fact_rdata *rdata)
{
    for (size_t i = 0; i < set->count; i++)
        if (rdata_equal(&set->rdata[i], rdata))
            return true;
    return false;
}

bool ds_known(const struct fact_baseline *baseline, const struct fact_ds *ds)
{
    for (size_t i = 0; i < baseline->ds_count; i++) {
        const struct fact_ds *known = &baseline->ds[i];
        if (known->tag == ds->tag && known->algorithm == ds->algorithm &&
            known->digest_type == ds->digest_type && rdata_equal(&known->digest, &ds->digest))
            return true;
    }
    return false;
}
