"""The pages of docs that are made from the program and its tables say what these say.

Goal: no page drifts from the program. Method: each of them is made again and compared.
After a change that was meant, write them anew with: pages_test.py --write
"""

import json
import re
import subprocess
import sys
import tomllib
import unittest
from pathlib import Path

from support.program import PROGRAM

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROVIDERS = DOCS / "how-to" / "providers.md"
SUMMARY = DOCS / "reference" / "summary.md"
PROGRESS = DOCS / "reference" / "progress.md"
BY_HAND = ("summary.md", "progress.md")  # of docs/reference, beside the pages of the manual


def printed(*words):
    """What the program prints, whatever its exit code."""
    return subprocess.run([str(PROGRAM), *words], capture_output=True, text=True, timeout=60,
                          check=False)


def manual_pages():
    """Of each page of the manual its place in docs/reference."""
    names = printed("manual").stderr.split("the pages are ")[1].split(", ")
    return {DOCS / "reference" / f"{name.strip()}.md":
            printed("manual", "--markdown", name.strip()).stdout for name in names}


def limits_of(endpoint):
    """What a preset holds back, in the words of its keys."""
    words = {"rate": "rate", "max_connections": "connections at most",
             "messages_per_connection": "messages a connection",
             "recipients_per_message": "recipients a message",
             "bytes_per_message": "octets a message", "max_connection_idle": "idle at most",
             "max_connection_age": "old at most", "rate_counts": "counted by the second"}
    for key, word in words.items():
        value = endpoint.get(key)
        if value is not None:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            yield f"rate {shown}" if key == "rate" else f"{shown} {word}"


def provider_section(name):
    """A provider as its preset has it."""
    preset = tomllib.loads(printed("presets", "show", name).stdout)
    endpoint, hints = preset.get("endpoint", {}), preset.get("hints", {})
    rows = [("preset", f"`{name}`")]
    regions = preset.get("regions", {})
    if "host" in endpoint:
        rows.append(("host", f"`{endpoint['host']}`"))
    if regions:
        rows.append(("`region`", ", ".join(f"`{region}`" for region in regions)))
    if "ports" in endpoint:
        rows.append(("ports, in this order", ", ".join(endpoint["ports"])))
    for key in ("username", "password"):
        said = hints.get(key) or (f"`{endpoint[key]}`" if key in endpoint else None)
        if said:
            rows.append((key, said))
    if endpoint.get("auth"):
        rows.append(("auth", f"`{endpoint['auth']}`"))
    limits = list(limits_of(endpoint))
    if limits:
        rows.append(("limits", "; ".join(limits)))
    for plan, keys in preset.get("plans", {}).items():
        rows.append((f"`plan = \"{plan}\"`", "; ".join(limits_of(keys))))
    dns = preset.get("dns", {})
    if "spf" in dns:
        rows.append(("SPF", f"`{dns['spf']}`"))
    if preset.get("same_as"):
        rows.append(("else as", f"`{preset['same_as']}`"))
    table = "".join(f"| {key} | {value.replace('|', chr(92) + '|')} |\n" for key, value in rows)
    notes = preset.get("warnings", []) + preset.get("notes", [])
    if preset.get("warning"):
        notes.insert(0, preset["warning"])
    listed = "".join(f"- {note}\n" for note in notes)
    section = f"\n## {preset['name']}\n\n| | |\n|---|---|\n{table}"
    return section + (f"\n{listed}" if listed else "")


def providers_page():
    """What is written once by hand, and a section for each preset."""
    head = PROVIDERS.read_text(encoding="utf-8").split("<!-- made from the presets -->\n")[0]
    names = re.findall(r"^(\S+)", printed("presets").stdout, flags=re.M)
    return (head + "<!-- made from the presets -->\n" + "".join(map(provider_section, names)))


def member_rows(schema, prefix=""):
    """Each member of an object, and of those within it."""
    for name, member in schema.get("properties", {}).items():
        kind = member.get("type", "object")
        shown = " or ".join(kind) if isinstance(kind, list) else kind
        yield f"| `{prefix}{name}` | {shown} | {member.get('description', '')} |\n"
        yield from member_rows(member, f"{prefix}{name}.")
        if isinstance(member.get("items"), dict):
            yield from member_rows(member["items"], f"{prefix}{name}[].")


def schema_page(path, name):
    """What is written once by hand, and the members of the schema."""
    head = path.read_text(encoding="utf-8").split("<!-- made from the schema -->\n")[0]
    schema = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    rows = "".join(member_rows(schema["properties"][name]))
    parts = "".join(f"\n### {name}\n\n| member | | means |\n|---|---|---|\n"
                    + "".join(member_rows(part)) for name, part in schema["$defs"].items()
                    if "properties" in part)
    return (f"{head}<!-- made from the schema -->\n\n| member | | means |\n|---|---|---|\n{rows}"
            f"{parts}")


def made_pages():
    """All of them, by their paths."""
    return {**manual_pages(), PROVIDERS: providers_page(), SUMMARY: schema_page(SUMMARY, "summary"),
            PROGRESS: schema_page(PROGRESS, "progress")}


class Pages(unittest.TestCase):
    """What is committed, and what is made."""

    def test_pages_are_as_the_program_has_them(self):
        """A page that is not is written anew by pages_test.py --write."""
        pages = made_pages()
        self.assertGreater(len(pages), 15)
        for path, text in pages.items():
            with self.subTest(page=path.name):
                self.assertTrue(path.exists(), "pages_test.py --write writes it")
                self.assertEqual(path.read_text(encoding="utf-8"), text,
                                 "pages_test.py --write writes it anew")

    def test_no_page_of_a_command_that_is_gone(self):
        """Those that are there are of the manual, or written by hand."""
        known = {path.name for path in manual_pages()} | set(BY_HAND)
        self.assertEqual({path.name for path in (DOCS / "reference").iterdir()}, known)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        for where, content in made_pages().items():
            where.write_text(content, encoding="utf-8")
    else:
        unittest.main()
