// Rows of recipients: cut out of files by the block for any number of readers, and read.
#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "engine/run/job_input.h"
#include "engine/run/recipient_columns.h"
#include "engine/run/recipient_row.h"
#include "tests/engine/run/compressed.h"
#include "tests/support/temporary_folder.h"
#include <ringpost/limits.h>

namespace ringpost::run {

namespace {

using ringpost::test::TemporaryFolder;
using Texts = std::vector<std::string>;

JobInput rows_input(const Texts& files, std::size_t readers = 1, char delimiter = '\0',
                    std::size_t lines_max = std::numeric_limits<std::size_t>::max()) {
  auto input = JobInput::open(
      files, -1, {.readers = readers, .lines_max = lines_max, .rows = RowOptions{delimiter}});
  REQUIRE(input);
  return std::move(*input);
}

// "NUMBER:TEXT" of each row, "!" for one that is too long; readers take turns.
Texts all_rows(JobInput& input) {
  Texts rows;
  std::vector<bool> is_over(input.readers());
  while (std::find(is_over.begin(), is_over.end(), false) != is_over.end()) {
    for (std::size_t reader = 0; reader < input.readers(); ++reader) {
      JobInput::Line line;
      const auto next = input.next(line, reader);
      REQUIRE(next);
      is_over[reader] = !*next;
      if (*next) {
        rows.push_back(std::to_string(line.number) + ":" +
                       (line.too_long ? "!" : std::string(line.text)));
      }
    }
  }
  return rows;
}

std::string error_of(const std::string& file, char delimiter = '\0') {
  const auto input = JobInput::open({file}, -1, {.rows = RowOptions{delimiter}});
  return input ? std::string() : input.error().message;
}

RecipientColumns columns_of(std::string_view row) {
  TableHeader header;
  header.form = TableHeader::Form::csv;
  header.row = row;
  header.line = 1;
  auto columns = RecipientColumns::read(header);
  REQUIRE(columns);
  return std::move(*columns);
}

std::string columns_error(std::string_view row) {
  TableHeader header;
  header.row = row;
  header.line = 3;
  const auto columns = RecipientColumns::read(header);
  REQUIRE_FALSE(columns);
  return columns.error();
}

std::string text_of(const codec::MergeData& data, std::string_view name) {
  const auto node = data.find(codec::MergeData::root, name);
  return node == codec::MergeData::none                    ? "(none)"
         : data.kind(node) == codec::MergeData::Kind::null ? "(null)"
                                                           : std::string(data.text(node));
}

}  // namespace

TEST_CASE("recipient rows: a record spans lines, and its number is that of the first") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("a.csv", "email,note\n\na@x,\"one\n\ntwo\"\nb@x,three\n,\nc@x,\"four\"\r\n");
  JobInput input = rows_input({file});
  CHECK(all_rows(input) == Texts{"3:a@x,\"one\n\ntwo\"", "6:b@x,three", "8:c@x,\"four\"\r"});
  REQUIRE(input.headers().size() == 1);
  CHECK(input.headers()[0].row == "email,note");
  CHECK(input.headers()[0].delimiter == ',');
}

TEST_CASE("recipient rows: the header says the delimiter, or Excel does, or the user") {
  const TemporaryFolder folder;
  const std::string marked = folder.write("a.csv", "\xef\xbb\xbf\"email\";name\r\na@x;b\r\n");
  const std::string hinted = folder.write("b.csv", "sep=|\r\nemail|na;me;x\na@x|b\n");
  JobInput input = rows_input({marked, hinted});
  CHECK(all_rows(input) == Texts{"2:a@x;b\r", "3:a@x|b"});
  CHECK(input.headers()[0].delimiter == ';');
  CHECK(input.headers()[0].row == "\"email\";name");
  CHECK(input.headers()[1].delimiter == '|');
  CHECK(rows_input({hinted}, 1, ':').headers()[0].delimiter == ':');
}

TEST_CASE("recipient rows: the form is told by the name, else by the first octet") {
  const TemporaryFolder folder;
  using Form = TableHeader::Form;
  const auto form = [&](const char* name, const std::string& octets) {
    return rows_input({folder.write(name, octets)}).headers()[0].form;
  };
  CHECK(form("a.jsonl", "\"a@x\"\n") == Form::jsonl);
  CHECK(form("a.NDJSON.gz", test::gzip("\"a@x\"\n")) == Form::jsonl);
  CHECK(form("a", "\n {\"email\":\"a@x\"}\n") == Form::jsonl);
  CHECK(form("b", "email\na@x\n") == Form::csv);
  CHECK(form("c.tsv.zst", test::zstd("email\tname\na@x\tb\n")) == Form::csv);
}

