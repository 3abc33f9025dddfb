// The problem: a lenient server hides what its client says wrongly, and what is wrong depends on
// what this session was offered. The idea: a line is taken apart from left to right into views,
// each parameter is judged by the offer, and every refusal is a literal with the violation that it
// counts as. Whoever relays for programs as they are asks for the tolerant grammar, which differs
// in few places. Limits: the text of ENVID and ORCPT is ASCII, although RFC 6533 allows more.
#include "engine/server/command_syntax.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "engine/server/mailbox_syntax.h"
#include <ringpost/limits.h>

namespace ringpost::server {

namespace {

// RFC 5321 4.5.3.1.3, with the brackets.
constexpr std::size_t path_bytes_max = limits::mailbox_bytes_max + 2;
constexpr std::size_t command_bytes_max = 512;  // RFC 5321 4.5.3.1.4
// SIZE (RFC 1870) 26, BODY (RFC 6152) 17, SMTPUTF8 (RFC 6531) 10, AUTH (RFC 4954) 500, and RET with
// ENVID (RFC 3461), whose text has up to 100 octets.
constexpr std::size_t mail_bytes_max = command_bytes_max + 26 + 17 + 10 + 500 + 117;
constexpr std::size_t rcpt_bytes_max = command_bytes_max + 10 + 500;  // SMTPUTF8, NOTIFY and ORCPT
constexpr std::size_t envelope_id_bytes_max = 100;                    // RFC 3461 4.4
constexpr std::size_t original_recipient_bytes_max = 500;             // RFC 3461 4.2

struct VerbName {
  Bytes name;
  Verb verb;
};

// Sorted by how often a bulk client says them.
constexpr std::array<VerbName, 13> verb_names = {{{"RCPT", Verb::rcpt},
                                                  {"MAIL", Verb::mail},
                                                  {"BDAT", Verb::bdat},
                                                  {"RSET", Verb::rset},
                                                  {"DATA", Verb::data},
                                                  {"EHLO", Verb::ehlo},
                                                  {"HELO", Verb::helo},
                                                  {"QUIT", Verb::quit},
                                                  {"AUTH", Verb::auth},
                                                  {"NOOP", Verb::noop},
                                                  {"VRFY", Verb::vrfy},
                                                  {"HELP", Verb::help},
                                                  {"STARTTLS", Verb::starttls}}};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equals_ignoring_case(Bytes text, Bytes upper_case) {
  return text.size() == upper_case.size() &&
         std::equal(text.begin(), text.end(), upper_case.begin(),
                    [](char a, char b) { return upper(a) == b; });
}

Failure<SyntaxError> syntax_error(Bytes text) {
  return Failure(SyntaxError{501, "5.5.4", text, Violation::syntax});
}

Failure<SyntaxError> address_error(Bytes enhanced, Bytes text) {
  return Failure(SyntaxError{501, enhanced, text, Violation::syntax});
}

Failure<SyntaxError> not_offered() {
  return Failure(SyntaxError{555, "5.5.4", "Parameter of an extension that is not offered",
                             Violation::unannounced});
}

bool parse_number(Bytes text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc{} && stop == end;
}

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

// RFC 3461 4: printable but for '+' and '=', which are written +HH in upper case. RFC 6533 3 allows
// UTF-8 in addresses; a client that needs no more than ASCII is all that is judged here.
bool is_xtext(Bytes text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      if (i + 2 >= text.size() || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) {
        return false;
      }
      i += 2;
    } else if (text[i] < '!' || text[i] > '~' || text[i] == '=') {
      return false;
    }
  }
  return true;
}

struct Parameter {
  Bytes name;
  Bytes value;
  bool has_value = false;
};

