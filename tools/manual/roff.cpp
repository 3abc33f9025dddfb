// The problem: in a manual page a dot at the beginning of a line is a command, and a hyphen is a
// dash that nobody can paste into a shell. The idea: all text goes through one place that escapes
// it. Limits: man(7), which both groff and mandoc read; lines are not wrapped, which is theirs.
#include "tools/manual/roff.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) {
      out += "\\&";
    }
    out += c == '\\'   ? "\\e"
           : c == '-'  ? "\\-"
           : c == '^'  ? "\\(ha"
           : c == '~'  ? "\\(ti"
           : c == '`'  ? "\\(ga"
           : c == '\'' ? "\\(aq"
                       : std::string(1, c);
  }
  return out;
}

std::string in_capitals(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return out;
}

// An argument of a command: quotes within it would end it.
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : escaped(text)) {
    out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

Roff::Roff(std::string_view name, int section, std::string_view summary, std::string_view from) {
  text_ = fmt::format(".TH {} {} \"\" {} {}\n", argument(in_capitals(name)), section,
                      argument(from), argument("Manual of ringpost"));
  this->section("NAME");
  line(fmt::format("{} - {}", name, summary));
}

void Roff::line(std::string_view text) { text_ += escaped(text) + "\n"; }

void Roff::section(std::string_view title) { text_ += fmt::format(".SH {}\n", argument(title)); }

void Roff::subsection(std::string_view title) { text_ += fmt::format(".SS {}\n", argument(title)); }

void Roff::paragraph(std::string_view text) {
  text_ += ".PP\n";
  line(text);
}

void Roff::item(std::string_view term, std::string_view text) {
  text_ += fmt::format(".TP\n.B {}\n", argument(term));
  line(text.empty() ? std::string_view(" ") : text);
}

void Roff::verbatim(std::string_view text) {
  text_ += ".PP\n.nf\n";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    // An empty line would be taken for a paragraph by some.
    text_ += end == 0 ? "\\&\n" : escaped(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  text_ += ".fi\n";
}

void Roff::see_also(std::string_view names) {
  section("SEE ALSO");
  line(names);
}

}  // namespace ringpost::cli
