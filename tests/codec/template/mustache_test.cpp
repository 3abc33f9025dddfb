// What the specification is silent about, or what ringpost has beside it; the specification's own
// files are run by mustache_spec_test.cpp.
#include "codec/template/mustache.h"

#include <string>
#include <vector>

#include <catch2/catch_test_macros.hpp>
#include <fmt/format.h>

#include "tests/codec/template/template_support.h"
#include <ringpost/limits.h>

using namespace ringpost;
using namespace ringpost::codec;
using test::html_of;
using test::merge_of;
using test::mustache_of;

namespace {

using Names = std::vector<std::string>;

std::string flaw_of(Bytes source, const std::vector<Partial>& partials = {}) {
  const auto parsed = Mustache::parse(source, partials);
  return parsed ? "" : parsed.error().message();
}

std::string strictly(Bytes source, Bytes json) {
  return html_of(source, json, {}, MissingPolicy::invalid);
}

}  // namespace

// ---- Values -------------------------------------------------------------------------------------

TEST_CASE("mustache: values are printed as JSON has them") {
  CHECK(html_of("{{a}} {{b}} {{c}} {{d}} {{e}}",
                R"({"a":1.0,"b":12345678901234567890,"c":true,"d":false,"e":"x"})") ==
        "1.0 12345678901234567890 true false x");
  CHECK(html_of("[{{missing}}{{null}}]", R"({"null":null})") == "[]");
}

TEST_CASE("mustache: five characters are escaped, and none in raw values") {
  CHECK(html_of("{{a}}", R"({"a":"&<>\"'/`="})") == "&amp;&lt;&gt;&quot;&#39;/`=");
  CHECK(html_of("{{{a}}}{{&a}}{{& a }}", R"({"a":"<"})") == "<<<");
}

TEST_CASE("mustache: a value is never read as a template") {
  CHECK(html_of("{{a}}{{{a}}}{{#a}}{{.}}{{/a}}", R"({"a":"{{b}}","b":"no"})") == "{{b}}{{b}}{{b}}");
  CHECK(html_of("{{=[ ]=}}[a]", R"({"a":"[b]","b":"no"})") == "[b]");
}

TEST_CASE("mustache: names are looked for in the sections around, and the first part decides") {
  const std::string json = R"({"a":{"b":"in"},"b":"out","c":{"a":{}},"x.y":"dotted"})";
  CHECK(html_of("{{a.b}}{{#a}}{{b}}{{/a}}{{b}}", json) == "ininout");
  CHECK(html_of("{{#c}}[{{a.b}}]{{b}}{{/c}}", json) == "[]out");
  CHECK(html_of("[{{x.y}}][{{b.length}}]", json) == "[][]");
  CHECK(html_of("{{ First Name }}{{naïve}}", R"({"First Name":"Ann","naïve":"!"})") == "Ann!");
}

TEST_CASE("mustache: layers are asked in their order") {
  const MergeData own = merge_of(R"({"name":"Ann","gone":null,"o":{"x":1}})");
  const MergeData shared = merge_of(R"({"name":"all","gone":"here","o":{"y":2},"town":"Ulm"})");
  const std::vector<const MergeData*> layers = {&own, &shared};
  const Mustache source =
      mustache_of("{{name}} {{town}} [{{gone}}] [{{o.y}}] {{#o}}{{town}}{{/o}}");
  CHECK(html_of(source, layers) == "Ann Ulm [] [] Ulm");
  CHECK(html_of(mustache_of("[{{x}}{{.}}]"), MergeLayers()) == "[]");
}

