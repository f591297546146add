#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"

namespace postrider {

// A time in which nothing was sent to a subscription because it was paused or disabled.
struct Pause {
  absl::Time begin;
  std::optional<absl::Time> end;  // Not before `begin`. Unset: it lasts; only of the last one.

  friend bool operator==(const Pause&, const Pause&) = default;
};

// Notes in `pauses` whether there is one from `now` on. They stay in order and apart, also if the
// clock steps back. At most kPausesMax are kept: beyond, the two oldest become one, with the time
// between them.
void NotePause(bool paused, absl::Time now, std::vector<Pause>* pauses);

// When what began at `since` has got as old as `age`, where `pauses` do not count (E6). The
// infinite future while a pause lasts that began before.
absl::Time EndOfAge(absl::Time since, absl::Duration age, const std::vector<Pause>& pauses);

}  // namespace postrider
