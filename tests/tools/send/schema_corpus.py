"""Job lines for schema_test.py: good ones, bad ones, and those that a schema cannot tell apart.

A case is a line and, where it was written for one, the kind of deviation it belongs to: the schema
takes it and the reader refuses it, since a schema sees the value of a line and neither its
spelling, nor octets, nor files, nor what a text means. There is no deviation the other way but one
of JavaScript's numbers.
"""

import base64
import json
import zlib
from random import Random

# What the schema takes and the reader refuses: why, and the reader's words for it.
DEVIATIONS = {
    "twice": ("of two members of one name a parser keeps one, and that names of headers are the "
              "same in any case is no pattern", r": is given twice"),
    "spelling": ("1.0 and 1e9 are whole numbers once they are read",
                 r"^(id: must be a string or a whole number: this number can be written|"
                 r"expires_at: must be a date like)"),
    "calendar": ("a pattern knows no months and no time zones",
                 r"^expires_at: must be a date like"),
    "octets": ("a schema counts characters",
               r"(is|part before the '@' is|name is|address is|domain is|with its name, is) longer "
               r"than \d+ octets|has more than \d+ octets|a line of more than 998 octets"),
    "sums": ("a schema bounds each list and not all together",
             r"^(more than \d+ recipients in one job|headers\..*there are more than \d+ fields)"),
    "addresses": ("IDNA, IP addresses, labels and what nobody can see are no pattern",
                  r"stands in the address, where nobody sees it|internationalised name|no IPv4 "
                  r"address|a part of the domain is empty, longer than 63|the domain has a "
                  r"character"),
    "base64": ("a pattern knows its characters and not its groups", r"is not base64 at character"),
    "messages": ("what stands in base64 is another text, and has rules of its own",
                 r"^(raw_base64|attachments\[\d+\]): (the message is empty|line 1 |is no message|"
                 r"a NUL octet|a CR without|some lines end|has a line that)"),
    "files": ("a schema opens none", r"^(text_file|html_file|raw_file|attachments\[\d+\]\.path): "
                                     r".*: (no such file|No such file or directory)$"),
    "folding": ("how long a word is beside a name is arithmetic",
                r"^(headers\.\S+|subject): has a word"),
    "order": ("a schema sees neither the order of members nor other lines",
              r"^(define: (must be the first member|is one too many)|"
              r"template: (no line above|is missing))"),
    "rendering": ("what the tags of a text become is known once values are in their places",
                  r"line \d+, column \d+|has no value, and the template no default"),
    "depth": ("a schema follows a value however deep it is", r"nested deeper than"),
}

# The reader takes it: a number of so many digits is none in JavaScript.
TOO_LARGE_FOR_JAVASCRIPT = ('{"id":1' + "0" * 400 +
                            ',"from":"a@example.com","to":"b@example.com","text":"x"}')

LETTER = {"from": "a@example.com", "to": "b@example.com", "text": "x"}
RAW = {"from": "a@example.com", "to": "b@example.com", "raw": "Subject: x\r\n\r\nx\r\n"}

FIELDS = ("id", "from", "reply_to", "to", "cc", "bcc", "subject", "text", "html", "text_file",
          "html_file", "headers", "attachments", "raw", "raw_base64", "raw_file", "envelope",
          "tags", "metadata", "endpoint", "expires_at", "idempotency_key", "template", "merge",
          "recipients", "define", "partials", "unsubscribe", "list_id")
VALUES = (None, True, 0, 1, -1, 1.5, 4102444800, 10 ** 19, "", " ", "x", "eA==", "a@b.example",
          "ä", "a\0b", "a\nb", "a\tb", "a\x7fb", [], ["x"], ["a@b.example"], [None], [1], [[]],
          [{}], [["a@b.example"]], {}, {"email": "a@b.example"}, {"X-A": "b"}, {"X-A": ["b", "c"]},
          {"X-A": 1}, {"to": "a@b.example"})


