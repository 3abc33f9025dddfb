// The problem: whoever finds another end of a request than a proxy in front did lets strangers put
// requests of their own between those of others. The idea: Boost.Beast parses, and what it lets
// pass although two readers may differ about it is refused here: any Transfer-Encoding but a single
// `chunked` (Beast takes the others for a request without a body), a body of HTTP/1.0 in chunks,
// no Host or several. Limits: no trailers are told of, no extensions of chunks, no upgrade.
#include "tools/serve/http/request_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "tools/serve/http/http_limits.h"

namespace ringpost::http {

namespace {

namespace beast = boost::beast;
using Code = beast::http::error;

// A body that stays where it was read: the parser says which octets are of it. Beast's concept of a
// body decides the names.
struct PassingBody {
  using value_type = Bytes;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(beast::http::header<is_request, Fields>& /*head*/, Bytes& body) : body_(body) {}

    void init(const boost::optional<std::uint64_t>& /*length*/, beast::error_code& code) {
      code = {};
    }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& code) {
      const boost::asio::const_buffer first = *boost::asio::buffer_sequence_begin(buffers);
      body_ = Bytes(static_cast<const char*>(first.data()), first.size());
      code = {};
      return first.size();
    }
    void finish(beast::error_code& code) { code = {}; }

   private:
    Bytes& body_;
  };
};

using Parser = beast::http::request_parser<PassingBody>;

Bytes bytes_of(beast::string_view text) { return {text.data(), text.size()}; }

RequestError error_of(beast::error_code code) {
  if (code == Code::header_limit) {
    return {431, fmt::format("the request's head is longer than {} octets", head_bytes_max),
            "send fewer or shorter header fields"};
  }
  if (code == Code::bad_version) {
    return {505, "the request is not in HTTP/1.1 or HTTP/1.0",
            "HTTP/2 and TLS are a matter of a proxy in front"};
  }
  if (code == Code::bad_transfer_encoding || code == Code::bad_content_length) {
    return {400, "the length of the body is said in several ways, or not as a number",
            "send one Content-Length, or Transfer-Encoding: chunked, and not both"};
  }
  if (code == Code::bad_chunk || code == Code::bad_chunk_extension) {
    return {400, "a chunk of the body does not begin with its length",
            "each chunk is its length in hexadecimal, CR LF, its octets, CR LF; the last has "
            "length 0"};
  }
  return {400, fmt::format("the request cannot be read: {}", code.message()),
          "a request is a line METHOD PATH HTTP/1.1, fields NAME: VALUE, and an empty line, "
          "each ended by CR LF"};
}

Method method_of(beast::http::verb given) {
  using beast::http::verb;
  return given == verb::get    ? Method::get
         : given == verb::head ? Method::head
         : given == verb::post ? Method::post
                               : Method::other;
}

// Behind an empty line, also one that ends otherwise than it should; 0: there is none.
std::size_t head_end(Bytes octets) {
  for (std::size_t at = octets.find('\n'); at != Bytes::npos; at = octets.find('\n', at + 1)) {
    const Bytes next = octets.substr(at + 1, 2);
    if (next.starts_with('\n') || next == "\r\n") {
      return at + 1 + (next.starts_with('\n') ? 1 : 2);
    }
  }
  return 0;
}

// The path of "http://host/path", as proxies are asked, too (RFC 9112 3.2.2).
Bytes origin_form(Bytes target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == Bytes::npos) {
    return target;
  }
  const std::size_t path = target.find('/', scheme + 3);
  return path == Bytes::npos ? Bytes("/") : target.substr(path);
}

}  // namespace

class RequestReader::Implementation {
 public:
  Implementation() { begin(); }

  Event next(Bytes& input) {
    if (state_ == State::failed) {
      return Event::error;
    }
    return state_ == State::head ? read_head(input) : read_body(input);
  }

  [[nodiscard]] bool is_within_request() const { return state_ != State::head || is_begun_; }

  RequestHead head_;
  Bytes body_;
  RequestError error_;

 private:
  enum class State : std::uint8_t { head, body, failed };

  void begin() {
    parser_.emplace();
    parser_->header_limit(head_bytes_max);
    // The routes have bounds of their own. Not boost::none, which Beast 1.74 takes for less than
    // any Content-Length.
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    parser_->eager(false);
    is_begun_ = false;
    state_ = State::head;
  }

  Event fail(RequestError error) {
    error_ = std::move(error);
    state_ = State::failed;
    return Event::error;
  }

