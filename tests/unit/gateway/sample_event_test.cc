#include "gateway/sample_event.h"

#include <gtest/gtest.h>

namespace postrider {
namespace {

TEST(SampleEvent, IsTheDocumentedOne) {
  Subscription subscription;
  subscription.id = "mine";
  subscription.organization = "acme";
  const auto event = SampleEvent(subscription, absl::FromUnixMillis(1700000000123), {1, 2});
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ((*event)->type, "postrider.test");
  const std::string id = (*event)->id.ToString();
  EXPECT_EQ(id[14], '7');
  EXPECT_EQ((*event)->body,
            "{\"id\":\"" + id +
                "\",\"timestamp\":\"2023-11-14T22:13:20.123Z\",\"event\":\"postrider.test\","
                "\"organization\":\"acme\",\"activity\":{"
                "\"@context\":\"https://www.w3.org/ns/activitystreams\",\"type\":\"Announce\","
                "\"actor\":{\"type\":\"Application\"},\"object\":{\"type\":\"Object\"},"
                "\"published\":\"2023-11-14T22:13:20.123Z\","
                "\"summary\":\"A test of this subscription; nothing has happened.\"},"
                "\"data\":{\"subscription\":{\"id\":\"mine\"}}}");
}

}  // namespace
}  // namespace postrider