def line_of(job):
    return json.dumps(job, ensure_ascii=False)


def letter(**fields):
    return line_of({**LETTER, **fields})


def raw(**fields):
    return line_of({**RAW, **fields})


def without(job, *names, **fields):
    return line_of({**{name: job[name] for name in job if name not in names}, **fields})


def each_type():
    """Each field, and each member of the objects in a job, with a value of each type."""
    for value in VALUES:
        for field in FIELDS:
            yield letter(**{field: value})
            yield raw(**{field: value})
        for field in ("text", "html", "text_file", "html_file", "raw", "raw_base64", "raw_file"):
            yield without(LETTER, "text", **{field: value})
        for member in ("from", "to", "dsn"):
            yield raw(envelope={member: value})
        for member in ("notify", "ret", "envid"):
            yield raw(envelope={"dsn": {member: value}})
        for member in ("filename", "content", "path", "content_type", "cid"):
            part = {"content": "eA==", member: value}
            yield letter(attachments=[part if member != "path" else {"path": value}])
        for member in ("email", "name"):
            yield letter(cc={"email": "c@example.com", member: value})
        for header in ("X-A", "Subject", "Date", "Message-ID", "Comments", "Bcc"):
            yield letter(headers={header: value})
        yield letter(headers={"X-A": [value]})
        yield line_of(value)


def addresses():
    good = ("a@b", "a@b.example", "<a@b.example>", "Ann <a@b.example>", " a@b.example ",
            '"Ann, B." <a@b.example>', '"a b"@c.example', '"a\\"b"@c.example',
            "Dr. Ann <a@b.example>",
            "Änn Ö <ä@exämple.de>", "a@exämple.de", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]",
            "a+b=c/d{e}@f.example", "<a@b.example >", '"a@b" <a@b.example>',
            "a" * 64 + "@b.example",
            "a@例え.jp", "<a@b.example>", '""@b.example', '"Ann" B <a@b.example>')
    bad = ("", " ", "a", "@", "a@", "@b", "a@b@c", "a b@c.example", "a@b c", "a@b..c", "a@-b",
           "a@b-",
           "a@b.", ".a@b", "a.@b", "a..b@c", "a@b_c", "Ann <a@b.example", "Ann a@b.example>",
           "Ann <a@b.example> x", "a@b,c@d", "a@b;c@d", "a@b (c)", "<@d:a@b>", "<>", "< >",
           "Ann, B. <a@b.example>", "Ann <>", "a@b\r\nBcc: c@d", "a\0@b", '"a@b', "a@[b", "a@b]",
           "mailto:a@b.example", "Ann@Home <a@b.example>", "a\x7f@b", "a\x85@b", "a@b/c", "a@b:25")
    beyond = ("a@[300.1.1.1]", "a@[IPv6:1]", "a​@b.example", "a b@c.example", "a@xn--ü.example",
              "a@" + "b" * 64, "a@" + "b" * 64 + ".example", "a" * 65 + "@b.example",
              "a@" + ".".join(["b" * 60] * 5), "a@ü..example", "a@ü_b.example",
    "N" * 600 + " <a@b>")
    for text in good + bad:
        yield letter(to=text)
        yield letter(to=["c@d.example", text])
        yield letter(**{"from": text})
        yield letter(reply_to={"email": text})
        yield raw(envelope={"from": text, "to": [text]})
    for text in beyond:
        for job in (letter(cc=text), letter(cc=[{"email": text}])):
            yield job
    for name in ("", "Ann", "Ann, B.", '"', "ä" * 256, "a\nb", "a\x9fb", "n" * 512, "n" * 513):
        yield letter(bcc={"email": "a@b.example", "name": name})


