// Receivers that misbehave within TLS: each costs bounded memory and a bounded part of a turn.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/limits.h"
#include "tests/support/scripted_server.h"
#include "tests/support/test_certificates.h"
#include "tests/unit/deliver/poster_fixture.h"

namespace postrider {
namespace {

using Peer = ScriptedServer::Peer;

class BadTlsReceiver : public testing::Test {
 protected:
  HttpPosterOptions Options() {
    HttpPosterOptions options = LoopbackOptions();
    options.ca_file = certificates_.ca_file();
    return options;
  }

  TestCertificates certificates_;
  const std::string certificate_ = certificates_.Make({.ip_address = "127.0.0.1"});
};

// Sends each of the bytes in a record of its own.
bool SendOneByOne(Peer* peer, absl::string_view bytes) {
  for (const char& byte : bytes) {
    if (!peer->Send(absl::string_view(&byte, 1))) return false;
  }
  return true;
}

TEST_F(BadTlsReceiver, AHeaderWhoseRecordsEndWithinItsFieldsIsBounded) {
  ScriptedServer server(
      [](Peer* peer) {
        peer->ReadRequest();
        peer->Send("HTTP/1.1 200 OK\r\nX");
        while (peer->Send(": b\r\nX")) {
        }
      },
      certificate_);
  PosterFixture poster(Options());
  const PostResult result = poster.PostTo(server.Url());
  EXPECT_EQ(result.outcome, Outcome::kProtocolError);
  EXPECT_TRUE(absl::StrContains(result.error_text, "32768")) << result.error_text;
}

TEST_F(BadTlsReceiver, AResponseInManyRecordsLeavesTurnsToOthers) {
  constexpr int kRecords = 400;
  std::promise<void> asked;
  std::promise<void> held;
  std::promise<void> sent;
  ScriptedServer server(
      [&](Peer* peer) {
        peer->ReadRequest();
        asked.set_value();
        held.get_future().wait();
        peer->Send("HTTP/1.1 200 OK\r\nX: ");
        SendOneByOne(peer, std::string(kRecords, 'x'));
        peer->Send("\r\nContent-Length: 0\r\n\r\n");
        sent.set_value();
        peer->AwaitClose();
      },
      certificate_);
  PosterFixture poster(Options());
  auto result = poster.Start(
      {.endpoint = poster.Prepare(SubscriptionTo(server.Url())), .event = EventWithBody("{}")});
  asked.get_future().wait();
  // While the loop stands, all of the response comes.
  poster.PostToLoop([&] {
    held.set_value();
    sent.get_future().wait();
  });
  const int turns = poster.TurnsUntilReady(&result);
  EXPECT_TRUE(result.get().success());
  EXPECT_GE(turns, kRecords / kTlsReadsPerTurn);
}

TEST_F(BadTlsReceiver, WhatIsWithinTlsAlreadyIsReadInALaterTurn) {
  // However the reads of a turn fall on the records, the last one is longer than what one read
  // takes, and nothing comes after it.
  for (int records = 0; records < 2 * kTlsReadsPerTurn; ++records) {
    ScriptedServer server(
        [records](Peer* peer) {
          peer->ReadRequest();
          peer->Send("HTTP/1.1 200 OK\r\nX: ");
          SendOneByOne(peer, std::string(static_cast<size_t>(records), 'x'));
          peer->Send(absl::StrCat(std::string(9000, 'x'), "\r\nContent-Length: 0\r\n\r\n"));
          peer->AwaitClose();
        },
        certificate_);
    PosterFixture poster(Options());
    EXPECT_TRUE(poster.PostTo(server.Url()).success()) << records;
  }
}

// The memory of this process that is in use.
size_t ResidentBytes() {
  long total = 0;
  long resident = 0;
  FILE* const file = std::fopen("/proc/self/statm", "r");
  CHECK(file != nullptr);
  CHECK(std::fscanf(file, "%ld %ld", &total, &resident) == 2);
  std::fclose(file);
  return static_cast<size_t>(resident) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

TEST_F(BadTlsReceiver, ABodyThatNobodyReadsIsNotCopied) {
  constexpr int kPosts = 8;
  constexpr size_t kBodyBytes = 16 << 20;
  std::atomic<int> connected{0};
  std::promise<void> over;
  const std::shared_future<void> end = over.get_future().share();
  ScriptedServer server(
      [&connected, end](Peer*) {
        ++connected;
        end.wait();
      },
      certificate_);
  PosterFixture poster(Options());
  const auto endpoint = poster.Prepare(SubscriptionTo(server.Url()));
  const auto event = EventWithBody(std::string(kBodyBytes, 'x'));
  const size_t before = ResidentBytes();
  std::vector<std::future<PostResult>> results;
  for (int i = 0; i < kPosts; ++i) {
    results.push_back(poster.Start({.endpoint = endpoint, .event = event}));
  }
  // Sending begins in the turn that ends the handshake, and what follows is in a later one.
  EXPECT_TRUE(Eventually([&connected] { return connected == kPosts; }));
  poster.Prepare(SubscriptionTo(server.Url()));
  EXPECT_LT(ResidentBytes(), before + kPosts * kBodyBytes / 4);
  over.set_value();
  for (std::future<PostResult>& result : results) {
    EXPECT_FALSE(result.get().success());
  }
}

}  // namespace
}  // namespace postrider
