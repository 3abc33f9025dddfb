// Where the reader of messages, which knows no charset, meets the charsets of this machine.
#include "tools/send/eml_template.h"

#include "codec/template/eml_reader.h"
#include "tools/send/charset.h"

namespace ringpost::cli {

Result<codec::TemplateDefinition, std::string> read_eml_template(Bytes octets) {
  return codec::read_eml(octets, to_utf8);
}

}  // namespace ringpost::cli
