// Problem: who unsubscribed, who bounced, and who stands in a list twice must not have a message,
// and somebody has to be able to see why he had none.
//
// Idea: hashes of addresses in sets, each with the place where it was met. Addresses are the same
// whatever the case of their letters, in the local part, too: RFC 5321 2.4 lets a server tell them
// apart, no provider does, and people write their own address as they like.
//
// Limits: which of two equal addresses comes first is decided by the readers; one reader keeps the
// order of the files, as a run with a journal must, so that its resume finds the same.
#include "engine/run/recipient_lists.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/journal/journal_record.h"
#include "codec/mail/address.h"
#include "codec/template/merge_json.h"
#include "codec/text/csv_record.h"
#include "codec/text/shown_text.h"
#include "engine/run/job_input.h"
#include "engine/run/recipient_columns.h"

namespace ringpost::run {

namespace {

using codec::MergeData;

// `*@example.com`: everybody there.
constexpr Bytes everybody = "*@";

// From its at sign on.
std::uint64_t domain_key(Bytes address) { return address_key(address.substr(address.rfind('@'))); }

// What a line of a suppression file says.
struct Suppression {
  enum class Kind : std::uint8_t { address, domain, nothing, no_address };
  Kind kind = Kind::no_address;
  std::uint64_t key = 0;
};

Suppression suppression_of_text(Bytes text) {
  codec::Mailbox mailbox;
  const bool is_domain = text.starts_with(everybody);
  const std::string in_full = is_domain ? "x" + std::string(text.substr(1)) : std::string(text);
  if (!codec::parse_mailbox(in_full, mailbox)) {
    return {};
  }
  return is_domain ? Suppression{Suppression::Kind::domain, domain_key(mailbox.address)}
                   : Suppression{Suppression::Kind::address, address_key(mailbox.address)};
}

// One suppression file, line by line.
class SuppressionFile {
 public:
  // Of a table: the row that may be a header. True: it is one.
  bool take_header(const TableHeader& header) {
    header_ = header;
    const auto columns = RecipientColumns::read(header);
    column_ = columns ? columns->email : 0;
    return columns.has_value();
  }

  Suppression read(Bytes line) {
    if (header_.form == TableHeader::Form::jsonl) {
      return read_json(line);
    }
    if (!record_.read(line, header_.delimiter) || column_ >= record_.size()) {
      return {};
    }
    const Bytes text = record_[column_];
    const bool is_remark = text.empty() || text.starts_with('#');
    return is_remark ? Suppression{Suppression::Kind::nothing, 0} : suppression_of_text(text);
  }

 private:
  Suppression read_json(Bytes line) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin != Bytes::npos && line[begin] == '"') {
      wrapped_ = "{\"email\":" + std::string(line) + "}";
      line = wrapped_;
    }
    if (!json_.read(line, object_)) {
      return {};
    }
    const auto text_of = [&](Bytes name) {
      const MergeData::Node node = object_.find(MergeData::root, name);
      return node == MergeData::none ? Bytes() : object_.text(node);
    };
    const Bytes status = text_of("status");
    if (!status.empty() && status != name_of(Status::rejected)) {
      return {Suppression::Kind::nothing, 0};
    }
    const Bytes rcpt = text_of("rcpt");
    return suppression_of_text(rcpt.empty() ? text_of("email") : rcpt);
  }

  TableHeader header_;
  std::size_t column_ = 0;
  codec::CsvRecord record_;
  codec::MergeJson json_;
  MergeData object_;
  std::string wrapped_;
};

}  // namespace

// ---- Places -------------------------------------------------------------------------------------

LinePlaces::LinePlaces(std::vector<std::string> files) : files_(std::move(files)) {
  while (std::size_t{1} << file_bits_ < files_.size()) {
    ++file_bits_;
  }
}

std::uint32_t LinePlaces::place_of(std::size_t file, std::uint64_t line) const {
  const std::uint32_t known = line > line_mask() ? 0 : static_cast<std::uint32_t>(line);
  return file_bits_ == 0 ? known : known | static_cast<std::uint32_t>(file) << (32U - file_bits_);
}

const std::string& LinePlaces::file(std::uint32_t place) const {
  return files_[file_bits_ == 0 ? 0 : place >> (32U - file_bits_)];
}

std::string LinePlaces::text_of(std::uint32_t place, std::string_view unknown) const {
  if (line(place) == 0) {
    return std::string(unknown);
  }
  return files_.size() <= 1 ? fmt::format("line {}", line(place))
                            : fmt::format("{}:{}", file(place), line(place));
}

// ---- Suppression files --------------------------------------------------------------------------

RecipientLists::RecipientLists(const std::vector<std::string>& suppression_files, Repeats repeats,
                               std::vector<std::string> files)
    : repeats_(repeats),
      places_(std::move(files)),
      suppression_places_(suppression_files),
      met_(repeats == Repeats::left_out ? limits::known_addresses_max
                                        : limits::counted_addresses_max) {}