// Takes " NAME[=VALUE]" off the front of `rest`.
Result<Parameter, SyntaxError> take_parameter(Bytes& rest) {
  if (rest.front() != ' ') {
    return syntax_error("A space belongs between parameters");
  }
  rest.remove_prefix(1);
  const Bytes text = rest.substr(0, rest.find(' '));
  rest.remove_prefix(text.size());
  const std::size_t equals = text.find('=');
  Parameter parameter{text.substr(0, equals), {}, equals != Bytes::npos};
  if (parameter.has_value) {
    parameter.value = text.substr(equals + 1);
  }
  if (parameter.name.empty() || (parameter.has_value && parameter.value.empty())) {
    return syntax_error("Bad parameter");
  }
  return parameter;
}

// Calls `take` for each parameter behind a path; each name may stand there once (RFC
// 5321 4.1.1.11).
template <typename Take>
Result<void, SyntaxError> for_each_parameter(Bytes rest, Grammar grammar, Take take) {
  std::uint32_t seen = 0;
  while (!rest.empty()) {
    while (grammar == Grammar::tolerant && rest.starts_with("  ")) {
      rest.remove_prefix(1);
    }
    auto parameter = take_parameter(rest);
    if (!parameter) {
      return Failure(parameter.error());
    }
    Result<std::uint32_t, SyntaxError> bit = take(*parameter);
    if (!bit) {
      return Failure(bit.error());
    }
    if ((seen & *bit) != 0) {
      return syntax_error("Parameter given twice");
    }
    seen |= *bit;
  }
  return {};
}

using ParameterResult = Result<std::uint32_t, SyntaxError>;

ParameterResult accept_if(bool offered, bool valid, std::uint32_t bit, Bytes complaint) {
  if (!offered) {
    return not_offered();
  }
  if (!valid) {
    return syntax_error(complaint);
  }
  return bit;
}

ParameterResult take_mail_parameter(const Parameter& parameter, const Extensions& offered,
                                    MailArguments& mail) {
  const Bytes name = parameter.name;
  const Bytes value = parameter.value;
  if (equals_ignoring_case(name, "SIZE")) {
    std::uint64_t size = 0;
    const bool valid = value.size() <= 20 && parse_number(value, size);  // RFC 1870 5
    mail.size = size;
    return accept_if(offered.size, valid, 1u << 0, "Bad SIZE");
  }
  if (equals_ignoring_case(name, "BODY")) {
    mail.eight_bit_mime = equals_ignoring_case(value, "8BITMIME");
    const bool valid = mail.eight_bit_mime || equals_ignoring_case(value, "7BIT");
    return accept_if(offered.eight_bit_mime, valid, 1u << 1, "Bad BODY");
  }
  if (equals_ignoring_case(name, "SMTPUTF8")) {
    mail.smtputf8 = true;
    return accept_if(offered.smtputf8, !parameter.has_value, 1u << 2, "SMTPUTF8 has no value");
  }
  if (equals_ignoring_case(name, "RET")) {
    const bool valid = equals_ignoring_case(value, "FULL") || equals_ignoring_case(value, "HDRS");
    mail.return_kind = value;
    return accept_if(offered.dsn, valid, 1u << 3, "Bad RET");
  }
  if (equals_ignoring_case(name, "ENVID")) {
    const bool valid =
        parameter.has_value && value.size() <= envelope_id_bytes_max && is_xtext(value);
    mail.envelope_id = value;
    return accept_if(offered.dsn, valid, 1u << 4, "Bad ENVID");
  }
  if (equals_ignoring_case(name, "AUTH")) {
    const bool valid = value == "<>" || (parameter.has_value && is_xtext(value));
    return accept_if(offered.auth, valid, 1u << 5, "Bad AUTH");
  }
  return not_offered();
}

// NEVER alone, or a list of the other three.
bool is_notify(Bytes value) {
  if (equals_ignoring_case(value, "NEVER")) {
    return true;
  }
  while (true) {
    const std::size_t comma = value.find(',');
    const Bytes word = value.substr(0, comma);
    if (!equals_ignoring_case(word, "SUCCESS") && !equals_ignoring_case(word, "FAILURE") &&
        !equals_ignoring_case(word, "DELAY")) {
      return false;
    }
    if (comma == Bytes::npos) {
      return true;
    }
    value.remove_prefix(comma + 1);
  }
}

