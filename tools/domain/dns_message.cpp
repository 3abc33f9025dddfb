// The problem: c-ares has a parser for each type of record, another set of them in each of its
// generations, and none tells of a CNAME on the way to a TXT, which is where the records of
// providers break. The idea: one pass over the answer section that keeps what has the right type,
// and a walk along the CNAMEs in it. Limits: names beyond 255 octets and pointers that do not go
// backwards are refused, as RFC 1035 4.1.4 allows, so that no message makes a loop; other sections
// than the answer are not looked at.
#include "tools/domain/dns_message.h"

#include <algorithm>
#include <arpa/inet.h>
#include <optional>

#include <fmt/format.h>

#include "codec/text/ascii.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t header_bytes = 12;
constexpr std::size_t wire_name_bytes_max = 255;
constexpr std::size_t records_max = 1024;
constexpr std::size_t aliases_max = 16;
constexpr std::uint8_t pointer_bits = 0xc0;

constexpr std::string_view codes[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                      "NXDOMAIN", "NOTIMP",  "REFUSED"};

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::size_t data_at = 0;
  std::size_t data_bytes = 0;
};

class Reader {
 public:
  explicit Reader(Bytes message) : message_(message) {}

  [[nodiscard]] std::size_t left() const { return message_.size() - at_; }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] std::uint8_t octet_at(std::size_t at) const {
    return static_cast<std::uint8_t>(message_[at]);
  }
  // Precondition: two octets from `at` on.
  [[nodiscard]] std::uint16_t number_at(std::size_t at) const {
    return static_cast<std::uint16_t>(octet_at(at) << 8 | octet_at(at + 1));
  }
  bool skip(std::size_t octets) {
    if (left() < octets) {
      return false;
    }
    at_ += octets;
    return true;
  }
  std::optional<std::string> take_name() {
    std::size_t end = at_;
    auto name = name_at(at_, end);
    at_ = name ? end : at_;
    return name;
  }
  // `end`: behind the name where it stands.
  [[nodiscard]] std::optional<std::string> name_at(std::size_t at, std::size_t& end) const;

  std::optional<Record> take_record() {
    Record record;
    auto owner = take_name();
    if (!owner || left() < 10) {
      return std::nullopt;
    }
    record.owner = std::move(*owner);
    record.type = number_at(at_);
    record.data_bytes = number_at(at_ + 8);
    record.data_at = at_ + 10;
    return skip(10 + record.data_bytes) ? std::optional<Record>(std::move(record)) : std::nullopt;
  }
  [[nodiscard]] Bytes octets(std::size_t at, std::size_t count) const {
    return message_.substr(at, count);
  }

 private:
  Bytes message_;
  std::size_t at_ = 0;
};

std::optional<std::string> Reader::name_at(std::size_t at, std::size_t& end) const {
  std::string name;
  std::size_t lowest = at;
  bool has_jumped = false;
  while (at < message_.size()) {
    const std::uint8_t length = octet_at(at);
    if (length == 0) {
      end = has_jumped ? end : at + 1;
      return name;
    }
    if ((length & pointer_bits) == pointer_bits) {
      if (at + 1 >= message_.size()) {
        return std::nullopt;
      }
      const std::size_t target = number_at(at) & 0x3fff;
      end = has_jumped ? end : at + 2;
      has_jumped = true;
      if (target >= lowest) {
        return std::nullopt;
      }
      at = lowest = target;
      continue;
    }
    if ((length & pointer_bits) != 0 || message_.size() - at - 1 < length ||
        name.size() + length + 1 > wire_name_bytes_max) {
      return std::nullopt;
    }
    name += name.empty() ? "" : ".";
    for (const char c : message_.substr(at + 1, length)) {
      const bool plain = c > ' ' && c < '\x7f' && c != '.' && c != '\\';
      name += plain ? std::string(1, c)
                    : fmt::format("\\{:03}", static_cast<unsigned char>(c));  // RFC 1035 5.1
    }
    at += 1u + length;
  }
  return std::nullopt;
}

struct Found {
  std::uint16_t preference = 0;
  std::string value;
};

std::optional<std::string> joined_strings(Bytes data) {
  std::string text;
  while (!data.empty()) {
    const std::size_t length = static_cast<unsigned char>(data.front());
    if (data.size() - 1 < length) {
      return std::nullopt;
    }
    text += data.substr(1, length);
    data.remove_prefix(1 + length);
  }
  return text;
}

