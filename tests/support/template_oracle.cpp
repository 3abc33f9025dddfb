// Problem: segments that are spliced must say what a message says that was written in one. Idea:
// the plain way, which a job of its own takes: texts are rendered, escaped, their line ends put in
// order, and compose() does the rest. Limits: see the header.
#include "tests/support/template_oracle.h"

#include <cstdint>
#include <vector>

#include "codec/mail/composition.h"
#include "codec/template/mustache.h"
#include "codec/text/utf8.h"
#include <ringpost/limits.h>

namespace ringpost::test {

namespace {

// What a job would be refused for, and a template takes out. A tab that the template itself has
// stays, as it does in a job's field.
std::string on_one_line(Bytes given, bool is_literal) {
  std::string text(given);
  for (char& c : text) {
    const bool is_kept = is_literal && c == '\t';
    c = !is_kept && (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') ? ' ' : c;
  }
  return text;
}

// A line end is one wherever it stands, so each piece is put in order by itself.
std::string with_crlf(Bytes text) {
  std::string ordered;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_end = text[i] == '\r' || text[i] == '\n';
    ordered += is_end ? Bytes("\r\n") : text.substr(i, 1);
    i += text.substr(i, 2) == "\r\n" ? 1U : 0U;
  }
  return ordered;
}

enum class Place : std::uint8_t { field, text, html };

class PlainOutput : public codec::MustacheOutput {
 public:
  explicit PlainOutput(Place place) : place_(place) {}
  void add_literal(std::size_t /*literal*/, Bytes literal) override {
    text += place_ == Place::field ? on_one_line(literal, true) : std::string(literal);
  }
  void add_value(Bytes value, bool escaped) override {
    has_nul = has_nul || value.find('\0') != Bytes::npos;
    if (place_ == Place::field) {
      text += on_one_line(value, false);
    } else if (place_ == Place::html && escaped) {
      codec::append_html_escaped(text, with_crlf(value));
    } else {
      text += with_crlf(value);
    }
  }

  std::string text;
  bool has_nul = false;

 private:
  Place place_;
};

// A byte order mark at the front of a file is no part of its text.
std::string source_of(Bytes given, Place place) {
  const bool is_marked = place != Place::field && given.starts_with(codec::byte_order_mark);
  const Bytes text = given.substr(is_marked ? codec::byte_order_mark.size() : 0);
  return place == Place::field ? std::string(text) : with_crlf(text);
}

}  // namespace

std::optional<std::string> rendered_then_composed(const codec::TemplateDefinition& definition,
                                                  const codec::TemplateOptions& options,
                                                  const codec::TemplateRecipient& recipient,
                                                  const codec::LineHash& identity) {
  std::vector<const codec::MergeData*> layers;
  if (recipient.merge != nullptr) {
    layers.push_back(recipient.merge);
  }
  layers.insert(layers.end(), recipient.shared.begin(), recipient.shared.end());
  layers.push_back(&definition.merge);
  bool fails = false;
  codec::MustacheWalk walk;
  const auto render = [&](const std::optional<std::string>& source, Place place) {
    PlainOutput output(place);
    if (source) {
      const auto parsed = codec::Mustache::parse(source_of(*source, place), definition.partials);
      fails = fails || !parsed ||
              !walk.render(*parsed, layers, options.missing, limits::message_bytes_max, output);
    }
    fails = fails || output.has_nul || output.text.find('\0') != std::string::npos;
    return output.text;
  };
  const std::string subject = render(definition.subject, Place::field);
  const std::string text = render(definition.text, Place::text);
  const std::string html = render(definition.html, Place::html);
  const auto from = codec::parse_mailbox(*definition.from);
  if (fails || !from) {
    return std::nullopt;
  }
  codec::Composition draft;
  draft.from = {&*from, 1};
  draft.to = {recipient.mailbox, 1};
  if (definition.subject) {
    draft.subject = subject;
  }
  if (definition.text) {
    draft.text = codec::TextPart{text, *codec::traits_of_canonical(text)};
  }
  if (definition.html) {
    draft.html = codec::TextPart{html, *codec::traits_of_canonical(html)};
  }
  draft.headers = definition.headers;
  draft.identity = identity;
  draft.date_us = options.date_us;
  draft.message_id_domain = codec::domain_of(from->address);
  std::string message;
  if (!codec::compose(draft, message)) {
    return std::nullopt;
  }
  return message;
}

}  // namespace ringpost::test
