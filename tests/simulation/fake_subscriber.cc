#include "tests/simulation/fake_subscriber.h"

#include <algorithm>
#include <utility>

#include "gateway/base/check.h"

namespace postrider {
namespace {

struct FakeEndpoint final : Endpoint {
  FakeSubscriber* subscriber = nullptr;
  absl::Duration timeout;
};

}  // namespace

void FakeSubscriber::Answers(std::deque<int> statuses) {
  script_ = [statuses = std::move(statuses)]() mutable {
    if (statuses.empty()) return Answer{};
    const int status = statuses.front();
    statuses.pop_front();
    return Answer{.http_status = status};
  };
}

void FakeSubscriber::NeverAnswers() {
  script_ = [] { return Answer{.http_status = 0}; };
}

void FakeSubscriber::AnswersAfter(absl::Duration delay) {
  script_ = [delay] { return Answer{.delay = delay}; };
}

std::vector<int64_t> FakeSubscriber::ArrivalSeconds() const {
  std::vector<int64_t> seconds;
  for (const Arrival& arrival : arrivals_) seconds.push_back(absl::ToInt64Seconds(arrival.time));
  return seconds;
}

std::vector<std::string> FakeSubscriber::ArrivalTypes() const {
  std::vector<std::string> types;
  for (const Arrival& arrival : arrivals_) types.push_back(arrival.type);
  return types;
}

size_t FakeSubscriber::Receive(Arrival arrival, Answer* answer) {
  *answer = script_ ? script_() : Answer{};
  arrival.own_fault = answer->own_fault;
  ++in_flight_;
  if (!arrival.own_fault) listener_(*this, arrival);
  arrivals_.push_back(std::move(arrival));
  return arrivals_.size() - 1;
}

void FakeSubscriber::HangUp() {
  in_flight_ = 0;
  throttled_until_ = -absl::InfiniteDuration();
  answer_time_ = -absl::InfiniteDuration();
  own_fault_time_ = -absl::InfiniteDuration();
}

void FakeSubscriber::Answered(size_t arrival, const PostResult& result, absl::Duration now) {
  --in_flight_;
  arrivals_[arrival].answered = true;
  arrivals_[arrival].success = result.success();
  arrivals_[arrival].throttled = result.retry_after.has_value();
  if (result.retry_after.has_value()) {
    const absl::Duration wait = *result.retry_after * (1 - kSteadyErrorMax);
    throttled_until_ = std::max(throttled_until_, now + wait);
  }
  arrivals_[arrival].gone = result.http_status == 410;
  arrivals_[arrival].answer_time = now;
  answer_time_ = now;
  if (arrivals_[arrival].own_fault) own_fault_time_ = now;
}

std::shared_ptr<const Endpoint> FakePoster::Prepare(const Subscription& subscription) {
  auto endpoint = std::make_shared<FakeEndpoint>();
  endpoint->subscriber = subscribers_->at(subscription.url).get();
  endpoint->timeout = subscription.policy.timeout;
  return endpoint;
}

void FakePoster::Post(PostRequest request, Done done) {
  const auto* const endpoint = dynamic_cast<const FakeEndpoint*>(request.endpoint.get());
  CHECK(endpoint != nullptr);
  FakeSubscriber* const subscriber = endpoint->subscriber;
  if (subscriber->deadly_for(*request.event)) {
    deaths_->push_back(CurrentWork());
    return;
  }
  FakeSubscriber::Answer answer;
  Arrival arrival;
  arrival.event_id = request.event->id;
  arrival.type = request.event->type;
  arrival.event = request.event;
  arrival.time = clock_->Monotonic() - world_start_;
  arrival.attempt_number = request.attempt_number;
  arrival.life = life_;
  const size_t index = subscriber->Receive(std::move(arrival), &answer);

  PostResult result;
  result.latency = std::min(answer.delay, endpoint->timeout);
  result.http_status = answer.http_status;
  if (answer.http_status == 0 || answer.delay > endpoint->timeout) {
    result.outcome = Outcome::kTimeout;
    result.latency = endpoint->timeout;
    result.http_status = 0;
  } else if (answer.http_status < 200 || answer.http_status > 299) {
    result.outcome = Outcome::kHttpStatus;
  }
  if (result.http_status == 429) result.retry_after = answer.retry_after;
  if (answer.own_fault) {
    result = {.outcome = Outcome::kInternalError, .latency = result.latency};
  }
  const absl::Duration latency = result.latency;
  loop_->After(latency, [this, subscriber, index, result = std::move(result),
                         done = std::move(done)]() mutable {
    subscriber->Answered(index, result, clock_->Monotonic() - world_start_);
    std::move(done)(std::move(result));
  });
}

void FakePoster::Challenge(std::shared_ptr<const Endpoint> /*endpoint*/, std::string /*challenge*/,
                           Done done) {
  loop_->Post([done = std::move(done)]() mutable { std::move(done)(PostResult{}); });
}

}  // namespace postrider
