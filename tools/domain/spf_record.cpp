// The problem: one wrong character makes a record void for strict receivers and none for others, so
// its writer never learns. The idea: the grammar of RFC 7208 12, as strictly as a receiver may take
// it, with the term that breaks it in the words. Limits: a target with macros is checked for its
// form and not expanded, because it depends on the mail.
#include "tools/domain/spf_record.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/shown_text.h"
#include "tools/domain/domain_name.h"

namespace ringpost::cli {

namespace {

constexpr std::string_view version = "v=spf1";
constexpr std::size_t terms_max = 512;  // 64 KB of TXT hold more; no record that works does

constexpr std::string_view mechanism_names[] = {"all", "include", "a",   "mx",
                                                "ptr", "ip4",     "ip6", "exists"};

std::vector<Bytes> words_of(Bytes text) {
  std::vector<Bytes> words;
  while (!text.empty() && words.size() <= terms_max) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == Bytes::npos) {
      break;
    }
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

// RFC 7208 7.1: %{ letter digits r delimiters }, %%, %_ or %-. Nothing: it is wrong.
std::optional<bool> macros_in(Bytes text) {
  constexpr std::string_view letters = "slodiphcrtv";
  constexpr std::string_view delimiters = ".-+,/_=";
  bool any = false;
  for (std::size_t at = text.find('%'); at != Bytes::npos; at = text.find('%', at)) {
    any = true;
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next == '%' || next == '_' || next == '-') {
      at += 2;
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (next != '{' || end == Bytes::npos || end < at + 3 ||
        letters.find(codec::lower(text[at + 2])) == Bytes::npos) {
      return std::nullopt;
    }
    Bytes rest = text.substr(at + 3, end - at - 3);
    while (!rest.empty() && codec::is_digit(rest.front())) {
      rest.remove_prefix(1);
    }
    if (!rest.empty() && codec::lower(rest.front()) == 'r') {
      rest.remove_prefix(1);
    }
    if (rest.find_first_not_of(delimiters) != Bytes::npos) {
      return std::nullopt;
    }
    at = end + 1;
  }
  return any;
}

// Whether the target has macros; an error where it is no domain.
Result<bool, std::string> check_domain(Bytes target, Bytes term) {
  const std::optional<bool> macros = macros_in(target);
  if (!macros) {
    return Failure(fmt::format("{} has a macro that is none", codec::in_quotes(term)));
  }
  Bytes name = target;
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  if (!*macros && (!is_domain_name(name) || labels_of(name) < 2)) {
    return Failure(fmt::format("{} names no domain", codec::in_quotes(term)));
  }
  return *macros;
}

bool is_prefix_length(Bytes digits, unsigned bits_max) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  return error == std::errc() && end == digits.data() + digits.size() && bits <= bits_max &&
         (digits.size() == 1 || digits.front() != '0');
}

bool is_network(Bytes text, bool is_v6) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  unsigned char octets[16];
  return ::inet_pton(is_v6 ? AF_INET6 : AF_INET, address.c_str(), octets) == 1 &&
         (slash == Bytes::npos || is_prefix_length(text.substr(slash + 1), is_v6 ? 128 : 32));
}

// RFC 7208 5.6: "/24", "//64", "/24//64".
bool is_dual_prefix(Bytes text) {
  const std::size_t six = text.find("//");
  const Bytes four = text.substr(0, six);
  const bool four_fits = four.empty() || is_prefix_length(four.substr(1), 32);
  return four_fits && (six == Bytes::npos || is_prefix_length(text.substr(six + 2), 128));
}

class TermReader {
 public:
  explicit TermReader(Bytes text) : text_(text) {}

  Result<SpfTerm, std::string> read() {
    SpfTerm term;
    term.text = std::string(text_);
    Bytes rest = text_;
    if (Bytes("+-~?").find(rest.front()) != Bytes::npos) {
      term.qualifier = rest.front();
      rest.remove_prefix(1);
    }
    const std::size_t name_end = std::min(rest.find_first_of(":/"), rest.size());
    const auto* const found = std::find_if(
        std::begin(mechanism_names), std::end(mechanism_names), [&](std::string_view name) {
          return codec::equal_without_case(rest.substr(0, name_end), name);
        });
    if (found == std::end(mechanism_names)) {
      return Failure(fmt::format("{} is no mechanism", codec::in_quotes(text_)));
    }
    term.mechanism = static_cast<SpfMechanism>(found - std::begin(mechanism_names));
    rest.remove_prefix(name_end);
    auto read = read_target(rest, term);
    return read ? Result<SpfTerm, std::string>(std::move(term)) : Failure(std::move(read.error()));
  }

