#pragma once

// The statements for single exceptions, in addition to those of sqlite_sql.h.
namespace postrider::sql {

// --- Writing ------------------------------------------------------------------------------------

inline constexpr char kRedriveException[] =
    "UPDATE exception SET generation = generation + 1, state = 0, dead_reason = 0, attempts = 0, "
    "throttled = 0, due_time = ?1, first_attempt_time = ?1, ordering_key = 0, redriven = 1 "
    "WHERE shard = ?2 AND subscription = ?3 AND seq = ?4 AND origin = ?5 AND state = 1 "
    "AND gone_time IS NULL";
inline constexpr char kSelectPurgeable[] =
    "SELECT exception.seq, exception.origin, exception.state, exception.ordering_key, event.type, "
    "event.accept_time FROM exception "
    "LEFT JOIN event ON event.key = (exception.shard << 48) | exception.seq "
    "WHERE exception.shard = ? AND exception.subscription = ? AND "
    "(exception.seq, exception.origin) > (?, ?) AND exception.seq <= ? "
    "ORDER BY exception.seq, exception.origin LIMIT ?";
inline constexpr char kPurgeException[] =
    "DELETE FROM exception WHERE shard = ? AND subscription = ? AND seq = ? AND origin = ?";
inline constexpr char kInsertUnmatched[] = "INSERT INTO unmatched VALUES(?) ON CONFLICT DO NOTHING";

// --- Reading ------------------------------------------------------------------------------------

inline constexpr char kListDeadLetters[] =
    "SELECT exception.shard, exception.seq, exception.origin, exception.generation, "
    "exception.state, exception.dead_reason, exception.attempts, exception.throttled, "
    "exception.due_time, exception.first_attempt_time, exception.ordering_key, "
    "exception.redriven, event.id, event.organization, event.type, event.accept_time, event.extra "
    "FROM exception INDEXED BY exception_dead "
    "LEFT JOIN event ON event.key = (exception.shard << 48) | exception.seq "
    "WHERE exception.state = 1 AND exception.subscription = ? AND "
    "(exception.shard, exception.seq, exception.origin) > (?, ?, ?) "
    "ORDER BY exception.shard, exception.seq, exception.origin LIMIT ?";
inline constexpr char kSelectExceptions[] =
    "SELECT shard, seq, origin, generation, state, dead_reason, attempts, throttled, due_time, "
    "first_attempt_time, ordering_key, redriven FROM exception "
    "WHERE shard = ? AND subscription = ? AND seq = ? ORDER BY origin";
inline constexpr char kSelectBlocking[] =
    "SELECT event.id FROM exception INDEXED BY exception_by_key "
    "CROSS JOIN event ON event.key = (exception.shard << 48) | exception.seq "
    "WHERE exception.ordering_key <> 0 AND exception.state <> 1 AND exception.shard = ? "
    "AND exception.subscription = ? AND exception.ordering_key = ? AND exception.seq < ? "
    "ORDER BY exception.state, exception.seq LIMIT 1";
inline constexpr char kSelectReader[] =
    "SELECT next_seq, settled FROM reader WHERE shard = ? AND subscription = ?";
inline constexpr char kFindUnmatched[] =
    "SELECT event.key, event.organization, event.type FROM unmatched "
    "CROSS JOIN event ON event.key = unmatched.key "
    "WHERE unmatched.key > ? AND unmatched.key <= ? ORDER BY unmatched.key DESC LIMIT ?";

}  // namespace postrider::sql
