// What stands in front of the rows of a file of recipients: a header row, or nothing.
#pragma once

#include <cstdint>
#include <string>

#include "engine/run/byte_source.h"
#include <ringpost/base.h>

namespace ringpost::run {

// How a file of rows is written.
struct TableHeader {
  enum class Form : std::uint8_t {
    csv,    // a header row, then records that may span lines
    jsonl,  // an object or an address a line, and no header
  };
  Form form = Form::jsonl;
  char delimiter = ',';     // of csv
  std::string row;          // the header row of csv, without its line end; empty: there is none
  std::uint64_t line = 0;   // where it stands, from 1
  std::uint64_t lines = 0;  // that were read up to the end of it
};

// Reads it from a source that was not read before, and waits for it where that has to be waited
// for; what is behind it is read again as if nothing had been. The form is told by the name
// (.csv, .tsv, .jsonl, .ndjson, .json, in front of .gz and .zst), else by the first octet.
// `delimiter`: 0 where it is to be found out. An error is a sentence without the file's name:
// octets that cannot be read, or a header row that is none.
[[nodiscard]] Result<TableHeader, std::string> read_table_header(ByteSource& source,
                                                                 char delimiter);

}  // namespace ringpost::run
