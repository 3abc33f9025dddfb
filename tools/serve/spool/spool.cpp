// The problem: a platform wants its answer at once, while a provider may be slow or away for hours,
// and nothing that was answered may be lost or sent twice. The idea: what `send` has for that, in
// pieces: messages become lines of job files (spool_writer), which are gone through by a thread of
// their own as there is room in the engine, each with a journal of intents and outcomes
// (spool_segment). Nothing that waits is in memory. Limits: messages leave in the order of the
// segments and no other; of whom the engine has put off, a segment is gone through again when all
// of it is decided.
#include "tools/serve/spool/spool.h"

#include <algorithm>
#include <chrono>
#include <pthread.h>
#include <utility>

#include <fmt/format.h>

#include "codec/job/job_line.h"
#include "engine/run/parse_line.h"
#include "tools/process/numbers.h"
#include "tools/process/unix_time.h"
#include "tools/serve/spool/missing_outcomes.h"

namespace ringpost::serve {

namespace {

using Clock = std::chrono::steady_clock;

// Lines that wait for the disk: a second of a slow one.
constexpr std::uint64_t waiting_bytes_max = 64u << 20;
constexpr auto look_every = std::chrono::milliseconds(500);
constexpr auto room_pause = std::chrono::milliseconds(100);
// Of one segment before it is another one's turn.
constexpr std::size_t messages_at_once = 64;

bool is_not_final(Status status) { return status == Status::deferred || status == Status::unsent; }

}  // namespace

// ---- Beginning ----------------------------------------------------------------------------------

Spool::Spool(SpoolOptions options, SpoolFolder folder, cli::Log& log)
    : options_(std::move(options)),
      folder_(std::move(folder)),
      log_(log),
      check_reader_(codec::JobReaderOptions{}) {}

Result<std::unique_ptr<Spool>, std::string> Spool::open(SpoolOptions options, cli::Log& log) {
  auto folder = SpoolFolder::open(options.folder);
  if (!folder) {
    return Failure(std::move(folder.error()));
  }
  std::unique_ptr<Spool> spool(new Spool(std::move(options), std::move(*folder), log));
  if (auto taken = spool->take_stock(); !taken) {
    return Failure(std::move(taken.error()));
  }
  return spool;
}

Result<void, std::string> Spool::take_stock() {
  const auto numbers = folder_.segments();
  if (!numbers) {
    return Failure(numbers.error());
  }
  std::vector<std::string> journals;
  for (const std::uint32_t number : *numbers) {
    const SegmentPaths paths = segment_paths(folder_.path(), number);
    auto file = SpoolFile::open(paths.jobs, options_.calls);
    if (!file) {
      return Failure("spool " + file.error().message);
    }
    if ((*file)->cut_bytes() > 0) {
      log_.warn(
          fmt::format("spool: {}: the last {} octets were never finished, and are cut; "
                      "nobody was told that they are stored",
                      paths.jobs, (*file)->cut_bytes()));
    }
    bytes_ += (*file)->bytes();
    journals.push_back(paths.journal);
    auto segment = std::make_shared<SpoolSegment>(number, paths, std::move(*file));
    segment->rest();
    segments_[number].segment = std::move(segment);
    last_number_ = number;
  }
  if (options_.outcomes_path.empty() || options_.outcomes_path == "-" || journals.empty()) {
    return {};
  }
  const auto missing = add_missing_outcomes(journals, options_.outcomes_path);
  if (!missing) {
    return Failure(missing.error());
  }
  if (*missing > 0) {
    log_.warn(
        fmt::format("{}: {} outcome lines of the last run were missing, and are added from "
                    "the spool's journals",
                    options_.outcomes_path, *missing));
  }
  return {};
}

void Spool::start(Offerer offer, Refuser refuse) {
  offer_ = std::move(offer);
  refuse_ = std::move(refuse);
  SpoolWriterOptions writer;
  writer.segment_bytes = options_.segment_bytes;
  writer.waiting_bytes_max = waiting_bytes_max;
  writer.new_segment = [this] { return new_segment(); };
  writer.on_stored = [this] { tell_room(); };
  writer.on_sealed = [this](const Segment& segment) {
    const std::lock_guard lock(mutex_);
    segments_[segment->number()].is_sealed = true;
    has_news_ = true;
    changed_.notify_one();
  };
  writer.on_trouble = [this](const std::string& trouble) {
    trouble.empty() ? log_.warn("spool: messages are stored again")
                    : log_.error("spool: messages are not taken: " + trouble);
  };
  writer_ = std::make_unique<SpoolWriter>(std::move(writer));
  thread_ = std::thread([this] { run(); });
}

Spool::~Spool() {
  if (writer_) {
    stop_feeding();
    writer_->stop();
  }
}

Result<Spool::Segment, queue::JournalError> Spool::new_segment() {
  std::uint32_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++last_number_;
  }
  const SegmentPaths paths = segment_paths(folder_.path(), number);
  auto file = SpoolFile::create(paths.jobs, options_.calls);
  if (!file) {
    return Failure(std::move(file.error()));
  }
  auto segment = std::make_shared<SpoolSegment>(number, paths, std::move(*file));
  const std::lock_guard lock(mutex_);
  Kept& kept = segments_[number];
  kept.segment = segment;
  kept.begun_at = Clock::now();
  kept.is_sealed = false;
  return segment;
}

