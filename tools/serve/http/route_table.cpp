// The problem: whoever calls a wrong address wants to know the right one, and a page in a browser
// on this machine can post to a port of loopback without anybody's leave. The idea: one table of
// paths with what each takes; browsers say where a request comes from (Origin), and such a request
// is refused unless it has the token. Limits: paths and queries are compared as they come, without
// percent-decoding, since none of ours needs any.
#include "tools/serve/http/route_table.h"

#include <array>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/base64.h"
#include "codec/text/spelling.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

struct PathRow {
  std::string_view path;
  Action action;
  bool is_open;  // also without the token: those who look after a process have none
  std::optional<codec::Dialect> dialect = std::nullopt;
};

constexpr auto path_rows = std::to_array<PathRow>({
    {"/v1/jobs", Action::jobs, false},
    {"/v1/inject", Action::inject, false},
    {"/v1/listmonk", Action::inject, false, codec::Dialect::listmonk},
    {"/api/inject/v1", Action::kumomta, false, codec::Dialect::kumomta},
    {"/v1/stats", Action::stats, false},
    {"/metrics", Action::metrics, false},
    {"/healthz", Action::healthz, true},
    {"/readyz", Action::readyz, true},
});

std::string path_list() {
  std::string list;
  for (const PathRow& row : path_rows) {
    list += list.empty() ? "" : ", ";
    list += row.path;
  }
  return list;
}

Answer unknown_path(Bytes path) {
  std::array<std::string_view, path_rows.size()> paths;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    paths[i] = path_rows[i].path;
  }
  const Bytes shown = path.substr(0, limits::quoted_line_bytes_max);
  const std::string_view meant = codec::nearest_word(shown, paths);
  return error_answer(
      404, fmt::format("there is nothing at {}", shown),
      meant.empty() ? "there are " + path_list() : fmt::format("did you mean {}?", meant));
}

// "Bearer TOKEN", or the password of "Basic ...", which is all that some clients can say.
std::string secret_of(Bytes authorization) {
  const std::size_t space = authorization.find(' ');
  const Bytes scheme = authorization.substr(0, space);
  Bytes rest = space == Bytes::npos ? Bytes() : authorization.substr(space);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (codec::equal_without_case(scheme, "bearer")) {
    return std::string(rest);
  }
  std::string login;
  if (!codec::equal_without_case(scheme, "basic") ||
      !codec::decode_base64(rest, codec::Base64Space::refused, login)) {
    return {};
  }
  const std::size_t colon = login.find(':');
  return colon == std::string::npos ? std::string() : login.substr(colon + 1);
}

std::optional<Answer> offence_against(const Access& access, const RequestHead& head,
                                      const PathRow& row) {
  if (access.token.empty()) {
    if (head.has_origin && !row.is_open) {
      return error_answer(403, "requests of pages in browsers are not served without a token",
                          "set token_file, or send the request without the field Origin");
    }
    return std::nullopt;
  }
  if (row.is_open || is_same_secret(secret_of(head.authorization), access.token)) {
    return std::nullopt;
  }
  Answer answer = error_answer(
      401, head.authorization.empty() ? "the request has no token" : "the token is another one",
      "send Authorization: Bearer TOKEN, with the content of the listener's token_file");
  answer.asks_for_token = true;
  return answer;
}

Answer bad_query(Bytes name, Bytes hint) {
  return error_answer(
      400, fmt::format("the query has {}", name.substr(0, limits::quoted_line_bytes_max)), hint);
}

std::string dialect_list() {
  std::string list;
  for (const std::string_view name : codec::dialect_names()) {
    list += list.empty() ? "" : ", ";
    list += name;
  }
  return list;
}

std::optional<Answer> read_parameter(Bytes parameter, Route& route) {
  const std::size_t equals = parameter.find('=');
  const Bytes name = parameter.substr(0, equals);
  const Bytes value = equals == Bytes::npos ? Bytes() : parameter.substr(equals + 1);
  if (name == "dialect" && route.takes_jobs() && !route.dialect) {
    route.dialect = codec::dialect_of(value);
    if (!route.dialect) {
      return bad_query(parameter, "dialect is one of " + dialect_list());
    }
    return std::nullopt;
  }
  if (name == "wait" && (route.action == Action::jobs || route.action == Action::inject)) {
    route.waits_for_storage = value == "accepted";
    if (!route.waits_for_storage && value != "outcomes") {
      return bad_query(parameter, "wait is outcomes or accepted");
    }
    return std::nullopt;
  }
  return bad_query(parameter, route.action == Action::jobs     ? "/v1/jobs takes dialect and wait"
                              : route.action == Action::inject ? "/v1/inject takes dialect and wait"
                                                               : "this path takes no query");
}

std::optional<Answer> read_query(Bytes query, Route& route) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const Bytes parameter = query.substr(0, end);
    query = end == Bytes::npos ? Bytes() : query.substr(end + 1);
    if (parameter.empty()) {
      continue;
    }
    if (auto answer = read_parameter(parameter, route)) {
      return answer;
    }
  }
  return std::nullopt;
}

std::optional<Answer> offence_of_method(const RequestHead& head, const Route& route) {
  const bool is_read = head.method == Method::get || head.method == Method::head;
  if (route.takes_jobs() ? head.method == Method::post : is_read) {
    return std::nullopt;
  }
  Answer answer =
      error_answer(405, fmt::format("{} is not served here", head.method_word.substr(0, 32)),
                   route.takes_jobs() ? "send jobs with POST" : "read it with GET");
  answer.allow = route.takes_jobs() ? "POST" : "GET, HEAD";
  return answer;
}

std::optional<Answer> offence_of_body(const RequestHead& head, const Route& route) {
  if (!route.takes_jobs()) {
    return std::nullopt;
  }
  if (!head.content_encoding.empty() &&
      !codec::equal_without_case(head.content_encoding, "identity")) {
    return error_answer(415, "the body is encoded", "send it without Content-Encoding");
  }
  const std::uint64_t most = route.action == Action::jobs ? jobs_body_bytes_max : job_bytes_max;
  if (head.content_length.value_or(0) > most) {
    return error_answer(413, fmt::format("the body has more than {} octets", most),
                        route.action == Action::jobs
                            ? "send the jobs in several requests"
                            : "one job may have so much; send several to /v1/jobs, one a line");
  }
  return std::nullopt;
}

}  // namespace

bool is_same_secret(Bytes left, Bytes right) {
  // The length shows, as it does in the time that the network takes.
  unsigned difference = left.size() == right.size() ? 0U : 1U;
  for (std::size_t i = 0; i < left.size() && !right.empty(); ++i) {
    difference |= static_cast<unsigned>(left[i] ^ right[i % right.size()]);
  }
  return difference == 0;
}

Result<Route, Answer> route_of(const RequestHead& head, const Access& access) {
  const PathRow* row = nullptr;
  for (const PathRow& candidate : path_rows) {
    if (candidate.path == head.path) {
      row = &candidate;
    }
  }
  if (row == nullptr) {
    return Failure(unknown_path(head.path));
  }
  if (auto answer = offence_against(access, head, *row)) {
    return Failure(std::move(*answer));
  }
  Route route{row->action, row->dialect, false};
  if (auto answer = offence_of_method(head, route)) {
    return Failure(std::move(*answer));
  }
  if (auto answer = route.takes_jobs() ? read_query(head.query, route) : std::nullopt) {
    return Failure(std::move(*answer));
  }
  if (auto answer = offence_of_body(head, route)) {
    return Failure(std::move(*answer));
  }
  return route;
}

}  // namespace ringpost::http
