// Goal: after a refusal that may pass, no later event of the same key is let by, and no other is
// held.
#include "server/key_order.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gtest/gtest.h"

namespace postrider {
namespace {

const absl::Status kFull = absl::UnavailableError("full");

TEST(KeyOrder, HoldsTheKeyOfARefusedEventAndNoOther) {
  KeyOrder order;
  order.Note("o", "k", absl::OkStatus());
  order.Note("o", "bad", InvalidField("type", "is bad"));
  order.Note("o", "k", kFull);
  order.Note("o", "", kFull);
  EXPECT_TRUE(absl::IsAborted(order.Check("o", "k")));
  EXPECT_TRUE(order.Check("o", "bad").ok());
  EXPECT_TRUE(order.Check("o", "").ok());
  EXPECT_TRUE(order.Check("p", "k").ok());
}

TEST(KeyOrder, AGateIsAskedAgainWhenItsEventIsStored) {
  const auto order = std::make_shared<KeyOrder>();
  const auto gate = order->GateOf(order, "o", "k");
  EXPECT_TRUE(gate().ok());
  order->Note("o", "k", kFull);
  EXPECT_TRUE(absl::IsAborted(gate()));
  EXPECT_EQ(order->GateOf(order, "o", ""), nullptr);
}

TEST(KeyOrder, SaysSoWhenItCanHoldNoMore) {
  KeyOrder order;
  for (size_t i = 0; i < kRefusedKeysMax; ++i) {
    EXPECT_FALSE(order.Full());
    EXPECT_TRUE(order.Check("o", "other").ok());
    order.Note("o", absl::StrCat("k", i), kFull);
  }
  EXPECT_TRUE(order.Full());
  const absl::Status other = order.Check("o", "other");
  EXPECT_TRUE(absl::IsAborted(other));
  EXPECT_TRUE(absl::StrContains(other.message(), "1024 ordering keys")) << other;
  EXPECT_FALSE(absl::StrContains(order.Check("o", "k0").message(), "1024"));
  EXPECT_TRUE(order.Check("o", "").ok());
}

}  // namespace
}  // namespace postrider
