#include "gateway/accept/json_text.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/accept/json_writer.h"
#include "gateway/accept/utf8.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

static_assert(kJsonDepthMax <= 64, "the open containers are the bits of one word");

constexpr char kHexDigits[] = "0123456789abcdef";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsPlain(char c) {
  return static_cast<uint8_t>(c) >= 0x20 && static_cast<uint8_t>(c) < 0x80 && c != '"' && c != '\\';
}

bool IsHighSurrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool IsLowSurrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// One pass over a text. Each step consumes what it has understood and returns false after it has
// noted the first error.
class Compactor {
 public:
  Compactor(absl::string_view text, std::string* out) : text_(text), out_(out) {}

  bool Run() {
    while (true) {
      SkipSpace();
      if (!BeginValue()) return false;
      if (opened_) continue;
      do {
        if (depth_ == 0) return ExpectEnd();
        if (!EndOfElement()) return false;
      } while (closed_);
    }
  }

  // "malformed JSON at byte 17: …", after Run() has returned false.
  std::string problem() const {
    return absl::StrCat(kind_, " at byte ", error_place_, ": ", problem_);
  }

 private:
  bool AtEnd() const { return place_ >= text_.size(); }
  char Peek() const { return text_[place_]; }

  bool FailAt(size_t place, absl::string_view problem, absl::string_view kind = "malformed JSON") {
    error_place_ = place;
    problem_ = std::string(problem);
    kind_ = std::string(kind);
    return false;
  }
  bool Fail(absl::string_view expected) {
    return FailAt(place_, AtEnd() ? absl::string_view("the text ends too early") : expected);
  }