def random_addresses(seed):
    """Text of what addresses are made of: nothing that the reader takes may the schema refuse."""
    random = Random(seed)
    pieces = ("a", "b", "1", "-", "_", ".", "@", "@", "<", ">", '"', "\\", " ", ",", ":", "[", "]",
              "(", ")", "ä", "。", "\u00ad", "\u200d", "［", "］", "ß", "Ann ", "@b.example",
              "[192.0.2.1]", "IPv6:", "\u3000", "\t", "xn--")
    for _ in range(1500):
        text = "".join(random.choice(pieces) for _ in range(random.randint(1, 7)))
        yield letter(cc=text)
        text = "".join(random.choice(pieces) for _ in range(random.randint(0, 3)))
        yield letter(cc={"email": f"a{text}@b{text[::-1]}.example"})


def bounds():
    for length in (1, 512, 513):
        yield raw(id="i" * length)
        yield '{"id":' + "1" * min(length, 300) + "," + raw()[1:]
    for number in ("-0", "-17", "17", "007", "1.0", "1e3", "9007199254740993", "+1"):
        if number not in ("007", "+1"):
            yield '{"id":' + number + "," + raw()[1:]
    for length in (0, 1, 255, 256, 257):
        yield raw(endpoint="e" * length)
        yield raw(idempotency_key="k" * length)
        yield letter(attachments=[{"content": "", "filename": "f" * length}])
        yield letter(attachments=[{"content": "", "cid": "c" * length}])
        yield letter(attachments=[{"content": "", "content_type": "a/" + "b" * length}])
        yield letter(headers={"X-A": ["b"] * length})
        yield letter(headers={f"X-{index}": "b" for index in range(length)})
        yield letter(attachments=[{"content": "eA=="}] * length)
    for length in (74, 75, 76):
        yield letter(headers={"X" * length: "a"})
    for envid in ("", "a", "a b", "a\tb", "ä", "e" * 100, "e" * 101):
        yield raw(envelope={"dsn": {"envid": envid}})
    for length in (997, 998, 999):
        yield raw(raw="A: b\r\n\r\n" + "x" * length + "\r\n" + "x" * length)
        yield raw(raw="A: b\n\n" + "x" * length + "\n")
        yield letter(text="x" * length)
        yield letter(subject="x" * length)
        yield letter(subject="ä" * length)
    yield raw(tags=["t" * 100] * 100)
    yield raw(metadata={"m": "n" * 16000})
    for depth in (10, 30):
        yield raw(metadata=json.loads("[" * depth + "]" * depth))


def moments():
    for text in ("2026-11-20T21:22:23Z", "2026-11-20t21:22:23z", "2026-11-20T21:22:23.5+01:00",
                 "2026-11-20 21:22:23Z", "2026-11-20T21:22:23", "2026-11-20", "tomorrow", "",
                 "2026-13-20T21:22:23Z", "2026-00-20T21:22:23Z", "2026-11-32T21:22:23Z",
                 "2026-11-20T24:00:00Z", "2026-11-20T21:60:00Z", "2026-11-20T21:22:60Z",
                 "2026-11-20T21:22:61Z", "2026-11-20T21:22:23.Z", "2026-11-20T21:22:23+24:00",
                 "1969-12-31T23:59:59Z", "1969-12-31T23:59:59-01:00", "1970-01-01T00:00:00Z",
                 "1970-01-01T00:00:01Z", "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z",
                 "2024-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-11-20T21:22:23Z ", "１970"):
        yield raw(expires_at=text)
    for number in (0, -1, 1, 1.5, 253402300799, 253402300800, 2 ** 63, 2 ** 64):
        yield raw(expires_at=number)


