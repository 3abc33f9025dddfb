// One reader a service: a body into what it says. A part of codec/dialect/dialect.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "codec/dialect/json_tree.h"
#include "codec/dialect/service_message.h"
#include "codec/job/job_error.h"

namespace ringpost::codec {

// Each reads the body at `root`, fills `message` with all that it can, and says the first offence.
using ReadBody = std::optional<JobError> (*)(JsonTree& tree, JsonTree::Node root,
                                             std::int64_t date_us, ServiceMessage& message);

std::optional<JobError> read_sendgrid(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message);
std::optional<JobError> read_mailgun(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                     ServiceMessage& message);
std::optional<JobError> read_postmark(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message);
std::optional<JobError> read_ses(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                 ServiceMessage& message);
std::optional<JobError> read_kumomta(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                     ServiceMessage& message);
std::optional<JobError> read_nodemailer(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                        ServiceMessage& message);
std::optional<JobError> read_listmonk(JsonTree& tree, JsonTree::Node root, std::int64_t date_us,
                                      ServiceMessage& message);

}  // namespace ringpost::codec
