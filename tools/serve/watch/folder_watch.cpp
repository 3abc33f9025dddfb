// The problem: files come at any time, any number of them, and are sent by an engine whose room
// others share. The idea: the kernel tells of each file that is renamed into the folder; a few are
// gone through at a time, some messages of each in turns, as long as the intake has room. Limits: a
// file that is written where it stands is not seen before the next start, and then as it is: who
// writes files gives them another name, or another folder, until they are whole.
#include "tools/serve/watch/folder_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "tools/process/unix_time.h"
#include <ringpost/limits.h>

namespace ringpost::serve {

namespace {

// Names in memory; of more files the folder itself is the list.
constexpr std::size_t names_max = 1000;
// Of a file, before the next one has its turn.
constexpr std::size_t messages_in_turn = 64;
// Whoever is told of room looks at once; this is for what nobody tells.
constexpr int look_every_ms = 500;

}  // namespace

FolderWatch::FolderWatch(const cli::WatchOptions& options, Parts parts)
    : options_(options), parts_(std::move(parts)) {}

Result<std::unique_ptr<FolderWatch>, std::string> FolderWatch::start(
    const cli::WatchOptions& options, Parts parts) {
  std::unique_ptr<FolderWatch> watch(new FolderWatch(options, std::move(parts)));
  if (auto set_up = watch->set_up(); !set_up) {
    return Failure("watch: " + set_up.error());
  }
  watch->thread_ = std::thread([it = watch.get()] { it->run(); });
  return watch;
}

Result<void, std::string> FolderWatch::set_up() {
  auto folder = WatchedFolder::open(options_.path);
  if (!folder) {
    return Failure(std::move(folder.error()));
  }
  folder_ = std::move(*folder);
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  events_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (wake_.get() < 0 || events_.get() < 0 ||
      ::inotify_add_watch(events_.get(), options_.path.c_str(),
                          IN_MOVED_TO | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    return Failure(fmt::format("{}: look for files: {}", options_.path, std::strerror(errno)));
  }
  return {};
}

FolderWatch::~FolderWatch() { stop(); }

WatchCounts FolderWatch::counts() const { return {under_way_.load(), done_.load(), bad_.load()}; }

void FolderWatch::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void FolderWatch::tell_room() { wake(); }

void FolderWatch::begin_drain() {
  is_draining_.store(true);
  wake();
}

void FolderWatch::stop() {
  if (!thread_.joinable()) {
    return;
  }
  is_draining_.store(true);
  is_stopping_.store(true);
  wake();
  thread_.join();
  for (auto& [name, active] : active_) {
    end_file(*active);
  }
  active_.clear();
  under_way_.store(0);
}

// ---- The thread ---------------------------------------------------------------------------------

void FolderWatch::run() {
  ::pthread_setname_np(::pthread_self(), "ringpost-watch");
  while (!is_stopping_.load()) {
    read_events();
    begin_files();
    const bool has_more = feed();
    end_files();
    if (has_more) {
      continue;
    }
    std::array<pollfd, 2> waits{{{events_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), look_every_ms);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wake_.get(), &count, sizeof count);
  }
}

void FolderWatch::read_events() {
  alignas(inotify_event) std::array<char, 16384> octets{};
  while (true) {
    const ssize_t bytes = ::read(events_.get(), octets.data(), octets.size());
    if (bytes <= 0) {
      return;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
      inotify_event event{};
      std::memcpy(&event, octets.data() + at, sizeof event);
      const char* const name = octets.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
        parts_.log.error(options_.path +
                         ": this folder has gone, and no file of it is seen until "
                         "the next start");
      } else if ((event.mask & IN_Q_OVERFLOW) != 0 || names_.size() >= names_max) {
        looks_again_ = true;
      } else if (event.len > 0 && WatchedFolder::is_job_name(name)) {
        left_alone_.erase(name);
        names_.emplace_back(name);
      }
    }
  }
}

// All that is there, as far as it is not known.
void FolderWatch::look() {
  const std::vector<std::string> found =
      folder_->job_names(names_max + active_.size() + left_alone_.size());
  looks_again_ = found.size() >= names_max + active_.size() + left_alone_.size();
  for (const std::string& name : found) {
    if (!active_.contains(name) && !left_alone_.contains(name)) {
      names_.push_back(name);
    }
  }
}

void FolderWatch::begin_files() {
  while (!is_draining_.load() && active_.size() < options_.files_max) {
    if (names_.empty() && looks_again_) {
      look();
    }
    if (names_.empty()) {
      return;
    }
    const std::string name = std::move(names_.front());
    names_.pop_front();
    // It may have been told of twice, or be gone.
    const bool is_there = ::access(folder_->paths_of(name).job.c_str(), F_OK) == 0;
    if (is_there && !active_.contains(name) && !left_alone_.contains(name)) {
      begin_file(name);
    }
  }
}

void FolderWatch::begin_file(const std::string& name) {
  const auto taken = folder_->take(name);
  if (!taken) {
    parts_.log.error("watch: " + taken.error());
    left_alone_.insert(name);
    return;
  }
  const std::span<const std::string> names = parts_.endpoint_names.known();
  auto file = WatchedFile::open(parts_.files.new_number(), *taken, folder_->paths_of(*taken),
                                cli::unix_time_us(),
                                {.endpoint_names = {names.begin(), names.end()},
                                 .program_version = parts_.program_version,
                                 .listener = this});
  if (!file) {
    set_aside(*taken, file.error());
    return;
  }
  std::shared_ptr<WatchedFile> begun = std::move(*file);
  parts_.files.add(begun);
  active_[*taken] = std::move(begun);
  under_way_.store(active_.size());
}

bool FolderWatch::feed() {
  bool has_more = false;
  for (auto& [name, active] : active_) {
    if (is_draining_.load()) {
      return false;
    }
    if (!active->has_ended()) {
      has_more = feed_some(active) || has_more;
    }
  }
  return has_more;
}

// Whether there is more of it, and room.
bool FolderWatch::feed_some(const File& file) {
  WatchedFile::Next next;
  for (std::size_t left = messages_in_turn; left > 0; --left) {
    if (file->under_way.load() >= limits::jobs_in_flight_max) {
      return false;
    }
    file->next(next);
    if (next.step == WatchedFile::Step::end) {
      return false;
    }
    if (next.step == WatchedFile::Step::nothing) {
      continue;
    }
    ++file->under_way;
    ++messages_out_;
    Completion done = [this, file](const Message& /*message*/,
                                   std::span<const Outcome> /*outcomes*/) {
      const bool was_full = file->under_way.fetch_sub(1) >= limits::jobs_in_flight_max;
      if (--messages_out_ == 0 || was_full || file->under_way.load() == 0) {
        wake();
      }
    };
    const Offer offer = next.step == WatchedFile::Step::refused
                            ? parts_.refuse(next.message, next.words, std::move(done), next.fates)
                            : parts_.offer(next.message, std::move(done), next.fates);
    if (offer != Offer::taken) {
      --file->under_way;
      --messages_out_;
      file->put_back(std::move(next));
      return false;
    }
  }
  return true;
}

// ---- The end of a file --------------------------------------------------------------------------

void FolderWatch::end_files() {
  for (auto at = active_.begin(); at != active_.end();) {
    if (at->second->is_done()) {
      const File file = at->second;
      at = active_.erase(at);
      under_way_.store(active_.size());
      end_file(*file);
    } else {
      ++at;
    }
  }
}

void FolderWatch::end_file(WatchedFile& file) {
  const bool is_whole = file.is_done();
  parts_.files.remove(file.number());
  const std::vector<std::string> lost = file.close(cli::unix_time_us(), is_whole);
  for (const std::string& one : lost) {
    parts_.log.error("watch: outcome lines could not be written, and stand in the journal: " + one);
  }
  if (!is_whole) {
    return;
  }
  if (!lost.empty()) {
    left_alone_.insert(file.name());
    return;
  }
  if (!file.trouble().empty() || !file.has_jobs() || file.is_all_invalid()) {
    set_aside(file.name(), !file.trouble().empty() ? file.trouble()
                           : file.has_jobs() ? "none of its lines is a job; the outcomes say why"
                                             : "there is no job in it");
    return;
  }
  if (auto finished = folder_->finish(file.name()); !finished) {
    parts_.log.error("watch: " + finished.error());
    left_alone_.insert(file.name());
    return;
  }
  ++done_;
  parts_.log.info("a file is done", {{"file", file.name()}});
}

void FolderWatch::set_aside(const std::string& name, const std::string& why) {
  ++bad_;
  parts_.log.error(fmt::format("{}: set aside: {}", folder_->paths_of(name).job, why));
  if (auto moved = folder_->set_aside(name, why); !moved) {
    parts_.log.error("watch: " + moved.error());
    left_alone_.insert(name);
  }
}

void FolderWatch::on_notice(run::NoticeLevel level, std::string_view text,
                            const run::NoticeSubject& subject) {
  const cli::LogLevel at = level == run::NoticeLevel::error  ? cli::LogLevel::error
                           : level == run::NoticeLevel::warn ? cli::LogLevel::warn
                                                             : cli::LogLevel::info;
  if (subject.name.empty()) {
    parts_.log.write(at, text);
  } else {
    parts_.log.write(at, text, {{subject.name, subject.value}});
  }
}

}  // namespace ringpost::serve
