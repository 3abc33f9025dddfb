// A text and its HTML composed to MIME.
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/content.h"
#include "codec/mail/composition.h"

namespace {

using namespace ringpost::codec;

TextPart part_of(std::string& text) {
  const auto traits = canonicalise_text(text, NewlinePolicy::normalize);
  return {text, traits ? *traits : ContentTraits{}};
}

void compose_alternative(benchmark::State& state) {
  std::string text = ringpost::bench::mail_text(static_cast<std::size_t>(state.range(0)), 50);
  std::string html = "<html><body>\r\n" + text + "</body></html>\r\n";
  const std::vector<Mailbox> from = {{"News", "news@example.com"}};
  const std::vector<Mailbox> to = {{"Jane Reader", "jane@example.net"}};
  const std::vector<HeaderField> headers = {
      {"List-Unsubscribe", "<https://example.com/u/0123456789abcdef>"},
      {"X-Campaign", "autumn-2026"}};
  Composition draft;
  draft.from = from;
  draft.to = to;
  draft.headers = headers;
  draft.subject = "Issue 12: what came of it";
  draft.text = part_of(text);
  draft.html = part_of(html);
  draft.message_id_domain = "example.com";
  draft.identity = {1, 255};
  std::string content;
  for (auto _ : state) {
    content.clear();
    if (!compose(draft, content)) {
      state.SkipWithError("the message was refused");
      break;
    }
    benchmark::DoNotOptimize(content.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(content.size()));
}

BENCHMARK(compose_alternative)->ArgName("bytes")->Arg(2048)->Arg(38400);

}  // namespace
