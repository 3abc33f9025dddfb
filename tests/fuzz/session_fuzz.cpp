// engine/protocol/session: whatever a server says, whenever it says it and however it is split,
// each recipient of each submission has one verdict, and it is true as far as we can know.
//
// The oracle reads what the client has said as a server does. The n-th reply answers the n-th
// command, so a verdict can be compared with the very replies that it must come from.
//
// Input: a script, see session_script.h. Seeds are made of tests/transcripts, too.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/client_stream.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/session_run.h"
#include "tests/fuzz/session_script.h"

using namespace ringpost;
using fuzz::ClientCommand;
using fuzz::ClientCommandKind;
using fuzz::RecipientNote;
using fuzz::SessionRun;
using fuzz::SubmissionNote;
using fuzz::VerdictNote;

namespace {

// The reply to a command; 0: none came.
using Code = std::uint16_t;

bool positive(Code code) { return code / 100 == 2; }

// What went over the wire for one submission.
struct Transaction {
  Code mail = 0;
  std::map<std::string, Code> rcpt;
  Code data = 0;
  Code end_of_data = 0;
  bool ended = false;  // its end of data was handed over in full
};

class Wire {
 public:
  explicit Wire(const SessionRun& run) : run_(run), transactions_(run.submissions.size()) {
    const std::vector<ClientCommand> commands = fuzz::read_client_stream(run.client);
    for (std::size_t i = 0; i < commands.size(); ++i) {
      // The greeting is the reply to nothing.
      const bool answered = i + 1 < run.replies.size();
      take(commands[i], answered ? code_of(commands[i], run.replies[i + 1]) : Code{0});
      const bool last = i + 2 == run.replies.size();
      if (last && !run.submissions.empty()) {
        last_word_ = run.replies[i + 1].code;
      }
    }
  }

  void check() const {
    for (std::size_t i = 0; i < transactions_.size(); ++i) {
      for (const RecipientNote& recipient : run_.submissions[i].recipients) {
        if (recipient.verdict) {
          check_recipient(transactions_[i], recipient.address, *recipient.verdict);
        } else {
          // The server had no room for more, and nothing was said of this one.
          RP_ASSERT(!transactions_[i].rcpt.contains(recipient.address));
        }
      }
    }
  }

 private:
  // A 2xx that began before the command had left says yes to something else.
  static Code code_of(const ClientCommand& command, const fuzz::ReplyNote& reply) {
    const bool early = reply.handed_over < command.end;
    return early && positive(reply.code) ? Code{0} : reply.code;
  }

  void take(const ClientCommand& command, Code code) {
    if (command.kind == ClientCommandKind::other) {
      return;
    }
    RP_ASSERT(command.submission < transactions_.size());
    Transaction& transaction = transactions_[command.submission];
    const SubmissionNote& submission = run_.submissions[command.submission];
    if (command.kind == ClientCommandKind::mail) {
      transaction.mail = code;
    } else if (command.kind == ClientCommandKind::rcpt) {
      const auto known = std::any_of(
          submission.recipients.begin(), submission.recipients.end(),
          [&](const RecipientNote& recipient) { return recipient.address == command.address; });
      RP_ASSERT(known && !transaction.rcpt.contains(command.address));
      transaction.rcpt[command.address] = code;
    } else if (command.kind == ClientCommandKind::data) {
      transaction.data = code;
    } else {
      transaction.end_of_data = code;
      transaction.ended = command.complete && command.end <= run_.handed_over;
      check_content(command, submission, transaction);
    }
  }

  static void check_content(const ClientCommand& command, const SubmissionNote& submission,
                            const Transaction& transaction) {
    // Fewer than there are where the server has no room for more.
    RP_ASSERT(!transaction.rcpt.empty() && transaction.rcpt.size() <= submission.recipients.size());
    if (!command.complete) {
      return;
    }
    const bool open_line = !submission.content.empty() && !submission.content.ends_with("\r\n");
    const std::string whole = submission.content + (open_line ? "\r\n" : "");
    const bool nobody =
        std::none_of(transaction.rcpt.begin(), transaction.rcpt.end(),
                     [](const auto& recipient) { return positive(recipient.second); });
    // The lone dot of RFC 2920 3.1.
    RP_ASSERT(command.content == whole || (command.content.empty() && !command.chunked && nobody));
  }

