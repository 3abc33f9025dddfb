// The words for what may stand as a value: beside the rows, which are constants of their header.
#include "codec/job/job_fields.h"

namespace ringpost::codec {

std::string_view words_of(JobValue value) {
  switch (value) {
    case JobValue::id:
      return "a string or a whole number";
    case JobValue::label:
    case JobValue::printable_label:
    case JobValue::line:
    case JobValue::text:
    case JobValue::message:
    case JobValue::message_base64:
    case JobValue::base64:
    case JobValue::path:
    case JobValue::address:
    case JobValue::name:
    case JobValue::file_name:
    case JobValue::content_type:
    case JobValue::content_id:
    case JobValue::return_kind:
    case JobValue::envelope_id:
      return "a string";
    case JobValue::author:
    case JobValue::sender:
      return "an address";
    case JobValue::mailboxes:
    case JobValue::recipients:
      return "an address or a list of addresses";
    case JobValue::attachments:
    case JobValue::fan_out:
      return "a list";
    case JobValue::headers:
    case JobValue::merge:
    case JobValue::texts:
    case JobValue::envelope:
    case JobValue::dsn:
      return "an object";
    case JobValue::notify:
      return "a string or a list of strings";
    case JobValue::tags:
      return "a list of strings";
    case JobValue::json:
      return "JSON";
    case JobValue::moment:
      return "a date or a number";
  }
  RP_ASSERT(false);
}

}  // namespace ringpost::codec
