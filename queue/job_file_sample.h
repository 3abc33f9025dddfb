// What binds a journal to its job files without reading all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "codec/journal/journal_record.h"
#include "queue/journal_error.h"
#include <ringpost/base.h>

namespace ringpost::queue {

// The size of what can only be read once.
inline constexpr std::uint64_t job_file_size_unknown = ~std::uint64_t{0};
// In the place of the sample, beside that size: of a file that is still written to. Line hashes
// alone bind it.
inline constexpr std::uint64_t job_file_grows = 1;

// Size, and a hash over the first, the middle and the last 64 KiB of the octets as they are, which
// of a file up to three times that is all. "-", and whatever is no ordinary file, can only be read
// once: size ~0, hash 0. A change between the samples that keeps the size is not seen here; the
// line hashes of the records find it where it counts.
[[nodiscard]] Result<codec::JournalFile, JournalError> sample_job_file(
    const std::string& path, codec::LineHashKind hash = codec::LineHashKind::xxh3_128);

// In what way the files of now are not those of then; a clause that names the first that differs.
// Nothing when they are the same, wherever they stand now.
[[nodiscard]] std::optional<std::string> job_files_difference(
    std::span<const codec::JournalFile> then, std::span<const codec::JournalFile> now);

}  // namespace ringpost::queue
