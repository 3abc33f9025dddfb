// Problem: segments that are spliced must say what a message says that was written in one. Idea:
// the plain way, which a job of its own takes: texts are rendered, escaped, their line ends put in
// order, and compose() does the rest. Limits: see the header.
#include "tests/support/template_oracle.h"

#include <vector>

#include "codec/mail/composition.h"
#include "codec/template/mustache.h"
#include <ringpost/limits.h>

namespace ringpost::test {

namespace {

class PlainOutput : public codec::MustacheOutput {
 public:
  explicit PlainOutput(bool is_html) : is_html_(is_html) {}
  void add_literal(std::size_t /*literal*/, Bytes literal) override { text += literal; }
  void add_value(Bytes value, bool escaped) override {
    if (is_html_ && escaped) {
      codec::append_html_escaped(text, value);
    } else {
      text += value;
    }
  }

  std::string text;

 private:
  bool is_html_;
};

std::string with_crlf(Bytes text) {
  std::string ordered;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_end = text[i] == '\r' || text[i] == '\n';
    ordered += is_end ? Bytes("\r\n") : text.substr(i, 1);
    i += text.substr(i, 2) == "\r\n" ? 1U : 0U;
  }
  return ordered;
}

// What a job would be refused for, and a template takes out.
std::string on_one_line(std::string text) {
  for (char& c : text) {
    c = (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') ? ' ' : c;
  }
  return text;
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
  const auto render = [&](const std::optional<std::string>& source, bool is_html) {
    PlainOutput output(is_html);
    if (source) {
      const auto parsed = codec::Mustache::parse(*source, definition.partials);
      fails = fails || !parsed ||
              !walk.render(*parsed, layers, options.missing, limits::message_bytes_max, output);
    }
    fails = fails || output.text.find('\0') != std::string::npos;
    return output.text;
  };
  const std::string subject = on_one_line(render(definition.subject, false));
  const std::string text = with_crlf(render(definition.text, false));
  const std::string html = with_crlf(render(definition.html, true));
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