TEST_CASE("mustache: what is missing is an error or empty, as the policy says") {
  CHECK(strictly("Hi {{name}}", R"({"name":""})") == "Hi ");
  const std::string missing =
      "error: \"name\" has no value, and the template no default for it, as "
      "in {{name|default:\"...\"}}";
  CHECK(strictly("Hi {{name}}", "{}") == missing);
  CHECK(strictly("Hi {{name}}", R"({"name":null})") == missing);
  CHECK(strictly("Hi {{{name}}}", "{}") == missing);
  CHECK(strictly("{{#name}}Hi {{name}}{{/name}}{{^name}}Hi{{/name}}", "{}") == "Hi");
  CHECK(strictly("{{#a}}{{name}}{{/a}}", R"({"a":1})") == missing);
  const std::string no_text =
      "error: \"name\" is a list or an object, where a text should be: it "
      "wants a section around, or a name within it";
  CHECK(strictly("{{name}}", R"({"name":[1]})") == no_text);
  CHECK(strictly("{{name|default:\"x\"}}", R"({"name":{}})") == no_text);
  CHECK(html_of("[{{name}}]", R"({"name":[1]})") == "[]");
}

// ---- Filters ------------------------------------------------------------------------------------

TEST_CASE("mustache: filters are taken from left to right") {
  const std::string json = R"({"a":"Ä b&c/é~","e":"","n":null,"q":"<i>"})";
  CHECK(html_of("{{a|url}}", json) == "%C3%84%20b%26c%2F%C3%A9~");
  CHECK(html_of("{{a|upper}} {{{ a | lower }}}", json) == "Ä B&amp;C/É~ ä b&c/é~");
  CHECK(html_of("{{q|html}} {{{q|html}}} {{q|upper|html}}", json) ==
        "&lt;i&gt; &lt;i&gt; &lt;I&gt;");
  CHECK(html_of("{{e|default:\"friend\"}} {{n|default:'you'}} {{x|default:\"\"}}|", json) ==
        "friend you |");
  CHECK(html_of("{{x|upper|default:\"a b\"|url}}", json) == "a%20b");
  CHECK(html_of(R"({{x|default:"say \"hi\" \\ \n <"}})", json) == "say &quot;hi&quot; \\ \\n &lt;");
  CHECK(html_of(R"({{{x | default : "<b>" }}})", json) == "<b>");
  CHECK(html_of("{{x|default:\"a|b\"|upper}}", json) == "A|B");
  CHECK(strictly("{{x|upper}}", json).starts_with("error: \"x\" has no value"));
}

TEST_CASE("mustache: a filter that is wrong is told by what is known") {
  const std::string known = "; known are url, html, upper, lower and default:\"text\"";
  CHECK(flaw_of("{{a|uper}}") ==
        "line 1, column 1: unknown filter \"uper\"; did you mean \"upper\"?" + known);
  CHECK(flaw_of("{{a|}}") == "line 1, column 1: unknown filter \"\"" + known);
  CHECK(flaw_of("{{a|url|}}") == "line 1, column 1: unknown filter \"\"" + known);
  CHECK(flaw_of("{{a|default}}") == "line 1, column 1: a default is written as default:\"friend\"");
  CHECK(flaw_of("{{a|default:x}}") ==
        "line 1, column 1: a default is written as default:\"friend\", in quotes");
  CHECK(flaw_of("{{a|default:\"x}}\"}}") ==
        "line 1, column 1: the quotes of the default are not closed (a tag ends at the first "
        "closing delimiter, in quotes, too)");
  CHECK(flaw_of("{{a|default:\"x\\\"}}").find("are not closed") != std::string::npos);
  CHECK(flaw_of("{{a|url x}}") ==
        "line 1, column 1: \"x\" stands behind the filter url: filters are separated by |");
  CHECK(flaw_of("{{a|url|url|url|url|url|url|url|url|url}}") ==
        "line 1, column 1: one value has more than 8 filters");
  CHECK(flaw_of("{{#a|url}}{{/a|url}}") ==
        "line 1, column 1: a section takes no filter: filters are for values");
}

// ---- Sections -----------------------------------------------------------------------------------

TEST_CASE("mustache: what counts as false") {
  const std::string section = "{{#a}}yes{{/a}}{{^a}}no{{/a}}";
  for (const Bytes value : {"null", "false", "[]", "\"\"", "0", "-0", "0.00", "0e7"}) {
    INFO(value);
    CHECK(html_of(section, fmt::format("{{\"a\":{}}}", value)) == "no");
  }
  for (const Bytes value : {"true", "{}", "\"0\"", "\" \"", "1", "0.1", "1e0", "[0]"}) {
    INFO(value);
    CHECK(html_of(section, fmt::format("{{\"a\":{}}}", value)) == "yes");
  }
  CHECK(html_of(section, "{}") == "no");
}

