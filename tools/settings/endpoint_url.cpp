// The problem: people paste passwords into URLs, with any of / ? # @ in them, and arguments and
// messages are read by others. The idea: the URL is cut into parts as it was written and decoded
// afterwards; a colon in front of the @ is refused with the ways there are; what is printed has
// gone through printable_url(), which leaves out all that may be a password, and parts that may be
// half of one are not quoted at all. Limits: five parameters; no IPv6 zone.
#include "tools/settings/endpoint_url.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/spelling.h"
#include "codec/text/utf8.h"
#include "tools/process/numbers.h"
#include "tools/process/wording.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/key_table.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t url_bytes_max = 2048;
constexpr std::size_t host_bytes_max = 253;  // RFC 1035 3.1, as text

template <typename T>
using Parsed = Result<T, std::string>;

// The parts of a URL as they were written, still percent-encoded.
struct UrlParts {
  bool implicit_tls = false;
  std::optional<Bytes> username;
  Bytes host;
  bool host_is_absolute = false;
  std::optional<std::uint16_t> port;
  Bytes query;
};

Parsed<std::string> percent_decoded(Bytes text) {
  std::string decoded;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] != '%') {
      decoded.push_back(text[index]);
      continue;
    }
    std::uint8_t octet = 0;
    const Bytes digits = text.substr(index + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), octet, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + digits.size()) {
      return Failure(std::string("a % needs two hexadecimal digits behind it; % itself is %25"));
    }
    decoded.push_back(static_cast<char>(octet));
    index += 2;
  }
  return decoded;
}

Parsed<UrlParts> split_scheme(Bytes url, Bytes& rest) {
  const std::size_t colon = url.find("://");
  UrlParts parts;
  const Bytes scheme = url.substr(0, colon);
  parts.implicit_tls = codec::equal_without_case(scheme, "smtps");
  if (!parts.implicit_tls && !codec::equal_without_case(scheme, "smtp")) {
    return Failure(
        std::string("it must begin with smtp:// (STARTTLS) or smtps:// (TLS from the first byte)"));
  }
  rest = url.substr(colon + 3);
  return parts;
}

constexpr std::string_view password_refusal =
    "a password may not stand in a URL: every user of this machine can read the arguments of a "
    "program.\n"
    "Leave out the colon and what follows it, and give the password as one of\n"
    "  the variable RINGPOST_PASSWORD, or RINGPOST_ENDPOINT_<HOST>_PASSWORD\n"
    "  a file named HOST in systemd's $CREDENTIALS_DIRECTORY\n"
    "  password_file or password_command of an [endpoint.NAME] in ringpost.toml";

Parsed<std::uint16_t> port_of_url(Bytes text) {
  const auto port = parse_port(text);
  if (!port) {
    // The text is not quoted: it may be the beginning of a password with a / in it.
    return Failure(std::string("the port must be a number from 1 to 65535"));
  }
  return *port;
}

// `authority` is what stands between :// and the first of / ? #.
Parsed<void> split_authority(Bytes authority, UrlParts& parts) {
  if (const std::size_t at = authority.rfind('@'); at != Bytes::npos) {
    parts.username = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    if (parts.username->find(':') != Bytes::npos) {
      return Failure(std::string(password_refusal));
    }
  }
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == Bytes::npos) {
      return Failure(std::string("a [ without its ]"));
    }
    parts.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
    if (!authority.empty() && !authority.starts_with(':')) {
      return Failure(std::string("behind the ] only :PORT may stand"));
    }
    std::array<unsigned char, 16> address{};
    if (::inet_pton(AF_INET6, std::string(parts.host).c_str(), address.data()) != 1) {
      return Failure(std::string("between [ and ] stands no IPv6 address"));
    }
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    parts.host = authority.substr(0, colon);
    parts.host_is_absolute = take_absolute_dot(parts.host);
    authority.remove_prefix(colon);
    if (authority.substr(std::min<std::size_t>(1, authority.size())).find(':') != Bytes::npos) {
      return Failure(std::string(
          "more than one colon (an IPv6 address stands in brackets: smtp://[::1]:587)"));
    }
    if (auto offence = host_offence(parts.host)) {
      return Failure(std::move(*offence));
    }
  }
  if (!authority.empty()) {
    const Parsed<std::uint16_t> port = port_of_url(authority.substr(1));
    if (!port) {
      return Failure(port.error());
    }
    parts.port = *port;
  }
  return {};
}

