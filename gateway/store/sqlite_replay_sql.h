#pragma once

// The statements about replays (C5); their tables are in sqlite_sql.h.
namespace postrider::sql {

// Values of replay.state beside ReplayState's: a canceled one whose exceptions are all gone.
inline constexpr int kReplayPurged = 3;

#define POSTRIDER_REPLAY_COLUMNS "number, id, subscription, state, finish_time, record"

inline constexpr char kInsertReplay[] =
    "INSERT INTO replay(id, subscription, state, record) VALUES(?, ?, 0, ?)";
inline constexpr char kCountUnfinishedReplays[] =
    "SELECT count(*) FROM replay INDEXED BY replay_running WHERE subscription = ? AND state = 0";
inline constexpr char kFinishReplay[] =
    "UPDATE replay SET state = 1, finish_time = ? WHERE number = ? AND state = 0";
inline constexpr char kCancelReplay[] =
    "UPDATE replay SET state = 2, finish_time = coalesce(finish_time, ?) "
    "WHERE number = ? AND state < 2";
inline constexpr char kSelectReplayState[] = "SELECT state FROM replay WHERE number = ?";
inline constexpr char kSelectReplay[] =
    "SELECT " POSTRIDER_REPLAY_COLUMNS " FROM replay WHERE number = ?";
inline constexpr char kSelectReplayById[] =
    "SELECT " POSTRIDER_REPLAY_COLUMNS " FROM replay WHERE id = ?";
inline constexpr char kSelectReplaysOf[] =
    "SELECT " POSTRIDER_REPLAY_COLUMNS
    " FROM replay WHERE subscription = ? ORDER BY number DESC LIMIT ?";
inline constexpr char kSelectRunningReplays[] =
    "SELECT " POSTRIDER_REPLAY_COLUMNS
    " FROM replay INDEXED BY replay_running WHERE subscription = ? AND state = 0 ORDER BY number";
// The newest one that is beyond what is kept, and all finished ones up to it. A canceled one stays
// until its exceptions are gone.
inline constexpr char kSelectReplayToDrop[] =
    "SELECT number FROM replay INDEXED BY replay_by_subscription "
    "WHERE subscription = ? AND state IN (1, 3) ORDER BY number DESC LIMIT 1 OFFSET ?";
inline constexpr char kDropReplayPositions[] =
    "DELETE FROM replay_position WHERE replay IN (SELECT number FROM replay "
    "WHERE subscription = ? AND state IN (1, 3) AND number <= ?)";
inline constexpr char kDropReplays[] =
    "DELETE FROM replay WHERE subscription = ? AND state IN (1, 3) AND number <= ?";

inline constexpr char kInsertReplayPosition[] =
    "INSERT INTO replay_position VALUES(?, ?, ?, ?, x'', 0, 0)";
inline constexpr char kUpdateReplayPosition[] =
    "UPDATE replay_position SET next_seq = ?, settled = ?, delivered = ?, failed = ? "
    "WHERE shard = ? AND replay = ?";
inline constexpr char kSelectReplayPositions[] =
    "SELECT shard, next_seq, end_seq, settled, delivered, failed "
    "FROM replay_position INDEXED BY replay_position_by_replay WHERE replay = ? ORDER BY shard";

// By replay: how many of its exceptions wait, and whether it is canceled.
inline constexpr char kCountReplayWaiting[] =
    "SELECT exception.origin, count(*), max(coalesce(replay.state, 1)) "
    "FROM exception INDEXED BY exception_replay_waiting "
    "LEFT JOIN replay ON replay.number = exception.origin "
    "WHERE exception.shard = ? AND exception.subscription = ? AND exception.origin <> 0 "
    "AND exception.state = 0 GROUP BY exception.origin";

inline constexpr char kSelectReplayToPurge[] =
    "SELECT number, subscription FROM replay INDEXED BY replay_to_purge WHERE state = 2 "
    "ORDER BY number LIMIT 1";
inline constexpr char kSelectReplayPurgeEnd[] =
    "SELECT seq FROM exception INDEXED BY exception_of_replay "
    "WHERE origin <> 0 AND shard = ? AND subscription = ? AND origin = ? "
    "ORDER BY seq LIMIT 1 OFFSET ?";
inline constexpr char kPurgeReplayExceptions[] =
    "DELETE FROM exception WHERE origin <> 0 AND shard = ? AND subscription = ? AND origin = ? "
    "AND seq < ?";
inline constexpr char kSetReplayPurged[] = "UPDATE replay SET state = 3 WHERE number = ?";
inline constexpr char kPurgeReplayPositionsOf[] =
    "DELETE FROM replay_position WHERE replay IN (SELECT number FROM replay WHERE subscription = "
    "?)";
inline constexpr char kPurgeReplaysOf[] = "DELETE FROM replay WHERE subscription = ?";

#undef POSTRIDER_REPLAY_COLUMNS

}  // namespace postrider::sql
