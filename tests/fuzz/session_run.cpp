#include "tests/fuzz/session_run.h"

#include <algorithm>

#include "codec/smtp/smtp_reply.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/support/mail.h"

namespace ringpost::fuzz {

namespace {

using protocol::CloseReason;
using protocol::Session;
using protocol::SessionState;
using test::Mail;

constexpr std::size_t no_submission = SIZE_MAX;
// More would only be slow.
constexpr std::size_t submissions_max = 40;

// The number of the submission under way with it.
std::uint64_t& submission_of(Delivery& delivery) {
  return delivery.consignment->message.origin.line;
}

// Notes what the session says, and keeps the rules of SessionListener.
class Witness final : public protocol::SessionListener {
 public:
  explicit Witness(SessionRun& run) : run_(run) {}

  void on_start_tls() override {
    RP_ASSERT(!closed && !starts_tls_);
    starts_tls_ = true;
  }

  void on_ready() override {
    RP_ASSERT(!closed && !ready_);
    ready_ = true;
  }

  void on_verdict(Delivery& delivery, std::uint32_t index,
                  const protocol::Verdict& verdict) override {
    Recipient& recipient = delivery.recipients[index];
    RP_ASSERT(!closed && submission_of(delivery) != no_submission && !recipient.decided);
    RP_ASSERT(recipient.progress == RecipientProgress::refused);
    RP_ASSERT(!verdict.may_retry || verdict.status == Status::unsent);
    RP_ASSERT(verdict.status != Status::expired);
    VerdictNote note{verdict.status,
                     verdict.stage,
                     verdict.code,
                     verdict.enhanced,
                     std::string(verdict.text),
                     std::string(verdict.reason),
                     verdict.may_retry,
                     verdict.counts_as_attempt};
    recipient.decided = !verdict.may_retry;
    for (RecipientNote& known : run_.submissions[submission_of(delivery)].recipients) {
      if (known.address == delivery.address(index)) {
        RP_ASSERT(!known.verdict);
        known.verdict = std::move(note);
        return;
      }
    }
    // Refused as a whole, and the recipients that would have had to wait with the rest.
    RP_ASSERT(verdict.status == Status::invalid && verdict.stage == Stage::local);
  }

  void on_delivery_done(Delivery& delivery) override {
    RP_ASSERT(!closed && submission_of(delivery) != no_submission);
    SubmissionNote& submission = run_.submissions[submission_of(delivery)];
    RP_ASSERT(!submission.done);
    submission.done = true;
    --in_flight;
    // Whom the server had no room for any more, and who was not named to it, is part of none.
    const auto waits = [&](const RecipientNote& note) {
      for (std::size_t i = 0; i < delivery.size(); ++i) {
        if (delivery.address(i) == note.address) {
          return delivery.recipients[i].progress == RecipientProgress::waiting;
        }
      }
      return false;
    };
    for (const RecipientNote& recipient : submission.recipients) {
      RP_ASSERT(recipient.verdict || waits(recipient));
    }
    submission_of(delivery) = no_submission;
  }

  void on_closed(const CloseReason& reason) override {
    RP_ASSERT(!closed && in_flight == 0);
    closed = true;
    run_.close = CloseNote{reason.kind,      reason.stage,     reason.message(),
                           reason.permanent, reason.fall_back, reason.doubted};
  }

  bool closed = false;
  std::size_t in_flight = 0;

 private:
  SessionRun& run_;
  bool starts_tls_ = false;
  bool ready_ = false;
};

class Runner {
 public:
  Runner(const SessionScript& script, std::size_t piece_bytes_max)
      : script_(script),
        piece_bytes_max_(piece_bytes_max),
        session_(script.options, witness_, now_, script.knowledge) {
    for (const JobShape& shape : script.jobs) {
      test::MailText text;
      for (unsigned i = 0; i < shape.recipients; ++i) {
        text.recipients.push_back("r" + std::to_string(i) + ".j" + std::to_string(jobs_.size()) +
                                  "@b.example");
      }
      text.content = job_contents()[shape.content];
      // What comes in pieces finds a content in pieces, and hears the same.
      text.pieces = piece_bytes_max == 0 ? 1 : 3;
      jobs_.push_back(test::make_mail(text));
      submission_of(jobs_.back().delivery) = no_submission;
    }
  }

  SessionRun run() {
    for (const Step& step : script_.steps) {
      take(step);
      check_state();
    }
    const bool open = !session_.closed();
    run_.knowledge = session_.knowledge();
    if (open) {
      session_.abort();
      run_.close.reset();
    }
    check_closed();
    return std::move(run_);
  }

 private:
  void take(const Step& step) {
    switch (step.kind) {
      case StepKind::say:
      case StepKind::say_known:
      case StepKind::say_ok:
      case StepKind::say_hello:
        receive(server_octets(step));
        break;
      case StepKind::drain:
        while (pull(4096)) {
        }
        hand_over(255);
        break;
      case StepKind::pull:
        static_cast<void>(pull(1024 + step.argument * 32u));
        break;
      case StepKind::hand_over:
        hand_over(step.argument);
        break;
      case StepKind::submit:
        submit(jobs_[step.argument % jobs_.size()].delivery);
        break;
      case StepKind::submit_all:
        std::for_each(jobs_.begin(), jobs_.end(), [&](Mail& job) { submit(job.delivery); });
        break;
      case StepKind::tls:
        if (session_.state() == SessionState::handshake) {
          session_.tls_established(now_);
        }
        break;
      case StepKind::wait:
        now_ += std::chrono::seconds(step.argument);
        session_.expire(now_);
        break;
      case StepKind::deadline:
        meet_deadline();
        break;
      case StepKind::quit:
        session_.quit(now_);
        break;
      case StepKind::abort:
        session_.abort();
        break;
      case StepKind::transport_closed:
        close_transport(step.argument);
        break;
    }
  }