TEST_CASE("recipient rows: octets that are no UTF-8 table are said before anything is sent") {
  const TemporaryFolder folder;
  CHECK(error_of(folder.write("a.csv", std::string("\xff\xfe"
                                                   "e\0m\0",
                                                   6)))
            .find("UTF-16") != std::string::npos);
  CHECK(error_of(folder.write("b.csv",
                              "email,stra\xdf"
                              "e\na@x,b\n"))
            .find("not UTF-8") != std::string::npos);
  const std::string open = "email,\"" + std::string(limits::table_header_bytes_max + 1, 'x');
  CHECK(error_of(folder.write("c.csv", open)).find("nobody closes") != std::string::npos);
}

TEST_CASE("recipient rows: however many readers and however small the blocks, each comes once") {
  const TemporaryFolder folder;
  std::string file = "email,note\n";
  Texts expected;
  std::uint64_t line = 2;
  for (int i = 0; i < 20'000; ++i) {
    std::string row = std::to_string(i) + "@example.com,";
    std::uint64_t lines = 1;
    if (i % 7 == 0) {
      row +=
          "\"a \"\"quote\"\"\nand " + std::string(static_cast<std::size_t>(i % 300), 'x') + "\n\"";
      lines = 3;
    } else if (i % 11 == 0) {
      row += "5\" pipe";
    }
    expected.push_back(std::to_string(line) + ":" + row);
    line += lines;
    file += row + "\n";
  }
  const std::string plain = folder.write("a.csv", file);
  const std::string packed = folder.write("a.csv.gz", test::gzip(file));
  const std::size_t readers = GENERATE(1U, 2U, 5U);
  const std::size_t lines_max = GENERATE(1U, 100U, 100'000U);
  for (const std::string& path : {plain, packed}) {
    JobInput input = rows_input({path}, readers, '\0', lines_max);
    Texts rows = all_rows(input);
    if (readers > 1) {
      std::sort(rows.begin(), rows.end());
      Texts sorted = expected;
      std::sort(sorted.begin(), sorted.end());
      CHECK(rows == sorted);
    } else {
      CHECK(rows == expected);
    }
  }
}

TEST_CASE("recipient rows: a quote that nobody closes costs what is within its reach alone") {
  const TemporaryFolder folder;
  std::string file = "email,note\na@x,\"open\n";
  const std::string filler(1000, 'x');
  while (file.size() < limits::recipient_row_bytes_max + 100'000) {
    file += "b@x," + filler + "\n";
  }
  const auto lines = static_cast<std::uint64_t>(std::count(file.begin(), file.end(), '\n'));
  file += "c@x,\"closed\"\nd@x,e\n";
  const std::size_t readers = GENERATE(1U, 2U);
  JobInput input = rows_input({folder.write("a.csv", file)}, readers);
  const Texts rows = all_rows(input);
  REQUIRE(rows.size() == 2);
  CHECK(rows.front() == "2:!");
  CHECK(rows.back() == std::to_string(lines + 2) + ":d@x,e");
}

TEST_CASE("recipient columns: addresses by several names, prefixes and groups") {
  const RecipientColumns columns =
      columns_of("Name,E-Mail, city.name ,metadata.list,header.X-Foo,,id,address");
  CHECK(columns.email == 1);
  CHECK(columns.email_name == "E-Mail");
  CHECK(columns.names == Texts{"Name", "E-Mail", "city.name", "id", "address"});
  CHECK(columns.groups.size() == 2);
  CHECK(columns.columns[3].role == ColumnRole::metadata);
  CHECK(columns.columns[4].key == "X-Foo");
  CHECK(columns.columns[5].role == ColumnRole::nothing);
  CHECK(columns.columns[7].role == ColumnRole::value);
}

TEST_CASE("recipient columns: what no header row may be") {
  CHECK(
      columns_error("name,mail").find("3: no column is called email; the columns are: name,mail") ==
      0);
  CHECK(columns_error("ann@example.com,Ann").find("the first row seems to be a recipient") !=
        std::string::npos);
  CHECK(columns_error("email,x,x").find("two columns are called \"x\"") != std::string::npos);
  CHECK(columns_error("email,a,a.b").find("begin of another one's name") != std::string::npos);
  CHECK(columns_error("email,\"x").find("column 2 of the header row") != std::string::npos);
}

TEST_CASE("recipient row: cells are values, an empty one is none") {
  const RecipientColumns columns =
      columns_of("email,name,id,city,metadata.list,header.X-Foo,header.X-Bar,a.b");
  RecipientRow row;
  REQUIRE(row.read_csv("ann@EXAMPLE.com,\"Ann \"\"A\"\" B\",7,,x\"y,foo,,deep", columns, ','));
  CHECK(row.mailbox().address == "ann@EXAMPLE.com");
  CHECK(row.mailbox().name == "Ann \"A\" B");
  CHECK(row.id() == "7");
  CHECK(text_of(row.merge(), "city") == "(null)");
  CHECK(text_of(row.merge(), "id") == "7");
  CHECK(row.metadata_json() == R"({"list":"x\"y"})");
  REQUIRE(row.headers().size() == 1);
  CHECK(row.headers()[0].name == "X-Foo");
  const auto group = row.merge().find(codec::MergeData::root, "a");
  REQUIRE(group != codec::MergeData::none);
  CHECK(row.merge().text(row.merge().find(group, "b")) == "deep");
}

