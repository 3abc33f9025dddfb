"""Journals made by hand, octet for octet as queue/JOURNAL.md describes them."""

import json
import struct
import zlib

MAGIC = b"RPJRNL1\n"
STATUSES = ("accepted", "rejected", "deferred", "unsent", "unknown", "invalid", "expired")


def record(kind, payload):
    checked = bytes([kind]) + payload
    return struct.pack("<II", len(payload), zlib.crc32(checked)) + checked


def text(words):
    octets = words.encode()
    return struct.pack("<I", len(octets)) + octets


def header(*files, created_us=1_795_000_000_000_000, version=3):
    payload = struct.pack("<IqqBI", version, created_us, created_us, 0, len(files))
    for path, size, sample in files:
        payload += text(path) + struct.pack("<QQ", size, sample)
    return record(1, payload)


def run(number=1, outcomes="out.jsonl", outcomes_bytes=0, power=False):
    return record(2, struct.pack("<IqB", number, 1_795_000_001_000_000, power) + text("1.2.3") +
                  text(outcomes) + struct.pack("<Q", outcomes_bytes))


def intents(*ordinals, kind=3):
    return record(kind, struct.pack("<I", len(ordinals)) + b"".join(
        struct.pack("<QQII", ordinal, ordinal << 40, 0, 1) for ordinal in ordinals))


def put_off(*ordinals):
    return intents(*ordinals, kind=8)


def line(ordinal, status):
    return json.dumps({"id": f"job-{ordinal}", "status": status}).encode() + b"\n"


def outcome(ordinal, status):
    return record(4, struct.pack("<QQIIB", ordinal, ordinal << 40, 0, 1, STATUSES.index(status)) +
                  line(ordinal, status))


def end(exit_code=0):
    return record(5, struct.pack("<qB", 1_795_000_002_000_000, exit_code))


def synced(offset):
    return record(6, struct.pack("<Q", offset))


def repair(offset, size, doubtful_below):
    return record(7, struct.pack("<QQQ", offset, size, doubtful_below))