Parsed<UrlParts> split_url(Bytes url) {
  Bytes rest;
  Parsed<UrlParts> parts = split_scheme(url, rest);
  if (!parts) {
    return parts;
  }
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  if (auto split = split_authority(rest.substr(0, authority_end), *parts); !split) {
    return Failure(std::move(split.error()));
  }
  rest.remove_prefix(authority_end);
  if (rest.find('#') != Bytes::npos) {
    return Failure(std::string("a # is written as %23"));
  }
  if (rest.starts_with('/')) {
    rest.remove_prefix(1);
  }
  if (!rest.empty() && !rest.starts_with('?')) {
    return Failure(
        std::string("behind the host only ?NAME=VALUE may stand (a / in a user name is %2F)"));
  }
  parts->query = rest.substr(std::min<std::size_t>(1, rest.size()));
  return parts;
}

// The key that a parameter of the query is, and its value there.
struct Parameter {
  std::string_view key;
  std::string value;
};

Parsed<Parameter> read_parameter(Bytes name, Bytes encoded_value) {
  constexpr std::array<std::string_view, 5> known = {"tls", "ca", "verify", "auth", "preset"};
  if (name.find('@') != Bytes::npos) {
    // Not quoted: somebody's password has a question mark in it.
    return Failure(std::string("the user name stands before the host (its ? is %3F)"));
  }
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    return Failure(codec::unknown_word("parameter", name, known) +
                   " (there are tls=none, ca=FILE, verify=off, auth=MECHANISM and preset=NAME)");
  }
  Parsed<std::string> value = percent_decoded(encoded_value);
  if (!value) {
    return Failure(std::move(value.error()));
  }
  if (name == "tls") {
    if (*value != "none") {
      return Failure(
          std::string("tls can only be none; without it smtp:// is STARTTLS and smtps:// TLS from "
                      "the first byte"));
    }
    return Parameter{"security", "none"};
  }
  if (name == "ca") {
    if (value->empty() || value->find('\0') != std::string::npos) {
      return Failure(std::string("ca needs the name of a PEM file"));
    }
    return Parameter{"ca_file", std::move(*value)};
  }
  if (name == "auth" || name == "preset") {
    return Parameter{name == "auth" ? "auth" : "preset", std::move(*value)};
  }
  if (*value != "off" && *value != "on") {
    return Failure(std::string("verify can only be off or on"));
  }
  return Parameter{"verify", *value == "on" ? "true" : "false"};
}

// Puts what the query says over what the scheme says.
Parsed<void> read_query(const UrlParts& parts, const std::string& origin, SettingMap& settings) {
  std::vector<Bytes> seen;
  for (Bytes rest = parts.query; !rest.empty();) {
    const std::size_t length = std::min(rest.find('&'), rest.size());
    const Bytes text = rest.substr(0, length);
    rest.remove_prefix(std::min(length + 1, rest.size()));
    const std::size_t equals = std::min(text.find('='), text.size());
    const Bytes name = text.substr(0, equals);
    auto parameter = read_parameter(name, text.substr(std::min(equals + 1, text.size())));
    if (!parameter) {
      return Failure(std::move(parameter.error()));
    }
    const SettingValue value{{std::move(parameter->value)}, Layer::url, origin};
    if (auto applied = check_value(parameter->key, value); !applied) {
      return applied;
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Failure(fmt::format("{} is given twice", name));
    }
    seen.push_back(name);
    settings[std::string(parameter->key)] = value;
  }
  const bool in_clear = settings.at("security").text() == "none";
  if (in_clear && parts.implicit_tls) {
    return Failure(std::string("smtps:// is TLS from the first byte: tls=none contradicts it"));
  }
  if (in_clear && (settings.contains("ca_file") || settings.contains("verify"))) {
    return Failure(std::string("ca and verify mean nothing with tls=none"));
  }
  return {};
}

