#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/dispatch/engine.h"
#include "gateway/store/group_commit.h"
#include "gateway/store/open_store.h"

namespace postrider {

// All metrics in Prometheus' text format, version 0.0.4; `silence` is LoopWatch's. Thread-safe:
// reads counters only.
std::string FormatMetrics(const Engine& engine, absl::Duration silence, const Clock& clock,
                          const GroupCommitStats& commits, const StoreStats& store,
                          size_t subscriptions);

}  // namespace postrider
