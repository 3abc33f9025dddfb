// The look of --help: flags in groups, one line each where that fits, examples at the foot.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace ringpost::cli {

// Set it on the app before subcommands are added: they take it over.
class HelpFormatter final : public CLI::Formatter {
 public:
  [[nodiscard]] std::string make_help(const CLI::App* app, std::string name,
                                      CLI::AppFormatMode mode) const override;
};

}  // namespace ringpost::cli
