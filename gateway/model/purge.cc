#include "gateway/model/purge.h"

#include "gateway/model/event_pattern.h"

namespace postrider {

bool PurgeFilter::Covers(absl::string_view event_type, absl::Time accept_time) const {
  return (event_types.empty() || MatchesAny(event_types, event_type)) &&
         (!accepted_before.has_value() || accept_time < *accepted_before);
}

bool PurgeMark::Covers(ShardId shard, Seq seq, absl::string_view event_type,
                       absl::Time accept_time) const {
  return shard < through.size() && seq <= through[shard] && filter.Covers(event_type, accept_time);
}

}  // namespace postrider
