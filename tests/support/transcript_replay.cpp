// The replaying half of transcript.h.
#include <algorithm>
#include <random>

#include "tests/support/transcript.h"

namespace ringpost::test {

namespace {

using protocol::CloseReason;
using protocol::Session;
using protocol::SessionState;
using protocol::Verdict;

// Leaves the replay; caught in replay().
struct Difference {
  std::size_t line;
  std::string what;
};

std::string visible(std::string_view octets) {
  constexpr std::size_t shown_max = 300;
  std::string text = "\"";
  for (const char c : octets.substr(0, shown_max)) {
    if (c == '\r') {
      text += "\\r";
    } else if (c == '\n') {
      text += "\\n";
    } else if (c == '\0') {
      text += "\\0";
    } else {
      text.push_back(c);
    }
  }
  return text + (octets.size() > shown_max ? "\"..." : "\"");
}

std::string visible(const ExpectedFate& fate) {
  std::string text = fate.job.empty() ? "closed " : fate.job + " " + fate.recipient + " ";
  text += fate.permanent ? "for good " : "";
  text += fate.falls_to.empty() ? "" : "falls to " + fate.falls_to + " ";
  text += fate.doubts.empty() ? "" : "doubts " + fate.doubts + " ";
  text += fate.other_mechanism ? "for another mechanism " : "";
  text += fate.kind + " " + fate.stage;
  text += " " + std::to_string(fate.code);
  const EnhancedStatus& enhanced = fate.enhanced;
  text += enhanced.present()
              ? " " + std::to_string(enhanced.status_class) + "." +
                    std::to_string(enhanced.subject) + "." + std::to_string(enhanced.detail)
              : " -";
  text += fate.text.empty() ? "" : " " + fate.text;
  return text + (fate.reason.empty() ? "" : " ~ " + fate.reason);
}

bool same(const ExpectedFate& expected, const ExpectedFate& seen) {
  return expected.job == seen.job && expected.recipient == seen.recipient &&
         expected.kind == seen.kind && expected.stage == seen.stage && expected.code == seen.code &&
         expected.enhanced == seen.enhanced && expected.permanent == seen.permanent &&
         expected.falls_to == seen.falls_to && expected.doubts == seen.doubts &&
         expected.other_mechanism == seen.other_mechanism &&
         seen.reason.find(expected.reason) != std::string::npos &&
         (expected.text.empty() || expected.text == seen.text);
}

std::string one_line(Bytes text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

// Notes what the session says, and keeps the rules of SessionListener.
class Witness final : public protocol::SessionListener {
 public:
  void on_start_tls() override { note(!starts_tls_, "on_start_tls came twice", starts_tls_); }
  void on_ready() override { note(!ready_, "on_ready came twice", ready_); }

  void on_end_of_data(Delivery& delivery, std::uint32_t begin, std::uint32_t end) override {
    check(in_flight(delivery), "an end of data was announced for a job that is not in flight");
    check(begin < end && end <= delivery.size(), "an end of data is for nobody");
    check(std::find(announced_.begin(), announced_.end(), &delivery) == announced_.end(),
          "an end of data was announced twice");
    announced_.push_back(&delivery);
  }
  void on_verdict(Delivery& delivery, std::uint32_t index, const Verdict& verdict) override {
    Recipient& recipient = delivery.recipients[index];
    const std::string address(delivery.address(index));
    check(!closed_, "a verdict came after on_closed");
    check(!recipient.decided, "a second verdict came for " + address);
    check(recipient.progress == RecipientProgress::refused,
          "a recipient with a verdict is not marked so");
    check(!verdict.may_retry || verdict.status == Status::unsent,
          "another attempt is offered for what is not unsent");
    check(in_flight(delivery), "a verdict came for a job that is not in flight");
    const bool may_be_taken =
        verdict.status == Status::accepted || verdict.status == Status::unknown;
    check(!may_be_taken ||
              std::find(announced_.begin(), announced_.end(), &delivery) != announced_.end(),
          "a message may have been taken whose end of data was not announced");
    ExpectedFate fate;
    fate.job = delivery.message->id;
    fate.recipient = address;
    fate.kind = name_of(verdict.status);
    fate.stage = name_of(verdict.stage);
    fate.code = verdict.code;
    fate.enhanced = verdict.enhanced;
    fate.text = one_line(verdict.text);
    fate.reason = verdict.reason;
    fates_.push_back(std::move(fate));
    recipient.decided = true;
    if (verdict.may_retry) {
      undecided_later_.push_back(&recipient);
    }
  }

  void on_delivery_done(Delivery& delivery) override {
    check(!closed_, "on_delivery_done came after on_closed");
    check(in_flight(delivery), "on_delivery_done came for a job that is not in flight");
    std::erase(jobs_, &delivery);
    std::erase(announced_, &delivery);
    for (std::size_t i = 0; i < delivery.size(); ++i) {
      const Recipient& recipient = delivery.recipients[i];
      check(recipient.decided || recipient.progress == RecipientProgress::waiting,
            std::string(delivery.address(i)) + " was let go of without a verdict");
    }
    // Those may be submitted again, but not before the session has let go of the job.
    for (Recipient* const recipient : undecided_later_) {
      recipient->decided = false;
    }
    undecided_later_.clear();
  }

  void on_closed(const CloseReason& reason) override {
    check(!closed_, "on_closed came twice");
    check(jobs_.empty(), "on_closed came before a job was let go of");
    closed_ = true;
    ExpectedFate fate;
    fate.kind = name_of(reason.kind);
    fate.stage = name_of(reason.stage);
    fate.code = reason.code;
    fate.enhanced = reason.enhanced;
    fate.text = one_line(reason.text);
    fate.permanent = reason.permanent;
    fate.falls_to = reason.fall_back ? word_of(*reason.fall_back) : "";
    fate.doubts = reason.doubted ? word_of(*reason.doubted) : "";
    fate.other_mechanism = reason.other_mechanism;
    fate.reason = reason.message();
    fates_.push_back(std::move(fate));
  }

  void submitted(Delivery& delivery) { jobs_.push_back(&delivery); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::string& broken_rule() const { return broken_rule_; }
  [[nodiscard]] bool has_fate() const { return taken_ < fates_.size(); }
  [[nodiscard]] const ExpectedFate& next_fate() const { return fates_[taken_]; }
  void take_fate() { ++taken_; }

 private:
  [[nodiscard]] bool in_flight(const Delivery& delivery) const {
    return std::find(jobs_.begin(), jobs_.end(), &delivery) != jobs_.end();
  }
  void check(bool kept, const std::string& rule) {
    if (!kept && broken_rule_.empty()) {
      broken_rule_ = rule;
    }
  }
  void note(bool first, const std::string& rule, bool& seen) {
    check(first && !closed_, rule);
    seen = true;
  }

  std::vector<Delivery*> jobs_;
  std::vector<Delivery*> announced_;
  std::vector<Recipient*> undecided_later_;
  std::vector<ExpectedFate> fates_;
  std::size_t taken_ = 0;
  bool starts_tls_ = false;
  bool ready_ = false;
  bool closed_ = false;
  std::string broken_rule_;
};

class Replayer {
 public:
  Replayer(const Transcript& transcript, const Splitting& splitting)
      : transcript_(transcript),
        splitting_(splitting),
        random_(splitting.seed),
        session_(transcript.options, witness_, now_, transcript.knowledge) {
    for (MailText job : transcript.jobs) {
      job.pieces = splitting.content_pieces;
      jobs_.push_back(make_mail(job));
    }
  }

  void run() {
    for (const TranscriptStep& step : transcript_.steps) {
      line_ = step.line;
      take(step);
      if (splitting_.eager) {
        pull();
      }
      require(witness_.broken_rule().empty(), witness_.broken_rule());
    }
    require_nothing_to_say();
    require_no_fate();
    require(session_.closed() == witness_.closed(), "closed without on_closed");
    if (session_.closed()) {
      require(!session_.has_output() && !session_.wants_message() && session_.deadline() == never,
              "the session is closed and still wants something");
    }
  }

 private:
  void require(bool holds, const std::string& what) const {
    if (!holds) {
      throw Difference{line_, what};
    }
  }

  void require_nothing_to_say() {
    if (held_) {
      return;
    }
    pull();
    require(pulled_.size() == handed_over_,
            "the client says more: " + visible(std::string_view(pulled_).substr(handed_over_)));
  }

  void require_no_fate() const {
    require(!witness_.has_fate(),
            witness_.has_fate() ? "not foretold: " + visible(witness_.next_fate()) : "");
  }

  void take(const TranscriptStep& step) {
    using Kind = TranscriptStepKind;
    if (step.kind == Kind::verdict || step.kind == Kind::closed) {
      take_fate(step);
      return;
    }
    require_no_fate();
    if (step.kind == Kind::client) {
      hand_over(step);
    } else if (step.kind == Kind::submit || step.kind == Kind::resubmit) {
      require(session_.wants_message(), "the session wants no message");
      witness_.submitted(jobs_[step.job].delivery);
      session_.submit(jobs_[step.job].delivery, now_);
    } else if (step.kind == Kind::tls) {
      require(session_.state() == SessionState::handshake, "no handshake was asked for");
      require(session_.deadline() == never, "the session times the handshake");
      session_.tls_established(now_);
    } else if (step.kind == Kind::quit) {
      session_.quit(now_);
    } else {
      require_nothing_to_say();
      take_event(step);
    }
  }

  void take_fate(const TranscriptStep& step) {
    require(witness_.has_fate(), "did not come: " + visible(step.fate));
    require(same(step.fate, witness_.next_fate()),
            "came instead: " + visible(witness_.next_fate()));
    witness_.take_fate();
  }

  // What reaches the session from outside, with everything that it had to say handed over before.
  void take_event(const TranscriptStep& step) {
    using Kind = TranscriptStepKind;
    CloseReason reason;
    if (step.kind == Kind::server) {
      deliver(step.octets);
    } else if (step.kind == Kind::close) {
      reason.kind = protocol::CloseKind::peer_closed;
      session_.transport_closed(reason);
    } else if (step.kind == Kind::reset) {
      reason.kind = protocol::CloseKind::io_error;
      session_.transport_closed(reason);
    } else if (step.kind == Kind::abort) {
      session_.abort();
    } else if (step.kind == Kind::wait) {
      now_ += step.duration;
      require(now_ < session_.deadline(), "the deadline has come");
      session_.expire(now_);
    } else if (step.kind == Kind::timeout) {
      require(session_.deadline() == now_ + step.duration, "the deadline is " + deadline_text());
      now_ = session_.deadline();
      session_.expire(now_ - Duration(1));
      require(!session_.closed(), "expired before its time");
      session_.expire(now_);
    }
  }

  [[nodiscard]] std::string deadline_text() const {
    if (session_.deadline() == never) {
      return "never";
    }
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(session_.deadline() - now_);
    return std::to_string(left.count()) + "s away";
  }

  // Everything the session has to say now.
  void pull() {
    while (session_.has_output()) {
      room_.resize(splitting_.room_bytes != 0 ? splitting_.room_bytes : 1024 + random_() % 20'000);
      const std::uint64_t before = session_.output_offset();
      const Bytes octets = session_.output(room_);
      require(!octets.empty(), "has_output() and nothing came out");
      require(session_.output_offset() == before + octets.size(), "output_offset() is wrong");
      pulled_.append(octets);
    }
  }

  void hand_over(const TranscriptStep& step) {
    pull();
    const std::string_view ready = std::string_view(pulled_).substr(handed_over_);
    const std::string_view said = ready.substr(0, step.octets.size());
    require(said == step.octets, "the client says " + visible(difference(said, step.octets)));
    held_ = step.more;
    require(held_ || said.size() == ready.size(),
            "the client says more: " + visible(ready.substr(said.size())));
    handed_over_ += said.size();
    session_.about_to_hand_over(handed_over_);
    session_.about_to_hand_over(handed_over_);  // once is enough
    session_.handed_over(handed_over_, now_);
    session_.handed_over(handed_over_, now_);  // nothing new is no news
  }

  // Long contents are told apart far behind their beginning.
  static std::string_view difference(std::string_view said, std::string_view expected) {
    constexpr std::size_t shown_before = 40;
    const auto at = static_cast<std::size_t>(
        std::mismatch(said.begin(), said.end(), expected.begin(), expected.end()).first -
        said.begin());
    return said.substr(at < shown_before ? 0 : at - shown_before);
  }

  void deliver(std::string_view octets) {
    while (!octets.empty()) {
      std::size_t piece = octets.size();
      if (splitting_.piece_bytes_max != 0) {
        piece = std::min(piece, 1 + random_() % splitting_.piece_bytes_max);
      }
      if (splitting_.cut > delivered_) {
        piece = std::min(piece, splitting_.cut - delivered_);
      }
      // A copy of its own, so that a sanitizer sees whoever reads on behind it.
      const std::string copy(octets.substr(0, piece));
      session_.receive(copy, now_);
      delivered_ += piece;
      octets.remove_prefix(piece);
    }
  }

  const Transcript& transcript_;
  const Splitting& splitting_;
  std::mt19937_64 random_;
  Witness witness_;
  Instant now_{std::chrono::hours(1)};
  std::vector<Mail> jobs_;
  Session session_;
  std::size_t line_ = 0;
  std::string pulled_;           // what output() returned
  std::size_t handed_over_ = 0;  // how much of it was handed over
  bool held_ = false;            // behind `C...`
  std::size_t delivered_ = 0;    // of the server's octets
  std::vector<char> room_;
};

}  // namespace

std::string Splitting::text() const {
  return "cut at " + std::to_string(cut) + ", pieces of " + std::to_string(piece_bytes_max) +
         " at most, seed " + std::to_string(seed) + ", room " + std::to_string(room_bytes) +
         (eager ? ", pulled early" : "");
}

std::string replay(const Transcript& transcript, const Splitting& splitting) {
  try {
    Replayer(transcript, splitting).run();
    return {};
  } catch (const Difference& difference) {
    return std::to_string(difference.line) + ": " + difference.what;
  }
}

}  // namespace ringpost::test
