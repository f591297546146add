#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gateway/store/data_dir.h"
#include "gateway/store/open_store.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/sqlite_checkpoint.h"
#include "gateway/store/sqlite_config_writer.h"
#include "gateway/store/sqlite_delivery_writer.h"
#include "gateway/store/sqlite_indexer.h"
#include "gateway/store/sqlite_log_writer.h"
#include "gateway/store/sqlite_replay_writer.h"
#include "gateway/store/sqlite_retention.h"
#include "gateway/store/sqlite_shards.h"
#include "gateway/store/sqlite_suspects.h"
#include "gateway/store/sqlite_timeline.h"
#include "gateway/store/store.h"

namespace postrider {

// The embedded store: one SQLite file with one writing connection, this one's.
//
// All batches of a Commit() are one transaction and one sync. After a commit of unknown outcome
// everything is answered kUnknown: only a new process can know what the disk holds.
class SqliteStore final : public Store {
 public:
  // Opens or creates the store in `directory`.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(std::shared_ptr<DataDir> directory,
                                                           const SqliteOptions& options,
                                                           std::shared_ptr<SqliteMonitor> monitor);

  std::vector<BatchResult> Commit(absl::Span<const Batch> batches, absl::Time now) override;
  bool Maintain() override;
  bool AcceptsAppends(absl::Time now) override;

 private:
  SqliteStore(std::shared_ptr<DataDir> directory, const SqliteOptions& options,
              std::unique_ptr<Database> database, std::shared_ptr<SqliteMonitor> monitor);

  absl::Status Load();
  // What was deleted leaves room within the file; the write-ahead log needs some beside it.
  uint64_t ReusableBytes() {
    constexpr uint64_t kPageBytes = 4096;  // As ConnectStore() has it.
    Query query(&freelist_);
    return query.Row() ? query.NextUint() * kPageBytes : 0;
  }

  // One transaction around `work`. UNAVAILABLE: undone. Another error: failed_ is set.
  absl::Status Transact(absl::Span<const Batch> batches, const std::function<absl::Status()>& work);
  absl::Status CommitTransaction(absl::Span<const Batch> batches);
  void Rollback();

  absl::Status Apply(const Batch& batch, int64_t now, BatchResult* result);
  absl::Status Release(const Batch& batch, int64_t now, BatchResult* result);
  absl::Status ApplyToShard(ShardId shard, const Write& write, int64_t now, BatchResult* result);
  absl::Status ApplyConfiguration(const Write& write, int64_t now, BatchResult* result);
  absl::Status AddException(const ExceptionRow& row, int64_t now, BatchResult* result);
  absl::Status Redrive(const RedriveException& put, int64_t now, BatchResult* result);
  absl::StatusOr<ReplayResult> ApplyCreateReplay(const CreateReplay& write, int64_t now);
  void Advance(ShardId shard, const AdvanceCursor& write);
  absl::Status BoundIndexLag();
  absl::Status MaintainSlice(bool* more);

  // In this order: the directory's lock is the last to go.
  const std::shared_ptr<DataDir> directory_;
  const SqliteOptions options_;
  const std::unique_ptr<Database> database_;
  const std::shared_ptr<SqliteMonitor> monitor_;
  SqliteWalBound wal_bound_;
  SqliteShards shards_;
  SqliteLogWriter log_;
  SqliteDeliveryWriter deliveries_;
  SqliteTimeline timeline_;
  SqliteConfigWriter configuration_;
  SqliteReplayWriter replays_;
  SqliteSuspects suspects_;
  SqliteIndexer indexer_;
  SqliteRetention retention_;
  Statement freelist_;
  Statement begin_;
  Statement commit_;

  absl::Status failed_;  // Not OK: a commit's outcome is unknown.
  absl::Time free_bytes_time_ = absl::InfinitePast();
  bool accepts_appends_ = true;
};

}  // namespace postrider
