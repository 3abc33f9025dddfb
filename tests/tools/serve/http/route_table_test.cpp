#include "tools/serve/http/route_table.h"

#include <catch2/catch_test_macros.hpp>

#include "codec/text/base64.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

RequestHead request(std::string_view method, std::string_view path, std::string_view query = {}) {
  RequestHead head;
  head.method_word = method;
  head.method = method == "GET" ? Method::get : method == "POST" ? Method::post : Method::other;
  head.path = path;
  head.query = query;
  return head;
}

int status_of_head(const RequestHead& head, Bytes token = {}) {
  const auto route = route_of(head, {token});
  return route ? 0 : route.error().status_code;
}

}  // namespace

TEST_CASE("routes: a path, a method and a query that fit are a route") {
  CHECK(
      route_of(request("POST", "/v1/jobs", "dialect=sendgrid&wait=outcomes"), {}).value().dialect ==
      codec::Dialect::sendgrid);
  CHECK(route_of(request("POST", "/v1/jobs", "wait=accepted"), {}).value().waits_for_storage);
  CHECK(route_of(request("POST", "/v1/inject", "wait=accepted"), {}).value().waits_for_storage);
  CHECK(route_of(request("POST", "/api/inject/v1"), {}).value().dialect == codec::Dialect::kumomta);
  CHECK(route_of(request("POST", "/v1/listmonk"), {}).value().action == Action::inject);
  CHECK(route_of(request("GET", "/metrics", "name[]=x"), {}).value().action == Action::metrics);
}

TEST_CASE("routes: what does not fit is answered with what would") {
  auto route = route_of(request("POST", "/v1/job"), {});
  REQUIRE_FALSE(route);
  CHECK(route.error().status_code == 404);
  CHECK(route.error().body.find("did you mean /v1/jobs?") != std::string::npos);
  CHECK(route_of(request("GET", "/"), {}).error().body.find("/api/inject/v1") != std::string::npos);
  CHECK(route_of(request("GET", "/v1/jobs"), {}).error().allow == "POST");
  CHECK(route_of(request("DELETE", "/metrics"), {}).error().allow == "GET, HEAD");
  CHECK(status_of_head(request("POST", "/v1/jobs", "dialect=x")) == 400);
  CHECK(status_of_head(request("POST", "/v1/jobs", "wait=never")) == 400);
  CHECK(status_of_head(request("POST", "/api/inject/v1", "wait=accepted")) == 400);
  CHECK(status_of_head(request("POST", "/api/inject/v1", "dialect=ses")) == 400);
  RequestHead packed = request("POST", "/v1/jobs");
  packed.content_encoding = "gzip";
  CHECK(status_of_head(packed) == 415);
}

TEST_CASE("routes: a body that is announced too large is refused at once") {
  RequestHead head = request("POST", "/v1/inject");
  head.content_length = job_bytes_max;
  CHECK(status_of_head(head) == 0);
  head.content_length = job_bytes_max + 1;
  CHECK(status_of_head(head) == 413);
  head.path = "/v1/jobs";
  CHECK(status_of_head(head) == 0);
  head.content_length = 10'000'000'000;
  CHECK(status_of_head(head) == 413);
}

TEST_CASE("routes: where there is a token nothing but liveness is told without it") {
  RequestHead head = request("POST", "/v1/jobs");
  CHECK(status_of_head(head, "s3cret") == 401);
  for (const std::string_view wrong :
       {"Bearer", "Bearer ", "Bearer s3cre", "Bearer s3crets", "Bearer S3cret", "s3cret",
        "Basic s3cret", "Basic !", "Digest s3cret"}) {
    CAPTURE(wrong);
    head.authorization = wrong;
    CHECK(status_of_head(head, "s3cret") == 401);
  }
  head.authorization = "bearer  s3cret";
  CHECK(status_of_head(head, "s3cret") == 0);
  std::string login;
  codec::append_base64(login, "anybody:s3cret");
  head.authorization = "Basic " + login;
  CHECK(status_of_head(head, "s3cret") == 0);
  CHECK(status_of_head(request("GET", "/metrics"), "s3cret") == 401);
  CHECK(status_of_head(request("GET", "/healthz"), "s3cret") == 0);
  CHECK(status_of_head(request("GET", "/readyz"), "s3cret") == 0);
}

TEST_CASE("routes: a page in a browser sends no mail without the token") {
  RequestHead head = request("POST", "/v1/inject");
  head.has_origin = true;
  CHECK(status_of_head(head) == 403);
  head.authorization = "Bearer s3cret";
  CHECK(status_of_head(head, "s3cret") == 0);
}

TEST_CASE("routes: secrets are the same in all octets or not at all") {
  CHECK(is_same_secret("abc", "abc"));
  CHECK_FALSE(is_same_secret("abc", "abd"));
  CHECK_FALSE(is_same_secret("abc", "ab"));
  CHECK_FALSE(is_same_secret("abab", "ab"));
  CHECK_FALSE(is_same_secret("", "ab"));
  CHECK_FALSE(is_same_secret("ab", ""));
}

}  // namespace ringpost::http
