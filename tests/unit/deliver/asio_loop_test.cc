#include "gateway/base/asio_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/clock.h"

namespace postrider {
namespace {

using testing::ElementsAre;

TEST(AsioLoop, RunsTasksInOrderAndReturnsWhenStopped) {
  AsioLoop loop;
  std::vector<int> ran;
  loop.Post([&]() { ran.push_back(1); });
  loop.Post([&]() {
    ran.push_back(2);
    loop.Post([&]() { ran.push_back(4); });
    loop.Post([&]() { loop.Stop(); });
  });
  loop.Post([&]() { ran.push_back(3); });
  loop.Run();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3, 4));
}

TEST(AsioLoop, RunsTimersInTheOrderOfTheirTimes) {
  AsioLoop loop;
  std::vector<int> ran;
  const absl::Duration start = SystemClock()->Monotonic();
  loop.After(absl::Milliseconds(20), [&]() {
    ran.push_back(3);
    loop.Stop();
  });
  loop.After(absl::Milliseconds(5), [&]() { ran.push_back(1); });
  loop.After(absl::Milliseconds(5), [&]() { ran.push_back(2); });
  loop.After(-absl::Seconds(1), [&]() { ran.push_back(0); });
  loop.After(absl::Hours(1), [&]() { ran.push_back(9); });
  loop.Run();
  EXPECT_THAT(ran, ElementsAre(0, 1, 2, 3));
  EXPECT_GE(SystemClock()->Monotonic() - start, absl::Milliseconds(20));
}

TEST(AsioLoop, ATimerThatRenewsItselfStarvesNobody) {
  AsioLoop loop;
  int turns = 0;
  bool posted = false;
  std::function<void()> again = [&]() {
    if (++turns == 1) {
      loop.Post([&]() { posted = true; });
    }
    if (!posted) {
      loop.After(absl::ZeroDuration(), [&]() { again(); });
    } else {
      loop.Stop();
    }
  };
  loop.After(absl::ZeroDuration(), [&]() { again(); });
  loop.Run();
  EXPECT_TRUE(posted);
}

TEST(AsioLoop, TakesTasksFromManyThreadsInEachOnesOrder) {
  AsioLoop loop;
  std::thread runner([&]() { loop.Run(); });
  std::vector<std::vector<int>> got(4);
  std::vector<std::thread> posters;
  for (auto& mine : got) {
    posters.emplace_back([&]() {
      for (int i = 0; i < 1000; ++i) {
        loop.Post([&mine, i]() { mine.push_back(i); });
      }
    });
  }
  for (std::thread& poster : posters) {
    poster.join();
  }
  loop.Stop();
  runner.join();
  for (const auto& mine : got) {
    EXPECT_EQ(mine.size(), 1000U);
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
  }
}

TEST(AsioLoop, DestroysWhatItDoesNotRun) {
  auto kept = std::make_shared<std::string>("kept");
  {
    AsioLoop loop;
    loop.After(absl::Hours(1), [kept]() {});
    loop.Post([&loop]() { loop.Stop(); });
    loop.Run();
    EXPECT_EQ(kept.use_count(), 1);
    loop.Post([kept]() { FAIL(); });
    EXPECT_EQ(kept.use_count(), 1);
  }
  {
    AsioLoop never_run;
    never_run.Post([kept]() { FAIL(); });
  }
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace postrider
