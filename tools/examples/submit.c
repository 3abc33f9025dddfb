/* ringpost from C: submits a few messages and prints what became of each.
 *
 *   submit HOST PORT CA_FILE USER COUNT
 *
 * The password is read from RINGPOST_PASSWORD. STARTTLS is required, as on port 587. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringpost/ringpost.h>

/* Called on the engine's thread, once for each recipient. */
static void print_outcome(void* user, const ringpost_outcome* outcome) {
  (void)user;
  printf("%s %s %s %u %s\n", outcome->id, outcome->recipient, ringpost_status_name(outcome->status),
         outcome->code, outcome->code != 0 ? outcome->text : outcome->reason);
}

/* An id, an envelope, and the message as it shall arrive. */
static int32_t submit(ringpost_submitter* submitter, unsigned long number, char* error,
                      size_t error_bytes) {
  char id[64];
  char reader[64];
  char content[512];
  snprintf(id, sizeof id, "example-%lu", number);
  snprintf(reader, sizeof reader, "reader%lu@example.net", number);
  snprintf(content, sizeof content,
           "From: News <news@example.com>\nTo: %s\nSubject: Hello\nX-Id: %s\n\nHello, reader.\n",
           reader, id);
  const char* const recipients[] = {reader};
  ringpost_message message = {sizeof message};
  message.id = id;
  message.sender = "news@example.com";
  message.recipients = recipients;
  message.recipient_count = 1;
  message.content = content;
  message.content_bytes = strlen(content);
  return ringpost_submit(submitter, &message, error, error_bytes);
}

int main(int argument_count, char** arguments) {
  char error[512];
  if (argument_count != 6) {
    fprintf(stderr, "usage: %s HOST PORT CA_FILE USER COUNT\n", arguments[0]);
    return 2;
  }
  ringpost_endpoint endpoint = {sizeof endpoint};
  endpoint.name = "example";
  endpoint.host = arguments[1];
  endpoint.port = (uint32_t)strtoul(arguments[2], NULL, 10);
  endpoint.ca_file = arguments[3];
  endpoint.username = arguments[4];
  endpoint.password = getenv("RINGPOST_PASSWORD");
  const ringpost_endpoint* const endpoints[] = {&endpoint};
  ringpost_options options = {sizeof options};
  options.endpoints = endpoints;
  options.endpoint_count = 1;
  options.on_outcome = print_outcome;
  ringpost_engine* engine = NULL;
  ringpost_submitter* submitter = NULL;
  if (ringpost_engine_start(&options, &engine, error, sizeof error) != RINGPOST_OK ||
      ringpost_submitter_new(engine, &submitter) != RINGPOST_OK) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  const unsigned long count = strtoul(arguments[5], NULL, 10);
  for (unsigned long number = 1; number <= count; ++number) {
    if (submit(submitter, number, error, sizeof error) != RINGPOST_OK) {
      fprintf(stderr, "%s\n", error);
    }
  }
  ringpost_submitter_free(submitter);
  const int32_t end = ringpost_drain(engine, -1, error, sizeof error);
  if (end != RINGPOST_OK) {
    fprintf(stderr, "%s%s\n", end == RINGPOST_LOGIN_FAILED ? "no login: " : "", error);
  }
  ringpost_statistics statistics = {sizeof statistics};
  ringpost_get_statistics(engine, &statistics);
  fprintf(stderr, "accepted: %llu, replies within %.1f ms (p99)\n",
          (unsigned long long)statistics.outcomes[RINGPOST_ACCEPTED],
          statistics.reply_times.p99_ms);
  ringpost_engine_free(engine);
  return end == RINGPOST_OK ? 0 : 1;
}
