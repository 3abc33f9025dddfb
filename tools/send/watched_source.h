// A source of jobs whose messages somebody looks at on their way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/run/job_source.h"
#include "tools/send/newsletter_watch.h"
#include <ringpost/base.h>

namespace ringpost::cli {

// All else is the source's, which has one reader and outlives it, as the watch does.
class WatchedSource : public run::JobSource {
 public:
  WatchedSource(run::JobSource& source, NewsletterWatch& watch) : source_(source), watch_(watch) {}

  [[nodiscard]] std::size_t readers() const override { return source_.readers(); }
  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override {
    const Pull pulled = source_.pull(message, reader);
    if (pulled == Pull::message) {
      watch_.look(message, is_for_many(message));
    }
    return pulled;
  }
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return source_.words(reader);
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override {
    return source_.may_wait(reader);
  }
  void await(std::size_t reader) override { source_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override {
    return source_.has_in_hand(reader);
  }
  void put_back(std::size_t reader) override { source_.put_back(reader); }
  [[nodiscard]] std::uint64_t bytes_read() const override { return source_.bytes_read(); }
  [[nodiscard]] std::optional<run::UnreadJobs> unread(Instant give_up_at) override {
    return source_.unread(give_up_at);
  }

 private:
  run::JobSource& source_;
  NewsletterWatch& watch_;
};

}  // namespace ringpost::cli
