// The problem: "587 starttls" and "14 recipients/s" are values of several parts, and what is wrong
// with one of them has to be told. The idea: a parser for each, and a way back for the second.
// Limits: periods are a second, a minute, an hour and a day.
#include "tools/presets/preset_value.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "tools/process/numbers.h"
#include "tools/process/wording.h"

namespace ringpost::cli {

namespace {

constexpr std::array<std::string_view, 3> security_names = {"starttls", "implicit", "none"};

TransportSecurity usual_security(std::uint16_t port) {
  return port == 465 || port == 2465 ? TransportSecurity::implicit : TransportSecurity::starttls;
}

}  // namespace

Result<PresetPort, std::string> parse_preset_port(Bytes text) {
  const std::size_t space = text.find(' ');
  const auto port = parse_port(text.substr(0, space));
  if (!port) {
    return Failure(port.error());
  }
  if (space == Bytes::npos) {
    return PresetPort{*port, usual_security(*port)};
  }
  const Bytes mode = text.substr(space + 1);
  const auto found = std::find(security_names.begin(), security_names.end(), mode);
  if (found == security_names.end()) {
    return Failure(fmt::format("{}: {} is none of \"starttls\", \"implicit\" and \"none\"",
                               in_quotes(text), in_quotes(mode)));
  }
  return PresetPort{*port, static_cast<TransportSecurity>(found - security_names.begin())};
}

}  // namespace ringpost::cli
