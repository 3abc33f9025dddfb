// The problem: partials are templates within templates, indented where they stand alone on a line,
// and may be within themselves. The idea: one list of steps into which each partial is written
// where it is used, as if its text stood there; what is open (sources, sections) are two stacks. A
// partial that is within itself is called instead, and written behind the template once for each
// indentation that it comes to have, as deep as limits::template_depth_max. Limits: the size of the
// whole is bounded, since partials that use others twice double it each time.
#include "codec/template/mustache_parser.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/template/mustache_scanner.h"
#include "codec/template/program_writer.h"
#include "codec/text/shown_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

using StepKind = MustacheStep::Kind;
using Steps = Result<std::shared_ptr<const Mustache::Program>, TemplateError>;

constexpr std::size_t no_partial = static_cast<std::size_t>(-1);

class MustacheParser {
 public:
  MustacheParser(Bytes source, std::span<const Partial> partials)
      : source_(source), partials_(partials) {
    for (std::size_t i = 0; i < partials.size(); ++i) {
      partial_numbers_.try_emplace(partials[i].name, i);
    }
  }

  Steps run() {
    if (write(no_partial, {})) {
      writer_.add({.kind = StepKind::stop});
    }
    for (std::size_t i = 0; !error_ && i < bodies_.size(); ++i) {
      bodies_[i].first_step = writer_.step_count();
      body_depth_ = bodies_[i].depth;
      const std::string indentation = bodies_[i].indentation;
      if (write(bodies_[i].partial, indentation)) {
        writer_.add({.kind = StepKind::back});
      }
    }
    if (error_) {
      return Failure(std::move(*error_));
    }
    finish();
    return writer_.finished();
  }

 private:
  // A source that is being read.
  struct OpenSource {
    std::size_t partial = no_partial;
    MustacheScanner scanner;
    std::string indentation;
    bool at_line_start = true;
    std::size_t sections_before = 0;
  };
  struct OpenSection {
    std::uint32_t step = 0;
    MustacheTag tag;
  };
  // A partial within itself, written out of line.
  struct Body {
    std::size_t partial = no_partial;
    std::string indentation;
    std::size_t depth = 0;
    std::uint32_t first_step = 0;
  };

  // Where a name stands already.
  struct Use {
    bool listed = false;
    bool required = false;
  };

  // ---- Sources ----------------------------------------------------------------------------------

  [[nodiscard]] Bytes text_of(std::size_t partial) const {
    return partial == no_partial ? source_ : Bytes(partials_[partial].source);
  }

  // Writes the steps of one source and of all that is within it.
  bool write(std::size_t partial, const std::string& indentation) {
    open(partial, indentation);
    while (!error_ && !sources_.empty()) {
      take(sources_.back());
      if (!error_ && (writer_.is_too_large() || read_bytes_ > limits::template_bytes_max)) {
        refuse(0, fmt::format("the template has more than {} octets, or more than {} values and "
                              "sections, once its partials are in their places",
                              limits::template_bytes_max, limits::template_steps_max));
      }
    }
    return !error_.has_value();
  }

  void open(std::size_t partial, std::string indentation) {
    const Bytes text = text_of(partial);
    count_reading(partial, indentation);
    sources_.push_back({.partial = partial,
                        .scanner = MustacheScanner(text),
                        .indentation = std::move(indentation),
                        .sections_before = sections_.size()});
    if (const std::size_t nul = text.find('\0'); nul != Bytes::npos) {
      refuse(nul, "a NUL character stands here, which no mail may have");
    }
  }

  // What is read bounds the work: a partial without text may be used as often as any other.
  void count_reading(std::size_t partial, const std::string& indentation) {
    constexpr std::size_t tag_bytes = 64;
    read_bytes_ += text_of(partial).size() + indentation.size() + tag_bytes;
  }

  void take(OpenSource& source) {
    Bytes text;
    std::optional<MustacheTag> tag;
    if (auto taken = source.scanner.take(text, tag); !taken) {
      return refuse(taken.error().offset, std::move(taken.error().reason));
    }
    add_text(source, text);
    if (tag) {
      return add_tag(source, *tag);
    }
    if (sections_.size() > source.sections_before) {
      const MustacheTag& open_tag = sections_.back().tag;
      return refuse(open_tag.offset,
                    fmt::format("the section {} is not closed", in_quotes(open_tag.content)));
    }
    sources_.pop_back();
  }

