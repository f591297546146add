// Goal: what a publisher gave reaches the engine whole, and what can't be understood is refused
// with the path of the field.
#include "server/event_convert.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "server/struct_json.h"
#include "server/time_convert.h"

namespace postrider {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::Event EventOf(const std::string& text) {
  v1::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

google::protobuf::Struct StructOf(const std::string& json) {
  google::protobuf::Struct object;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &object).ok()) << json;
  return object;
}

std::string FieldOf(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  const auto field = status.GetPayload(kFieldPayload);
  return field.has_value() ? std::string(*field) : "";
}

TEST(EventConvert, EveryFieldArrives) {
  const auto input = EventFromProto("event", EventOf(R"(
    id: "774ae370-02cc-11e7-ac41-c38ce8763025" type: "message.create.contact.chat"
    time { seconds: 1545246541 nanos: 7000000 } organization: "child"
    organization_path: "root" organization_path: "child"
    activity {
      type: "Create" actor { id: "a" type: "Person" name: "Jenny" } object { id: "o" }
      target { type: "t" } published { seconds: 5 } summary: "s"
    }
    data { key: "message" value { json: "{\"b\": 1}" } }
    links { key: "message" value: "https://x" }
    ordering_key: "k" targets: "one" targets: "two" traceparent: "00-1"
    expire_time { seconds: 9 }
  )"));

  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->id, "774ae370-02cc-11e7-ac41-c38ce8763025");
  EXPECT_EQ(input->type, "message.create.contact.chat");
  EXPECT_EQ(input->time, absl::FromUnixMillis(1545246541007));
  EXPECT_EQ(input->organization, "child");
  EXPECT_THAT(input->organization_path, ElementsAre("root", "child"));
  EXPECT_TRUE(input->activity.present);
  EXPECT_EQ(input->activity.type, "Create");
  EXPECT_EQ(input->activity.actor->name, "Jenny");
  EXPECT_EQ(input->activity.object->id, "o");
  EXPECT_EQ(input->activity.target->type, "t");
  EXPECT_EQ(input->activity.published, absl::FromUnixSeconds(5));
  EXPECT_EQ(input->activity.summary, "s");
  ASSERT_EQ(input->data.size(), 1u);
  EXPECT_EQ(input->data[0].json, "{\"b\": 1}");
  EXPECT_FALSE(input->data[0].canonical);
  EXPECT_THAT(input->links,
              ElementsAre(std::pair<std::string, std::string>("message", "https://x")));
  EXPECT_EQ(input->ordering_key, "k");
  EXPECT_THAT(input->targets, ElementsAre("one", "two"));
  EXPECT_EQ(input->traceparent, "00-1");
  EXPECT_EQ(input->expire_time, absl::FromUnixSeconds(9));
}

TEST(EventConvert, WhatIsAbsentStaysAbsent) {
  const auto input = EventFromProto("event", EventOf(""));

  ASSERT_TRUE(input.ok());
  EXPECT_FALSE(input->time.has_value());
  EXPECT_FALSE(input->expire_time.has_value());
  EXPECT_FALSE(input->activity.present);
  EXPECT_TRUE(input->data.empty());
}

TEST(EventConvert, AStructIsCanonicalJson) {
  v1::Event event;
  *(*event.mutable_data())["message"].mutable_struct_() =
      StructOf(R"({"b":[1,-0.0,1e21,1e-7,null,true],"a":{"é":"<\u2028\u0001\"\\"},"10":1,"2":2})");

  const auto input = EventFromProto("event", event);

  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_TRUE(input->data[0].canonical);
  EXPECT_EQ(input->data[0].json,
            "{\"2\":2,\"10\":1,\"a\":{\"é\":\"<\xE2\x80\xA8\\u0001\\\"\\\\\"},"
            "\"b\":[1,0,1e+21,1e-7,null,true]}");
}

TEST(EventConvert, NumbersThatJsonCannotSayAreRefusedWithTheirPath) {
  for (const double number : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    v1::Event event;
    auto& object = *(*event.mutable_data())["message"].mutable_struct_();
    auto& list = *(*object.mutable_fields())["amounts"].mutable_list_value();
    list.add_values()->set_number_value(1);
    list.add_values()->set_number_value(number);

    const auto input = EventFromProto("events[3]", event);

    EXPECT_EQ(FieldOf(input.status()), "events[3].data[\"message\"].struct.amounts[1]");
  }
}

// An object with `levels` levels.
google::protobuf::Struct Nested(int levels) {
  google::protobuf::Struct object;
  google::protobuf::Struct* innermost = &object;
  for (int i = 1; i < levels; ++i) {
    innermost = (*innermost->mutable_fields())["in"].mutable_struct_value();
  }
  return object;
}

TEST(EventConvert, StructsHaveAtMostSoManyLevels) {
  EXPECT_TRUE(StructToJson("f", Nested(kJsonDepthMax)).ok());
  const absl::Status status = StructToJson("f", Nested(kJsonDepthMax + 1)).status();
  EXPECT_EQ(FieldOf(status), "f");
  EXPECT_THAT(std::string(status.message()), HasSubstr("64"));
}

