#include "tools/send/run_output.h"

#include <chrono>
#include <poll.h>
#include <sys/eventfd.h>
#include <tuple>
#include <unistd.h>
#include <utility>

namespace ringpost::cli {

namespace {

using Clock = std::chrono::steady_clock;

// How often a write is tried again for which there was no room.
constexpr int room_look_every_ms = 100;
// How often a FIFO that nobody reads is opened again.
constexpr auto reader_look_every = std::chrono::milliseconds(100);

}  // namespace

RunOutput::RunOutput(std::vector<std::string> endpoint_names, Log& log, RunOutputActions actions)
    : log_(log),
      actions_(std::move(actions)),
      endpoint_names_(std::move(endpoint_names)),
      writer_(endpoint_names_),
      give_up_descriptor_(::eventfd(0, EFD_CLOEXEC)) {
  RP_ASSERT(give_up_descriptor_ >= 0);
}

RunOutput::~RunOutput() { ::close(give_up_descriptor_); }

Result<void, std::string> RunOutput::open(const SendSettings& settings, run::RunJournal* journal,
                                          std::int64_t now_us) {
  journal_ = journal;
  const Instant now = Clock::now();
  deadline_ = settings.deadline < never - now ? now + settings.deadline : never;
  for (auto [flag, path, target] : {std::tuple{"--outcomes ", &settings.outcomes_path, &outcomes_},
                                    std::tuple{"--errors ", &settings.errors_path, &errors_}}) {
    if (auto opened = open_file(*path, *target); !opened) {
      return Failure(flag + opened.error());
    }
  }
  if (journal_ == nullptr) {
    return {};
  }
  // The journal says where its lines begin, and a resume believes that.
  const std::size_t newline_bytes = outcomes_ ? outcomes_->file.unwritten_bytes() : 0;
  if (outcomes_) {
    if (const auto written = outcomes_->file.write(); !written) {
      return Failure(written.error().message);
    }
  }
  if (outcomes_ && journal_->survives_power_cut()) {
    if (const auto synced = outcomes_->file.sync(); !synced) {
      return Failure(synced.error().message);
    }
  }
  const std::uint64_t bytes = outcomes_ ? outcomes_->file.bytes_before() + newline_bytes : 0;
  if (const auto begun = journal_->begin_run(settings.outcomes_path, bytes, now_us); !begun) {
    return Failure(begun.error().message);
  }
  return {};
}

Result<void, std::string> RunOutput::open_file(const std::string& path,
                                               std::optional<Target>& target) {
  if (path.empty()) {
    return {};
  }
  auto opened = open_when_read(path);
  if (!opened) {
    return Failure(opened.error().message);
  }
  if (opened->bytes_before() > 0) {
    log_.info("outcome lines are added to a file that has some already", {{"file", path}});
  }
  target.emplace(Target{std::move(*opened)});
  return {};
}

Result<run::OutcomeFile, run::OutputError> RunOutput::open_when_read(const std::string& path) {
  for (bool is_said = false;;) {
    auto opened = run::OutcomeFile::open(path, give_up_descriptor_);
    if (opened || !opened.error().may_be_tried_again || !actions_.pause || !may_wait()) {
      return opened;
    }
    if (!std::exchange(is_said, true)) {
      log_.warn("nothing is sent until somebody reads the pipe of the outcomes; a signal ends this",
                {{"file", path}});
    }
    if (!actions_.pause(reader_look_every)) {
      return opened;
    }
  }
}

void RunOutput::take(std::span<const DecidedRecipientView> decided) {
  for (const DecidedRecipientView& view : decided) {
    if (journal_ != nullptr) {
      line_.clear();
      writer_.append(line_, *view.job, view.recipient_index);
      journal_->add(view, line_);
    } else if (outcomes_) {
      writer_.append(outcomes_->file.lines(), *view.job, view.recipient_index);
    }
    if (errors_ && view.outcome().status != Status::accepted) {
      writer_.append(errors_->file.lines(), *view.job, view.recipient_index);
    }
  }
  write_journal();
  write_files(decided.empty());
}

// A line is in the journal before it is in the file: what a crash leaves out of the file can be
// completed from there.
void RunOutput::write_journal() {
  if (journal_ == nullptr) {
    return;
  }
  const bool written = write_when_there_is_room([this] { return journal_->write(); });
  if (written && outcomes_) {
    journal_->take_written_lines(outcomes_->file.lines());
  }
}

void RunOutput::write_files(bool everything) {
  for (std::optional<Target>* const target : targets()) {
    if (!*target || (*target)->broken) {
      continue;
    }
    run::OutcomeFile& file = (*target)->file;
    // What a try has left may be too little for write_if_full() to try again.
    bool is_due = everything;
    (*target)->broken = !write_when_there_is_room(
        [&] { return std::exchange(is_due, true) ? file.write() : file.write_if_full(); });
  }
}

// False: it could not be written, and everybody knows.
template <typename Write>
bool RunOutput::write_when_there_is_room(Write write) {
  auto written = write();
  const auto tries_again = [&] {
    return !written && written.error().may_be_tried_again && may_wait();
  };
  const bool has_waited = tries_again();
  if (has_waited) {
    waiting_.store(true);
    actions_.hold(true);
    note_room(true, written.error().message);
    while (tries_again()) {
      pollfd given_up{give_up_descriptor_, POLLIN, 0};
      ::poll(&given_up, 1, room_look_every_ms);
      written = write();
    }
  }
  if (!written) {
    fail(written.error().message);
  }
  if (has_waited) {
    note_room(false, {});
    actions_.hold(false);
    waiting_.store(false);
  }
  return written.has_value();
}

bool RunOutput::may_wait() const { return !given_up_.load() && Clock::now() < deadline_; }

void RunOutput::note_room(bool is_lacking, const std::string& why) {
  const std::lock_guard lock(room_mutex_);
  if (is_lacking == is_lacking_) {
    return;
  }
  is_lacking_ = is_lacking;
  if (is_lacking) {
    log_.warn("there is no room for outcomes: nothing more is sent until there is",
              {{"reason", why}});
  } else if (!failed()) {
    log_.warn("there is room for outcomes again: going on");
  }
}

// Workers wait by themselves where there is no room for what they are about to send.
void RunOutput::look_at_journal() {
  if (journal_ == nullptr || waiting_.load()) {
    return;
  }
  const bool is_lacking = journal_->journal().lacks_room();
  note_room(is_lacking, journal_->journal().path() + ": no room");
  if (is_lacking && Clock::now() >= deadline_) {
    fail(journal_->journal().path() + ": no room until the deadline of the run");
  }
}

void RunOutput::give_up() {
  given_up_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(give_up_descriptor_, &one, sizeof(one));
}

void RunOutput::fail(const std::string& why) {
  if (!failed_.exchange(true)) {
    log_.error("outcomes cannot be written; no more messages are sent", {{"reason", why}});
  }
  actions_.stop();
}

void RunOutput::finish() {
  give_up();
  if (journal_ != nullptr && journal_->has_unwritten()) {
    if (const auto written = journal_->write(); !written) {
      report_lost(written.error().message);
      return;  // nor are its lines
    }
    if (outcomes_) {
      journal_->take_written_lines(outcomes_->file.lines());
    }
  }
  for (std::optional<Target>* const target : targets()) {
    if (!*target) {
      continue;
    }
    if (const auto written = (*target)->file.write(); !written) {
      const std::string hint =
          journal_ == nullptr
              ? ""
              : "; `ringpost journal export " + journal_->journal().path() + "` prints all of them";
      report_lost(written.error().message + hint);
    }
  }
  if (outcomes_ && journal_ != nullptr && journal_->survives_power_cut()) {
    if (const auto synced = outcomes_->file.sync(); !synced) {
      report_lost(synced.error().message);
    }
  }
}

std::vector<LostLines> RunOutput::lost_lines() const {
  std::vector<LostLines> lost;
  // What the journal has not taken was kept from the outcome file, too.
  const std::uint64_t kept_back = journal_ == nullptr ? 0 : journal_->unwritten_count();
  if (const std::uint64_t count = outcomes_ ? outcomes_->file.unwritten_lines() + kept_back : 0;
      count > 0) {
    lost.push_back({outcomes_->file.path(), count});
  }
  if (const std::uint64_t count = errors_ ? errors_->file.unwritten_lines() : 0; count > 0) {
    lost.push_back({errors_->file.path(), count});
  }
  return lost;
}

void RunOutput::report_lost(const std::string& why) {
  failed_.store(true);
  print_error("outcome lines could not be written: " + why);
}

}  // namespace ringpost::cli
