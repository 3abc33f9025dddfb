// The problem: who writes jobs, reads outcomes or sets keys looks for a word, not for a chapter.
// The idea: the rows that the readers go by, one item each. Limits: what goes together with what is
// said by the schemas and by `config check`.
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "codec/job/job_fields.h"
#include "codec/job/outcome_fields.h"
#include "tools/manual/manual_page.h"
#include "tools/process/program_version.h"
#include "tools/send/template_fields.h"
#include "tools/settings/key_table.h"
#include "tools/settings/send_setting.h"
#include "tools/settings/serve_setting.h"
#include <ringpost/outcome.h>

namespace ringpost::cli {

namespace {

std::string from_words() { return fmt::format("ringpost {}", program_version()); }

template <typename Rows>
void add_rows(PageText& page, const Rows& rows) {
  for (const auto& row : rows) {
    std::string help = fmt::format("{}. Must be {}", row.help, codec::words_of(row.value));
    if (row.bytes_max > 0) {
      help += fmt::format(", {} octets at most", row.bytes_max);
    }
    if (row.count_max > 0) {
      help += fmt::format(", {} of them at most", row.count_max);
    }
    if (!row.excludes.empty()) {
      std::string names;
      for (const auto field : row.excludes) {
        for (const auto& other : rows) {
          if (other.field == field && field != row.field) {
            names += (names.empty() ? "" : ", ") + std::string(other.name);
          }
        }
      }
      help += "; not beside " + names;
    }
    page.item(row.name, help + ".");
  }
}

ManualPage jobs_page() {
  PageText page("ringpost-jobs", 5, "jobs for ringpost, one JSON object a line", from_words());
  page.section("DESCRIPTION");
  page.paragraph(
      "UTF-8, a line each, also packed by gzip or zstd. A field that is unknown, or there twice, "
      "makes the job invalid; the others go on. ringpost validate --schema jobs prints the same as "
      "a JSON Schema.");
  page.section("FIELDS");
  add_rows(page, codec::job_rows);
  page.section("AN ADDRESS");
  page.paragraph("\"a@b\", \"Name <a@b>\", or an object:");
  add_rows(page, codec::mailbox_rows);
  page.section("A RECIPIENT OF recipients");
  add_rows(page, codec::recipient_rows);
  page.section("AN ATTACHMENT");
  add_rows(page, codec::attachment_rows);
  page.section("THE ENVELOPE");
  add_rows(page, codec::envelope_rows);
  page.section("ITS dsn");
  add_rows(page, codec::dsn_rows);
  page.section("A TEMPLATE'S FILE");
  page.paragraph(
      "Of ringpost send --template: JSON or TOML with these, or a saved message (.eml).");
  for (const TemplateRow& row : template_rows) {
    page.item(row.name, row.help);
  }
  page.see_also("ringpost-send(1), ringpost-validate(1), ringpost-outcomes(5)");
  return {.name = "ringpost-jobs", .section = 5, .text = std::move(page)};
}

struct StatusRow {
  Status status;
  const char* meaning;
};
// docs/CONTRACT.md section 3.
constexpr StatusRow status_rows[] = {
    {Status::accepted, "A 2xx to this very message's end of data was read"},
    {Status::rejected, "5xx for this recipient or message, or what a reply rule makes final"},
    {Status::deferred, "4xx, and the attempts or the deadline ran out; a resume sends it"},
    {Status::unsent, "Its end of data was never handed to the kernel; a resume sends it"},
    {Status::unknown,
     "End of data was handed over and no reply was read: it may have been accepted"},
    {Status::invalid, "Refused before any octet of it was sent"},
    {Status::expired, "Over age or over the deadline"},
    {Status::skipped, "Left out on purpose: suppressed, or a duplicate"},
};

ManualPage outcomes_page() {
  PageText page("ringpost-outcomes", 5, "what became of each recipient, one JSON object a line",
                from_words());
  page.section("DESCRIPTION");
  page.paragraph(
      "Exactly one line for each recipient of each job, whatever happens; with \"final\":false a "
      "line is about an attempt that another one follows. Fields and words are only ever added.");
  page.section("FIELDS");
  for (const codec::OutcomeRow& row : codec::outcome_rows) {
    const bool has_members = row.value == codec::OutcomeValue::durations;
    page.item(row.name(),
              fmt::format("{}{}{}", row.help, has_members ? ": queue, submit, total" : "",
                          row.is_always_there ? "" : ". Optional"));
  }
  page.section("STATUS");
  for (const StatusRow& row : status_rows) {
    page.item(name_of(row.status), row.meaning);
  }
  page.section("STAGE");
  std::string stages;
  for (std::size_t i = 0; i < stage_count; ++i) {
    stages += (i == 0 ? "" : ", ") + std::string(name_of(static_cast<Stage>(i)));
  }
  page.paragraph("How far the message had come: " + stages + ".");
  page.see_also("ringpost-report(1), ringpost-send(1), ringpost-jobs(5)");
  return {.name = "ringpost-outcomes", .section = 5, .text = std::move(page)};
}

std::string key_words(std::string_view help, std::string_view type) {
  return type.empty() ? fmt::format("{}. true or false.", help) : fmt::format("{}. {}", help, type);
}

void add_send_keys(PageText& page, bool in_file) {
  for (const SendKey& key : send_keys()) {
    if (key.in_file == in_file) {
      page.item(in_file ? std::string(key.name) : flag_of(key.name),
                key_words(key.help_text(), key.type) +
                    (in_file ? fmt::format(" Flag {}, variable {}.", flag_of(key.name),
                                           variable_of(key.name))
                             : fmt::format(" Variable {}.", variable_of(key.name))));
    }
  }
}

ManualPage configuration_page() {
  PageText page("ringpost.toml", 5, "settings of ringpost", from_words());
  page.section("DESCRIPTION");
  page.paragraph(
      "TOML. ./ringpost.toml, then ~/.config/ringpost/ringpost.toml, then "
      "/etc/ringpost/ringpost.toml, or the one that --config names; flags and RINGPOST_ variables "
      "come before them. ringpost config check says what is wrong, ringpost config show what holds "
      "and why, ringpost config schema prints a JSON Schema.");
  page.section("[send]");
  add_send_keys(page, true);
  page.section("AS FLAGS AND VARIABLES ALONE");
  add_send_keys(page, false);
  page.section("[endpoint.NAME]");
  const EndpointDraft untouched;
  for (const EndpointKey& key : endpoint_keys()) {
    const std::string usual = key.show == nullptr ? std::string() : key.show(untouched);
    page.item(key.name, key_words(key.help, key.type) +
                            (usual.empty() ? std::string() : fmt::format(" Default {}.", usual)));
  }
  for (const Section& section : serve_sections()) {
    page.section(section.heading());
    for (const SectionKey& key : section.keys) {
      const std::string usual = key.show({});
      page.item(key.name, key_words(key.help, key.type) +
                              (usual.empty() ? std::string() : fmt::format(" Default {}.", usual)));
    }
  }
  page.section("EXAMPLE");
  page.verbatim(R"([send]
endpoint = ["ses"]

[endpoint.ses]
preset = "ses"
region = "eu-west-1"
username = "AKIA..."
password_command = "pass show ses"
rate = "14/s")");
  page.see_also("ringpost-config(1), ringpost-presets(1), ringpost-send(1)");
  return {.name = "ringpost.toml", .section = 5, .text = std::move(page)};
}

}  // namespace

std::vector<ManualPage> file_pages() {
  return {jobs_page(), outcomes_page(), configuration_page()};
}

}  // namespace ringpost::cli