 private:
  Result<void, std::string> read_target(Bytes rest, SpfTerm& term) const {
    const SpfMechanism kind = term.mechanism;
    if (kind == SpfMechanism::all) {
      return rest.empty() ? Result<void, std::string>() : wrong("all stands alone");
    }
    const bool has_target = rest.starts_with(':');
    if (kind == SpfMechanism::ip4 || kind == SpfMechanism::ip6) {
      term.target = has_target ? std::string(rest.substr(1)) : std::string();
      return is_network(term.target, kind == SpfMechanism::ip6)
                 ? Result<void, std::string>()
                 : wrong(kind == SpfMechanism::ip6 ? "it is no IPv6 network"
                                                   : "it is no IPv4 network");
    }
    const bool takes_prefix = kind == SpfMechanism::a || kind == SpfMechanism::mx;
    Bytes target = has_target ? rest.substr(1) : Bytes();
    Bytes prefix = has_target ? Bytes() : rest;
    if (takes_prefix && has_target) {
      // A macro may have a slash among its delimiters; behind its brace none is part of a name.
      const std::size_t brace = target.rfind('}');
      const std::size_t slash = target.find('/', brace == Bytes::npos ? 0 : brace);
      prefix = slash == Bytes::npos ? Bytes() : target.substr(slash);
      target = target.substr(0, slash);
    }
    if (!prefix.empty() && (!takes_prefix || !is_dual_prefix(prefix))) {
      return wrong("its prefix length is none");
    }
    if (!has_target && (kind == SpfMechanism::include || kind == SpfMechanism::exists)) {
      return wrong("it names no domain");
    }
    if (has_target) {
      const auto macros = check_domain(target, text_);
      if (!macros) {
        return Failure(macros.error());
      }
      term.has_macro = *macros;
      term.target = std::string(target);
    }
    return {};
  }

  Result<void, std::string> wrong(std::string_view why) const {
    return Failure(fmt::format("{}: {}", codec::in_quotes(text_), why));
  }

  Bytes text_;
};

// `name=value`; nothing: this is a mechanism.
std::optional<Bytes> modifier_name(Bytes word) {
  const std::size_t sign = word.find('=');
  const Bytes name = word.substr(0, sign);
  const bool is_one = sign != Bytes::npos && !name.empty() && codec::is_letter(name.front()) &&
                      std::all_of(name.begin(), name.end(), [](char c) {
                        return codec::is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
                      });
  return is_one ? std::optional<Bytes>(name) : std::nullopt;
}

struct Modifiers {
  bool has_redirect = false;
  bool has_explanation = false;
};

Result<void, std::string> read_modifier(Bytes word, Bytes name, Modifiers& seen,
                                        SpfRecord& record) {
  const Bytes value = word.substr(name.size() + 1);
  const bool is_redirect = codec::equal_without_case(name, "redirect");
  const bool is_explanation = codec::equal_without_case(name, "exp");
  if (!is_redirect && !is_explanation) {
    // RFC 7208 6: what is not known is passed over, if its macros are some.
    return macros_in(value)
               ? Result<void, std::string>()
               : Failure(fmt::format("{} has a macro that is none", codec::in_quotes(word)));
  }
  bool& again = is_redirect ? seen.has_redirect : seen.has_explanation;
  if (again) {
    return Failure(fmt::format("{}= comes twice", is_redirect ? "redirect" : "exp"));
  }
  again = true;
  const auto macros = check_domain(value, word);
  if (!macros) {
    return Failure(macros.error());
  }
  if (is_redirect) {
    record.redirect = std::string(value);
    record.redirect_has_macro = *macros;
  }
  return {};
}

}  // namespace

std::string_view name_of(SpfMechanism mechanism) {
  return mechanism_names[static_cast<std::size_t>(mechanism)];
}

const SpfTerm* SpfRecord::all() const {
  const auto found = std::find_if(terms.begin(), terms.end(), [](const SpfTerm& term) {
    return term.mechanism == SpfMechanism::all;
  });
  return found == terms.end() ? nullptr : &*found;
}

bool is_spf(Bytes text) {
  return codec::equal_without_case(text.substr(0, version.size()), version) &&
         (text.size() == version.size() || text[version.size()] == ' ');
}

Result<SpfRecord, std::string> parse_spf(Bytes text) {
  RP_ASSERT(is_spf(text));
  SpfRecord record;
  Modifiers seen;
  const std::vector<Bytes> words = words_of(text.substr(version.size()));
  if (words.size() > terms_max) {
    return Failure(fmt::format("it has more than {} terms", terms_max));
  }
  for (const Bytes word : words) {
    if (const auto name = modifier_name(word)) {
      if (auto read = read_modifier(word, *name, seen, record); !read) {
        return Failure(std::move(read.error()));
      }
      continue;
    }
    auto term = TermReader(word).read();
    if (!term) {
      return Failure(std::move(term.error()));
    }
    record.terms.push_back(std::move(*term));
  }
  return record;
}

std::string spf_with(const std::vector<std::string>& records, std::string_view mechanism) {
  std::vector<std::string> terms;
  std::string last;  // `all`, or a redirect
  const auto add = [&terms](std::string_view term) {
    const bool is_there = std::any_of(terms.begin(), terms.end(), [term](const std::string& one) {
      return codec::equal_without_case(one, term);
    });
    if (!term.empty() && !is_there) {
      terms.emplace_back(term);
    }
  };
  add(mechanism);
  for (const std::string& record : records) {
    for (const Bytes word : words_of(Bytes(record).substr(version.size()))) {
      const std::size_t sign = Bytes("+-~?").find(word.front()) == Bytes::npos ? 0 : 1;
      const bool ends = codec::equal_without_case(word.substr(sign), "all") ||
                        codec::equal_without_case(word.substr(0, 9), "redirect=");
      if (!ends) {
        add(word);
      } else if (last.empty()) {
        last = std::string(word);
      }
    }
  }
  std::string text(version);
  for (const std::string& term : terms) {
    text += ' ' + term;
  }
  return text + ' ' + (last.empty() ? "~all" : last);
}

}  // namespace ringpost::cli