  // Text with the indentation of its source in front of each line that is not empty.
  void add_text(OpenSource& source, Bytes text) {
    if (source.indentation.empty()) {
      return writer_.add_literal(text);
    }
    while (!text.empty()) {
      if (text.front() != '\n' && !text.starts_with("\r\n")) {
        indent(source);
      }
      const std::size_t end = text.find('\n');
      const Bytes line = text.substr(0, end == Bytes::npos ? end : end + 1);
      writer_.add_literal(line);
      source.at_line_start = end != Bytes::npos;
      text.remove_prefix(line.size());
    }
  }

  void indent(OpenSource& source) {
    if (source.at_line_start) {
      writer_.add_literal(source.indentation);
    }
    source.at_line_start = false;
  }

  // ---- Tags -------------------------------------------------------------------------------------

  void add_tag(OpenSource& source, const MustacheTag& tag) {
    if (!tag.standalone) {
      indent(source);
    }
    switch (tag.kind) {
      case MustacheTag::Kind::value:
      case MustacheTag::Kind::raw_value:
        return add_value(tag);
      case MustacheTag::Kind::section:
      case MustacheTag::Kind::inverted:
        return open_section(tag);
      case MustacheTag::Kind::section_end:
        return close_section(source, tag);
      case MustacheTag::Kind::partial:
        return add_partial(source, tag);
      case MustacheTag::Kind::comment:
      case MustacheTag::Kind::delimiters:
        return;
    }
  }

  void add_value(const MustacheTag& tag) {
    const std::size_t bar = tag.content.find('|');
    Bytes name = tag.content.substr(0, bar);
    name = name.substr(0, name.find_last_not_of(" \t\r\n") + 1);
    if (!check_name(tag, name)) {
      return;
    }
    std::vector<ValueFilter>& filters = writer_.program().filters;
    const std::size_t first = filters.size();
    if (bar != Bytes::npos) {
      if (auto parsed = parse_value_filters(tag.content.substr(bar + 1), filters); !parsed) {
        return refuse(tag.offset, std::move(parsed.error()));
      }
    }
    bool has_default = false;
    bool escaped = tag.kind == MustacheTag::Kind::value;
    for (std::size_t i = first; i < filters.size(); ++i) {
      has_default = has_default || filters[i].kind == ValueFilter::Kind::default_text;
      escaped = escaped && filters[i].kind != ValueFilter::Kind::html;
    }
    const std::uint32_t number =
        intern(name, !has_default && sections_.empty() && body_depth_ == 0);
    writer_.add({.kind = StepKind::value,
                 .escaped = escaped,
                 .filter_count = static_cast<std::uint8_t>(filters.size() - first),
                 .index = number,
                 .first_filter = static_cast<std::uint32_t>(first)});
  }

  void open_section(const MustacheTag& tag) {
    if (tag.content.find('|') != Bytes::npos) {
      return refuse(tag.offset, "a section takes no filter: filters are for values");
    }
    if (!check_name(tag, tag.content)) {
      return;
    }
    if (sections_.size() == limits::template_depth_max) {
      return refuse(tag.offset,
                    fmt::format("sections are nested deeper than {}", limits::template_depth_max));
    }
    const bool inverted = tag.kind == MustacheTag::Kind::inverted;
    const std::uint32_t name = intern(tag.content, false);
    const std::uint32_t step =
        writer_.add({.kind = inverted ? StepKind::inverted : StepKind::section, .index = name});
    sections_.push_back({step, tag});
  }

  void close_section(const OpenSource& source, const MustacheTag& tag) {
    if (sections_.size() == source.sections_before) {
      return refuse(tag.offset, fmt::format("{} is closed, and no section is open here",
                                            in_quotes(tag.content)));
    }
    const OpenSection& section = sections_.back();
    if (section.tag.content != tag.content) {
      return refuse(tag.offset, fmt::format("{} is closed, and the section that is open is {}{}",
                                            in_quotes(tag.content), in_quotes(section.tag.content),
                                            hint_of(section.tag.content)));
    }
    const bool inverted = section.tag.kind == MustacheTag::Kind::inverted;
    const std::uint32_t end =
        writer_.add({.kind = inverted ? StepKind::inverted_end : StepKind::section_end,
                     .target = section.step});
    writer_.program().steps[section.step].target = end;
    sections_.pop_back();
  }

  // Those who come from Handlebars.
  static Bytes hint_of(Bytes name) {
    const Bytes word = name.substr(0, name.find(' '));
    const bool known = word == "if" || word == "each" || word == "unless" || word == "with";
    return known && word.size() < name.size()
               ? " (mustache has no helpers: {{#name}}...{{/name}} is if, each and with, and "
                 "{{^name}}...{{/name}} is unless)"
               : "";
  }

