// Mail that is answered for before a provider has it: stored, sent by the engine, and kept until
// all that has to be said of it is said.
//
//   auto spool = Spool::open(options, log);          // before the engine
//   engine_options.journal = spool->get();           // intents of stored messages
//   intake_options.keeper = spool->get();            // and their outcomes
//   (*spool)->start([&](Message& m, auto done, auto fates) { return intake->offer(...); });
//   (*spool)->store(message, [](StoreEnd end) { ... });
//   (*spool)->stop_feeding(); intake->close(); (*spool)->close();
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "codec/job/job_reader.h"
#include "queue/intent_log.h"
#include "tools/process/log.h"
#include "tools/serve/endpoint_names.h"
#include "tools/serve/figures/service_figures.h"
#include "tools/serve/offer.h"
#include "tools/serve/outcome_keeper.h"
#include "tools/serve/spool/spool_folder.h"
#include "tools/serve/spool/spool_segment.h"
#include "tools/serve/spool/spool_writer.h"
#include <ringpost/base.h>
#include <ringpost/limits.h>
#include <ringpost/message.h>

namespace ringpost::serve {

struct SpoolOptions {
  std::string folder{};
  std::string outcomes_path{};  // that outcome lines are written to; empty: none
  std::shared_ptr<const EndpointNames> endpoint_names{};  // null: none
  std::string program_version{};
  // Of stored jobs; what is waiting to be stored counts.
  std::uint64_t bytes_max = 4'000'000'000;
  // A message that has no expiry of its own is tried for so long.
  Duration keep = std::chrono::hours(96);
  // Messages of the spool that the engine has at a time: what a repair of a journal assumes.
  std::size_t messages_max = limits::jobs_in_flight_max;

  // A segment is removed when all of it is decided: small ones soon, and there are fewer of large
  // ones.
  std::uint64_t segment_bytes = 32u << 20;
  Duration segment_age = std::chrono::minutes(10);
  // Behind a pass that the engine's own attempts could not end: the first pause, and the longest.
  Duration pause_first = std::chrono::minutes(1);
  Duration pause_max = std::chrono::minutes(30);
  queue::JournalCalls calls{};  // those that write; a test may let them fail
};

// Why a message was not taken.
struct StoreRefusal {
  enum class Kind : std::uint8_t {
    full,     // later there may be room
    closed,   // the program ends
    invalid,  // it can never be sent
  };
  Kind kind = Kind::full;
  std::string words;  // a clause
};

// Thread: start(), stop_feeding() and close() are one's; store() and figures() are any's; the rest
// is as IntentLog and OutcomeKeeper have it. Lifetime: outlives the engine and all that store.
class Spool final : public queue::IntentLog, public OutcomeKeeper {
 public:
  using Offerer = std::function<Offer(Message&, Completion, std::vector<PriorFate>)>;
  // Of a message that cannot be sent, as Intake::refuse() takes it.
  using Refuser =
      std::function<Offer(Message&, std::string_view, Completion, std::vector<PriorFate>)>;

  // Locks the folder, looks at what earlier runs have left there, and completes the file of
  // outcomes with lines that a kill has kept from it. The error is a sentence.
  [[nodiscard]] static Result<std::unique_ptr<Spool>, std::string> open(SpoolOptions options,
                                                                        cli::Log& log);
  ~Spool() override;

  // From now on messages are stored, and handed over as there is room. What the functions say that
  // they have taken completes later.
  void start(Offerer offer, Refuser refuse);
  // There may be room again where a message was not taken.
  void tell_room();

  // Takes what it needs of the message, and leaves it. `done` is called once, unless it is not
  // taken. Nothing here waits for a disk.
  [[nodiscard]] Result<void, StoreRefusal> store(Message& message, StoreDone done);

  // Outcome lines go to a file that has just been begun.
  void note_outcomes_reopened();
  [[nodiscard]] std::size_t messages_under_way() const { return under_way_.load(); }
  [[nodiscard]] SpoolFigures figures() const;
  // A journal could not be written for good: whoever runs this had better end it.
  [[nodiscard]] bool has_failed() const { return has_failed_.load(); }

