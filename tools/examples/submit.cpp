// The engine as a library: submits a few messages and prints what became of each.
//
//   ringpost_example_submit HOST PORT CA_FILE USER COUNT
//
// The password is read from RINGPOST_PASSWORD. STARTTLS is required, as on port 587.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <ringpost/engine.h>

namespace {

// 0 when `text` is no number.
template <typename Number>
Number number_of(const char* text) {
  Number number = 0;
  std::from_chars(text, text + std::strlen(text), number);
  return number;
}

// An EndpointOptions is all that the engine has to know of an account at an ESP.
ringpost::EndpointOptions endpoint_of(char** arguments) {
  const char* const password = std::getenv("RINGPOST_PASSWORD");
  ringpost::EndpointOptions endpoint;
  endpoint.name = "example";
  endpoint.host = arguments[1];
  endpoint.port = number_of<std::uint16_t>(arguments[2]);
  endpoint.ca_file = arguments[3];
  endpoint.username = arguments[4];
  endpoint.password = password == nullptr ? "" : password;
  return endpoint;
}

// An id, an envelope, and the message as it shall arrive.
bool fill(ringpost::Message& message, unsigned long number) {
  message.id = "example-" + std::to_string(number);
  message.sender = "news@example.com";
  const std::string reader = "reader" + std::to_string(number) + "@example.net";
  message.recipients.add(reader);
  const std::string text =
      "From: News <news@example.com>\r\n"
      "To: " +
      reader +
      "\r\n"
      "Subject: Hello\r\n"
      "X-Id: " +
      message.id +
      "\r\n"
      "\r\n"
      "Hello, reader.\r\n";
  const ringpost::ContentMaker maker(ringpost::NewlinePolicy::strict);
  return maker.assign(message.content, text).has_value();
}

// Called on the engine's thread, once for each recipient.
void print_outcomes(std::span<const ringpost::OutcomeView> decided) {
  for (const ringpost::OutcomeView& view : decided) {
    const ringpost::Outcome& outcome = *view.outcome;
    std::printf("%s %s %s %u %s\n", view.message->id.c_str(), std::string(view.recipient()).c_str(),
                std::string(name_of(outcome.status)).c_str(), unsigned{outcome.code},
                outcome.code != 0 ? outcome.text.c_str() : outcome.reason.c_str());
  }
}

// When all is told: whether an endpoint was given up, and what it was like.
int tell_end(ringpost::Engine& engine) {
  const ringpost::DrainReport report = engine.drain(ringpost::never);
  for (const ringpost::EndpointFailure& failure : report.endpoint_failures) {
    std::fprintf(stderr, "%s%s\n", failure.is_login() ? "no login: " : "", failure.message.c_str());
  }
  const auto accepted = static_cast<std::size_t>(ringpost::Status::accepted);
  const std::chrono::duration<double, std::milli> p99 = engine.endpoint_counts().reply_times.p99;
  std::fprintf(stderr, "accepted: %llu, replies within %.1f ms (p99)\n",
               static_cast<unsigned long long>(engine.statistics().outcomes[accepted]),
               p99.count());
  return report.endpoint_failures.empty() ? 0 : 1;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 6) {
    std::fprintf(stderr, "usage: %s HOST PORT CA_FILE USER COUNT\n", arguments[0]);
    return 2;
  }
  ringpost::EngineOptions options;
  options.endpoints.push_back(endpoint_of(arguments));
  auto engine = ringpost::Engine::start(std::move(options), print_outcomes);
  if (!engine) {
    std::fprintf(stderr, "%s\n", engine.error().message.c_str());
    return 1;
  }
  const unsigned long count = number_of<unsigned long>(arguments[5]);
  auto submitter = (*engine)->submitter();
  for (unsigned long number = 1; number <= count; ++number) {
    ringpost::Message* const message = submitter.next();
    if (message == nullptr) {
      break;
    }
    if (!fill(*message, number)) {
      submitter.refuse("the content is not fit to be sent");
    } else if (const auto submitted = submitter.submit(); !submitted) {
      std::fprintf(stderr, "%s\n", submitted.error().message.c_str());
    }
  }
  submitter.flush();
  return tell_end(**engine);
}
