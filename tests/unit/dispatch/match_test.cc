#include "gateway/dispatch/match.h"

#include <gtest/gtest.h>

#include "tests/unit/dispatch/dispatch_fixture.h"

namespace postrider {
namespace {

// What MatchEvent() says once `change` was made to a subscription and an event that match.
template <typename Change>
Match After(Change change) {
  Subscription subscription = *SubscriptionNumbered(1);
  Event event = *EntryAt(5).event;
  LogEntry entry = EntryAt(5);
  change(subscription, event);
  entry.event = std::make_shared<Event>(event);
  return MatchEvent(subscription, entry);
}

TEST(Match, SaysWhyNot) {
  EXPECT_EQ(After([](auto&, auto&) {}), Match::kOwed);
  EXPECT_EQ(After([](auto& s, auto&) { s.start_seqs.clear(); }), Match::kNotStarted);
  EXPECT_EQ(After([](auto& s, auto&) { s.start_seqs = {5}; }), Match::kBeforeStart);
  EXPECT_EQ(After([](auto& s, auto&) { s.organization = "other"; }), Match::kOrganization);
  EXPECT_EQ(After([](auto& s, auto&) { s.event_types = {"c.*"}; }), Match::kType);
  EXPECT_EQ(After([](auto&, auto& e) { e.targets = {"s2"}; }), Match::kTargets);
  EXPECT_EQ(After([](auto&, auto& e) { e.targets = {"s2", "s1"}; }), Match::kOwed);
}

TEST(Match, TheScopeSaysWhetherDescendantsCount) {
  const auto child_of_o = [](Event& event) {
    event.organization = "child";
    event.organization_path = {"o", "child"};
  };
  EXPECT_EQ(After([&](auto&, auto& e) { child_of_o(e); }), Match::kOwed);
  EXPECT_EQ(After([&](auto& s, auto& e) {
              child_of_o(e);
              s.scope = Scope::kSelf;
            }),
            Match::kOrganization);
}

TEST(Match, AMarkCoversWhatItsFilterSaysUpToItsEnd) {
  const auto with = [](Seq through, PurgeFilter filter) {
    return After([&](auto& s, auto&) {
      s.purge_marks = {{.through = {through}, .filter = std::move(filter)}};
    });
  };
  const absl::Time accepted = EntryAt(5).accept_time;
  EXPECT_EQ(with(5, {}), Match::kPurged);
  EXPECT_EQ(with(4, {}), Match::kOwed);
  EXPECT_EQ(with(5, {.event_types = {"a.*"}, .accepted_before = {}}), Match::kPurged);
  EXPECT_EQ(with(5, {.event_types = {"c.*"}, .accepted_before = {}}), Match::kOwed);
  EXPECT_EQ(with(5, {.event_types = {}, .accepted_before = accepted}), Match::kOwed);
  EXPECT_EQ(with(5, {.event_types = {}, .accepted_before = accepted + absl::Seconds(1)}),
            Match::kPurged);
}

}  // namespace
}  // namespace postrider
