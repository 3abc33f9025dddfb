// What goes out as a message, in pieces that many messages may share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ringpost/base.h>
#include <ringpost/limits.h>

namespace ringpost {

namespace queue {
class MessagePool;
}

// What happens to text whose lines end with a lone LF.
enum class NewlinePolicy : std::uint8_t {
  normalize,  // converted to CRLF when the whole text uses it; a mix is refused
  strict,     // refused
};

enum class ContentErrorKind : std::uint8_t {
  nul,             // RFC 5321 4.5.2: content is text, and NUL is none
  bare_cr,         // a CR without its LF
  bare_lf,         // a lone LF under NewlinePolicy::strict
  mixed_newlines,  // some lines end with CRLF and some with a lone LF
  line_too_long,   // above limits::content_line_bytes_max
};

struct ContentError {
  ContentErrorKind kind = ContentErrorKind::nul;
  std::size_t offset = 0;  // of the octet, from 0, in the text as it was given
  std::size_t line = 0;    // of that octet, from 1

  // A clause for people, with line and octet.
  [[nodiscard]] RINGPOST_API std::string message() const;
};

// What octets are like as they stand. Of two pieces in a row it is front + back, and of none {}.
struct ContentTraits {
  std::uint64_t bytes = 0;
  // Without line ends: up to the first, behind the last, and the longest of all, where those below
  // 64 octets count as 64.
  std::uint32_t first_line_bytes = 0;
  std::uint32_t last_line_bytes = 0;
  std::uint32_t longest_line_bytes = 0;
  bool has_line_end = false;
  bool has_8bit = false;
  bool begins_with_dot = false;  // which has to be stuffed where a line begins there
  bool has_leading_dot = false;  // on a line that begins within

  [[nodiscard]] bool ends_with_crlf() const { return has_line_end && last_line_bytes == 0; }
  // Of a whole content.
  [[nodiscard]] bool needs_stuffing() const { return begins_with_dot || has_leading_dot; }
  // The end of data has to end the last line, too.
  [[nodiscard]] bool has_open_line() const { return bytes > 0 && !ends_with_crlf(); }
  RINGPOST_API friend ContentTraits operator+(const ContentTraits& front,
                                              const ContentTraits& back);
  bool operator==(const ContentTraits&) const = default;
};

// Immutable pieces that many messages share, with one count of their users, since a count for each
// piece would be a contended line for each. Made by a ContentMaker.
class RINGPOST_API SegmentStore {
 public:
  SegmentStore(const SegmentStore&) = delete;
  SegmentStore& operator=(const SegmentStore&) = delete;

  [[nodiscard]] std::size_t count() const { return segments_.size(); }
  [[nodiscard]] Bytes octets(std::size_t segment) const { return segments_[segment].octets; }
  [[nodiscard]] const ContentTraits& traits(std::size_t segment) const {
    return segments_[segment].traits;
  }
  // Octets it holds, for back-pressure.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  friend class ContentMaker;
  friend class queue::MessagePool;
  struct Segment {
    std::string octets;
    ContentTraits traits;
  };

  SegmentStore() = default;

  std::vector<Segment> segments_;
  std::size_t bytes_ = 0;
  mutable std::size_t messages_out_ = 0;  // that use it; the pool's, under its lock
};
using SegmentStorePtr = std::shared_ptr<const SegmentStore>;

// The RFC 5322 message as it goes out, but for dots that are stuffed: CRLF line ends only, no bare
// CR or LF, no NUL, no line above limits::content_line_bytes_max. Own text, or pieces in a row: of
// own text, and shared ones. Only a ContentMaker makes one.
class RINGPOST_API Content {
 public:
  Content() = default;
  ~Content() = default;
  Content(const Content& other);
  Content& operator=(const Content& other);
  Content(Content&&) = default;
  Content& operator=(Content&&) = default;

  [[nodiscard]] const ContentTraits& traits() const { return traits_; }
  [[nodiscard]] std::uint64_t bytes() const { return traits_.bytes; }
  [[nodiscard]] bool empty() const { return traits_.bytes == 0; }