// ---- In -----------------------------------------------------------------------------------------

Result<void, StoreRefusal> Spool::store(Message& message, StoreDone done) {
  using Kind = StoreRefusal::Kind;
  if (message.expires_at_us == 0) {
    message.expires_at_us =
        cli::unix_time_us() +
        std::chrono::duration_cast<std::chrono::microseconds>(options_.keep).count();
  }
  std::string line;
  codec::append_job_line(line, message);
  if (std::string why = why_invalid(line, message); !why.empty()) {
    return Failure(StoreRefusal{Kind::invalid, std::move(why)});
  }
  const std::uint64_t bytes = line.size();
  if (bytes_.fetch_add(bytes) + bytes > options_.bytes_max) {
    bytes_ -= bytes;
    ++refused_;
    return Failure(StoreRefusal{Kind::full, "The spool is full"});
  }
  const auto put =
      writer_->put(std::move(line), [this, bytes, done = std::move(done)](StoreEnd end) {
        if (end == StoreEnd::stored) {
          ++stored_;
        } else {
          bytes_ -= bytes;
          ++refused_;
        }
        done(end);
      });
  switch (put) {
    case SpoolWriter::Put::taken:
      return {};
    case SpoolWriter::Put::full:
      bytes_ -= bytes;
      ++refused_;
      return Failure(StoreRefusal{Kind::full, "Too much waits for the disk"});
    case SpoolWriter::Put::closed:
      bytes_ -= bytes;
      return Failure(StoreRefusal{Kind::closed, "The server is going down"});
  }
  RP_ASSERT(false);
}

// What cannot be read back is never answered for.
std::string Spool::why_invalid(const std::string& line, const Message& message) {
  const EndpointNames* const names = options_.endpoint_names.get();
  if (!message.endpoint.empty() && (names == nullptr || !names->contains(message.endpoint))) {
    return fmt::format("there is no endpoint \"{}\"", message.endpoint);
  }
  if (line.size() > limits::job_line_bytes_max) {
    return "it is too large to be stored";
  }
  std::string padded;
  padded.reserve(line.size() + codec::JobReader::padding_bytes);
  padded = line;
  padded.append(codec::JobReader::padding_bytes, '\0');
  const std::lock_guard lock(check_mutex_);
  check_message_.clear();
  const auto read = check_reader_.parse(Bytes(padded).substr(0, line.size() - 1),
                                        {"spool", 2, 0, 0}, check_message_);
  check_message_.give_up_memory();
  return read ? std::string() : read.error().message();
}

SpoolFigures Spool::figures() const {
  const std::lock_guard lock(mutex_);
  return {.bytes = bytes_.load(),
          .bytes_max = options_.bytes_max,
          .segments = segments_.size(),
          .stored = stored_.load(),
          .refused = refused_.load()};
}

// ---- Out: the feeder ----------------------------------------------------------------------------

void Spool::tell_room() {
  const std::lock_guard lock(mutex_);
  has_news_ = true;
  changed_.notify_one();
}

void Spool::note_outcomes_reopened() {
  outcomes_were_reopened_.store(true);
  tell_room();
}

void Spool::run() {
  ::pthread_setname_np(::pthread_self(), "ringpost-feed");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    has_news_ = false;
    lock.unlock();
    const Instant now = Clock::now();
    note_reopened_outcomes();
    end_passes(now);
    begin_passes(now);
    const bool has_more = feed();
    lock.lock();
    if (!has_more) {
      changed_.wait_for(lock, look_every, [this] { return has_news_ || is_stopping_; });
    }
  }
}

std::vector<Spool::Kept> Spool::all_kept() const {
  const std::lock_guard lock(mutex_);
  std::vector<Kept> all;
  for (const auto& [number, kept] : segments_) {
    all.push_back(kept);
  }
  return all;
}

