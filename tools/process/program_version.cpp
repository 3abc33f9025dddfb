// The problem: a report of a bug is worth what it says about the machine. The idea: each library is
// asked by the folder that may include it, and names and values stand in one list, so that text and
// JSON cannot differ.
#include "tools/process/program_version.h"

#include <array>
#include <sys/utsname.h>
#include <utility>

#include <fmt/format.h>

#include "codec/job/job_reader.h"
#include "codec/text/json_text.h"
#include "engine/io/ring.h"
#include "tls/context.h"

namespace ringpost::cli {

namespace {

std::string compiler_version() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string kernel_version() {
  utsname names{};
  return ::uname(&names) == 0 ? fmt::format("{} {}", names.sysname, names.release) : "unknown";
}

using NamedText = std::pair<std::string_view, const std::string*>;

std::array<NamedText, 7> texts_of(const ProgramVersion& version) {
  return {{{"ringpost", &version.ringpost},
           {"liburing", &version.liburing},
           {"wolfssl", &version.wolfssl},
           {"simdjson", &version.simdjson},
           {"compiler", &version.compiler},
           {"kernel", &version.kernel},
           {"records", &version.records}}};
}

}  // namespace

// Comes from the project() of the top CMakeLists.txt.
std::string_view program_version() { return RINGPOST_VERSION; }

ProgramVersion collect_program_version() {
  return {.ringpost = std::string(program_version()),
          .liburing = io::Ring::library_version(),
          .wolfssl = tls::library_version(),
          .simdjson = codec::simdjson_version(),
          .compiler = compiler_version(),
          .kernel = kernel_version(),
          .records = tls::record_library(),
          .aes_in_hardware = tls::aes_in_hardware()};
}

std::string version_text(const ProgramVersion& version) {
  std::string text;
  for (const auto& [name, value] : texts_of(version)) {
    text += fmt::format("{:<9} {}\n", name, *value);
  }
  text += fmt::format(
      "{:<9} {}\n", "AES",
      version.aes_in_hardware ? "in hardware" : "in software: TLS takes many times the CPU time");
  return text;
}

std::string version_json(const ProgramVersion& version) {
  std::string json = "{";
  for (const auto& [name, value] : texts_of(version)) {
    json += fmt::format("\"{}\":", name);
    codec::append_json_string(json, *value);
    json += ',';
  }
  json += fmt::format("\"aes_in_hardware\":{}}}\n", version.aes_in_hardware);
  return json;
}

}  // namespace ringpost::cli
