// The problem: a million recipients, and a template that is gone through for each of them. The
// idea: the steps are one list, in which a section is left out or gone through again by a jump, so
// all that a walk needs is a stack of the sections around, which is kept. Limits: octets, steps and
// partials within themselves are counted, so that no values make a walk long or deep.
#include <algorithm>
#include <optional>

#include "codec/template/mustache.h"
#include "codec/template/mustache_program.h"
#include <ringpost/limits.h>

namespace ringpost::codec {

namespace {

// "0", "-0.00", "0e9"
bool is_zero(Bytes number) {
  const Bytes digits = number.substr(0, number.find_first_of("eE"));
  return digits.find_first_of("123456789") == Bytes::npos;
}

bool is_false(const MergeData& data, MergeData::Node node) {
  switch (data.kind(node)) {
    case MergeData::Kind::null:
      return true;
    case MergeData::Kind::boolean:
      return data.text(node) == "false";
    case MergeData::Kind::number:
      return is_zero(data.text(node));
    case MergeData::Kind::string:
      return data.text(node).empty();
    case MergeData::Kind::list:
      return data.first(node) == MergeData::none;
    case MergeData::Kind::object:
      return false;
  }
  return true;
}

}  // namespace

class MustacheWalk::Run {
 public:
  Run(MustacheWalk& walk, const Mustache::Program& program, MergeLayers layers,
      MissingPolicy missing, std::size_t bytes_max, MustacheOutput& output)
      : walk_(walk),
        program_(program),
        layers_(layers),
        missing_(missing),
        bytes_left_(bytes_max),
        output_(output) {
    walk_.contexts_.clear();
    walk_.calls_.clear();
  }

  Result<void, RenderError> run() {
    std::size_t steps_left = limits::template_walk_steps_max;
    while (program_.steps[next_].kind != Kind::stop) {
      take(program_.steps[next_]);
      if (!error_ && --steps_left == 0) {
        refuse(RenderError::Kind::too_long, {});
      }
      if (error_) {
        return Failure(std::move(*error_));
      }
    }
    return {};
  }

 private:
  using Kind = MustacheStep::Kind;

  // Does the step, and says which one is next.
  void take(const MustacheStep& step) {
    ++next_;
    switch (step.kind) {
      case Kind::literal:
        return add_literal(step);
      case Kind::value:
        return add_value(step);
      case Kind::section:
        return enter(step);
      case Kind::section_end:
        return go_round(step);
      case Kind::inverted:
        if (const Context found = find(step.index); !is_left_out(found)) {
          next_ = step.target + 1;
        }
        return;
      case Kind::call:
        if (walk_.calls_.size() == limits::template_depth_max) {
          return refuse(RenderError::Kind::too_deep, program_.name(step.index));
        }
        walk_.calls_.push_back(next_);
        next_ = step.target;
        return;
      case Kind::too_deep:
        return refuse(RenderError::Kind::too_deep, program_.name(step.index));
      case Kind::back:
        next_ = walk_.calls_.back();
        walk_.calls_.pop_back();
        return;
      case Kind::inverted_end:
      case Kind::stop:
        return;
    }
  }

  // ---- Literals and values ----------------------------------------------------------------------

  void add_literal(const MustacheStep& step) {
    const Bytes text = program_.literal(step.index);
    if (spend(text)) {
      output_.add_literal(step.index, text);
    }
  }

  // A value's text. No std::optional: one that is copied while it is written stalls the processor
  // for longer than the rest of a value takes.
  struct Found {
    Bytes text;
    bool is_there = false;
  };

  void add_value(const MustacheStep& step) {
    const Context found = find(step.index);
    Found value;
    if (found.node != MergeData::none) {
      const MergeData::Kind kind = found.data->kind(found.node);
      const bool is_text = kind != MergeData::Kind::list && kind != MergeData::Kind::object;
      if (!is_text && missing_ == MissingPolicy::invalid) {
        return refuse(RenderError::Kind::no_text, program_.name(step.index));
      }
      if (is_text && kind != MergeData::Kind::null) {
        value.text = found.data->text(found.node);
        value.is_there = true;
      }
    }
    if (step.filter_count > 0) {
      apply_filters(step, value);
    }
    if (!value.is_there && missing_ == MissingPolicy::invalid) {
      return refuse(RenderError::Kind::missing, program_.name(step.index));
    }
    if (!value.text.empty() && spend(value.text)) {
      output_.add_value(value.text, step.escaped);
    }
  }

