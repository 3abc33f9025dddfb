// The problem: posting to anybody's server wants TLS with the system's roots, proxies, HTTP/2 and
// timeouts that work, none of which is ours; but libcurl brings some forty libraries, whose start
// would be paid by each run of each command. The idea: its multi interface on the thread that asks,
// and the library loaded by name when a webhook is configured: its ABI has been the same since
// 2006. Limits: a name is looked up by libcurl's own thread, which is waited for when all ends.
#include "tools/serve/webhook/http_poster.h"

#include <algorithm>
#include <curl/curl.h>
#include <dlfcn.h>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace ringpost::serve {

namespace {

// Of an answer's body, for people.
constexpr std::size_t words_bytes_max = 200;

#define RP_CURL_FUNCTIONS(X)                                                             \
  X(curl_global_init)                                                                    \
  X(curl_easy_init)                                                                      \
  X(curl_easy_cleanup)                                                                   \
  X(curl_easy_setopt)                                                                    \
  X(curl_easy_getinfo) X(curl_easy_strerror) X(curl_slist_append) X(curl_slist_free_all) \
      X(curl_multi_init) X(curl_multi_cleanup) X(curl_multi_add_handle)                  \
          X(curl_multi_remove_handle) X(curl_multi_perform) X(curl_multi_poll)           \
              X(curl_multi_wakeup) X(curl_multi_info_read)

struct Curl {
#define RP_MEMBER(name) decltype(&::name) name = nullptr;
  RP_CURL_FUNCTIONS(RP_MEMBER)
#undef RP_MEMBER
};

template <typename Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));  // as POSIX says it
  return function != nullptr;
}

Result<Curl, std::string> load_curl() {
  void* library = nullptr;
  for (const char* const name : {"libcurl.so.4", "libcurl-gnutls.so.4"}) {
    library = library == nullptr ? ::dlopen(name, RTLD_NOW | RTLD_LOCAL) : library;
  }
  if (library == nullptr) {
    return Failure(
        std::string("webhooks need libcurl, and it is not installed here: apt-get "
                    "install libcurl4"));
  }
  Curl curl;
  bool has_all = true;
#define RP_FIND(name) has_all = find_function(library, #name, curl.name) && has_all;
  RP_CURL_FUNCTIONS(RP_FIND)
#undef RP_FIND
  if (!has_all || curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Failure(
        std::string("webhooks need libcurl 7.85 or newer, and this one is older, or does "
                    "not start"));
  }
  return curl;
}

// Once a process, and never unloaded: TLS libraries do not like to go.
const Result<Curl, std::string>& curl_library() {
  static const Result<Curl, std::string> library = load_curl();
  return library;
}

struct Transfer {
  PostRequest request;
  HttpPoster::Answered answered;
  CURL* easy = nullptr;
  curl_slist* fields = nullptr;
  std::string answer;  // its first octets
};

std::size_t take_answer(char* octets, std::size_t size, std::size_t count, void* transfer) {
  std::string& answer = static_cast<Transfer*>(transfer)->answer;
  const std::size_t bytes = size * count;
  answer.append(octets, std::min(bytes, words_bytes_max - answer.size()));
  return bytes;
}

long milliseconds(Duration duration) {
  const auto count = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<long>(std::clamp<std::int64_t>(count, 0, std::numeric_limits<int>::max()));
}

class CurlPoster final : public HttpPoster {
 public:
  CurlPoster(const Curl& curl, CURLM* multi) : curl_(curl), multi_(multi) {}
  ~CurlPoster() override {
    cancel_all();
    curl_.curl_multi_cleanup(multi_);
  }

  void post(PostRequest request, Answered answered) override;
  void wait(Duration at_most) override;
  void wake() override { curl_.curl_multi_wakeup(multi_); }
  void cancel_all() override {
    while (!transfers_.empty()) {
      take_out(transfers_.size() - 1);
    }
  }

 private:
  template <typename Value>
  void set(CURL* easy, CURLoption option, Value value) {
    curl_.curl_easy_setopt(easy, option, value);
  }
  void set_up(Transfer& transfer);
  std::unique_ptr<Transfer> take_out(std::size_t index);
  [[nodiscard]] WebhookAnswer answer_of(const Transfer& transfer, CURLcode code);
  void take_answers();

