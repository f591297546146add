#include "gateway/base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace postrider {
namespace {

// A payload's text; "(none)" if there is none.
std::string PayloadOf(const absl::Status& status, absl::string_view url) {
  const auto payload = status.GetPayload(url);
  return payload.has_value() ? std::string(*payload) : "(none)";
}

TEST(StatusTest, InvalidFieldNamesTheField) {
  const absl::Status status = InvalidField("event.type", "is empty");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "event.type: is empty");
  EXPECT_EQ(PayloadOf(status, kFieldPayload), "event.type");
}

TEST(StatusTest, PrefixGoesBeforePathAndMessage) {
  const absl::Status status = WithFieldPrefix("event", InvalidField("type", "type is empty"));
  EXPECT_EQ(status.message(), "event.type: type is empty");
  EXPECT_EQ(PayloadOf(status, kFieldPayload), "event.type");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(StatusTest, PrefixesNest) {
  const absl::Status status =
      WithFieldPrefix("events[3]", WithFieldPrefix("data[\"x\"]", InvalidField("json", "ends")));
  EXPECT_EQ(status.message(), "events[3].data[\"x\"].json: ends");
  EXPECT_EQ(PayloadOf(status, kFieldPayload), "events[3].data[\"x\"].json");
}

TEST(StatusTest, NoDotBeforeAnIndex) {
  const absl::Status status = WithFieldPrefix("targets", InvalidField("[2]", "is empty"));
  EXPECT_EQ(status.message(), "targets[2]: is empty");
}

TEST(StatusTest, PrefixKeepsOtherPayloads) {
  const absl::Status status =
      WithFieldPrefix("event", WithReason(InvalidField("type", "no"), "TYPE_RESERVED"));
  EXPECT_EQ(PayloadOf(status, kReasonPayload), "TYPE_RESERVED");
}

TEST(StatusTest, PrefixLeavesStatusesWithoutFieldAlone) {
  const absl::Status unavailable = absl::UnavailableError("store is full");
  EXPECT_EQ(WithFieldPrefix("event", unavailable), unavailable);
  EXPECT_TRUE(WithFieldPrefix("event", absl::OkStatus()).ok());
}

TEST(StatusTest, ReasonResourceAndRetryArePayloads) {
  const absl::Status status = WithRetry(
      WithResource(WithReason(absl::AlreadyExistsError("taken"), "ID_TAKEN"), "event", "774ae370"),
      absl::Milliseconds(1500));
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "taken");
  EXPECT_EQ(PayloadOf(status, kReasonPayload), "ID_TAKEN");
  EXPECT_EQ(PayloadOf(status, kResourcePayload), "event:774ae370");
  EXPECT_EQ(PayloadOf(status, kRetryPayload), "1500");
}

absl::StatusOr<std::unique_ptr<int>> MakeInt(int value) {
  if (value < 0) return absl::OutOfRangeError("negative");
  return std::make_unique<int>(value);
}

absl::StatusOr<int> SumOf(int first, int second, int* reached) {
  ASSIGN_OR_RETURN(const std::unique_ptr<int> one, MakeInt(first));
  *reached = 1;
  ASSIGN_OR_RETURN(auto two, MakeInt(second));
  *reached = 2;
  RETURN_IF_ERROR(*one + *two > 100 ? absl::InternalError("large") : absl::OkStatus());
  *reached = 3;
  return *one + *two;
}

TEST(StatusTest, MacrosPassValuesOnAndReturnAtTheFirstError) {
  int reached = 0;
  const absl::StatusOr<int> sum = SumOf(1, 2, &reached);
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ(*sum, 3);
  EXPECT_EQ(reached, 3);

  reached = 0;
  EXPECT_EQ(SumOf(-1, 2, &reached).status(), absl::OutOfRangeError("negative"));
  EXPECT_EQ(reached, 0);

  EXPECT_EQ(SumOf(1, -2, &reached).status(), absl::OutOfRangeError("negative"));
  EXPECT_EQ(reached, 1);

  EXPECT_EQ(SumOf(99, 2, &reached).status(), absl::InternalError("large"));
  EXPECT_EQ(reached, 2);
}

}  // namespace
}  // namespace postrider