TEST_CASE("mustache: lists, lists of lists, and objects that are not gone through") {
  CHECK(html_of("{{#l}}{{#.}}{{.}}{{/.}};{{/l}}", R"({"l":[[1,2],[],[3]]})") == "12;;3;");
  CHECK(html_of("{{#o}}<{{a}}{{b}}>{{/o}}", R"({"o":{"a":1,"b":2},"p":3})") == "<12>");
  CHECK(html_of("{{#l}}{{#x}}{{y}}{{/x}}{{/l}}", R"({"l":[{"x":1},{"x":0}],"y":"u"})") == "u");
  CHECK(html_of("{{#a}}{{#a}}{{.}}{{/a}}{{/a}}", R"({"a":[1,2]})") == "1212");
}

TEST_CASE("mustache: tags that stand alone take their line, with LF and with CRLF") {
  const std::string json = R"({"a":[1,2]})";
  CHECK(html_of("x\n {{#a}} \n{{.}}\n\t{{/a}}\ny", json) == "x\n1\n2\ny");
  CHECK(html_of("x\r\n {{#a}} \r\n{{.}}\r\n\t{{/a}}\r\ny", json) == "x\r\n1\r\n2\r\ny");
  CHECK(html_of("{{#a}}\r\n{{/a}}\r\n", json).empty());
  CHECK(html_of("{{! a\n b }}  \nx", json) == "x");
  CHECK(html_of("x\n  {{! end }}", json) == "x\n");
  CHECK(html_of("{{#a}}{{/a}}\n", json) == "\n");
  CHECK(html_of("  {{! one }} {{! two }}\n", json) == "   \n");
  CHECK(html_of("x\r{{! not a line }}\r", json) == "x\r\r");
}

TEST_CASE("mustache: signs have room around them") {
  CHECK(html_of("{{ #a }}{{ . }}{{ /a }}{{ ^b }}-{{ /b }}{{ ! c }}", R"({"a":[1]})") == "1-");
}

// ---- Partials -----------------------------------------------------------------------------------

TEST_CASE("mustache: partials are indented where they stand alone") {
  const std::vector<Partial> partials = {{"p", "a\n\n{{v}}\r\n\r\n  {{>q}}\nz"},
                                         {"q", "{{#s}}\n[{{.}}]\n{{/s}}\n"}};
  CHECK(html_of("<\n  {{>p}}\n>", R"({"v":"1\n2","s":["x","y"]})", partials) ==
        "<\n  a\n\n  1\n2\r\n\r\n    [x]\n    [y]\n  z>");
  CHECK(html_of("<{{>p}}>", R"({"v":1,"s":[]})", partials) == "<a\n\n1\r\n\r\nz>");
  CHECK(html_of("\t{{>p}}", R"({"v":1})", {{"p", "{{! c }}\n{{v}}{{! c }}\n{{^v}}{{/v}}x"}}) ==
        "\t1\n\tx");
  CHECK(html_of("[{{>none}}]\n {{>none}}\n.", "{}") == "[]\n.");
}

TEST_CASE("mustache: delimiters end with their source") {
  CHECK(html_of("{{=<% %>=}}<%>p%><%a%>{{a}}", R"({"a":1})", {{"p", "{{a}}<%a%>{{=| |=}}|a|"}}) ==
        "1<%a%>11{{a}}");
  CHECK(html_of("{{=<% %>=}}<%{a}%><%& a%>", R"({"a":"<"})") == "<<");
}