  const Curl& curl_;
  CURLM* multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
};

void CurlPoster::post(PostRequest request, Answered answered) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->answered = std::move(answered);
  transfer->easy = curl_.curl_easy_init();
  RP_ASSERT(transfer->easy != nullptr);
  set_up(*transfer);
  curl_.curl_multi_add_handle(multi_, transfer->easy);
  transfers_.push_back(std::move(transfer));
}

void CurlPoster::set_up(Transfer& transfer) {
  const PostRequest& request = transfer.request;
  CURL* const easy = transfer.easy;
  for (const std::string& field : request.fields) {
    transfer.fields = curl_.curl_slist_append(transfer.fields, field.c_str());
  }
  // Asked for by nobody: the body would wait a second for it.
  transfer.fields = curl_.curl_slist_append(transfer.fields, "Expect:");
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!request.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, request.ca_file.c_str());
  }
  if (request.is_on_loopback) {
    set(easy, CURLOPT_PROXY, "");
  }
  if (!request.username.empty()) {
    set(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_USERNAME, request.username.c_str());
    set(easy, CURLOPT_PASSWORD, request.password.c_str());
  }
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_TIMEOUT_MS, milliseconds(request.timeout));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.timeout));
  set(easy, CURLOPT_HTTPHEADER, transfer.fields);
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(easy, CURLOPT_POSTFIELDS, request.body.data());
  set(easy, CURLOPT_WRITEFUNCTION, &take_answer);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
}

void CurlPoster::wait(Duration at_most) {
  int running = 0;
  curl_.curl_multi_perform(multi_, &running);
  if (static_cast<std::size_t>(running) == transfers_.size()) {
    curl_.curl_multi_poll(multi_, nullptr, 0, static_cast<int>(milliseconds(at_most)), nullptr);
    curl_.curl_multi_perform(multi_, &running);
  }
  take_answers();
}

void CurlPoster::take_answers() {
  int left = 0;
  while (const CURLMsg* const message = curl_.curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) {
      continue;
    }
    const CURLcode code = message->data.result;
    const auto at = std::find_if(transfers_.begin(), transfers_.end(), [message](const auto& one) {
      return one->easy == message->easy_handle;
    });
    RP_ASSERT(at != transfers_.end());
    const WebhookAnswer answer = answer_of(**at, code);
    const auto transfer = take_out(static_cast<std::size_t>(at - transfers_.begin()));
    transfer->answered(answer);
  }
}

WebhookAnswer CurlPoster::answer_of(const Transfer& transfer, CURLcode code) {
  WebhookAnswer answer;
  if (code != CURLE_OK) {
    answer.words = curl_.curl_easy_strerror(code);
    return answer;
  }
  long status = 0;
  curl_off_t retry_after = 0;
  curl_.curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  curl_.curl_easy_getinfo(transfer.easy, CURLINFO_RETRY_AFTER, &retry_after);
  answer.code = static_cast<int>(status);
  answer.words = transfer.answer;
  if (retry_after > 0) {
    constexpr curl_off_t year = 365 * 24 * 3600;
    answer.retry_after = std::chrono::seconds(std::min(retry_after, year));
  }
  return answer;
}

std::unique_ptr<Transfer> CurlPoster::take_out(std::size_t index) {
  std::unique_ptr<Transfer> transfer = std::move(transfers_[index]);
  transfers_.erase(transfers_.begin() + static_cast<std::ptrdiff_t>(index));
  curl_.curl_multi_remove_handle(multi_, transfer->easy);
  curl_.curl_easy_cleanup(transfer->easy);
  curl_.curl_slist_free_all(transfer->fields);
  return transfer;
}

}  // namespace

Result<std::unique_ptr<HttpPoster>, std::string> HttpPoster::open() {
  const auto& curl = curl_library();
  if (!curl) {
    return Failure(curl.error());
  }
  CURLM* const multi = curl->curl_multi_init();
  if (multi == nullptr) {
    return Failure(std::string("libcurl does not start"));
  }
  return std::unique_ptr<HttpPoster>(std::make_unique<CurlPoster>(*curl, multi));
}

}  // namespace ringpost::serve
