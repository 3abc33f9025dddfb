// The problem: there are some hundred charsets of mail, each with its tables. The idea: iconv of
// the C library has them, on every machine; names that it does not know, or knows in a narrower
// sense than mail programs mean, are translated first. Limits: what iconv does not convert octet by
// octet is an error; nothing is replaced by a question mark.
#include "tools/send/charset.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <iconv.h>
#include <utility>

#include <fmt/format.h>

#include "codec/text/ascii.h"
#include "codec/text/utf8.h"

namespace ringpost::cli {

namespace {

constexpr std::size_t charset_name_bytes_max = 40;

constexpr std::array<std::pair<Bytes, Bytes>, 24> meant_charsets = {{
    {"utf8", "UTF-8"},
    {"ascii", "US-ASCII"},
    {"ansi_x3.4-1968", "US-ASCII"},
    {"iso-8859-1", "WINDOWS-1252"},
    {"iso8859-1", "WINDOWS-1252"},
    {"latin1", "WINDOWS-1252"},
    {"iso-8859-9", "WINDOWS-1254"},
    {"iso-8859-11", "CP874"},
    {"tis-620", "CP874"},
    {"windows-874", "CP874"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-8-e", "ISO-8859-8"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"x-gbk", "GB18030"},
    {"hz-gb-2312", "HZ"},
    {"big5", "BIG5-HKSCS"},
    {"shift_jis", "CP932"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"ks_c_5601-1987", "CP949"},
    {"euc-kr", "CP949"},
    {"x-mac-roman", "MACINTOSH"},
    {"unicode-1-1-utf-7", "UTF-7"},
}};

// For iconv, an empty name is the locale's and a slash begins an instruction.
bool is_charset_name(Bytes name) {
  return !name.empty() && name.size() <= charset_name_bytes_max &&
         std::all_of(name.begin(), name.end(), [](char character) {
           return codec::is_alphanumeric(character) ||
                  Bytes("-_.:+()").find(character) != Bytes::npos;
         });
}

std::string meant_charset(Bytes name) {
  for (const auto& [said, meant] : meant_charsets) {
    if (codec::equal_without_case(name, said)) {
      return std::string(meant);
    }
  }
  return std::string(name);
}

class Conversion {
 public:
  explicit Conversion(const std::string& charset) : state_(iconv_open("UTF-8", charset.c_str())) {}
  ~Conversion() {
    if (is_known()) {
      iconv_close(state_);
    }
  }
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  [[nodiscard]] bool is_known() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): iconv's own sign
    return state_ != reinterpret_cast<iconv_t>(-1);
  }

  // The offset of the first octet that is no text, or the length.
  std::size_t run(Bytes octets, std::string& out) {
    // iconv reads through it, whatever its type says.
    char* from = const_cast<char*>(octets.data());
    std::size_t from_bytes = octets.size();
    bool is_flushed = false;
    while (!is_flushed) {
      const std::size_t before = out.size();
      out.resize(before + from_bytes * 2 + 64);
      char* to = out.data() + before;
      std::size_t to_bytes = out.size() - before;
      const bool is_end = from_bytes == 0;
      const std::size_t result =
          iconv(state_, is_end ? nullptr : &from, is_end ? nullptr : &from_bytes, &to, &to_bytes);
      const int error = errno;
      out.resize(out.size() - to_bytes);
      if (result == static_cast<std::size_t>(-1) && error != E2BIG) {
        return octets.size() - from_bytes;
      }
      is_flushed = is_end && result != static_cast<std::size_t>(-1);
    }
    return octets.size();
  }

 private:
  iconv_t state_;
};

Result<std::string, std::string> checked_utf8(Bytes octets, Bytes charset) {
  const std::size_t valid = codec::valid_utf8_prefix(octets);
  if (valid != octets.size()) {
    return Failure(fmt::format("octet {} of {} is no {}", valid + 1, octets.size(), charset));
  }
  return std::string(octets);
}

}  // namespace

Result<std::string, std::string> to_utf8(Bytes charset, Bytes octets) {
  if (!is_charset_name(charset)) {
    return Failure(std::string("its charset has no name that one may have"));
  }
  const std::string meant = meant_charset(charset);
  if (codec::equal_without_case(meant, "UTF-8")) {
    return checked_utf8(octets, "UTF-8");
  }
  if (codec::equal_without_case(meant, "US-ASCII")) {
    return checked_utf8(octets, "ASCII, and not UTF-8, either: its charset has to be named");
  }
  Conversion conversion(meant);
  if (!conversion.is_known()) {
    return Failure(fmt::format(
        "the charset \"{}\" is not known to this machine's iconv: save it as UTF-8", charset));
  }
  std::string out;
  const std::size_t converted = conversion.run(octets, out);
  if (converted != octets.size()) {
    return Failure(fmt::format("octet {} of {} is no {}", converted + 1, octets.size(), charset));
  }
  return out;
}

}  // namespace ringpost::cli
