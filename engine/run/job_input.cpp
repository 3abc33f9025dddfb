// Problem: a line may have many megabytes, a pipe may stop in the middle of one, and files are as
// long as they like.
//
// Idea: one buffer, in which each line is given out where it was read, with room behind it as the
// parser wants it. It grows for a long line and is small again with the next file; what is too long
// even for that is passed over, and told as such. A line whose end cannot be read, or whose reading
// was stopped, is none.
//
// Limits: the last line of a file needs no line end, so a file that was cut off in its last line is
// not told from one that is whole.
#include "engine/run/job_input.h"

#include <chrono>
#include <utility>

namespace ringpost::run {

namespace {

// What a reader has in hand.
struct alignas(64) Walk {
  LineBlock block;
  std::size_t next = 0;  // of the block's lines
  // What await() has found where there was no other block.
  std::optional<Result<bool, InputError>> found;

  [[nodiscard]] std::size_t lines_left() const { return block.lines.size() - next; }
};

// True: there is a line in hand.
Result<bool, InputError> take_block(LineBlocks& blocks, Walk& walk) {
  walk.next = 0;
  auto taken = blocks.next(walk.block);
  return taken;
}

}  // namespace

struct JobInput::State {
  std::unique_ptr<LineBlocks> blocks;
  std::vector<std::unique_ptr<Walk>> walks;
};

Result<JobInput, InputError> JobInput::open(const std::vector<std::string>& files,
                                            int stop_descriptor, const LineBlocksOptions& options) {
  auto blocks = LineBlocks::open(files, stop_descriptor, options);
  if (!blocks) {
    return Failure(std::move(blocks.error()));
  }
  auto state = std::make_unique<State>();
  state->blocks = std::move(*blocks);
  for (std::size_t i = 0; i < options.readers; ++i) {
    state->walks.push_back(std::make_unique<Walk>());
  }
  return JobInput(std::move(state));
}

JobInput::JobInput(std::unique_ptr<State> state) : state_(std::move(state)) {}

JobInput::JobInput(JobInput&&) noexcept = default;

JobInput& JobInput::operator=(JobInput&&) noexcept = default;

JobInput::~JobInput() = default;

std::size_t JobInput::readers() const { return state_->walks.size(); }

const std::vector<TableHeader>& JobInput::headers() const { return state_->blocks->headers(); }

void JobInput::count_through() { state_->blocks->count_through(); }

void JobInput::hear_definitions(DefinitionHook hook) {
  state_->blocks->hear_definitions(std::move(hook));
}

Result<bool, InputError> JobInput::next(Line& line, std::size_t reader) {
  Walk& walk = *state_->walks[reader];
  if (walk.found) {
    auto found = std::move(*walk.found);
    walk.found.reset();
    return found;
  }
  if (walk.lines_left() == 0) {
    if (auto taken = take_block(*state_->blocks, walk); !taken || !*taken) {
      return taken;
    }
  }
  const LineBlock& block = walk.block;
  const LineBlock::Line& found = block.lines[walk.next];
  line.too_long = found.bytes == LineBlock::too_long;
  line.text = line.too_long ? Bytes() : Bytes(block.octets.data() + found.begin, found.bytes);
  line.file = block.file;
  line.source = block.source;
  line.number = found.number;
  line.index = block.first_index + walk.next;
  ++walk.next;
  return true;
}

bool JobInput::may_wait(std::size_t reader) const {
  const Walk& walk = *state_->walks[reader];
  return walk.lines_left() == 0 && !walk.found && state_->blocks->may_wait();
}

void JobInput::await(std::size_t reader) {
  Walk& walk = *state_->walks[reader];
  if (walk.lines_left() == 0 && !walk.found) {
    if (auto taken = take_block(*state_->blocks, walk); !taken || !*taken) {
      walk.found = std::move(taken);
    }
  }
}

bool JobInput::has_in_hand(std::size_t reader) const {
  return readers() > 1 && state_->walks[reader]->lines_left() > 0;
}

void JobInput::put_back(std::size_t reader) {
  Walk& walk = *state_->walks[reader];
  RP_ASSERT(walk.next > 0);
  --walk.next;
}

UnreadLines JobInput::unread(Instant give_up_at) {
  LineBlocks& blocks = *state_->blocks;
  UnreadLines unread;
  unread.from = blocks.place();
  std::uint64_t count = 0;
  std::uint64_t first_block = blocks.last_number() + 1;
  for (const auto& walk : state_->walks) {
    if (walk->lines_left() == 0) {
      continue;
    }
    count += walk->lines_left();
    unread.are_in_one_piece = unread.are_in_one_piece && walk->block.number == blocks.last_number();
    if (walk->block.number < first_block) {
      first_block = walk->block.number;
      unread.from = std::string(walk->block.file) + ":" +
                    std::to_string(walk->block.lines[walk->next].number);
    }
  }
  if (!blocks.is_countable()) {
    return unread;
  }
  blocks.hear_definitions({});  // what is counted is not read
  Walk& scratch = *state_->walks.front();
  while (std::chrono::steady_clock::now() < give_up_at) {
    const auto more = take_block(blocks, scratch);
    if (!more) {
      return unread;  // a file that cannot be read
    }
    if (!*more) {
      unread.count = count;
      return unread;
    }
    count += scratch.lines_left();
  }
  return unread;
}

std::uint64_t JobInput::bytes_read() const { return state_->blocks->bytes_read(); }

std::uint64_t JobInput::bytes_total() const { return state_->blocks->bytes_total(); }

}  // namespace ringpost::run
