/*
 * format: every name, layout and text that dnsbailiff writes to disk, in one place.
 *
 * Contained in: store, sign, pack, verify, keygen, tests. Constants and static asserts only: what
 * writes and what checks share this page and no code. A change here is a new FORMAT_VERSION.
 *
 * Notation: <x> is replaced, "b64" is standard base64 with padding and no line breaks (RFC 4648 4),
 * "hex" is lower case, numbers are decimal without leading zeros, LF ends every line, also the
 * last. Times are UTC, RFC 3339 with exactly nine digits of fraction:
 * 2026-11-22T08:30:34.000000000Z.
 */
#ifndef EVIDENCE_FORMAT_H
#define EVIDENCE_FORMAT_H

#include <stdint.h>

#define FORMAT_VERSION 1

/* === Evidence directory (-l DIR) ================================================================
 *
 *   eve.json                     events, JSON Lines
 *   segments/                    seg-%08u.pcapng (live), extract.pcapng (replay); *.part unfinished
 *   log/log.jsonl                the log: one record a line
 *   log/checkpoints/%08u-%012u   <epoch>-<size>: tree head of the first <size> records
 *   log/timestamps/              RFC 3161 tokens over checkpoints, <checkpoint name>.tsr
 *   log/key0.b64                 public key of epoch 0: b64 of 32 bytes, LF
 *   log/key0.p7s                 detached CMS of the identity over the file key0.b64 (DER)
 *   state/findings.jsonl inventory.jsonl report.txt loss.jsonl sensor.json settings.json
 *   state/case.jsonld custody.jsonl
 *   state/history.sqlite         what was ever seen, over all runs (history/database.c); while the
 *                                run lasts history.sqlite-wal and -shm are beside it
 *   state/config.yaml profile.yaml         as read, where given
 *   state/baseline/<name> state/anchors/<name>     as read
 *   state/README.txt             what the folder is
 *
 *   accepted/                    an evidence directory of its own: one run for each change of the
 *                                baseline that a person accepted; later runs leave it where it is
 *
 * A run never writes into what another run wrote: it first renames eve.json, segments, state and
 * (last) log to <name>-%04u (eve-%04u.json), the first number that is free as log-%04u.
 */
#define DIR_SEGMENTS     "segments"
#define DIR_LOG          "log"
#define DIR_CHECKPOINTS  "log/checkpoints"
#define DIR_TIMESTAMPS   "log/timestamps"
#define DIR_STATE        "state"
#define DIR_BASELINE     "state/baseline"
#define DIR_ANCHORS      "state/anchors"
#define DIR_ACCEPTED     "accepted"
#define FILE_EVE         "eve.json"
#define FILE_LOG         "log/log.jsonl"
#define FILE_KEY0        "log/key0.b64"
#define FILE_KEY0_SIG    "log/key0.p7s"
#define FILE_FINDINGS    "state/findings.jsonl"
#define FILE_INVENTORY   "state/inventory.jsonl"
#define FILE_REPORT      "state/report.txt"
#define NAME_KEYS        "keys.dnsbailiff" /* in DIR_ANCHORS: those that an earlier run kept */
#define FILE_KEYS        "state/keys.dnsbailiff" /* for the next run; the bundle has what was used */
#define NAME_HISTORY     "history.sqlite"
#define FILE_HISTORY     "state/" NAME_HISTORY
#define SUFFIX_WAL       "-wal"
#define SUFFIX_SHM       "-shm"
#define FILE_LOSS        "state/loss.jsonl"
#define FILE_SENSOR      "state/sensor.json"
#define FILE_SETTINGS    "state/settings.json"
#define FILE_CONFIG      "state/config.yaml"
#define FILE_PROFILE     "state/profile.yaml"
#define FILE_CASE        "state/case.jsonld"
#define FILE_CUSTODY     "state/custody.jsonl"
#define NAME_SEGMENT     "seg-%08u.pcapng"
#define NAME_EXTRACT     "extract.pcapng"
#define NAME_CHECKPOINT  "%08u-%012llu"
#define NAME_SOURCE      "source-%04u-%s" /* index, sanitised base name */
#define SUFFIX_PART      ".part"
#define SUFFIX_TIMESTAMP ".tsr"