  // A ContentMaker has made it, or it is empty. One that was opened and not sealed is not sent.
  [[nodiscard]] bool is_sealed() const {
    return traits_.longest_line_bytes != 0
               ? traits_.longest_line_bytes <= limits::content_line_bytes_max &&
                     (!is_whole() || own_.size() == traits_.bytes)
               : traits_.bytes == 0 && own_.empty();
  }
  // One at least; but for that one, none is empty. None ends between CR and LF.
  [[nodiscard]] std::size_t piece_count() const { return is_whole() ? 1 : parts_->pieces.size(); }
  [[nodiscard]] Bytes piece(std::size_t index) const {
    return is_whole() ? Bytes(own_) : piece_of_several(index);
  }
  // Whether a line begins with it: where it begins with a dot, that is to be stuffed.
  [[nodiscard]] bool piece_begins_line(std::size_t index) const {
    return is_whole() || parts_->pieces[index].begins_line;
  }
  // Whether it has a dot to be stuffed.
  [[nodiscard]] bool piece_needs_stuffing(std::size_t index) const {
    return is_whole() ? traits_.needs_stuffing() : parts_->pieces[index].needs_stuffing;
  }
  // All of it in one, for those to whom its pieces mean nothing.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const SegmentStore* shared() const {
    return parts_ == nullptr ? nullptr : parts_->shared.get();
  }
  // What its own buffers hold of memory.
  [[nodiscard]] std::size_t own_bytes() const {
    return own_.capacity() +
           (parts_ == nullptr ? 0 : sizeof(Parts) + parts_->pieces.capacity() * sizeof(Piece));
  }
  // Empty; the memory of a text is kept for the next, up to limits::job_bytes_kept_max.
  void clear();
  // Frees what an unusually large content has swollen, and what is shared. What it says is lost.
  void give_up_memory();
  // For hints to the processor.
  [[nodiscard]] const char* own_data() const { return own_.data(); }

 private:
  friend class ContentMaker;
  static constexpr std::uint32_t own_segment = UINT32_MAX;
  struct Piece {
    std::uint32_t segment = own_segment;
    std::uint32_t offset = 0;  // in the own text
    std::uint32_t bytes = 0;
    bool begins_line = false;
    bool needs_stuffing = false;
  };

  struct Parts {
    std::vector<Piece> pieces;
    SegmentStorePtr shared;
  };

  // The own text is all of it.
  [[nodiscard]] bool is_whole() const { return parts_ == nullptr || parts_->pieces.empty(); }
  [[nodiscard]] Bytes piece_of_several(std::size_t index) const;

  // In front what is asked for when its octets are not wanted any more. All of it has as much as a
  // cache line: it goes from core to core.
  ContentTraits traits_;
  std::string own_;
  std::unique_ptr<Parts> parts_;  // nearly all have none
};

// Makes contents, and is all that does: what it has made may be sent as it stands (RFC 5321 2.3.8:
// what smuggling is made of cannot be in it). Thread: one.
class RINGPOST_API ContentMaker {
 public:
  explicit ContentMaker(NewlinePolicy newlines = NewlinePolicy::normalize) : newlines_(newlines) {}

  // A content of one text. It is written into open(), and sealed before anything else is done with
  // the content; or assigned. Lone LFs become CRLF where the policy says so. An error names the
  // first offence, and leaves the text as it was.
  [[nodiscard]] static std::string& open(Content& content);
  [[nodiscard]] Result<void, ContentError> seal(Content& content) const;
  [[nodiscard]] Result<void, ContentError> assign(Content& content, Bytes text) const;
  // It will not be sent, and is not sealed: only how large it is can be asked for.
  static void abandon(Content& content);

  // Pieces to be shared. Each must be fit to be sent by itself, but for the length of the lines at
  // its ends.
  [[nodiscard]] Result<SegmentStorePtr, ContentError> share(std::span<const Bytes> texts) const;

  // A content of several pieces: begin(), then each in its order, then finish(), which is where a
  // value that is not fit to be sent shows, or a line that became too long across seams.
  void begin(Content& content, SegmentStorePtr shared);
  void add_segment(Content& content, std::size_t segment);
  void add_value(Content& content, Bytes value);
  [[nodiscard]] Result<void, ContentError> finish(Content& content);

 private:
  void add_piece(Content& content, Content::Piece piece, const ContentTraits& traits);
  static void leave_open(Content& content);

  NewlinePolicy newlines_;
  std::optional<ContentError> error_;  // of the content being put together
};

}  // namespace ringpost
