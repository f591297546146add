#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/fake_subscriber.h"
#include "tests/simulation/sim_services.h"
#include "tests/simulation/world.h"

namespace postrider {

// One random course of events, which follows from its seed: what publishers, subscribers and owners
// do, and what goes wrong meanwhile.
class Course {
 public:
  explicit Course(uint64_t seed);

  // To its end, after which all that was accepted must have come to an end too. What was wrong.
  std::vector<std::string> Run();

 private:
  void Round();
  void Finish();

  // --- Publishers ---
  void PublishSome(size_t count);
  void PublishUnanswered();

  // --- Subscribers ---
  void Subscribe();
  void Script(FakeSubscriber& subscriber);
  FakeSubscriber::Answer Whim();

  // --- Owners (course_owners.cc) ---
  void Change();
  void DisableOrEnable();
  void EnableAll();
  void ChangeBacklog();
  void Purge(const FakeSubscriber& subscriber);
  void Replay(const FakeSubscriber& subscriber);

  // --- What goes wrong ---
  void CrashAmongEvents();
  void StoreTrouble();
  void StepClock();

  FakeSubscriber& AnySubscriber() { return *subscribers_[random_.Below(subscribers_.size())]; }

  World world_;
  SeededRandom random_;
  std::vector<FakeSubscriber*> subscribers_;
  std::vector<std::string> replays_;
  bool large_bodies_ = false;
  bool many_events_ = false;
  bool gone_ = false;  // Whether subscribers say 410 now and then.
  bool clock_steps_ = false;
  size_t crashes_left_ = 0;
};

}  // namespace postrider
