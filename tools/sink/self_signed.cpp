// The problem: the embedded ESP has to speak TLS at once, on a machine where nobody has made a
// certificate, and its clients (ours, OpenSSL, Python, Go) have to be able to verify it.
//
// The idea: a fresh P-256 key and one certificate that is leaf and CA at once: give it to a client
// as its CA file and everything verifies, the name included. The DER is put together here, because
// wolfSSL's generator cannot mark basic constraints as critical, which Python 3.13 insists on; the
// key, the random serial, the hash and the signature are wolfCrypt's.
//
// Limits: one key type, one layout; not for a server that strangers talk to.
#include "tools/sink/self_signed.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
// options.h comes first: it decides what the others declare.
// clang-format off
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sha256.h>
// clang-format on

#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "tls/der.h"
#include "tls/host_name.h"
#include "tls/library.h"
#include "tls/object_ids.h"
#include "tls/octets.h"
#include "tls/wolfssl_error.h"

namespace ringpost::sink {

namespace {

using namespace std::string_view_literals;
using namespace tls;

constexpr Bytes version_3 = "\x02"sv;
constexpr Bytes yes = "\xff"sv;
// One unused bit; digitalSignature, keyCertSign, cRLSign.
constexpr Bytes key_usage_bits = "\x01\x86"sv;

constexpr std::size_t common_name_length_max = 64;  // RFC 5280, ub-common-name
constexpr std::size_t host_length_max = 253;
constexpr int key_octets = 32;

// What wolfCrypt wants freed.
struct Generator {
  WC_RNG random{};
  ecc_key key{};
  int code = 0;

