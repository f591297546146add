#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/model/ids.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// Finds where in a shard's log a time is. Accept times never go back (L2): the segments narrow it
// down, halving finds it. One thread at a time, as the connection.
class SqliteTimeline {
 public:
  // `database` outlives this.
  explicit SqliteTimeline(Database* database);

  // The first seq of an event accepted at `time` or later, of those from `first` to `head`, which
  // are there; `head` + 1 if there is none.
  absl::StatusOr<Seq> SeqAt(ShardId shard, Seq first, Seq head, absl::Time time);

 private:
  absl::StatusOr<Seq> SegmentSeq(Statement* statement, ShardId shard, int64_t time, Seq otherwise);

  Statement select_segment_before_;
  Statement select_segment_from_;
  Statement select_accept_time_;
};

}  // namespace postrider
