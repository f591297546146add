#include "tests/contract/store_contract.h"

#include <utility>

#include "gateway/store/open_store.h"
#include "tests/support/storage/temp_dir.h"

namespace postrider {
namespace {

class SqliteUnderTest final : public StoreUnderTest {
 public:
  void Open() override {
    SqliteOptions options;
    options.data_dir = directory_.path() + "/data";
    options.shard_count = kShards;
    options.ballast_bytes = 0;
    options.free_bytes_min = 0;
    absl::StatusOr<StoreHandle> handle = OpenSqlite(options);
    ASSERT_TRUE(handle.ok()) << handle.status();
    handle_ = *std::move(handle);
  }
  void Close() override {
    handle_.checkpointer.reset();
    handle_.reader.reset();
    handle_.store.reset();
  }
  Store& store() override { return *handle_.store; }
  StoreReader& reader() override { return *handle_.reader; }

 private:
  TempDir directory_;
  StoreHandle handle_;
};

}  // namespace

std::vector<Implementation> Implementations() {
  return {{.name = "Sqlite", .make = [] { return std::make_unique<SqliteUnderTest>(); }}};
}

std::string NameOf(const testing::TestParamInfo<Implementation>& implementation) {
  return implementation.param.name;
}

std::vector<BatchResult> StoreContract::Commit(std::vector<Batch> batches) {
  std::vector<BatchResult> results = store().Commit(batches, now_);
  EXPECT_EQ(results.size(), batches.size());
  for (const BatchResult& result : results) {
    EXPECT_EQ(result.state, CommitState::kCommitted) << result.error;
  }
  return results;
}

Appended StoreContract::Append(uint64_t n, const std::string& organization,
                               const std::string& content, const std::string& type) {
  const BatchResult result = CommitTo(ShardOf(organization, kShards),
                                      AppendEvent{NewEvent(n, organization, content, type)});
  EXPECT_EQ(result.appended.size(), 1U);
  return result.appended[0];
}

std::shared_ptr<const Subscription> StoreContract::Create(const std::string& id) {
  PutSubscription put;
  put.subscription = NewSubscription(id);
  put.start_at_heads = true;
  const BatchResult result = CommitTo(std::nullopt, put);
  EXPECT_EQ(result.configured.size(), 1U);
  EXPECT_TRUE(result.configured[0].ok()) << result.configured[0].status();
  return *result.configured[0];
}

void StoreContract::Maintain() {
  while (store().Maintain()) {
  }
}

}  // namespace postrider
