#include "tests/sim/sim_disk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ringpost::sim {

namespace {

constexpr std::size_t sector_bytes = 512;

SimDisk* current_disk = nullptr;

void write_file(const std::string& path, const std::string& octets) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << octets;
  RP_ASSERT(file.good());
}

std::string read_descriptor(int descriptor) {
  struct stat status {};
  RP_ASSERT(::fstat(descriptor, &status) == 0);
  std::string octets(static_cast<std::size_t>(status.st_size), '\0');
  RP_ASSERT(::pread(descriptor, octets.data(), octets.size(), 0) == status.st_size);
  return octets;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

SimDisk::SimDisk(Random& random) : random_(random) {
  RP_ASSERT(current_disk == nullptr);
  current_disk = this;
}

SimDisk::~SimDisk() { current_disk = nullptr; }

void SimDisk::begin(const SimDiskOptions& options, Lifetime& lifetime) {
  options_ = options;
  next_error_ = 0;
  lifetime_ = &lifetime;
}

queue::JournalCalls SimDisk::calls() {
  return {&SimDisk::pwrite, &SimDisk::ftruncate, &SimDisk::fdatasync};
}

run::FileCalls SimDisk::file_calls() {
  return {&SimDisk::append, &SimDisk::pwrite, &SimDisk::fdatasync_file};
}

ssize_t SimDisk::pwrite(int descriptor, const void* octets, std::size_t count, off_t offset) {
  return current_disk->write(Bytes(static_cast<const char*>(octets), count), [&](Bytes part) {
    return ::pwrite(descriptor, part.data(), part.size(), offset);
  });
}

ssize_t SimDisk::append(int descriptor, const void* octets, std::size_t count) {
  return current_disk->write(Bytes(static_cast<const char*>(octets), count), [&](Bytes part) {
    return ::write(descriptor, part.data(), part.size());
  });
}

int SimDisk::ftruncate(int descriptor, off_t bytes) {
  return current_disk->lifetime_->act() == Act::done ? ::ftruncate(descriptor, bytes) : 0;
}

int SimDisk::fdatasync(int descriptor) {
  const int failed = current_disk->sync();
  if (failed == 0 && current_disk->lifetime_->alive()) {
    current_disk->synced_ = read_descriptor(descriptor);
  }
  return failed;
}

int SimDisk::fdatasync_file([[maybe_unused]] int descriptor) { return current_disk->sync(); }

ssize_t SimDisk::write(Bytes octets, const std::function<ssize_t(Bytes)>& put_octets) {
  const auto all = static_cast<ssize_t>(octets.size());
  const Act act = lifetime_->act();
  if (act == Act::void_) {
    return all;
  }
  const auto put = [&](std::size_t count) {
    RP_ASSERT(put_octets(octets.substr(0, count)) == static_cast<ssize_t>(count));
    return static_cast<ssize_t>(count);
  };
  if (act == Act::begun) {
    put(random_.below(octets.size()));
    return all;
  }
  if (random_.sometimes(options_.interrupted_one_in)) {
    if (random_.one_in(2)) {
      errno = EINTR;
      return -1;
    }
    return put(1 + random_.below(octets.size()));
  }
  if (next_error_ != 0) {
    errno = std::exchange(next_error_, 0);
    return -1;
  }
  const bool full = random_.sometimes(options_.full_one_in);
  if (full || random_.sometimes(options_.write_failure_one_in)) {
    ++(full ? full_count_ : failure_count_);
    constexpr std::array<int, 3> lack_of_room = {ENOSPC, EDQUOT, EFBIG};
    const int error = full ? lack_of_room[random_.below(lack_of_room.size())] : EIO;
    if (random_.one_in(2) && octets.size() > 1) {
      next_error_ = error;  // some octets find room, and the next ones do not
      return put(random_.between(1, octets.size() - 1));
    }
    errno = error;
    return -1;
  }
  return put(octets.size());
}

int SimDisk::sync() {
  if (lifetime_->act() != Act::done) {
    return 0;
  }
  if (random_.sometimes(options_.sync_failure_one_in)) {
    ++failure_count_;
    errno = EIO;
    return -1;
  }
  return 0;
}

void SimDisk::cut_power(const std::string& journal_path, const std::string& outcomes_path) {
  const std::string written = read_file(journal_path);
  std::string left = synced_;
  left.resize(std::max(synced_.size(), written.size()), '\0');
  const std::size_t bytes = random_.between(std::min(synced_.size(), written.size()),
                                            std::max(synced_.size(), written.size()));
  for (std::size_t begin = 0; begin < written.size(); begin += sector_bytes) {
    if (!random_.one_in(3)) {
      const std::size_t count = std::min(sector_bytes, written.size() - begin);
      left.replace(begin, count, written, begin, count);
    }
  }
  left.resize(bytes);
  write_file(journal_path, left);
  synced_ = left;
  std::string outcomes = read_file(outcomes_path);
  outcomes.resize(random_.piece_of(outcomes.size()));
  write_file(outcomes_path, outcomes);
}

}  // namespace ringpost::sim
