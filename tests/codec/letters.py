"""Jobs that make messages of every kind that headers and parts find hard: what compose_test reads.

The same ones for the same seed. `letters()` gives pairs of a kind, which names what is hard about
it, and a job.
"""

import base64
import random

# A name and a few words in each of the scripts that people write mail in.
SCRIPTS = {
    "latin": "Zoë Müller Straße Ærøskøbing",
    "vietnamese": "Nguyễn Thị Phương Hiền",
    "decomposed": "Zoe\u0308 Mu\u0308ller A\u030angstro\u0308m",
    "greek": "Γιώργος Παπαδόπουλος καλημέρα",
    "cyrillic": "Александра Пушкина Привет",
    "armenian": "Արամ Խաչատրյան բարեւ",
    "georgian": "გიორგი ბერიძე გამარჯობა",
    "hebrew": "יוסף כהן שָׁלוֹם",
    "arabic": "محمد الأحمد مرحبا",
    "persian": "کتاب‌خانه می‌رود سلام",
    "devanagari": "क्षेत्रीय हिन्दी नमस्ते",
    "bengali": "বাংলা ভাষা নমস্কার",
    "tamil": "தமிழ்நாடு வணக்கம் கொழும்பு",
    "telugu": "తెలుగు నమస్కారం హైదరాబాద్",
    "malayalam": "മലയാളം നമസ്കാരം",
    "sinhala": "ශ්‍රී ලංකා ආයුබෝවන්",
    "thai": "กรุงเทพมหานคร สวัสดี ผู้ใหญ่",
    "lao": "ສະບາຍດີ ວຽງຈັນ",
    "khmer": "ភ្នំពេញ សួស្តី",
    "burmese": "ရန်ကုန် မင်္ဂလာပါ",
    "tibetan": "བོད་ཡིག བཀྲ་ཤིས",
    "ethiopic": "ሰላም አዲስ አበባ",
    "chinese": "王小明 欢迎来到北京",
    "traditional": "陳大文 歡迎光臨臺灣",
    "japanese": "山田太郎 こんにちは カタカナ",
    "korean": "김철수 안녕하세요",
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af \u1112\u1161\u11ab",
    "mongolian": "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ",
    "cherokee": "ᏣᎳᎩ ᎣᏏᏲ",
    "emoji": "👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️",
    "mathematics": "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝒜𝓃𝓃",
}


def encoded(octets):
    return base64.b64encode(octets).decode()


def prefix(text, octets):
    """As much of it as fits into so many octets."""
    return text.encode()[:octets].decode(errors="ignore")


def job(**fields):
    return {"from": "news@example.com", "to": "ann@example.net", "subject": "Hello", **fields}


def script_letters(script, words):
    names = words.split()
    solid = "".join(names)
    yield "subject", job(subject=words, text=words + "\n", html=f"<p>{words}</p>\n")
    yield "subject", job(subject=solid * 6, text="\n".join([solid * 30] * 3))
    yield "subject", job(subject=f"x{solid * 6} and {words} (yy)", html=words * 40)
    yield "subject", job(subject=f"Re: {words}, ab{solid * 5}!", text="a " + words)
    yield "name", job(**{"from": {"email": "a@example.com", "name": words},
                         "to": [{"email": "b@example.com", "name": names[0]},
                                {"email": "c@example.com", "name": f"{names[0]}, Ann"}],
                         "cc": {"email": "d@example.com", "name": f"{names[0]} of {names[1]}"},
                         "reply_to": {"email": "e@example.com", "name": f"Ann {names[1]} (x)"}},
                      text="x")
    row = f"{words} Somebody And Others of {words} " * 9
    yield "name", job(**{"from": {"email": "a@example.com", "name": prefix(row, 400).strip()}},
                      text="x")
    yield "solid name", job(**{"from": {"email": "a@example.com", "name": prefix(solid * 40, 500)},
                               "to": {"email": "b@example.com", "name": f"x{solid * 3}"}}, text="x")
    parts = [{"filename": f"{words}.pdf", "content": encoded(words.encode())},
             {"filename": prefix(solid * 30, 250) + ".txt", "content": encoded(b"text\r\n")},
             {"filename": f"{names[0]}.png", "content": encoded(bytes(range(256))), "cid": "a@b"}]
    yield "file names", job(subject=script, text=words, html='<img src="cid:a@b">',
                            attachments=parts)
    yield "header", job(text="x", headers={"X-Note": f"about {words} {solid * 5}"})


