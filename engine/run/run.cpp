// Problem: what a run promises (no job without an outcome, no outcome that is lost while anybody
// can wait for room) is kept by the order of a few calls, and was kept twice: on the threads of the
// command line, and in the simulation that judges it.
//
// Idea: the order stands here, in steps that return at once. A job is planned before it is
// submitted, an outcome is written before its message goes back, and while it cannot be written
// nothing is given back, no message begins, and so the readers have no room. Readers and groups of
// outcomes are numbers: what one does is the same for each, and they meet in the pool, in the
// source and in the sink.
//
// Limits: between steps somebody has to wait, and what he waits for is his: RunThreads for room in
// the pool and on the disk, the simulation for whatever chance lets happen next.
#include "engine/run/run.h"

#include <algorithm>
#include <utility>

#include "queue/intent_log.h"

namespace ringpost::run {

namespace {

using engine::WorkerOrder;

// Each failure for good concerns one of the things that a sink writes: so often at most another one
// follows it.
constexpr int failures_in_a_row_max = 8;

// Messages that a reader takes out of the pool at a time, since each visit there touches what the
// other threads write: few enough that most of the room is for those that are on their way.
constexpr std::size_t taken_at_once_max = 16;
std::size_t taken_at_once(std::size_t room, std::size_t readers) {
  return std::clamp<std::size_t>(room / readers / 4, 1, taken_at_once_max);
}

}  // namespace

Run::Run(engine::EngineCore& core, const RunParts& parts, Options options)
    : core_(core),
      parts_(parts),
      wake_(std::move(options.wake)),
      deadline_(options.deadline),
      tally_(core.group_count()) {
  const std::size_t readers = parts_.source.readers();
  for (std::size_t i = 0; i < readers; ++i) {
    readers_.push_back(std::make_unique<Reader>());
    readers_.back()->feeder.emplace(
        core_,
        engine::EngineCore::Feeder::Options{
            .number = i, .taken_at_once = taken_at_once(core_.room_for_deliveries(), readers)});
  }
  readers_left_.store(readers);
  for (std::size_t i = 0; i < core_.group_count(); ++i) {
    groups_.push_back(std::make_unique<Group>());
  }
}

// ---- Jobs in ------------------------------------------------------------------------------------

Run::Read Run::read(std::size_t reader) {
  Reader& self = *readers_[reader];
  if (!self.feeder) {
    return Read::end;
  }
  if (parts_.source.may_wait(reader)) {
    flush(self);
    self.feeder->give_back_empty();
    parts_.source.await(reader);
  }
  if (!may_read(reader)) {
    return Read::no_room;
  }
  Consignment& consignment = *self.feeder->try_next();
  const JobSource::Pull pulled = parts_.source.pull(consignment.message, reader);
  switch (pulled) {
    case JobSource::Pull::message:
    case JobSource::Pull::refused:
      break;
    case JobSource::Pull::nothing:
      consignment.clear();
      return Read::taken;
    case JobSource::Pull::trouble:
      consignment.clear();
      source_failed_.store(true, relaxed);
      parts_.listener.on_notice(NoticeLevel::error, parts_.source.words(reader), {});
      return Read::trouble;
    case JobSource::Pull::end:
      end_reading_of(reader);
      return Read::end;
  }
  self.jobs_read.store(self.jobs_read.load(relaxed) + 1, relaxed);
  return submit(consignment, pulled, reader);
}

Run::Read Run::submit(Consignment& consignment, JobSource::Pull pulled, std::size_t reader) {
  using engine::EngineCore;
  EngineCore::Feeder& feeder = *readers_[reader]->feeder;
  const auto planned = plan(consignment, pulled);
  if (!planned) {
    parts_.listener.on_notice(NoticeLevel::error, planned.error().message, {});
    parts_.source.put_back(reader);
    planner_failed_.store(true, relaxed);
    end_reading_of(reader);
    return Read::failed;
  }
  if (*planned == Planner::Plan::skip) {
    consignment.clear();
    return Read::taken;
  }
  if (pulled == JobSource::Pull::refused) {
    feeder.refuse(parts_.source.words(reader));
  } else if (*planned == Planner::Plan::rehearse) {
    if (consignment.left_out.size() < consignment.message.recipients.size()) {
      bytes_rehearsed_.fetch_add(consignment.message.content.bytes(), relaxed);
    }
    feeder.rehearse(protocol::verdict_of_dry_run());
  } else if (feeder.submit(core_.now()) == EngineCore::Feeder::Way::to_workers) {
    wake_();
  }
  return Read::taken;
}

// What is known of its recipients, and then who is left out, of whom an earlier run may know, too.
Result<Planner::Plan, RunTrouble> Run::plan(Consignment& consignment, JobSource::Pull pulled) {
  Planner::Plan plan = Planner::Plan::send;
  if (parts_.planner != nullptr) {
    const auto planned = parts_.planner->plan(consignment.message, consignment.fates);
    if (!planned) {
      return planned;
    }
    plan = *planned;
  }
  // Nobody has a message of what cannot be sent, so it is no reason to leave out another.
  if (parts_.filter != nullptr && pulled == JobSource::Pull::message) {
    if (auto filtered =
            parts_.filter->leave_out(consignment.message, consignment.fates, consignment.left_out);
        !filtered) {
      return Failure(std::move(filtered.error()));
    }
  }
  return plan;
}

bool Run::may_read(std::size_t reader) {
  Reader& self = *readers_[reader];
  if (!self.feeder) {
    return false;
  }
  if (self.feeder->try_next() != nullptr) {
    return true;
  }
  flush(self);  // what waits in the batch may be what has to leave first
  return false;
}

void Run::flush(Reader& reader) {
  if (reader.feeder->flush()) {
    wake_();
  }
}

void Run::end_reading_of(std::size_t reader) {
  Reader& self = *readers_[reader];
  if (!self.feeder) {
    return;
  }
  if (self.feeder->close()) {
    wake_();
  }
  self.feeder.reset();
  readers_left_.fetch_sub(1);
}

void Run::end_reading() {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    end_reading_of(i);
  }
}

