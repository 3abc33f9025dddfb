// Contents in pieces against the same text in one: whatever is asked of a sum of traits, a scan of
// the whole would answer.
#include <random>
#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "codec/mail/body_scan.h"
#include "codec/mail/content_check.h"
#include <ringpost/content.h>

namespace ringpost {

namespace {

std::string random_content(std::mt19937& random) {
  static const std::vector<std::string> words = {
      "\r\n", ".", "\r\n.", "..", "\r\n\r\n", "word ", "\xc3\xa4", std::string(70, 'x'), "-"};
  std::string text;
  for (auto count = random() % 12; count > 0; --count) {
    text += words[random() % words.size()];
  }
  return text;
}

// Any pieces that have no seam within a line end; some are empty.
std::vector<Bytes> random_pieces(std::mt19937& random, Bytes text) {
  std::vector<Bytes> pieces;
  while (!text.empty()) {
    std::size_t size = random() % (text.size() + 1);
    size -= size > 0 && size < text.size() && text[size - 1] == '\r' ? 1u : 0u;
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

Content made_of(std::span<const Bytes> pieces, std::mt19937& random) {
  ContentMaker maker(NewlinePolicy::strict);
  auto shared = maker.share(pieces);
  REQUIRE(shared);
  Content content;
  maker.begin(content, *shared);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (random() % 2 == 0) {
      maker.add_segment(content, i);
    } else {
      maker.add_value(content, pieces[i]);
    }
  }
  REQUIRE(maker.finish(content));
  return content;
}

// As a session writes it.
std::string stuffed(const Content& content) {
  std::string wire;
  for (std::size_t i = 0; i < content.piece_count(); ++i) {
    const Bytes piece = content.piece(i);
    if (!content.piece_needs_stuffing(i)) {
      wire += piece;
      continue;
    }
    codec::StuffCursor cursor;
    cursor.begins_line = content.piece_begins_line(i);
    std::string room(piece.size() * 2 + 1, '!');
    room.resize(codec::stuff(piece, cursor, room));
    wire += room;
  }
  return wire;
}

ContentErrorKind error_of(std::vector<Bytes> values) {
  ContentMaker maker(NewlinePolicy::strict);
  Content content;
  maker.begin(content, nullptr);
  for (const Bytes value : values) {
    maker.add_value(content, value);
  }
  const auto finished = maker.finish(content);
  REQUIRE_FALSE(finished);
  return finished.error().kind;
}

}  // namespace

TEST_CASE(
    "content: in pieces it is what it is in one, in all that is known of it and on the wire") {
  std::mt19937 random(11);
  for (int round = 0; round < 5000; ++round) {
    const std::string text = random_content(random);
    INFO("round " << round);
    Content whole;
    REQUIRE(ContentMaker(NewlinePolicy::strict).assign(whole, text));
    REQUIRE(whole.piece_count() == 1);
    const std::vector<Bytes> pieces = random_pieces(random, text);
    const Content content = made_of(pieces, random);
    REQUIRE(content.traits() == whole.traits());
    REQUIRE(content.bytes() == text.size());
    REQUIRE(content.text() == text);
    REQUIRE(stuffed(content) == stuffed(whole));
    ContentTraits sum;
    for (const Bytes piece : pieces) {
      Content one;
      REQUIRE(ContentMaker(NewlinePolicy::strict).assign(one, piece));
      sum = sum + one.traits();
    }
    REQUIRE(sum == whole.traits());
  }
}

TEST_CASE("content: nothing comes about at a seam that a check of the whole would refuse") {
  CHECK(error_of({"a\r", "\nb"}) == ContentErrorKind::bare_cr);
  CHECK(error_of({"a", "\nb"}) == ContentErrorKind::bare_lf);
  CHECK(error_of({"a\r\n", std::string_view("\0", 1)}) == ContentErrorKind::nul);
  const std::string half(500, 'x');
  CHECK(error_of({"a\r\n", half, half, "\r\nb"}) == ContentErrorKind::line_too_long);
  const std::vector<Bytes> texts = {"a\r", "\n"};
  CHECK_FALSE(ContentMaker(NewlinePolicy::strict).share(texts));
}

TEST_CASE("content: lone line ends in values become CRLF where the policy says so") {
  ContentMaker maker(NewlinePolicy::normalize);
  Content content;
  maker.begin(content, nullptr);
  maker.add_value(content, "a\nb\n");
  maker.add_value(content, ".c");
  REQUIRE(maker.finish(content));
  CHECK(content.text() == "a\r\nb\r\n.c");
  CHECK(content.traits().needs_stuffing());
  CHECK(content.traits().has_open_line());
}

TEST_CASE("content: an error is forgotten with the content that it was in") {
  ContentMaker maker(NewlinePolicy::strict);
  Content content;
  maker.begin(content, nullptr);
  maker.add_value(content, "\n");
  CHECK_FALSE(maker.finish(content));
  maker.begin(content, nullptr);
  maker.add_value(content, "x");
  CHECK(maker.finish(content));
  CHECK_FALSE(maker.assign(content, "a\nb"));
  CHECK(content.bytes() == 3);  // what an outcome line says of it
}

TEST_CASE("content: shared pieces live as long as somebody uses them, and are counted with them") {
  ContentMaker maker(NewlinePolicy::strict);
  const std::vector<Bytes> texts = {"head\r\n", "body\r\n"};
  auto made = maker.share(texts);
  REQUIRE(made);
  const std::weak_ptr<const SegmentStore> alive = *made;
  CHECK((*made)->count() == 2);
  CHECK((*made)->bytes() >= 12);
  Content content;
  maker.begin(content, std::move(*made));
  made = SegmentStorePtr();
  maker.add_segment(content, 0);
  maker.add_value(content, "value\r\n");
  maker.add_segment(content, 1);
  REQUIRE(maker.finish(content));
  CHECK_FALSE(alive.expired());
  CHECK(content.text() == "head\r\nvalue\r\nbody\r\n");
  const Content copy = content;
  Content assigned;
  assigned = content;
  maker.begin(content, nullptr);
  maker.add_value(content, "other");
  REQUIRE(maker.finish(content));
  CHECK(copy.piece(2) == "body\r\n");
  CHECK(assigned.text() == copy.text());
  content.clear();
  CHECK(copy.piece(2) == "body\r\n");
  Content last = copy;
  last.give_up_memory();
  CHECK(last.empty());
  CHECK_FALSE(alive.expired());
}

}  // namespace ringpost