SUBJECTS = ("", " ", "   ", "  leading", "trailing  ", "in  the   middle", " é ", "é  ", "é  x",
            "=?utf-8?q?literal?=", "a =?utf-8?b?w7w=?= b", "x=?utf-8?q?y?=z", "=?", "?=",
            "=?UTF-8?Q?broken", "é =?utf-8?q?x?=", "a" * 300, "word " * 60 + "end", "é" * 40,
            "x" + "日" * 40, "xy" + "日" * 40, "é日" * 30, "ab" + "é" * 3 + "日" * 30,
            "x" * 200 + " é", "é " + "x" * 200, "\"quoted\" <a@b>, (c) ; d", "100 % _ ? = \\",
            "a\u00a0b", "soft\u00adhyphen", "\ufffd", "e" + "\u0301" * 100, "Re: Fwd: [x] y",
            ("é " * 30).strip(), ("é x " * 30).strip(), "e" * 74 + "é", "ü" * 22 + " " + "ü" * 22)
NAMES = ("Ann", " Ann ", "Jörg ", " ", "Ann Lee", "Lee, Ann", "A. Lee", "Ann \"X\" Lee",
         "back\\slash", "O'Neil",
         "Ann (x)", "<a@b>", "a@b.c", "Ann: Lee; x", "Ann  Lee", "=?utf-8?q?literal?=",
         "=?utf-8?q?é?= x", "x =?=?", "Müller", "Jörg Müller", "Müller, Jörg", "Dr. Jörg Müller",
         "Jörg \"X\" Müller", "Jörg \\ x", "Jörg (x)", "Jörg <a@b>", "Ann " * 40 + "Lee",
         "M\u00fcller" + " Ann" * 40, "Ann " * 40 + "Müller", "é " * 60 + "x", "é x " * 60 + "é",
         "x" * 300, "x, " * 100 + "y", "\"" * 200, "é" * 100, "日" * 100, "x日" * 50,
         "Société Générale de Banque et des Assurances Élémentaires de Genève", "e\u0301" * 60)
FILE_NAMES = ("a.pdf", "a b.pdf", "a  b.pdf", " a .pdf ", "it's.pdf", "100%.pdf", "a%20b.pdf",
              "q\"uote.pdf", "back\\slash.pdf", "=?utf-8?q?a?=.pdf", "a;b,c(d)<e>@[f]:g.pdf",
              "a=b?.pdf", "UTF-8''a.pdf", "x" * 100 + ".pdf", "x" * 251 + ".pdf", "ü.pdf",
              "ü \"'%.pdf", "ü" * 125 + ".pdf", "日" * 83 + ".pdf", "👍" * 62 + ".pdf", "noending",
              ".hidden", "a.", "a*b.pdf", "a/b.pdf")
TEXTS = ("", "\n", "x", "x\n", "x\n\n\n", "line \nline\t\n \nend ", ".\n..\n.x\n",
         "From me\nFrom\n",
         "--=_x\n--\n-- \nsignature\n", "x" * 3000, "é" * 3000, "é" + "x" * 75 + " \n",
         "a=b =20 = \n=", "\ufeffBOM\n", "日本語\n" * 30, "é\u2028é\u0085é\n", "tab\tend\n",
         "\n\nx\n", "é \n \né\t\n")


