// Problem: a template is written by hand, in one of two formats, with files beside it, and each
// slip in it concerns everybody. Idea: the tree is compared with what is known, member by member;
// what is read from files is read now, once, and all of it makes the identity by which a journal
// knows the template again. Limits: places in JSON are named by member, not by line.
#include "tools/send/template_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "codec/template/merge_json.h"
#include "codec/template/merge_write.h"
#include "codec/text/base64.h"
#include "codec/text/spelling.h"
#include "engine/run/job_file_source.h"
#include "tools/send/eml_template.h"
#include "tools/send/template_fields.h"
#include "tools/send/template_tree.h"
#include <ringpost/limits.h>

namespace ringpost::cli {

namespace {

using codec::MergeData;
using codec::TemplateDefinition;
using Kind = MergeData::Kind;
using Node = MergeData::Node;
using Done = Result<void, std::string>;

constexpr auto template_members = names_of(template_rows);
constexpr auto template_attachment_members = names_of(template_attachment_rows);

// KEY=VALUE or KEY:=JSON, taken apart.
struct SharedValue {
  Bytes key;
  Bytes value;
  bool is_json = false;
};

std::optional<SharedValue> shared_value_of(Bytes text) {
  const std::size_t equals = text.find('=');
  if (equals == Bytes::npos) {
    return std::nullopt;
  }
  SharedValue shared{text.substr(0, equals), text.substr(equals + 1), false};
  if (shared.key.ends_with(':')) {
    shared.is_json = true;
    shared.key.remove_suffix(1);
  }
  return shared.key.empty() ? std::nullopt : std::optional(shared);
}

// Into `data`, whose last member it is then.
Done add_shared_value(Bytes text, MergeData& data) {
  const auto shared = shared_value_of(text);
  if (!shared) {
    return Failure(std::string("write KEY=VALUE, or KEY:=JSON"));
  }
  if (!shared->is_json) {
    data.add(MergeData::root, shared->key, Kind::string, shared->value);
    return {};
  }
  codec::MergeJson reader;
  MergeData object;
  if (auto read = reader.read("{\"value\":" + std::string(shared->value) + "}", object); !read) {
    return Failure(fmt::format("the value of {} is no JSON: {}", shared->key, read.error()));
  }
  codec::MergeWrite write;
  write.copy(object, object.first(MergeData::root), data, MergeData::root, shared->key);
  return {};
}

class TemplateReader {
 public:
  TemplateReader(const std::string& path, std::string content)
      : path_(path), folder_(path.substr(0, path.rfind('/') + 1)), source_(folder_) {
    note_octets(content);
    content_ = std::move(content);
  }

  Result<TemplateFile, std::string> read(const std::vector<std::string>& shared) {
    Done done = path_.ends_with(".eml") ? read_eml() : read_tree();
    done = done ? add_values(shared) : std::move(done);
    if (!done) {
      return Failure(std::move(done.error()));
    }
    file_.identity = codec::hash_line(hashes_);
    return std::move(file_);
  }

 private:
  template <std::size_t count>
  Done check_members(Node object, const std::array<std::string_view, count>& known,
                     std::string_view place) const {
    for (Node one = tree_.first(object); one != MergeData::none; one = tree_.next(one)) {
      if (std::find(known.begin(), known.end(), tree_.key(one)) == known.end()) {
        return refuse(place, codec::unknown_word("field", tree_.key(one), known));
      }
    }
    return {};
  }

  Done read_eml() {
    auto definition = read_eml_template(content_);
    if (!definition) {
      return Failure(fmt::format("{}: {}", path_, definition.error()));
    }
    file_.definition = std::move(*definition);
    return {};
  }

  Done read_tree() {
    auto tree = template_tree(path_, content_);
    if (!tree) {
      return Failure(std::move(tree.error()));
    }
    tree_ = std::move(*tree);
    return read_members();
  }