/* File names taken from outside (zone files, anchors, sources) are lower-cased; what is not in
 * [a-z0-9._-] becomes '_', also a leading '.'; longer names keep their last NAME_MAX_KEPT bytes. A
 * name that is then taken gets "-2", "-3" … appended. */
#define NAME_MAX_KEPT 80

/* === Bundle: <id>.tar ===========================================================================
 *
 *   <id> = dnsbailiff-<sensor>-<time>-<root>: time of the sealing record as 20261122t083034z, root
 *   the first 8 hex digits of the log root. All members are <id>/<path>, sorted by their bytes:
 *
 *   README.txt bag-info.txt bagit.txt
 *   data/anchors/<name>          state/anchors/<name>
 *   data/baseline/<name>         state/baseline/<name>
 *   data/capture/<name>          segments/<name>; with --include-source also source-%04u-<name>
 *   data/findings/eve.json findings.jsonl inventory.jsonl report.txt
 *   data/history/history.sqlite  state/history.sqlite, if it was whole at the end of the run
 *   data/log/…                   log/…
 *   data/provenance/case.jsonld config.yaml custody.jsonl profile.yaml sensor.json settings.json
 *   data/stats/loss.jsonl
 *   manifest-sha256.txt manifest-sha512.txt
 *   signatures/chain.pem signatures/seal.p7s [signatures/seal.p7s.tsr]
 *   tagmanifest-sha256.txt tagmanifest-sha512.txt
 *
 * Optional files are left out, never empty stand-ins; empty files (eve.json without events) exist.
 * An evidence file is recorded in the log under its path in the bundle, without "data/".
 *
 * Sealing record: the last record that the last checkpoint covers (of a finished run: `close`).
 * Sealing time T: its "time", cut to seconds. T is the mtime of every member and the time in <id>.
 */
#define BUNDLE_PREFIX          "dnsbailiff-"
#define BUNDLE_TIME            "%04d%02d%02dt%02d%02d%02dz"
#define BUNDLE_README          "README.txt"
#define BUNDLE_BAG_INFO        "bag-info.txt"
#define BUNDLE_BAGIT           "bagit.txt"
#define BUNDLE_ANCHORS         "data/anchors/"
#define BUNDLE_BASELINE        "data/baseline/"
#define BUNDLE_CAPTURE         "data/capture/"
#define BUNDLE_EVE             "data/findings/eve.json"
#define BUNDLE_FINDINGS        "data/findings/findings.jsonl"
#define BUNDLE_INVENTORY       "data/findings/inventory.jsonl"
#define BUNDLE_REPORT          "data/findings/report.txt"
#define BUNDLE_HISTORY         "data/history/history.sqlite"
#define BUNDLE_LOG             "data/log/log.jsonl"
#define BUNDLE_CHECKPOINTS     "data/log/checkpoints/"
#define BUNDLE_TIMESTAMPS      "data/log/timestamps/"
#define BUNDLE_KEY0            "data/log/key0.b64"
#define BUNDLE_KEY0_SIG        "data/log/key0.p7s"
#define BUNDLE_CASE            "data/provenance/case.jsonld"
#define BUNDLE_CONFIG          "data/provenance/config.yaml"
#define BUNDLE_CUSTODY         "data/provenance/custody.jsonl"
#define BUNDLE_PROFILE         "data/provenance/profile.yaml"
#define BUNDLE_SENSOR          "data/provenance/sensor.json"
#define BUNDLE_SETTINGS        "data/provenance/settings.json"
#define BUNDLE_LOSS            "data/stats/loss.jsonl"
#define BUNDLE_MANIFEST_256    "manifest-sha256.txt"
#define BUNDLE_MANIFEST_512    "manifest-sha512.txt"
#define BUNDLE_CHAIN           "signatures/chain.pem"
#define BUNDLE_SEAL            "signatures/seal.p7s"
#define BUNDLE_SEAL_TIME       "signatures/seal.p7s.tsr"
#define BUNDLE_TAGMANIFEST_256 "tagmanifest-sha256.txt"
#define BUNDLE_TAGMANIFEST_512 "tagmanifest-sha512.txt"

