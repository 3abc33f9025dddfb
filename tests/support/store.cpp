// Where mail servers deliver to in tests/interop: keeps standard input as one file.
//
//   store FOLDER META...
//
// The file holds META and, where a server names them there, the variables SENDER and RECIPIENT of
// the environment, each ended by 0x1f, then a newline and the message. It has its name only when it
// is whole, and exit code 0 is given only then; 75 (EX_TEMPFAIL of sysexits.h) asks for another
// try.
// Linked statically: it runs in roots of any release.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr int exit_try_again = 75;
constexpr char separator = '\x1f';

std::string meta_of(int count, char** arguments) {
  std::string meta;
  for (int index = 2; index < count; ++index) (meta += arguments[index]) += separator;
  for (const char* name : {"SENDER", "RECIPIENT"}) {
    if (const char* value = getenv(name)) (((meta += name) += '=') += value) += separator;
  }
  return meta += '\n';
}

std::string unique_name() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::to_string(now.tv_sec) + "." + std::to_string(now.tv_nsec) + "." +
         std::to_string(getpid());
}

bool write_all(int fd, const char* octets, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, octets, size);
    if (written <= 0) return false;
    octets += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

bool copy_input(int fd) {
  static char buffer[1 << 16];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got == 0) return true;
    if (got < 0 || !write_all(fd, buffer, static_cast<size_t>(got))) return false;
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return exit_try_again;
  umask(0);
  const std::string folder = arguments[1], name = unique_name();
  const std::string unfinished = folder + "/." + name, finished = folder + "/" + name;
  const int fd = open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (fd < 0) {
    perror(unfinished.c_str());
    return exit_try_again;
  }
  const std::string meta = meta_of(count, arguments);
  const bool is_kept = write_all(fd, meta.data(), meta.size()) && copy_input(fd);
  if (close(fd) != 0 || !is_kept) return exit_try_again;
  return rename(unfinished.c_str(), finished.c_str()) == 0 ? 0 : exit_try_again;
}
