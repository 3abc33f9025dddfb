#include "codec/mail/address.h"

#include <chrono>
#include <random>
#include <set>
#include <string>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/utf8.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

// "name|address", or the text of the error.
std::string parsed(Bytes text) {
  const auto mailbox = parse_mailbox(text);
  return mailbox ? mailbox->name + "|" + mailbox->address : describe(mailbox.error(), text);
}

bool is_refused(Bytes text, AddressError error) {
  const auto mailbox = parse_mailbox(text);
  return !mailbox && mailbox.error() == error;
}

}  // namespace

TEST_CASE("address: the usual forms are read") {
  CHECK(parsed("a@b") == "|a@b");
  CHECK(parsed("Ann.Lee+news@Example.NET") == "|Ann.Lee+news@Example.NET");
  CHECK(parsed("<a@b>") == "|a@b");
  CHECK(parsed("Ann Lee <a@b>") == "Ann Lee|a@b");
  CHECK(parsed("Ann<a@b>") == "Ann|a@b");
  CHECK(parsed("  Ann   Lee   <a@b>  ") == "Ann Lee|a@b");
  CHECK(parsed("Dr. J. O'Neil <a@b>") == "Dr. J. O'Neil|a@b");
  CHECK(parsed("\"Lee, Ann\" <a@b>") == "Lee, Ann|a@b");
  CHECK(parsed("\"a \\\"b\\\" \\\\c\" <a@b>") == "a \"b\" \\c|a@b");
  CHECK(parsed("\"<x@y>\" <a@b>") == "<x@y>|a@b");
  CHECK(parsed("J\xc3\xb6rg <a@b>") == "J\xc3\xb6rg|a@b");
  CHECK(parsed("!#$%&'*+-/=?^_`{|}~@b") == "|!#$%&'*+-/=?^_`{|}~@b");
}

TEST_CASE("address: quoted local parts are kept as they are") {
  CHECK(parsed("\"a b\"@c") == "|\"a b\"@c");
  CHECK(parsed("\"a@b\"@c") == "|\"a@b\"@c");
  CHECK(parsed("\"a\\\"b\"@c") == "|\"a\\\"b\"@c");
  CHECK(parsed("\"\"@c") == "|\"\"@c");  // RFC 5321 4.1.2: a Quoted-string may be empty
  CHECK(parsed("Ann <\"..\"@c>") == "Ann|\"..\"@c");
  CHECK(domain_of("\"a@b\"@c.d") == "c.d");
}

TEST_CASE("address: spaces around a mailbox do not count, wherever it stands") {
  CHECK(parsed(" a@b ") == "|a@b");
  CHECK(parsed("  <a@b>  ") == "|a@b");
  CHECK(parsed("Ann < a@b >") == "Ann|a@b");
  CHECK(parsed(" \" x \"@b ") == "|\" x \"@b");
  CHECK(validate_address("  a@b  ")->address == "a@b");
  CHECK(validate_address(" <> ").error() == AddressError::null_address);
  CHECK(is_refused("   ", AddressError::empty));
  CHECK(is_refused("Ann < >", AddressError::null_address));
  CHECK(is_refused("a @b", AddressError::space));
  CHECK(is_refused("a@ b", AddressError::space));
}

TEST_CASE("address: a reverse-path may have a longer local part, a recipient may not") {
  const std::string domain = "@example.com";
  const std::string longest(limits::mailbox_bytes_max - domain.size(), 'a');
  CHECK(parse_mailbox(longest + domain, MailboxUse::reverse_path)->address == longest + domain);
  CHECK(validate_address(longest + domain, MailboxUse::reverse_path));
  CHECK(parse_mailbox("SRS0 <" + longest + domain + ">", MailboxUse::reverse_path));
  CHECK(parse_mailbox('a' + longest + domain, MailboxUse::reverse_path).error() ==
        AddressError::too_long);
  CHECK(is_refused(longest + domain, AddressError::local_part_too_long));
  CHECK(is_refused(std::string(65, 'a') + domain, AddressError::local_part_too_long));
  // Nothing else is taken more easily.
  CHECK(parse_mailbox("a..b@c", MailboxUse::reverse_path).error() == AddressError::local_part_dots);
}

