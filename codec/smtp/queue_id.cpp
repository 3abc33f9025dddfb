// The problem: no RFC says where the id stands, and every make of server has its own sentence. The
// idea: a list of forms, those with clear words in front first, each tried on all lines before the
// next; a word that no form points to is no id. Limits: forms of servers that have been seen, in
// English; behind `queued as` and `id=` any word is taken, so `queued as spam` names `spam`.
#include "codec/smtp/queue_id.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "codec/text/ascii.h"

namespace ringpost::codec {

namespace {

// Shorter words with a digit are numbers and dates.
constexpr std::size_t id_bytes_min = 6;

// `words` in lower case.
bool starts_with_words(Bytes text, Bytes words) {
  return text.size() >= words.size() &&
         std::equal(words.begin(), words.end(), text.begin(),
                    [](char wanted, char given) { return wanted == lower(given); });
}

Bytes without_spaces_in_front(Bytes text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

// A string's find_first_of() calls memchr() for each of its characters, in every reply.
bool ends_word(char character) {
  switch (character) {
    case ' ':
    case '\t':
    case '>':
    case ';':
    case ',':
    case '(':
    case ')':
    case '[':
    case ']':
      return true;
    default:
      return false;
  }
}

// The word at the front of `text`, without the brackets and full stops that stand around an id.
Bytes word_of(Bytes text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '<' || text.front() == '(')) {
    text.remove_prefix(1);
  }
  const auto end = std::find_if(text.begin(), text.end(), ends_word);
  Bytes word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  while (!word.empty() && (word.back() == '.' || word.back() == ':')) {
    word.remove_suffix(1);
  }
  return word;
}

bool has_digit(Bytes word) { return std::any_of(word.begin(), word.end(), is_digit); }

// An id has a digit and is longer than a word by chance: "250 Ok thanks" has none.
bool looks_like_id(Bytes word) { return word.size() >= id_bytes_min && has_digit(word); }

// What stands behind the words of a marker.
enum class Behind : std::uint8_t {
  name,        // an id, whatever it looks like
  digits,      // an id if it has a digit
  host_as_id,  // `HOST as ID`
};

struct Marker {
  Bytes words;  // in lower case
  Behind behind;
};

constexpr std::array<Marker, 6> markers = {{{"queued as ", Behind::name},
                                            {"id=", Behind::name},
                                            {"ids=", Behind::name},
                                            {"queued with id ", Behind::digits},
                                            {"envelope id ", Behind::digits},
                                            {"queued on ", Behind::host_as_id}}};

// By octet: whether a marker begins with it.
constexpr auto begins_marker = [] {
  std::array<bool, 256> begins{};
  for (const Marker& marker : markers) {
    const char first = marker.words.front();
    begins[static_cast<unsigned char>(first)] = true;
    begins[static_cast<unsigned char>(first & ~0x20)] = true;
  }
  return begins;
}();

Bytes id_behind(Bytes text, Behind behind) {
  switch (behind) {
    case Behind::name:
      return word_of(text);
    case Behind::digits: {
      const Bytes word = word_of(text);
      return has_digit(word) ? word : Bytes();
    }
    case Behind::host_as_id: {
      constexpr Bytes as = " as ";
      text.remove_prefix(std::min(text.find(' '), text.size()));
      return text.starts_with(as) ? word_of(text.substr(as.size())) : Bytes();
    }
  }
  return {};
}

// Of a marker at the front of `rest`.
Bytes id_behind_marker(Bytes rest) {
  for (const auto& [words, behind] : markers) {
    if (starts_with_words(rest, words)) {
      if (const Bytes id = id_behind(rest.substr(words.size()), behind); !id.empty()) {
        return id;
      }
    }
  }
  return {};
}

// In one pass, since every message has such a reply. A marker begins a word: `InternalId=` is no
// `id=`.
Bytes id_behind_words(Bytes line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (!begins_marker[static_cast<unsigned char>(line[at])]) {
      continue;
    }
    if (at == 0 || !is_alphanumeric(line[at - 1])) {
      if (const Bytes id = id_behind_marker(line.substr(at)); !id.empty()) {
        return id;
      }
    }
  }
  return {};
}

bool has_queued(Bytes line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (starts_with_words(line.substr(at), "queued")) {
      return true;
    }
  }
  return false;
}

// `Message Queued (ID)`. More than one word in the parentheses is a remark: `(0.016 seconds)`.
Bytes id_in_parentheses(Bytes line) {
  if (!line.ends_with(')') || !has_queued(line)) {
    return {};
  }
  Bytes inside = line.substr(line.rfind('(') + 1);
  inside.remove_suffix(1);
  return inside.find(' ') == Bytes::npos && looks_like_id(inside) ? inside : Bytes();
}

// `ID Message accepted for delivery`. Hexadecimal digits may all be letters.
Bytes id_in_front(Bytes line) {
  const Bytes word = line.substr(0, line.find(' '));
  const bool hexadecimal = std::all_of(word.begin(), word.end(), is_hexadecimal);
  const bool named = word.size() >= id_bytes_min && (hexadecimal || has_digit(word));
  return named && starts_with_words(line.substr(word.size()), " message accepted") ? word : Bytes();
}

// The only word of the line, or in angle brackets with a remark in square ones behind it. Whatever
// else stands there makes a word one of many: the first of `OK  1700000000 abc.12 - gsmtp` is a
// time.
Bytes id_alone(Bytes line) {
  if (starts_with_words(line, "ok")) {
    Bytes behind = line.substr(2);
    behind.remove_prefix(!behind.empty() && Bytes(".:,").find(behind.front()) != Bytes::npos ? 1
                                                                                             : 0);
    if (!behind.starts_with(' ')) {
      return {};
    }
    line = without_spaces_in_front(behind);
  }
  const Bytes word = word_of(line);
  const bool assigns = word.find('=') < word.find_last_not_of('=');  // `name=value`
  if (!looks_like_id(word) || assigns) {
    return {};
  }
  if (line.starts_with('<')) {
    const Bytes behind = line.substr(std::min(line.find('>'), line.size() - 1) + 1);
    return behind.empty() || behind.starts_with(" [") ? word : Bytes();
  }
  return line.size() - word.size() <= 1 ? word : Bytes();  // a full stop
}

}  // namespace

Bytes find_queue_id(Bytes text) {
  constexpr std::array forms = {id_behind_words, id_in_parentheses, id_in_front, id_alone};
  for (const auto find_in : forms) {
    for (Bytes rest = text; !rest.empty();) {
      Bytes line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      line = without_spaces_in_front(line.substr(0, line.find_last_not_of(" \r") + 1));
      if (const Bytes id = find_in(line); !id.empty()) {
        return id;
      }
    }
  }
  return {};
}

}  // namespace ringpost::codec