/* Manifests: "<hex hash>  <path>" LF (two spaces), one line a file, in member order. The payload
 * manifests list every member under data/. Both tagmanifests list exactly README.txt, bag-info.txt,
 * bagit.txt, manifest-sha256.txt, manifest-sha512.txt. Only tagmanifest-sha512.txt is signed;
 * tagmanifest-sha256.txt must be recomputed from the files, not believed. */
#define BAGIT_TXT "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

/* bag-info.txt: exactly these labels, each once, in this order, "<label>: <value>" LF. */
#define BAG_INFO(X)                                                                                \
    X(AGENT, "Bag-Software-Agent", "dnsbailiff <version>")                                         \
    X(DATE, "Bagging-Date", "date of T, 2026-11-22")                                               \
    X(OXUM, "Payload-Oxum", "<bytes>.<files> of the payload")                                      \
    X(ID, "External-Identifier", "<id>")                                                           \
    X(FORMAT, "Dnsbailiff-Format", "FORMAT_VERSION")                                               \
    X(ORIGIN, "Log-Origin", "origin line of the checkpoints")                                      \
    X(SIZE, "Log-Size", "records that the last checkpoint covers; log.jsonl holds no more")        \
    X(ROOT, "Log-Root", "b64 of its root")                                                         \
    X(TIME, "Sealing-Time", "T, 2026-11-22T08:30:34Z")                                             \
    X(EPOCH, "Verify-Epoch",                                                                       \
      "$EPOCH of README.txt: T, or the signer's notBefore if that is later, "                      \
      "seconds since 1970")                                                                        \
    X(DISCLOSURE, "Disclosure", "full")                                                            \
    X(SEAL, "Seal", "certified, or ephemeral: sealed by a key that nobody vouches for")

/*
 * Tar profile: POSIX ustar, no pax or GNU records, so that each header can be rebuilt and compared
 * byte by byte (b"" is text without NUL, offsets as in POSIX):
 *   name     path if <= 100 bytes, NUL-padded. Else prefix and name: split at the first '/' whose
 *            tail has at most 100 bytes; the '/' itself is in neither.
 *   mode     b"000444 " NUL      uid, gid  b"000000 " NUL
 *   size     11 octal digits, ' '      mtime  11 octal digits of T, ' '
 *   chksum   6 octal digits, NUL, ' '  (sum of the header with 8 spaces here)
 *   typeflag '0'                 linkname  NULs
 *   magic    b"ustar" NUL b"00"  uname, gname NULs
 *   devmajor, devminor b"000000 " NUL      last 12 bytes NULs
 * Data is padded with NULs to 512. The archive ends with exactly two blocks of NULs, and nothing.
 */
#define TAR_BLOCK      512u
#define TAR_END_BLOCKS 2u
#define TAR_MODE       0444u
#define TAR_NAME_MAX   100u
#define TAR_PREFIX_MAX 155u
#define TAR_MEMBER_MAX UINT64_C(0x1ffffffff) /* eleven octal digits: below 8 GiB */

/* === Log ========================================================================================
 *
 * One JSON object a line, keys exactly in this order, no spaces:
 *   {"seq":N,"prev":"<hex>","type":"<type>","time":"<time>",<keys of the type>}
 * seq counts from 0 and is the leaf index. prev is SHA-256 of the previous line with its LF, of
 * record 0 LOG_PREV_NONE. time is the sensor's clock when the record was written.
 *
 * Strings: '"' and '\' are escaped with a backslash, bytes below 0x20 and 0x7f as \u00xx; all else
 * is valid UTF-8 as it is. A "time?" value is a time or null; "int?" a number or null.
 *
 * X(ID, "type", "keys in order")
 */
