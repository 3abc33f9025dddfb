// Octets of one input file, decompressed on the way where they are compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <ringpost/base.h>

namespace ringpost::run {

// Thread: one. Owns the descriptor.
class ByteSource {
 public:
  // What read() came to: octets, the end, or a stop that was asked for.
  struct Read {
    std::size_t bytes = 0;
    bool end = false;
    bool stopped = false;  // there may be more, but nobody shall wait for it
  };

  ByteSource(int descriptor, std::string name, int stop_descriptor);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // The file's size, 0 where it has none (a pipe).
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }
  // Octets taken from the descriptor so far.
  [[nodiscard]] std::uint64_t taken_bytes() const { return taken_bytes_; }
  // Whether a read may wait for somebody.
  [[nodiscard]] bool may_wait() const { return !is_file_; }

  // Fills the front of `room`, waiting until there is at least one octet. An error is a sentence
  // without the file's name: a failed read, or compressed octets that are damaged or cut off.
  [[nodiscard]] Result<Read, std::string> read(std::span<char> room);
  // Octets that were read, and are to be read again in front of all others.
  void put_back(std::string octets) { put_back_ = std::move(octets); }

  class Decompressor;  // byte_source.cpp

 private:
  [[nodiscard]] Result<Read, std::string> read_raw(std::span<char> room);
  [[nodiscard]] Result<Read, std::string> detect();

  int descriptor_;
  std::string name_;
  int stop_descriptor_;
  bool is_file_ = false;
  bool ended_ = false;  // a terminal's end of file is said once, and the next read would wait
  std::uint64_t size_bytes_ = 0;
  std::uint64_t taken_bytes_ = 0;
  bool detected_ = false;
  std::string put_back_;
  std::string head_;  // octets that were read to recognise the format, not given out yet
  std::unique_ptr<Decompressor> decompressor_;
};

}  // namespace ringpost::run