def combinations():
    """Which fields may stand beside each other, and which must be there."""
    content = {"text": "x", "html": "<p>x", "text_file": "letter.txt", "html_file": "letter.txt",
               "raw": RAW["raw"], "raw_base64": "QTogYg0KDQp4", "raw_file": "letter.eml",
               "attachments": [{"content": "eA=="}], "subject": "x", "headers": {"X-A": "b"},
               "reply_to": "r@example.com", "cc": "c@example.com", "bcc": "d@example.com"}
    for one in content:
        for other in content:
            yield without(LETTER, "text", **{one: content[one], other: content[other]})
    for empty in ("to", "cc", "bcc", "from", "reply_to", "attachments"):
        yield letter(**{empty: []})
        yield letter(**{empty: [], "envelope": {"to": ["e@example.com"]}})
        yield letter(**{empty: [], "envelope": {"from": "e@example.com"}})
        yield raw(**{empty: [], "envelope": {"from": "", "to": "e@example.com"}})
    for missing in ("from", "to", "text"):
        yield without(LETTER, missing)
        yield without(LETTER, missing, cc=["c@example.com"])
        yield without(LETTER, missing, bcc="c@example.com")
        yield without(LETTER, missing, attachments=[])
        yield without(LETTER, missing, headers={"From": "a@example.com", "to": "c@example.com"})
        yield without(LETTER, missing, headers={"fROM": []}, envelope={"from": "a@example.com"})
        yield without(LETTER, missing, headers={"fROM": "a@b.example"},
                      envelope={"from": "a@example.com"})
        yield without(RAW, missing, envelope={"from": "a@example.com", "to": "c@example.com"})
        yield without(RAW, missing, envelope={})
    for header, field, value in (("From", "from", "c@example.com"), ("to", "to", "c@example.com"),
                                 ("CC", "cc", "c@example.com"), ("Subject", "subject", ""),
                                 ("reply-to", "reply_to", "c@example.com")):
        for given in (value, [value], []):
            yield letter(**{"headers": {header: given}, field: value})
            if field != "subject":
                yield letter(**{"headers": {header: given}, field: [],
                                "envelope": {"from": "e@example.com", "to": "e@example.com"}})
    yield letter(**{"from": ["a@example.com", "c@example.com"]})
    yield letter(envelope={"to": []})
    yield letter(envelope={"from": "< >"})
    yield letter(envelope={"from": "<>", "to": "c@example.com"})
    yield letter(envelope={"from": {"email": "c@example.com", "name": "C"}, "dsn": {}})
    yield letter(envelope={"from": "v" * 100 + "@example.com"})
    for unknown in ("subjct", "To", "", "ä", "text ", "attachment", "message", "__proto__"):
        yield letter(**{unknown: "x"})
        yield letter(envelope={unknown: "x"})
        yield letter(envelope={"dsn": {unknown: "x"}})
        yield letter(cc={"email": "c@example.com", unknown: "x"})
        yield letter(attachments=[{"content": "eA==", unknown: "x"}])


def words():
    for notify in ("NEVER", "never", "SUCCESS,FAILURE,DELAY", "Delay,success", "NEVER,DELAY",
                   "DELAY,DELAY", "SUCCESS, DELAY", "SUCCESS,", ",", "x", ["NEVER"], ["success"],
                   ["SUCCESS", "DELAY"], ["SUCCESS,FAILURE", "DELAY"], ["NEVER", "DELAY"],
                   ["DELAY", "delay"], ["SUCCESS,DELAY", "delay"], ["NEVER", "NEVER"], [""],
                   ["", "SUCCESS"], ["SUCCESS", ""]):
        yield raw(envelope={"dsn": {"notify": notify}})
    for ret in ("FULL", "full", "Hdrs", "HEADERS", "FULL "):
        yield raw(envelope={"dsn": {"ret": ret}})
    for kind in ("text/plain", "text/plain; charset=utf-8", 'a/b; c="d e"', "a/b ;c=d ", "a/b;",
                 "a/b; c", "a", "a/", "/b", "a/b/c", "a b/c", "a/b; c = d", 'a/b; c="d', "a/ä",
                 "multipart/mixed", "Message/Partial", "message/partial; id=a",
                 "message/external-body",
                 "message/partially", 'a/b; c="d\\"e"; f=g', "a/b\r\nX: y", "a/b\t"):
        yield letter(attachments=[{"content": "", "content_type": kind}])
    for cid in ("a", "a@b", "<a>", "a b", "a,b", "a;b", 'a"b', "a\\b", "ä", "a:b", "a[b]", "a(b)"):
        yield letter(attachments=[{"content": "", "cid": cid}])
    for name in ("a.txt", "ä.txt", "a\tb", "a\nb", "a/b", " ", "a\0b"):
        yield letter(attachments=[{"content": "", "filename": name}])
    yield letter(attachments=[{}])
    yield letter(attachments=[{"content": "eA==", "path": "letter.txt"}])
    yield letter(attachments=[{"path": "letter.txt"}])
    for text in ("", "a\nb", "a\r\nb", "a\rb", "a\r\nb\n", "\n", "\r", "\r\n\n", "a\r\r\nb", "a\0b",
                 "\ufeffa", " " * 2000):
        yield letter(text=text)
        yield letter(html=text)
        yield raw(raw="A: b\r\n\r\n" + text)
        yield raw(raw=text)
    for begin in ("A: b", "A : b", "A\t: b", ": b", "From a@b", "A b", " A: b", "Ä: b", "-A: b",
                  "1: b", "A b: c", "{", "A:"):
        yield raw(raw=begin + "\r\n\r\nx")


