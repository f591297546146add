#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/storage/builders.h"

namespace postrider {

// A store that a test may close and open again.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;

  virtual void Open() = 0;   // What is there is there again.
  virtual void Close() = 0;  // Open() must have been called, and may be again.
  virtual Store& store() = 0;
  virtual StoreReader& reader() = 0;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

// Every implementation; the tests run on each.
std::vector<Implementation> Implementations();

inline constexpr uint32_t kShards = 4;

class StoreContract : public testing::TestWithParam<Implementation> {
 protected:
  StoreContract() : under_test_(GetParam().make()) { under_test_->Open(); }
  ~StoreContract() override { under_test_->Close(); }

  Store& store() { return under_test_->store(); }
  StoreReader& reader() { return under_test_->reader(); }
  void Reopen() {
    under_test_->Close();
    under_test_->Open();
  }

  // Commits batches, all of which must be committed.
  std::vector<BatchResult> Commit(std::vector<Batch> batches);
  // Commits one batch of one shard, or of the configuration.
  template <class... Writes>
  BatchResult CommitTo(std::optional<ShardId> shard, Writes... writes) {
    return Commit({BatchOf(shard, std::move(writes)...)})[0];
  }
  // Appends event `n` to its organization's shard.
  Appended Append(uint64_t n, const std::string& organization = "acme",
                  const std::string& content = "{}", const std::string& type = "message.create");
  // Creates a subscription that starts at the heads.
  std::shared_ptr<const Subscription> Create(const std::string& id);
  // Does all maintenance there is.
  void Maintain();

  ShardId shard() const { return ShardOf("acme", kShards); }

  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

// The implementation's name as the tests' suffix.
std::string NameOf(const testing::TestParamInfo<Implementation>& implementation);

#define POSTRIDER_FOR_EACH_STORE(suite) \
  INSTANTIATE_TEST_SUITE_P(Stores, suite, testing::ValuesIn(Implementations()), NameOf)

}  // namespace postrider
