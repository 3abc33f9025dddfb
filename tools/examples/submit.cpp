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

#include "codec/mail/address.h"
#include "codec/mail/content_check.h"
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

// A job is one message: an id, an envelope, and the message as it shall arrive.
bool fill(ringpost::Job& job, unsigned long number) {
  job.id = "example-" + std::to_string(number);
  job.sender = "news@example.com";
  job.add_recipient().address = "reader" + std::to_string(number) + "@example.net";
  job.content =
      "From: News <news@example.com>\r\n"
      "To: reader" +
      std::to_string(number) +
      "@example.net\r\n"
      "Subject: Hello\r\n"
      "X-Id: " +
      job.id +
      "\r\n"
      "\r\n"
      "Hello, reader.\r\n";
  const auto traits =
      ringpost::codec::canonicalise(job.content, ringpost::codec::NewlinePolicy::strict);
  if (!traits) {
    return false;
  }
  job.traits = *traits;
  return true;
}

// Called on the engine's thread, once for each recipient.
void print_outcomes(std::span<const ringpost::DecidedRecipientView> decided) {
  for (const ringpost::DecidedRecipientView& view : decided) {
    const ringpost::Outcome& outcome = view.outcome();
    std::printf("%s %s %s %u %s\n", view.job->id.c_str(), view.recipient().address.c_str(),
                std::string(name_of(outcome.status)).c_str(), unsigned{outcome.code},
                outcome.code != 0 ? outcome.text.c_str() : outcome.reason.c_str());
  }
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
    ringpost::Job* const job = submitter.next();
    if (job == nullptr) {
      break;
    }
    if (fill(*job, number)) {
      submitter.submit();
    } else {
      submitter.refuse("the content is not fit to be sent");
    }
  }
  submitter.flush();
  return (*engine)->drain(ringpost::never) ? 0 : 1;
}
