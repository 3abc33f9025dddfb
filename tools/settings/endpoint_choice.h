// Which endpoints a run uses, complete with passwords.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/process/usage_error.h"
#include "tools/settings/config_file.h"
#include "tools/settings/endpoint_setting.h"
#include "tools/settings/preset_layer.h"
#include "tools/settings/secret.h"
#include "tools/settings/send_setting.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// An endpoint as `-e` chose it.
struct ChosenEndpoint {
  EndpointDraft draft;  // complete but for the password
  std::string secret_name =
      {};                    // what its password is kept under: its name, or the host of its URL
  SettingMap settings = {};  // what it was made of
  std::optional<LaidPreset> preset = {};
};

// The endpoint of these settings with its preset under them, the user's rules for replies before
// the preset's, and no password yet. An error names the setting that is to blame.
[[nodiscard]] Result<ChosenEndpoint, std::string> complete_endpoint(
    std::string name, SettingMap settings, std::vector<protocol::ReplyRule> rules = {});

// What a preset's server wants to know and nobody has said: who logs in. Nothing: all is there.
[[nodiscard]] std::optional<std::string> missing_username(const ChosenEndpoint& endpoint);

// Where a command line has its endpoints: behind -e, or as its argument.
enum class EndpointPlace : bool { flag, argument };

// The endpoints of `draft.endpoints`, where the name of a preset is an endpoint that says nothing
// else, unless one has that name; the only one there is in `configuration` when that is empty.
// With what `send_settings` says for all endpoints, as far as it has the last word over
// `configuration`.
[[nodiscard]] Result<std::vector<ChosenEndpoint>, UsageError> choose_endpoints(
    const SendDraft& draft, const SettingMap& send_settings, const Configuration& configuration,
    EndpointPlace place = EndpointPlace::flag);

// What a user name without a password is: a mistake, or somebody who only wants to look.
enum class PasswordNeed : bool { required, optional };

// Reads the password of each that has a user name. A variable is never used for two hosts, lest one
// ESP learns the password of another.
[[nodiscard]] Result<void, UsageError> read_passwords(std::vector<ChosenEndpoint>& endpoints,
                                                      PasswordNeed need = PasswordNeed::required);

// The same with variables that were taken before, for whoever reads his settings again.
[[nodiscard]] Result<void, UsageError> read_passwords(std::vector<ChosenEndpoint>& endpoints,
                                                      const PasswordVariables& variables,
                                                      PasswordNeed need = PasswordNeed::required);

// Where counts of their rates are kept; empty: nowhere. Where nobody chose a folder, one that
// cannot be had costs no run, but a warning.
[[nodiscard]] std::string choose_state_folder(const SendDraft& draft,
                                              const std::vector<ChosenEndpoint>& endpoints,
                                              std::vector<std::string>& warnings);

// What every run with these endpoints has to say.
[[nodiscard]] std::vector<std::string> endpoint_warnings(
    const std::vector<ChosenEndpoint>& endpoints);

}  // namespace ringpost::cli