TEST_CASE("address: what nobody can see is refused, and named by its code point") {
  const auto named = [](const std::string& character) {
    return parsed("a" + character + "b@example.com");
  };
  CHECK(named("\u200b") ==
        "U+200B (zero width space) stands in the address, where nobody sees it: take it out");
  CHECK(named("\ufeff").starts_with("U+FEFF (byte order mark) "));
  CHECK(named("\u00a0").starts_with("U+00A0 (no-break space) "));
  CHECK(named("\ufffd").starts_with("U+FFFD (replacement character: the text was read in"));
  CHECK(named("\u2004").starts_with("U+2004 stands "));
  CHECK(named("\x07").starts_with("U+0007 stands "));
  CHECK(named("\u0085").starts_with("U+0085 (next line) "));
  for (const char* hidden :
       {"\u00ad", "\u034f", "\u061c",     "\u115f",     "\u1680",     "\u180e",
        "\u2000", "\u2003", "\u200a",     "\u200c",     "\u200d",     "\u200e",
        "\u200f", "\u2028", "\u2029",     "\u202a",     "\u202e",     "\u202f",
        "\u205f", "\u2060", "\u2064",     "\u2066",     "\u2069",     "\u206f",
        "\u3000", "\u3164", "\ufdd0",     "\ufdef",     "\uffa0",     "\ufff9",
        "\ufffc", "\uffff", "\U0001fffe", "\U000e0001", "\U000e007f", "\U0010ffff"}) {
    INFO(named(hidden));
    const std::string text = hidden;
    for (const std::string& address :
         {text + "a@b.example", "a" + text + "@b.example", "\"a " + text + "\"@b.example",
          "<" + text + "a@b.example>", "Ann <a@b.example" + text + ">"}) {
      const auto mailbox = parse_mailbox(address);
      REQUIRE_FALSE(mailbox);
      const bool by_idna = mailbox.error() == AddressError::domain_not_idna &&
                           (text == "\u200c" || text == "\u200d");
      CHECK((mailbox.error() == AddressError::hidden_character || by_idna));
    }
    CHECK_FALSE(parse_mailbox("a@b" + text + "c.example"));
    CHECK(validate_display_name("Ann" + text));
  }
}

TEST_CASE("address: what one can see is taken, in every script") {
  for (const char* local :
       {"j\u00f6rg", "\u7528\u6237", "\u0905\u091c\u092f", "\u0d05\u0d1c\u0d2f\u0d4d",
        "\u0438\u0432\u0430\u043d", "e\u0301", "\u2764\ufe0f", "\U0001f600"}) {
    INFO(local);
    CHECK(parse_mailbox(std::string(local) + "@example.com"));
  }
  // Names may have what joins and separates letters.
  CHECK(parsed("\u0645\u06cc\u200c\u0631\u0648\u062f <a@b>") ==
        "\u0645\u06cc\u200c\u0631\u0648\u062f|a@b");
  CHECK(parsed("Ann\u00a0Lee <a@b>") == "Ann\u00a0Lee|a@b");
  // IDNA knows where a joiner belongs (RFC 5892 A.1).
  CHECK(parsed("a@\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example") ==
        "|a@xn--mgba3gch31f060k.example");
}

TEST_CASE("address: dots that need quotes say so") {
  for (const char* text : {"a..b@c", "a.@c", ".a@c", "...@c"}) {
    INFO(text);
    CHECK(parsed(text).find("quotes help: \"a..b\"@example.com") != std::string::npos);
    const std::string address = text;
    const std::size_t at = address.find('@');
    CHECK(parse_mailbox('"' + address.substr(0, at) + '"' + address.substr(at)));
  }
}

