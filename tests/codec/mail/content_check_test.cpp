#include "codec/mail/content_check.h"

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

struct Verdict {
  std::optional<ContentError> error;
  std::string content;
  ContentTraits traits;
};

Verdict verdict_of(std::string content, NewlinePolicy policy = NewlinePolicy::normalize) {
  const std::string before = content;
  const auto traits = canonicalise(content, policy);
  if (!traits) {
    CHECK(content == before);
    return {traits.error(), content, {}};
  }
  return {std::nullopt, content, *traits};
}

// The rule in its plainest form: lines split by hand, nothing shared with the code under test.
std::optional<ContentErrorKind> oracle(Bytes text, NewlinePolicy policy, std::string& canonical) {
  bool crlf = false;
  bool lone_lf = false;
  bool fits = true;
  std::string line;
  canonical.clear();
  for (std::size_t index = 0; index < text.size(); ++index) {
    const char octet = text[index];
    if (octet == '\0') {
      return ContentErrorKind::nul;
    }
    if (octet == '\r') {
      if (index + 1 == text.size() || text[index + 1] != '\n') {
        return ContentErrorKind::bare_cr;
      }
      continue;
    }
    if (octet != '\n') {
      line += octet;
      fits = line.size() <= limits::content_line_bytes_max;
      if (!fits) {
        return ContentErrorKind::line_too_long;
      }
      continue;
    }
    const bool with_cr = index > 0 && text[index - 1] == '\r';
    if (!with_cr && policy == NewlinePolicy::strict) {
      return ContentErrorKind::bare_lf;
    }
    (with_cr ? crlf : lone_lf) = true;
    if (crlf && lone_lf) {
      return ContentErrorKind::mixed_newlines;
    }
    canonical += line + "\r\n";
    line.clear();
  }
  canonical += line;
  return std::nullopt;
}

