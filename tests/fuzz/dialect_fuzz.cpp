// codec/dialect: whatever a line is, what becomes of it is a job line, or an error with the
// recipients that could be read; the same line is always the same job, and no line changes the
// next.
//
// Input: an octet that chooses the dialect, then the body.
#include <string>

#include "codec/dialect/dialect.h"
#include "codec/job/job_reader.h"
#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include <ringpost/limits.h>

using namespace ringpost;
using codec::DialectTranslator;

namespace {

struct Translated {
  std::string job;
  std::string error;  // empty: there was none
};

Translated translate(DialectTranslator& translator, Bytes body) {
  // What is behind the body is readable, and must not matter.
  std::string padded(body);
  padded.append(codec::JobReader::padding_bytes, '"');
  Translated made;
  const auto done =
      translator.translate(Bytes(padded).substr(0, body.size()), 1'800'000'000'000'000, made.job);
  if (!done) {
    made.error = done.error().message();
    RP_ASSERT(!made.error.empty() && codec::is_utf8(made.error));
  }
  return made;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto dialect = static_cast<codec::Dialect>(data[0] % codec::dialect_names().size());
  const std::string body = fuzz::own_copy(fuzz::FuzzInput(data + 1, size - 1).rest());
  DialectTranslator translator({.dialect = dialect});
  const Translated first = translate(translator, body);
  RP_ASSERT(codec::is_utf8(first.job));
  // A value that stood in a string may be as deep as a body, within `recipients` and `merge`.
  RP_ASSERT(codec::check_json(first.job, limits::job_depth_max + 4));
  RP_ASSERT(first.job.starts_with("{\"id\":\"") && first.job.find('\n') == std::string::npos);
  const Translated again = translate(translator, body);
  RP_ASSERT(again.job == first.job && again.error == first.error);
  DialectTranslator fresh({.dialect = dialect});
  const Translated other = translate(fresh, body);
  RP_ASSERT(other.job == first.job && other.error == first.error);
  return 0;
}