TEST_CASE("mustache: a partial within itself is walked as deep as its values are") {
  const std::vector<Partial> node = {{"node", "{{name}}({{#children}}{{>node}}{{/children}})"}};
  const std::string json = R"({"name":"a","children":[{"name":"b","children":[]},)"
                           R"({"name":"c","children":[{"name":"d","children":[]}]}]})";
  CHECK(html_of("<{{>node}}>", json, node) == "<a(b()c(d()))>");

  const std::vector<Partial> list = {
      {"item", "* {{name}}\n{{#children}}\n  {{>item}}\n{{/children}}\n"}};
  CHECK(html_of("{{>item}}", json, list) == "* a\n  * b\n  * c\n    * d\n");

  const std::vector<Partial> mutual = {{"a", "a{{#x}}{{>b}}{{/x}}"}, {"b", "b{{#x}}{{>a}}{{/x}}"}};
  CHECK(html_of("{{>a}}", R"({"x":{"x":{"x":false}}})", mutual) == "aba");
}

TEST_CASE("mustache: values that never end a partial are an error") {
  const std::vector<Partial> plain = {{"p", "x{{#on}}{{>p}}{{/on}}"}};
  const std::string refused =
      "error: the partial \"p\" is within itself more than 64 times: where no "
      "value ends it, an empty list has to";
  CHECK(html_of("{{>p}}", R"({"on":true})", plain) == refused);
  CHECK(html_of("{{>p}}", R"({"on":false})", plain) == "x");
  const std::vector<Partial> indented = {{"p", "x\n{{#on}}\n {{>p}}\n{{/on}}\n"}};
  CHECK(html_of("{{>p}}", R"({"on":true})", indented) == refused);
}

// ---- What is wrong ------------------------------------------------------------------------------

TEST_CASE("mustache: an error tells line and column, and whose") {
  CHECK(flaw_of("a\n  {{#x}}\n") == "line 2, column 3: the section \"x\" is not closed");
  CHECK(flaw_of("{{#x}}{{#y}}{{/x}}{{/y}}") ==
        "line 1, column 13: \"x\" is closed, and the section that is open is \"y\"");
  CHECK(flaw_of("a\r\nb{{/x}}") ==
        "line 2, column 2: \"x\" is closed, and no section is open here");
  CHECK(flaw_of("ü{{x") == "line 1, column 3: this tag has no end: \"}}\" does not follow");
  CHECK(flaw_of("{{{x}}") == "line 1, column 1: this tag has no end: \"}}}\" does not follow");
  CHECK(flaw_of("{{=<% %>}}") == "line 1, column 1: this tag has no end: \"=}}\" does not follow");
  CHECK(flaw_of("{{}}") == "line 1, column 1: this tag is empty: it has no name");
  CHECK(flaw_of("{{# }}") == "line 1, column 1: this tag is empty: it has no name");
  CHECK(flaw_of("{{|url}}") == "line 1, column 1: this tag has no name");
  CHECK(flaw_of("{{a..b}}") == "line 1, column 1: the name \"a..b\" has an empty part");
  CHECK(flaw_of("{{.a}}") == "line 1, column 1: the name \".a\" has an empty part");
  CHECK(flaw_of("{{#a.}}{{/a.}}") == "line 1, column 1: the name \"a.\" has an empty part");
  CHECK(flaw_of(Bytes("a\n\0", 3)) ==
        "line 2, column 1: a NUL character stands here, which no mail may have");
  CHECK(flaw_of("\n{{>foot}}", {{"foot", "a\nb {{#x}}"}}) ==
        "line 2, column 3 of partial \"foot\": the section \"x\" is not closed");
  CHECK(flaw_of("{{#x}}{{>foot}}", {{"foot", "{{/x}}"}}) ==
        "line 1, column 1 of partial \"foot\": \"x\" is closed, and no section is open here");
  CHECK(flaw_of("unused", {{"foot", "{{"}}).empty());
  CHECK(flaw_of("{{>p}}", {{"p", "{{>q}}"}, {"q", "a {{>p}}"}}) ==
        "line 1, column 3 of partial \"q\": the partial \"p\" is within itself without a section "
        "between, so it would never end");
}

