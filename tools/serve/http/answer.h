// What a client is told: a status, fields, and a body that is known or comes piece by piece.
#pragma once

#include <cstddef>
#include <string>

#include "tools/serve/http/request_reader.h"
#include <ringpost/base.h>

namespace ringpost::http {

// Whole. Fields that not every answer has are empty.
struct Answer {
  int status_code = 200;
  std::string content_type = "application/json";
  std::string allow;        // of 405
  bool asks_again = false;  // of 429 and 503: Retry-After
  bool asks_for_token = false;
  std::string body;
};

// {"error":..., "hint":...} and a newline, as every error is told.
[[nodiscard]] std::string error_json(Bytes error, Bytes hint);
[[nodiscard]] Answer error_answer(int status, Bytes error, Bytes hint);

struct AnswerForm {
  bool is_http_1_0 = false;
  bool keeps_alive = true;
  bool has_body = true;  // not for HEAD
};

// Head and body. No lines but those of the answer: what it says of a client's is in the body.
void append_answer(std::string& out, const Answer& answer, const AnswerForm& form);
// The head alone, of a body of so many octets that follows piece by piece.
void append_answer_head(std::string& out, const Answer& answer, const AnswerForm& form,
                        std::size_t body_bytes);
// The head of a body whose length nobody knows; in HTTP/1.0 it ends with the connection.
void append_stream_head(std::string& out, Bytes content_type, const AnswerForm& form);
// Octets of such a body; nothing for none, which would be its end.
void append_piece(std::string& out, Bytes octets, const AnswerForm& form);
void append_stream_end(std::string& out, const AnswerForm& form);
// HTTP/1.1 100 Continue: the body may come.
void append_continue(std::string& out);

}  // namespace ringpost::http