Parsed<SettingMap> read_settings(Bytes url) {
  if (url.size() > url_bytes_max) {
    return Failure(fmt::format("it is longer than {} octets", url_bytes_max));
  }
  const Parsed<UrlParts> parts = split_url(url);
  if (!parts) {
    return Failure(parts.error());
  }
  const std::string origin = printable_url(url);
  SettingMap settings;
  const auto say = [&](const char* key, std::string value) {
    settings[key] = {{std::move(value)}, Layer::url, origin};
  };
  say("host", std::string(parts->host) + (parts->host_is_absolute ? "." : ""));
  say("security", std::string(name_of(parts->implicit_tls ? TransportSecurity::implicit
                                                          : TransportSecurity::starttls)));
  if (parts->port) {
    say("port", fmt::format("{}", *parts->port));
  }
  if (auto read = read_query(*parts, origin, settings); !read) {
    return Failure(std::move(read.error()));
  }
  if (parts->username) {
    Parsed<std::string> username = percent_decoded(*parts->username);
    if (!username) {
      return Failure(std::move(username.error()));
    }
    if (username->empty()) {
      return Failure(std::string("no user name stands before the @"));
    }
    say("username", std::move(*username));
  }
  return settings;
}

bool is_ip_address(Bytes host) {
  std::array<unsigned char, 16> address{};
  const std::string text(host);
  return ::inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

}  // namespace

bool is_endpoint_url(Bytes text) { return text.find("://") != Bytes::npos; }

Result<SettingMap, std::string> settings_of_url(Bytes url) {
  RP_ASSERT(is_endpoint_url(url));
  Parsed<SettingMap> settings = read_settings(url);
  if (!settings) {
    return Failure(fmt::format("{}: {}", printable_url(url), settings.error()));
  }
  return settings;
}

Result<EndpointOptions, std::string> parse_endpoint_url(Bytes url) {
  const auto settings = settings_of_url(url);
  if (!settings) {
    return Failure(settings.error());
  }
  Bytes host = settings->at("host").text();
  static_cast<void>(take_absolute_dot(host));
  auto draft = make_endpoint(std::string(host), *settings);
  if (!draft) {
    return Failure(std::move(draft.error()));
  }
  return std::move(draft->options);
}

std::string printable_url(Bytes url) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t begin = scheme_end == Bytes::npos ? 0 : scheme_end + 3;
  const Bytes rest = url.substr(begin);
  // The last @ there is, wherever it stands, because a password may hold any of / ? # @.
  const std::size_t at = rest.rfind('@');
  const std::size_t colon = rest.find(':');
  if (colon == Bytes::npos || rest.starts_with('[')) {
    return in_quotes(url);
  }
  const std::string front(url.substr(0, begin + colon + 1));
  if (at != Bytes::npos && colon < at) {
    return in_quotes(fmt::format("{}***{}", front, rest.substr(at)));
  }
  // No user, and no number behind the colon: half of user:password, perhaps.
  const Bytes behind = rest.substr(colon + 1);
  const bool is_port = !behind.empty() && codec::is_digit(behind.front());
  return in_quotes(at == Bytes::npos && !is_port ? front + "***" : std::string(url));
}

bool take_absolute_dot(Bytes& host) {
  const bool is_absolute = host.size() > 1 && host.ends_with('.');
  host.remove_suffix(is_absolute ? 1 : 0);
  return is_absolute;
}

std::optional<std::string> host_offence(Bytes host) {
  if (host.empty()) {
    return "no host is named";
  }
  if (host.size() > host_bytes_max) {
    return fmt::format("the host name is longer than {} octets", host_bytes_max);
  }
  if (is_ip_address(host)) {
    return std::nullopt;
  }
  if (!codec::is_ascii(host)) {
    return "the host name has letters beyond ASCII: write its xn-- form";
  }
  const bool allowed = std::all_of(host.begin(), host.end(), [](char character) {
    return codec::is_alphanumeric(character) || character == '-' || character == '_' ||
           character == '.';
  });
  if (!allowed) {
    return fmt::format("{} is no host name", in_quotes(host));
  }
  if (host.front() == '.' || host.back() == '.' || host.find("..") != Bytes::npos) {
    return "a part of the host name is empty";
  }
  return std::nullopt;
}

std::optional<std::string> username_offence(Bytes username) {
  const bool has_control = std::any_of(username.begin(), username.end(), [](char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
  });
  if (has_control) {
    return "the user name has a control character";
  }
  if (username.size() > 1024) {
    return "the user name is longer than 1024 octets";
  }
  return codec::is_utf8(username) ? std::nullopt
                                  : std::optional<std::string>("the user name is not UTF-8");
}

}  // namespace ringpost::cli
