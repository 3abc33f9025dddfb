#!/usr/bin/env python3
"""Checks the rules of CONTRIBUTING.md that a program can check. Runs as a test.

    tidy.py [ROOT]

Prints one line for each breach, path:line: what is wrong and what to do instead, and exits with 1
if there was any. It reads text, not C++: what it sees of functions and calls is good enough to keep
honest people from slipping, and no more.
"""

import ast
import re
import sys
from pathlib import Path

COLUMNS_MAX = 100
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70
CMAKE_ROOT_LINES_MAX = 150
CMAKE_FOLDER_LINES_MAX = 40

# Functions that were longer than the limit when it was drawn: "path: name" and a length they may
# shrink from but never grow beyond. Nothing may be added.
LONG_FUNCTIONS = {}

# Which folder may include which. The first entry that is a prefix of a file's path is its layer;
# tests and benchmarks may include everything and are not listed.
ENGINE = ("codec", "tls", "queue", "engine/protocol", "engine/io", "engine")
LIBRARIES = ENGINE + ("engine/run", "engine/server")
LAYERS = {
    "codec": ("codec",),
    "tls": ("tls", "codec"),
    "queue": ("queue", "codec"),
    "engine/protocol": ("engine/protocol", "codec"),
    "engine/io": ("engine/io", "codec"),
    "engine/run": ("engine/run", "engine", "queue", "codec"),
    "engine/server": ("engine/server", "codec"),
    "engine": ENGINE,
    "tools": LIBRARIES + ("tools",),
    # The library's interface, which nothing in it but the engine may know.
    "include": (),
}
ENGINE_HEADERS = ("ringpost/engine.h", "ringpost/config.h")

# Third-party headers with one owner: a pattern of the include, and of the files that may have it.
OWNERS = (
    (r"simdjson", r"codec/(job/job_reader|dialect/json_tree|smtp/token_reply)"),
    (r"wolfssl/", r"(tls/|tools/sink/self_signed)"),
    (r"liburing", r"engine/io/ring"),
    (r"xxhash", r"codec/journal/line_hash"),
    (r"ares[._]", r"tools/domain/dns_client"),
    (r"hdr/", r"tools/bench/time_record"),
    (r"boost/", r"tools/serve/http/(http_server|request_reader)"),
    (r"curl/", r"tools/serve/webhook/http_poster"),
    (r"nats/nats", r"tools/nats/client"),
    (r"prometheus/", r"tools/serve/figures/metrics_text"),
    (r"CLI/", r"(tools/program/command_parser|bench/e2e/floor)"),
    (r"(block|)(ing|)concurrentqueue|moodycamel", r"queue/(delivery|outcome)_queue"),
)

EVERYWHERE = ""
NO_OUTPUT = r"(codec|tls|queue|engine)/"
PURE = r"(codec|engine/protocol|engine/server)/"
# Where, what, and what to use instead.
BANNED = (
    (EVERYWHERE, r"\b(strcpy|strcat|strncpy|stpcpy)\s*\(", "std::memcpy with a checked length"),
    (EVERYWHERE, r"\bv?sprintf\s*\(", "fmt::format_to_n"),
    (EVERYWHERE, r"\b(atoi|atol|atoll|atof|strtol|strtoul)\s*\(", "std::from_chars"),
    (EVERYWHERE, r"\bstrtok\s*\(", "std::string_view::find"),
    (EVERYWHERE, r"\b(gmtime|localtime)\s*\(", "gmtime_r, or the civil calendar of <chrono>"),
    (EVERYWHERE, r"\bs?rand\s*\(", "<random> with a seed that is printed"),
    (EVERYWHERE, r"\bstd::w?regex\b|<regex>", "a hand-written parser: it recurses on its input"),
    (EVERYWHERE, r"<cassert>|(?<![\w_])assert\s*\(", "RP_ASSERT, which stays on in every build"),
    (NO_OUTPUT, r"<iostream>|\bstd::(cout|cerr|clog)\b", "a returned value; only tools print"),
    (PURE, r"\b(system|steady)_clock::now\b|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
     "an Instant parameter: this folder is told the time"),
    (PURE, r"<(thread|mutex|atomic|condition_variable|future)>",
     "nothing: this folder has no threads"),
    (r"engine/protocol/", r"\bstd::function\b", "a value returned to the caller"),
)