TEST(EventConvert, AValueWithoutAKindIsRefused) {
  google::protobuf::Struct object;
  (*object.mutable_fields())["x"];
  EXPECT_EQ(FieldOf(StructToJson("f", object).status()), "f.x");
}

TEST(EventConvert, AResourceWithoutContentIsRefused) {
  EXPECT_EQ(FieldOf(EventFromProto("event", EventOf("data { key: \"m\\\"\" value {} }")).status()),
            "event.data[\"m\\\"\"]");
}

TEST(EventConvert, TimesThatAreNoneAreRefused) {
  EXPECT_EQ(FieldOf(EventFromProto("event", EventOf("time { nanos: -1 }")).status()), "event.time");
  EXPECT_EQ(FieldOf(EventFromProto("event", EventOf("time { seconds: 253402300800 }")).status()),
            "event.time");
  EXPECT_EQ(FieldOf(EventFromProto("event", EventOf("expire_time { nanos: 1000000000 }")).status()),
            "event.expire_time");
  EXPECT_EQ(
      FieldOf(EventFromProto("event", EventOf("activity { published { seconds: -62135596801 } }"))
                  .status()),
      "event.activity.published");
}

TEST(EventConvert, UnknownFieldsAreRefusedWhereverTheyAre) {
  v1::Event event;
  event.mutable_activity()
      ->mutable_actor()
      ->GetReflection()
      ->MutableUnknownFields(event.mutable_activity()->mutable_actor())
      ->AddVarint(99, 1);
  const absl::Status in_party = EventFromProto("event", event).status();
  EXPECT_EQ(FieldOf(in_party), "event.activity.actor");
  EXPECT_THAT(std::string(in_party.message()), HasSubstr("99"));
  EXPECT_THAT(std::string(in_party.message()), HasSubstr("postrider.v1.ActivityParty"));

  v1::Event with_resource;
  v1::Resource& resource = (*with_resource.mutable_data())["message"];
  resource.set_json("{}");
  resource.GetReflection()->MutableUnknownFields(&resource)->AddVarint(7, 1);
  EXPECT_EQ(FieldOf(EventFromProto("event", with_resource).status()), "event.data[\"message\"]");

  v1::Event itself;
  itself.GetReflection()->MutableUnknownFields(&itself)->AddVarint(13, 1);
  EXPECT_EQ(FieldOf(EventFromProto("event", itself).status()), "event");
}

TEST(EventConvert, AReceiptSaysAlsoThatItIsNoDuplicate) {
  PublishReceipt receipt;
  receipt.id = *Uuid::Parse("774ae370-02cc-11e7-ac41-c38ce8763025");
  receipt.accept_time = absl::FromUnixMillis(-1);
  v1::PublishResponse response;

  ReceiptToProto(receipt, &response);

  EXPECT_EQ(response.id(), "774ae370-02cc-11e7-ac41-c38ce8763025");
  EXPECT_EQ(response.accept_time().seconds(), -1);
  EXPECT_EQ(response.accept_time().nanos(), 999'000'000);
  EXPECT_TRUE(response.has_duplicate());
}

TEST(EventConvert, AStoredEventIsShownWithAndWithoutItsBody) {
  auto event = std::make_shared<Event>();
  event->organization = "o";
  event->organization_path = {"r", "o"};
  event->type = "a.b";
  event->time = absl::FromUnixSeconds(1);
  event->expire_time = absl::FromUnixSeconds(2);
  event->body = "{}";
  const LogEntry entry{3, 4, absl::FromUnixSeconds(5), event};
  v1::StoredEvent with_body;
  v1::StoredEvent without_body;

  StoredEventToProto(entry, true, &with_body);
  StoredEventToProto(entry, false, &without_body);

  EXPECT_EQ(with_body.body(), "{}");
  EXPECT_EQ(without_body.body(), "");
  EXPECT_EQ(without_body.body_bytes(), 2);
  EXPECT_EQ(without_body.organization_path_size(), 2);
  EXPECT_EQ(without_body.accept_time().seconds(), 5);
  EXPECT_EQ(without_body.expire_time().seconds(), 2);
}

TEST(TimeConvert, TimesBeyondTheBoundsAreMovedToThem) {
  google::protobuf::Timestamp timestamp;
  TimeToProto(absl::InfiniteFuture(), &timestamp);
  EXPECT_EQ(timestamp.seconds(), 253402300799);
  TimeToProto(absl::InfinitePast(), &timestamp);
  EXPECT_EQ(timestamp.seconds(), -62135596800);
}

TEST(TimeConvert, DurationsKeepTheirSign) {
  google::protobuf::Duration duration;
  DurationToProto(-absl::Milliseconds(1500), &duration);
  EXPECT_EQ(duration.seconds(), -1);
  EXPECT_EQ(duration.nanos(), -500'000'000);
  EXPECT_EQ(*DurationFromProto("d", duration), -absl::Milliseconds(1500));
  duration.set_seconds(1);
  EXPECT_EQ(FieldOf(DurationFromProto("d", duration).status()), "d");
}

}  // namespace
}  // namespace postrider
