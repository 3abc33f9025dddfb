#include "codec/text/csv_record.h"

#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::codec {

namespace {

using Fields = std::vector<std::string>;

Fields fields_of(Bytes record, char delimiter = ',') {
  CsvRecord reader;
  Fields fields;
  if (const auto read = reader.read(record, delimiter); !read) {
    return {"error: field " + std::to_string(read.error().field) + ", line " +
            std::to_string(read.error().line) + ": " + std::string(read.error().reason())};
  }
  for (std::size_t i = 0; i < reader.size(); ++i) {
    fields.emplace_back(reader[i]);
  }
  return fields;
}

// Of a whole file, whose octets come in pieces of this size.
std::vector<Fields> rows_of(Bytes file, std::size_t piece_bytes, char delimiter = ',') {
  CsvCut cut;
  cut.begin(delimiter);
  std::vector<Fields> rows;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < file.size()) {
    const Bytes piece = file.substr(at, piece_bytes);
    const std::size_t end = cut.find_end(piece);
    if (end == Bytes::npos) {
      at += piece.size();
      continue;
    }
    rows.push_back(fields_of(file.substr(begin, at + end - begin), delimiter));
    at += end + 1;
    begin = at;
  }
  if (begin < file.size()) {
    rows.push_back(fields_of(file.substr(begin), delimiter));
  }
  return rows;
}

// As RFC 4180 has it; `quotes_all` also where no quote is needed.
std::string written(const std::vector<Fields>& rows, char delimiter, bool quotes_all,
                    Bytes line_end) {
  std::string file;
  for (const Fields& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      file += i == 0 ? std::string() : std::string(1, delimiter);
      const std::string special = std::string("\"\r\n") + delimiter;
      if (!quotes_all && row[i].find_first_of(special) == std::string::npos) {
        file += row[i];
        continue;
      }
      file += '"';
      for (const char c : row[i]) {
        file += c == '"' ? "\"\"" : std::string(1, c);
      }
      file += '"';
    }
    file += line_end;
  }
  return file;
}

}  // namespace

TEST_CASE("csv record: fields with and without quotes, empty ones too") {
  CHECK(fields_of("a,b") == Fields{"a", "b"});
  CHECK(fields_of("a,,\r\n") == Fields{"a", "", ""});
  CHECK(fields_of("") == Fields{""});
  CHECK(fields_of("\"a,b\",\"\",\"say \"\"hi\"\"\"") == Fields{"a,b", "", "say \"hi\""});
  CHECK(fields_of("\"\"\"\"") == Fields{"\""});
  CHECK(fields_of("\"one\r\ntwo\";x", ';') == Fields{"one\r\ntwo", "x"});
  CHECK(fields_of(" a , b ") == Fields{" a ", " b "});
}

TEST_CASE("csv record: a quote within a field without quotes is a character") {
  CHECK(fields_of("5\" pipe,6\"") == Fields{"5\" pipe", "6\""});
  CHECK(fields_of("say \"\"hi\"\",x") == Fields{"say \"\"hi\"\"", "x"});
  CHECK(rows_of("5\" pipe,a\n6\" pipe,b\n", 100) ==
        std::vector<Fields>{{"5\" pipe", "a"}, {"6\" pipe", "b"}});
}

TEST_CASE("csv record: errors have their place") {
  CHECK(fields_of("a,\"b\"c").front().starts_with("error: field 1, line 0: text stands behind"));
  CHECK(fields_of("a,\"b\nc\" ,d").front().starts_with("error: field 1, line 1: text stands"));
  CHECK(fields_of("a,\"b").front() == "error: field 1, line 0: its quote is never closed");
  CHECK(fields_of("\"a\"\"").front() == "error: field 0, line 0: its quote is never closed");
}

TEST_CASE("csv record: fields in front of an error are there") {
  CsvRecord reader;
  REQUIRE_FALSE(reader.read("a,b,\"c", ','));
  REQUIRE(reader.size() == 2);
  CHECK(reader[1] == "b");
}

TEST_CASE("csv record: the delimiter of a header row is the one that stands most often") {
  CHECK(find_csv_delimiter("email,name") == ',');
  CHECK(find_csv_delimiter("email;name;city, country") == ';');
  CHECK(find_csv_delimiter("email\tname") == '\t');
  CHECK(find_csv_delimiter("email|name|id") == '|');
  CHECK(find_csv_delimiter("email") == ',');
  CHECK(find_csv_delimiter("\"a;b;c;d\",email") == ',');
}

TEST_CASE("csv cut: lines within quotes are counted, and the next record begins anew") {
  CsvCut cut;
  cut.begin(',');
  const Bytes file = "a,\"1\n2\n3\"\nb,c\n";
  const std::size_t end = cut.find_end(file);
  CHECK(end == 9);
  CHECK(cut.inner_lines() == 2);
  CHECK(cut.find_end(file.substr(end + 1)) == 3);
  CHECK(cut.inner_lines() == 0);
}

TEST_CASE("csv cut: in a header row whose delimiter nobody knows, a quote opens behind any") {
  CsvCut cut;
  cut.begin('\0');
  CHECK(cut.find_end("a;\"b\nc\"\nd\n") == 7);
}

TEST_CASE("csv cut: behind an error the next line is a record again") {
  CHECK(rows_of("\"a\"b,c\nd,e\n", 100).back() == Fields{"d", "e"});
}

TEST_CASE("csv: what a writer has written is read back, however it comes in pieces") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  constexpr Bytes letters = "ab\"\"\n\r,;\t| \xc3\xa4";
  for (int round = 0; round < 300; ++round) {
    std::vector<Fields> rows(1 + below(5));
    const unsigned columns = 1 + below(4);
    for (Fields& row : rows) {
      for (unsigned i = 0; i < columns; ++i) {
        std::string field;
        for (unsigned n = below(6); n > 0; --n) {
          field += letters[below(letters.size())];
        }
        row.push_back(field);
      }
      row.front() += 'x';  // no blank line
    }
    const char delimiter = csv_delimiters[below(csv_delimiters.size())];
    const std::string file = written(rows, delimiter, below(2) == 0, below(2) == 0 ? "\n" : "\r\n");
    INFO(file);
    CHECK(rows_of(file, 1 + below(7), delimiter) == rows);
    CHECK(rows_of(file, file.size(), delimiter) == rows);
  }
}

}  // namespace ringpost::codec
