#include "gateway/store/sqlite_timeline.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/status.h"
#include "gateway/store/codec.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_sql.h"

namespace postrider {

SqliteTimeline::SqliteTimeline(Database* database)
    : select_segment_before_(database, sql::kSelectSegmentBefore),
      select_segment_from_(database, sql::kSelectSegmentFrom),
      select_accept_time_(database, sql::kSelectAcceptTime) {}

absl::StatusOr<Seq> SqliteTimeline::SeqAt(ShardId shard, Seq first, Seq head, absl::Time time) {
  const int64_t stored = ToStoredTime(time);
  ASSIGN_OR_RETURN(Seq high, SegmentSeq(&select_segment_from_, shard, stored, head + 1));
  // No segment begins before it: then what is there begins where the first one does.
  ASSIGN_OR_RETURN(Seq low, SegmentSeq(&select_segment_before_, shard, stored, high));
  // The first segment may have lost its beginning (C7).
  low = std::max(low, first);
  high = std::max(high, low);
  while (low < high) {
    const Seq middle = low + (high - low) / 2;
    Query query(&select_accept_time_);
    if (!query.Int(RowKey(shard, middle)).Row()) {
      RETURN_IF_ERROR(query.status());
      return absl::DataLossError(absl::StrCat("store: event ", middle, " is missing"));
    }
    if (query.NextInt() < stored) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

absl::StatusOr<Seq> SqliteTimeline::SegmentSeq(Statement* statement, ShardId shard, int64_t time,
                                               Seq otherwise) {
  Query query(statement);
  const bool found = query.Uint(shard).Int(time).Row();
  RETURN_IF_ERROR(query.status());
  return found ? query.NextUint() : otherwise;
}

}  // namespace postrider