void Spool::note_reopened_outcomes() {
  if (!outcomes_were_reopened_.exchange(false)) {
    return;
  }
  for (const Kept& kept : all_kept()) {
    if (kept.segment->is_in_pass()) {
      if (auto begun = kept.segment->begin_run(pass_options()); !begun) {
        log_.warn("spool: " + begun.error());
      }
    }
  }
}

SegmentPassOptions Spool::pass_options() const {
  return {options_.program_version, options_.outcomes_path, cli::unix_time_us(), options_.calls};
}

void Spool::end_passes(Instant now) {
  for (const Kept& kept : all_kept()) {
    SpoolSegment& segment = *kept.segment;
    if (!segment.is_in_pass() || segment.under_way.load() > 0 ||
        (segment.has_unread() && !kept.is_left_alone)) {
      continue;
    }
    if (kept.is_sealed) {
      end_pass_of(kept, now);
      continue;
    }
    const Duration age_max = segment.put_off.load() > 0
                                 ? std::min(options_.pause_first, options_.segment_age)
                                 : options_.segment_age;
    if (now - kept.begun_at >= age_max) {
      writer_->seal(kept.segment);
    }
  }
}

void Spool::end_pass_of(const Kept& kept, Instant now) {
  SpoolSegment& segment = *kept.segment;
  if (segment.put_off.load() == 0 && !kept.is_left_alone) {
    remove(kept.segment);
    return;
  }
  if (sync_outcomes_ && !sync_outcomes_()) {
    return;
  }
  segment.end_pass(cli::unix_time_us());
  segment.rest();
  Duration pause = options_.pause_first;
  for (std::uint32_t i = 0; i < kept.passes && pause < options_.pause_max; ++i) {
    pause *= 2;
  }
  const std::lock_guard lock(mutex_);
  Kept& own = segments_[segment.number()];
  ++own.passes;
  own.due = now + std::min(pause, options_.pause_max);
}

// A segment is only gone when its outcome lines are safe.
void Spool::remove(const Segment& segment) {
  if (sync_outcomes_ && !sync_outcomes_()) {
    return;
  }
  const std::uint64_t bytes = segment->bytes();
  if (segment->is_in_pass()) {
    segment->end_pass(cli::unix_time_us());
  }
  if (auto removed = segment->remove(); !removed) {
    leave_alone(segment, removed.error());
    return;
  }
  bytes_ -= bytes;
  const std::lock_guard lock(mutex_);
  segments_.erase(segment->number());
}

void Spool::begin_passes(Instant now) {
  std::size_t in_pass = 0;
  bool is_reading_old = false;
  const std::vector<Kept> all = all_kept();
  for (const Kept& kept : all) {
    in_pass += kept.segment->is_in_pass() ? 1U : 0U;
    is_reading_old = is_reading_old || (kept.is_sealed && kept.segment->has_unread());
  }
  for (const Kept& kept : all) {
    const Segment& segment = kept.segment;
    if (segment->is_in_pass() || kept.is_left_alone || kept.due > now) {
      continue;
    }
    if (kept.is_sealed && segment->bytes() == 0) {
      remove(segment);
    } else if (!kept.is_sealed && segment->bytes() > 0) {
      static_cast<void>(begin_pass_of(segment));
    } else if (kept.is_sealed && !is_reading_old && in_pass < passes_max) {
      is_reading_old = begin_pass_of(segment);
      ++in_pass;
    } else if (kept.is_sealed) {
      segment->rest();
    }
  }
}

bool Spool::begin_pass_of(const Segment& segment) {
  std::string remark;
  if (auto begun = segment->begin_pass(pass_options(), remark); !begun) {
    leave_alone(segment, begun.error());
    return false;
  }
  if (!remark.empty()) {
    log_.info("spool: " + remark);
  }
  return true;
}

void Spool::leave_alone(const Segment& segment, const std::string& why) {
  log_.error(
      fmt::format("spool: a segment is left as it is, and its messages are not sent: {}. "
                  "When this server has ended, `ringpost journal verify {}` says what it "
                  "holds, and `ringpost send {} --journal {} --resume` sends the rest",
                  why, segment->paths().journal, segment->paths().jobs, segment->paths().journal));
  writer_->seal(segment);
  const std::lock_guard lock(mutex_);
  segments_[segment->number()].is_left_alone = true;
}

bool Spool::feed() {
  bool has_more = false;
  for (const Kept& kept : all_kept()) {
    std::size_t left = messages_at_once;
    while (kept.segment->is_in_pass() && !kept.is_left_alone && kept.segment->has_unread()) {
      if (under_way_.load() >= options_.messages_max) {
        return false;
      }
      if (left-- == 0) {
        has_more = true;
        break;
      }
      const Fed fed = feed_one(kept.segment);
      if (fed == Fed::no_room) {
        return false;
      }
      if (fed == Fed::failed) {
        break;
      }
    }
  }
  return has_more;
}