def special_letters():
    for subject in SUBJECTS:
        yield "subject", job(subject=subject, text="x")
    yield "no subject", {"from": "a@example.com", "to": "b@example.com", "text": "x"}
    for name in NAMES:
        yield "name", job(to=[{"email": "a@example.com", "name": name},
                              {"email": "b@example.com", "name": ""},
                              {"email": "c@example.com", "name": name}], text="x")
    yield "blanks in a name", job(to={"email": "a@example.com", "name": "Jörg  Müller"}, text="x")
    yield "false name", job(text="x", attachments=[{"filename": "0", "content": encoded(b"x")}])
    for name in FILE_NAMES:
        part = {"filename": name, "content": encoded(name.encode())}
        yield "file name", job(text="x", attachments=[part, {**part, "content": encoded(b"")}])
    for text in TEXTS:
        yield "text", job(text=text)
        yield "text", job(text=text, html=f"<p>{text}</p>", attachments=[
            {"filename": "a.bin", "content": encoded(text.encode())}])
        yield "text", job(html=text)
    yield from part_letters()
    yield from list_letters()


def part_letters():
    image = {"filename": "i.png", "content": encoded(bytes(range(256)) * 9), "cid": "logo"}
    octets = {"content": encoded(random.Random(1).randbytes(5000))}
    for has_text in (True, False):
        for has_html in (True, False):
            for attachments in ([], [image], [octets], [image, octets, image, octets]):
                fields = {"attachments": attachments} if attachments else {}
                fields.update({"text": "text\n"} if has_text else {})
                fields.update({"html": '<img src="cid:logo">\n'} if has_html else {})
                if fields:
                    yield "parts", job(**fields)
    texts = [{"filename": f"a.{ending}", "content": encoded(f"{ending} é\r\n".encode())}
             for ending in ("txt", "html", "csv", "ics", "vcf", "json", "xml", "svg", "eml")]
    yield "text parts", job(text="body\n", html="<p>body</p>\n", attachments=texts)
    yield "text parts", job(text="body\n", attachments=texts)
    yield "text parts", job(html="<p>body</p>\n", attachments=[
        {**one, "cid": f"c{number}"} for number, one in enumerate(texts)])
    for inner in (b"Subject: inner\r\n\r\nbody\r\n",
                  "Subject: inner\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\nböse\r\n".encode()):
        message = {"content_type": "message/rfc822", "content": encoded(inner)}
        yield "message", job(text="outer\n", attachments=[message])
        yield "message", job(text="outer\n", html="<p>outer</p>\n",
                             attachments=[octets, {**message, "filename": "größe.eml"}, octets])


def list_letters():
    many = [{"email": f"u{number}@example.com", "name": ("", "Ann Lee", "Müller, Jörg")[number % 3]}
            for number in range(60)]
    yield "lists", job(to=many, cc=many[:7], reply_to=many[:2], text="x")
    yield "lists", job(to=[f"{'l' * 60}@{'d' * 60}.{'e' * 60}.example"] * 3, text="x")
    yield "lists", job(to=["\"a b\"@example.com", "ann@exämple.org", "a@[192.0.2.1]"], text="x")
    hidden = job(bcc="secret@example.com", text="x")
    del hidden["to"]
    yield "undisclosed", hidden
    url = "<https://example.com/" + "u" * 200 + ">"
    yield "header", job(text="x", headers={
        "List-Unsubscribe": f"{url}, <mailto:x@example.com>, {url}",
        "References": " ".join(f"<{'r' * 70}{number}@example.com>" for number in range(12)),
        "Message-ID": f"<{'m' * 150}@example.com>", "X-Note": "ASCII " * 40 + "end"})
    yield "header", job(text="x", headers={"List-Unsubscribe": url, "X-Note": "a"})
    for note in ("=?utf-8?q?this?=", "see =?utf-8?b?w6Q=?= and =?x", "=?utf-8?q?a b?=",
                 "a=?b?q?c?=", "=?utf-8?q?one?= =?utf-8?q?two?=", "https://example.com/?a=?b"):
        yield "header", job(text="x", headers={"X-Note": note})


WORDS = ("abc", "Hello", "wörld", "Grüße", "Привет", "日本語", "😀", "--=_foo", "a,b", "q\"",
         "\\", "(c)", "<t", ".", ";", "x" * 30, "é" * 20, "y" * 70, "it's", "100%")


