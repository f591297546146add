#include "gateway/model/pause.h"

#include <algorithm>

#include "gateway/base/limits.h"

namespace postrider {

void NotePause(bool paused, absl::Time now, std::vector<Pause>* pauses) {
  const bool lasts = !pauses->empty() && !pauses->back().end.has_value();
  if (paused == lasts) {
    return;
  }
  if (!paused) {
    pauses->back().end = std::max(now, pauses->back().begin);
    return;
  }
  const absl::Time last_end =
      pauses->empty() ? absl::InfinitePast() : pauses->back().end.value_or(now);
  pauses->push_back({.begin = std::max(now, last_end), .end = std::nullopt});
  if (pauses->size() > kPausesMax) {
    pauses->front().end = (*pauses)[1].end;
    pauses->erase(pauses->begin() + 1);
  }
}

absl::Time EndOfAge(absl::Time since, absl::Duration age, const std::vector<Pause>& pauses) {
  absl::Time end = since + age;
  for (const Pause& pause : pauses) {
    const absl::Time begin = std::max(pause.begin, since);
    if (begin >= end) {
      break;
    }
    const absl::Time pause_end = pause.end.value_or(absl::InfiniteFuture());
    end += std::max(pause_end - begin, absl::ZeroDuration());
  }
  return end;
}

}  // namespace postrider
