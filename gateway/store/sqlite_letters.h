#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/sqlite.h"
#include "gateway/store/store.h"

namespace postrider {

// Reads dead letters and what is known of one delivery. One thread at a time, as the connection.
class SqliteLetters {
 public:
  // `database` outlives this.
  explicit SqliteLetters(Database* database);

  absl::StatusOr<DeadLetterPage> List(const DeadLetterQuery& query);

  // Completes a record that has its entry. In a transaction.
  absl::Status Read(SubscriptionNumber subscription, DeliveryRecord* record);

 private:
  absl::Status ReadExceptions(SubscriptionNumber subscription, DeliveryRecord* record);
  absl::Status ReadBlocking(SubscriptionNumber subscription, DeliveryRecord* record);
  // The shard's position, with the subscription's own if it has one.
  absl::Status ReadPosition(SubscriptionNumber subscription, DeliveryRecord* record);
  absl::Status ReadLastAttempt(SubscriptionNumber subscription, DeliveryRecord* record);

  Statement list_dead_;
  Statement select_exceptions_;
  Statement select_blocking_;
  Statement select_shard_;
  Statement select_reader_;
  Statement recent_attempt_;
  Statement indexed_attempt_;
  AttemptSeq attempts_indexed_ = 0;  // Of the shard that is being read.
};

}  // namespace postrider