  void SkipSpace() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) {
      ++place_;
    }
  }

  void Take() { out_->push_back(text_[place_++]); }

  bool InObject() const { return (objects_ >> (depth_ - 1) & 1) != 0; }

  bool ExpectEnd() {
    SkipSpace();
    return AtEnd() || Fail("more text after the value");
  }

  // Reads a scalar, an empty container, or the beginning of a container up to where its first value
  // begins; the latter sets opened_.
  bool BeginValue() {
    opened_ = false;
    if (AtEnd()) return Fail("");
    switch (Peek()) {
      case '{': return Open(/*object=*/true);
      case '[': return Open(/*object=*/false);
      case '"': return String();
      case 't': return Word("true");
      case 'f': return Word("false");
      case 'n': return Word("null");
      default: return Number();
    }
  }

  bool Open(bool object) {
    if (depth_ == kJsonDepthMax) {
      return FailAt(place_, absl::StrCat("nested deeper than ", kJsonDepthMax), "JSON");
    }
    Take();
    SkipSpace();
    if (!AtEnd() && Peek() == (object ? '}' : ']')) {
      Take();
      return true;
    }
    const uint64_t bit = uint64_t{1} << depth_;
    objects_ = object ? objects_ | bit : objects_ & ~bit;
    ++depth_;
    opened_ = true;
    return !object || Key();
  }

  // A key with its colon.
  bool Key() {
    if (AtEnd() || Peek() != '"') return Fail("expected a key in quotes");
    if (!String()) return false;
    SkipSpace();
    if (AtEnd() || Peek() != ':') return Fail("expected ':'");
    Take();
    return true;
  }

  // What follows a value in a container: its end (sets closed_), or a comma and what leads to the
  // next value.
  bool EndOfElement() {
    SkipSpace();
    const bool object = InObject();
    closed_ = !AtEnd() && Peek() == (object ? '}' : ']');
    if (closed_) {
      Take();
      --depth_;
      return true;
    }
    if (AtEnd() || Peek() != ',')
      return Fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
    Take();
    if (!object) return true;
    SkipSpace();
    return Key();
  }

  bool Word(absl::string_view word) {
    if (text_.substr(place_, word.size()) != word) return Fail("expected a value");
    out_->append(word.data(), word.size());
    place_ += word.size();
    return true;
  }

  bool Digits() {
    if (AtEnd() || !IsDigit(Peek())) return Fail("expected a digit");
    while (!AtEnd() && IsDigit(Peek())) ++place_;
    return true;
  }

  bool Number() {
    const size_t begin = place_;
    if (Peek() == '-') {
      ++place_;
    } else if (!IsDigit(Peek())) {
      return Fail("expected a value");
    }
    const size_t whole = place_;
    if (!Digits()) return false;
    if (text_[whole] == '0' && place_ > whole + 1) return FailAt(whole, "a number begins with 0");
    if (!AtEnd() && Peek() == '.') {
      ++place_;
      if (!Digits()) return false;
    }
    if (!AtEnd() && (Peek() == 'e' || Peek() == 'E')) {
      ++place_;
      if (!AtEnd() && (Peek() == '+' || Peek() == '-')) ++place_;
      if (!Digits()) return false;
    }
    out_->append(text_.data() + begin, place_ - begin);
    return true;
  }

  bool String() {
    Take();
    while (true) {
      const size_t begin = place_;
      while (!AtEnd() && IsPlain(Peek())) ++place_;
      out_->append(text_.data() + begin, place_ - begin);
      if (AtEnd()) return FailAt(place_, "a string without its closing quote");
      if (Peek() == '"') {
        Take();
        return true;
      }
      if (!(Peek() == '\\' ? Escape() : Multibyte())) return false;
    }
  }

  bool Multibyte() {
    if (static_cast<uint8_t>(Peek()) < 0x20) return Fail("a control character in a string");
    const size_t bytes = Utf8SequenceBytes(text_.substr(place_));
    if (bytes == 0) return FailAt(place_, "not a UTF-8 sequence", "invalid UTF-8");
    out_->append(text_.data() + place_, bytes);
    place_ += bytes;
    return true;
  }

  bool Escape() {
    const size_t begin = place_++;
    if (AtEnd()) return Fail("");
    char meant = 0;
    switch (Peek()) {
      case '"':
      case '\\':
      case '/': meant = Peek(); break;
      case 'b': meant = '\b'; break;
      case 'f': meant = '\f'; break;
      case 'n': meant = '\n'; break;
      case 'r': meant = '\r'; break;
      case 't': meant = '\t'; break;
      case 'u': return UnicodeEscape(begin);
      default: return FailAt(begin, "an unknown escape");
    }
    ++place_;
    AppendJsonEscaped(absl::string_view(&meant, 1), out_);
    return true;
  }

  // The code unit of the `\uxxxx` at `place`, if one stands there.
  std::optional<uint32_t> CodeUnitAt(size_t place) const {
    if (text_.size() < place + 6 || text_[place] != '\\' || text_[place + 1] != 'u') {
      return std::nullopt;
    }
    uint32_t unit = 0;
    for (size_t i = place + 2; i < place + 6; ++i) {
      const int digit = HexValue(text_[i]);
      if (digit < 0) return std::nullopt;
      unit = unit << 4 | static_cast<uint32_t>(digit);
    }
    return unit;
  }

  bool UnicodeEscape(size_t begin) {
    const std::optional<uint32_t> unit = CodeUnitAt(begin);
    if (!unit.has_value()) return FailAt(begin, "\\u without four hex digits");
    place_ = begin + 6;
    if (IsHighSurrogate(*unit)) {
      const std::optional<uint32_t> low = CodeUnitAt(place_);
      if (low.has_value() && IsLowSurrogate(*low)) {
        place_ += 6;
        AppendUtf8(0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00), out_);
        return true;
      }
    }
    if (IsHighSurrogate(*unit) || IsLowSurrogate(*unit)) {
      AppendLoneSurrogate(*unit);
    } else if (*unit < 0x80) {
      const auto character = static_cast<char>(*unit);
      AppendJsonEscaped(absl::string_view(&character, 1), out_);
    } else {
      AppendUtf8(*unit, out_);
    }
    return true;
  }

  void AppendLoneSurrogate(uint32_t unit) {
    out_->append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out_->push_back(kHexDigits[unit >> shift & 0x0F]);
    }
  }

  const absl::string_view text_;
  std::string* const out_;
  size_t place_ = 0;
  int depth_ = 0;
  uint64_t objects_ = 0;  // Bit i: the open container of depth i + 1 is an object.
  bool opened_ = false;
  bool closed_ = false;
  size_t error_place_ = 0;
  std::string kind_;
  std::string problem_;
};

}  // namespace

absl::Status AppendCompactJson(absl::string_view field, absl::string_view text, std::string* out) {
  const size_t size_before = out->size();
  out->reserve(size_before + text.size());
  Compactor compactor(text, out);
  if (compactor.Run()) {
    return absl::OkStatus();
  }
  out->resize(size_before);
  return InvalidField(field, compactor.problem());
}

}  // namespace postrider