  // The end, in this order. Nothing more is handed over.
  void stop_feeding();
  // What comes back `unsent` is told to nobody: it is sent at the next start.
  void begin_end() { is_ending_.store(true); }
  // What waits to be stored is stored, and nothing more is taken.
  void stop_storing() { writer_->stop(); }
  // What a disk has no room for is not waited for any more: it is in flight then.
  void give_up() { is_giving_up_.store(true); }
  // Behind the engine's end: segments of which all is decided are removed, the others rest.
  void close();
  // Before a segment is removed its outcome lines have to be safe. False: they are not.
  void set_outcome_sync(std::function<bool()> sync) { sync_outcomes_ = std::move(sync); }

  [[nodiscard]] Result<void, queue::JournalError> append_intents(
      std::span<const codec::JournalIntent> intents) override;
  // Whoever waits says so by itself, and nobody asks.
  [[nodiscard]] std::string file_without_room() const override { return {}; }
  // All of them together: those of the spool are bounded here.
  [[nodiscard]] std::size_t jobs_in_flight_max() const override { return SIZE_MAX; }

  [[nodiscard]] Wish wish(const OutcomeView& decided) override;
  void add(const OutcomeView& decided, Bytes line) override;
  void write() override;

 private:
  using Segment = std::shared_ptr<SpoolSegment>;
  struct Kept {
    Segment segment;
    Instant begun_at{};     // while it is written to
    bool is_sealed = true;  // it takes no more
    bool is_left_alone = false;
    std::uint32_t passes = 0;
    Instant due{};  // of its next pass
  };

  Spool(SpoolOptions options, SpoolFolder folder, cli::Log& log);
  [[nodiscard]] Result<void, std::string> take_stock();
  [[nodiscard]] std::string why_invalid(const std::string& line, const Message& message);
  [[nodiscard]] Result<Segment, queue::JournalError> new_segment();
  [[nodiscard]] Segment find(std::uint64_t ordinal) const;
  [[nodiscard]] SegmentPassOptions pass_options() const;

  // ---- The feeder's thread ----
  void run();
  void end_passes(Instant now);
  void end_pass_of(const Kept& kept, Instant now);
  void begin_passes(Instant now);
  [[nodiscard]] bool begin_pass_of(const Segment& segment);
  // Whether there is more to hand over, and room for it.
  [[nodiscard]] bool feed();
  enum class Fed : std::uint8_t { yes, no_room, failed };
  [[nodiscard]] Fed feed_one(const Segment& segment);
  void leave_alone(const Segment& segment, const std::string& why);
  void remove(const Segment& segment);
  [[nodiscard]] std::vector<Kept> all_kept() const;
  void note_reopened_outcomes();

  // Of segments that are gone through at a time: each has two files open.
  static constexpr std::size_t passes_max = 16;

  const SpoolOptions options_;
  const SpoolFolder folder_;
  cli::Log& log_;
  Offerer offer_;
  Refuser refuse_;
  std::function<bool()> sync_outcomes_;

  std::mutex check_mutex_;  // guards the next two
  codec::JobReader check_reader_;
  Message check_message_;

  mutable std::mutex mutex_;  // guards the next ones
  std::condition_variable changed_;
  std::map<std::uint32_t, Kept> segments_;
  std::uint32_t last_number_ = 0;
  bool has_news_ = false;  // since the feeder looked
  bool is_stopping_ = false;

  std::vector<Segment> noted_in_;  // the outcome thread's
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> stored_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::size_t> under_way_{0};
  std::atomic<bool> outcomes_were_reopened_{false};
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> is_giving_up_{false};
  std::atomic<bool> has_failed_{false};
  std::unique_ptr<SpoolWriter> writer_;
  std::thread thread_;
};

}  // namespace ringpost::serve