#define LOG_RECORDS(X)                                                                             \
    /* first record. origin: checkpoint origin. run: replay | capture |                            \
     * accept (as replay, without sources or frames: see accept). clock: state by adjtimex:        \
     * synchronised | unsynchronised | unknown. inputs: array of FILE for everything that the      \
     * verdicts were made with (anchors/, baseline/, provenance/{config.yaml,profile.yaml,         \
     * sensor.json,settings.json}), in order of path. previous: null, or PREVIOUS */               \
    X(OPEN, "open", "format:int,origin,run,software,sensor,boot_id,clock,filter,inputs,previous")  \
    /* a replayed file, hashed as stored. name: as the operator gave it. member: name it has       \
     * under capture/ with --include-source. changed: true if it changed while it was read */      \
    X(SOURCE, "source", "index:int,name,member,size:int,sha256,sha512,changed:bool")               \
    /* a pcapng file. file: capture/<name>. kind: segment | extract. number: as in the file name,  \
     * 0 for the extract. first, last: least and greatest packet time. first_packet, last_packet:  \
     * epb_packetid, null if packets is 0. received … dropped_ring: what was added since the     \
     * previous segment record (the sums are the ISB counters). sha256 of `prev`: see pcapng */    \
    X(SEGMENT, "segment",                                                                          \
      "file,kind,number:int,size:int,sha256,first:time?,last:time?,packets:int,"                   \
      "first_packet:int?,last_packet:int?,received:int,dropped_kernel:int,dropped_interface:int,"  \
      "dropped_ring:int,tree:null")                                                                \
    /* something is missing. reason: see GAP_REASONS. source, offset: of a damaged source, else    \
     * null. from, to: packet times around it. lost: frames, null unknown. text: what happened */  \
    X(GAP, "gap", "reason,source:int?,offset:int?,from:time?,to:time?,lost:int?,text")             \
    /* the clock stepped against the monotonic clock by step_ns (signed) since the last record */  \
    X(CLOCK, "clock", "step_ns:int")                                                               \
    /* line `line` (from 0) of findings.jsonl: sha256 of it without LF. state as in the line */    \
    X(FINDING, "finding", "id,line:int,sha256")                                                    \
    /* a person adopted the change that a finding shows; only in a run `accept`, there once.       \
     * sha256 of its line without LF, as the record of the finding has it. zone: its name.         \
     * old_sha256: of the zone file before. file, sha256: the zone file as it is now,              \
     * baseline/<name>, one of open's inputs. log_origin, log_size, log_root: the newest           \
     * checkpoint of the log with the finding */                                                   \
    X(ACCEPT, "accept",                                                                            \
      "finding,finding_sha256,zone,old_sha256,file,sha256,who,why,log_origin,log_size:int,"        \
      "log_root")                                                                                  \
    X(HOLD, "hold", "file,who,why")                                                                \
    X(RELEASE, "release", "file,who,why")                                                          \
    X(ACCESS, "access", "who,why")                                                                 \
    X(EXPORT, "export", "tagmanifest_sha512,who,why")                                              \
    X(KEY, "key", "text")                                                                          \
    X(ANCHOR, "anchor", "checkpoint,kind,sha256")                                                  \
    X(TOMBSTONE, "tombstone", "file,sha256,why")                                                   \
    /* last record of epoch `epoch`: b64 public key of epoch + 1 */                                \
    X(EPOCH, "epoch", "epoch:int,next_key")                                                        \
    /* last record of a run. reason: finished | stopped. files: array of FILE for findings/,       \
     * history/, stats/, and provenance/{case.jsonld,custody.jsonl}, in order of path */           \
    X(CLOSE, "close", "reason,frames:int,messages:int,findings:int,files")

/* FILE:     {"file":"<path in the bundle without data/>","size":N,"sha256":"<hex>"}
 * PREVIOUS: {"log":"log-0001","size":N,"root":"<b64>","head":"<hex SHA-256 of its last whole line
 *           with LF>","state":"closed|open|damaged"}: the log this folder held before
 * Together the FILEs of open and close, the files of segment records, and log/ are the payload;
 * with --include-source also the members of source records. Nothing else may be under data/. */
#define LOG_PREV_NONE "0000000000000000000000000000000000000000000000000000000000000000"

#define GAP_REASONS(X)                                                                             \
    X(RING, "ring", "frames were not taken over from capture in time")                             \
    X(DAMAGE, "damage", "the source is damaged from this offset on")                               \
    X(HELD, "held", "a cited frame had to give way to newer ones (hold-bytes)")                    \
    X(STORAGE, "storage", "the storage refused a file")                                            \
    X(RUN, "run", "a process ended before the run was over")

