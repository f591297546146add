#include "gateway/model/ids.h"

namespace postrider {

ShardId ShardOf(absl::string_view organization, uint32_t shard_count) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : organization) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return static_cast<ShardId>(hash % shard_count);
}

}  // namespace postrider