TEST_CASE("address: address literals are checked") {
  CHECK(parsed("a@[192.0.2.1]") == "|a@[192.0.2.1]");
  CHECK(parsed("a@[IPv6:2001:db8::1]") == "|a@[IPv6:2001:db8::1]");
  for (const char* text :
       {"a@[192.0.2]", "a@[192.0.2.256]", "a@[2001:db8::1]", "a@[IPv6:192.0.2.1]", "a@[IPv6:x]",
        "a@[tag:x]", "a@[]", "a@[192.0.2.1", "a@[192.0.2.1]x", "a@[IPv6:2001:db8::1%eth0]",
        "a@[IPv6:1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]"}) {
    INFO(text);
    CHECK(is_refused(text, AddressError::bad_address_literal));
  }
}

TEST_CASE("address: domains that are not ASCII become A-labels, ASCII ones keep their spelling") {
  CHECK(parsed("a@EX\xc3\x84MPLE.com") == "|a@xn--exmple-cua.com");
  CHECK(parsed("a@faß.de") == "|a@xn--fa-hia.de");  // non-transitional: not fass.de
  CHECK(parsed("a@例え。jp") == "|a@xn--r8jz45g.jp");
  CHECK(parsed("a@XN--EXMPLE-CUA.com") == "|a@XN--EXMPLE-CUA.com");
  CHECK(is_refused("a@ex\xe2\x80\xaemple.com", AddressError::hidden_character));  // U+202E
}

TEST_CASE("address: no mapping of IDNA can bring a special character back") {
  // Full-width forms of > , CR-like and space characters map to ASCII in UTS 46.
  for (const char* text : {"a@b\xef\xbc\x9e.c", "a@b\xef\xbc\x9c.c", "a@b\xe3\x80\x80.c",
                           "a@b\xef\xbc\x8c"
                           "c@d",
                           "a@b\xef\xbc\xa0"
                           "c"}) {
    INFO(text);
    CHECK_FALSE(parse_mailbox(text));
  }
}

TEST_CASE("address: a local part that is not ASCII needs SMTPUTF8, a name does not") {
  CHECK(parse_mailbox("j\xc3\xb6rg@b")->needs_smtputf8);
  CHECK(parse_mailbox("j\xc3\xb6rg@b")->address == "j\xc3\xb6rg@b");
  CHECK_FALSE(parse_mailbox("J\xc3\xb6rg <j@b\xc3\xa4.c>")->needs_smtputf8);
}

TEST_CASE("address: characters whose code point ends like CR or LF go through whole (S04)") {
  // U+010D and U+010A have 0D and 0A as their low octet.
  const std::string text = "a\xc4\x8d\xc4\x8a@b";
  CHECK(parsed(text) == "|" + text);
}

TEST_CASE("address: commands cannot be smuggled in (S01, S02, S03)") {
  for (const Bytes text :
       {Bytes("a@x>\r\nRCPT TO:<evil@y"), Bytes("a\n@x"), Bytes("a\r@x"), Bytes("a\0@x", 4),
        Bytes("a\x7f@x"), Bytes("\"a\r\nDATA\"@x"), Bytes("a@x\n"), Bytes("a@x\r\n"),
        Bytes("a\t@x"), Bytes("Ann\n <a@x>"), Bytes("\"Ann\r\nBcc: x\" <a@x>"),
        Bytes("a\xc2\x85@x"), Bytes("<a@x>\0", 6)}) {
    CHECK(is_refused(text, AddressError::control_character));
  }
}

