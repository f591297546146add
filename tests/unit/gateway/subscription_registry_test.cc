#include "gateway/subscription_registry.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace postrider {
namespace {

SubscriptionRegistry::Record Listener(SubscriptionNumber number, const std::string& pattern,
                                      Scope scope = Scope::kSubtree) {
  auto subscription = std::make_shared<Subscription>();
  subscription->number = number;
  subscription->id = std::string(1, static_cast<char>('a' + number));
  subscription->organization = "acme";
  subscription->event_types = {pattern};
  subscription->scope = scope;
  return subscription;
}

bool Hears(const SubscriptionRegistry& registry, const std::vector<std::string>& path,
           const std::string& about = "") {
  return registry.AnyHears(path, "postrider.subscription.failing", about);
}

TEST(SubscriptionRegistry, KnowsWhetherAnybodyHearsNews) {
  SubscriptionRegistry registry;
  registry.Put(Listener(1, "*"));
  registry.Put(Listener(2, "postrider.delivery.*"));
  EXPECT_FALSE(Hears(registry, {"acme"}));
  registry.Put(Listener(3, "postrider.**"));
  EXPECT_TRUE(Hears(registry, {"acme"}));
  EXPECT_TRUE(Hears(registry, {"acme", "shop"}));
  EXPECT_FALSE(Hears(registry, {"globex"}));
  EXPECT_FALSE(Hears(registry, {"acme"}, "d")) << "it is about the only one";
  registry.Put(Listener(3, "postrider.**", Scope::kSelf));
  EXPECT_FALSE(Hears(registry, {"acme", "shop"}));
  registry.Put(Listener(3, "order.*"));
  EXPECT_FALSE(Hears(registry, {"acme"}));
}

TEST(SubscriptionRegistry, SaysWhatStoodThereBeforeAChange) {
  SubscriptionRegistry registry;
  const SubscriptionRegistry::Record first = Listener(1, "*");
  const SubscriptionRegistry::Record second = Listener(1, "postrider.**");
  const auto before = registry.Apply({{.number = 1, .subscription = first, .readers = {}},
                                      {.number = 1, .subscription = second, .readers = {}},
                                      {.number = 1, .subscription = nullptr, .readers = {}}});
  EXPECT_EQ(before, (std::vector<SubscriptionRegistry::Record>{nullptr, first, second}));
  EXPECT_FALSE(Hears(registry, {"acme"}));
}

}  // namespace
}  // namespace postrider
