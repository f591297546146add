// What a publish pays to find its subscriptions, and what a change of one costs, as one
// organization's subscriptions grow. All have patterns of every kind; the matches of an event stay
// the same few, so that what is measured is the search.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/dispatch/subscription_index.h"

namespace postrider {
namespace {

const std::vector<std::string> kPath = {"5c138790ec944f05ff5f6d77"};
constexpr size_t kPatternKinds = 10;

// Patterns as people write them, over names that differ from subscription to subscription.
std::vector<std::string> PatternsOf(SubscriptionNumber number) {
  const std::string name = absl::StrCat("resource", number);
  const std::array<std::string, kPatternKinds> kinds = {
      absl::StrCat(name, ".create"),
      absl::StrCat(name, ".*"),
      absl::StrCat("*.", name),
      absl::StrCat(name, ".create.*.chat"),
      absl::StrCat("**.", name),
      absl::StrCat(name, ".**.chat"),
      absl::StrCat("message.create.", name, ".*"),
      absl::StrCat("message.*.*.", name),
      absl::StrCat("message.**.", name, ".*"),
      absl::StrCat(name, ".*.**.update"),
  };
  return {kinds[number % kPatternKinds], kinds[(number / kPatternKinds) % kPatternKinds]};
}

std::shared_ptr<Subscription> Make(SubscriptionNumber number, std::vector<std::string> patterns) {
  auto subscription = std::make_shared<Subscription>();
  subscription->number = number;
  subscription->organization = kPath[0];
  subscription->event_types = std::move(patterns);
  return subscription;
}

// `count` subscriptions, of which ten want the events that are published.
void Fill(SubscriptionNumber count, SubscriptionIndex* index) {
  for (SubscriptionNumber number = 1; number <= count; ++number) {
    index->Put(Make(
        number, number <= 10 ? std::vector<std::string>{"message.create.*"} : PatternsOf(number)));
  }
}

void Match(benchmark::State& state, absl::string_view type) {
  SubscriptionIndex index;
  Fill(static_cast<SubscriptionNumber>(state.range(0)), &index);
  std::vector<SubscriptionNumber> numbers;
  size_t nodes_visited = 0;
  for (auto iteration : state) {
    numbers.clear();
    nodes_visited = 0;
    index.Match(kPath, type, &numbers, &nodes_visited);
    benchmark::DoNotOptimize(numbers.data());
  }
  state.counters["nodes"] = static_cast<double>(nodes_visited);
  state.counters["matches"] = static_cast<double>(numbers.size());
  state.SetItemsProcessed(state.iterations());
}

void MatchFourSegments(benchmark::State& state) { Match(state, "message.create.contact.chat"); }
void MatchEightSegments(benchmark::State& state) {
  Match(state, "message.create.contact.chat.update.chat.create.chat");
}
BENCHMARK(MatchFourSegments)->Arg(100)->Arg(10'000)->Arg(100'000);
BENCHMARK(MatchEightSegments)->Arg(100)->Arg(10'000)->Arg(100'000);

// A subscription's patterns change, there and back.
void Change(benchmark::State& state) {
  SubscriptionIndex index;
  const auto count = static_cast<SubscriptionNumber>(state.range(0));
  Fill(count, &index);
  const SubscriptionNumber changed = count / 2 + 1;
  const std::array<std::shared_ptr<const Subscription>, 2> versions = {
      Make(changed, {"conversation.update", "*.delete"}), Make(changed, PatternsOf(changed))};
  size_t turn = 0;
  for (auto iteration : state) {
    index.Put(versions[turn++ % 2]);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(Change)->Arg(100)->Arg(10'000)->Arg(100'000);

// The worst case of the bound: every set of places is in use.
void MatchAdversarial(benchmark::State& state) {
  const std::array<std::string, 8> words = {"a", "b", "c", "d", "e", "f", "g", "h"};
  SubscriptionIndex index;
  for (uint64_t places = 0; places < 256; ++places) {
    std::string pattern;
    for (size_t i = 0; i < words.size(); ++i) {
      const bool is_word = (places >> i & 1) != 0;
      absl::StrAppend(&pattern, i == 0 ? "" : ".", is_word ? words[i] : "*");
    }
    index.Put(Make(places + 1, {pattern}));
  }
  std::vector<SubscriptionNumber> numbers;
  size_t nodes_visited = 0;
  for (auto iteration : state) {
    numbers.clear();
    nodes_visited = 0;
    index.Match(kPath, "a.b.c.d.e.f.g.h", &numbers, &nodes_visited);
    benchmark::DoNotOptimize(numbers.data());
  }
  state.counters["nodes"] = static_cast<double>(nodes_visited);
  state.counters["matches"] = static_cast<double>(numbers.size());
}
BENCHMARK(MatchAdversarial);

}  // namespace
}  // namespace postrider
