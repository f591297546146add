#include "gateway/accept/content_hash.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace postrider {
namespace {

EventInput Full() {
  EventInput event;
  event.id = "774ae370-02cc-11e7-ac41-c38ce8763025";
  event.type = "message.create.contact.chat";
  event.time = absl::FromUnixSeconds(1545246541);
  event.organization = "acme";
  event.organization_path = {"root", "acme"};
  event.activity.present = true;
  event.activity.actor =
      ActivityInput::Party{.id = "https://h/u", .type = "Person", .name = "Jenny"};
  event.activity.summary = "created";
  event.data = {{"conversation", "{}"}, {"message", R"({"text":"hello"})"}};
  event.links = {{"message", "https://h/m"}, {"user", "https://h/u"}};
  event.ordering_key = "key";
  event.targets = {"one", "two"};
  event.expire_time = absl::FromUnixSeconds(1545250000);
  return event;
}

using Change = std::function<void(EventInput&)>;

// Each of these is other content, and no two of them are the same.
TEST(ContentHash, CoversEverythingThatThePublisherGave) {
  const std::vector<Change> changes = {
      [](EventInput&) {},
      [](EventInput& e) { e.type = "message.create.contact.form"; },
      [](EventInput& e) { e.time.reset(); },
      [](EventInput& e) { *e.time += absl::Nanoseconds(1); },
      [](EventInput& e) { *e.time += absl::Seconds(1); },
      [](EventInput& e) { e.organization = "acme2"; },
      [](EventInput& e) { e.organization_path.clear(); },
      [](EventInput& e) { e.organization_path = {"acme"}; },
      [](EventInput& e) { e.activity = ActivityInput(); },
      [](EventInput& e) { e.activity.type = "Create"; },
      [](EventInput& e) { e.activity.actor.reset(); },
      [](EventInput& e) { std::swap(e.activity.actor, e.activity.object); },
      [](EventInput& e) { std::swap(e.activity.actor, e.activity.target); },
      [](EventInput& e) { e.activity.actor->name = ""; },
      [](EventInput& e) { std::swap(e.activity.actor->name, e.activity.actor->type); },
      [](EventInput& e) { e.activity.published = e.time; },
      [](EventInput& e) { e.activity.summary = ""; },
      [](EventInput& e) { e.data.pop_back(); },
      [](EventInput& e) { e.data[0].json = "[]"; },
      [](EventInput& e) { std::swap(e.data[0].json, e.data[1].json); },
      [](EventInput& e) { e.links.pop_back(); },
      [](EventInput& e) { e.links[0].second = "https://h/n"; },
      [](EventInput& e) { e.ordering_key = ""; },
      [](EventInput& e) { e.targets = {"one"}; },
      [](EventInput& e) { e.targets = {"onetwo"}; },
      [](EventInput& e) { e.expire_time.reset(); },
  };
  std::set<ContentHash> hashes;
  for (size_t i = 0; i < changes.size(); ++i) {
    EventInput event = Full();
    changes[i](event);
    EXPECT_TRUE(hashes.insert(HashContent(event)).second) << "change " << i;
  }
}

TEST(ContentHash, IgnoresWhatIsNotContent) {
  const ContentHash hash = HashContent(Full());
  const std::vector<Change> changes = {
      [](EventInput& e) { e.id = ""; },
      [](EventInput& e) {
        e.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      },
      [](EventInput& e) { std::swap(e.data[0], e.data[1]); },
      [](EventInput& e) { std::swap(e.links[0], e.links[1]); },
      [](EventInput& e) { std::swap(e.targets[0], e.targets[1]); },
      [](EventInput& e) { e.data[0].canonical = true; },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    EventInput event = Full();
    changes[i](event);
    EXPECT_EQ(HashContent(event), hash) << "change " << i;
  }
}

// Stored hashes are compared with new ones for as long as events are kept: another encoding needs
// another version byte.
TEST(ContentHash, StaysTheSameForAllTime) {
  const ContentHash hash = HashContent(Full());
  EXPECT_EQ(hash[0], 1);
  EXPECT_EQ(absl::BytesToHexString(
                absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size())),
            "013c9352fc009e99fd0c7e3c21dc83f656");
}

}  // namespace
}  // namespace postrider