  Generator() {
    code = wc_InitRng(&random);
    if (code == 0) {
      code = wc_ecc_init(&key);
    }
    if (code == 0) {
      code = wc_ecc_make_key_ex(&random, key_octets, &key, ECC_SECP256R1);
    }
  }
  ~Generator() {
    wc_ecc_free(&key);
    wc_FreeRng(&random);
  }
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;
};

std::string sha256(Bytes bytes) {
  std::string digest(WC_SHA256_DIGEST_SIZE, '\0');
  RP_ASSERT(wc_Sha256Hash(octets(bytes), static_cast<word32>(bytes.size()), octets(digest)) == 0);
  return digest;
}

bool is_host(std::string_view name) {
  if (name.starts_with("*.")) {
    name.remove_prefix(2);
  }
  return !name.empty() && name.size() <= host_length_max && std::ranges::all_of(name, [](char c) {
    return codec::is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

Result<std::string, TlsError> general_names(const std::vector<std::string>& names) {
  std::string content;
  for (const std::string& name : names) {
    if (const auto address = address_octets(name)) {
      content += der::make(der::context(7), *address);
    } else if (is_host(name)) {
      content += der::make(der::context(2), name);
    } else {
      return Failure(TlsError{TlsErrorKind::bad_certificate,
                              0,
                              fmt::format("'{}' is neither a host name nor an IP address",
                                          printable(name, host_length_max)),
                              {}});
    }
  }
  if (content.empty()) {
    return Failure(
        TlsError{TlsErrorKind::bad_certificate, 0, "it needs at least one host name", {}});
  }
  return der::make(der::sequence, content);
}

std::string name_part(Bytes id, Bytes value) {
  return der::make(der::set, der::make(der::sequence, {der::make(der::object_identifier, id),
                                                       der::make(der::utf8_string, value)}));
}

// RFC 5280 4.1.2.5: two digits of the year up to 2049, four from then on; always UTC.
std::string time_element(std::chrono::sys_seconds when) {
  const auto midnight = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss time(when - midnight);
  const std::string text =
      fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  time.hours().count(), time.minutes().count(), time.seconds().count());
  return date.year() < std::chrono::year(2050) ? der::make(der::utc_time, Bytes(text).substr(2))
                                               : der::make(der::generalized_time, text);
}

std::string extension(Bytes id, bool critical, Bytes value) {
  return der::make(der::sequence, {der::make(der::object_identifier, id),
                                   critical ? der::make(der::boolean, yes) : std::string(),
                                   der::make(der::octet_string, value)});
}

std::string extensions(Bytes names, Bytes public_key) {
  const std::string key_id = sha256(public_key).substr(0, 20);  // RFC 7093, method 1
  const std::string all =
      extension(object_id::basic_constraints, true,
                der::make(der::sequence, der::make(der::boolean, yes))) +
      extension(object_id::key_usage, true, der::make(der::bit_string, key_usage_bits)) +
      extension(object_id::extended_key_usage, false,
                der::make(der::sequence,
                          der::make(der::object_identifier, object_id::server_authentication))) +
      extension(object_id::subject_key_id, false, der::make(der::octet_string, key_id)) +
      extension(object_id::authority_key_id, false,
                der::make(der::sequence, der::make(der::context(0), key_id))) +
      extension(object_id::subject_alternative_name, false, names);
  return der::make(der::context_constructed(3), der::make(der::sequence, all));
}

// The textual encoding of RFC 7468, whose lines have 64 characters (section 2).
std::string to_pem(std::string_view label, Bytes der) {
  constexpr std::size_t line_length = 64;
  std::string base64;
  codec::append_base64(base64, der);
  std::string pem = fmt::format("-----BEGIN {}-----\n", label);
  for (Bytes rest = base64; !rest.empty(); rest.remove_prefix(std::min(rest.size(), line_length))) {
    pem.append(rest.substr(0, line_length)).push_back('\n');
  }
  return pem += fmt::format("-----END {}-----\n", label);
}

Result<std::string, TlsError> public_key_der(Generator& generator) {
  std::string der(256, '\0');
  const int size =
      wc_EccPublicKeyToDer(&generator.key, octets(der), static_cast<word32>(der.size()), 1);
  if (size <= 0) {
    return Failure(internal_error_of("encoding the public key", size));
  }
  der.resize(static_cast<std::size_t>(size));
  return der;
}

Result<std::string, TlsError> private_key_pem(Generator& generator) {
  std::string der(512, '\0');
  auto size = static_cast<word32>(der.size());
  const int code = wc_EccKeyToPKCS8(&generator.key, octets(der), &size);
  if (code < 0) {
    return Failure(internal_error_of("encoding the private key", code));
  }
  return to_pem("PRIVATE KEY", Bytes(der).substr(0, size));
}

// The algorithm identifier and the signature, as they stand behind what is signed.
Result<std::string, TlsError> sign(Generator& generator, const std::string& to_be_signed) {
  const std::string digest = sha256(to_be_signed);
  std::string signature(ECC_MAX_SIG_SIZE, '\0');
  auto size = static_cast<word32>(signature.size());
  const int code = wc_ecc_sign_hash(octets(Bytes(digest)), static_cast<word32>(digest.size()),
                                    octets(signature), &size, &generator.random, &generator.key);
  if (code != 0) {
    return Failure(internal_error_of("signing", code));
  }
  signature.resize(size);
  return der::make(
      der::sequence,
      {to_be_signed,
       der::make(der::sequence, der::make(der::object_identifier, object_id::ecdsa_with_sha256)),
       der::make(der::bit_string, {"\0"sv, signature})});
}

Result<std::string, TlsError> serial_number(Generator& generator) {
  std::string serial(16, '\0');
  const int code =
      wc_RNG_GenerateBlock(&generator.random, octets(serial), static_cast<word32>(serial.size()));
  if (code != 0) {
    return Failure(internal_error_of("random octets", code));
  }
  // Positive, and of one length: a DER integer may not start with a superfluous zero.
  serial[0] = static_cast<char>((serial[0] & 0x3f) | 0x40);
  return serial;
}

}  // namespace

Result<SelfSigned, TlsError> make_self_signed(const std::vector<std::string>& names, int days) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  return make_self_signed(names, now - std::chrono::days(1), now + std::chrono::days(days));
}

Result<SelfSigned, TlsError> make_self_signed(const std::vector<std::string>& names,
                                              std::chrono::sys_seconds not_before,
                                              std::chrono::sys_seconds not_after) {
  const auto alternative_names = general_names(names);
  if (!alternative_names) {
    return Failure(alternative_names.error());
  }
  initialise_library();
  Generator generator;
  if (generator.code != 0) {
    return Failure(internal_error_of("making a key", generator.code));
  }
  const auto public_key = public_key_der(generator);
  if (!public_key) {
    return Failure(public_key.error());
  }
  const auto serial = serial_number(generator);
  if (!serial) {
    return Failure(serial.error());
  }
  const std::string subject = der::make(
      der::sequence,
      {name_part(object_id::organisation_name, "ringpost self-signed"),
       name_part(object_id::common_name, Bytes(names.front()).substr(0, common_name_length_max))});
  auto certificate =
      sign(generator,
           der::make(der::sequence,
                     {der::make(der::context_constructed(0), der::make(der::integer, version_3)),
                      der::make(der::integer, *serial),
                      der::make(der::sequence,
                                der::make(der::object_identifier, object_id::ecdsa_with_sha256)),
                      subject,
                      der::make(der::sequence, {time_element(not_before), time_element(not_after)}),
                      subject, *public_key, extensions(*alternative_names, *public_key)}));
  if (!certificate) {
    return Failure(std::move(certificate).error());
  }
  auto key = private_key_pem(generator);
  if (!key) {
    return Failure(std::move(key).error());
  }
  return SelfSigned{to_pem("CERTIFICATE", *certificate), std::move(*key)};
}

}  // namespace ringpost::sink
