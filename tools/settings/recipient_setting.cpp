// Problem: what is sent and to whom may be said in job lines or by a template and files, and half
// of either is a mistake that is seen too late. Idea: rows of the one table of settings, and one
// check of what they say together. Limits: what stands in the files is looked at when they are
// opened.
#include "tools/settings/recipient_setting.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "codec/mail/address.h"
#include "tools/process/numbers.h"
#include "tools/send/template_file.h"
#include "tools/settings/applied.h"

namespace ringpost::cli {

namespace {

// Of a list in a file, or of a flag that was given several times. A variable has one.
Applied apply_paths(const SettingValue& value, std::vector<std::string>& into) {
  for (const std::string& text : value.texts) {
    if (text.empty() || text.find('\0') != std::string::npos) {
      return Failure(std::string("it needs the name of a file"));
    }
  }
  into = value.texts;
  return {};
}

Applied apply_template(const SettingValue& value, SendDraft& draft) {
  std::vector<std::string> paths;
  auto applied = apply_paths(value, paths);
  draft.settings.recipients.template_path = paths.empty() ? std::string() : paths.front();
  return applied;
}

Applied apply_shared(const SettingValue& value, SendDraft& draft) {
  for (const std::string& text : value.texts) {
    if (auto checked = check_shared_value(text); !checked) {
      return checked;
    }
  }
  draft.settings.recipients.shared = value.texts;
  return {};
}

Applied apply_missing(const SettingValue& value, SendDraft& draft) {
  const std::string& text = value.text();
  if (text != "invalid" && text != "empty") {
    return Failure(fmt::format("\"{}\" is none of invalid, empty", text));
  }
  draft.settings.recipients.missing =
      text == "empty" ? codec::MissingPolicy::empty : codec::MissingPolicy::invalid;
  return {};
}

Applied apply_delimiter(const SettingValue& value, SendDraft& draft) {
  const std::string& text = value.text();
  const bool is_tab = text == "tab" || text == "\\t";
  const bool is_usable = is_tab || (text.size() == 1 && text != "\"" && text != "\n" &&
                                    text != "\r" && static_cast<unsigned char>(text[0]) < 0x80);
  if (!is_usable) {
    return Failure(std::string("write one character, or tab"));
  }
  draft.settings.recipients.delimiter = is_tab ? '\t' : text[0];
  return {};
}

Applied apply_to_me(const SettingValue& value, SendDraft& draft) {
  draft.settings.selection.instead.clear();
  for (const std::string& list : value.texts) {
    std::size_t begin = 0;
    while (begin <= list.size()) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      codec::Mailbox mailbox;
      const Bytes text = Bytes(list).substr(begin, end - begin);
      if (const auto parsed = codec::parse_mailbox(text, mailbox); !parsed) {
        return Failure(codec::describe(parsed.error(), text));
      }
      draft.settings.selection.instead.push_back(std::move(mailbox));
      begin = end + 1;
    }
  }
  return {};
}

Applied apply_count(const SettingValue& value, std::optional<std::uint64_t>& into) {
  return take(parse_number(value.text(), {.min = 1}), into);
}

constexpr std::array<SendKey, 13> recipient_rows = {{
    {"template", "", "FILE", "One message for many: .eml, .json or .toml with its texts",
     recipient_group, "", SettingKind::text, true, apply_template},
    {"recipients", "", "FILE", "To whom: .csv or .jsonl, .zst and .gz too; repeatable",
     recipient_group, "", SettingKind::text_list, true,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_paths(value, draft.settings.recipients.files);
     }},
    {"set", "", "KEY=VALUE|KEY:=JSON", "A value for all of them; repeatable", recipient_group, "",
     SettingKind::text_list, true, apply_shared},
    {"missing", "", "invalid|empty", "Values that nobody gives", recipient_group, "invalid",
     SettingKind::text, true, apply_missing},
    {"verp", "", "", "Bounces say whose message it was", recipient_group, "", SettingKind::boolean,
     true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.recipients.verp);
     }},
    {"delimiter", "", "C", "Between columns, or tab; else the header row shows it", recipient_group,
     "", SettingKind::text, true, apply_delimiter},
    {"dedupe", "", "", "To each address once", recipient_group, "", SettingKind::boolean, true,
     [](const SettingValue& value, SendDraft& draft) {
       return take(parse_boolean(value.text()), draft.settings.dedupe);
     }},
    {"suppress", "", "FILE", "Nothing to these addresses, *@domains; repeatable", recipient_group,
     "", SettingKind::text_list, true,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_paths(value, draft.settings.suppression_files);
     }},
    // Not in a file: whoever forgot them there would wonder who else had the message.
    {"limit", "", "N", "The first N jobs alone", recipient_group, "", SettingKind::number, false,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_count(value, draft.settings.selection.limit);
     }},
    {"sample", "", "N", "N of them by chance", recipient_group, "", SettingKind::number, false,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_count(value, draft.settings.selection.sample);
     }},
    {"only", "", "ID", "That job alone", recipient_group, "", SettingKind::text, false,
     [](const SettingValue& value, SendDraft& draft) -> Applied {
       draft.settings.selection.only = value.text();
       return {};
     }},
    {"to_me", "", "ADDRESS,...", "The first one, or --only's, to these instead", recipient_group,
     "", SettingKind::text_list, false, apply_to_me},
    {"retry_from", "", "FILE", "Whom these outcomes say deferred or unsent of", recipient_group, "",
     SettingKind::text_list, false,
     [](const SettingValue& value, SendDraft& draft) {
       return apply_paths(value, draft.settings.selection.retry_from);
     }},
}};

}  // namespace

std::span<const SendKey> recipient_keys() { return recipient_rows; }

Result<void, std::string> check_recipient_settings(const SendSettings& settings) {
  const RecipientSettings& recipients = settings.recipients;
  const bool has_template = !recipients.template_path.empty();
  if (!recipients.files.empty() && !has_template) {
    return Failure(
        std::string("--recipients says to whom, and nothing says what: give --template "
                    "FILE, too"));
  }
  if (has_template && !recipients.are_rows() && settings.files.empty()) {
    return Failure(
        std::string("--template says what is sent, and nothing says to whom: give "
                    "--recipients FILE.csv, too, or job files (- is standard input)"));
  }
  if (recipients.are_rows() && !settings.files.empty()) {
    return Failure(
        fmt::format("{} is a job file beside --template and --recipients: send them one "
                    "after the other",
                    settings.files.front()));
  }
  if (recipients.delimiter != '\0' && !recipients.are_rows()) {
    return Failure(std::string("--delimiter goes with --template and --recipients"));
  }
  if (!settings.selection.instead.empty() && !settings.journal.path.empty()) {
    return Failure(
        std::string("--to-me sends to somebody else, and a --journal would say that the "
                    "recipient has the message: leave one of them away"));
  }
  if (settings.selection.limit && settings.selection.sample) {
    return Failure(
        std::string("--limit is the first of them and --sample some by chance: give one "
                    "of them"));
  }
  return {};
}

}  // namespace ringpost::cli
