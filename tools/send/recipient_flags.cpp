// So that `validate` and `render` take for a job what `send` takes for one.
#include "tools/send/recipient_flags.h"

#include <utility>

#include "tools/settings/recipient_setting.h"
#include "tools/settings/send_setting.h"

namespace ringpost::cli {

void RecipientFlags::describe(CommandSpec& command) {
  const std::vector<FlagSpec> flags = {
      {"--template", "FILE", "A message for many (.eml, .json, .toml): for jobs that have none, or",
       &template_path},
      {"--recipients", "FILE", "rows of recipients, in place of job files; repeatable",
       &recipients},
      {"--set", "KEY=VALUE|KEY:=JSON", "A value for all of them; repeatable", &shared},
      {"--missing", "invalid|empty", "Values that nobody gives [invalid]", &missing},
      {"--delimiter", "C", "Between columns, or tab; else the header row shows it", &delimiter},
  };
  command.flags.insert(command.flags.end(), flags.begin(), flags.end());
}

Result<SendSettings, std::string> RecipientFlags::settings() const {
  SettingMap given;
  const auto add = [&given](const char* key, const std::vector<std::string>& texts) {
    if (!texts.empty() && !texts.front().empty()) {
      given[key] = {texts, Layer::flag, flag_of(key)};
    }
  };
  add("template", {template_path});
  add("recipients", recipients);
  add("set", shared);
  add("missing", {missing});
  add("delimiter", {delimiter});
  auto draft = make_send_draft(given);
  if (!draft) {
    return Failure(std::move(draft.error()));
  }
  draft->settings.files = files;
  if (auto checked = check_recipient_settings(draft->settings); !checked) {
    return Failure(std::move(checked.error()));
  }
  return std::move(draft->settings);
}

}  // namespace ringpost::cli