std::uint64_t Run::jobs_read() const {
  std::uint64_t count = 0;
  for (const auto& reader : readers_) {
    count += reader->jobs_read.load(relaxed);
  }
  return count;
}

// Messages that a reader has taken and not filled yet count as under way.
std::uint64_t Run::messages_done() const {
  const std::uint64_t out = core_.pool().messages_out();
  const std::uint64_t read = jobs_read();
  return read - std::min(read, out);
}

// ---- Outcomes back ------------------------------------------------------------------------------

Run::Told Run::deliver(std::size_t group) {
  Group& self = *groups_[group];
  // What an earlier call has left: more may have been decided since.
  bool is_left = self.is_due;
  bool is_idle = !is_left;
  while (true) {
    if (self.is_due) {
      if (!write(group)) {
        return Told::again_later;
      }
      self.is_due = false;
    }
    if (std::exchange(self.is_last, false) && !std::exchange(is_left, false)) {
      // Behind the last call of the sink: whoever sees all messages back finds nobody who writes,
      // and may ask the sink himself. So it is with several groups, each of which gives back its
      // last messages here.
      core_.give_back_told(group);
      return Told::all;
    }
    const auto decided = std::span(self.decided).first(core_.take_decided(self.decided, group));
    if (decided.empty() && is_idle) {
      return Told::all;  // perhaps all messages are back already
    }
    is_idle = false;
    for (const OutcomeView& view : decided) {
      tally_.count(*view.outcome, group, view.message->id);
    }
    parts_.sink.take(decided, group);
    self.is_last = decided.empty();
    self.is_due = true;
  }
}

// False: not yet. Workers that wait for a journal's room do so by themselves.
bool Run::write(std::size_t group) {
  Group& self = *groups_[group];
  for (int failures = 0; failures < failures_in_a_row_max; ++failures) {
    // What a try has left may be too little to be worth another one by itself.
    const auto written = parts_.sink.write(self.is_last || groups_held_.load() > 0, group);
    if (written) {
      break;
    }
    const RunTrouble& trouble = written.error();
    if (trouble.may_be_tried_again && may_wait()) {
      hold(self, trouble.message);
      return false;
    }
    fail(trouble.message);
    if (trouble.may_be_tried_again) {
      break;
    }
  }
  let_go(self);
  return true;
}

void Run::hold(Group& group, std::string_view why) {
  const std::lock_guard lock(room_mutex_);
  if (!std::exchange(group.is_held, true) && groups_held_.fetch_add(1) == 0) {
    core_.hold_sending(true);
  }
  note_room(true, why);
}

// Whoever is held alone has found room for all.
void Run::let_go(Group& group) {
  if (!group.is_held) {
    return;
  }
  const std::lock_guard lock(room_mutex_);
  group.is_held = false;
  if (groups_held_.load() == 1) {
    note_room(false, {});
    core_.hold_sending(false);
  }
  groups_held_.fetch_sub(1);
}

// With the mutex.
void Run::note_room(bool is_lacking, std::string_view why) {
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
  const queue::IntentLog* const journal = core_.options().journal;
  if (journal == nullptr) {
    return;
  }
  const std::string file = journal->file_without_room();
  const bool is_lacking = !file.empty();
  {
    const std::lock_guard lock(room_mutex_);
    if (groups_held_.load() > 0) {
      return;
    }
    note_room(is_lacking, file + ": no room");
  }
  if (is_lacking && core_.now() >= deadline_) {
    fail(file + ": no room until the deadline of the run");
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
