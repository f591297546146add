#pragma once

#include <string>

#include "gateway/base/clock.h"
#include "gateway/base/random.h"
#include "gateway/store/store.h"

namespace postrider {

// Has the store count what earlier processes died of, as the file at `path` says, empties the file,
// and sees to it that a death of this process by its own fault is written there (E8).
//
// After the store was opened, so that no other process uses the file; before what is to be blamed
// is worked on and before anybody else uses the store. Of a disk that is full or failing it says so
// in the log and goes on: what the store does not take now is counted at the next start.
void CountEarlierDeaths(const std::string& path, Store* store, const Clock* clock, Random* random);

}  // namespace postrider