  Done read_members() {
    TemplateDefinition& to = file_.definition;
    Done done = check_members(MergeData::root, template_members, "");
    const auto text = [&](Bytes name, std::optional<std::string>& member) {
      done = done ? read_text(tree_.find(MergeData::root, name), name, member) : std::move(done);
    };
    text("from", to.from);
    text("reply_to", to.reply_to);
    text("to", to.to);
    text("subject", to.subject);
    text("text", to.text);
    text("html", to.html);
    text("unsubscribe", to.unsubscribe);
    text("list_id", to.list_id);
    done = done ? read_text_of_file("text", to.text) : std::move(done);
    done = done ? read_text_of_file("html", to.html) : std::move(done);
    done = done ? read_headers() : std::move(done);
    done = done ? read_attachments() : std::move(done);
    done = done ? read_partials() : std::move(done);
    return done ? read_envelope() : done;
  }

  // Nothing where it is not there.
  Done read_text(Node node, std::string_view place, std::optional<std::string>& text) const {
    if (node == MergeData::none) {
      return {};
    }
    if (tree_.kind(node) != Kind::string) {
      return refuse(place, "must be a string");
    }
    text.emplace(tree_.text(node));
    return {};
  }

  Done read_text_of_file(std::string_view name, std::optional<std::string>& text) {
    const std::string member = fmt::format("{}_file", name);
    std::optional<std::string> path;
    if (Done done = read_text(tree_.find(MergeData::root, member), member, path); !done || !path) {
      return done;
    }
    if (text) {
      return refuse(member, fmt::format("stands beside {}; give one of them", name));
    }
    return read_file(*path, member, text.emplace());
  }

  Done read_file(const std::string& path, std::string_view place, std::string& content) {
    if (auto read = source_.read(path, limits::message_bytes_max, content); !read) {
      return refuse(place, fmt::format("{}: {}", path, read.error().reason));
    }
    file_.files_read.push_back(
        {"a file of the template", path.starts_with('/') ? path : folder_ + path});
    note_octets(content);
    return {};
  }

  Done read_headers() {
    return for_each_member("headers", [this](Node one) -> Done {
      const std::string place = fmt::format("headers.{}", tree_.key(one));
      const bool is_list = tree_.kind(one) == Kind::list;
      for (Node value = is_list ? tree_.first(one) : one; value != MergeData::none;
           value = is_list ? tree_.next(value) : MergeData::none) {
        if (tree_.kind(value) != Kind::string) {
          return refuse(place, "must be a string or a list of strings");
        }
        file_.definition.headers.push_back(
            {std::string(tree_.key(one)), std::string(tree_.text(value))});
      }
      return {};
    });
  }

  Done read_partials() {
    return for_each_member("partials", [this](Node one) -> Done {
      if (tree_.kind(one) != Kind::string) {
        return refuse(fmt::format("partials.{}", tree_.key(one)), "must be a string");
      }
      file_.definition.partials.push_back(
          {std::string(tree_.key(one)), std::string(tree_.text(one))});
      return {};
    });
  }

  template <typename Read>
  Done for_each_member(std::string_view name, const Read& read) {
    const Node object = tree_.find(MergeData::root, name);
    if (object == MergeData::none) {
      return {};
    }
    if (tree_.kind(object) != Kind::object) {
      return refuse(name, "must be an object");
    }
    for (Node one = tree_.first(object); one != MergeData::none; one = tree_.next(one)) {
      if (Done done = read(one); !done) {
        return done;
      }
    }
    return {};
  }

  Done read_envelope() {
    return for_each_member("envelope", [this](Node one) -> Done {
      if (tree_.key(one) != "from") {
        constexpr auto known = names_of(template_envelope_rows);
        return refuse("envelope", codec::unknown_word("field", tree_.key(one), known));
      }
      return read_text(one, "envelope.from", file_.definition.envelope_sender);
    });
  }

