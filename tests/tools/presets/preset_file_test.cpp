// The files of tools/presets, and what is said about one that is wrong.
#include "tools/presets/preset_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/text/ascii.h"
#include "tools/presets/embedded.h"
#include "tools/presets/preset_list.h"
#include "tools/presets/preset_value.h"

namespace ringpost::cli {

namespace {

constexpr std::array<std::string_view, 24> names_wanted = {
    "brevo",   "elasticemail", "fastmail",   "gmail",   "google-relay", "icloud",
    "m365",    "mailerlite",   "mailersend", "mailgun", "mailjet",      "mandrill",
    "outlook", "postmark",     "relay",      "resend",  "sendgrid",     "ses",
    "smtp2go", "socketlabs",   "sparkpost",  "yahoo",   "zeptomail",    "zoho"};

std::string complaint_about(const std::string& text) {
  const auto preset = parse_preset("x", text);
  return preset ? std::string() : preset.error().message;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The numbers of "[1][12]" behind the "#" of a line.
std::set<int> sources_named(std::string_view line) {
  std::set<int> numbers;
  for (std::size_t at = line.find('['); at != line.npos; at = line.find('[', at + 1)) {
    const std::size_t end = line.find(']', at);
    int number = 0;
    bool digits = end != line.npos && end > at + 1;
    for (std::size_t i = at + 1; digits && i < end; ++i) {
      digits = codec::is_digit(line[i]);
      number = number * 10 + (line[i] - '0');
    }
    if (digits) {
      numbers.insert(number);
    }
  }
  return numbers;
}

std::string_view comment_of(std::string_view line) {
  const std::size_t at = line.find("# ");
  return at == line.npos ? std::string_view() : line.substr(at);
}

struct SourceCheck {
  std::set<int> listed;              // at the head of the file
  std::set<int> named;               // behind values
  std::vector<std::string> lacking;  // values of [endpoint] and [dns] without one
};

SourceCheck check_sources(std::string_view text) {
  SourceCheck check;
  bool in_endpoint = false;
  bool in_value = false;  // a list that goes on
  for (const std::string_view line : lines_of(text)) {
    if (line.starts_with("# [")) {
      check.listed.merge(sources_named(line.substr(0, line.find(']') + 1)));
      continue;
    }
    check.named.merge(sources_named(comment_of(line)));
    if (line.starts_with("[")) {
      in_endpoint = line.starts_with("[endpoint]") || line.starts_with("[dns]");
      continue;
    }
    const bool begins = !in_value && line.find(" = ") != line.npos && !line.starts_with('#');
    in_value = (in_value || (begins && line.ends_with('['))) && !line.starts_with(']');
    const bool ends = in_endpoint && !in_value && (begins || line.starts_with(']'));
    const std::string_view comment = comment_of(line);
    if (ends && sources_named(comment).empty() && !comment.starts_with("# ours")) {
      check.lacking.emplace_back(line);
    }
  }
  return check;
}

}  // namespace

TEST_CASE("presets: every provider is there, and its file is read without an offence") {
  const std::span<const PresetText> texts = preset_texts();
  REQUIRE(texts.size() == names_wanted.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(texts[i].name == names_wanted[i]);
    const auto preset = load_preset(texts[i].name);
    INFO(texts[i].name << ": " << (preset ? "" : preset.error().message));
    REQUIRE(preset);
    CHECK(preset->id == texts[i].name);
    const bool has_host = preset->endpoint.contains("host") || !preset->regions.empty();
    CHECK(has_host == (preset->id != "relay"));
    CHECK(preset->endpoint.contains("ports"));
  }
}

TEST_CASE("presets: values of endpoints and of DNS have their sources, which are listed") {
  for (const PresetText& each : preset_texts()) {
    const SourceCheck check = check_sources(each.text);
    INFO(each.name << ": " << (check.lacking.empty() ? "" : check.lacking.front()));
    CHECK(check.lacking.empty());
    CHECK(std::includes(check.listed.begin(), check.listed.end(), check.named.begin(),
                        check.named.end()));
  }
  const SourceCheck wrong =
      check_sources("# [1] a page\n[endpoint]\nhost = \"a\"  # [2]\nx = [\n]\n");
  CHECK(wrong.lacking.size() == 1);
  CHECK(wrong.named == std::set<int>{2});
}

// A rule that an earlier one hides would never be asked.
TEST_CASE("presets: every rule of a file decides about the words that it was written for") {
  for (const PresetText& each : preset_texts()) {
    const auto preset = load_preset(each.name);
    REQUIRE(preset);
    const protocol::ReplyRules rules({}, preset->replies);
    for (const protocol::ReplyRule& rule : rules.rules()) {
      std::string words = rule.text;
      std::replace(words.begin(), words.end(), '*', '~');
      std::string status = rule.enhanced.ends_with('*')
                               ? rule.enhanced.substr(0, rule.enhanced.size() - 1) + "99"
                               : rule.enhanced;
      Bytes rest = status;
      const codec::Reply reply = {rule.code == 0 ? std::uint16_t{450} : rule.code,
                                  codec::take_enhanced_status(rest), words, 1};
      INFO(rule.origin);
      CHECK(rules.rule(rule.stage.value_or(Stage::eod), reply).rule == &rule);
    }
  }
}

TEST_CASE("presets: what SendGrid, SES and SparkPost are known for can be read") {
  const auto sendgrid = load_preset("sendgrid");
  REQUIRE(sendgrid);
  CHECK(sendgrid->endpoint.at("username").texts.front() == "apikey");
  CHECK(sendgrid->hints.at("username") == "the word apikey");
  CHECK(sendgrid->endpoint.at("messages_per_connection").texts.front() == "100");
  const auto ses = load_preset("ses");
  REQUIRE(ses);
  CHECK(ses->regions.at("eu-west-1") == "email-smtp.eu-west-1.amazonaws.com");
  CHECK(ses->plans.at("sandbox").at("rate").texts ==
        std::vector<std::string>{"1 recipients/s", "200 recipients/d"});
  const std::string origin = ses->endpoint.at("queue_id").origin;
  CHECK(origin.starts_with("preset ses, line "));
  const auto line = static_cast<std::size_t>(std::stoi(origin.substr(17)));
  std::string_view text = *preset_text("ses");
  CHECK(lines_of(text).at(line - 1).starts_with("queue_id"));
  const auto sparkpost = load_preset("sparkpost");
  REQUIRE(sparkpost);
  for (const std::string& port : sparkpost->endpoint.at("ports").texts) {
    const auto parsed = parse_preset_port(port);
    REQUIRE(parsed);
    CHECK(parsed->port != 465);
  }
}

TEST_CASE("presets: MailerLite is MailerSend by another name, picked by name alone") {
  const auto mailerlite = load_preset("mailerlite");
  const auto mailersend = load_preset("mailersend");
  REQUIRE(mailerlite);
  REQUIRE(mailersend);
  CHECK(mailerlite->endpoint == mailersend->endpoint);
  CHECK(mailerlite->replies == mailersend->replies);
  CHECK(mailerlite->name != mailersend->name);
  CHECK(mailerlite->picked_by.empty());
}

TEST_CASE("presets: a host picks the one preset that it belongs to") {
  CHECK(preset_of_host("SMTP.SendGrid.net") == "sendgrid");
  CHECK(preset_of_host("email-smtp.ap-south-2.amazonaws.com") == "ses");
  CHECK(preset_of_host("smtp.eu.mailgun.org") == "mailgun");
  CHECK(preset_of_host("smtp.mailersend.net") == "mailersend");
  CHECK_FALSE(preset_of_host("smtp.example.com"));
  CHECK_FALSE(preset_of_host("smtp.sendgrid.net.example.com"));
  CHECK_FALSE(preset_of_host(""));
  std::map<std::string, std::string> hosts;
  for (const PresetText& each : preset_texts()) {
    const auto preset = load_preset(each.name);
    REQUIRE(preset);
    if (preset->picked_by.empty()) {
      continue;
    }
    if (const auto host = preset->endpoint.find("host"); host != preset->endpoint.end()) {
      CHECK(preset_of_host(host->second.texts.front()) == preset->id);
    }
    for (const auto& [region, host] : preset->regions) {
      INFO(host);
      CHECK(preset_of_host(host) == preset->id);
      CHECK(hosts.emplace(host, preset->id).second);
    }
  }
}

TEST_CASE("presets: a name that is unknown is an error with the nearest") {
  const auto text = preset_text("sendgird");
  REQUIRE_FALSE(text);
  CHECK(text.error().message.find("did you mean \"sendgrid\"?") != std::string::npos);
  CHECK(text.error().message.find("The presets are brevo, ") != std::string::npos);
}

TEST_CASE("preset file: every offence is named with its place") {
  const std::string complaint = complaint_about(
      "nme = \"x\"\n"
      "[endpoint]\n"
      "host = 3\n"
      "ports = [\"587 starttls\", \"70000\"]\n"
      "rate = [\"14 letters/s\"]\n"
      "max_conections = 3\n"
      "[[reply]]\n"
      "code = 250\n"
      "text = \"*\"\n"
      "scope = \"recipients\"\n"
      "action = \"stop\"\n"
      "[[reply]]\n"
      "text = \"full\"\n"
      "scope = \"recipient\"\n"
      "action = \"stop\"\n"
      "window = \"24h\"\n");
  INFO(complaint);
  const std::vector<std::string_view> lines = lines_of(complaint);
  const char* const wanted[] = {
      "x.toml:1:1: a preset needs a name",
      "x.toml:1:1: unknown key \"nme\"; did you mean \"name\"?",
      "x.toml:3:8: host: it takes text in quotes",
      "x.toml:4:26: ports: ",
      "x.toml:5:9: rate: \"14 letters/s\" is no rate",
      "x.toml:6:1: unknown key \"max_conections\"; did you mean \"max_connections\"?",
      "x.toml:8:8: code takes a number from 400 to 599",
      "x.toml:9:8: \"*\" stands in any reply",
      "x.toml:10:9: unknown scope \"recipients\"; did you mean \"recipient\"?",
      "x.toml:15:10: \"stop\" has no meaning for the scope \"recipient\"",
      "x.toml:16:10: only a pause has a window"};
  REQUIRE(lines.size() == std::size(wanted));
  for (const char* const each : wanted) {
    CHECK(std::any_of(lines.begin(), lines.end(),
                      [&](std::string_view line) { return line.starts_with(each); }));
  }
  CHECK(complaint_about("name = ").starts_with("x.toml:1:"));
  CHECK(complaint_about("name = \"x\"\nsame_as = \"ses\"\n[endpoint]\nhost = \"a\"\n")
            .starts_with("x.toml:3:"));
  CHECK(complaint_about("name = \"x\"\n[plans]\nfree = 3\n").starts_with("x.toml:3:1: a plan"));
  CHECK(complaint_about("name = \"x\"\nreply = 3\n").starts_with("x.toml:2:9: a rule is a table"));
  CHECK(complaint_about("name = \"x\"\n").empty());
}

TEST_CASE("preset value: ports are read as people write them") {
  CHECK(parse_preset_port("587") == PresetPort{587, TransportSecurity::starttls});
  CHECK(parse_preset_port("465") == PresetPort{465, TransportSecurity::implicit});
  CHECK(parse_preset_port("8465 implicit") == PresetPort{8465, TransportSecurity::implicit});
  CHECK(parse_preset_port("25 none") == PresetPort{25, TransportSecurity::none});
  for (const char* const wrong : {"", "x", "0", "587 tls", "587  starttls", "587 ", "65536"}) {
    INFO(wrong);
    CHECK_FALSE(parse_preset_port(wrong));
  }
}

}  // namespace ringpost::cli
