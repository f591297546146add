// An endpoint is made ready once and used for long: what depends on the time is judged at each
// POST.

#include "gateway/deliver/prepared_endpoint.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"

namespace postrider {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1614265330);

PreparedEndpoint EndpointWith(const std::vector<Secret>& secrets) {
  Subscription subscription;
  subscription.url = std::string("https://example.com/hook");
  subscription.secrets = secrets;
  const absl::StatusOr<Url> url = ParseUrl(subscription.url);
  CHECK(url.ok());
  return PreparedEndpoint(subscription, *url, nullptr);
}

std::string PostAt(const PreparedEndpoint& endpoint, absl::Time time) {
  Event event;
  event.id = *Uuid::Parse("774ae370-02cc-11e7-ac41-c38ce8763025");
  event.type = std::string("a");
  event.body = std::string("{}");
  std::string head;
  endpoint.WritePost(event, 1, time, &head);
  return head;
}

TEST(PreparedEndpoint, ASecretThatExpiresMeanwhileSignsNoMore) {
  const Secret oldest = {.text = "oldest", .expire_time = kNow + absl::Hours(1)};
  const Secret older = {.text = "older", .expire_time = kNow + absl::Hours(2)};
  const Secret newest = {.text = "newest"};
  const PreparedEndpoint endpoint = EndpointWith({oldest, older, newest});
  // As many signatures, and the hub's by the same secret, as an endpoint with only these has.
  const auto expect_signed_by = [&endpoint](absl::Time time, const std::vector<Secret>& secrets) {
    EXPECT_EQ(PostAt(endpoint, time), PostAt(EndpointWith(secrets), time)) << time;
  };
  EXPECT_NE(PostAt(endpoint, kNow), PostAt(EndpointWith({older, newest}), kNow));
  expect_signed_by(*oldest.expire_time, {older, newest});
  expect_signed_by(*older.expire_time - absl::Nanoseconds(1), {older, newest});
  expect_signed_by(*older.expire_time, {newest});
}

}  // namespace
}  // namespace postrider