  Done read_attachments() {
    const Node list = tree_.find(MergeData::root, "attachments");
    if (list == MergeData::none) {
      return {};
    }
    if (tree_.kind(list) != Kind::list) {
      return refuse("attachments", "must be a list");
    }
    std::size_t number = 0;
    for (Node one = tree_.first(list); one != MergeData::none; one = tree_.next(one)) {
      if (number == limits::job_attachments_max) {
        return refuse("attachments", fmt::format("are more than {}", limits::job_attachments_max));
      }
      if (Done done = read_attachment(one, fmt::format("attachments[{}]", number++)); !done) {
        return done;
      }
    }
    return {};
  }

  Done read_attachment(Node object, const std::string& place) {
    if (tree_.kind(object) != Kind::object) {
      return refuse(place, "must be an object");
    }
    Done done = check_members(object, template_attachment_members, place);
    std::array<std::optional<std::string>, template_attachment_members.size()> given;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const std::string_view name = template_attachment_members[i];
      done = done ? read_text(tree_.find(object, name), fmt::format("{}.{}", place, name), given[i])
                  : std::move(done);
    }
    if (!done) {
      return done;
    }
    const auto& [file_name, path, content, content_type, cid] = given;
    codec::Attachment attachment{
        file_name.value_or(""), content_type.value_or(""), cid.value_or(""), {}};
    if (path.has_value() == content.has_value()) {
      return refuse(place,
                    path ? "has both \"content\" and \"path\"" : "needs \"content\" or \"path\"");
    }
    if (path) {
      done = read_file(*path, place + ".path", attachment.content);
      if (!file_name) {
        attachment.file_name = path->substr(path->rfind('/') + 1);
      }
    } else if (const auto decoded =
                   codec::decode_base64(*content, codec::Base64Space::skipped, attachment.content);
               !decoded) {
      return refuse(place + ".content",
                    fmt::format("is no base64 from octet {} on", decoded.error().offset));
    }
    file_.definition.attachments.push_back(std::move(attachment));
    return done;
  }

  // Those of --set, and the file's own of other names behind them.
  Done add_values(const std::vector<std::string>& shared) {
    MergeData& merge = file_.definition.merge;
    if (Done added = add_shared_values(shared, merge); !added) {
      return added;
    }
    for (const std::string& one : shared) {
      note_octets(one);
    }
    codec::MergeWrite write;
    return for_each_member("merge", [&](Node one) -> Done {
      if (merge.find(MergeData::root, tree_.key(one)) == MergeData::none) {
        write.copy(tree_, one, merge, MergeData::root, tree_.key(one));
      }
      return {};
    });
  }

  void note_octets(Bytes octets) { codec::append_hex(hashes_, codec::hash_line(octets)); }

  Failure<std::string> refuse(std::string_view place, std::string_view why) const {
    return Failure(fmt::format("{}: {}{}{}", path_, place, place.empty() ? "" : ": ", why));
  }

  const std::string path_;
  const std::string folder_;
  run::JobFileSource source_;
  std::string content_;
  MergeData tree_;
  TemplateFile file_;
  std::string hashes_;
};

}  // namespace

Result<TemplateFile, std::string> read_template_file(const std::string& path,
                                                     const std::vector<std::string>& shared) {
  run::JobFileSource files;
  std::string content;
  if (auto read = files.read(path, limits::message_bytes_max, content); !read) {
    return Failure(fmt::format("{}: {}", path, read.error().reason));
  }
  return TemplateReader(path, std::move(content)).read(shared);
}

Done add_shared_values(const std::vector<std::string>& shared, MergeData& data) {
  std::vector<std::string_view> keys;
  for (auto one = shared.rbegin(); one != shared.rend(); ++one) {
    const auto value = shared_value_of(*one);
    if (value && std::find(keys.begin(), keys.end(), value->key) != keys.end()) {
      continue;
    }
    if (Done added = add_shared_value(*one, data); !added) {
      return Failure("--set: " + added.error());
    }
    keys.push_back(value->key);
  }
  return {};
}

Done check_shared_value(Bytes text) {
  MergeData scratch;
  return add_shared_value(text, scratch);
}

}  // namespace ringpost::cli