ParameterResult take_rcpt_parameter(const Parameter& parameter, const Extensions& offered,
                                    RcptArguments& rcpt) {
  if (equals_ignoring_case(parameter.name, "NOTIFY")) {
    rcpt.notify = parameter.value;
    return accept_if(offered.dsn, is_notify(parameter.value), 1u << 0, "Bad NOTIFY");
  }
  if (equals_ignoring_case(parameter.name, "ORCPT")) {
    const std::size_t semicolon = parameter.value.find(';');
    const bool valid = semicolon != Bytes::npos && semicolon > 0 &&
                       parameter.value.size() <= original_recipient_bytes_max &&
                       is_xtext(parameter.value.substr(semicolon + 1));
    rcpt.original_recipient = parameter.value;
    return accept_if(offered.dsn, valid, 1u << 1, "Bad ORCPT");
  }
  return not_offered();
}

// The `<` `>` path behind FROM: or TO:. A '>' may stand inside a quoted local part.
Result<Bytes, SyntaxError> take_path(Bytes& rest) {
  if (!rest.starts_with('<')) {
    return address_error("5.5.4", "The path stands in angle brackets, right behind the colon");
  }
  bool quoted = false;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (quoted && rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      quoted = !quoted;
    } else if (rest[i] == '>' && !quoted) {
      if (i + 1 > path_bytes_max) {
        return address_error("5.1.3", "Path of more than 256 octets");
      }
      const Bytes address = rest.substr(1, i - 1);
      rest.remove_prefix(i + 1);
      return address;
    }
  }
  return address_error("5.5.4", "No closing bracket");
}

// One that stands there without brackets, up to the first parameter.
Bytes take_bare_path(Bytes& rest) {
  const Bytes address = rest.substr(0, rest.find(' '));
  rest.remove_prefix(address.size());
  return address;
}

Result<Bytes, SyntaxError> take_keyword_and_path(Bytes& rest, Bytes keyword, Grammar grammar) {
  if (!equals_ignoring_case(rest.substr(0, keyword.size()), keyword)) {
    return address_error("5.5.4", "FROM: belongs behind MAIL, TO: behind RCPT");
  }
  rest.remove_prefix(keyword.size());
  if (grammar == Grammar::tolerant) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (!rest.empty() && rest.front() != '<') {
      return take_bare_path(rest);
    }
  }
  return take_path(rest);
}

Failure<SyntaxError> needs_smtputf8() {
  return Failure(SyntaxError{553, "5.6.7", "Address is not ASCII, and SMTPUTF8 was not given",
                             Violation::undeclared_utf8});
}

// These two fill in what their caller returns: copying it would cost more than looking at it.
std::optional<SyntaxError> fill_mail(Bytes arguments, const Extensions& offered, Grammar grammar,
                                     MailArguments& mail) {
  const auto path = take_keyword_and_path(arguments, "FROM:", grammar);
  if (!path) {
    return path.error();
  }
  const auto parameters = for_each_parameter(arguments, grammar, [&](const Parameter& parameter) {
    return take_mail_parameter(parameter, offered, mail);
  });
  if (!parameters) {
    return parameters.error();
  }
  mail.sender = *path;
  if (mail.sender.empty()) {
    return std::nullopt;
  }
  const auto mailbox = parse_mailbox(mail.sender);
  if (!mailbox) {
    return address_error("5.1.7", mailbox.error()).error();
  }
  if (!mailbox->ascii && !mail.smtputf8) {
    return needs_smtputf8().error();
  }
  mail.local_part = mailbox->local_part;
  return std::nullopt;
}

