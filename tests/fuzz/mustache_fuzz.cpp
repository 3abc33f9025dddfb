// codec/template: whatever a template and its values are, what is taken is rendered as another
// implementation renders it, within its bounds and twice the same, and JSON is taken where
// json_echo takes it.
//
// Input: one octet of options; then values, two partials (p and q) and the template, separated by
// 0x1e.
#include <array>
#include <string>
#include <vector>

#include "codec/template/merge_json.h"
#include "codec/template/mustache.h"
#include "codec/text/json_echo.h"
#include "codec/text/utf8.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/mustache_oracle.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

constexpr char separator = '\x1e';

// Keeps what the oracle writes, and holds literals against their numbers.
class MarkedOutput final : public MustacheOutput {
 public:
  explicit MarkedOutput(const Mustache& source) : source_(source) {}

  void add_literal(std::size_t literal, Bytes text) override {
    RP_ASSERT(literal < source_.literal_count() && source_.literal(literal) == text);
    RP_ASSERT(!text.empty());
    bytes += text.size();
    marked += text;
  }
  void add_value(Bytes value, bool escaped) override {
    RP_ASSERT(!value.empty());
    bytes += value.size();
    marked += escaped ? '[' : '{';
    marked += value;
    marked += escaped ? ']' : '}';
  }

  std::string marked;
  std::size_t bytes = 0;

 private:
  const Mustache& source_;
};

bool read_values(Bytes json, MergeData& data) {
  const std::string copy = fuzz::own_copy(json);
  const auto read = MergeJson().read_value(copy, data);
  const bool sound = is_utf8(copy) && check_json(copy, limits::merge_depth_max);
  RP_ASSERT(sound || !read);
  if (!read) {
    RP_ASSERT(!read.error().empty() && is_utf8(read.error()));
    // Sound JSON is refused for its names and sizes alone.
    RP_ASSERT(!sound || read.error().starts_with("has "));
  }
  return read.has_value();
}

void check_flaw(const TemplateError& error, Bytes source, const std::vector<Partial>& partials) {
  for (const Partial& partial : partials) {
    source = partial.name == error.partial ? Bytes(partial.source) : source;
  }
  const std::string message = error.message();
  RP_ASSERT(!error.reason.empty() && is_utf8(message) && message.size() < 1024);
  // The place is in the source.
  for (std::size_t line = 1; line < error.line; ++line) {
    RP_ASSERT(source.find('\n') != Bytes::npos);
    source.remove_prefix(source.find('\n') + 1);
  }
  RP_ASSERT(error.column >= 1 && error.column <= source.substr(0, source.find('\n')).size() + 1);
}

void check_names(const Mustache& source) {
  for (const std::string& name : source.required_names()) {
    RP_ASSERT(std::count(source.names().begin(), source.names().end(), name) == 1);
  }
}

void check_rendering(const Mustache& source, Bytes text, const std::vector<Partial>& partials,
                     const MergeData& data, std::size_t bytes_max) {
  const std::array<const MergeData*, 1> layers = {&data};
  MustacheWalk walk;
  MarkedOutput first(source);
  MarkedOutput second(source);
  const auto rendered = walk.render(source, layers, MissingPolicy::empty, bytes_max, first);
  const auto again = walk.render(source, layers, MissingPolicy::empty, bytes_max, second);
  RP_ASSERT(first.bytes <= bytes_max && first.marked == second.marked);
  RP_ASSERT(rendered.has_value() == again.has_value());
  MarkedOutput strict(source);
  const auto strictly = walk.render(source, layers, MissingPolicy::invalid, bytes_max, strict);
  RP_ASSERT(first.marked.starts_with(strict.marked) && (!strictly || rendered));
  if (!rendered) {
    RP_ASSERT(!rendered.error().message().empty());
    return;
  }
  if (source.is_fixed()) {
    RP_ASSERT(source.literal_count() <= 1 && strictly);
    RP_ASSERT(first.marked == (source.literal_count() == 0 ? Bytes() : source.literal(0)));
  }
  if (strictly) {
    for (const std::string& name : source.required_names()) {
      RP_ASSERT(data.find(MergeData::root, name.substr(0, name.find('.'))) != MergeData::none);
    }
  }
  const auto expected = fuzz::render_by_the_book(text, partials, data);
  RP_ASSERT(!expected || first.marked == *expected);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FuzzInput input(data, size);
  const std::size_t bytes_max = std::size_t{1} << input.up_to(16);
  MergeData values;
  const bool has_values = read_values(input.until(separator), values);
  std::vector<Partial> partials;
  for (const char* const name : {"p", "q"}) {
    partials.push_back({name, std::string(input.until(separator))});
  }
  const std::string text = fuzz::own_copy(input.rest());
  const auto source = Mustache::parse(text, partials);
  if (!source) {
    check_flaw(source.error(), text, partials);
    return 0;
  }
  RP_ASSERT(text.find('\0') == std::string::npos);
  check_names(*source);
  if (has_values) {
    check_rendering(*source, text, partials, values, bytes_max);
  }
  return 0;
}
