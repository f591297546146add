#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/base/limits.h"

namespace postrider {

// The types of operational events begin with it: publishers may not use it, and a pattern matches
// them only where it has this very word for their first segment.
inline constexpr absl::string_view kOperationalPrefix = "postrider.";

// INVALID_ARGUMENT of `field` unless `type` is 1 to kEventTypeSegmentsMax segments of
// `[A-Za-z0-9_-]` joined by dots, kEventTypeBytesMax in all. Allows kOperationalPrefix.
absl::Status ValidateEventType(absl::string_view field, absl::string_view type);

// Which event types a subscription wants. Segments are joined by dots; each is a word, taken
// literally, or a wildcard:
//
//     *    as the last segment: one segment or more; elsewhere: exactly one
//     **   any number of segments, none included; at most once in a pattern
//
// So a lone `*` is everything, `message.*` covers `message.create.contact.chat`, and `*.update` has
// two segments. Without the `**` a pattern has at most kEventTypeSegmentsMax segments. Immutable.
class EventPattern {
 public:
  // What a pattern asks of the types of one length: for each segment the word that must stand
  // there, or null where any may. Words point into the pattern.
  using Shape = std::array<const std::string*, kEventTypeSegmentsMax>;

  // Reads `text`; INVALID_ARGUMENT of `field` if it is no pattern.
  static absl::StatusOr<EventPattern> Parse(absl::string_view field, absl::string_view text);

  // Appends a shape for each way in which the pattern covers types of `length` segments, at most
  // kEventTypeSegmentsMax: it matches such a type exactly if one of the shapes fits (operational
  // types apart). Shapes may repeat; there are at most `length`, and one unless the pattern has
  // both a `**` and a trailing `*`.
  void AppendShapes(size_t length, std::vector<Shape>* shapes) const;

 private:
  enum class Kind { kWord, kOne, kOneOrMore, kAny };
  struct Segment {
    Kind kind;
    std::string word;  // When kWord.
  };

  EventPattern() = default;

  void AppendShapesFrom(size_t segment, size_t place, size_t length, Shape shape,
                        std::vector<Shape>* shapes) const;

  std::vector<Segment> segments_;  // kOneOrMore only as the last, kAny at most once.
};

// Whether `pattern`, which EventPattern::Parse() accepts, matches `type`, a valid event type. Tries
// all ways and allocates nothing: for one pair; for many patterns an index is asked.
bool PatternMatches(absl::string_view pattern, absl::string_view type);

// Whether a subscription with these patterns, valid ones, wants `type`: one of them matches, or
// there are none and the type isn't operational.
bool MatchesAny(const std::vector<std::string>& patterns, absl::string_view type);

}  // namespace postrider