TEST_CASE("mustache: delimiters are two words without an equals sign") {
  const std::string wanted =
      "line 1, column 1: delimiters are set by two words of at most 16 octets "
      "without =, as in {{=<% %>=}}";
  CHECK(flaw_of("{{=<%=}}") == wanted);
  CHECK(flaw_of("{{=a b c=}}") == wanted);
  CHECK(flaw_of("{{== ==}}") == wanted);
  CHECK(flaw_of("{{=<<<<<<<<<<<<<<<<< >=}}") == wanted);
  CHECK(flaw_of("{{=<<<<<<<<<<<<<<<< >=}}").empty());
}

TEST_CASE("mustache: what other languages have is told so") {
  CHECK(
      flaw_of("{{#if a}}x{{/if}}") ==
      "line 1, column 11: \"if\" is closed, and the section that is open is \"if a\" (mustache has "
      "no helpers: {{#name}}...{{/name}} is if, each and with, and {{^name}}...{{/name}} is "
      "unless)");
  const std::string optional =
      " asks for inheritance or dynamic names, which ringpost's templates do "
      "not have";
  CHECK(flaw_of("{{<layout}}{{/layout}}") == "line 1, column 1: \"<layout\"" + optional);
  CHECK(flaw_of("{{$block}}{{/block}}") == "line 1, column 1: \"$block\"" + optional);
  CHECK(flaw_of("{{>*dynamic}}") == "line 1, column 1: \"*dynamic\"" + optional);
}

TEST_CASE("mustache: sections, partials and the whole have bounds") {
  const std::size_t depth = limits::template_depth_max;
  std::string open;
  std::string close;
  std::vector<Partial> chain;
  std::vector<Partial> doubled;
  for (std::size_t i = 0; i <= depth; ++i) {
    chain.push_back({fmt::format("p{}", i), fmt::format("{{{{>p{}}}}}", i + 1)});
    doubled.push_back(
        {fmt::format("p{}", i), fmt::format("{{{{>p{}}}}}{{{{>p{}}}}}", i + 1, i + 1)});
  }
  for (std::size_t i = 0; i < depth; ++i) {
    open += "{{#a}}";
    close += "{{/a}}";
  }
  CHECK(flaw_of(open + close).empty());
  CHECK(flaw_of(open + "{{#a}}{{/a}}" + close) ==
        fmt::format("line 1, column {}: sections are nested deeper than 64", open.size() + 1));
  CHECK(flaw_of("{{>p1}}", chain).empty());
  CHECK(flaw_of("{{>p0}}", chain) ==
        "line 1, column 1 of partial \"p63\": partials are nested deeper than 64");
  // Neither text nor values: only the work is without end.
  doubled.resize(40);
  CHECK(flaw_of("{{>p0}}", doubled).find("the template has more than") != std::string::npos);
  doubled.push_back({"p40", "text"});
  CHECK(flaw_of("{{>p0}}", doubled).find("the template has more than") != std::string::npos);
}

TEST_CASE("mustache: what comes out has bounds, to the octet") {
  const MergeData data = merge_of(R"({"a":"12345","l":[1,1,1,1,1,1,1,1,1,1]})");
  const MergeData* layer = &data;
  const MergeLayers layers(&layer, 1);
  const std::string refused = "error: the message becomes larger than it may be";
  const Mustache source = mustache_of("abc{{a}}d");
  CHECK(html_of(source, layers, MissingPolicy::empty, 9) == "abc12345d");
  CHECK(html_of(source, layers, MissingPolicy::empty, 8) == refused);
  CHECK(html_of(source, layers, MissingPolicy::empty, 2) == refused);
  CHECK(html_of(mustache_of("{{a|url|html|upper}}"), layers, MissingPolicy::empty, 4) == refused);
  CHECK(html_of(mustache_of("{{l.x|default:\"123\"}}"), layers, MissingPolicy::empty, 2) ==
        refused);
  // Sections that write nothing.
  const Mustache loops = mustache_of(
      "{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/l}}{{/"
      "l}}{{/l}}");
  CHECK(html_of(loops, layers) ==
        "error: sections within each other go through their lists for too long");
}

// ---- What a template says of itself -------------------------------------------------------------