Spool::Fed Spool::feed_one(const Segment& segment) {
  Message message;
  std::vector<PriorFate> fates;
  std::string words;
  const SpoolSegment::Step step = segment->next(message, fates, words);
  if (step == SpoolSegment::Step::nothing) {
    return Fed::yes;
  }
  if (step == SpoolSegment::Step::failed) {
    leave_alone(segment, words);
    return Fed::failed;
  }
  ++segment->under_way;
  ++under_way_;
  Completion done = [this, segment](const Message& /*message*/,
                                    std::span<const Outcome> /*outcomes*/) {
    const bool was_full = under_way_.fetch_sub(1) >= options_.messages_max;
    if (--segment->under_way == 0 || was_full) {
      tell_room();
    }
  };
  const Offer offer = step == SpoolSegment::Step::refused
                          ? refuse_(message, words, std::move(done), fates)
                          : offer_(message, std::move(done), fates);
  if (offer == Offer::taken) {
    return Fed::yes;
  }
  --segment->under_way;
  --under_way_;
  segment->put_back(message, fates, step, std::move(words));
  return Fed::no_room;
}

// ---- What workers and outcomes say --------------------------------------------------------------

Spool::Segment Spool::find(std::uint64_t ordinal) const {
  const std::uint32_t number = codec::source_of(ordinal);
  if (number == 0) {
    return nullptr;  // it was not stored
  }
  const std::lock_guard lock(mutex_);
  const auto found = segments_.find(number);
  return found == segments_.end() ? nullptr : found->second.segment;
}

Result<void, queue::JournalError> Spool::append_intents(
    std::span<const codec::JournalIntent> intents) {
  std::map<std::uint32_t, std::vector<codec::JournalIntent>> by_segment;
  for (const codec::JournalIntent& intent : intents) {
    const std::uint32_t number = codec::source_of(intent.ordinal);
    if (number != 0) {
      by_segment[number].push_back(intent);
    }
  }
  for (const auto& [number, own] : by_segment) {
    const Segment segment = find(own.front().ordinal);
    RP_ASSERT(segment != nullptr);  // a message of it is under way
    if (auto appended = segment->append_intents(own); !appended) {
      if (!appended.error().may_be_tried_again && !has_failed_.exchange(true)) {
        log_.error("spool: nothing more is sent: " + appended.error().message);
      }
      return appended;
    }
  }
  return {};
}

Spool::Wish Spool::wish(const OutcomeView& decided) {
  const Segment segment = find(decided.message->origin.ordinal);
  if (segment == nullptr) {
    return Wish::none;
  }
  if (is_not_final(decided.outcome->status)) {
    ++segment->put_off;
  }
  const bool is_cut_off = is_ending_.load() && decided.outcome->status == Status::unsent;
  return is_cut_off ? Wish::pass_over : Wish::line;
}

void Spool::add(const OutcomeView& decided, Bytes line) {
  const Segment segment = find(decided.message->origin.ordinal);
  segment->note(decided, line);
  if (std::find(noted_in_.begin(), noted_in_.end(), segment) == noted_in_.end()) {
    noted_in_.push_back(segment);
  }
}

void Spool::write() {
  for (const Segment& segment : noted_in_) {
    auto written = segment->write_outcomes();
    while (!written && written.error().may_be_tried_again && !is_giving_up_.load()) {
      std::this_thread::sleep_for(room_pause);
      written = segment->write_outcomes();
    }
    if (!written) {
      segment->forget_outcomes();
      if (!has_failed_.exchange(true)) {
        log_.error("spool: outcomes could not be noted, and count as unknown at the next start: " +
                   written.error().message);
      }
    }
  }
  noted_in_.clear();
}

// ---- The end ------------------------------------------------------------------------------------

void Spool::stop_feeding() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Spool::close() {
  stop_feeding();
  writer_->stop();
  const bool is_told = !sync_outcomes_ || sync_outcomes_();
  for (const Kept& kept : all_kept()) {
    if (!kept.segment->is_in_pass()) {
      continue;
    }
    if (kept.segment->has_unread() || kept.segment->put_off.load() > 0 || kept.is_left_alone ||
        !is_told) {
      kept.segment->end_pass(cli::unix_time_us(), is_told);
    } else {
      remove(kept.segment);
    }
  }
}

}  // namespace ringpost::serve