  bool check_name(const MustacheTag& tag, Bytes name) {
    if (name == ".") {
      return true;
    }
    if (name.empty()) {
      refuse(tag.offset, "this tag has no name");
    } else if (Bytes("<$*").find(name.front()) != Bytes::npos) {
      refuse(tag.offset, fmt::format("{} asks for inheritance or dynamic names, which ringpost's "
                                     "templates do not have",
                                     in_quotes(name)));
    } else if (name.front() == '.' || name.back() == '.' || name.find("..") != Bytes::npos) {
      refuse(tag.offset, fmt::format("the name {} has an empty part", in_quotes(name)));
    }
    return !error_;
  }

  std::uint32_t intern(Bytes name, bool required) {
    Mustache::Program& program = writer_.program();
    const std::uint32_t number = writer_.intern(name);
    if (name == ".") {
      return number;
    }
    uses_.resize(program.names.size());
    if (!uses_[number].listed) {
      uses_[number].listed = true;
      program.value_names.emplace_back(name);
    }
    if (required && !uses_[number].required) {
      uses_[number].required = true;
      program.required_names.emplace_back(name);
    }
    return number;
  }

  // ---- Partials ---------------------------------------------------------------------------------

  void add_partial(const OpenSource& source, const MustacheTag& tag) {
    if (tag.content.front() == '*') {
      check_name(tag, tag.content);
      return;
    }
    const auto found = partial_numbers_.find(tag.content);
    if (found == partial_numbers_.end()) {
      return;
    }
    const std::size_t partial = found->second;
    std::string indentation;
    if (tag.standalone) {
      indentation = source.indentation;
      indentation += tag.indentation;
    }
    const auto same = std::find_if(sources_.rbegin(), sources_.rend(),
                                   [&](const OpenSource& one) { return one.partial == partial; });
    if (same == sources_.rend()) {
      if (sources_.size() > limits::template_depth_max) {
        return refuse(tag.offset, fmt::format("partials are nested deeper than {}",
                                              limits::template_depth_max));
      }
      return open(partial, std::move(indentation));
    }
    if (same->sections_before == sections_.size()) {
      return refuse(tag.offset, fmt::format("the partial {} is within itself without a section "
                                            "between, so it would never end",
                                            in_quotes(tag.content)));
    }
    add_call(partial, std::move(indentation));
  }

  void add_call(std::size_t partial, std::string indentation) {
    const std::uint32_t name = writer_.intern(partials_[partial].name);
    if (body_depth_ == limits::template_depth_max) {
      writer_.add({.kind = StepKind::too_deep, .index = name});
      return;
    }
    const auto [found, is_new] = body_numbers_.try_emplace({partial, indentation}, bodies_.size());
    if (is_new) {
      count_reading(partial, indentation);
      bodies_.push_back(
          {.partial = partial, .indentation = std::move(indentation), .depth = body_depth_ + 1});
    }
    // Until all are written it is the number of the body.
    writer_.add({.kind = StepKind::call,
                 .index = name,
                 .target = static_cast<std::uint32_t>(found->second)});
  }

  void finish() {
    for (MustacheStep& step : writer_.program().steps) {
      if (step.kind == StepKind::call) {
        step.target = bodies_[step.target].first_step;
      }
    }
  }

  // ---- Errors -----------------------------------------------------------------------------------

  // Of the source that is being read.
  void refuse(std::size_t offset, std::string reason) {
    const std::size_t partial = sources_.empty() ? no_partial : sources_.back().partial;
    const Bytes before = text_of(partial).substr(0, offset);
    const std::size_t line = before.rfind('\n');
    TemplateError error;
    error.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    error.column = before.size() - (line == Bytes::npos ? 0 : line + 1) + 1;
    error.partial = partial == no_partial ? "" : partials_[partial].name;
    error.reason = std::move(reason);
    error_ = std::move(error);
  }

  Bytes source_;
  std::span<const Partial> partials_;
  std::unordered_map<Bytes, std::size_t> partial_numbers_;
  ProgramWriter writer_;
  std::vector<OpenSource> sources_;
  std::vector<OpenSection> sections_;
  std::vector<Body> bodies_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> body_numbers_;
  std::size_t body_depth_ = 0;  // of what is written; 0: the template itself
  std::size_t read_bytes_ = 0;
  std::vector<Use> uses_;  // of each name
  std::optional<TemplateError> error_;
};

}  // namespace

Steps parse_mustache(Bytes source, std::span<const Partial> partials) {
  return MustacheParser(source, partials).run();
}

}  // namespace ringpost::codec
