#include "tls/tls_error.h"

#include <set>
#include <string>
#include <string_view>

#include <catch2/catch_test_macros.hpp>

namespace ringpost::tls::test {

TEST_CASE("tls error: every kind has a name and a sentence of its own, on one line") {
  std::set<std::string_view> names;
  std::set<std::string> messages;
  for (std::size_t index = 0; index < tls_error_kind_count; ++index) {
    const auto kind = static_cast<TlsErrorKind>(index);
    const TlsError error = {kind, -1, "the detail", "mail.example.com"};
    names.insert(name_of(kind));
    messages.insert(error.message());
    CHECK(error.message().find('\n') == std::string::npos);
    CHECK(error.message().size() < 300);
    if (kind != TlsErrorKind::local_file) {
      CHECK(error.message().find("mail.example.com") != std::string::npos);
    }
    CHECK_FALSE(TlsError{kind, 0, {}, {}}.message().empty());
  }
  CHECK(names.size() == tls_error_kind_count);
  CHECK(messages.size() == tls_error_kind_count);
}

TEST_CASE("tls error: nobody is told to switch verification off") {
  for (std::size_t index = 0; index < tls_error_kind_count; ++index) {
    const TlsError error = {static_cast<TlsErrorKind>(index), 0, "x", "y"};
    CHECK(error.message().find("verify=off") == std::string::npos);
  }
}

}  // namespace ringpost::tls::test
