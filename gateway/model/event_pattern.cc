#include "gateway/model/event_pattern.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/status.h"

namespace postrider {
namespace {

bool IsWordCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
}

bool IsWord(absl::string_view segment) {
  return !segment.empty() && std::all_of(segment.begin(), segment.end(), IsWordCharacter);
}

absl::Status ValidateBytes(absl::string_view field, absl::string_view text) {
  if (text.empty()) return InvalidField(field, "required");
  if (text.size() > kEventTypeBytesMax) {
    return InvalidField(field,
                        absl::StrCat(text.size(), " bytes; the limit is ", kEventTypeBytesMax));
  }
  return absl::OkStatus();
}

absl::Status TooManySegments(absl::string_view field, size_t segments) {
  return InvalidField(field,
                      absl::StrCat(segments, " segments; the limit is ", kEventTypeSegmentsMax));
}

absl::string_view First(absl::string_view text) { return text.substr(0, text.find('.')); }

// `text` without its first segment and the dot behind it.
absl::string_view WithoutFirst(absl::string_view text) {
  const size_t dot = text.find('.');
  return dot == absl::string_view::npos ? absl::string_view() : text.substr(dot + 1);
}

bool MatchesFrom(absl::string_view pattern, absl::string_view type) {
  if (pattern.empty()) return type.empty();
  const absl::string_view first = First(pattern);
  const absl::string_view later = WithoutFirst(pattern);
  if (first == "**") {
    return MatchesFrom(later, type) || (!type.empty() && MatchesFrom(pattern, WithoutFirst(type)));
  }
  if (type.empty()) return false;
  if (first == "*") return later.empty() || MatchesFrom(later, WithoutFirst(type));
  return first == First(type) && MatchesFrom(later, WithoutFirst(type));
}

}  // namespace

absl::Status ValidateEventType(absl::string_view field, absl::string_view type) {
  RETURN_IF_ERROR(ValidateBytes(field, type));
  const std::vector<absl::string_view> segments = absl::StrSplit(type, '.');
  if (segments.size() > kEventTypeSegmentsMax) return TooManySegments(field, segments.size());
  if (!std::all_of(segments.begin(), segments.end(), IsWord)) {
    return InvalidField(field,
                        "must be words of letters, digits, '_' and '-' with single dots between");
  }
  return absl::OkStatus();
}

absl::StatusOr<EventPattern> EventPattern::Parse(absl::string_view field, absl::string_view text) {
  RETURN_IF_ERROR(ValidateBytes(field, text));
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  EventPattern pattern;
  size_t unbounded = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "**") {
      pattern.segments_.push_back({Kind::kAny, ""});
      ++unbounded;
    } else if (parts[i] == "*") {
      const bool last = i + 1 == parts.size();
      pattern.segments_.push_back({last ? Kind::kOneOrMore : Kind::kOne, ""});
    } else if (IsWord(parts[i])) {
      pattern.segments_.push_back({Kind::kWord, std::string(parts[i])});
    } else {
      return InvalidField(field,
                          "each segment must be '*', '**' or a word of letters, digits, '_' and "
                          "'-'; a '*' cannot be part of a word");
    }
  }
  if (unbounded > 1) return InvalidField(field, "'**' may stand once; the limit is 1");
  if (parts.size() - unbounded > kEventTypeSegmentsMax) {
    return TooManySegments(field, parts.size() - unbounded);
  }
  return pattern;
}

void EventPattern::AppendShapes(size_t length, std::vector<Shape>* shapes) const {
  AppendShapesFrom(0, 0, length, Shape{}, shapes);
}

void EventPattern::AppendShapesFrom(size_t segment, size_t place, size_t length, Shape shape,
                                    std::vector<Shape>* shapes) const {
  if (segment == segments_.size()) {
    if (place == length) shapes->push_back(shape);
    return;
  }
  const Segment& next = segments_[segment];
  if (next.kind == Kind::kAny) {
    for (size_t after = place; after <= length; ++after) {
      AppendShapesFrom(segment + 1, after, length, shape, shapes);
    }
    return;
  }
  if (place >= length) return;
  if (next.kind == Kind::kOneOrMore) {
    shapes->push_back(shape);
    return;
  }
  if (next.kind == Kind::kWord) shape[place] = &next.word;
  AppendShapesFrom(segment + 1, place + 1, length, shape, shapes);
}

bool PatternMatches(absl::string_view pattern, absl::string_view type) {
  if (absl::StartsWith(type, kOperationalPrefix)) {
    if (First(pattern) == "**") pattern = WithoutFirst(pattern);
    if (First(pattern) != First(type)) return false;
  }
  return MatchesFrom(pattern, type);
}

bool MatchesAny(const std::vector<std::string>& patterns, absl::string_view type) {
  if (patterns.empty()) return !absl::StartsWith(type, kOperationalPrefix);
  return std::any_of(patterns.begin(), patterns.end(),
                     [type](const std::string& pattern) { return PatternMatches(pattern, type); });
}

}  // namespace postrider
