// A DNS of a few records, for tests of walks.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/domain/dns_answer.h"

namespace ringpost::cli {

class Zone {
 public:
  Zone& txt(const std::string& name, std::string text) {
    records_[{name, DnsType::txt}].push_back(std::move(text));
    return *this;
  }
  Zone& add(const std::string& name, DnsType type, std::string value) {
    records_[{name, type}].push_back(std::move(value));
    return *this;
  }
  // Whoever asks for it gets no answer.
  Zone& fails(const std::string& name) {
    failing_[name] = "SERVFAIL";
    return *this;
  }

  [[nodiscard]] AskDns ask() {
    return [this](const std::vector<DnsQuestion>& questions) {
      std::vector<DnsAnswer> answers;
      for (const DnsQuestion& question : questions) {
        asked_ += 1;
        const auto found = records_.find({question.name, question.type});
        DnsAnswer answer;
        if (failing_.contains(question.name)) {
          answer.error = failing_[question.name];
        } else if (found == records_.end()) {
          answer.result = DnsResult::no_name;
        } else {
          answer = {DnsResult::found, found->second, {}, {}};
        }
        answers.push_back(std::move(answer));
      }
      return answers;
    };
  }
  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  std::map<std::pair<std::string, DnsType>, std::vector<std::string>> records_;
  std::map<std::string, std::string> failing_;
  std::size_t asked_ = 0;
};

}  // namespace ringpost::cli
