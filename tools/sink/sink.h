// The embedded ESP: an SMTP submission server that runs inside the process, for tests, benchmarks
// and demos.
//
//   ringpost::sink::SinkOptions options;
//   options.listen_starttls = "127.0.0.1:0";
//   auto sink = ringpost::sink::Sink::start(options);
//   ... (*sink)->port(ListenerKind::starttls), (*sink)->certificate_file() ...
//   const Summary summary = (*sink)->stop();
#pragma once

#include <memory>
#include <string>

#include "tools/sink/sink_options.h"
#include "tools/sink/sink_server.h"
#include "tools/sink/summary.h"
#include <ringpost/base.h>

namespace ringpost::sink {

// Owns its threads, sockets and files. Everything but stop() and the destructor may be called by
// any thread; those two by one.
class Sink {
 public:
  // Returns when every listener takes connections. The error is a sentence for people: a port in
  // use, a file that cannot be read, an option that makes no sense, io_uring refused that was asked
  // for.
  [[nodiscard]] static Result<std::unique_ptr<Sink>, std::string> start(const SinkOptions& options);
  // Stops, if nobody has.
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // 0: there is no such listener.
  [[nodiscard]] std::uint16_t port(ListenerKind kind) const;
  // "127.0.0.1:2587"; empty: there is no such listener.
  [[nodiscard]] std::string address(ListenerKind kind) const;
  // PEM; a client that trusts it trusts the sink. Of a made certificate the file may go with the
  // sink.
  [[nodiscard]] const std::string& certificate_file() const;

  // That it does without io_uring although nobody has said so, and why; mostly empty.
  [[nodiscard]] const std::string& io_notice() const;

  // As of each thread's last turn. Once a client has read a reply, its command is in here.
  [[nodiscard]] Tally tally() const;
  // CPU time of the sink's threads so far, user and system.
  [[nodiscard]] CpuTime cpu_time() const;
  // options.messages_max has been reached; stop() is still to be called.
  [[nodiscard]] bool finished() const;

  // Tells sessions 421, writes what is left of the record, ends the threads: takes up to half a
  // second. A second call returns the same.
  Summary stop();

 private:
  struct State;
  explicit Sink(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ringpost::sink
