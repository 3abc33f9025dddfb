#include "codec/template/merge_data.h"

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

TEST_CASE("merge_data: members are found by name, in objects only") {
  MergeData data;
  CHECK(data.empty());
  const auto city = data.add(MergeData::root, "city", MergeData::Kind::string, "Ulm");
  const auto list = data.add(MergeData::root, "list", MergeData::Kind::list, {});
  const auto first = data.add(list, {}, MergeData::Kind::number, "1.0");
  const auto second = data.add(list, {}, MergeData::Kind::boolean, "true");
  CHECK_FALSE(data.empty());
  CHECK(data.find(MergeData::root, "city") == city);
  CHECK(data.text(city) == "Ulm");
  CHECK(data.key(city) == "city");
  CHECK(data.find(MergeData::root, "cit") == MergeData::none);
  CHECK(data.find(MergeData::root, "") == MergeData::none);
  CHECK(data.find(list, "") == MergeData::none);
  CHECK(data.find(city, "city") == MergeData::none);
  CHECK(data.first(list) == first);
  CHECK(data.next(first) == second);
  CHECK(data.next(second) == MergeData::none);
  CHECK(data.text(first) == "1.0");
}

TEST_CASE("merge_data: nothing is left of what was there before") {
  MergeData data;
  data.add(MergeData::root, "secret", MergeData::Kind::string, "of another recipient");
  data.clear();
  CHECK(data.empty());
  CHECK(data.find(MergeData::root, "secret") == MergeData::none);
  data.add(MergeData::root, "name", MergeData::Kind::null, {});
  CHECK(data.text(data.find(MergeData::root, "name")).empty());
}

TEST_CASE("merge_data: a copy is one of its own") {
  MergeData data;
  data.add(MergeData::root, "name", MergeData::Kind::string, "Ann");
  const MergeData copy = data;
  data.clear(MergeData::Kind::string, "root");
  CHECK(data.text(MergeData::root) == "root");
  CHECK(copy.text(copy.find(MergeData::root, "name")) == "Ann");
}
