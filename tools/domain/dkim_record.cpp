// The problem: keys are pasted by hand into consoles that cut, quote and wrap them, and a receiver
// only says "no signature". The idea: read what a receiver would, down to the length of the
// modulus. Limits: that the numbers make a key, and the provider's, only a signature shows.
#include "tools/domain/dkim_record.h"

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/shown_text.h"
#include "tools/domain/tag_list.h"

namespace ringpost::cli {

namespace {

constexpr unsigned char tag_sequence = 0x30;
constexpr unsigned char tag_integer = 0x02;
constexpr unsigned char tag_bit_string = 0x03;
constexpr std::size_t ed25519_octets = 32;

// The content of the DER element that `der` begins with, which is taken off it.
std::optional<Bytes> take_element(Bytes& der, unsigned char tag) {
  if (der.size() < 2 || static_cast<unsigned char>(der[0]) != tag) {
    return std::nullopt;
  }
  std::size_t length = static_cast<unsigned char>(der[1]);
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t count = length - 0x80;
    if (count == 0 || count > 3 || der.size() < head + count) {
      return std::nullopt;
    }
    length = 0;
    for (; head < 2 + count; ++head) {
      length = length * 256 + static_cast<unsigned char>(der[head]);
    }
  }
  if (der.size() - head < length) {
    return std::nullopt;
  }
  const Bytes content = der.substr(head, length);
  der.remove_prefix(head + length);
  return content;
}

std::size_t modulus_bits(Bytes sequence) {
  auto modulus = take_element(sequence, tag_integer);
  const auto exponent = modulus ? take_element(sequence, tag_integer) : std::nullopt;
  if (!exponent || exponent->empty()) {
    return 0;
  }
  while (!modulus->empty() && modulus->front() == '\0') {
    modulus->remove_prefix(1);
  }
  if (modulus->empty()) {
    return 0;
  }
  std::size_t bits = modulus->size() * 8;
  for (unsigned char first = static_cast<unsigned char>(modulus->front()); first < 0x80;
       first = static_cast<unsigned char>(first << 1)) {
    --bits;
  }
  return bits;
}

// A list by colons; white space around its elements does not count.
bool lists(Bytes list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t end = list.find(':');
    Bytes one = list.substr(0, end);
    list.remove_prefix(end == Bytes::npos ? list.size() : end + 1);
    const std::size_t begin = std::min(one.find_first_not_of(" \t"), one.size());
    one = one.substr(begin, one.find_last_not_of(" \t") + 1 - begin);
    if (codec::equal_without_case(one, wanted)) {
      return true;
    }
  }
  return false;
}

Result<void, std::string> read_key(Bytes encoded, DkimRecord& record) {
  std::string der;
  if (!codec::decode_base64(encoded, codec::Base64Space::skipped, der)) {
    return Failure(std::string("p= is no base64: the key is cut or wrapped wrongly"));
  }
  record.is_revoked = der.empty();
  if (record.is_revoked || record.key == DkimKey::unknown) {
    return {};
  }
  if (record.key == DkimKey::ed25519) {
    record.bits = 256;
    return der.size() == ed25519_octets
               ? Result<void, std::string>()
               : Failure(fmt::format("p= has {} octets, and an Ed25519 key 32", der.size()));
  }
  record.bits = rsa_bits(der);
  return record.bits > 0 ? Result<void, std::string>()
                         : Failure(std::string("p= is no RSA key: perhaps it is cut"));
}

}  // namespace

std::size_t rsa_bits(Bytes der) {
  auto outer = take_element(der, tag_sequence);
  if (!outer) {
    return 0;
  }
  Bytes inner = *outer;
  if (!take_element(inner, tag_sequence)) {
    return modulus_bits(*outer);  // RSAPublicKey, which RFC 6376 says and few have
  }
  auto key = take_element(inner, tag_bit_string);
  if (!key || key->empty() || key->front() != '\0') {
    return 0;
  }
  Bytes octets = key->substr(1);
  const auto sequence = take_element(octets, tag_sequence);
  return sequence ? modulus_bits(*sequence) : 0;
}

Result<DkimRecord, std::string> parse_dkim(Bytes text) {
  const auto tags = parse_tags(text);
  if (!tags) {
    return Failure(tags.error());
  }
  DkimRecord record;
  if (const std::string* const version = find_tag(*tags, "v")) {
    if (*version != "DKIM1") {
      return Failure(fmt::format("v= is {}, not DKIM1", codec::in_quotes(*version)));
    }
    if (tags->front().name != "v") {
      return Failure(std::string("v= must be the first tag"));
    }
  }
  if (const std::string* const key = find_tag(*tags, "k")) {
    record.key = *key == "rsa"       ? DkimKey::rsa
                 : *key == "ed25519" ? DkimKey::ed25519
                                     : DkimKey::unknown;
  }
  if (const std::string* const flags = find_tag(*tags, "t")) {
    record.is_testing = lists(*flags, "y");
    record.is_strict = lists(*flags, "s");
  }
  if (const std::string* const hashes = find_tag(*tags, "h")) {
    record.sha256 = lists(*hashes, "sha256");
  }
  if (const std::string* const services = find_tag(*tags, "s")) {
    record.serves_mail = lists(*services, "*") || lists(*services, "email");
  }
  const std::string* const key = find_tag(*tags, "p");
  if (key == nullptr) {
    return Failure(std::string("it has no p=, so it is no DKIM key"));
  }
  auto read = read_key(*key, record);
  return read ? Result<DkimRecord, std::string>(record) : Failure(std::move(read.error()));
}

}  // namespace ringpost::cli