TEST_CASE("recipient row: an error names the column, and who it is as far as that is known") {
  const RecipientColumns columns = columns_of("email,name");
  RecipientRow row;
  const auto error = [&](Bytes text) {
    const auto read = row.read_csv(text, columns, ',');
    REQUIRE_FALSE(read);
    return read.error();
  };
  CHECK(error("ann@x.example,b,c") == "the row has 3 fields, and the header has 2");
  CHECK(row.address() == "ann@x.example");
  CHECK(error("ann@x.example") == "the row has 1 field, and the header has 2");
  CHECK(error("no address,b").find("email: \"no address\": ") == 0);
  CHECK(error(",b").find("email: ") == 0);
  CHECK(error("ann@x.example,\"b\"c").find("column 2: text stands behind") == 0);
  CHECK(error("ann@x.example,\xff").find("not UTF-8") != std::string::npos);
  CHECK(error(Bytes("ann@x.example,\0b", 16)).find("NUL") != std::string::npos);
}

TEST_CASE("recipient row: of JSONL members are values, and those of merge come first") {
  RecipientRow row;
  REQUIRE(
      row.read_json(R"({"email":"Ann <ann@x.example>","id":17,"city":"A","tags":[1,{"a":2.50}],)"
                    R"("merge":{"city":"B","n":1.10},"metadata":{"a":[true,null,"x"]},)"
                    R"("headers":{"X-Foo":["1","2"],"X-Bar":"3"}})"));
  CHECK(row.mailbox().address == "ann@x.example");
  CHECK(row.mailbox().name == "Ann");
  CHECK(row.id() == "17");
  CHECK(text_of(row.merge(), "city") == "B");
  CHECK(text_of(row.merge(), "n") == "1.10");
  CHECK(row.metadata_json() == R"({"a":[true,null,"x"]})");
  CHECK(row.headers().size() == 3);
  codec::MergeWrite write;
  std::string json;
  write.append_json(row.merge(), row.merge().find(codec::MergeData::root, "tags"), json);
  CHECK(json == R"([1,{"a":2.50}])");
}

TEST_CASE("recipient row: a string of JSONL is an address") {
  RecipientRow row;
  REQUIRE(row.read_json("\"ann@x.example\"\r"));
  CHECK(row.mailbox().address == "ann@x.example");
  CHECK_FALSE(row.read_json("17"));
  CHECK_FALSE(row.read_json(R"({"name":"Ann"})"));
  CHECK_FALSE(row.read_json(R"({"email":17})"));
  CHECK_FALSE(row.read_json(R"({"email":"a@x.example","merge":[]})"));
  CHECK_FALSE(row.read_json(R"({"email":"a@x.example","id":1.5})"));
  CHECK_FALSE(row.read_json(R"({"email":"a@x.example","headers":{"X-Foo":1}})"));
}

}  // namespace ringpost::run
