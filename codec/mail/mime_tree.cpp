// The problem: where a part ends is said by a line that may stand anywhere, and a file that was cut
// looks like a shorter message. The idea: from the outside inwards, so that no inner part sees the
// line of an outer one; a multipart without its last line is an error. Limits: text is read once
// for each level, of which there are few.
#include "codec/mail/mime_tree.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/header_field.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

Failure<MimeError> refuse_mime(MimeErrorKind kind, std::size_t offset, std::string reason) {
  return Failure(MimeError{kind, offset, std::move(reason)});
}

enum class BoundaryLine : std::uint8_t { none, between, last };

// RFC 2046 5.1.1: `--boundary`, for the last one `--`, and blanks that somebody may have added.
BoundaryLine boundary_line(Bytes line, Bytes boundary) {
  if (!line.starts_with("--") || line.substr(2, boundary.size()) != boundary) {
    return BoundaryLine::none;
  }
  line.remove_prefix(2 + boundary.size());
  const bool is_last = line.starts_with("--");
  line.remove_prefix(is_last ? 2 : 0);
  if (line.find_first_not_of(" \t") != Bytes::npos) {
    return BoundaryLine::none;
  }
  return is_last ? BoundaryLine::last : BoundaryLine::between;
}

class TreeReader {
 public:
  explicit TreeReader(Bytes text) : text_(text) {}

  Result<MimeTree, MimeError> run() {
    if (auto whole = add(text_, 0, ""); !whole) {
      return Failure(std::move(whole.error()));
    }
    // Grows while it is walked: children come behind everything that is there already.
    for (std::size_t index = 0; index < tree_.size(); ++index) {
      if (!tree_[index].is_multipart()) {
        continue;
      }
      if (auto done = split(index); !done) {
        return Failure(std::move(done.error()));
      }
    }
    return std::move(tree_);
  }

 private:
  [[nodiscard]] std::size_t offset_of(Bytes part) const {
    return static_cast<std::size_t>(part.data() - text_.data());
  }

  Result<void, MimeError> add(Bytes text, std::size_t depth, std::string number) {
    auto fields = read_mime_fields(text, offset_of(text));
    if (!fields) {
      return Failure(std::move(fields.error()));
    }
    MimePart part;
    part.fields = std::move(fields->fields);
    part.body = text.substr(fields->bytes);
    part.offset = offset_of(part.body);
    part.number = std::move(number);
    part.depth = depth;
    part.type.word = "text/plain";  // RFC 2045 5.2
    if (const MimeField* const type = part.find("Content-Type")) {
      auto value = read_mime_value(type->value);
      if (!value || value->word.find('/') == std::string::npos) {
        return refuse_mime(MimeErrorKind::field_value, type->offset,
                           "Content-Type " + (value ? "is no type/subtype" : value.error()));
      }
      part.type = std::move(*value);
    }
    tree_.push_back(std::move(part));
    return {};
  }

  Result<void, MimeError> split(std::size_t index) {
    const MimePart& whole = tree_[index];
    const std::string boundary(whole.type.text("boundary"));
    const std::size_t offset = whole.offset;
    const std::size_t depth = whole.depth + 1;
    if (boundary.empty()) {
      return refuse_mime(MimeErrorKind::no_boundary, offset,
                         fmt::format("begins a {} that names no boundary", whole.type.word));
    }
    if (depth > limits::mime_depth_max) {
      return refuse_mime(
          MimeErrorKind::too_deep, offset,
          fmt::format("begins parts within parts, more than {} deep", limits::mime_depth_max));
    }
    auto sections = sections_of(whole, boundary);
    if (!sections) {
      return Failure(std::move(sections.error()));
    }
    const std::string prefix = whole.number.empty() ? "" : whole.number + ".";
    for (std::size_t i = 0; i < sections->size(); ++i) {
      if (tree_.size() == limits::mime_parts_max) {
        return refuse_mime(
            MimeErrorKind::too_many_parts, offset_of((*sections)[i]),
            fmt::format("begins one part more than {}, which is the most that are read",
                        limits::mime_parts_max));
      }
      tree_[index].children.push_back(tree_.size());
      if (auto added = add((*sections)[i], depth, fmt::format("{}{}", prefix, i + 1)); !added) {
        return added;
      }
    }
    return {};
  }

  // The line end in front of a boundary belongs to it.
  static Result<std::vector<Bytes>, MimeError> sections_of(const MimePart& whole, Bytes boundary) {
    std::vector<Bytes> sections;
    std::optional<std::size_t> begin;
    for (std::size_t at = 0; at < whole.body.size();) {
      const std::size_t line_end = std::min(whole.body.find("\r\n", at), whole.body.size());
      const BoundaryLine kind = boundary_line(whole.body.substr(at, line_end - at), boundary);
      if (kind != BoundaryLine::none && begin) {
        const std::size_t end = std::max(*begin, at - 2);
        sections.push_back(whole.body.substr(*begin, end - *begin));
      }
      if (kind == BoundaryLine::last && begin) {
        return sections;
      }
      at = std::min(line_end + 2, whole.body.size());
      if (kind == BoundaryLine::between) {
        begin = at;
      }
    }
    if (!begin) {
      return refuse_mime(MimeErrorKind::no_boundary, whole.offset,
                         fmt::format("begins a {} in which no part begins", whole.type.word));
    }
    return refuse_mime(
        MimeErrorKind::cut, whole.offset,
        fmt::format("begins a {} without its last line, --{}--: the file may have been cut",
                    whole.type.word, boundary));
  }

  Bytes text_;
  MimeTree tree_;
};

}  // namespace

const MimeField* MimePart::find(Bytes name) const {
  const auto found = std::find_if(fields.begin(), fields.end(), [name](const MimeField& field) {
    return equal_field_names(field.name, name);
  });
  return found == fields.end() ? nullptr : &*found;
}

Result<MimeTree, MimeError> read_mime_tree(Bytes text) { return TreeReader(text).run(); }

}  // namespace ringpost::codec