def header_fields():
    for name in ("X-A", "x-a", "", "X A", "X:A", "Ä", "X\tA", "X\n", "Content-Type", "content-TYPE",
                 "Bcc", "MIME-Version", "Content-Transfer-Encoding", "Resent-Bcc", "Received"):
        yield letter(headers={name: "a"})
    for value in ("", "a", " a", "a ", "\ta", "a\tb", "a\r\nb", "ä", "a\0", "\x7f", "<a@b>",
                  "<a b>"):
        for name in ("X-A", "Subject", "Comments", "Message-ID", "In-Reply-To", "List-Unsubscribe",
                     "list-id"):
            yield letter(headers={name: value})
            yield letter(headers={name: [value]})
    for name in ("Date", "sender", "Subject", "X-A", "Comments", "References"):
        yield letter(headers={name: []})
        yield letter(headers={name: ["a", "b"]})


NEWS = {"from": "News <a@example.com>", "subject": "Hello {{name}}", "text": "Hi {{name}}, {{x}}",
        "recipients": [{"email": "b@example.com", "name": "B", "merge": {"x": 1}}]}


def news(**fields):
    return line_of({**NEWS, **fields})


def definition(**fields):
    """Of a name of its own, so that none is defined twice."""
    body = json.dumps(fields, ensure_ascii=False)
    return line_of({"define": f"d-{zlib.crc32(body.encode())}", "from": "a@example.com",
                    "text": "Hi {{x}}", **fields})


def templates():
    """Lines that are filled in, and those that define what others are filled in with."""
    yield news()
    for value in VALUES:
        for field in FIELDS:
            if field not in ("define", "template"):
                yield news(**{field: value})
                yield definition(**{field: value})
        for member in ("email", "name", "id", "merge", "metadata", "headers", "subject"):
            yield news(recipients=[{"email": "b@example.com", "name": "B", "merge": {"x": 1},
                                    member: value}])
        yield definition(partials={"p": value})
        yield definition(envelope={"from": value})
        yield definition(envelope={"dsn": value})
        yield definition(envelope={"to": value})
        yield letter(merge=value)
    for missing in ("from", "subject", "text", "recipients"):
        yield without(NEWS, missing)
        yield without(NEWS, missing, to="c@example.com", merge={"x": 1, "name": "C"})
        yield without(NEWS, missing, envelope={"from": "c@example.com"})
        yield without(NEWS, missing, envelope={"to": "c@example.com"})
    for url in ("https://a.example/{{x}}", "http://a.example", "mailto:a@b", "ftp://a.example",
                "{{x}}"):
        yield news(unsubscribe=url)
        yield definition(unsubscribe=url)
        yield letter(unsubscribe=url)
    for header in ("From", "reply-to", "Subject", "List-ID", "List-Unsubscribe", "X-A",
                   "Message-ID", "Date", "Content-Type", "X A"):
        for value in ("{{x}}", " {{x}}", "<a@b>", "ä", "\u00e4{{x}}", [], ["a", "b"]):
            yield definition(headers={header: value}, subject="x", list_id="a.example",
                             reply_to="c@example.com", unsubscribe="https://a.example")
            yield definition(headers={header: value})
            yield news(recipients=[{"email": "b@example.com", "name": "B", "merge": {"x": 1},
                                    "headers": {header: value}}])


