#include "tools/send/message_page.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/temporary_folder.h"
#include "tools/send/browser.h"

using namespace ringpost;

namespace {

Content content_of(Bytes text) {
  Content content;
  REQUIRE(ContentMaker().assign(content, text).has_value());
  return content;
}

constexpr Bytes whole_page =
    "From: a@example.com\nMIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=m\n\n--m\n"
    "Content-Type: multipart/alternative; boundary=a\n\n--a\n"
    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    "R3LDvMOfZQ0K\n--a\n"
    "Content-Type: multipart/related; boundary=r\n\n--r\n"
    "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
    "<p>Gr=FC=DFe=\n!</p>\n<img src=3D\"cid:logo@example.com\">\n--r\n"
    "Content-Type: image/png\nContent-ID: <logo@example.com>\nContent-Transfer-Encoding: base64\n\n"
    "iVBORw0KGgo=\n--r--\n--a--\n--m\n"
    "Content-Type: text/html; name=other.html\nContent-Disposition: attachment\n\n<p>other</p>\n"
    "--m--\n";

std::string content_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string path_of(const test::TemporaryFolder& folder) {
  const std::string file = folder.path("x");
  return file.substr(0, file.rfind('/'));
}

// For the length of a test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    const char* const before = std::getenv(name);
    before_ = before == nullptr ? "" : before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::setenv(name_, before_.c_str(), 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::string before_;
};

}  // namespace

TEST_CASE("page: the parts that are shown are decoded") {
  const Content content = content_of(whole_page);
  CHECK(cli::shown_part(content, cli::ShownPart::text).value() ==
        "Gr\xc3\xbc\xc3\x9f"
        "e\n");
  CHECK(cli::shown_part(content, cli::ShownPart::html).value() ==
        "<p>Gr\xc3\xbc\xc3\x9f"
        "e!</p>\n<img src=\"cid:logo@example.com\">");
}

TEST_CASE("page: a browser gets its images with it, and knows its charset") {
  CHECK(cli::page_of(content_of(whole_page)).value() ==
        "\xef\xbb\xbf<p>Gr\xc3\xbc\xc3\x9f"
        "e!</p>\n<img src=\"data:image/png;base64,iVBORw0KGgo=\">");
}

TEST_CASE("page: what a message has not is said") {
  const Content text = content_of("From: a@example.com\n\nHello\n");
  CHECK(cli::shown_part(text, cli::ShownPart::html).error() == "the message has no html");
  CHECK(cli::page_of(text).error() == "the message has no html");
  const Content html = content_of("From: a@example.com\nContent-Type: text/html\n\n<p>\n");
  CHECK(cli::shown_part(html, cli::ShownPart::text).error() == "the message has no text");
  const Content broken = content_of("From: a@example.com\nContent-Type: multipart/mixed\n\nx\n");
  CHECK(cli::shown_part(broken, cli::ShownPart::text).error() ==
        "the message is not to be read as MIME: a line of it begins a multipart/mixed that names "
        "no boundary");
}

TEST_CASE("browser: it is given a file that nobody else may read") {
  const test::TemporaryFolder folder;
  const Variable runtime("XDG_RUNTIME_DIR", path_of(folder));
  const Variable browser("BROWSER", "no-such-browser:cp %s " + path_of(folder) + "/seen.html");
  const auto shown = cli::show_in_browser("<p>");
  REQUIRE(shown.has_value());
  CHECK_FALSE(shown->trouble.has_value());
  CHECK(shown->path.starts_with(path_of(folder) + "/ringpost-"));
  CHECK(shown->path.ends_with(".html"));
  struct stat status {};
  REQUIRE(::stat(shown->path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(content_of_file(shown->path) == "<p>");
  CHECK(folder.read("seen.html") == "<p>");
}

TEST_CASE("browser: where there is none the page is in its file all the same") {
  const test::TemporaryFolder folder;
  const Variable runtime("XDG_RUNTIME_DIR", path_of(folder));
  const Variable path("PATH", path_of(folder));
  const Variable browser("BROWSER", "no-such-browser");
  const auto shown = cli::show_in_browser("<p>");
  REQUIRE(shown.has_value());
  CHECK(shown->trouble ==
        "no-such-browser: No such file or directory; xdg-open: No such file or directory");
  CHECK(content_of_file(shown->path) == "<p>");
}

TEST_CASE("browser: a folder that is not there is an error") {
  const Variable runtime("XDG_RUNTIME_DIR", "/nonexistent");
  CHECK(cli::show_in_browser("<p>").error() ==
        "the page cannot be written to /nonexistent: No such file or directory");
}
