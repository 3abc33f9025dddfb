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
#include "engine/io/make_io.h"
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

std::array<NamedText, 8> texts_of(const ProgramVersion& version) {
  return {{{"ringpost", &version.ringpost},
           {"liburing", &version.liburing},
           {"wolfssl", &version.wolfssl},
           {"simdjson", &version.simdjson},
           {"compiler", &version.compiler},
           {"kernel", &version.kernel},
           {"records", &version.records},
           {"io", &version.io}}};
}

}  // namespace

// Comes from the project() of the top CMakeLists.txt.
std::string_view program_version() { return RINGPOST_VERSION; }

Result<ProgramVersion, std::string> collect_program_version(IoChoice io) {
  const auto found = io::find_io(io);
  if (!found) {
    return Failure(found.error().message());
  }
  return ProgramVersion{.ringpost = std::string(program_version()),
                        .liburing = io::Ring::library_version(),
                        .wolfssl = tls::library_version(),
                        .simdjson = codec::simdjson_version(),
                        .compiler = compiler_version(),
                        .kernel = kernel_version(),
                        .records = tls::record_library(),
                        .io = std::string(io::name_of(found->kind)),
                        .why_epoll = found->why_no_ring,
                        .aes_in_hardware = tls::aes_in_hardware()};
}

std::string version_text(const ProgramVersion& version) {
  std::string text;
  for (const auto& [name, value] : texts_of(version)) {
    const bool has_reason = name == "io" && !version.why_epoll.empty();
    text += fmt::format("{:<9} {}{}{}\n", name, *value, has_reason ? "; " : "",
                        has_reason ? version.why_epoll : "");
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
