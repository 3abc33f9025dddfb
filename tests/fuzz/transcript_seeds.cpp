// Makes seeds for session_fuzz of the sessions in tests/transcripts.
//
//   transcript_seeds OUTPUT_FOLDER TRANSCRIPT...
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "tests/fuzz/session_script.h"
#include "tests/support/transcript.h"

using namespace ringpost;
using fuzz::SessionScript;
using fuzz::Step;
using fuzz::StepKind;
using test::Transcript;
using test::TranscriptStep;
using test::TranscriptStepKind;

namespace {

// Longer ones are about the bounds of replies, which reply_fuzz looks after.
constexpr std::size_t server_bytes_max = 4096;

void append_say(std::vector<Step>& steps, Bytes octets) {
  while (!octets.empty()) {
    const Bytes piece = octets.substr(0, 255);
    steps.push_back({StepKind::say, static_cast<std::uint8_t>(piece.size()), std::string(piece)});
    octets.remove_prefix(piece.size());
  }
}

void append_step(std::vector<Step>& steps, const TranscriptStep& step) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(step.duration).count();
  switch (step.kind) {
    case TranscriptStepKind::server:
      append_say(steps, step.octets);
      break;
    case TranscriptStepKind::client:
      if (step.more) {
        steps.push_back({StepKind::pull, 0, {}});
        steps.push_back({StepKind::hand_over, 230, {}});
      } else {
        steps.push_back({StepKind::drain, 0, {}});
      }
      break;
    case TranscriptStepKind::submit:
    case TranscriptStepKind::resubmit:
      steps.push_back({StepKind::submit, static_cast<std::uint8_t>(step.job), {}});
      break;
    case TranscriptStepKind::tls:
      steps.push_back({StepKind::tls, 0, {}});
      break;
    case TranscriptStepKind::close:
      steps.push_back({StepKind::transport_closed, 0, {}});
      break;
    case TranscriptStepKind::reset:
      steps.push_back({StepKind::transport_closed, 1, {}});
      break;
    case TranscriptStepKind::abort:
      steps.push_back({StepKind::abort, 0, {}});
      break;
    case TranscriptStepKind::quit:
      steps.push_back({StepKind::quit, 0, {}});
      break;
    case TranscriptStepKind::wait:
      steps.push_back(
          {StepKind::wait, static_cast<std::uint8_t>(std::min<std::int64_t>(seconds, 255)), {}});
      break;
    case TranscriptStepKind::timeout:
      steps.push_back({StepKind::deadline, 0, {}});
      break;
    case TranscriptStepKind::verdict:
    case TranscriptStepKind::closed:
      break;
  }
}

SessionScript script_of(const Transcript& transcript) {
  SessionScript script;
  script.options = transcript.options;
  script.knowledge = transcript.knowledge;
  for (const test::MailText& job : transcript.jobs) {
    script.jobs.push_back({static_cast<std::uint8_t>(job.recipients.size()),
                           fuzz::most_similar_content(job.content)});
  }
  if (script.jobs.empty()) {
    script.jobs.emplace_back();
  }
  for (const TranscriptStep& step : transcript.steps) {
    append_step(script.steps, step);
  }
  return script;
}

std::size_t write_seeds(const std::filesystem::path& folder, const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto transcripts = test::parse_transcripts(text);
  if (!transcripts) {
    throw std::runtime_error(path.string() + ":" + transcripts.error());
  }
  std::size_t written = 0;
  for (const Transcript& transcript : *transcripts) {
    if (transcript.server_bytes() > server_bytes_max) {
      continue;
    }
    const SessionScript script = script_of(transcript);
    const std::string seed = fuzz::encode_script(script);
    const auto* const octets = reinterpret_cast<const std::uint8_t*>(seed.data());
    if (fuzz::decode_script(octets, seed.size()).steps != script.steps) {
      throw std::runtime_error(path.string() + ": the seed of a session means another one");
    }
    const std::string name = path.stem().string() + "-" + std::to_string(++written);
    std::ofstream(folder / name, std::ios::binary) << seed;
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::filesystem::create_directories(argv[1]);
    std::size_t written = 0;
    for (int i = 2; i < argc; ++i) {
      written += write_seeds(argv[1], argv[i]);
    }
    std::printf("%zu seeds\n", written);
    return written == 0 ? 1 : 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
