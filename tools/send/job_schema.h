// Jobs, templates and outcomes as JSON schemas, for editors, for programs that write jobs, and for
// those that read outcomes.
#pragma once

#include <string>

namespace ringpost::cli {

// JSON Schema 2020-12 of a job line, made of the rows that its reader goes by
// (codec/job/job_fields.h). What is valid for the reader is valid for it; what a schema cannot say
// is listed in tests/tools/send/schema_corpus.py.
[[nodiscard]] std::string job_schema();

// The same of a template's file, as JSON has it (tools/send/template_fields.h).
[[nodiscard]] std::string template_schema();

// The same of an outcome line, made of the rows that its writer goes by.
[[nodiscard]] std::string outcome_schema();

}  // namespace ringpost::cli
