"""Journals made by hand, octet for octet as queue/JOURNAL.md describes them."""

import json
import struct
import zlib

MAGIC = b"RPJRNL1\n"
HASH_BITS = 2**64 - 1
STATUSES = ("accepted", "rejected", "deferred", "unsent", "unknown", "invalid", "expired",
            "skipped")


def record(kind, payload):
    checked = bytes([kind]) + payload
    return struct.pack("<II", len(payload), zlib.crc32(checked)) + checked


def text(words):
    octets = words.encode()
    return struct.pack("<I", len(octets)) + octets


def header(*files, created_us=1_795_000_000_000_000, version=3):
    payload = struct.pack("<IqqB", version, created_us, created_us, 0)
    payload += struct.pack("<B", 1) if version >= 3 else b""
    payload += struct.pack("<I", len(files))
    for path, size, sample in files:
        payload += text(path) + struct.pack("<QQ", size, sample)
    return record(1, payload)


def run(number=1, outcomes="out.jsonl", outcomes_bytes=0, power=False):
    return record(2, struct.pack("<IqB", number, 1_795_000_001_000_000, power) + text("1.2.3") +
                  text(outcomes) + struct.pack("<Q", outcomes_bytes))


def intents(*ordinals, kind=3):
    return record(kind, struct.pack("<I", len(ordinals)) + b"".join(
        struct.pack("<QQII", ordinal, ordinal << 40 & HASH_BITS, 0, 1) for ordinal in ordinals))


def put_off(*ordinals):
    return intents(*ordinals, kind=8)


def line(ordinal, status):
    return json.dumps({"id": f"job-{ordinal}", "status": status}).encode() + b"\n"


def outcome(ordinal, status):
    return record(4, struct.pack("<QQIIB", ordinal, ordinal << 40 & HASH_BITS, 0, 1,
                                 STATUSES.index(status)) + line(ordinal, status))


def end(exit_code=0):
    return record(5, struct.pack("<qB", 1_795_000_002_000_000, exit_code))


def synced(offset):
    return record(6, struct.pack("<Q", offset))


def repair(offset, size, *doubtful_below):
    return record(7, struct.pack(f"<QQ{len(doubtful_below)}Q", offset, size, *doubtful_below))


# ---- What lines and files are known by -----------------------------------------------------------


def legacy_line_hash(octets):
    """Of versions 1 and 2: the upper 64 bits of codec/journal/legacy_line_hash.h."""
    factors = (0x9e3779b97f4a7c15, 0x6a09e667f3bcc909)

    def rotated(word, bits):
        return (word << bits | word >> (64 - bits)) & HASH_BITS

    def step(lane, word, row):
        lane = ((lane ^ word) * factors[row]) & HASH_BITS
        return lane ^ lane >> 32

    rows = [[1, 2, 3, 4], [5, 6, 7, 8]]
    padded = octets + bytes(32 - len(octets) % 32)
    for begin in range(0, len(padded), 32):
        for lane, word in enumerate(struct.unpack_from("<4Q", padded, begin)):
            rows[0][lane] = step(rows[0][lane], word, 0)
            rows[1][lane] = step(rows[1][lane], rotated(word, 32), 1)
    high, low = len(octets), ~len(octets) & HASH_BITS
    for first, second in zip(*rows):
        high = step(high, (first + rotated(low, 17)) & HASH_BITS, 0)
        low = step(low, (second + rotated(high, 41)) & HASH_BITS, 1)
    return step(high, low, 1)


def legacy_sample(octets):
    """Of a job file, as headers of versions 1 and 2 have it."""
    part = 64 << 10
    if len(octets) > 3 * part:
        middle = (len(octets) - part) // 2
        octets = octets[:part] + octets[middle:middle + part] + octets[-part:]
    return legacy_line_hash(octets)