  // RFC 9112 2.2: empty lines in front of a request are passed over.
  void skip_empty_lines(Bytes& input) const {
    while (!is_begun_ && (input.starts_with('\r') || input.starts_with('\n'))) {
      input.remove_prefix(1);
    }
  }

  Event read_head(Bytes& input) {
    skip_empty_lines(input);
    if (input.empty()) {
      return Event::need_more;
    }
    is_begun_ = true;
    if (!codec::is_letter(input.front())) {
      return fail(error_of(Code::bad_method));  // TLS, most often
    }
    // The whole head at once and nothing else, so that what is wrong with it does not depend on how
    // it was cut.
    const std::size_t end = head_end(input.substr(0, head_bytes_max));
    if (end == 0) {
      return input.size() < head_bytes_max ? Event::need_more : fail(error_of(Code::header_limit));
    }
    beast::error_code code;
    const std::size_t taken = parser_->put({input.data(), end}, code);
    if (!code && taken == end && parser_->is_header_done()) {
      input.remove_prefix(end);
      return take_head();
    }
    return fail(
        error_of(code && code != Code::need_more ? code : make_error_code(Code::bad_line_ending)));
  }

  Event take_head() {
    const auto& fields = parser_->get();
    const Bytes target = origin_form(bytes_of(fields.target()));
    const std::size_t question = target.find('?');
    head_ = RequestHead();
    head_.method = method_of(fields.method());
    head_.method_word = bytes_of(fields.method_string());
    head_.path = target.substr(0, question);
    head_.query = question == Bytes::npos ? Bytes() : target.substr(question + 1);
    head_.authorization = bytes_of(fields[beast::http::field::authorization]);
    head_.content_type = bytes_of(fields[beast::http::field::content_type]);
    head_.content_encoding = bytes_of(fields[beast::http::field::content_encoding]);
    head_.has_origin = fields.count(beast::http::field::origin) > 0;
    head_.is_http_1_0 = fields.version() == 10;
    head_.keeps_alive = parser_->keep_alive();
    head_.expects_continue =
        !head_.is_http_1_0 &&
        codec::equal_without_case(bytes_of(fields[beast::http::field::expect]), "100-continue");
    head_.is_chunked = parser_->chunked();
    if (const auto length = parser_->content_length()) {
      head_.content_length = *length;
    }
    if (auto error = offence_of_head()) {
      return fail(std::move(*error));
    }
    state_ = State::body;
    return Event::head;
  }

  [[nodiscard]] std::optional<RequestError> offence_of_head() const {
    using beast::http::field;
    const auto& fields = parser_->get();
    const std::size_t codings = fields.count(field::transfer_encoding);
    const Bytes coding = bytes_of(fields[field::transfer_encoding]);
    if (codings > 1 || (codings == 1 && !codec::equal_without_case(coding, "chunked"))) {
      return RequestError{501, "the body comes in a transfer coding that is not served",
                          "send Transfer-Encoding: chunked, or a Content-Length"};
    }
    if (codings == 1 && head_.is_http_1_0) {
      return RequestError{400, "HTTP/1.0 has no chunked bodies", "send HTTP/1.1"};
    }
    const std::size_t hosts = fields.count(field::host);
    if (hosts > 1 || (hosts == 0 && !head_.is_http_1_0)) {
      return RequestError{400, "a request has one field Host", "send Host: localhost"};
    }
    return std::nullopt;
  }

  Event read_body(Bytes& input) {
    Bytes& body = parser_->get().body();
    body = {};
    while (!parser_->is_done() && body.empty()) {
      if (input.empty()) {
        return Event::need_more;
      }
      beast::error_code code;
      const std::size_t taken = parser_->put({input.data(), input.size()}, code);
      input.remove_prefix(taken);
      if (code == Code::need_more) {
        return input.size() < read_bytes ? Event::need_more : fail(error_of(Code::bad_chunk));
      }
      if (code) {
        return fail(error_of(code));
      }
    }
    if (!body.empty()) {
      body_ = body;
      return Event::body;
    }
    begin();
    return Event::end;
  }

  State state_ = State::head;
  bool is_begun_ = false;  // the head
  std::optional<Parser> parser_;
};

RequestReader::RequestReader() : implementation_(std::make_unique<Implementation>()) {}
RequestReader::~RequestReader() = default;

RequestReader::Event RequestReader::next(Bytes& input) { return implementation_->next(input); }
bool RequestReader::is_within_request() const { return implementation_->is_within_request(); }
const RequestHead& RequestReader::head() const { return implementation_->head_; }
Bytes RequestReader::body() const { return implementation_->body_; }
const RequestError& RequestReader::error() const { return implementation_->error_; }

}  // namespace ringpost::http