  void receive(const std::string& octets) {
    if (!session_.closed()) {
      note_replies(octets);
    }
    Bytes rest = octets;
    while (!rest.empty()) {
      const std::size_t count =
          piece_bytes_max_ == 0 ? rest.size() : std::min(rest.size(), piece_bytes_max_);
      const std::string copy = own_copy(rest.substr(0, count));
      session_.receive(copy, now_);
      rest.remove_prefix(count);
    }
  }

  void note_replies(Bytes octets) {
    codec::Reply reply;
    while (!octets.empty() && replies_make_sense_) {
      reply_begin_ = parser_.in_reply() ? reply_begin_ : run_.handed_over;
      const auto complete = parser_.parse(octets, reply);
      replies_make_sense_ = complete.has_value();
      if (complete && *complete) {
        run_.replies.push_back({reply.code, reply_begin_});
      }
    }
  }

  bool pull(std::size_t room_bytes) {
    if (!session_.has_output()) {
      return false;
    }
    std::vector<char> room(room_bytes);
    const Bytes octets = session_.output(room);
    RP_ASSERT(!octets.empty() && octets.size() <= room_bytes);
    run_.client += octets;
    RP_ASSERT(session_.output_offset() == run_.client.size());
    return true;
  }

  void hand_over(unsigned part) {
    const std::size_t left = run_.client.size() - run_.handed_over;
    if (session_.closed()) {
      return;
    }
    run_.handed_over += left * part / 255;
    session_.handed_over(run_.handed_over, now_);
  }

  void submit(Delivery& delivery) {
    const auto undecided = [](const Recipient& recipient) { return !recipient.decided; };
    const auto recipients = delivery.active_recipients();
    if (!session_.wants_message() || submission_of(delivery) != no_submission ||
        run_.submissions.size() == submissions_max ||
        std::none_of(recipients.begin(), recipients.end(), undecided)) {
      return;
    }
    SubmissionNote note;
    Message& message = delivery.consignment->message;
    note.content = message.content.text();
    for (std::size_t i = 0; i < delivery.size(); ++i) {
      if (undecided(recipients[i]) && note.recipients.size() < script_.options.recipients_max) {
        note.recipients.push_back({std::string(delivery.address(i)), std::nullopt});
      }
    }
    const std::uint64_t number = run_.submissions.size();
    submission_of(delivery) = number;
    message.sender = "s" + std::to_string(number) + "@a.example";
    run_.submissions.push_back(std::move(note));
    ++witness_.in_flight;
    session_.submit(delivery, now_);
  }

  void meet_deadline() {
    if (session_.deadline() == never) {
      return;
    }
    now_ = std::max(now_, session_.deadline());
    session_.expire(now_ - Duration(1));
    session_.expire(now_);
    RP_ASSERT(session_.closed());
  }

  void close_transport(unsigned argument) {
    constexpr protocol::CloseKind kinds[] = {protocol::CloseKind::peer_closed,
                                             protocol::CloseKind::io_error,
                                             protocol::CloseKind::tls_failed};
    CloseReason reason;
    reason.kind = kinds[argument % std::size(kinds)];
    session_.transport_closed(reason);
  }

  void check_state() {
    RP_ASSERT(session_.closed() == witness_.closed);
    RP_ASSERT(session_.messages_in_flight() == witness_.in_flight);
    if (session_.closed()) {
      check_closed();
      return;
    }
    RP_ASSERT(session_.knowledge().most <= script_.knowledge.most);
    RP_ASSERT(session_.pipelining() <= script_.options.pipelining);
    RP_ASSERT(!session_.idle() || witness_.in_flight == 0);
    // Whatever a peer does or leaves undone, it ends.
    const bool timed = session_.deadline() != never;
    RP_ASSERT(timed || session_.idle() || session_.state() == SessionState::handshake);
  }

  // Nothing moves any more, whatever is tried.
  void check_closed() {
    RP_ASSERT(session_.closed() && witness_.closed && witness_.in_flight == 0);
    session_.receive("250 ok\r\n", now_);
    session_.handed_over(session_.output_offset(), now_);
    session_.expire(now_ + std::chrono::hours(1));
    session_.transport_closed(CloseReason{});
    session_.abort();
    session_.quit(now_);
    RP_ASSERT(!session_.has_output() && !session_.wants_message() && !session_.idle());
    RP_ASSERT(session_.deadline() == never);
  }

  const SessionScript& script_;
  std::size_t piece_bytes_max_;
  SessionRun run_;
  Witness witness_{run_};
  Instant now_{std::chrono::hours(1)};
  std::vector<Mail> jobs_;
  codec::ReplyParser parser_;
  bool replies_make_sense_ = true;
  std::size_t reply_begin_ = 0;
  Session session_;
};

}  // namespace

SessionRun run_script(const SessionScript& script, std::size_t piece_bytes_max) {
  return Runner(script, piece_bytes_max).run();
}

}  // namespace ringpost::fuzz
