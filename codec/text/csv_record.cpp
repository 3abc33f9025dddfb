// Problem: a field in quotes may have delimiters and line ends in it, so the end of a record is not
// the next newline, and a file is read by the block.
//
// Idea: a quote means something at the begin of a field, and within one that began so; whoever cuts
// records and whoever splits them go by that alone. The cut looks for the newline, and octet by
// octet only where a quote stands in front of it. Fields are views into the record; those with
// doubled quotes are written anew.
//
// Limits: a quote that nobody closes takes what follows into its field, up to the next quote; the
// bound on a record is its reader's. Line ends are LF and CRLF; a file with CR alone is one record.
#include "codec/text/csv_record.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ringpost::codec {

namespace {

Bytes without_line_end(Bytes record) {
  for (const char end : {'\n', '\r'}) {
    if (!record.empty() && record.back() == end) {
      record.remove_suffix(1);
    }
  }
  return record;
}

}  // namespace

char find_csv_delimiter(Bytes header_row) {
  std::array<std::size_t, csv_delimiters.size()> counts{};
  bool is_quoted = false;
  for (const char c : header_row) {
    is_quoted = is_quoted != (c == '"');
    const std::size_t which = csv_delimiters.find(c);
    if (which != Bytes::npos && !is_quoted) {
      ++counts[which];
    }
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return csv_delimiters[static_cast<std::size_t>(most - counts.begin())];
}

// ---- Where records end --------------------------------------------------------------------------

bool CsvCut::opens(char previous) const {
  return previous == '\n' || (delimiter_ == '\0' ? csv_delimiters.find(previous) != Bytes::npos
                                                 : previous == delimiter_);
}

std::size_t CsvCut::find_end(Bytes octets) {
  if (has_ended_) {
    restart();
  }
  std::size_t at = 0;
  while (at < octets.size()) {
    if (is_quoted_) {
      at = pass_quoted(octets, at);
      continue;
    }
    const std::size_t end = octets.find('\n', at);
    const std::size_t quote = octets.substr(0, end).find('"', at);
    if (quote == Bytes::npos) {
      is_closed_ = false;
      previous_ = octets.back();
      has_ended_ = end != Bytes::npos;
      return end;
    }
    const char previous = quote > 0 ? octets[quote - 1] : previous_;
    const bool is_second = is_closed_ && quote == at;
    is_quoted_ = is_second || opens(previous);
    is_closed_ = false;
    previous_ = '"';
    at = quote + 1;
  }
  return Bytes::npos;
}

// Up to the quote that closes the field, or is the first of two.
std::size_t CsvCut::pass_quoted(Bytes octets, std::size_t at) {
  const std::size_t quote = std::min(octets.find('"', at), octets.size());
  inner_lines_ += static_cast<std::uint64_t>(
      std::count(octets.begin() + static_cast<std::ptrdiff_t>(at),
                 octets.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
  if (quote == octets.size()) {
    return quote;
  }
  is_quoted_ = false;
  is_closed_ = true;
  previous_ = '"';
  return quote + 1;
}

// ---- Their fields -------------------------------------------------------------------------------

std::string_view CsvError::reason() const {
  switch (kind) {
    case Kind::text_behind_quote:
      return "text stands behind the quote that closes it; a quote within a field in quotes is "
             "written twice";
    case Kind::open_quote:
      return "its quote is never closed";
  }
  return {};
}

Result<void, CsvError> CsvRecord::read(Bytes record, char delimiter) {
  record = without_line_end(record);
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(record.size());  // so that views into it stay
  std::size_t at = 0;
  const auto error = [&](CsvError::Kind kind, std::size_t end) {
    const Bytes in_front = record.substr(0, end);
    const auto lines = std::count(in_front.begin(), in_front.end(), '\n');
    return Failure(CsvError{kind, fields_.size(), static_cast<std::size_t>(lines)});
  };
  while (true) {
    if (at == record.size() || record[at] != '"') {
      const std::size_t end = std::min(record.find(delimiter, at), record.size());
      fields_.push_back(record.substr(at, end - at));
      at = end;
    } else {
      const std::size_t begin = at + 1;
      const std::size_t unquoted_begin = unquoted_.size();
      std::size_t copied = begin;
      std::size_t quote = record.find('"', begin);
      while (quote != Bytes::npos && quote + 1 < record.size() && record[quote + 1] == '"') {
        unquoted_.append(record.substr(copied, quote + 1 - copied));
        copied = quote + 2;
        quote = record.find('"', copied);
      }
      if (quote == Bytes::npos) {
        return error(CsvError::Kind::open_quote, at);
      }
      if (quote + 1 < record.size() && record[quote + 1] != delimiter) {
        return error(CsvError::Kind::text_behind_quote, quote);
      }
      if (copied == begin) {
        fields_.push_back(record.substr(begin, quote - begin));
      } else {
        unquoted_.append(record.substr(copied, quote - copied));
        fields_.push_back(Bytes(unquoted_).substr(unquoted_begin));
      }
      at = quote + 1;
    }
    if (at == record.size()) {
      return {};
    }
    ++at;  // the delimiter
  }
}

}  // namespace ringpost::codec
