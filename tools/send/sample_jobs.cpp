// One of each kind comes first, so that the head of the file shows what a job can be. Its addresses
// belong to nobody (RFC 2606), and where a server is to say no they are the ones that the embedded
// ESP refuses on purpose.
#include "tools/send/sample_jobs.h"

#include <array>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

constexpr std::array<std::string_view, 6> kinds = {
    R"({"id":"hello","from":"News <news@example.com>","to":"ann@example.net",)"
    R"("subject":"Hello Ann","text":"Hi Ann,\n\nthis is plain text.\n"})",

    R"({"id":"html","from":{"email":"news@example.com","name":"Café News"},)"
    R"("to":["bob@example.net"],)"
    R"("subject":"Grüße – 你好","text":"Plain part.\n","html":"<p>HTML <b>part</b>.</p>\n",)"
    R"("headers":{"List-Unsubscribe":"<https://example.com/u/2>",)"
    R"("List-Unsubscribe-Post":"List-Unsubscribe=One-Click"},)"
    R"("tags":["weekly"],"metadata":{"subscriber":2}})",

    R"({"id":"finished","envelope":{"from":"bounce+3@example.com","to":["carol@example.org"]},)"
    R"("raw":"From: news@example.com\r\nTo: carol@example.org\r\nSubject: Dots\r\n\r\n)"
    R"(.a line with a dot in front\r\n.\r\nthe line above is a lone dot\r\n"})",

    R"({"id":"several","from":"news@example.com",)"
    R"("to":["dave@example.net","reject.me@example.net","defer.me@example.net"],)"
    R"("subject":"Three recipients","text":"One is refused, one is put off.\n"})",

    R"({"id":"refused-in-the-end","from":"news@example.com","to":"reject-data@example.net",)"
    R"("subject":"Refused at the end of data","text":"...\n"})",

    R"({"id":"not-valid","from":"news@example.com","to":"no-domain",)"
    R"("subject":"This address has no domain","text":"...\n"})",
};

void append_newsletter(std::string& lines, std::size_t number) {
  fmt::format_to(
      std::back_inserter(lines),
      R"({{"id":"weekly-{0}","from":"News <news@example.com>","to":"reader{0}@example.net",)"
      R"("subject":"The weekly, issue 47","text":"Dear reader {0},\n\nthis is issue 47.\n",)"
      R"("html":"<h1>Issue 47</h1>\n<p>Dear reader {0}, this is issue 47.</p>\n",)"
      R"("tags":["weekly-47"]}})"
      "\n",
      number);
}

}  // namespace

std::string sample_jobs(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    if (i < kinds.size()) {
      lines.append(kinds[i]).append("\n");
    } else {
      append_newsletter(lines, i + 1 - kinds.size());
    }
  }
  return lines;
}

}  // namespace ringpost::cli
