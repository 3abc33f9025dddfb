// What every process is watched by, under the names that Prometheus' own libraries use. Read when
// somebody asks; what cannot be read is 0.
#include <charconv>
#include <dirent.h>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <unistd.h>

#include "tools/serve/figures/service_figures.h"

namespace ringpost::serve {

namespace {

double seconds_of(const timeval& time) {
  constexpr double microsecond = 1e-6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * microsecond;
}

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A field of /proc/self/stat behind the name, which may hold anything but ends with the last
// bracket; the state is field 3 (proc(5)).
std::uint64_t stat_field(Bytes stat, int field) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == Bytes::npos || name_end + 2 > stat.size()) {
    return 0;
  }
  Bytes rest = stat.substr(name_end + 2);
  for (int at = 3; at < field; ++at) {
    const std::size_t space = rest.find(' ');
    rest = space == Bytes::npos ? Bytes() : rest.substr(space + 1);
  }
  std::uint64_t value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

std::uint64_t open_file_count() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) {
    return 0;
  }
  std::uint64_t entries = 0;
  while (::readdir(folder) != nullptr) {
    ++entries;
  }
  ::closedir(folder);
  constexpr std::uint64_t not_ours = 3;  // ".", ".." and the folder itself
  return entries > not_ours ? entries - not_ours : 0;
}

double start_time(Bytes stat) {
  constexpr int start_field = 22;
  timespec now{};
  timespec since_boot{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0 ||
      ::clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) {
    return 0;
  }
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  constexpr double nanosecond = 1e-9;
  const double boot = static_cast<double>(now.tv_sec - since_boot.tv_sec) +
                      static_cast<double>(now.tv_nsec - since_boot.tv_nsec) * nanosecond;
  return boot + static_cast<double>(stat_field(stat, start_field)) / ticks;
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    figures.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  }
  const std::string stat = content_of("/proc/self/stat");
  constexpr int resident_field = 24;
  figures.resident_bytes =
      stat_field(stat, resident_field) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  figures.start_unix_seconds = start_time(stat);
  figures.open_files = open_file_count();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    figures.open_files_max = limit.rlim_cur;
  }
  return figures;
}

}  // namespace ringpost::serve
