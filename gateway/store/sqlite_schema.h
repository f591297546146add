#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/open_store.h"
#include "gateway/store/sqlite.h"

namespace postrider {

// Goes up with every change that an older program would not understand.
inline constexpr int kStoreFormat = 2;

// A connection set up as all of a store's are: WAL, no automatic checkpoints, `options.durability`.
absl::StatusOr<std::unique_ptr<Database>> ConnectStore(const std::string& path,
                                                       const SqliteOptions& options,
                                                       int cache_kibibytes);

// Writes the schema into an empty database, and checks that another one is a store of this format
// and shard count.
absl::Status CreateOrCheckStore(Database* database, uint32_t shard_count);

}  // namespace postrider
