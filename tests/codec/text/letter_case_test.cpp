#include "codec/text/letter_case.h"

#include <string>

#include <catch2/catch_test_macros.hpp>

using namespace ringpost;
using namespace ringpost::codec;

namespace {

std::string upper_of(Bytes text) {
  std::string out;
  append_upper(out, text);
  return out;
}

std::string lower_of(Bytes text) {
  std::string out;
  append_lower(out, text);
  return out;
}

}  // namespace

TEST_CASE("letter_case: the alphabets of the languages that have capitals") {
  struct Pair {
    Bytes small;
    Bytes capital;
  };
  for (const Pair& pair : {
           Pair{"abcxyz019 _-", "ABCXYZ019 _-"},
           Pair{"àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ", "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŸ"},
           Pair{"āăąćĉċčďđēĕėęěĝğġģĥħĩīĭį", "ĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮ"},
           Pair{"ĳĵķĺļľŀłńņňŋōŏőœŕŗřśŝşšţťŧũūŭůűųŵŷźżž", "ĲĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŹŻŽ"},
           Pair{"ơưǎǐǒǔǖǘǚǜșțẁẃẅạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
                "ƠƯǍǏǑǓǕǗǙǛȘȚẀẂẄẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ"},
           Pair{"αβγδεζηθικλμνξοπρστυφχψωάέήίόύώϊϋ", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫ"},
           Pair{"абвгдежзийклмнопрстуфхцчшщъыьэюяѐёђѓєѕіїјљњћќѝўџґғқңүұһә",
                "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЀЁЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҚҢҮҰҺӘ"},
           Pair{"աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ", "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ"},
           Pair{"ａｂｃ", "ＡＢＣ"},
       }) {
    CHECK(upper_of(pair.small) == pair.capital);
    CHECK(lower_of(pair.capital) == pair.small);
    CHECK(upper_of(pair.capital) == pair.capital);
    CHECK(lower_of(pair.small) == pair.small);
  }
}

TEST_CASE("letter_case: what has no other case, or two, stays or goes one way") {
  const Bytes without = "ß×÷ªµĸŉ 漢字かな한글עבריתعربيไทย😀ქართული\r\n";
  CHECK(upper_of(without) == without);
  CHECK(lower_of(without) == without);
  CHECK(upper_of("ςı") == "ΣI");
  CHECK(lower_of("İẞ") == "iẞ");
}

TEST_CASE("letter_case: octets that are no UTF-8 stay") {
  CHECK(upper_of("a\xff\xc3") == "A\xff\xc3");
}