  // Each filter writes into the text that the one before it did not write into.
  void apply_filters(const MustacheStep& step, Found& value) {
    for (std::size_t i = 0; i < step.filter_count; ++i) {
      const ValueFilter& filter = program_.filters[step.first_filter + i];
      if (filter.kind == ValueFilter::Kind::default_text) {
        value.text = value.text.empty() ? Bytes(filter.text) : value.text;
        value.is_there = true;
      } else if (value.is_there && value.text.size() <= bytes_left_) {
        std::string& out = walk_.filtered_[i % walk_.filtered_.size()];
        out.clear();
        append_filtered(out, filter, value.text);
        value.text = out;
      }
    }
  }

  bool spend(Bytes text) {
    if (text.size() > bytes_left_) {
      refuse(RenderError::Kind::too_large, {});
      return false;
    }
    bytes_left_ -= text.size();
    return true;
  }

  // ---- Sections ---------------------------------------------------------------------------------

  void enter(const MustacheStep& step) {
    Context context = find(step.index);
    if (is_left_out(context)) {
      next_ = step.target + 1;
      return;
    }
    if (context.data->kind(context.node) == MergeData::Kind::list) {
      context.node = context.data->first(context.node);
      context.is_element = true;
    }
    walk_.contexts_.push_back(context);
  }

  void go_round(const MustacheStep& end) {
    Context& context = walk_.contexts_.back();
    const MergeData::Node next =
        context.is_element ? context.data->next(context.node) : MergeData::none;
    if (next != MergeData::none) {
      context.node = next;
      next_ = end.target + 1;
    } else {
      walk_.contexts_.pop_back();
    }
  }

  static bool is_left_out(const Context& found) {
    return found.node == MergeData::none || is_false(*found.data, found.node);
  }

  // ---- Names ------------------------------------------------------------------------------------

  [[nodiscard]] Context find(std::size_t name) const {
    const MustacheName& path = program_.names[name];
    if (path.part_count == 0) {
      return innermost();
    }
    Context found = find_first(program_.named(program_.name_parts[path.first_part]));
    for (std::size_t i = 1; i < path.part_count && found.node != MergeData::none; ++i) {
      found.node =
          found.data->find(found.node, program_.named(program_.name_parts[path.first_part + i]));
    }
    return found;
  }

  [[nodiscard]] Context innermost() const {
    if (!walk_.contexts_.empty()) {
      Context context = walk_.contexts_.back();
      context.is_element = false;
      return context;
    }
    return layers_.empty() ? Context() : Context{layers_.front(), MergeData::root};
  }

  [[nodiscard]] Context find_first(Bytes part) const {
    const std::vector<Context>& around = walk_.contexts_;
    for (auto context = around.rbegin(); context != around.rend(); ++context) {
      const MergeData::Node node = context->data->find(context->node, part);
      if (node != MergeData::none) {
        return {context->data, node};
      }
    }
    for (const MergeData* layer : layers_) {
      const MergeData::Node node = layer->find(MergeData::root, part);
      if (node != MergeData::none) {
        return {layer, node};
      }
    }
    return {};
  }

  void refuse(RenderError::Kind kind, Bytes name) { error_ = RenderError{kind, std::string(name)}; }

  MustacheWalk& walk_;
  const Mustache::Program& program_;
  MergeLayers layers_;
  MissingPolicy missing_;
  std::size_t bytes_left_;
  MustacheOutput& output_;
  std::uint32_t next_ = 0;
  std::optional<RenderError> error_;
};

Result<void, RenderError> MustacheWalk::render(const Mustache& source, MergeLayers layers,
                                               MissingPolicy missing, std::size_t bytes_max,
                                               MustacheOutput& output) {
  return Run(*this, *source.program_, layers, missing, bytes_max, output).run();
}

}  // namespace ringpost::codec