/* Longest line of the log, eve.json and findings.jsonl, LF included. */
#define LINE_MAX_BYTES  ((uint32_t)1 << 21)
#define JSON_DEPTH_MAX  16
#define LOG_RECORDS_MAX ((uint64_t)1 << 40)
#define TEXT_MAX        512 /* origin, names, reasons; bytes */

/* === Merkle tree (RFC 9162 2.1, SHA-256) ========================================================
 * leaf = SHA-256(0x00 ‖ line without LF), node = SHA-256(0x01 ‖ left ‖ right), empty = SHA-256("").
 */
#define MERKLE_LEAF_PREFIX 0x00
#define MERKLE_NODE_PREFIX 0x01
#define HASH_BYTES         32
#define HASH_HEX           64

/* === Checkpoint (C2SP tlog-checkpoint, signed-note) =============================================
 *
 *   <origin>                 dnsbailiff/<sensor>/<time as in the bundle id>-<8 hex random>
 *   <size>                   records covered, decimal
 *   <b64 root>
 *   (blank line)
 *   — <origin> <b64(key id ‖ signature)>
 *
 * Five lines, each with LF, no extension lines, one signature. The first character of the last line
 * is U+2014 (e2 80 94). The key's name is the origin. key id: first 4 bytes of SHA-256(name ‖ 0x0a
 * ‖ 0x01 ‖ 32 bytes public key). signature: Ed25519 over the first three lines with their LFs.
 *
 * Epoch i starts after record `epoch` i-1 (epoch 0: with record 0) and ends with record `epoch` i,
 * or with the last record. Exactly one checkpoint per size; those of epoch i are signed with key i;
 * the greatest of a completed epoch covers exactly up to its `epoch` record. Key i is erased when
 * that checkpoint is durable. Key 0 is certified by key0.p7s, key i+1 by `epoch` i. */
#define CHECKPOINT_MAX    1024 /* bytes of a checkpoint file */
#define CHECKPOINT_DASH   "\xe2\x80\x94 "
#define CHECKPOINT_ORIGIN "dnsbailiff/"
#define CHECKPOINT_ALG    0x01
#define CHECKPOINT_KEY_ID 4
#define ED25519_KEY_BYTES 32
#define ED25519_SIG_BYTES 64
#define KEY0_B64_BYTES    45 /* 44 of base64, LF */

/* === Seal (CMS SignedData, RFC 5652; CAdES-BES, ETSI EN 319 122) ================================
 *
 * seal.p7s over tagmanifest-sha512.txt and key0.p7s over key0.b64 have one profile, in DER, which
 * is exactly what OpenSSL 3.0 writes with -binary -cades -nosmimecap -md sha512 -certfile ca.pem:
 *   ContentInfo id-signedData; SignedData version 1; digestAlgorithms { sha512, parameters absent
 * }; encapContentInfo { id-data }, eContent absent; certificates [0]: exactly the signer's and its
 * CA's, in DER SET OF order; no crls; one SignerInfo: version 1, issuerAndSerialNumber,
 * digestAlgorithm sha512 (absent), signedAttrs, DER SET OF order, exactly: contentType id-data,
 * signingTime, messageDigest, signingCertificateV2 (one ESSCertIDv2 of the signer: hash SHA-256 by
 * default, issuerSerial), signatureAlgorithm ecdsa-with-SHA512 (parameters absent), signature; no
 * unsignedAttrs. Certificates: X.509 v3, P-256 named curve, ecdsa-with-SHA256, every extension
 * critical or not as keygen writes it; the CA is self-signed. Decoding and encoding again gives the
 * same bytes. chain.pem: the same two certificates as PEM, 64 columns, signer first, then CA,
 * nothing else. */
#define SEAL_CERTIFICATES 2
#define SEAL_MAX          16384 /* bytes of a seal */
#define CHAIN_MAX         16384

/* Organisation (O) in the subject of an ephemeral identity's certificates. */
#define EPHEMERAL_ORGANISATION "dnsbailiff ephemeral identity"