TEST_CASE("address: what is no mailbox is refused for its reason (S07)") {
  CHECK(is_refused("", AddressError::empty));
  CHECK(is_refused("a", AddressError::no_at_sign));
  CHECK(is_refused("@b", AddressError::local_part_empty));
  CHECK(is_refused("a@", AddressError::domain_empty));
  CHECK(is_refused("a@b@c", AddressError::domain_character));
  CHECK(is_refused("a b@c", AddressError::space));
  CHECK(is_refused(".a@b", AddressError::local_part_dots));
  CHECK(is_refused("a.@b", AddressError::local_part_dots));
  CHECK(is_refused("a..b@c", AddressError::local_part_dots));
  CHECK(is_refused("a@b..c", AddressError::domain_label));
  CHECK(is_refused("a@b.", AddressError::domain_label));
  CHECK(is_refused("a@.b", AddressError::domain_label));
  CHECK(is_refused("a@-b", AddressError::domain_label));
  CHECK(is_refused("a@b-.c", AddressError::domain_label));
  CHECK(is_refused("a@" + std::string(64, 'b'), AddressError::domain_label));
  CHECK(is_refused("a@b_c", AddressError::domain_character));
  CHECK(is_refused("<>", AddressError::null_address));
  CHECK(is_refused("Ann <>", AddressError::null_address));
  CHECK(is_refused("<@x,@y:a@b>", AddressError::source_route));
  CHECK(is_refused("<a@b", AddressError::unclosed_bracket));
  CHECK(is_refused("a@b>", AddressError::stray_bracket));
  CHECK(is_refused("<a@b>>", AddressError::text_after_bracket));
  CHECK(is_refused("<<a@b>", AddressError::stray_bracket));
  CHECK(is_refused("Ann <a@b> x", AddressError::text_after_bracket));
  CHECK(is_refused("Ann <a@b>, Bob <c@d>", AddressError::several_addresses));
  CHECK(is_refused("a@b, c@d", AddressError::several_addresses));
  CHECK(is_refused("a@b;c@d", AddressError::several_addresses));
  CHECK(is_refused("a@b (Ann)", AddressError::space));
  CHECK(is_refused("(Ann)a@b", AddressError::comment));
  CHECK(is_refused("Lee, Ann <a@b>", AddressError::name_character));
  CHECK(is_refused("\"Ann <a@b>", AddressError::unclosed_quote));
  CHECK(is_refused("\"a@b", AddressError::unclosed_quote));
  CHECK(is_refused("a\"b@c", AddressError::unclosed_quote));
  CHECK(is_refused("\"a\"b@c", AddressError::local_part_character));
  CHECK(is_refused("a\\b@c", AddressError::local_part_character));
  CHECK(is_refused("a\xff@b", AddressError::invalid_utf8));
}

TEST_CASE("address: sizes are those of RFC 5321 4.5.3.1") {
  const std::string domain =
      "@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." + std::string(61, 'd');
  CHECK(parse_mailbox(std::string(64, 'a') + domain));  // 254 octets
  CHECK(is_refused(std::string(64, 'a') + domain + "e", AddressError::too_long));
  CHECK(is_refused(std::string(65, 'a') + "@b", AddressError::local_part_too_long));
  CHECK(is_refused("a@" + std::string(63, 'b') + "." + std::string(63, 'c') + "." +
                       std::string(63, 'd') + "." + std::string(63, 'e') + ".f",
                   AddressError::domain_too_long));
  CHECK(is_refused(std::string(1'000'000, 'a'), AddressError::too_long));
  CHECK(is_refused(std::string(600, 'n') + " <a@b>", AddressError::name_too_long));
  CHECK(parsed(std::string(600, 'n') + " <a@b>") ==
        "the name is longer than 512 octets: it has 600");
  CHECK(describe(AddressError::name_too_long, std::string(513, 'n')) ==
        "the name is longer than 512 octets: it has 513");
  CHECK(parsed("Ann <" + std::string(65, 'l') + "@b>") ==
        "the part before the '@' is longer than 64 octets: it has 65; only envelope.from may have "
        "more");
  CHECK(parsed("a@" + std::string(256, 'd')) == "the domain is longer than 255 octets: it has 256");
  const std::string label = "." + std::string(60, 'd');
  CHECK(parsed("Ann <" + std::string(64, 'l') + "@d" + label + label + label + label + ">") ==
        "the address is longer than 254 octets: it has 310");
  CHECK(parsed(std::string(3000, 'a')) ==
        "the text of an address, with its name, is longer than 2048 octets: it has 3000");
}

