// Problem: counts that outlive a run need a place that nobody was asked for, and services, users
// and containers have theirs in different ones, or none.
//
// Idea: the places that the system names, in the order in which they are meant; that the folder can
// be written is found out here, so that whoever did not choose it hears of it in time.
#include "tools/settings/state_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace ringpost::cli {

namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

std::string usual_state_folder() {
  // Several with colons between them, where a unit has several.
  if (const std::string of_service = variable("STATE_DIRECTORY"); !of_service.empty()) {
    return of_service.substr(0, of_service.find(':'));
  }
  if (const std::string of_user = variable("XDG_STATE_HOME"); !of_user.empty()) {
    return of_user + "/ringpost";
  }
  const std::string home = variable("HOME");
  return home.empty() ? home : home + "/.local/state/ringpost";
}

Result<std::string, std::string> make_usual_state_folder() {
  std::string folder = usual_state_folder();
  if (folder.empty()) {
    return Failure(std::string("there is no HOME to keep counts of rates in"));
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error && ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    error = std::error_code(errno, std::system_category());
  }
  if (error) {
    return Failure(
        fmt::format("counts of rates cannot be kept in {}: {}", folder, error.message()));
  }
  return folder;
}

}  // namespace ringpost::cli