std::optional<Found> value_of(const Reader& reader, const Record& record, DnsType type) {
  const Bytes data = reader.octets(record.data_at, record.data_bytes);
  std::size_t end = 0;
  switch (type) {
    case DnsType::a:
    case DnsType::aaaa: {
      const bool is_v6 = type == DnsType::aaaa;
      char text[INET6_ADDRSTRLEN] = {};
      return data.size() == (is_v6 ? 16u : 4u) &&
                     ::inet_ntop(is_v6 ? AF_INET6 : AF_INET, data.data(), text, sizeof text)
                 ? std::optional<Found>({0, text})
                 : std::nullopt;
    }
    case DnsType::txt: {
      auto text = joined_strings(data);
      return text ? std::optional<Found>({0, std::move(*text)}) : std::nullopt;
    }
    case DnsType::cname: {
      auto name = reader.name_at(record.data_at, end);
      return name ? std::optional<Found>({0, std::move(*name)}) : std::nullopt;
    }
    case DnsType::mx: {
      if (data.size() < 3) {
        return std::nullopt;
      }
      auto name = reader.name_at(record.data_at + 2, end);
      return name ? std::optional<Found>({reader.number_at(record.data_at), std::move(*name)})
                  : std::nullopt;
    }
  }
  RP_ASSERT(false);
}

DnsAnswer broken(std::string_view why) {
  DnsAnswer answer;
  answer.error = fmt::format("the answer is no message of DNS: {}", why);
  return answer;
}

std::optional<std::vector<Record>> read_records(Reader& reader, std::size_t questions,
                                                std::size_t answers) {
  for (std::size_t index = 0; index < questions; ++index) {
    if (!reader.take_name() || !reader.skip(4)) {
      return std::nullopt;
    }
  }
  std::vector<Record> records;
  for (std::size_t index = 0; index < std::min(answers, records_max); ++index) {
    auto record = reader.take_record();
    if (!record) {
      return std::nullopt;
    }
    records.push_back(std::move(*record));
  }
  return records;
}

// The name at the end of the CNAMEs that begin with `name`.
std::string last_alias(const Reader& reader, const std::vector<Record>& records, std::string name) {
  for (std::size_t step = 0; step < aliases_max; ++step) {
    const auto found = std::find_if(records.begin(), records.end(), [&name](const Record& record) {
      return record.type == static_cast<std::uint16_t>(DnsType::cname) &&
             codec::equal_without_case(record.owner, name);
    });
    const auto next =
        found == records.end() ? std::nullopt : value_of(reader, *found, DnsType::cname);
    if (!next) {
      break;
    }
    name = next->value;
  }
  return name;
}

}  // namespace

std::string_view name_of(DnsType type) {
  switch (type) {
    case DnsType::a:
      return "A";
    case DnsType::cname:
      return "CNAME";
    case DnsType::mx:
      return "MX";
    case DnsType::txt:
      return "TXT";
    case DnsType::aaaa:
      return "AAAA";
  }
  RP_ASSERT(false);
}

DnsAnswer read_dns_message(Bytes message, const DnsQuestion& question) {
  Reader reader(message);
  if (!reader.skip(header_bytes)) {
    return broken("it is cut");
  }
  const std::size_t code = reader.octet_at(3) & 0x0f;
  if (code != 0 && code != 3) {
    DnsAnswer answer;
    answer.error =
        code < std::size(codes) ? std::string(codes[code]) : fmt::format("code {}", code);
    return answer;
  }
  const auto records = read_records(reader, reader.number_at(4), reader.number_at(6));
  if (!records) {
    return broken("its records do not hold together");
  }
  DnsAnswer answer;
  const bool wants_alias = question.type == DnsType::cname;
  const std::string owner =
      wants_alias ? question.name : last_alias(reader, *records, question.name);
  answer.alias_of = codec::equal_without_case(owner, question.name) ? std::string() : owner;
  std::vector<Found> found;
  for (const Record& record : *records) {
    if (record.type != static_cast<std::uint16_t>(question.type) ||
        !codec::equal_without_case(record.owner, owner)) {
      continue;
    }
    auto value = value_of(reader, record, question.type);
    if (!value) {
      return broken("a record is not what its type says");
    }
    found.push_back(std::move(*value));
  }
  std::stable_sort(found.begin(), found.end(), [](const Found& one, const Found& other) {
    return one.preference < other.preference;
  });
  for (Found& one : found) {
    answer.values.push_back(std::move(one.value));
  }
  answer.result = !answer.values.empty() ? DnsResult::found
                  : code == 3            ? DnsResult::no_name
                                         : DnsResult::no_data;
  return answer;
}

}  // namespace ringpost::cli