class JobMaker:
    """Random jobs, always the same ones for a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def words(self, count_max):
        count = self.random.randint(1, count_max)
        return " ".join(self.random.choice(WORDS) for _ in range(count))

    def line(self):
        kind = self.random.randrange(10)
        special = {0: "", 1: "." + self.words(3), 2: self.words(4) + " ", 3: "From me",
                   4: "x" * self.random.randint(990, 3000)}
        return special.get(kind) if kind in special else self.words(20)

    def text(self):
        newline = self.random.choice(("\n", "\r\n"))
        lines = [self.line() for _ in range(self.random.randint(0, 12))]
        return newline.join(lines) + self.random.choice(("", newline))

    def address(self):
        local = self.random.choice(("a", "b.c", "x+y", "'o'"))
        domain = self.random.choice(("example.com", "mail.example.org"))
        return {"email": f"{local}@{domain}", "name": self.random.choice(("", self.words(6)))}

    def attachment(self, number):
        size = self.random.choice((0, 1, 2, 57, 58, 500))
        names = ("a.pdf", "ü.png", self.words(8), "x" * 100 + ".txt")
        part = {"content": base64.b64encode(self.random.randbytes(size)).decode(),
                "filename": self.random.choice(names)}
        if self.chance(0.4):
            part["cid"] = f"c{number}@x"
        if self.chance(0.4):
            part["content_type"] = self.random.choice(
                ("text/csv; charset=utf-8", "image/x-foo", 'application/x; a="b;c"; d=e'))
        return part

    def job(self):
        job = {"from": self.address(), "subject": self.words(self.random.choice((1, 5, 40))),
               "to": [self.address() for _ in range(self.random.randint(1, 6))]}
        if self.chance(0.3):
            job["cc"] = [self.address()]
        if self.chance(0.3):
            job["reply_to"] = self.address()
        if self.chance(0.7):
            job["text"] = self.text()
        if self.chance(0.7) or "text" not in job:
            job["html"] = self.text()
        if self.chance(0.5):
            count = self.random.randint(1, 4)
            job["attachments"] = [self.attachment(number) for number in range(count)]
        if self.chance(0.4):
            long_address = "<https://example.com/" + "u" * 300 + ">, <mailto:x@y>"
            job["headers"] = {"X-Note": self.words(30),
                              "List-Unsubscribe": long_address}
        return job


# Everything that some syntax has a meaning for, and characters of one to many octets.
PIECES = (*"abcXYZ019 ,.;:<>()[]@\"'\\/?=_-+*&%$#!|{}~^`", "é", "ü", "日", "本", "👍", "e\u0301",
          "क्षि", "ก็", "=?", "?=", "  ", "   ", "Ω", "\u200d", "\u00a0", "ß", "한", "ъ")


class Scribbler:
    """Random characters in every place that takes any."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def scribble(self, *count_max):
        count = self.random.randint(1, self.random.choice(count_max))
        return "".join(self.random.choice(PIECES) for _ in range(count))

    def name(self, *count_max):
        """Without rows of blanks: Python makes one of them."""
        return " ".join(self.scribble(*count_max).split())

    def file_name(self):
        """At most 255 octets, no blanks at the ends, which Python drops, and true in Perl."""
        name = prefix(self.scribble(8, 40, 80), 255).strip()
        return name if name not in ("", "0") else "0.txt"

    def job(self):
        made = job(**{"from": {"email": "a@example.com", "name": self.name(6, 30, 100)}},
                   to=[{"email": f"b{number}@example.com", "name": self.name(5, 40)}
                       for number in range(self.random.randint(1, 4))],
                   subject=self.scribble(8, 40, 200), text=self.scribble(200) + "\n",
                   html=f"<p>{self.scribble(200)}")
        if self.random.random() < 0.6:
            made["attachments"] = [
                {"filename": self.file_name(), "content": "QUJD", "content_type": "application/x"}
                for _ in range(self.random.randint(1, 3))]
        return made


def letters(seed):
    for script, words in SCRIPTS.items():
        yield from script_letters(script, words)
    yield from special_letters()
    maker = JobMaker(seed)
    scribbler = Scribbler(seed)
    for _ in range(120):
        yield "random", maker.job()
        yield "scribble", scribbler.job()
