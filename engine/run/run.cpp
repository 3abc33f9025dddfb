// Problem: what a run promises (no job without an outcome, no outcome that is lost while anybody
// can wait for room) is kept by the order of a few calls, and was kept twice: on the threads of the
// command line, and in the simulation that judges it.
//
// Idea: the order stands here, in steps that return at once. A job is planned before it is
// submitted, an outcome is written before its message goes back, and while it cannot be written
// nothing is given back, no message begins, and so the reader has no room.
//
// Limits: between steps somebody has to wait, and what he waits for is his: RunThreads for room in
// the pool and on the disk, the simulation for whatever chance lets happen next.
#include "engine/run/run.h"

#include <utility>

#include <fmt/format.h>

namespace ringpost::run {

namespace {

using engine::WorkerOrder;

// Each failure for good concerns one of the things that a sink writes: so often at most another one
// follows it.
constexpr int failures_in_a_row_max = 8;

}  // namespace

Run::Run(engine::EngineCore& core, const RunParts& parts, Options options)
    : core_(core), parts_(parts), wake_(std::move(options.wake)), deadline_(options.deadline) {
  feeder_.emplace(core_);
}

// ---- Jobs in ------------------------------------------------------------------------------------

Run::Read Run::read() {
  if (reading_ended()) {
    return Read::end;
  }
  if (!may_read()) {
    return Read::no_room;
  }
  if (parts_.source.may_wait()) {
    flush();
  }
  Consignment& consignment = *feeder_->try_next();
  const JobSource::Pull pulled = parts_.source.pull(consignment.message);
  bytes_read_.store(parts_.source.bytes_read(), relaxed);
  switch (pulled) {
    case JobSource::Pull::message:
    case JobSource::Pull::refused:
      break;
    case JobSource::Pull::trouble:
      consignment.clear();
      source_failed_ = true;
      parts_.listener.on_notice(NoticeLevel::error, parts_.source.words(), {});
      return Read::trouble;
    case JobSource::Pull::end:
      end_reading();
      return Read::end;
  }
  jobs_read_.fetch_add(1, relaxed);
  return submit(consignment, pulled);
}

Run::Read Run::submit(Consignment& consignment, JobSource::Pull pulled) {
  using engine::EngineCore;
  Planner::Plan plan = Planner::Plan::send;
  if (parts_.planner != nullptr) {
    const auto planned = parts_.planner->plan(consignment.message, consignment.fates);
    if (!planned) {
      parts_.listener.on_notice(NoticeLevel::error, planned.error().message, {});
      planner_failed_ = true;
      const Origin& origin = consignment.message.origin;
      held_from_ = fmt::format("{}:{}", origin.file, origin.line);
      end_reading();
      return Read::failed;
    }
    plan = *planned;
  }
  if (plan == Planner::Plan::skip) {
    consignment.clear();
    return Read::taken;
  }
  if (pulled == JobSource::Pull::refused) {
    feeder_->refuse(parts_.source.words());
  } else if (plan == Planner::Plan::rehearse) {
    feeder_->rehearse(protocol::verdict_of_dry_run());
  } else if (feeder_->submit(core_.now()) == EngineCore::Feeder::Way::to_workers) {
    wake_();
  }
  return Read::taken;
}

bool Run::may_read() {
  if (reading_ended()) {
    return false;
  }
  if (feeder_->try_next() != nullptr) {
    return true;
  }
  flush();  // what waits in the batch may be what has to leave first
  return false;
}

void Run::flush() {
  if (feeder_->flush()) {
    wake_();
  }
}

void Run::end_reading() {
  if (feeder_ && feeder_->close()) {
    wake_();
  }
  feeder_.reset();
}

std::optional<UnreadJobs> Run::unread(Instant give_up_at) {
  UnreadJobs unread;
  unread.from = planner_failed_ ? held_from_ : parts_.source.place();
  unread.count = parts_.source.count_rest(give_up_at);
  if (unread.count && planner_failed_) {
    ++*unread.count;
  }
  return unread.count == std::optional<std::uint64_t>(0) ? std::nullopt
                                                         : std::optional(std::move(unread));
}

// ---- Outcomes back ------------------------------------------------------------------------------

Run::Told Run::deliver() {
  // What an earlier call has left: more may have been decided since.
  bool is_left = is_due_;
  bool is_idle = !is_left;
  while (true) {
    if (is_due_) {
      if (!write()) {
        return Told::again_later;
      }
      is_due_ = false;
    }
    if (std::exchange(is_last_, false) && !std::exchange(is_left, false)) {
      // Behind the last call of the sink: whoever sees all messages back finds nobody who writes,
      // and may ask the sink himself.
      core_.give_back_told();
      return Told::all;
    }
    const auto decided = std::span(decided_).first(core_.take_decided(decided_));
    if (decided.empty() && is_idle) {
      return Told::all;  // perhaps all messages are back already
    }
    is_idle = false;
    for (const OutcomeView& view : decided) {
      tally_.count(*view.outcome);
    }
    parts_.sink.take(decided);
    is_last_ = decided.empty();
    is_due_ = true;
  }
}

// False: not yet. Workers that wait for a journal's room do so by themselves.
bool Run::write() {
  for (int failures = 0; failures < failures_in_a_row_max; ++failures) {
    // What a try has left may be too little to be worth another one by itself.
    const auto written = parts_.sink.write(is_last_ || waits_for_room_.load());
    if (written) {
      break;
    }
    const RunTrouble& trouble = written.error();
    if (trouble.may_be_tried_again && may_wait()) {
      if (!waits_for_room_.exchange(true)) {
        core_.hold_sending(true);
      }
      note_room(true, trouble.message);
      return false;
    }
    fail(trouble.message);
    if (trouble.may_be_tried_again) {
      break;
    }
  }
  if (waits_for_room_.load()) {
    note_room(false, {});
    core_.hold_sending(false);
    waits_for_room_.store(false);
  }
  return true;
}

void Run::note_room(bool is_lacking, std::string_view why) {
  const std::lock_guard lock(room_mutex_);
  if (is_lacking == is_lacking_) {
    return;
  }
  is_lacking_ = is_lacking;
  if (is_lacking) {
    parts_.listener.on_notice(NoticeLevel::warn,
                              "there is no room for outcomes: nothing more is sent until there is",
                              {"reason", why});
  } else if (!failed()) {
    parts_.listener.on_notice(NoticeLevel::warn, "there is room for outcomes again: going on", {});
  }
}

// Workers wait by themselves where there is no room for what they are about to send.
void Run::look_at_journal() {
  const queue::Journal* const journal = core_.options().journal;
  if (journal == nullptr || waits_for_room_.load()) {
    return;
  }
  const bool is_lacking = journal->lacks_room();
  note_room(is_lacking, journal->path() + ": no room");
  if (is_lacking && core_.now() >= deadline_) {
    fail(journal->path() + ": no room until the deadline of the run");
  }
}

void Run::give_up() {
  given_up_.store(true);
  parts_.sink.give_up();
}

void Run::fail(std::string_view why) {
  if (!failed_.exchange(true)) {
    parts_.listener.on_notice(NoticeLevel::error,
                              "outcomes cannot be written; no more messages are sent",
                              {"reason", why});
  }
  core_.give(WorkerOrder::stop_sending);
  parts_.listener.on_outcomes_lost();
}

bool Run::is_over() const { return reading_ended() && core_.pool().messages_out() == 0; }

std::vector<std::string> Run::finish() {
  give_up();
  std::vector<std::string> lost = parts_.sink.finish();
  if (!lost.empty()) {
    failed_.store(true);
  }
  return lost;
}

}  // namespace ringpost::run
