// The problem: tags that are no values take their line with them where they stand alone on it, and
// delimiters change on the way. The idea: the delimiter that opens is looked for, then the one that
// closes; whether anything else is on the line is seen by the blanks around, since whatever stands
// there, another tag too, begins and ends with something else. Limits: octets are compared, so a
// blank is a space or a tab; a line ends with LF or CRLF.
#include "codec/template/mustache_scanner.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/text/blanks.h"
#include "codec/text/shown_text.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

constexpr Bytes tag_blanks = " \t\r\n";
constexpr Bytes line_blanks = " \t";

bool may_stand_alone(MustacheTag::Kind kind) {
  return kind != MustacheTag::Kind::value && kind != MustacheTag::Kind::raw_value;
}

}  // namespace

Result<void, MustacheFlaw> MustacheScanner::take(Bytes& text, std::optional<MustacheTag>& tag) {
  const std::size_t begin = position_;
  const std::size_t offset = source_.find(open_, begin);
  tag.reset();
  if (offset == Bytes::npos) {
    text = source_.substr(begin);
    position_ = source_.size();
    return {};
  }
  auto taken = take_tag(offset);
  if (!taken) {
    return Failure(std::move(taken.error()));
  }
  tag = *taken;
  if (may_stand_alone(tag->kind)) {
    find_line_of(*tag);
  }
  text = source_.substr(begin, offset - tag->indentation.size() - begin);
  return {};
}

Result<MustacheTag, MustacheFlaw> MustacheScanner::take_tag(std::size_t offset) {
  const std::size_t inside = offset + open_.size();
  // `{{ #name }}` is what people write who like room. Two signs stand at either end of their tag,
  // and directly beside the delimiters.
  const std::size_t first = std::min(source_.find_first_not_of(tag_blanks, inside), source_.size());
  char sigil = first < source_.size() ? source_[first] : '\0';
  const bool paired = first == inside && (sigil == '{' || sigil == '=');
  if (!paired && (sigil == '\0' || Bytes("&#^/>!").find(sigil) == Bytes::npos)) {
    sigil = '\0';
  }
  std::string close = !paired ? "" : sigil == '{' ? "}" : "=";
  close += close_;
  const std::size_t begin = sigil == '\0' ? inside : first + 1;
  const std::size_t end = source_.find(close, begin);
  if (end == Bytes::npos) {
    return Failure(MustacheFlaw{
        offset, fmt::format("this tag has no end: {} does not follow", in_quotes(close))});
  }
  position_ = end + close.size();
  return tag_of(sigil, without_outer_blanks(source_.substr(begin, end - begin), tag_blanks),
                offset);
}

Result<MustacheTag, MustacheFlaw> MustacheScanner::tag_of(char sigil, Bytes content,
                                                          std::size_t offset) {
  using Kind = MustacheTag::Kind;
  MustacheTag tag{.kind = Kind::value, .content = content, .offset = offset};
  switch (sigil) {
    case '{':
    case '&':
      tag.kind = Kind::raw_value;
      break;
    case '#':
      tag.kind = Kind::section;
      break;
    case '^':
      tag.kind = Kind::inverted;
      break;
    case '/':
      tag.kind = Kind::section_end;
      break;
    case '>':
      tag.kind = Kind::partial;
      break;
    case '!':
      tag.kind = Kind::comment;
      break;
    case '=':
      tag.kind = Kind::delimiters;
      if (auto set = set_delimiters(content, offset); !set) {
        return Failure(std::move(set.error()));
      }
      break;
    default:
      break;
  }
  if (content.empty() && tag.kind != Kind::comment) {
    return Failure(MustacheFlaw{offset, "this tag is empty: it has no name"});
  }
  return tag;
}

Result<void, MustacheFlaw> MustacheScanner::set_delimiters(Bytes words, std::size_t offset) {
  const std::size_t blank = words.find_first_of(tag_blanks);
  const Bytes open = words.substr(0, blank);
  const Bytes close =
      blank == Bytes::npos ? Bytes() : without_outer_blanks(words.substr(blank), tag_blanks);
  const auto is_delimiter = [](Bytes word) {
    return !word.empty() && word.size() <= limits::template_delimiter_bytes_max &&
           word.find_first_of(" \t\r\n=") == Bytes::npos;
  };
  if (!is_delimiter(open) || !is_delimiter(close)) {
    return Failure(MustacheFlaw{
        offset, fmt::format("delimiters are set by two words of at most {} octets without =, as in "
                            "{{{{=<% %>=}}}}",
                            limits::template_delimiter_bytes_max)});
  }
  open_ = open;
  close_ = close;
  return {};
}

// Takes the rest of its line where nothing else is on it.
void MustacheScanner::find_line_of(MustacheTag& tag) {
  const Bytes before = source_.substr(0, tag.offset);
  const std::size_t last = before.find_last_not_of(line_blanks);
  const std::size_t line = last == Bytes::npos ? 0 : last + 1;
  std::size_t end = std::min(source_.find_first_not_of(line_blanks, position_), source_.size());
  if (source_.substr(end).starts_with("\r\n")) {
    ++end;
  }
  const bool ends_line = end == source_.size() || source_[end] == '\n';
  if (ends_line && (line == 0 || source_[line - 1] == '\n')) {
    tag.standalone = true;
    tag.indentation = source_.substr(line, tag.offset - line);
    position_ = std::min(end + 1, source_.size());
  }
}

}  // namespace ringpost::codec
