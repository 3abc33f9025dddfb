#include "engine/run/job_input.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/job/job_reader.h"
#include "engine/run/byte_source.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

// What was read is parsed while it is in a core's cache.
constexpr std::size_t buffer_bytes_first = 256u << 10;
// A line of the largest size, its newline, and the room that one read fills.
constexpr std::size_t buffer_bytes_max = limits::job_line_bytes_max + buffer_bytes_first;

bool is_blank(Bytes line) { return line.find_first_not_of(" \t\r") == Bytes::npos; }

}  // namespace

struct JobInput::State {
  std::vector<std::unique_ptr<ByteSource>> sources;
  std::size_t source = 0;  // the one being read
  std::uint64_t line_number = 0;
  std::uint64_t bytes_of_past_sources = 0;

  // Octets from begin to end have been read and not been given out. Those before `searched` hold no
  // newline.
  std::vector<char> buffer =
      std::vector<char>(buffer_bytes_first + codec::JobReader::padding_bytes);
  std::size_t begin = 0;
  std::size_t searched = 0;
  std::size_t end = 0;
  bool source_ended = false;
  bool skipping = false;  // within a line that is too long
  bool stopped = false;   // before the end of the sources

  [[nodiscard]] std::size_t capacity() const {
    return buffer.size() - codec::JobReader::padding_bytes;
  }
  [[nodiscard]] bool find_line(Bytes& line);
  [[nodiscard]] Result<void, InputError> fill();
  void make_room();
  void next_source();
};

// A whole line out of the buffer, or the rest of the source at its end.
bool JobInput::State::find_line(Bytes& line) {
  const char* const from = buffer.data() + searched;
  const void* const newline = std::memchr(from, '\n', end - searched);
  if (newline != nullptr) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(newline) - buffer.data());
    line = {buffer.data() + begin, at - begin};
    begin = searched = at + 1;
    return true;
  }
  searched = end;
  if (source_ended && begin != end) {
    line = {buffer.data() + begin, end - begin};
    begin = end;
    return true;
  }
  return false;
}

void JobInput::State::make_room() {
  if (begin > 0) {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    end -= begin;
    searched -= begin;
    begin = 0;
  }
  if (end - begin > limits::job_line_bytes_max) {
    skipping = true;  // too long already: what is here of it is dropped
    end = searched = 0;
  }
  if (end == capacity()) {
    const std::size_t larger = std::min(capacity() * 2, buffer_bytes_max);
    buffer.resize(larger + codec::JobReader::padding_bytes);
  }
}

Result<void, InputError> JobInput::State::fill() {
  make_room();
  ByteSource& from = *sources[source];
  const auto got = from.read({buffer.data() + end, capacity() - end});
  if (!got) {
    source_ended = true;
    skipping = false;
    begin = searched = end = 0;  // half a line of a file that cannot be read is no job
    return Failure(InputError{from.name() + ": " + got.error()});
  }
  if (got->stopped) {
    source = sources.size();  // nor is half a line that somebody was still writing
    stopped = true;
    return {};
  }
  end += got->bytes;
  source_ended = got->end;
  return {};
}

void JobInput::State::next_source() {
  bytes_of_past_sources += sources[source]->taken_bytes();
  sources[source].reset();
  ++source;
  line_number = 0;
  source_ended = false;
  skipping = false;
  // A long line has swollen the buffer; the next file may have none.
  if (buffer.size() > buffer_bytes_first + codec::JobReader::padding_bytes) {
    buffer = std::vector<char>(buffer_bytes_first + codec::JobReader::padding_bytes);
  }
  begin = searched = end = 0;
}

Result<JobInput, InputError> JobInput::open(const std::vector<std::string>& files,
                                            int stop_descriptor) {
  auto state = std::make_unique<State>();
  const std::vector<std::string> standard_input = {"-"};
  for (const std::string& file : files.empty() ? standard_input : files) {
    // Without waiting: a FIFO without a writer would hold open() itself, where nothing can stop it.
    const int descriptor =
        file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
      return Failure(InputError{file + ": " + std::strerror(errno)});
    }
    state->sources.push_back(std::make_unique<ByteSource>(descriptor, file, stop_descriptor));
    struct stat status {};
    if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
      return Failure(InputError{file + ": " + std::strerror(EISDIR)});
    }
  }
  return JobInput(std::move(state));
}

JobInput::JobInput(std::unique_ptr<State> state) : state_(std::move(state)) {}

JobInput::JobInput(JobInput&&) noexcept = default;

JobInput& JobInput::operator=(JobInput&&) noexcept = default;

JobInput::~JobInput() = default;

Result<bool, InputError> JobInput::next(Line& line) {
  State& state = *state_;
  while (state.source < state.sources.size()) {
    Bytes text;
    if (state.find_line(text)) {
      ++state.line_number;
      const bool too_long = state.skipping || text.size() > limits::job_line_bytes_max;
      state.skipping = false;
      if (!too_long && is_blank(text)) {
        continue;
      }
      line.text = too_long ? Bytes() : text;
      line.file = state.sources[state.source]->name();
      line.source = static_cast<std::uint32_t>(state.source);
      line.number = state.line_number;
      line.too_long = too_long;
      return true;
    }
    if (state.source_ended && state.skipping) {
      // The last line of the file is too long and has no end.
      state.skipping = false;
      line = {Bytes(), state.sources[state.source]->name(),
              static_cast<std::uint32_t>(state.source), state.line_number + 1, true};
      ++state.line_number;
      return true;
    }
    if (state.source_ended) {
      state.next_source();
    } else if (auto filled = state.fill(); !filled) {
      return Failure(filled.error());
    }
  }
  return false;
}

bool JobInput::may_wait() const {
  const State& state = *state_;
  if (state.source >= state.sources.size() || !state.sources[state.source]->may_wait()) {
    return false;
  }
  return std::memchr(state.buffer.data() + state.searched, '\n', state.end - state.searched) ==
         nullptr;
}

std::optional<std::uint64_t> JobInput::count_rest(Instant give_up_at) {
  const auto is_file = [](const auto& source) { return source && !source->may_wait(); };
  const auto first = state_->sources.begin() + static_cast<std::ptrdiff_t>(state_->source);
  if (state_->stopped || !std::all_of(first, state_->sources.end(), is_file)) {
    return std::nullopt;
  }
  std::uint64_t count = 0;
  Line line;
  while (std::chrono::steady_clock::now() < give_up_at) {
    const auto more = next(line);
    if (!more) {
      return std::nullopt;  // a file that cannot be read
    }
    if (!*more) {
      return count;
    }
    ++count;
  }
  return std::nullopt;
}

std::string JobInput::place() const {
  const State& state = *state_;
  return state.source >= state.sources.size()
             ? std::string()
             : state.sources[state.source]->name() + ":" + std::to_string(state.line_number + 1);
}

std::uint64_t JobInput::bytes_read() const {
  const State& state = *state_;
  const bool at_end = state.source >= state.sources.size();
  return state.bytes_of_past_sources + (at_end ? 0 : state.sources[state.source]->taken_bytes());
}

std::uint64_t JobInput::bytes_total() const {
  std::uint64_t total = 0;
  for (const auto& source : state_->sources) {
    if (source && source->size_bytes() == 0) {
      return 0;
    }
    total += source ? source->size_bytes() : 0;
  }
  return total;
}

}  // namespace ringpost::run
