// Goal: whatever is wrong with a request gets a clear error that names the field, and harms
// nothing.
#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/e2e_fixture.h"

namespace postrider {
namespace {

class BadInputTest : public EndToEndTest {
 protected:
  // After all that, a good event still arrives, and nothing else has.
  void TearDown() override {
    const size_t before = receiver_.count();
    Subscribe("still.alive");
    EXPECT_TRUE(Publish(SmallEvent("still.alive")).ok());
    EXPECT_EQ(receiver_.WaitFor(before + 1).back().header("x-postrider-event"), "still.alive");
    EXPECT_EQ(before, 0u);
  }
};

struct BadEvent {
  const char* field;
  std::function<void(v1::Event*)> spoil;
};

std::string Long(size_t bytes) { return std::string(bytes, 'a'); }

const std::vector<BadEvent>& BadEvents() {
  static const auto* const events = new std::vector<BadEvent>{
      {"event.id", [](v1::Event* event) { event->set_id("no uuid"); }},
      {"event.type", [](v1::Event* event) { event->clear_type(); }},
      {"event.type", [](v1::Event* event) { event->set_type("a..b"); }},
      {"event.type", [](v1::Event* event) { event->set_type("a.*"); }},
      {"event.type", [](v1::Event* event) { event->set_type("1.2.3.4.5.6.7.8.9"); }},
      {"event.type", [](v1::Event* event) { event->set_type(Long(257)); }},
      {"event.type", [](v1::Event* event) { event->set_type("postrider.subscription"); }},
      {"event.organization", [](v1::Event* event) { event->clear_organization(); }},
      {"event.organization", [](v1::Event* event) { event->set_organization(Long(129)); }},
      {"event.organization_path", [](v1::Event* event) { event->add_organization_path("other"); }},
      {"event.organization_path[2]",
       [](v1::Event* event) {
         event->add_organization_path(kOrganization);
         event->add_organization_path("b");
         event->add_organization_path(kOrganization);
       }},
      {"event.organization_path",
       [](v1::Event* event) {
         for (int i = 0; i < 9; ++i) event->add_organization_path(absl::StrCat("o", i));
       }},
      {"event.data[\"links\"]",
       [](v1::Event* event) { (*event->mutable_data())["links"].set_json("{}"); }},
      {"event.data[\"m\"].json",
       [](v1::Event* event) { (*event->mutable_data())["m"].set_json("{\"a\":}"); }},
      {"event.data[\"m\"].json",
       [](v1::Event* event) { (*event->mutable_data())["m"].set_json("\"\xFF\""); }},
      {"event.data[\"m\"].json",
       [](v1::Event* event) {
         (*event->mutable_data())["m"].set_json(std::string(65, '[') + std::string(65, ']'));
       }},
      {"event.data[\"m\"]", [](v1::Event* event) { (*event->mutable_data())["m"]; }},
      {"event.data",
       [](v1::Event* event) {
         for (int i = 0; i < 65; ++i) (*event->mutable_data())[absl::StrCat("m", i)].set_json("{}");
       }},
      {"event.links[\"m\"]", [](v1::Event* event) { (*event->mutable_links())["m"] = "no url"; }},
      {"event.ordering_key", [](v1::Event* event) { event->set_ordering_key(Long(257)); }},
      {"event.targets",
       [](v1::Event* event) {
         for (int i = 0; i < 101; ++i) event->add_targets(absl::StrCat("s", i));
       }},
      {"event.traceparent", [](v1::Event* event) { event->set_traceparent("00-x"); }},
      {"event.expire_time", [](v1::Event* event) { event->mutable_expire_time()->set_seconds(1); }},
      {"event.time", [](v1::Event* event) { event->mutable_time()->set_nanos(-1); }},
  };
  return *events;
}

TEST_F(BadInputTest, EventsThatAreWrongAreRefusedWithTheField) {
  Subscribe("**");
  for (const BadEvent& bad : BadEvents()) {
    v1::Event event = SmallEvent("a.b");
    bad.spoil(&event);
    const grpc::Status status = Publish(event);
    EXPECT_EQ(FieldOf(status), bad.field) << status.error_message();
    EXPECT_LT(status.error_message().size(), 600u);
  }
}

TEST_F(BadInputTest, ABodyBeyondTheLimitIsRefusedWithBothNumbers) {
  v1::Event event = SmallEvent("a");
  (*event.mutable_data())["m"].set_json("\"" + Long(256 * 1024) + "\"");
  const grpc::Status status = Publish(event);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), testing::HasSubstr("262144"));
}

