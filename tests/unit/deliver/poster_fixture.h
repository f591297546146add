#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gateway/base/asio_loop.h"
#include "gateway/base/check.h"
#include "gateway/base/clock.h"
#include "gateway/base/work_item.h"
#include "gateway/deliver/http_poster.h"
#include "gateway/model/event.h"
#include "gateway/model/subscription.h"

namespace postrider {

// The wall clock stands at the moment of the signature vectors; the monotonic one can be put ahead.
class VectorClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::FromUnixSeconds(1545246541); }
  absl::Duration Monotonic() const override {
    return SystemClock()->Monotonic() + absl::Seconds(skipped_.load());
  }
  void SkipSeconds(int seconds) { skipped_ += seconds; }

 private:
  std::atomic<int> skipped_{0};
};

inline AddressGuard LoopbackGuard() {
  absl::StatusOr<AddressGuard> guard = AddressGuard::Create({"127.0.0.0/8"}, /*allow_http=*/true);
  CHECK(guard.ok());
  return *guard;
}

inline HttpPosterOptions LoopbackOptions() {
  HttpPosterOptions options;
  options.guard = LoopbackGuard();
  return options;
}

inline Subscription SubscriptionTo(const std::string& url) {
  Subscription subscription;
  subscription.id = std::string("s1");
  subscription.organization = std::string("o");
  subscription.url = url;
  subscription.secrets = {{.text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
  return subscription;
}

inline std::shared_ptr<const Event> EventWithBody(std::string body) {
  auto event = std::make_shared<Event>();
  event->id = *Uuid::Parse("774ae370-02cc-11e7-ac41-c38ce8763025");
  event->organization = std::string("o");
  event->type = std::string("message.create.contact.chat");
  event->body = std::move(body);
  return event;
}

// A poster on a loop on a thread, spoken to from the test's.
class PosterFixture {
 public:
  explicit PosterFixture(HttpPosterOptions options = LoopbackOptions()) {
    auto poster = NewHttpPoster(&loop_, std::move(options), &clock_);
    CHECK(poster.ok());
    poster_ = *std::move(poster);
    thread_ = std::thread([this]() { loop_.Run(); });
  }

  ~PosterFixture() {
    loop_.Stop();
    thread_.join();
    poster_.reset();
  }

  std::shared_ptr<const Endpoint> Prepare(const Subscription& subscription) {
    std::promise<std::shared_ptr<const Endpoint>> made;
    loop_.Post([&]() { made.set_value(poster_->Prepare(subscription)); });
    return made.get_future().get();
  }

  // Starts a POST; the future is broken if `done` is destroyed without being called.
  std::future<PostResult> Start(PostRequest request) {
    auto promise = std::make_unique<std::promise<PostResult>>();
    std::future<PostResult> future = promise->get_future();
    loop_.Post([this, request = std::move(request), promise = std::move(promise)]() mutable {
      auto within = std::make_shared<bool>(true);
      poster_->Post(std::move(request), [within, promise = std::move(promise)](PostResult result) {
        CHECK(!*within);  // Never from within Post().
        promise->set_value(std::move(result));
      });
      *within = false;
    });
    return future;
  }

  PostResult Post(const Subscription& subscription,
                  std::shared_ptr<const Event> event = EventWithBody("{}")) {
    return Post(Prepare(subscription), std::move(event));
  }
  PostResult Post(std::shared_ptr<const Endpoint> endpoint,
                  std::shared_ptr<const Event> event = EventWithBody("{}")) {
    return Start({.endpoint = std::move(endpoint), .event = std::move(event)}).get();
  }
  PostResult PostTo(const std::string& url) { return Post(SubscriptionTo(url)); }

  // What the loop's thread works on when the exchange ends.
  WorkItem WorkAtEnd(PostRequest request) {
    std::promise<WorkItem> work;
    loop_.Post([&]() {
      poster_->Post(std::move(request), [&](const PostResult&) { work.set_value(CurrentWork()); });
    });
    return work.get_future().get();
  }

  PostResult Challenge(const std::string& url, const std::string& challenge) {
    std::promise<PostResult> answered;
    const std::shared_ptr<const Endpoint> endpoint = Prepare(SubscriptionTo(url));
    loop_.Post([&]() {
      poster_->Challenge(endpoint, challenge,
                         [&](PostResult result) { answered.set_value(std::move(result)); });
    });
    return answered.get_future().get();
  }

  void PostToLoop(Loop::Task task) { loop_.Post(std::move(task)); }

  // How many turns the loop makes, from what has been posted to it by now, until `result` is there.
  int TurnsUntilReady(std::future<PostResult>* result) {
    std::promise<int> counted;
    loop_.Post([&]() { CountTurn(result, 0, &counted); });
    return counted.get_future().get();
  }

  // As if that much time had passed.
  void SkipSeconds(int seconds) { clock_.SkipSeconds(seconds); }

 private:
  void CountTurn(std::future<PostResult>* result, int turns, std::promise<int>* counted) {
    if (result->wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      counted->set_value(turns);
      return;
    }
    loop_.Post([=, this]() { CountTurn(result, turns + 1, counted); });
  }

  VectorClock clock_;
  AsioLoop loop_;
  std::unique_ptr<Poster> poster_;
  std::thread thread_;
};

// Waits for `condition`, which others make true.
template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Duration end = SystemClock()->Monotonic() + absl::Seconds(30);
  while (!condition()) {
    if (SystemClock()->Monotonic() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

}  // namespace postrider