# An outcome's status is set in one file, so that every outcome has come through a verdict. What
# else has a status of that name is listed with whose it is. Tests and benchmarks make outcomes as
# they need them.
STATUS_SETTER = "engine/outcome_record.cpp"
STATUS_WRITTEN = re.compile(r"([\w.>\[\]()-]*?)(?:\.|->)status\s*=(?!=)")
OTHER_STATUSES = {
    "engine/protocol/verdict.cpp": "verdict",  # what outcomes come from
    "codec/journal/journal_record.cpp": "outcome",  # a JournalOutcome, read back from a file
    "engine/run/journal_lines.cpp": "pending.outcome",  # a JournalOutcome, to be written
    "tools/serve/spool/spool_segment.cpp": "noted.outcome",  # the same
    "engine/c_interface.cpp": "to",  # a ringpost_outcome, copied of one
    "engine/run/run_tally.cpp": "group",  # of replies that are alike, for the report
}

# Sources that open with a comment: what is hard about them, how it is done, what they do not do.
OPENING = re.compile(r"(codec|tls|queue|engine|tools)/.*\.cpp$")

UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
CONTROL = re.compile(r"^\s*(else\b|do\b|(else\s+)?if\b|for\b|while\b|switch\b|try\b|catch\b)")
TYPE_OR_SCOPE = re.compile(
    r"^\s*(template\s*<.*>\s*)?(typedef\s+|inline\s+)?(namespace|class|struct|enum|union|extern)\b")
CODE_SUFFIXES = (".h", ".cpp")
TEXT_SUFFIXES = CODE_SUFFIXES + (".py", ".sh", ".cmake", ".txt", ".toml")