def deviating():
    """Of each kind, lines that were written for it."""
    yield "twice", '{"id":"1",' + raw(id="2")[1:]
    yield "twice", letter(headers={"X-A": "a", "x-a": "b"})
    yield "twice", '{"envelope":{"to":"a@b.example","to":"a@b.example"},' + raw()[1:]
    yield "spelling", '{"id":1.0,' + raw()[1:]
    yield "spelling", '{"id":1e3,' + raw()[1:]
    yield "spelling", '{"expires_at":4102444800.0,' + raw()[1:]
    yield "calendar", raw(expires_at="2026-02-30T00:00:00Z")
    yield "calendar", raw(expires_at="2025-02-29T00:00:00Z")
    yield "calendar", raw(expires_at="1970-01-01T00:00:00+01:00")
    yield "octets", raw(id="ä" * 300)
    yield "octets", letter(attachments=[{"content": "", "filename": "ä" * 200}])
    yield "octets", letter(cc="a" * 65 + "@b.example")
    yield "octets", raw(tags="t" * 20000)
    yield "octets", raw(metadata=["m" * 20000])
    yield "octets", raw(raw="A: b\r\n\r\n" + "ä" * 600)
    yield "sums", letter(headers={"X-A": ["a"] * 200, "X-B": ["b"] * 200})
    yield "sums", letter(to=[f"a{n}@b.example" for n in range(60000)],
                         cc=[f"c{n}@b.example" for n in range(60000)])
    yield "addresses", letter(cc="a\u200b@b.example")
    yield "addresses", letter(cc="a@[300.1.1.1]")
    yield "addresses", letter(cc="a@" + "b" * 64 + ".example")
    yield "base64", letter(attachments=[{"content": "eA"}])
    yield "base64", letter(attachments=[{"content": "eB=="}])
    yield "base64", without(RAW, "raw", raw_base64="x")
    yield "messages", without(RAW, "raw", raw_base64="eA==")
    yield "messages", letter(attachments=[{"content": "eA==", "content_type": "message/rfc822"}])
    yield "messages", without(RAW, "raw",
                              raw_base64=base64.b64encode(b"A: b\r\n\r\na\rb").decode())
    yield "files", without(RAW, "raw", raw_file="missing.eml")
    yield "files", without(LETTER, "text", text_file="missing.txt")
    yield "files", letter(attachments=[{"path": "missing.pdf"}])
    yield "order", line_of({**LETTER, "define": "late"}).replace('"to": "b@example.com", ', "")
    yield "order", line_of({"template": "unknown", "to": "b@example.com"})
    yield "rendering", definition(text="{{#open}}")
    yield "rendering", definition(html="{{")
    yield "folding", letter(headers={"X-A": "x" * 1000})
    yield "depth", raw(metadata=json.loads("[" * 40 + "]" * 40))


def lines(seed):
    """Of everything, without what stands there twice: pairs of a kind of deviation and a line."""
    seen = {}
    for kind, line in deviating():
        seen[line] = kind
    for make in (each_type, addresses, bounds, moments, combinations, words, header_fields,
                 templates):
        for line in make():
            seen.setdefault(line, "")
    for line in random_addresses(seed):
        seen.setdefault(line, "")
    return [(kind, line) for line, kind in seen.items()]


