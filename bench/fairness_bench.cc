// What a loop pays to find whose turn it is, as more subscriptions wait with one delivery each: a
// pick, its start and its end, and then it waits again.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/dispatch/send_turns.h"

namespace postrider {
namespace {

constexpr size_t kBodyBytes = 1200;
constexpr absl::Duration kNow = absl::Hours(1);

void Pick(benchmark::State& state) {
  const auto subscriptions = static_cast<SubscriptionNumber>(state.range(0));
  const auto organizations = static_cast<SubscriptionNumber>(state.range(1));
  SendTurns turns(SendTurns::Caps{});
  for (SubscriptionNumber number = 1; number <= subscriptions; ++number) {
    Subscription subscription;
    subscription.number = number;
    subscription.organization = absl::StrCat("organization", number % organizations);
    subscription.url = absl::StrCat("https://host", number % 1000, ".example/hook");
    turns.Put(subscription);
    turns.Wake(number, kNow);
  }
  for (auto iteration : state) {
    const std::optional<SubscriptionNumber> next = turns.PickNext(kNow);
    SendTurns::Origin* const origin = turns.OnStarted(*next, kBodyBytes, kNow);
    turns.OnNothing(*next);
    turns.OnEnded(*next, origin, absl::Milliseconds(5), kNow);
    turns.Wake(*next, kNow);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Pick)
    ->ArgNames({"subscriptions", "organizations"})
    ->Args({1, 1})
    ->Args({100, 1})
    ->Args({100, 100})
    ->Args({100'000, 1})
    ->Args({100'000, 100})
    ->Args({100'000, 100'000});

}  // namespace
}  // namespace postrider