  void check_recipient(const Transaction& transaction, const std::string& address,
                       const VerdictNote& verdict) const {
    const auto found = transaction.rcpt.find(address);
    const Code rcpt = found == transaction.rcpt.end() ? Code{0} : found->second;
    const bool offered = positive(transaction.mail) && positive(rcpt);
    switch (verdict.status) {
      case Status::accepted:
        RP_ASSERT(offered && transaction.ended && positive(transaction.end_of_data));
        RP_ASSERT(verdict.stage == Stage::eod && verdict.code == transaction.end_of_data);
        break;
      case Status::unknown:
        RP_ASSERT(transaction.ended && verdict.stage == Stage::eod);
        break;
      case Status::rejected:
      case Status::deferred:
        RP_ASSERT(verdict.code / 100 == (verdict.status == Status::rejected ? 5 : 4));
        check_refusal(transaction, rcpt, verdict);
        break;
      case Status::unsent:
        check_unsent(transaction, rcpt, verdict);
        break;
      case Status::invalid:
        RP_ASSERT(transaction.mail == 0 && transaction.rcpt.empty());
        break;
      case Status::expired:
      case Status::skipped:
        RP_ASSERT(verdict.status != Status::expired && verdict.status != Status::skipped);
        break;
    }
    // A session that lives on has told what every reply meant.
    const bool taken = offered && transaction.ended && positive(transaction.end_of_data);
    RP_ASSERT(run_.close || !taken || verdict.status == Status::accepted);
  }

  void check_refusal(const Transaction& transaction, Code rcpt, const VerdictNote& verdict) const {
    switch (verdict.stage) {
      case Stage::mail:
        RP_ASSERT(verdict.code == transaction.mail);
        break;
      case Stage::rcpt:
        RP_ASSERT(verdict.code == rcpt);
        break;
      case Stage::data:
        // To DATA, or in the middle of the content, which may not have begun.
        RP_ASSERT(verdict.code == transaction.data || verdict.code == transaction.end_of_data ||
                  (run_.close && transaction.data == 354 && !transaction.ended));
        break;
      case Stage::eod:
        RP_ASSERT(verdict.code == transaction.end_of_data && transaction.ended);
        break;
      case Stage::local:
      case Stage::connect:
      case Stage::greeting:
      case Stage::ehlo:
      case Stage::starttls:
      case Stage::tls:
      case Stage::auth:
        RP_ASSERT(verdict.stage >= Stage::mail);
        break;
    }
  }

  // Safe to send again: the message did not end, or the server has said that it was not taken.
  void check_unsent(const Transaction& transaction, Code rcpt, const VerdictNote& verdict) const {
    if (!transaction.ended) {
      RP_ASSERT(verdict.stage != Stage::eod);
      return;
    }
    // Refused, for what is not the message's: the session, the number of recipients, the account.
    const Code answer = verdict.stage == Stage::mail   ? transaction.mail
                        : verdict.stage == Stage::data ? transaction.data
                        : verdict.stage == Stage::eod  ? transaction.end_of_data
                                                       : Code{0};
    if (answer >= 400 && verdict.code == answer) {
      return;
    }
    RP_ASSERT(verdict.stage != Stage::eod);
    const bool overflow = verdict.stage == Stage::rcpt && verdict.code == rcpt && rcpt >= 400;
    const bool chunking_unknown = verdict.stage == Stage::data && verdict.code / 100 == 5 &&
                                  verdict.code == transaction.end_of_data;
    const bool behind_last_word =
        verdict.stage == Stage::mail && verdict.code == last_word_ && last_word_ >= 400;
    RP_ASSERT(verdict.code == 421 || overflow || chunking_unknown || behind_last_word);
  }

  const SessionRun& run_;
  std::vector<Transaction> transactions_;
  Code last_word_ = 0;  // the last reply of all, by which the server may have ended the session
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::SessionScript script = fuzz::decode_script(data, size);
  const SessionRun run = fuzz::run_script(script, 0);
  Wire(run).check();
  RP_ASSERT(fuzz::run_script(script, script.piece_bytes) == run);
  return 0;
}