struct BadSubscription {
  const char* field;
  std::function<void(v1::Subscription*)> spoil;
};

const std::vector<BadSubscription>& BadSubscriptions() {
  using S = v1::Subscription;
  static const auto* const subscriptions = new std::vector<BadSubscription>{
      {"subscription.organization", [](S* s) { s->clear_organization(); }},
      {"subscription.url", [](S* s) { s->clear_url(); }},
      {"subscription.url", [](S* s) { s->set_url("not a url"); }},
      {"subscription.url", [](S* s) { s->set_url("ftp://example.com/"); }},
      {"subscription.url", [](S* s) { s->set_url("http://127.0.0.1:99999/"); }},
      {"subscription.url", [](S* s) { s->set_url("http://10.0.0.1/"); }},
      {"subscription.url", [](S* s) { s->set_url("https://example.com/" + Long(2048)); }},
      {"subscription.event_types",
       [](S* s) {
         for (int i = 0; i < 10'000; ++i) s->add_event_types(absl::StrCat("p", i));
       }},
      {"subscription.event_types[0]", [](S* s) { s->add_event_types("**.a.**"); }},
      {"subscription.event_types[1]",
       [](S* s) {
         s->add_event_types("a");
         s->add_event_types("a b");
       }},
      {"subscription.description", [](S* s) { s->set_description(Long(1025)); }},
      {"subscription.headers[\"webhook-id\"]",
       [](S* s) { (*s->mutable_headers())["webhook-id"] = "1"; }},
      {"subscription.headers[\"x\"]", [](S* s) { (*s->mutable_headers())["x"] = "a\r\nb: c"; }},
      {"subscription.headers[\"x\"]", [](S* s) { (*s->mutable_headers())["x"] = Long(4097); }},
      {"subscription.headers",
       [](S* s) {
         for (int i = 0; i < 21; ++i) (*s->mutable_headers())[absl::StrCat("x", i)] = "1";
       }},
      {"subscription.secrets[0]", [](S* s) { s->set_secret("whsec_short"); }},
      {"subscription.secrets[0]", [](S* s) { s->set_secret(Long(257)); }},
      {"subscription.policy.timeout",
       [](S* s) { s->mutable_policy()->mutable_timeout()->set_seconds(61); }},
      {"subscription.policy.schedule[0]",
       [](S* s) { s->mutable_policy()->add_schedule()->set_seconds(-1); }},
      {"subscription.policy.schedule",
       [](S* s) {
         for (int i = 0; i < 65; ++i) s->mutable_policy()->add_schedule();
       }},
      {"subscription.policy.max_in_flight",
       [](S* s) { s->mutable_policy()->set_max_in_flight(1001); }},
      {"subscription.policy.order",
       [](S* s) { s->mutable_policy()->set_order(static_cast<v1::OrderMode>(7)); }},
      {"subscription.policy.rate", [](S* s) { s->mutable_policy()->set_rate(-1); }},
      {"subscription.policy.max_age",
       [](S* s) { s->mutable_policy()->mutable_max_age()->set_seconds(59); }},
      {"subscription.policy.max_body_bytes",
       [](S* s) { s->mutable_policy()->set_max_body_bytes(255); }},
  };
  return *subscriptions;
}

TEST_F(BadInputTest, SubscriptionsThatAreWrongAreRefusedWithTheField) {
  for (const BadSubscription& bad : BadSubscriptions()) {
    v1::Subscription subscription;
    subscription.set_organization(kOrganization);
    subscription.set_url(receiver_.Url());
    bad.spoil(&subscription);
    const grpc::Status status = Create(subscription);
    EXPECT_EQ(FieldOf(status), bad.field) << status.error_message();
    EXPECT_THAT(status.error_message(), testing::Not(testing::HasSubstr("whsec_short")));
  }
}

TEST_F(BadInputTest, AStreamOfNothingButErrorsGoesOn) {
  grpc::ClientContext context;
  const auto stream = publisher_->PublishStream(&context);
  for (int i = 0; i < 100; ++i) {
    stream->Write({});
    v1::PublishStreamResponse response;
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.error().code(), 3);
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace postrider
