#pragma once

// The statements that delete the old end of the log (C7), in addition to those of sqlite_sql.h.
namespace postrider::sql {

// The oldest events of a stretch, without their bodies.
inline constexpr char kSelectOldEvents[] =
    "SELECT key, id, organization, type, accept_time FROM event "
    "WHERE key >= ? AND key <= ? ORDER BY key LIMIT ?";
inline constexpr char kSelectOldAttempts[] =
    "SELECT i.event_key, i.attempt_key, attempt.subscription, attempt.time "
    "FROM attempt_by_event AS i CROSS JOIN attempt ON attempt.key = i.attempt_key "
    "WHERE i.event_key >= ? AND i.event_key <= ? ORDER BY i.event_key, i.attempt_key LIMIT ?";
inline constexpr char kSelectOldExceptions[] =
    "SELECT subscription, seq, origin, state, ordering_key "
    "FROM exception INDEXED BY exception_by_seq "
    "WHERE gone_time IS NULL AND shard = ? AND seq <= ? "
    "ORDER BY seq, subscription, origin LIMIT ?";
inline constexpr char kSelectLongGone[] =
    "SELECT subscription, seq, origin FROM exception INDEXED BY exception_gone "
    "WHERE gone_time IS NOT NULL AND shard = ? AND gone_time < ? ORDER BY gone_time LIMIT ?";

// Of one whose event goes, ?1: why, if it was not dead before.
inline constexpr char kSetGone[] =
    "UPDATE exception SET generation = generation + 1, gone_time = ?2, "
    "dead_reason = CASE state WHEN 1 THEN dead_reason ELSE ?1 END, state = 1 "
    "WHERE shard = ?3 AND subscription = ?4 AND seq = ?5 AND origin = ?6";

inline constexpr char kDeleteEvents[] = "DELETE FROM event WHERE key >= ? AND key <= ?";
inline constexpr char kDeleteEventId[] = "DELETE FROM event_id WHERE id = ? AND organization = ?";
inline constexpr char kDeleteByOrganization[] =
    "DELETE FROM event_by_organization WHERE organization = ? AND key = ?";
inline constexpr char kDeleteByType[] =
    "DELETE FROM event_by_type WHERE organization = ? AND type = ? AND key = ?";
inline constexpr char kDeleteUnmatched[] = "DELETE FROM unmatched WHERE key >= ? AND key <= ?";
inline constexpr char kDeleteAttempt[] = "DELETE FROM attempt WHERE key = ?";
inline constexpr char kDeleteAttemptByEvent[] =
    "DELETE FROM attempt_by_event WHERE event_key = ? AND attempt_key = ?";
inline constexpr char kDeleteAttemptBySubscription[] =
    "DELETE FROM attempt_by_subscription "
    "WHERE subscription = ? AND time = ? AND attempt_key = ?";
// All segments before the one that the first event that is left is in.
inline constexpr char kDeleteSegments[] =
    "DELETE FROM segment WHERE shard = ?1 AND first_seq < "
    "(SELECT max(first_seq) FROM segment WHERE shard = ?1 AND first_seq <= ?2)";

// Attempts of a stretch that is not indexed yet, of events that are deleted.
inline constexpr char kDropAttemptsOfDeleted[] =
    "DELETE FROM attempt WHERE key > ? AND key <= ? AND seq < ?";

}  // namespace postrider::sql