std::optional<SyntaxError> fill_rcpt(Bytes arguments, const Extensions& offered, bool smtputf8,
                                     Grammar grammar, RcptArguments& rcpt) {
  const auto path = take_keyword_and_path(arguments, "TO:", grammar);
  if (!path) {
    return path.error();
  }
  const auto parameters = for_each_parameter(arguments, grammar, [&](const Parameter& parameter) {
    return take_rcpt_parameter(parameter, offered, rcpt);
  });
  if (!parameters) {
    return parameters.error();
  }
  rcpt.recipient = *path;
  // RFC 5321 4.1.1.3: the only address that needs no domain.
  if (equals_ignoring_case(*path, "POSTMASTER")) {
    rcpt.local_part = *path;
    return std::nullopt;
  }
  const auto mailbox = parse_mailbox(*path);
  if (!mailbox) {
    return address_error("5.1.3", mailbox.error()).error();
  }
  // Of a sender no server minds: those of VERP have an address in them.
  if (mailbox->local_part.size() > limits::local_part_bytes_max) {
    return address_error("5.1.3", "Local part of more than 64 octets").error();
  }
  if (!mailbox->ascii && !smtputf8) {
    return needs_smtputf8().error();
  }
  rcpt.local_part = mailbox->local_part;
  return std::nullopt;
}

}  // namespace

Command split_command(Bytes line) {
  while (line.ends_with(' ') || line.ends_with('\t')) {
    line.remove_suffix(1);
  }
  const std::size_t space = line.find(' ');
  const Bytes word = line.substr(0, space);
  const Bytes arguments = space == Bytes::npos ? Bytes() : line.substr(space + 1);
  for (const VerbName& known : verb_names) {
    if (equals_ignoring_case(word, known.name)) {
      return {known.verb, arguments};
    }
  }
  return {Verb::unknown, arguments};
}

std::size_t command_line_bytes_max(Verb verb) {
  if (verb == Verb::mail) {
    return mail_bytes_max;
  }
  if (verb == Verb::rcpt) {
    return rcpt_bytes_max;
  }
  return verb == Verb::auth ? any_command_line_bytes_max : command_bytes_max;
}

Result<MailArguments, SyntaxError> parse_mail(Bytes arguments, const Extensions& offered,
                                              Grammar grammar) {
  Result<MailArguments, SyntaxError> mail;
  if (const auto error = fill_mail(arguments, offered, grammar, *mail)) {
    mail = Failure(*error);
  }
  return mail;
}

Result<RcptArguments, SyntaxError> parse_rcpt(Bytes arguments, const Extensions& offered,
                                              bool smtputf8, Grammar grammar) {
  Result<RcptArguments, SyntaxError> rcpt;
  if (const auto error = fill_rcpt(arguments, offered, smtputf8, grammar, *rcpt)) {
    rcpt = Failure(*error);
  }
  return rcpt;
}

Result<BdatArguments, SyntaxError> parse_bdat(Bytes arguments) {
  BdatArguments bdat;
  const std::size_t space = arguments.find(' ');
  if (space != Bytes::npos) {
    bdat.last = equals_ignoring_case(arguments.substr(space + 1), "LAST");
    if (!bdat.last) {
      return syntax_error("BDAT wants a count and, at most, LAST");
    }
  }
  if (!parse_number(arguments.substr(0, space), bdat.bytes)) {
    return syntax_error("BDAT wants a count of octets");
  }
  return bdat;
}

bool is_host_name(Bytes text, Grammar grammar) {
  if (grammar == Grammar::strict) {
    return is_domain(text, false) || is_address_literal(text);
  }
  constexpr Bytes specials = "()<>@,;\\\"";  // RFC 5322 3.2.3, that end a word
  return !text.empty() && text.size() <= limits::domain_bytes_max &&
         std::all_of(text.begin(), text.end(), [specials](char octet) {
           return octet > ' ' && octet <= '~' && specials.find(octet) == Bytes::npos;
         });
}

}  // namespace ringpost::server
