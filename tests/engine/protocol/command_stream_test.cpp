#include "engine/protocol/command_stream.h"

#include <array>
#include <string>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace ringpost;
using protocol::CommandStream;
using protocol::Expected;

TEST_CASE("command stream: a command's place is where its last octet stands") {
  CommandStream stream;
  stream.expect(Expected::greeting);
  CHECK(stream.awaited().front().sent_offset == 0);
  stream.pending() += "MAIL FROM:<a@a.example>\r\n";
  stream.expect(Expected::mail, 7);
  stream.pending() += "DATA\r\n";
  stream.expect(Expected::data, 7);
  CHECK(stream.awaited().at(1).sent_offset == 25);
  CHECK(stream.awaited().at(1).transaction == 7);
  CHECK(stream.awaited().at(2).sent_offset == 31);
  CHECK(stream.written_offset() == 31);
  CHECK(stream.output_offset() == 0);
}

TEST_CASE("command stream: octets leave in any pieces, and content beside them counts") {
  const auto room_bytes = GENERATE(std::size_t{1}, std::size_t{5}, std::size_t{16});
  CommandStream stream;
  stream.pending() += "RSET\r\nDATA\r\n";
  std::array<char, 16> room{};
  std::string taken;
  while (stream.has_pending()) {
    const std::uint64_t written = stream.written_offset();
    const std::size_t count = stream.take(std::span(room).first(room_bytes));
    taken.append(room.data(), count);
    CHECK(stream.output_offset() == taken.size());
    CHECK(stream.written_offset() == written);
  }
  CHECK(taken == "RSET\r\nDATA\r\n");
  stream.note_output(100);
  stream.pending() += ".\r\n";
  CHECK(stream.written_offset() == 115);
  stream.drop_pending();
  CHECK(stream.written_offset() == 112);
  stream.hand_over(112);
  CHECK(stream.has_left(112));
  CHECK_FALSE(stream.has_left(113));
  CHECK_FALSE(stream.has_left(0));  // what ends nowhere yet
}

TEST_CASE("command stream: a reply began when its first octet came, and not its last") {
  CommandStream stream;
  codec::Reply reply;
  stream.pending() += "RSET\r\n";
  stream.expect(Expected::rset);
  std::array<char, 16> room{};
  CHECK(stream.take(room) == 6);
  Bytes begin = "25";
  CHECK_FALSE(stream.parse(begin, reply).value());
  stream.hand_over(6);
  Bytes end = "0 ok\r\n250 ok\r\n";
  CHECK(stream.parse(end, reply).value());
  CHECK(stream.reply_begin_offset() == 0);
  stream.credit();
  CHECK(stream.awaited().empty());
  CHECK(stream.credited_offset() == 0);
  CHECK(stream.parse(end, reply).value());
  CHECK(stream.reply_begin_offset() == 6);
}
