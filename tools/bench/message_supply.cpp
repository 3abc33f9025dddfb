// The problem: what is measured is the server, so that making messages must cost next to nothing.
// The idea: bodies are shared segments, made once for each size, behind a header section of a few
// lines; jobs are read once and copied. Limits: a job's own id stays in its content, so the same
// Message-ID goes out again and again, which a server that looks for repetitions may act on.
#include "tools/bench/message_supply.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "engine/run/job_file_source.h"
#include "engine/run/job_input.h"
#include "engine/run/line_source.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t line_bytes = 76;

// Of a message of the smallest size there is a body as well.
constexpr std::size_t header_bytes = 256;

std::string text_of_size(std::uint64_t bytes) {
  constexpr std::string_view words = "A line of a benchmark's message, which nobody reads. ";
  std::string text;
  text.reserve(bytes + line_bytes);
  for (std::uint64_t at = 0; text.size() + 2 < bytes; ++at) {
    const bool ends_line = at % line_bytes == line_bytes - 2;
    text += ends_line ? std::string_view("\r\n") : words.substr(at % words.size(), 1);
    at += ends_line ? 1 : 0;
  }
  return text + "\r\n";
}

}  // namespace

Result<std::unique_ptr<MessageSupply>, std::string> MessageSupply::open(const LoadSettings& load,
                                                                        std::int64_t date_us) {
  std::unique_ptr<MessageSupply> supply(new MessageSupply(load));
  auto made = load.jobs_path.empty() ? supply->make_bodies() : supply->read_jobs(date_us);
  if (!made) {
    return Failure(std::move(made.error()));
  }
  return supply;
}

Result<void, std::string> MessageSupply::make_bodies() {
  std::vector<std::string> texts;
  for (const std::uint64_t size : load_.sizes) {
    texts.push_back(text_of_size(size - header_bytes));
  }
  const std::vector<Bytes> views(texts.begin(), texts.end());
  auto shared = maker_.share(views);
  if (!shared) {
    return Failure("the message could not be made: " + shared.error().message());
  }
  bodies_ = std::move(*shared);
  return {};
}

Result<void, std::string> MessageSupply::read_jobs(std::int64_t date_us) {
  auto input = run::JobInput::open({load_.jobs_path}, -1);
  if (!input) {
    return Failure("--jobs: " + input.error().message);
  }
  run::JobFileSource files;
  run::LineSourceOptions options;
  options.reader.files = &files;
  options.date_us = date_us;
  run::LineSource source(std::move(*input), options);
  std::uint64_t bytes = 0;
  while (true) {
    Message message;
    switch (source.pull(message, 0)) {
      case run::JobSource::Pull::message:
        break;
      case run::JobSource::Pull::nothing:
        continue;
      case run::JobSource::Pull::refused:
      case run::JobSource::Pull::trouble:
        return Failure(fmt::format("--jobs: {}", source.words(0)));
      case run::JobSource::Pull::end:
        return messages_.empty()
                   ? Failure(fmt::format("--jobs: there is no job in {}", load_.jobs_path))
                   : Result<void, std::string>();
    }
    bytes += message.content.own_bytes() + message.recipients.bytes();
    messages_.push_back(std::move(message));
    if (bytes > supply_bytes_max || messages_.size() > supply_messages_max) {
      return Failure(
          fmt::format("--jobs: {} has more than {} messages or {} MB, and all of them "
                      "are kept in memory: take a part of it (head -n 10000)",
                      load_.jobs_path, supply_messages_max, supply_bytes_max >> 20));
    }
  }
}

void MessageSupply::fill(Message& message, std::uint64_t number) {
  message.id.clear();
  fmt::format_to(std::back_inserter(message.id), "bench-{}", number);
  if (messages_.empty()) {
    generate(message, number);
    return;
  }
  const Message& job = messages_[number % messages_.size()];
  message.content = job.content;
  message.sender = job.sender;
  message.needs_smtputf8 = job.needs_smtputf8;
  message.recipients = job.recipients;
  message.dsn = job.dsn;
}

void MessageSupply::generate(Message& message, std::uint64_t number) {
  message.sender = load_.from;
  for (std::uint64_t i = 0; i < load_.recipients; ++i) {
    const std::uint64_t recipient = number * load_.recipients + i;
    if (load_.to.empty()) {
      message.recipients.add(fmt::format("reader{}@example.net", recipient));
    } else {
      message.recipients.add(load_.to[recipient % load_.to.size()]);
    }
  }
  std::string header = fmt::format("From: <{}>\r\nTo: <{}>\r\nSubject: ringpost bench {}\r\n",
                                   load_.from, message.recipients[0], number);
  fmt::format_to(std::back_inserter(header), "X-Id: {}\r\n", message.id);
  // As long as its body was made shorter, as far as addresses leave room.
  constexpr std::string_view field = "X-Fill: ";
  const std::size_t bare = header.size() + field.size() + 4;
  header += field;
  header.append(bare < header_bytes ? header_bytes - bare : 1, '-');
  header += "\r\n\r\n";
  maker_.begin(message.content, bodies_);
  maker_.add_value(message.content, header);
  maker_.add_segment(message.content, number % load_.sizes.size());
  const auto made = maker_.finish(message.content);
  RP_ASSERT(made.has_value());
}

}  // namespace ringpost::cli