TEST_CASE("mustache: names, and those that a recipient has to have") {
  const Mustache source = mustache_of(
      "{{a}}{{{b.c}}}{{d|default:\"\"}}{{#e}}{{f}}{{a}}{{.}}{{/e}}{{^g}}{{h}}{{/g}}{{a|url}}{{>p}}",
      {{"p", "{{i}}{{#j}}{{>p}}{{k}}{{/j}}"}});
  CHECK(source.required_names() == Names{"a", "b.c", "i"});
  CHECK(source.names() == Names{"a", "b.c", "d", "e", "f", "g", "h", "i", "j", "k"});
  // A default at one place does not help at another.
  CHECK(mustache_of("{{a|default:\"x\"}}{{a}}").required_names() == Names{"a"});
  // A partial's name is none of a value.
  CHECK(mustache_of("{{#x}}{{>p}}{{/x}}", {{"p", "{{#x}}{{>p}}{{/x}}"}}).names() == Names{"x"});
  CHECK(mustache_of("{{#x}}{{>p}}{{/x}}", {{"p", "{{#x}}{{>p}}{{/x}}{{p}}"}}).names() ==
        Names{"x", "p"});
}

TEST_CASE("mustache: text without values is one literal, partials and comments or not") {
  CHECK(mustache_of("").is_fixed());
  CHECK(mustache_of("").literal_count() == 0);
  const Mustache fixed = mustache_of("a{{! c }}b{{>p}}{{=<% %>=}}c\n <%>p%>\n", {{"p", "x\ny"}});
  CHECK(fixed.is_fixed());
  REQUIRE(fixed.literal_count() == 1);
  CHECK(fixed.literal(0) == "abx\nyc\n x\n y");
  CHECK_FALSE(mustache_of("{{a}}").is_fixed());
  CHECK_FALSE(mustache_of("{{#a}}{{/a}}").is_fixed());
  const Mustache mixed = mustache_of("a{{>p}}b", {{"p", "1{{v}}2"}});
  REQUIRE(mixed.literal_count() == 2);
  CHECK(mixed.literal(0) == "a1");
  CHECK(mixed.literal(1) == "2b");
}

TEST_CASE("mustache: the walk hands out literals by number, and no empty value") {
  class Log final : public MustacheOutput {
   public:
    void add_literal(std::size_t literal, Bytes text) override {
      log += fmt::format("{}:{} ", literal, text);
    }
    void add_value(Bytes value, bool escaped) override {
      log += fmt::format("{}{} ", escaped ? "=" : "&", value);
    }
    std::string log;
  };
  const MergeData data = merge_of(R"({"l":["x","","y"],"e":""})");
  const MergeData* layer = &data;
  Log output;
  MustacheWalk walk;
  const Mustache source = mustache_of("a{{#l}}b{{.}}{{{.}}}{{.|html}}{{/l}}{{e}}c");
  REQUIRE(walk.render(source, MergeLayers(&layer, 1), MissingPolicy::invalid, 100, output));
  CHECK(output.log == "0:a 1:b =x &x &x 1:b 1:b =y &y &y 2:c ");
}

TEST_CASE("mustache: a walk that failed leaves nothing for the next one") {
  const MergeData data = merge_of(R"({"l":[1,2],"p":true})");
  const MergeData* layer = &data;
  const MergeLayers layers(&layer, 1);
  test::HtmlOutput output;
  MustacheWalk walk;
  const std::vector<Partial> endless = {{"p", "{{#p}}{{>p}}{{/p}}"}};
  REQUIRE_FALSE(
      walk.render(mustache_of("{{>p}}", endless), layers, MissingPolicy::invalid, 100, output));
  REQUIRE_FALSE(
      walk.render(mustache_of("{{#l}}{{x}}{{/l}}"), layers, MissingPolicy::invalid, 100, output));
  output.html.clear();
  REQUIRE(walk.render(mustache_of("[{{#l}}{{.}}{{/l}}{{.}}]"), layers, MissingPolicy::empty, 100,
                      output));
  CHECK(output.html == "[12]");
}
