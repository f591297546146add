#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/base/clock.h"
#include "gateway/base/loop.h"
#include "gateway/model/poster.h"
#include "gateway/model/subscription.h"

namespace postrider {

// A wait may be shorter by this part when the wall clock has stepped (T5).
inline constexpr double kSteadyErrorMax = 0.001;

// One POST as its receiver sees it.
struct Arrival {
  Uuid event_id;
  std::string type;
  std::shared_ptr<const Event> event;
  absl::Duration time;  // Since the world began.
  int attempt_number = 0;
  int life = 0;                // Which life of the process sent it.
  bool answered = false;       // The sender has heard the answer.
  bool success = false;        // The answer, then.
  bool throttled = false;      // The answer: a 429 that says when to come again.
  bool gone = false;           // The answer: a 410.
  bool own_fault = false;      // There was no exchange: the sender could not send (E7).
  absl::Duration answer_time;  // Since the world began.
};

// A scripted receiver of one subscription's POSTs. Outlives every life of the process.
class FakeSubscriber {
 public:
  // What it does with one POST.
  struct Answer {
    int http_status = 200;  // 0: never answers.
    absl::Duration delay = absl::Milliseconds(1);
    bool own_fault = false;
    std::optional<absl::Duration> retry_after;  // Of a 429, and only of that.
  };
  using Script = std::function<Answer()>;

  // Hears of each POST before it is answered.
  using Listener = std::function<void(const FakeSubscriber&, const Arrival&)>;

  explicit FakeSubscriber(std::string url, Listener listener)
      : url_(std::move(url)), listener_(std::move(listener)) {}

  // --- The script: who has none answers 200 ---
  // These, then 200 for ever.
  void Answers(std::deque<int> statuses);
  void NeverAnswers();
  void AnswersAfter(absl::Duration delay);
  void AnswersBy(Script script) { script_ = std::move(script); }
  void Heals() { script_ = nullptr; }
  // The sender dies of its own fault before it has sent an event of the type; empty: of none.
  void IsDeadlyFor(std::string type) { deadly_ = std::move(type); }

  // --- What came ---
  const std::string& url() const { return url_; }
  const std::vector<Arrival>& arrivals() const { return arrivals_; }
  // Whole seconds since the world began, one an arrival.
  std::vector<int64_t> ArrivalSeconds() const;
  std::vector<std::string> ArrivalTypes() const;
  int in_flight() const { return in_flight_; }
  // Of the sender in its present life; in the past without end: never. When it last heard an
  // answer, and when it could not send for a fault of its own.
  absl::Duration answer_time() const { return answer_time_; }
  absl::Duration own_fault_time() const { return own_fault_time_; }
  // Nothing may come before, since the world began: it asked to be left alone.
  absl::Duration throttled_until() const { return throttled_until_; }

  // --- The wire's side ---
  bool deadly_for(const Event& event) const { return event.type == deadly_; }
  // Returns the index of the arrival, and what to do with it.
  size_t Receive(Arrival arrival, Answer* answer);
  // The sender hears `success`.
  void Answered(size_t arrival, const PostResult& result, absl::Duration now);
  // Its owner has had it enabled: what it asked for before is forgotten.
  void ForgetThrottle() { throttled_until_ = -absl::InfiniteDuration(); }
  // The process has died: nobody hears what is still to be answered.
  void HangUp();

 private:
  const std::string url_;
  const Listener listener_;
  Script script_;
  std::string deadly_;
  std::vector<Arrival> arrivals_;
  int in_flight_ = 0;
  absl::Duration throttled_until_ = -absl::InfiniteDuration();
  absl::Duration answer_time_ = -absl::InfiniteDuration();
  absl::Duration own_fault_time_ = -absl::InfiniteDuration();
};

// The wire of one loop in one life of the process.
class FakePoster final : public Poster {
 public:
  using Subscribers = std::map<std::string, std::unique_ptr<FakeSubscriber>>;  // By URL.

  // All outlive this. What the process dies of is added to `deaths`.
  FakePoster(Loop* loop, const Clock* clock, absl::Duration world_start, int life,
             const Subscribers* subscribers, std::vector<WorkItem>* deaths)
      : loop_(loop),
        clock_(clock),
        world_start_(world_start),
        life_(life),
        subscribers_(subscribers),
        deaths_(deaths) {}

  std::shared_ptr<const Endpoint> Prepare(const Subscription& subscription) override;
  void Post(PostRequest request, Done done) override;
  void Challenge(std::shared_ptr<const Endpoint> endpoint, std::string challenge,
                 Done done) override;

 private:
  Loop* const loop_;
  const Clock* const clock_;
  const absl::Duration world_start_;  // On the monotonic clock.
  const int life_;
  const Subscribers* const subscribers_;
  std::vector<WorkItem>* const deaths_;
};

}  // namespace postrider