/* === pcapng (segments and extract): EVIDENCE.md "pcapng profile" ================================
 *
 * Little-endian, one section: SHB, IDB of every interface known so far (others follow before their
 * first frame), EPBs, one ISB per IDB at the end in order of interface. Options in this order:
 *   SHB  comments "dnsbailiff-origin: <origin>", "dnsbailiff-segment: <name>",
 *        "dnsbailiff-prev: <hex SHA-256 of the previous segment, LOG_PREV_NONE for the first>",
 *        "dnsbailiff-nonce: <64 hex>"; hardware; os; application
 *   IDB  name, description, speed if known, tsresol 9, filter if any, comment
 * "dnsbailiff-interface: <index over the run>" EPB  flags if known, dropcount (of the interface
 * since its last EPB, if not 0), packetid ISB  starttime, endtime, ifrecv, ifdrop, filteraccept,
 * osdrop, usrdeliv: cumulative over the run ISB option names: ifrecv received, ifdrop dropped by
 * interface, osdrop by kernel; the ring's drops are the comment "dnsbailiff-ring-dropped: <n>". In
 * the extract the ISB counters are those of the run; it has the frames that findings cite, those of
 * their chain, all frames of a cited response, and the query that it answers. */
#define PCAPNG_SHB            0x0a0d0d0au
#define PCAPNG_IDB            1u
#define PCAPNG_ISB            5u
#define PCAPNG_EPB            6u
#define PCAPNG_MAGIC          0x1a2b3c4du
#define PCAPNG_COMMENT_ORIGIN "dnsbailiff-origin: "
#define PCAPNG_COMMENT_NAME   "dnsbailiff-segment: "
#define PCAPNG_COMMENT_PREV   "dnsbailiff-prev: "
#define PCAPNG_COMMENT_NONCE  "dnsbailiff-nonce: "
#define PCAPNG_COMMENT_IFACE  "dnsbailiff-interface: "
#define PCAPNG_COMMENT_RING   "dnsbailiff-ring-dropped: "
#define PCAPNG_NONCE_BYTES    32

/* === findings.jsonl, inventory.jsonl, eve.json, loss.jsonl ======================================
 *
 * findings.jsonl: the finding objects of analyze, one line each, in order of their log records.
 * inventory.jsonl: what analyze learned, one object a line, "record" saying which: zone (live,
 * again whenever something is new: the last one of a zone counts), at the end run, and received.
 * eve.json: the event objects of analyze; live, ,"segment":"<file name>","packet_id":N is appended
 * before the closing brace of an event whose frame is in a segment, and store adds an event of its
 * own when a segment is sealed, at its last packet's time:
 *   {"timestamp":"<time, six digits>","event_type":"custody","custody":{"action":"segment-sealed",
 *    "segment":"<file name>","record":<seq of the segment record>}}
 * loss.jsonl: one line per segment record and at the end of the run:
 *   {"time":"<time>","file":"capture/<name>"|null,"received":N,"dropped_kernel":N,
 *    "dropped_interface":N,"dropped_ring":N,"filtered":N,"bytes":N,"damaged":N}   cumulative */

/* === identity folder (keygen DIR), all files mode 0600 ==========================================
 */
#define IDENTITY_CA         "ca.pem"
#define IDENTITY_CA_KEY     "ca.key"
#define IDENTITY_SIGNER     "signer.pem"
#define IDENTITY_SIGNER_KEY "signer.key"

_Static_assert(sizeof(LOG_PREV_NONE) == HASH_HEX + 1, "prev of record 0 is a hash of zeros");
_Static_assert(HASH_HEX == 2 * HASH_BYTES, "hex is two digits a byte");
_Static_assert(KEY0_B64_BYTES == (ED25519_KEY_BYTES + 2) / 3 * 4 + 1, "base64 of the key and LF");
_Static_assert(sizeof(CHECKPOINT_DASH) == 5, "em dash in UTF-8 and a space");
_Static_assert(TAR_MEMBER_MAX == (UINT64_C(1) << 33) - 1, "eleven octal digits");

#endif
