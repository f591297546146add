#include "gateway/model/ids.h"

namespace postrider {

namespace {

// FNV-1a-64, going on from `hash`.
uint64_t Hash(absl::string_view text, uint64_t hash = 0xcbf29ce484222325U) {
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

}  // namespace

ShardId ShardOf(absl::string_view organization, uint32_t shard_count) {
  return static_cast<ShardId>(Hash(organization) % shard_count);
}

OrderingKey OrderingKeyOf(absl::string_view organization, absl::string_view key) {
  const uint64_t hash = Hash(key, Hash(absl::string_view("\0", 1), Hash(organization)));
  return hash == 0 ? 1 : hash;
}

}  // namespace postrider
