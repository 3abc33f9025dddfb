// Rows of tables as RFC 4180 has them, with whatever delimiter: where one ends, and its fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <ringpost/base.h>

namespace ringpost::codec {

// What may stand between fields, the likeliest first.
inline constexpr Bytes csv_delimiters = ",;\t|";

// The one of them that stands most often in a header row, outside of quotes; a comma where none
// does.
[[nodiscard]] char find_csv_delimiter(Bytes header_row);

// Finds the ends of records in octets that come piece by piece. A quote opens a field at the
// field's begin only, as in `CsvRecord`, so an inch in the middle of a text is no quote.
class CsvCut {
 public:
  // At the begin of a record. No delimiter: of a header row, in which any of them may be it.
  void begin(char delimiter) {
    delimiter_ = delimiter;
    restart();
  }
  // The same once more.
  void restart() {
    previous_ = '\n';
    is_quoted_ = is_closed_ = has_ended_ = false;
    inner_lines_ = 0;
  }
  // Where in `octets`, which follow those that were seen, stands the newline that ends the record;
  // npos: nowhere yet. Behind an end it is at the begin of the next record.
  [[nodiscard]] std::size_t find_end(Bytes octets);
  // Newlines within the record: of the one that has ended, or so far.
  [[nodiscard]] std::uint64_t inner_lines() const { return inner_lines_; }

 private:
  [[nodiscard]] bool opens(char previous) const;
  [[nodiscard]] std::size_t pass_quoted(Bytes octets, std::size_t at);

  char delimiter_ = ',';
  char previous_ = '\n';    // the octet in front of what comes
  bool is_quoted_ = false;  // within a field that a quote has opened
  bool is_closed_ = false;  // the last octet was the quote that closed it, unless another follows
  bool has_ended_ = false;  // the next octet begins a record
  std::uint64_t inner_lines_ = 0;
};

struct CsvError {
  enum class Kind : std::uint8_t {
    text_behind_quote,  // `"ann"a`: a quote within a field is doubled
    open_quote,         // the record ends within quotes
  };
  Kind kind = Kind::open_quote;
  std::size_t field = 0;  // from 0
  std::size_t line = 0;   // from 0: of the record's own

  // A clause for people.
  [[nodiscard]] std::string_view reason() const;
};

// The fields of one record after the other. Its memory is kept, so that none is allocated for a
// record that is no larger than those before.
class CsvRecord {
 public:
  // `record` is lent until the next call; its line end, LF or CRLF, may be there or not. After an
  // error the fields are those in front of the one that is to blame.
  [[nodiscard]] Result<void, CsvError> read(Bytes record, char delimiter);

  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  // Without quotes. Precondition: `index` is below size().
  [[nodiscard]] Bytes operator[](std::size_t index) const { return fields_[index]; }

 private:
  std::vector<Bytes> fields_;
  std::string unquoted_;  // of fields with doubled quotes; has room for all of the record
};

}  // namespace ringpost::codec