Result<std::unique_ptr<RecipientLists>, InputError> RecipientLists::open(
    const std::vector<std::string>& suppression_files, Repeats repeats,
    std::vector<std::string> files) {
  std::unique_ptr<RecipientLists> lists(
      new RecipientLists(suppression_files, repeats, std::move(files)));
  for (std::size_t i = 0; i < suppression_files.size(); ++i) {
    if (auto read = lists->read_suppression(i); !read) {
      return Failure(std::move(read.error()));
    }
  }
  return lists;
}

Result<void, InputError> RecipientLists::read_suppression(std::size_t number) {
  const std::string& file = suppression_places_.file(suppression_places_.place_of(number, 0));
  auto input = JobInput::open({file}, -1, {.rows = RowOptions{}});
  if (!input) {
    return Failure(std::move(input.error()));
  }
  SuppressionFile reader;
  std::uint64_t addresses = 0;
  std::uint64_t others = 0;
  std::uint64_t first_other = 0;
  Result<void, InputError> done;
  const auto take = [&](Bytes line, std::uint64_t line_number) {
    const Suppression read = reader.read(line);
    switch (read.kind) {
      case Suppression::Kind::nothing:
        return;
      case Suppression::Kind::no_address:
        first_other = others++ == 0 ? line_number : first_other;
        return;
      case Suppression::Kind::domain:
        has_domains_ = true;
        break;
      case Suppression::Kind::address:
        break;
    }
    ++addresses;
    const auto place = suppression_places_.place_of(number, line_number);
    if (suppressed_.add(read.key, place).what == AddressSet::Added::full) {
      done = Failure(InputError{fmt::format("{}:{}: suppression files have more than {} addresses",
                                            file, line_number, limits::known_addresses_max)});
    }
  };
  const TableHeader& header = input->headers().front();
  if (!reader.take_header(header) && header.form == TableHeader::Form::csv && !header.row.empty()) {
    take(header.row, header.line);
  }
  JobInput::Line line;
  while (done) {
    auto more = input->next(line);
    if (!more) {
      return Failure(std::move(more.error()));
    }
    if (!*more) {
      break;
    }
    take(line.text, line.number);
  }
  if (done && others > 0) {
    const std::string what = fmt::format("{}: {} line{} no address, the first {}:{}", file, others,
                                         others == 1 ? " is" : "s are", file, first_other);
    if (addresses == 0) {
      return Failure(InputError{what + "; a suppression file has an address or *@domain a line, a "
                                       "column called email, or JSONL with rcpt"});
    }
    warnings_.push_back(what);
  }
  return done;
}

// ---- Recipients ---------------------------------------------------------------------------------

// Why; empty: it is not.
std::string RecipientLists::suppression_of(Bytes address) const {
  if (suppressed_.size() == 0) {
    return {};
  }
  auto place = suppressed_.find(address_key(address));
  if (!place && has_domains_) {
    place = suppressed_.find(domain_key(address));
  }
  if (!place) {
    return {};
  }
  const std::uint32_t line = suppression_places_.line(*place);
  return "suppressed: " + suppression_places_.file(*place) +
         (line == 0 ? std::string() : ":" + std::to_string(line));
}

Result<void, RunTrouble> RecipientLists::leave_out(const Message& message,
                                                   std::vector<PriorFate>& fates,
                                                   std::vector<LeftOut>& left_out) {
  const std::size_t count = message.recipients.size();
  const std::uint32_t here =
      places_.place_of(codec::source_of(message.origin.ordinal), message.origin.line);
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes address = message.recipients[i];
    const bool is_unknown = fates.empty() || fates[i] == PriorFate::none;
    std::string reason = suppression_of(address);
    if (reason.empty() && repeats_ == Repeats::counted) {
      met_.count(address_key(address));
    } else if (reason.empty() && repeats_ == Repeats::left_out) {
      const AddressSet::Addition addition = met_.add(address_key(address), here);
      if (addition.what == AddressSet::Added::full) {
        return Failure(RunTrouble{
            fmt::format("{}:{}: --dedupe knows no more than {} addresses", message.origin.file,
                        message.origin.line, limits::known_addresses_max),
            true});
      }
      if (addition.what == AddressSet::Added::known) {
        left_out_.fetch_add(1, std::memory_order_relaxed);
        reason = "duplicate of " + places_.text_of(addition.place, "an earlier line");
      }
    }
    if (!reason.empty() && is_unknown) {
      fates.resize(count, PriorFate::none);
      fates[i] = PriorFate::left_out;
      left_out.push_back({static_cast<std::uint32_t>(i), std::move(reason)});
    }
  }
  return {};
}

}  // namespace ringpost::run
