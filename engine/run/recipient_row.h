// What a row says of a recipient.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "codec/mail/address.h"
#include "codec/mail/header_field.h"
#include "codec/template/merge_data.h"
#include "codec/template/merge_json.h"
#include "codec/template/merge_write.h"
#include "codec/text/csv_record.h"
#include "codec/text/reusable_list.h"
#include "engine/run/recipient_columns.h"
#include <ringpost/base.h>

namespace ringpost::run {

// Reads rows, one after the other; memory is kept. Thread: one.
class RecipientRow {
 public:
  // Of a table. An error is a clause for people with the column that it is about, and the recipient
  // is as good as could be read: id() may be empty, and address() is what the row has, checked or
  // not.
  [[nodiscard]] Result<void, std::string> read_csv(Bytes row, const RecipientColumns& columns,
                                                   char delimiter);
  // Of JSONL: an object, or an address as a string.
  [[nodiscard]] Result<void, std::string> read_json(Bytes row);
  // It says nothing.
  void clear();

  [[nodiscard]] const codec::Mailbox& mailbox() const { return mailbox_; }
  [[nodiscard]] Bytes address() const { return address_; }
  [[nodiscard]] Bytes id() const { return id_; }
  [[nodiscard]] Bytes metadata_json() const { return metadata_json_; }
  [[nodiscard]] const codec::MergeData& merge() const { return merge_; }
  [[nodiscard]] std::span<const codec::HeaderField> headers() const { return headers_.span(); }

 private:
  using Read = Result<void, std::string>;
  using Node = codec::MergeData::Node;

  void add_cells(const RecipientColumns& columns);
  void add_metadata(Bytes key, Bytes cell);
  [[nodiscard]] Read read_members();
  [[nodiscard]] Read read_member(Node member);
  [[nodiscard]] Read read_headers(Node headers);
  [[nodiscard]] Read read_header(Node value, Bytes name);
  [[nodiscard]] Read read_mailbox(Bytes text, Bytes place, std::optional<Bytes> name);
  [[nodiscard]] Read check_labels() const;

  codec::CsvRecord record_;
  codec::MergeJson json_;
  codec::MergeWrite write_;
  codec::MergeData object_;  // of JSONL, as it stands there
  codec::MergeData merge_;
  std::vector<Node> group_nodes_;
  codec::Mailbox mailbox_;
  std::string address_;
  std::string id_;
  std::string metadata_json_;
  std::string wrapped_;
  codec::ReusableList<codec::HeaderField> headers_;
};

}  // namespace ringpost::run