# ---- Templates ----------------------------------------------------------------------------------

# The same of a template's file. Its texts are not known before somebody's values are in them.
TEMPLATE_DEVIATIONS = {
    "twice": "is given twice|twice in",
    "octets": r"longer than \d+ octets",
    "addresses": DEVIATIONS["addresses"][1],
    "base64": "is no base64",
    "files": "[Nn]o such file",
    "rendering": r"line \d+, column \d+",
    "attachments": r"^attachments\[\d+\]\.(content_type|filename|cid): ",
}
TEMPLATE = {"from": "a@example.com", "text": "x"}
TEMPLATE_FIELDS = ("from", "reply_to", "to", "subject", "text", "html", "text_file", "html_file",
                   "headers", "attachments", "partials", "merge", "envelope", "unsubscribe",
                   "list_id", "surplus")
TEMPLATE_VALUES = (*VALUES, "{{x}}", "{{x", "Ann {{x}} <{{y}}@b.example>", "Ann <a@b.example>",
                   "https://example.com/{{id}}", "http://x", "mailto:a@b.example", "ftp://x",
                   "a\rb", "a\r\nb\nc", "letter.txt", {"from": "<>"},
                   {"from": "b+{{id}}@c.example"}, {"from": 1}, {"from": "x"}, {"to": "x"},
                   {"x": {"y": ["z"]}})
TEMPLATE_HEADERS = ("X-A", "Precedence", "Auto-Submitted", "From", "To", "Reply-To", "Subject",
                    "List-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "Date", "Message-ID",
                    "Bcc", "MIME-Version", "Content-Type", "Received", "a b", "", "X" * 90)
TEMPLATE_ATTACHMENTS = (
    {"content": "eA=="}, {"content": "e"}, {"content": "!"}, {"path": "letter.txt"},
    {"path": "nowhere"}, {"content": "eA==", "path": "letter.txt"}, {"filename": "x"},
    {"content": "eA==", "filename": "ä.pdf", "content_type": "image/png", "cid": "a@b"},
    {"content": "eA==", "filename": "a\nb"}, {"content": "eA==", "content_type": "x"},
    {"content": "eA==", "cid": "a b"}, {"content": "eA==", "filename": ""},
    {"content": "eA==", "surplus": "x"}, {"content": 1}, "x")


def templates():
    """Files of templates, good ones and bad ones, with one line each."""
    made = [{}, {"text": "x"}, {"from": "a@example.com"}, TEMPLATE,
            {**TEMPLATE, "from": "a" * 300 + "@example.com"},
            {**TEMPLATE, "from": "a@-b.example"}, {**TEMPLATE, "from": "a@[300.1.1.1]"},
            {**TEMPLATE, "text": "{{#x}}"},
            {"headers": {"From": "a@example.com"}, "text": "x"},
            {"headers": {"From": "a@example.com"}, "text": "x", "envelope": {"from": "<>"}}]
    for field in TEMPLATE_FIELDS:
        made += [{**TEMPLATE, field: value} for value in TEMPLATE_VALUES]
        made += [{name: TEMPLATE[name] for name in TEMPLATE if name != field}]
    for name in TEMPLATE_HEADERS:
        for value in ("x", "{{x}}", ["x", "y"], [], 1, "a\tb", " x"):
            made.append({**TEMPLATE, "subject": "s", "list_id": "a.example",
                         "headers": {name: value}, "unsubscribe": "https://example.com/"})
            made.append({**TEMPLATE, "headers": {name: value}})
    made += [{**TEMPLATE, "attachments": [value]} for value in TEMPLATE_ATTACHMENTS]
    made += [{"from": "a@example.com", "attachments": [value]} for value in TEMPLATE_ATTACHMENTS]
    return [*map(line_of, made), '{"from":"a@example.com","text":"x","text":"y"}']
