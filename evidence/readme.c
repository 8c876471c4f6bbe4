/*
 * readme: what a person reads first. Contained in: pack, tests. Must never promise more than the
 * commands in it show.
 */
#include "evidence/readme.h"

#include "evidence/format.h"
#include "evidence/text.h"
#include "sandbox/log.h"

#include <stdio.h>

static const char opening[] =
    "This folder is evidence sealed by dnsbailiff.\n"
    "\n"
    "WHAT IT IS\n"
    "\n"
    "A sensor looked at DNS traffic, recorded what it saw and judged it. Each file here has its "
    "hash\n"
    "in a list (manifest-sha512.txt), that list has its hash in another (tagmanifest-sha512.txt), "
    "and\n"
    "the last one carries an electronic signature (signatures/seal.p7s). One changed letter "
    "anywhere\n"
    "in data/ breaks that chain. The steps below check it with programs that every Linux system "
    "has;\n"
    "nothing of dnsbailiff is needed, and nothing in this folder has to be run.\n"
    "\n"
    "  data/findings/report.txt      what was found, in words: start here\n"
    "  data/findings/findings.jsonl  each finding: what was expected, what was seen, in which "
    "frames\n"
    "  data/findings/inventory.jsonl each zone: its keys, servers, signatures; who received what\n"
    "  data/findings/eve.json        every event, one JSON object a line\n"
    "  data/capture/                 the packets themselves: open with Wireshark or tcpdump. A "
    "finding\n"
    "                                cites frames by number; it is the packet id in these files\n"
    "  data/history/history.sqlite   every RRset, key and signature seen: when, from whom "
    "(SQLite)\n"
    "  data/log/                     what the sensor did, in order; each record holds the hash of "
    "the\n"
    "                                one before, and checkpoints/ holds signed states of the log\n"
    "  data/baseline/ data/anchors/  what the traffic was compared with\n"
    "  data/provenance/              the sensor, its settings, and who had what (CASE/UCO graph)\n"
    "  data/stats/loss.jsonl         what the sensor counted as seen, dropped and damaged\n"
    "\n"
    "HOW TO CHECK IT\n"
    "\n"
    "Take ca.pem, the certificate of the authority, from the owner of the sensor by another way "
    "than\n"
    "this bundle: that is what makes it a proof. Then, in bash and in this folder:\n"
    "\n";

static const char commands[] =
    "  find . ! -type f ! -type d ; tar tf X.tar | sort | uniq -d         # both print nothing\n"
    "  openssl ts -verify -data signatures/seal.p7s -in signatures/seal.p7s.tsr -CAfile ca.pem\n"
    "  openssl cms -verify -binary -cades -purpose any -no-CApath -no-CAstore -CAfile ca.pem "
    "-attime "
    "$EPOCH \\\n"
    "    -inform DER -in signatures/seal.p7s -content tagmanifest-sha512.txt -out /dev/null\n"
    "  sha512sum -c --quiet --strict tagmanifest-sha512.txt && sha512sum -c --quiet --strict "
    "manifest-sha512.txt\n"
    "  diff <(LC_ALL=C find data -type f | LC_ALL=C sort) <(cut -d' ' -f3- manifest-sha512.txt)\n"
    "\n"
    "X.tar is the bundle this folder came out of. 1 shows that nothing but plain files came, each\n"
    "once. 2 shows when it was sealed, according to a time-stamping authority: only if there is a "
    "file\n"
    "signatures/seal.p7s.tsr. 3 must say \"CAdES Verification successful\": the list of hashes is "
    "the one\n"
    "that was sealed. 4 and 5 print nothing: every file has its hash, and no file is missing or "
    "added.\n"
    "\n";

static const char certified[] = "The seal is CERTIFIED: the key that made it was certified by an "
                                "authority of the sensor's owner.\n"
                                "signatures/chain.pem holds the certificates as they were; it is "
                                "no substitute for ca.pem from\n"
                                "outside.\n";

static const char ephemeral[] = "The seal is EPHEMERAL: it was made with a key that existed only "
                                "for this run, and nobody vouches\n"
                                "for it. The steps show that nothing was changed since the "
                                "sealing, not who sealed. As ca.pem take\n"
                                "the second certificate in signatures/chain.pem.\n";

static const char closing[] = "\n"
                              "WHAT IT DOES NOT SHOW\n"
                              "\n"
                              "Packets that somebody put on the line before the sensor look like "
                              "packets that were sent there.\n"
                              "Times are those of the capture and of the sensor's own clock, "
                              "unless a time stamp is enclosed.\n"
                              "A log that was cut at the end of an epoch is noticed only by "
                              "whoever kept a later checkpoint.\n";

size_t readme_text(const struct readme_facts *f, char ret_text[README_MAX])
{
    char sealed[TEXT_TIME_ROOM], root[TEXT_BASE64_ROOM(HASH_BYTES)];
    text_time_seconds(f->sealed, sealed);
    text_base64(f->log_root, HASH_BYTES, root);
    int n = snprintf(ret_text, README_MAX,
                     "%s  EPOCH=%lld\n%s%s%s\nTHIS BUNDLE\n\n  id        %s\n  sealed at %s (the "
                     "sensor's clock)\n  log       %s\n            %llu records, root %s\n",
                     opening, (long long)f->epoch, commands, f->ephemeral ? ephemeral : certified,
                     closing, f->id, sealed, f->origin, (unsigned long long)f->log_size, root);
    if (n < 0 || n >= README_MAX)
        log_die("readme: too long");
    return (size_t)n;
}

size_t readme_bag_info(const struct readme_facts *f, char ret_text[README_MAX])
{
    char date[TEXT_TIME_ROOM], oxum[48], format[16], size[24], root[TEXT_BASE64_ROOM(HASH_BYTES)];
    char sealed[TEXT_TIME_ROOM], epoch[24];
    text_date(f->sealed, date);
    text_time_seconds(f->sealed, sealed);
    text_base64(f->log_root, HASH_BYTES, root);
    (void)snprintf(oxum, sizeof oxum, "%llu.%llu", (unsigned long long)f->payload_bytes,
                   (unsigned long long)f->payload_files);
    (void)snprintf(format, sizeof format, "%d", FORMAT_VERSION);
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)f->log_size);
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)f->epoch);

    const char *AGENT = "dnsbailiff " DNSBAILIFF_VERSION, *DATE = date, *OXUM = oxum, *ID = f->id;
    const char *FORMAT = format, *ORIGIN = f->origin, *SIZE = size, *ROOT = root, *TIME = sealed;
    const char *EPOCH = epoch, *DISCLOSURE = "full";
    const char *SEAL = f->ephemeral ? "ephemeral" : "certified";
    size_t at = 0;
#define X(field, label, text)                                                                      \
    {                                                                                              \
        int n = snprintf(ret_text + at, README_MAX - at, "%s: %s\n", label, field);                \
        if (n < 0 || (size_t)n >= README_MAX - at)                                                 \
            log_die("readme: too long");                                                           \
        at += (size_t)n;                                                                           \
    }
    BAG_INFO(X)
#undef X
    return at;
}
