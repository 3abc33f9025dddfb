#include "engine/run/job_file_source.h"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;

namespace {

// A folder of its own for each test, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ringpost-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, Bytes content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  [[nodiscard]] const std::string& name() const { return path_; }

 private:
  std::string path_;
};

// The content, or "error: " and the reason.
std::string read(run::JobFileSource& files, const std::string& path, std::size_t bytes_max = 1000) {
  std::string content = "rest of the last file";
  const auto result = files.read(path, bytes_max, content);
  return result ? content : "error: " + result.error().reason;
}

}  // namespace

TEST_CASE("job_file_source: files are read whole, also empty ones and through links") {
  const Folder folder;
  folder.write("a", Bytes("x\0\r\n\xff", 5));
  folder.write("empty", "");
  REQUIRE(symlink("a", folder.path("link").c_str()) == 0);
  run::JobFileSource files;
  CHECK(read(files, folder.path("a")) == std::string("x\0\r\n\xff", 5));
  CHECK(read(files, folder.path("empty")) == "");
  CHECK(read(files, folder.path("link")) == std::string("x\0\r\n\xff", 5));
}

TEST_CASE("job_file_source: relative names start at the base folder, absolute ones do not") {
  const Folder folder;
  folder.write("a", "x");
  run::JobFileSource files(folder.name());
  CHECK(read(files, "a") == "x");
  CHECK(read(files, folder.path("a")) == "x");
}

TEST_CASE("job_file_source: what is no regular file is refused without waiting (S54)") {
  const Folder folder;
  REQUIRE(mkfifo(folder.path("fifo").c_str(), 0600) == 0);
  run::JobFileSource files;
  CHECK(read(files, folder.path("fifo")) == "error: it is not a regular file");
  CHECK(read(files, "/dev/zero") == "error: it is not a regular file");
  CHECK(read(files, folder.name()) == "error: it is not a regular file");
  CHECK(read(files, folder.path("none")) == "error: No such file or directory");
}

TEST_CASE("job_file_source: a file above the bound is refused unread") {
  const Folder folder;
  folder.write("a", std::string(11, 'x'));
  run::JobFileSource files;
  CHECK(read(files, folder.path("a"), 11).size() == 11);
  CHECK(read(files, folder.path("a"), 10) == "error: it has 11 octets, and 10 are allowed");
}

TEST_CASE("job_file_source: a file that says another size than it has is refused") {
  // Files of /proc have no size and content all the same, like a file that grows.
  run::JobFileSource files;
  CHECK(read(files, "/proc/self/status", 100'000) == "error: it changed while it was read");
}
