// Messages out of rows: a template, filled in for each recipient of tables and JSONL files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/mail/address.h"
#include "codec/template/merge_data.h"
#include "codec/template/message_template.h"
#include "codec/template/template_writer.h"
#include "engine/run/job_input.h"
#include "engine/run/job_source.h"
#include "engine/run/recipient_columns.h"
#include "engine/run/recipient_row.h"
#include <ringpost/base.h>

namespace ringpost::run {

struct RecipientSourceOptions {
  codec::MessageTemplatePtr message = {};
  codec::MergeData shared = {};  // the template's own values, which columns need not have
  bool may_lack_values = false;  // what the template asks for may be missing: it is empty then
  bool hashes_lines = false;     // a journal wants to know rows again
  // Whom messages go to instead of the recipient: they stand in To. Their Message-IDs are others
  // than his, and those of another moment.
  std::vector<codec::Mailbox> instead = {};
  std::uint64_t moment = 0;
};

// The ordinal of a message is its file, and the place of its row in it, from 0; its line hash is of
// row and template together. It has as many readers as its input, which is one of rows.
class RecipientSource : public JobSource {
 public:
  // An error is a sentence that names the file: a header row that is none, or one without a column
  // that the template asks for.
  [[nodiscard]] static Result<std::unique_ptr<RecipientSource>, std::string> open(
      JobInput input, const std::vector<std::string>& files, RecipientSourceOptions options);

  // Another compilation of the same template. Before the first pull().
  void begin(codec::MessageTemplatePtr message, bool hashes_lines);

  [[nodiscard]] std::size_t readers() const override { return readers_.size(); }
  [[nodiscard]] Pull pull(Message& message, std::size_t reader) override;
  [[nodiscard]] std::string_view words(std::size_t reader) const override {
    return readers_[reader]->words;
  }
  [[nodiscard]] bool may_wait(std::size_t reader) const override { return input_.may_wait(reader); }
  void await(std::size_t reader) override { input_.await(reader); }
  [[nodiscard]] bool has_in_hand(std::size_t reader) const override {
    return input_.has_in_hand(reader);
  }
  void put_back(std::size_t reader) override { input_.put_back(reader); }
  [[nodiscard]] std::uint64_t bytes_read() const override { return input_.bytes_read(); }
  [[nodiscard]] std::optional<UnreadJobs> unread(Instant give_up_at) override;

 private:
  struct Reader {
    RecipientRow row;
    codec::TemplateWriter writer;
    std::string words;
  };

  RecipientSource(JobInput input, RecipientSourceOptions options);
  [[nodiscard]] Result<void, std::string> read_columns(const std::vector<std::string>& files);
  [[nodiscard]] Result<void, std::string> check_columns(const RecipientColumns& columns) const;
  [[nodiscard]] Result<void, std::string> fill(const JobInput::Line& line, Reader& reader,
                                               Message& message) const;
  [[nodiscard]] Result<void, std::string> read_row(const JobInput::Line& line,
                                                   RecipientRow& row) const;

  JobInput input_;
  RecipientSourceOptions options_;
  std::vector<RecipientColumns> columns_;  // of each file; of JSONL there are none
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace ringpost::run
