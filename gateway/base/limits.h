#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

// Every bound of the engine, with its reason. A bound that an operator may change has its default
// here and its field in the configuration.
namespace postrider {

// --- What a publisher may send ------------------------------------------------------------------
inline constexpr size_t kBodyBytesMaxDefault = 256 * 1024;  // The webhook body after translation.
inline constexpr size_t kBodyBytesMaxFloor = 256;
inline constexpr size_t kBodyBytesMaxCeiling = 1024 * 1024;
inline constexpr int kJsonDepthMax = 64;
inline constexpr size_t kEventTypeSegmentsMax = 8;
inline constexpr size_t kEventTypeBytesMax = 256;
inline constexpr size_t kOrganizationBytesMax = 128;
inline constexpr size_t kOrganizationPathMax = 8;
inline constexpr size_t kOrderingKeyBytesMax = 256;
inline constexpr size_t kResourcesMax = 64;  // Entries of Event.data.
inline constexpr size_t kResourceNameBytesMax = 64;
inline constexpr size_t kLinksMax = 64;
inline constexpr size_t kLinkBytesMax = 2048;
inline constexpr size_t kActivityTextBytesMax = 2048;  // Each id, type and name in the activity.
inline constexpr size_t kActivitySummaryBytesMax = 16 * 1024;
inline constexpr size_t kTargetsMax = 100;
inline constexpr size_t kBatchEventsMax = 1000;
inline constexpr size_t kBatchBytesMax = 4 * 1024 * 1024;
inline constexpr size_t kStreamUnackedEventsMax = 1024;
inline constexpr size_t kStreamUnackedBytesMax = 4 * 1024 * 1024;
inline constexpr absl::Duration kStreamUnreadAcksMax = absl::Seconds(60);
inline constexpr size_t kRefusedKeysMax = 1024;  // Ordering keys held by a stream; then it ends.

// --- Subscriptions ------------------------------------------------------------------------------
inline constexpr size_t kPatternsMax = 100;
inline constexpr size_t kUrlBytesMax = 2048;
inline constexpr size_t kSecretsMax = 10;
inline constexpr size_t kSecretBytesMin = 1;
inline constexpr size_t kSecretBytesMax = 256;  // A string secret, as the platform's users have.
inline constexpr size_t kWhsecBytesMin = 24;    // A whsec_ secret, decoded.
inline constexpr size_t kWhsecBytesMax = 64;
inline constexpr size_t kHeadersMax = 20;
inline constexpr size_t kHeaderNameBytesMax = 64;
inline constexpr size_t kHeaderValueBytesMax = 4096;
inline constexpr size_t kScheduleStepsMax = 64;
inline constexpr absl::Duration kScheduleStepMax = absl::Hours(7 * 24);
inline constexpr absl::Duration kScheduleTotalMax = absl::Hours(13 * 24);
inline constexpr int kMaxInFlightMax = 1000;  // Per subscription.
inline constexpr size_t kDescriptionBytesMax = 1024;
inline constexpr double kRateMin = 0.01;  // Attempts a second, per subscription.
inline constexpr double kRateMax = 10'000;
inline constexpr absl::Duration kDeliveryAgeMin = absl::Minutes(1);
inline constexpr absl::Duration kDeliveryAgeMax = absl::Hours(13 * 24);
inline constexpr absl::Duration kSecretOverlapDefault = absl::Hours(24);
inline constexpr absl::Duration kSecretOverlapMax = absl::Hours(7 * 24);
inline constexpr size_t kChallengesMax = 64;  // Under way at a time.
inline constexpr size_t kChallengesWaitingMax = 1000;
inline constexpr size_t kTestsMax = 64;       // Likewise.
inline constexpr size_t kPausesMax = 16;      // Of a subscription; the oldest become one.
inline constexpr size_t kPurgeMarksMax = 16;  // Each is judged whenever an event is met.

// --- Retention (docs/engine.md C7) --------------------------------------------------------------
inline constexpr absl::Duration kRetentionDefault = absl::Hours(14 * 24);
inline constexpr absl::Duration kRetentionMargin = absl::Hours(24);  // Beyond the longest schedule.
inline constexpr absl::Duration kDefaultScheduleTotal =
    absl::Hours(24);  // The built-in one's, about.
inline constexpr absl::Duration kRetentionMin = absl::Hours(25);
inline constexpr absl::Duration kRetentionMax = absl::Hours(3650 * 24);

// --- Replays (docs/engine.md C5) ----------------------------------------------------------------
inline constexpr uint64_t kReplaysUnfinishedMax = 4;  // Per subscription.
inline constexpr uint64_t kReplaysKeptMax = 20;       // Finished ones, per subscription.
inline constexpr double kReplayRateMin = 0.01;        // Events a second.
inline constexpr double kReplayRateMax = 100'000;
inline constexpr size_t kReplayReadyEvents = 128;         // With less in memory it reads on.
inline constexpr uint64_t kReplayCountedMax = 1'000'000;  // Events examined by a dry run.

// --- One exchange -------------------------------------------------------------------------------
inline constexpr absl::Duration kExchangeTimeoutDefault = absl::Seconds(20);
inline constexpr absl::Duration kExchangeTimeoutMin = absl::Seconds(1);
inline constexpr absl::Duration kExchangeTimeoutMax = absl::Seconds(60);
inline constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
inline constexpr size_t kResponseHeaderBytesMax = 32 * 1024;
inline constexpr size_t kResponseBodyBytesMax = 16 * 1024;  // Read, then the connection is closed.
inline constexpr size_t kResponseBytesMax = 96 * 1024;      // With header and framing, as it comes.
inline constexpr int kTlsReadsPerTurn = 16;                 // Then the loop's others have theirs.
inline constexpr size_t kResponseKeptBytes = 1024;          // Stored when the attempt failed.
inline constexpr size_t kChallengeBodyBytesMax = 4 * 1024;  // Of the answer to a challenge.
inline constexpr absl::Duration kDrainTimeout = absl::Seconds(1);  // For what follows a header.
inline constexpr absl::Duration kRetryAfterMax = absl::Hours(24 * 365);  // What is still believed.
inline constexpr size_t kErrorTextBytesMax = 512;

// --- Connections and names, per loop -------------------------------------------------------------
inline constexpr absl::Duration kAddressTimeout = absl::Seconds(2);  // While there are other ones.
inline constexpr absl::Duration kIdleConnectionTimeout = absl::Seconds(4);  // Many close after 5 s.
inline constexpr absl::Duration kIdleConnectionTimeoutMax =
    absl::Seconds(60);                                                 // If a peer says so.
inline constexpr absl::Duration kConnectionAgeMax = absl::Minutes(5);  // DNS and policy change.
inline constexpr size_t kIdleConnectionsPerOriginMax = 256;
inline constexpr size_t kIdleConnectionsMax = 4096;
inline constexpr absl::Duration kResolveTimeout = absl::Seconds(5);
inline constexpr absl::Duration kResolutionKeptMin = absl::Seconds(30);
inline constexpr absl::Duration kResolutionKeptMax = absl::Seconds(60);
inline constexpr absl::Duration kResolutionFailureKept = absl::Seconds(5);
inline constexpr size_t kResolverNamesMax = 65536;
inline constexpr size_t kAddressesPerNameMax = 16;
inline constexpr absl::Duration kResolverWindow = kResolutionKeptMax;  // E7.
inline constexpr size_t kResolverWindowNames = 5;

// --- The tail, readers, exceptions (docs/engine.md R5, R3, E2, E3, E4, R7)
// ---------------------------
inline constexpr uint64_t kTailEventsMax = 4096;
inline constexpr size_t kTailBytesMax = 16 * 1024 * 1024;
inline constexpr absl::Duration kTailAgeMax = absl::Seconds(2);
inline constexpr absl::Duration kFullTailAgeMax = absl::Milliseconds(250);
inline constexpr uint64_t kReaderWindowMax =
    4096;  // Settled-bitmap bits; no shorter than the tail.
inline constexpr size_t kReaderPageEvents = 256;
inline constexpr size_t kReaderPageBytes = 256 * 1024;
inline constexpr size_t kQueueBytesMax = 8 * 1024 * 1024;  // Pairs waiting, per subscription.
// What all readers and retries of the process may hold beyond one event each: a thousand stuck
// subscribers with a page and a load each would be gigabytes.
inline constexpr size_t kReadBytesMax = 256 * 1024 * 1024;
inline constexpr size_t kKeptPagesBytesMax = 16 * 1024 * 1024;  // For those who read the same.
inline constexpr size_t kScarcePageBytes = 32 * 1024;  // A page of who holds nothing, beyond that.
inline constexpr size_t kLoadedExceptionsMax = 64;
inline constexpr size_t kLoadedExceptionBytesMax = 2 * kBodyBytesMaxCeiling;
inline constexpr uint64_t kExceptionsPerSubscriptionMax = 100'000;
// Dead letters of one redrive: well below that, for first attempts stop there.
inline constexpr uint64_t kRedriveMax = 20'000;
inline constexpr uint64_t kParkedPerKeyMax = 1000;  // Exceptions of one ordering key (E4).
inline constexpr uint64_t kParkedPerSubscriptionMax = 10'000;
inline constexpr size_t kHeldBytesMax = 1024 * 1024;
inline constexpr size_t kHeldEventsMax = 2048;   // Behind others of their keys, in memory.
inline constexpr int kInFlightAdaptiveMax = 64;  // Where a subscription sets no limit of its own.
inline constexpr size_t kFanOutPairsPerTurn = 1000;
inline constexpr int kDeathsMax = 3;  // Of a process by one item; then it is given up (E8).
inline constexpr size_t kUncommittedOutcomesMax = 1000;
inline constexpr absl::Duration kUncommittedAgeMax = absl::Seconds(1);
inline constexpr absl::Duration kOutcomeGatherMax = absl::Milliseconds(5);

// --- Turns to send and what may be in flight (T4) ------------------------------------------------
inline constexpr size_t kFairQuantumBytes = 16 * 1024;  // A turn: some ten ordinary events.
inline constexpr size_t kExchangeCostBytes = 1024;      // What an exchange costs besides its body.
inline constexpr int kExchangesPerTurn = 256;           // Then other work of the loop comes first.
inline constexpr int kInFlightTotalDefault = 4096;      // Per process; each costs a socket.
inline constexpr int kInFlightTotalMin = 64;
inline constexpr int kInFlightTotalMax = 65536;
inline constexpr int kInFlightPerOriginDefault = 256;
inline constexpr int kInFlightPerOriginMax = 4096;
inline constexpr absl::Duration kQuickAnswerMax = absl::Seconds(1);  // Slower ones may fill 3/4.

// --- Files given by an operator -----------------------------------------------------------------
inline constexpr size_t kFileBytesMax = 16 * 1024 * 1024;

// --- The commit queue (S5) ----------------------------------------------------------------------
inline constexpr size_t kGroupBytesMax = 8 * 1024 * 1024;
inline constexpr size_t kCommitQueueBytesMax = 64 * 1024 * 1024;
inline constexpr size_t kConfigurationBatchesMax = 1000;  // Waiting: a caller each.

static_assert(kRefusedKeysMax > kBatchEventsMax, "a batch has no end but its own");
static_assert(kResponseBytesMax >= kResponseHeaderBytesMax + kResponseBodyBytesMax,
              "the longest header and the longest body fit into one response");
static_assert(kReaderWindowMax >= kTailEventsMax,
              "who leaves the tail must fit into one reader's window");
static_assert(kCommitQueueBytesMax >= 2 * kGroupBytesMax,
              "one group commits while the next gathers");

}  // namespace postrider