std::string random_text(std::mt19937& random) {
  // Few letters, so that every meeting of CR, LF, dots and the rest is common.
  static constexpr Bytes kinds[] = {Bytes("abc.\r\n"), Bytes("ab.\n"), Bytes("a\r\n\0.\xff", 6),
                                    Bytes("aaaaaaaaaaaaaaaaaaaaa\n")};
  const Bytes letters = kinds[random() % 4];
  const bool pairs = random() % 2 == 0;
  std::string text;
  const std::size_t size = random() % 300;
  while (text.size() < size) {
    const char letter = letters[random() % letters.size()];
    if (pairs && (letter == '\r' || letter == '\n')) {
      text += "\r\n";
    } else {
      text += letter;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("content_check: CRLF text is kept as it is") {
  const Verdict verdict = verdict_of("Subject: x\r\n\r\nbody\r\n");
  CHECK_FALSE(verdict.error);
  CHECK(verdict.content == "Subject: x\r\n\r\nbody\r\n");
  CHECK(verdict.traits.ends_with_crlf());
  CHECK_FALSE(verdict.traits.has_8bit);
  CHECK_FALSE(verdict.traits.needs_stuffing());
}

TEST_CASE("content_check: text with lone LFs throughout is converted, unless policy is strict") {
  CHECK(verdict_of("a\nb\n\nc").content == "a\r\nb\r\n\r\nc");
  CHECK(verdict_of("\n").content == "\r\n");
  CHECK(verdict_of("\n\n\n").content == "\r\n\r\n\r\n");
  const Verdict strict = verdict_of("a\r\nb\nc", NewlinePolicy::strict);
  REQUIRE(strict.error);
  CHECK(strict.error->kind == ContentErrorKind::bare_lf);
  CHECK(strict.error->offset == 4);
  CHECK(strict.error->line == 2);
}

TEST_CASE("content_check: a mix, a bare CR and NUL are refused with octet and line (S10)") {
  struct Case {
    Bytes text;
    ContentErrorKind kind;
    std::size_t offset;
    std::size_t line;
  };
  const Case cases[] = {
      {"a\r\nb\nc", ContentErrorKind::mixed_newlines, 4, 2},
      {"a\nb\r\nc", ContentErrorKind::mixed_newlines, 3, 2},
      {"a\rb", ContentErrorKind::bare_cr, 1, 1},
      {"a\r\n\r", ContentErrorKind::bare_cr, 3, 2},
      {"a\n\rb", ContentErrorKind::bare_cr, 2, 2},
      {Bytes("a\r\n\0", 4), ContentErrorKind::nul, 3, 2},
      {Bytes("\0", 1), ContentErrorKind::nul, 0, 1},
  };
  for (const Case& one : cases) {
    const Verdict verdict = verdict_of(std::string(one.text));
    REQUIRE(verdict.error);
    CHECK(verdict.error->kind == one.kind);
    CHECK(verdict.error->offset == one.offset);
    CHECK(verdict.error->line == one.line);
    CHECK(verdict.error->message().find("line " + std::to_string(one.line)) != std::string::npos);
  }
}

TEST_CASE("content_check: none of smtpsmug's terminators survives in CRLF text") {
  const std::vector<Bytes> terminators = {"\n.\n",
                                          "\r.\r",
                                          "\r.\n",
                                          "\n.\r",
                                          "\n.\r\n",
                                          "\r\n.\n",
                                          "\r.\r\n",
                                          "\r\n.\r",
                                          Bytes("\r\n\0.\r\n", 6),
                                          Bytes("\r\n.\0\r\n", 6)};
  for (const Bytes terminator : terminators) {
    CHECK(verdict_of("From: a\r\n\r\nx" + std::string(terminator) + "MAIL FROM:<a@b>\r\n").error);
  }
}

TEST_CASE("content_check: lines of 998 octets pass and lines of 999 do not") {
  const std::string longest(limits::content_line_bytes_max, 'x');
  for (const char* newline : {"\r\n", "\n"}) {
    CHECK_FALSE(verdict_of("a" + std::string(newline) + longest + newline + "b").error);
    CHECK_FALSE(verdict_of("a" + std::string(newline) + longest).error);
    const std::string first = "a" + std::string(newline);
    for (const std::string& rest : {longest + "x" + newline, longest + "x"}) {
      const Verdict verdict = verdict_of(first + rest);
      REQUIRE(verdict.error);
      CHECK(verdict.error->kind == ContentErrorKind::line_too_long);
      CHECK(verdict.error->offset == first.size() + longest.size());
      CHECK(verdict.error->line == 2);
    }
  }
}

TEST_CASE("content_check: text that will be encoded may have long lines, and says how long") {
  std::string text = std::string(5000, 'x') + "\nshort\n";
  const auto traits = canonicalise_text(text, NewlinePolicy::normalize);
  REQUIRE(traits);
  CHECK(traits->longest_line_bytes == 5000);
  CHECK(text == std::string(5000, 'x') + "\r\nshort\r\n");
  std::string bad = "a\rb";
  CHECK_FALSE(canonicalise_text(bad, NewlinePolicy::normalize));
}

TEST_CASE("content_check: traits tell what the session needs") {
  CHECK(verdict_of("").traits.ends_with_crlf() == false);
  CHECK(verdict_of(".").traits.needs_stuffing());
  CHECK(verdict_of("a\r\n.b").traits.needs_stuffing());
  CHECK(verdict_of("a\n.").traits.needs_stuffing());
  CHECK_FALSE(verdict_of("a.b\r\nc.").traits.needs_stuffing());
  CHECK(verdict_of("\xc3\xa4").traits.has_8bit);
  CHECK_FALSE(verdict_of("a\r\nb").traits.ends_with_crlf());
}

TEST_CASE("content_check: the fast scan and its scalar twin agree at every alignment") {
  std::mt19937 random(20261120);
  std::vector<char> memory(512);
  for (int round = 0; round < 60'000; ++round) {
    const std::string text = random_text(random);
    const std::size_t begin = random() % 64;
    std::copy(text.begin(), text.end(), memory.begin() + static_cast<std::ptrdiff_t>(begin));
    const Bytes placed(memory.data() + begin, text.size());
    const LineScan expected = scan_lines_scalar(placed);
    if (scan_lines(placed) != expected || scan_lines_narrow(placed) != expected) {
      FAIL("round " << round);
    }
  }
}

TEST_CASE("content_check: verdict and result are those of a plain reading of the rule") {
  std::mt19937 random(4);
  for (int round = 0; round < 60'000; ++round) {
    std::string text = random_text(random);
    if (round % 50 == 0) {
      text.insert(text.size() / 2, std::string(990 + random() % 12, 'y'));
    }
    const NewlinePolicy policy = round % 3 == 0 ? NewlinePolicy::strict : NewlinePolicy::normalize;
    std::string expected;
    const std::optional<ContentErrorKind> expected_error = oracle(text, policy, expected);
    const Verdict verdict = verdict_of(text, policy);
    const bool same =
        verdict.error.has_value() == expected_error.has_value() &&
        (verdict.error ? verdict.error->kind == *expected_error : verdict.content == expected);
    if (!same) {
      FAIL("round " << round);
    }
    if (!verdict.error) {
      const bool leading_dot = ("\r\n" + expected).find("\r\n.") != std::string::npos;
      CHECK(verdict.traits.needs_stuffing() == leading_dot);
      CHECK(verdict.traits.ends_with_crlf() == expected.ends_with("\r\n"));
    }
  }
}
