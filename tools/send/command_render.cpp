// `ringpost render`: the finished message of a job, as it would go out, for a look before sending;
// the same sources make it. Limits: its date is this moment's, dots are not doubled, and what is
// added for a server, such as a field with the idempotency key, is not there.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "engine/run/job_file_source.h"
#include "tools/process/log.h"
#include "tools/process/standard_output.h"
#include "tools/process/unix_time.h"
#include "tools/program/commands.h"
#include "tools/send/browser.h"
#include "tools/send/message_page.h"
#include "tools/send/recipient_flags.h"
#include "tools/send/run_files.h"
#include "tools/send/send_source.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/variable_check.h"

namespace ringpost::cli {

namespace {

constexpr const char* render_examples =
    R"(Examples:
  ringpost render jobs.jsonl
  ringpost render jobs.jsonl --id weekly-47 | less
  ringpost render --template news.eml --recipients list.csv --recipient ann@example.com
  ringpost render --template news.eml --recipients list.csv --browser)";

struct RenderFlags {
  RecipientFlags jobs;
  std::string id;
  std::string dialect;
  std::string recipient;
  bool html = false;
  bool text = false;
  bool browser = false;
};

bool is_for(const Message& message, const std::string& recipient) {
  bool found = message.id == recipient || message.recipient_id == recipient;
  for (std::size_t i = 0; i < message.recipients.size() && !found; ++i) {
    found = codec::equal_without_case(message.recipients[i], recipient);
  }
  return found;
}

bool is_asked_for(const Message& message, const RenderFlags& flags) {
  return (flags.id.empty() || message.id == flags.id) &&
         (flags.recipient.empty() || is_for(message, flags.recipient));
}

std::string words_for_nobody(const RenderFlags& flags) {
  return "there is no job" + (flags.id.empty() ? "" : " with the id " + flags.id) +
         (flags.recipient.empty() ? "" : " for " + flags.recipient);
}

int open_page(const Content& content) {
  const auto page = page_of(content);
  if (!page) {
    print_error(page.error());
    return exit_usage;
  }
  const auto shown = show_in_browser(*page);
  if (!shown) {
    print_error(shown.error());
    return exit_uncategorised;
  }
  if (shown->trouble) {
    write_to_stderr(
        fmt::format("no browser has opened the page ({}); it is in this file:\n", *shown->trouble));
  }
  return print_data(shown->path + "\n");
}

int show_message(const Message& message, const RenderFlags& flags) {
  if (flags.browser) {
    return open_page(message.content);
  }
  if (!flags.html && !flags.text) {
    return print_data(message.content.text());
  }
  const auto part = shown_part(message.content, flags.html ? ShownPart::html : ShownPart::text);
  if (!part) {
    print_error(part.error());
    return exit_usage;
  }
  return print_data(*part);
}

// The first message, or the first of those that were asked for.
int render_first(run::JobSource& source, const RenderFlags& flags) {
  Message message;
  for (;;) {
    message.clear();
    const run::JobSource::Pull pulled = source.pull(message, 0);
    switch (pulled) {
      case run::JobSource::Pull::message:
      case run::JobSource::Pull::refused:
        break;
      case run::JobSource::Pull::nothing:
        continue;
      case run::JobSource::Pull::trouble:
        print_error(std::string(source.words(0)));
        return exit_uncategorised;
      case run::JobSource::Pull::end:
        print_error(words_for_nobody(flags));
        return exit_usage;
    }
    if (!is_asked_for(message, flags)) {
      continue;
    }
    if (pulled == run::JobSource::Pull::refused) {
      print_error(std::string(source.words(0)));
      return exit_invalid_input;
    }
    return show_message(message, flags);
  }
}

int render_jobs(const SendSettings& settings, const RenderFlags& flags) {
  const bool are_rows = settings.recipients.are_rows();
  if (const auto checked =
          check_files_read(input_files(settings), are_rows ? "file of recipients" : "job file");
      !checked) {
    print_error(checked.error());
    return exit_usage;
  }
  const std::int64_t date_us = unix_time_us();
  run::JobFileSource files;
  say_who_is_read(settings);
  auto source = SendSource::open(settings, -1, date_us);
  if (!source) {
    print_error(source.error());
    return exit_usage;
  }
  if (const auto begun = (*source)->begin(files, nullptr, date_us); !begun) {
    print_error(begun.error());
    return exit_usage;
  }
  return render_first((*source)->source(), flags);
}

int run_render(const RenderFlags& flags) {
  if (flags.html && flags.text) {
    print_error("--html and --text are two parts of the message: name one of them");
    return exit_usage;
  }
  if (const std::string wrong = errors_of_variables(); !wrong.empty()) {
    print_error(wrong);
    return exit_usage;
  }
  auto settings = flags.jobs.settings();
  const auto dialect = dialect_setting(flags.dialect, "");
  if (!settings || !dialect) {
    print_error(!settings ? settings.error() : dialect.error());
    return exit_usage;
  }
  settings->dialect = *dialect;
  return render_jobs(*settings, flags);
}

}  // namespace

CommandSpec render_command() {
  const auto flags = std::make_shared<RenderFlags>();
  CommandSpec command{.name = "render", .summary = "Print the finished RFC 5322 message of a job"};
  command.flags = {
      {"FILE", "", "Job files; - or nothing is standard input", &flags->jobs.files},
      {"--id", "ID", "The job's id; without it the first job is printed", &flags->id},
      {"--recipient", "ID|ADDRESS", "Whose message, where each has one", &flags->recipient},
      {"--html", "", "Print its page alone, decoded", &flags->html},
      {"--text", "", "Print its text alone, decoded", &flags->text},
      {"--browser", "", "Open its page ($BROWSER, xdg-open), and print its file", &flags->browser},
      {"--dialect", "NAME", "As for send", &flags->dialect},
  };
  flags->jobs.describe(command);
  command.examples = render_examples;
  command.run = [flags] { return run_render(*flags); };
  return command;
}

}  // namespace ringpost::cli
