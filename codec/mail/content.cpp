// The problem: a campaign is one text with a few words that differ, and a copy of it for each
// message costs memory and time; but what goes out must have been checked as a whole, or a value
// that ends with CR in front of a text that begins with LF makes a line end that nobody saw. The
// idea: each piece is checked by itself and keeps what a check of the whole would want to know of
// it, so that traits of pieces add up to those of the whole without an octet being read again. A
// piece is refused that has a CR without its LF, so none of them can be split by a seam. Limits: a
// content has less than 4 GB of own text, and pieces of one store.
#include <algorithm>
#include <optional>

#include "codec/mail/content_check.h"
#include "codec/text/reusable_text.h"
#include <ringpost/content.h>
#include <ringpost/limits.h>

namespace ringpost {

namespace {

// What most templates have, and little beside a message.
constexpr std::size_t pieces_kept_max = 256;

}  // namespace

// Whoever passes over an error sends nothing: Content::is_sealed().
void ContentMaker::leave_open(Content& content) {
  content.traits_.longest_line_bytes = UINT32_MAX;
}

ContentTraits operator+(const ContentTraits& front, const ContentTraits& back) {
  if (front.bytes == 0 || back.bytes == 0) {
    return front.bytes == 0 ? back : front;
  }
  ContentTraits both;
  both.bytes = front.bytes + back.bytes;
  both.has_line_end = front.has_line_end || back.has_line_end;
  const std::uint32_t seam = front.last_line_bytes + back.first_line_bytes;
  both.first_line_bytes = front.has_line_end ? front.first_line_bytes : seam;
  both.last_line_bytes = back.has_line_end ? back.last_line_bytes : seam;
  both.longest_line_bytes = std::max({front.longest_line_bytes, back.longest_line_bytes, seam});
  both.has_8bit = front.has_8bit || back.has_8bit;
  both.begins_with_dot = front.begins_with_dot;
  both.has_leading_dot = front.has_leading_dot || back.has_leading_dot ||
                         (back.begins_with_dot && front.ends_with_crlf());
  return both;
}

// ---- Content ------------------------------------------------------------------------------------

Content::Content(const Content& other)
    : traits_(other.traits_),
      own_(other.own_),
      parts_(other.parts_ == nullptr ? nullptr : std::make_unique<Parts>(*other.parts_)) {}

Content& Content::operator=(const Content& other) { return *this = Content(other); }

Bytes Content::piece_of_several(std::size_t index) const {
  const Piece& piece = parts_->pieces[index];
  return piece.segment == own_segment ? Bytes(own_).substr(piece.offset, piece.bytes)
                                      : parts_->shared->octets(piece.segment);
}

std::string Content::text() const {
  std::string whole;
  whole.reserve(traits_.bytes);
  for (std::size_t i = 0; i < piece_count(); ++i) {
    whole += piece(i);
  }
  return whole;
}

void Content::clear() {
  codec::empty(own_);
  traits_ = {};
  if (parts_ != nullptr) {
    parts_->pieces.clear();
    parts_->shared.reset();
  }
}

void Content::give_up_memory() {
  codec::shrink(own_);
  const bool is_large = parts_ != nullptr && parts_->pieces.capacity() > pieces_kept_max;
  if (!is_whole() || is_large) {
    clear();
  }
  if (is_large) {
    parts_.reset();
  }
}

// ---- ContentMaker -------------------------------------------------------------------------------

std::string& ContentMaker::open(Content& content) {
  content.clear();
  return content.own_;
}

Result<void, ContentError> ContentMaker::seal(Content& content) const {
  const auto traits = codec::canonicalise(content.own_, newlines_);
  if (!traits) {
    abandon(content);
    return Failure(traits.error());
  }
  content.traits_ = *traits;
  return {};
}

void ContentMaker::abandon(Content& content) {
  content.traits_ = {};
  content.traits_.bytes = content.own_.size();
}

Result<void, ContentError> ContentMaker::assign(Content& content, Bytes text) const {
  open(content).assign(text);
  return seal(content);
}

Result<SegmentStorePtr, ContentError> ContentMaker::share(std::span<const Bytes> texts) const {
  std::shared_ptr<SegmentStore> store(new SegmentStore);
  store->segments_.reserve(texts.size());
  store->bytes_ = sizeof(SegmentStore) + texts.size() * sizeof(SegmentStore::Segment);
  for (const Bytes text : texts) {
    SegmentStore::Segment& segment = store->segments_.emplace_back();
    segment.octets.assign(text);
    const auto traits = codec::canonicalise_text(segment.octets, newlines_);
    if (!traits) {
      return Failure(traits.error());
    }
    segment.traits = *traits;
    store->bytes_ += segment.octets.capacity();
  }
  return SegmentStorePtr(std::move(store));
}

void ContentMaker::begin(Content& content, SegmentStorePtr shared) {
  content.clear();
  if (content.parts_ == nullptr) {
    content.parts_ = std::make_unique<Content::Parts>();
  }
  content.parts_->shared = std::move(shared);
  error_.reset();
}

void ContentMaker::add_segment(Content& content, std::size_t segment) {
  const ContentTraits& traits = content.parts_->shared->traits(segment);
  add_piece(content,
            {static_cast<std::uint32_t>(segment), 0, static_cast<std::uint32_t>(traits.bytes)},
            traits);
}

void ContentMaker::add_value(Content& content, Bytes value) {
  const std::size_t offset = content.own_.size();
  content.own_ += value;
  std::optional<ContentTraits> traits =
      codec::traits_of_canonical(Bytes(content.own_).substr(offset));
  if (!traits) {
    content.own_.resize(offset);
    std::string canonical(value);
    auto put_in_order = codec::canonicalise_text(canonical, newlines_);
    if (!put_in_order) {
      error_ = error_ ? error_ : put_in_order.error();
      leave_open(content);
      return;
    }
    content.own_ += canonical;
    traits = *put_in_order;
  }
  add_piece(content,
            {Content::own_segment, static_cast<std::uint32_t>(offset),
             static_cast<std::uint32_t>(content.own_.size() - offset)},
            *traits);
}

void ContentMaker::add_piece(Content& content, Content::Piece piece, const ContentTraits& traits) {
  if (traits.bytes == 0) {
    return;
  }
  piece.begins_line = content.traits_.bytes == 0 || content.traits_.ends_with_crlf();
  piece.needs_stuffing = traits.has_leading_dot || (piece.begins_line && traits.begins_with_dot);
  std::vector<Content::Piece>& pieces = content.parts_->pieces;
  const bool goes_on = piece.segment == Content::own_segment && !pieces.empty() &&
                       pieces.back().segment == Content::own_segment;
  if (goes_on) {
    pieces.back().bytes += piece.bytes;
    pieces.back().needs_stuffing = pieces.back().needs_stuffing || piece.needs_stuffing;
  } else {
    pieces.push_back(piece);
  }
  content.traits_ = content.traits_ + traits;
  if (error_) {
    leave_open(content);
  }
}

Result<void, ContentError> ContentMaker::finish(Content& content) {
  if (error_) {
    return Failure(*error_);
  }
  if (content.traits_.longest_line_bytes > limits::content_line_bytes_max) {
    // Where it is, only the whole says.
    std::string whole = content.text();
    const auto offence = codec::canonicalise(whole, NewlinePolicy::strict);
    return Failure(offence ? ContentError{ContentErrorKind::line_too_long} : offence.error());
  }
  return {};
}

}  // namespace ringpost
