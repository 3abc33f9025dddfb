// A folder whose job files are sent as they come, with the thread that looks.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tools/process/descriptor.h"
#include "tools/process/log.h"
#include "tools/serve/endpoint_names.h"
#include "tools/serve/offer.h"
#include "tools/serve/watch/watched_file.h"
#include "tools/serve/watch/watched_files.h"
#include "tools/serve/watch/watched_folder.h"
#include "tools/settings/watch_setting.h"
#include <ringpost/base.h>

namespace ringpost::serve {

struct WatchCounts {
  std::uint64_t under_way = 0;  // files
  std::uint64_t done = 0;
  std::uint64_t bad = 0;
};

// Its end goes as that of a FrontEnd: begin_drain(), the intake's close(), stop().
class FolderWatch final : private run::RunListener {
 public:
  using Offerer = std::function<Offer(Message&, Completion, std::vector<PriorFate>)>;
  using Refuser =
      std::function<Offer(Message&, std::string_view, Completion, std::vector<PriorFate>)>;
  struct Parts {
    WatchedFiles& files;  // outlives this
    Offerer offer;
    Refuser refuse;
    const EndpointNames& endpoint_names;
    std::string program_version;
    cli::Log& log;
  };

  // Looks when it returns. The error is a sentence: there is no such folder, or another process has
  // it.
  [[nodiscard]] static Result<std::unique_ptr<FolderWatch>, std::string> start(
      const cli::WatchOptions& options, Parts parts);
  ~FolderWatch() override;
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  [[nodiscard]] std::string place() const { return "watch=" + folder_->path(); }
  [[nodiscard]] WatchCounts counts() const;
  // There may be room again where a message was not taken. Any thread.
  void tell_room();
  // No further message leaves a file.
  void begin_drain();
  [[nodiscard]] std::size_t messages_under_way() const { return messages_out_.load(); }
  // Behind the last outcome: what is not done stays for the next start.
  void stop();

 private:
  using File = std::shared_ptr<WatchedFile>;

  FolderWatch(const cli::WatchOptions& options, Parts parts);
  [[nodiscard]] Result<void, std::string> set_up();
  void run();
  void look();
  void read_events();
  void begin_files();
  void begin_file(const std::string& name);
  // Whether there is more to hand over, and room for it.
  [[nodiscard]] bool feed();
  [[nodiscard]] bool feed_some(const File& file);
  void end_files();
  void end_file(WatchedFile& file);
  void set_aside(const std::string& name, const std::string& why);
  void wake();
  void on_notice(run::NoticeLevel level, std::string_view text,
                 const run::NoticeSubject& subject) override;

  const cli::WatchOptions options_;
  Parts parts_;
  std::unique_ptr<WatchedFolder> folder_;
  cli::Descriptor events_;
  cli::Descriptor wake_;

  // The thread's.
  std::deque<std::string> names_;
  bool looks_again_ = true;           // there may be more files than names_ has
  std::set<std::string> left_alone_;  // that could not be moved away: not before the next start
  std::map<std::string, File> active_;

  std::atomic<bool> is_draining_{false};
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::size_t> messages_out_{0};
  std::atomic<std::uint64_t> under_way_{0};
  std::atomic<std::uint64_t> done_{0};
  std::atomic<std::uint64_t> bad_{0};
  std::thread thread_;
};

}  // namespace ringpost::serve