def blank(match):
    """Replaces a comment or literal by spaces, and keeps its lines."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    return re.sub(
        r"//[^\n]*|/\*.*?\*/|(\"(\\.|[^\"\\\n])*\")",
        lambda match: match.group(0) if match.group(1) else blank(match), text, flags=re.S)


def without_literals(text):
    text = re.sub(r'R"([^(\s]*)\(.*?\)\1"', blank, text, flags=re.S)
    # A digit separator is no quote.
    text = re.sub(r"(?<=[0-9a-fA-F])'(?=[0-9a-fA-F])", "_", text)
    return re.sub(r"\"(\\.|[^\"\\\n])*\"|'(\\.|[^'\\\n])*'", blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def layer_of(path):
    for layer in LAYERS:
        if path.startswith(layer + "/") and not (layer == "engine" and path.count("/") > 1):
            return layer
    return None


def may_include(allowed, header):
    """Whether the header lies in one of the layers, or of the folders that are none of them."""
    layer = layer_of(header)
    return any(folder == layer or (folder not in LAYERS and header.startswith(folder + "/"))
               for folder in allowed)


def function_name(head):
    names = re.findall(r"([~\w:]+|operator\s*\S+)\s*\(", head)
    return names[0] if names else "?"


def opens_function(head):
    """Whether the code in front of a brace is the head of a function (not of a type or a block)."""
    head = re.sub(r"^\s*#.*$", "", head, flags=re.M)
    if "(" not in head or CONTROL.match(head) or TYPE_OR_SCOPE.match(head):
        return False
    return re.search(r"=\s*$|\]\s*(\([^()]*\))?[^()]*$|,\s*$|\(\s*$", head) is None


def cpp_functions(code):
    """Yields (name, first line, number of lines) of the outermost functions in blanked code."""
    start = 0
    depth = 0
    function = None
    for match in re.finditer(r"[{};]", code):
        sign = match.group(0)
        if sign == "{":
            head = code[start:match.start()]
            if function is None and opens_function(head):
                first = match.start() - len(head.lstrip())
                function = (function_name(head), first, depth)
            depth += 1
        elif sign == "}":
            depth -= 1
            if function is not None and depth == function[2]:
                name, first, _ = function
                yield name, line_of(code, first), code.count("\n", first, match.end()) + 1
                function = None
        start = match.end()


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def shell_functions(text):
    for match in re.finditer(r"^(\w+)\(\) \{.*?^\}", text, flags=re.M | re.S):
        yield match.group(1), line_of(text, match.start()), match.group(0).count("\n") + 1


class Tidy:
    def __init__(self, root):
        self.root = root
        self.breaches = []

    def breach(self, path, line, text):
        self.breaches.append((path, line, text))

    def files(self):
        folders = ("codec", "tls", "queue", "engine", "tools", "bench", "tests", ".ci")
        paths = [path for path in self.root.iterdir() if path.is_file()]
        for folder in folders:
            if (self.root / folder).is_dir():
                paths.extend(path for path in (self.root / folder).rglob("*") if path.is_file())
        return sorted(path for path in paths if "__pycache__" not in path.parts)

    def check_all(self):
        for file in self.files():
            path = file.relative_to(self.root).as_posix()
            is_script = file.suffix == "" and file.read_bytes()[:2] == b"#!"
            if file.suffix not in TEXT_SUFFIXES and not is_script:
                continue
            text = file.read_text(encoding="utf-8")
            self.check_text(path, text)
            if file.suffix in CODE_SUFFIXES:
                self.check_code(path, text)
            elif file.suffix == ".py":
                self.check_functions(path, python_functions(text))
            elif file.suffix == ".sh" or is_script:
                self.check_functions(path, shell_functions(text))
            elif file.name == "CMakeLists.txt":
                self.check_cmake_folder(file, path, text)
        return self.breaches

    def check_text(self, path, text):
        lines = text.split("\n")
        if len(lines) - 1 > FILE_LINES_MAX:
            self.breach(path, FILE_LINES_MAX, f"{len(lines) - 1} lines, at most {FILE_LINES_MAX}: "
                        "split it by noun")
        if text and not text.endswith("\n"):
            self.breach(path, len(lines), "no newline at the end")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                self.breach(path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")
            if line != line.rstrip():
                self.breach(path, number, "white space at the end of the line")
            if UNFINISHED.search(line):
                self.breach(path, number, "unfinished work: do it, or describe it in an issue")

    def check_code(self, path, text):
        code = without_comments(text)
        if path.endswith(".h") and not re.search(r"^#pragma once$", text, flags=re.M):
            self.breach(path, 1, "no #pragma once")
        if OPENING.match(path) and not re.match(r"// \S", text):
            self.breach(path, 1, "no comment at the top: say its problem, its idea and its limits, "
                        "or in a line why it is there")
        self.check_includes(path, code)
        code = without_literals(code)
        for where, pattern, instead in BANNED:
            if re.match(where, path):
                for match in re.finditer(pattern, code):
                    self.breach(path, line_of(code, match.start()),
                                f"{match.group(0).strip(' (')}: use {instead}")
        if not path.startswith(("tests/", "bench/")):
            self.check_statuses(path, code)
        if not path.startswith("tests/"):
            self.check_functions(path, cpp_functions(code))

    def check_statuses(self, path, code):
        if path == STATUS_SETTER:
            return
        for match in STATUS_WRITTEN.finditer(code):
            if match.group(1) != OTHER_STATUSES.get(path):
                self.breach(path, line_of(code, match.start()), f"{match.group(0).strip()}: make "
                            f"a verdict, and let {STATUS_SETTER} write the outcome")

    def check_includes(self, path, code):
        layer = layer_of(path)
        if layer is None:
            return
        for match in re.finditer(r'^\s*#\s*include\s*(<([^>]+)>|"([^"]+)")', code, flags=re.M):
            line = line_of(code, match.start(1))
            if match.group(3):
                allowed = LAYERS[layer]
                if not may_include(allowed, match.group(3)):
                    self.breach(path, line, f'{layer} may not include "{match.group(3)}": '
                                "it may use " + ", ".join(allowed))
                continue
            if match.group(2) in ENGINE_HEADERS and "engine" not in LAYERS[layer] + (layer,) \
                    and layer != "include":
                self.breach(path, line, f"{layer} may not include <{match.group(2)}>")
            for header, owner in OWNERS:
                if re.match(header, match.group(2)) and not re.match(owner, path):
                    self.breach(path, line, f"<{match.group(2)}> belongs to {owner}*: ask that "
                                "file for what is needed")

    def check_functions(self, path, functions):
        for name, line, length in functions:
            limit = LONG_FUNCTIONS.get(f"{path}: {name}", FUNCTION_LINES_MAX)
            if length > limit:
                self.breach(path, line, f"{name} has {length} lines, at most {limit}: give its "
                            "parts names")

    def check_cmake_folder(self, file, path, text):
        limit = CMAKE_ROOT_LINES_MAX if file.parent == self.root else CMAKE_FOLDER_LINES_MAX
        if text.count("\n") > limit:
            self.breach(path, limit, f"{text.count(chr(10))} lines, at most {limit}")
        layer = file.parent.relative_to(self.root).as_posix()
        if layer not in LIBRARIES and layer != "tools":
            return
        lists = "".join(one.read_text(encoding="utf-8")
                        for one in file.parent.rglob("CMakeLists.txt"))
        for source in sorted(file.parent.rglob("*.cpp")):
            own = source.parent / "CMakeLists.txt"
            listed = own.exists() and re.search(rf"(?<![\w/]){re.escape(source.name)}",
                                                own.read_text(encoding="utf-8"))
            if not listed and f"{source.parent.name}/{source.name}" not in lists:
                name = source.relative_to(file.parent).as_posix()
                self.breach(path, 1, f"{name} is not in a list of sources")


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    breaches = Tidy(root).check_all()
    for path, line, text in breaches:
        print(f"{path}:{line}: {text}")
    if breaches:
        print(f"{len(breaches)} breaches of the rules in CONTRIBUTING.md")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