TEST_CASE("address: validate_address takes the bare form only") {
  CHECK(validate_address("a@b")->address == "a@b");
  CHECK_FALSE(validate_address("Ann <a@b>"));
  CHECK_FALSE(validate_address("<a@b>"));
  CHECK(validate_address("<>").error() == AddressError::null_address);
}

TEST_CASE("address: a mailbox object is reused without rests of the last one") {
  Mailbox mailbox;
  REQUIRE(parse_mailbox("Ann <j\xc3\xb6rg@b>", mailbox));
  REQUIRE(parse_mailbox("c@d", mailbox));
  CHECK(mailbox.name.empty());
  CHECK(mailbox.address == "c@d");
  CHECK_FALSE(mailbox.needs_smtputf8);
}

TEST_CASE("address: every error has a text of its own") {
  std::set<std::string_view> texts;
  for (std::size_t index = 0; index < address_error_count; ++index) {
    texts.insert(text_of(static_cast<AddressError>(index)));
  }
  CHECK(texts.size() == address_error_count);
  CHECK_FALSE(texts.contains(""));
}

TEST_CASE("address: what is accepted is clean and is accepted again, whatever was thrown at it") {
  std::mt19937 random(99);
  constexpr Bytes pieces[] = {"a",   "b.c", "@", "<",    ">", "\"",       " ",    "\\", ".",
                              ",",   "(",   ")", "[",    "]", "\xc3\xa4", "\r",   "\n", "example",
                              "a@b", "1",   ":", "IPv6", ";", "\xff",     "xn--", "_",  "Ann "};
  int accepted = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string text;
    for (std::size_t count = random() % 9 + 1; count > 0; --count) {
      text += pieces[random() % std::size(pieces)];
    }
    const auto mailbox = parse_mailbox(text);
    if (!mailbox) {
      continue;
    }
    ++accepted;
    const auto again = validate_address(mailbox->address);
    const bool clean = is_utf8(mailbox->address) &&
                       mailbox->address.find_first_of("\r\n") == std::string::npos &&
                       is_ascii(domain_of(mailbox->address));
    if (!clean || !again || again->address != mailbox->address) {
      FAIL(text);
    }
  }
  CHECK(accepted > 1000);
}

TEST_CASE("address: what is taken at a look is what the rules take") {
  // Brackets lead past the look.
  const auto same = [](const std::string& text) {
    const auto at_a_look = parse_mailbox(text);
    const auto by_rules = parse_mailbox("<" + text + ">");
    INFO(text);
    REQUIRE(at_a_look.has_value() == by_rules.has_value());
    if (at_a_look) {
      REQUIRE(at_a_look->address == by_rules->address);
      REQUIRE(at_a_look->needs_smtputf8 == by_rules->needs_smtputf8);
    }
    return at_a_look.has_value();
  };
  std::mt19937 random(1);
  const std::string_view alphabet = "aB9-.+@_";
  std::size_t taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    for (std::size_t left = random() % 12; left > 0; --left) {
      text += alphabet[random() % alphabet.size()];
    }
    taken += same(text) ? 1u : 0u;
  }
  CHECK(taken > 1000);
  for (const std::size_t bytes : {63u, 64u, 65u}) {
    CHECK(same(std::string(bytes, 'a') + "@b.example") == (bytes <= 64));
    CHECK(same("a@" + std::string(bytes, 'b') + ".example") == (bytes <= 63));
    CHECK(same("a@b." + std::string(bytes, 'c')) == (bytes <= 63));
  }
  std::string domain;
  for (int label = 0; label < 40; ++label) {
    domain += "abcdef.";
    same("a@" + domain + "b");
    same("a@" + domain);
  }
}

TEST_CASE("address: hostile text takes no more time than its length") {
  const std::clock_t begin = std::clock();  // of this process alone
  for (const char letter : {'"', '<', '(', '\\', '.', '@', ',', ' '}) {
    for (int round = 0; round < 1000; ++round) {
      CHECK_FALSE(parse_mailbox(std::string(2048, letter)));
    }
  }
  CHECK(std::clock() - begin < 10 * CLOCKS_PER_SEC);
}
