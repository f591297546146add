#include "gateway/dispatch/steady_time.h"

#include <algorithm>
#include <utility>

namespace postrider {
namespace {

constexpr absl::Duration kStepMin = absl::Seconds(2);
constexpr int kCorrectionPart = 1000;

}  // namespace

absl::Duration SteadyTime::Update(absl::Time wall, absl::Duration monotonic) {
  const absl::Duration elapsed = monotonic - std::exchange(monotonic_, monotonic);
  const absl::Duration wall_elapsed = wall - std::exchange(wall_, wall);
  if (!now_.has_value()) {
    now_ = wall;
    return absl::ZeroDuration();
  }
  *now_ += elapsed;
  const absl::Duration step = wall_elapsed - elapsed;
  if (absl::AbsDuration(step) > kStepMin) {
    return step;  // What passed before it pays for no correction.
  }
  const absl::Duration correction = elapsed / kCorrectionPart;
  *now_ += std::clamp(wall - *now_, -correction, correction);
  return absl::ZeroDuration();
}

}  // namespace postrider
