// A job file of a watched folder, as `send --journal --resume --outcomes` would send it, but into
// an engine that others use as well.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/journal/journal_record.h"
#include "engine/run/file_sink.h"
#include "engine/run/journal_binding.h"
#include "engine/run/journal_planner.h"
#include "engine/run/line_source.h"
#include "engine/run/run_listener.h"
#include "tools/serve/watch/watched_folder.h"
#include <ringpost/base.h>
#include <ringpost/engine.h>

namespace ringpost::serve {

struct WatchedFileOptions {
  std::vector<std::string> endpoint_names;
  std::string program_version;
  run::RunListener* listener = nullptr;  // hears of files that cannot be written
};

// While messages are under way the source of their ordinals is this file's number; in its journal
// it is 0. Thread: next() and what comes before and behind it are of whoever feeds;
// append_intents() is any worker's; take(), write() and give_up_writing() are those of whoever
// tells outcomes.
class WatchedFile {
 public:
  // Opens the job file, its journal, where there is one already to go on with it, and the file of
  // outcomes. The error is a sentence: it is no job file, or has changed since its journal was
  // begun.
  [[nodiscard]] static Result<std::unique_ptr<WatchedFile>, std::string> open(
      std::uint32_t number, std::string name, const WatchedFolder::Paths& paths,
      std::int64_t now_us, const WatchedFileOptions& options);

  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  enum class Step : std::uint8_t {
    message,  // to be sent, to whom `fates` leave
    refused,  // it cannot be sent, and `words` say why
    nothing,  // there is nothing to do for it
    end,      // of the file
  };
  struct Next {
    Step step = Step::nothing;
    Message message;
    std::vector<PriorFate> fates;
    std::string words;
  };
  // The next one, or the one that was put back.
  void next(Next& next);
  void put_back(Next next) { put_back_.emplace(std::move(next)); }
  // Why a part of it could not be read; empty: all of it could.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  // Its end was come to, or it cannot be read any further.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  // Somebody is left for the next start: nobody was told of him.
  std::atomic<bool> is_cut_short{false};
  // All of it was read, and told.
  [[nodiscard]] bool is_done() const {
    return has_ended_ && under_way.load() == 0 && !is_cut_short.load();
  }

  std::atomic<std::size_t> under_way{0};

  [[nodiscard]] Result<void, queue::JournalError> append_intents(
      std::vector<codec::JournalIntent> intents);
  void take(const OutcomeView& decided);
  // An error that may be tried again leaves what is not written.
  [[nodiscard]] Result<void, run::RunTrouble> write();

  // Behind the last outcome: what is lost, if anything is, as sentences. `is_whole`: all of it was
  // sent.
  [[nodiscard]] std::vector<std::string> close(std::int64_t now_us, bool is_whole);

  // Of this run, and of what its journal knew.
  [[nodiscard]] bool has_jobs() const { return has_jobs_; }
  [[nodiscard]] bool is_all_invalid() const;

 private:
  WatchedFile(std::uint32_t number, std::string name) : number_(number), name_(std::move(name)) {}
  void begin_source(run::JobInput input);
  [[nodiscard]] Step pull(Next& next);

  const std::uint32_t number_;
  const std::string name_;
  std::unique_ptr<run::JournalBinding> journal_;
  std::optional<run::JournalPlanner> planner_;
  std::optional<run::LineSource> source_;
  std::unique_ptr<run::FileSink> sink_;
  std::optional<Next> put_back_;
  std::string trouble_;
  bool has_ended_ = false;
  bool has_jobs_ = false;
  bool has_known_jobs_ = false;
  std::array<std::atomic<std::uint64_t>, status_count> told_{};
};

}  // namespace ringpost::serve
