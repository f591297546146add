#pragma once

// Every statement of the SQLite store (those for single exceptions: sqlite_letters_sql.h), so that
// a test can show how each one is executed.
//
// A row's key is shard << 48 | seq. Tables that are written on the hot path grow at their end only;
// everything that would be inserted in the middle is kept behind the log by SqliteIndexer
// (docs/engine.md L3).
namespace postrider::sql {

// --- Schema -------------------------------------------------------------------------------------

inline constexpr char kSchema[] = R"(
CREATE TABLE store(
  shard_count INTEGER NOT NULL
);
CREATE TABLE shard(
  shard INTEGER PRIMARY KEY,
  head INTEGER NOT NULL,
  cursor INTEGER NOT NULL,
  attempt_head INTEGER NOT NULL,
  attempt_floor INTEGER NOT NULL,
  last_accept_time INTEGER NOT NULL,
  indexed_seq INTEGER NOT NULL,
  indexed_attempt INTEGER NOT NULL,
  first_seq INTEGER NOT NULL
);
CREATE TABLE segment(
  shard INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  slot INTEGER NOT NULL,
  first_accept_time INTEGER NOT NULL,
  PRIMARY KEY(shard, first_seq)
) WITHOUT ROWID;
CREATE INDEX segment_by_time ON segment(shard, first_accept_time);
CREATE TABLE event(
  key INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  organization TEXT NOT NULL,
  type TEXT NOT NULL,
  time INTEGER NOT NULL,
  accept_time INTEGER NOT NULL,
  content_hash BLOB NOT NULL,
  path BLOB,
  extra BLOB,
  body BLOB NOT NULL
);
CREATE TABLE event_id(
  id BLOB NOT NULL,
  organization TEXT NOT NULL,
  key INTEGER NOT NULL,
  PRIMARY KEY(id, organization)
) WITHOUT ROWID;
CREATE TABLE event_by_organization(
  organization TEXT NOT NULL,
  key INTEGER NOT NULL,
  PRIMARY KEY(organization, key)
) WITHOUT ROWID;
CREATE TABLE event_by_type(
  organization TEXT NOT NULL,
  type TEXT NOT NULL,
  key INTEGER NOT NULL,
  PRIMARY KEY(organization, type, key)
) WITHOUT ROWID;
CREATE TABLE attempt(
  key INTEGER PRIMARY KEY,
  subscription INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  disposition INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  number INTEGER NOT NULL,
  http_status INTEGER NOT NULL,
  time INTEGER NOT NULL,
  latency INTEGER NOT NULL,
  next_attempt_time INTEGER,
  error_text TEXT,
  response BLOB
);
CREATE TABLE attempt_by_event(
  event_key INTEGER NOT NULL,
  attempt_key INTEGER NOT NULL,
  PRIMARY KEY(event_key, attempt_key)
) WITHOUT ROWID;
CREATE TABLE attempt_by_subscription(
  subscription INTEGER NOT NULL,
  time INTEGER NOT NULL,
  attempt_key INTEGER NOT NULL,
  PRIMARY KEY(subscription, time, attempt_key)
) WITHOUT ROWID;
CREATE TABLE exception(
  shard INTEGER NOT NULL,
  subscription INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  state INTEGER NOT NULL,
  dead_reason INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  throttled INTEGER NOT NULL,
  due_time INTEGER NOT NULL,
  first_attempt_time INTEGER NOT NULL,
  ordering_key INTEGER NOT NULL,
  redriven INTEGER NOT NULL,
  gone_time INTEGER,
  PRIMARY KEY(shard, subscription, seq, origin)
) WITHOUT ROWID;
CREATE INDEX exception_due ON exception(shard, subscription, due_time, seq) WHERE state = 0;
CREATE INDEX exception_unattempted ON exception(shard, seq, subscription)
  WHERE attempts = 0 AND throttled = 0 AND origin = 0;
CREATE INDEX exception_by_key ON exception(shard, subscription, ordering_key, state, seq)
  WHERE ordering_key <> 0 AND state <> 1;
CREATE INDEX exception_dead ON exception(subscription, shard, seq, origin) WHERE state = 1;
CREATE INDEX exception_of_replay ON exception(shard, subscription, origin, seq)
  WHERE origin <> 0;
CREATE INDEX exception_replay_waiting ON exception(shard, subscription, origin)
  WHERE origin <> 0 AND state = 0;
CREATE INDEX exception_by_seq ON exception(shard, seq) WHERE gone_time IS NULL;
CREATE INDEX exception_gone ON exception(shard, gone_time) WHERE gone_time IS NOT NULL;
CREATE TABLE unmatched(
  key INTEGER PRIMARY KEY
);
CREATE TABLE reader(
  shard INTEGER NOT NULL,
  subscription INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,
  settled BLOB NOT NULL,
  PRIMARY KEY(shard, subscription)
) WITHOUT ROWID;
CREATE TABLE subscription(
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  version INTEGER NOT NULL,
  state INTEGER NOT NULL,
  start_seqs BLOB NOT NULL,
  record BLOB NOT NULL
);
CREATE INDEX subscription_to_purge ON subscription(number) WHERE state = 1;
CREATE TABLE health(
  subscription INTEGER PRIMARY KEY,
  record BLOB NOT NULL
);
CREATE TABLE replay(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  subscription INTEGER NOT NULL,
  state INTEGER NOT NULL,
  finish_time INTEGER,
  record BLOB NOT NULL
);
CREATE INDEX replay_by_subscription ON replay(subscription, number);
CREATE INDEX replay_running ON replay(subscription) WHERE state = 0;
CREATE INDEX replay_to_purge ON replay(number) WHERE state = 2;
CREATE TABLE replay_position(
  shard INTEGER NOT NULL,
  replay INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,
  end_seq INTEGER NOT NULL,
  settled BLOB NOT NULL,
  delivered INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  PRIMARY KEY(shard, replay)
) WITHOUT ROWID;
CREATE INDEX replay_position_by_replay ON replay_position(replay, shard);
CREATE TABLE organization(
  organization TEXT PRIMARY KEY,
  path BLOB NOT NULL
) WITHOUT ROWID;
)";

// Values of subscription.state.
inline constexpr int kLive = 0;     // In force.
inline constexpr int kDeleted = 1;  // A tombstone with rows left in other tables.
inline constexpr int kPurged = 2;   // A tombstone: the string id and the number stay taken.

// --- Opening ------------------------------------------------------------------------------------

inline constexpr char kInsertStore[] = "INSERT INTO store(shard_count) VALUES(?)";
inline constexpr char kInsertShard[] = "INSERT INTO shard VALUES(?, 0, 0, 0, 0, ?, 0, 0, 1)";
inline constexpr char kSelectShards[] =
    "SELECT shard, head, cursor, attempt_head, attempt_floor, last_accept_time, indexed_seq, "
    "indexed_attempt, first_seq FROM shard ORDER BY shard";
inline constexpr char kSelectLastSegment[] =
    "SELECT first_seq, slot, first_accept_time FROM segment WHERE shard = ? "
    "ORDER BY first_seq DESC LIMIT 1";
inline constexpr char kSelectTombstones[] = "SELECT number FROM subscription WHERE state <> 0";
inline constexpr char kSelectLastSubscription[] = "SELECT max(number) FROM subscription";

// --- The log ------------------------------------------------------------------------------------

inline constexpr char kInsertEventId[] =
    "INSERT INTO event_id VALUES(?, ?, ?) ON CONFLICT DO NOTHING";
inline constexpr char kInsertEvent[] = "INSERT INTO event VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr char kSelectKnownEvent[] =
    "SELECT event.key, event.accept_time, event.content_hash FROM event_id "
    "CROSS JOIN event ON event.key = event_id.key "
    "WHERE event_id.id = ? AND event_id.organization = ?";
inline constexpr char kInsertSegment[] = "INSERT INTO segment VALUES(?, ?, ?, ?)";
inline constexpr char kInsertAttempt[] =
    "INSERT INTO attempt VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
inline constexpr char kUpdateShard[] =
    "UPDATE shard SET head = ?, cursor = ?, attempt_head = ?, attempt_floor = ?, "
    "last_accept_time = ?, indexed_seq = ?, indexed_attempt = ?, first_seq = ? WHERE shard = ?";

// --- Exceptions and readers ---------------------------------------------------------------------

inline constexpr char kInsertException[] =
    "INSERT INTO exception VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
inline constexpr char kUpdateException[] =
    "UPDATE exception SET generation = generation + 1, state = ?, dead_reason = ?, attempts = ?, "
    "throttled = ?, due_time = ?, first_attempt_time = ?, ordering_key = ?, redriven = ? "
    "WHERE shard = ? AND subscription = ? AND seq = ? AND origin = ? AND generation = ?";
inline constexpr char kDeleteException[] =
    "DELETE FROM exception "
    "WHERE shard = ? AND subscription = ? AND seq = ? AND origin = ? AND generation = ?";
inline constexpr char kReleaseException[] =
    "UPDATE exception SET generation = generation + 1, state = 0, due_time = ? "
    "WHERE shard = ? AND subscription = ? AND origin = 0 AND seq = ?";
inline constexpr char kSelectFirstOfKey[] =
    "SELECT state, seq FROM exception INDEXED BY exception_by_key WHERE shard = ? "
    "AND subscription = ? AND ordering_key = ? AND ordering_key <> 0 AND state <> 1 "
    "ORDER BY state, seq LIMIT 1";
inline constexpr char kPutReader[] =
    "INSERT INTO reader VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
    "next_seq = excluded.next_seq, settled = excluded.settled";
inline constexpr char kDeleteReader[] = "DELETE FROM reader WHERE shard = ? AND subscription = ?";

// --- Configuration ------------------------------------------------------------------------------

inline constexpr char kSelectSubscription[] =
    "SELECT number, id, organization, version, state, start_seqs, record FROM subscription "
    "WHERE number = ?";
inline constexpr char kInsertSubscription[] =
    "INSERT INTO subscription VALUES(?, ?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING";
inline constexpr char kUpdateSubscription[] =
    "UPDATE subscription SET organization = ?, version = ?, start_seqs = ?, record = ? "
    "WHERE number = ?";
inline constexpr char kDeleteSubscription[] =
    "UPDATE subscription SET state = 1, start_seqs = x'', record = x'' WHERE number = ?";
inline constexpr char kPutHealth[] =
    "INSERT INTO health VALUES(?, ?) ON CONFLICT DO UPDATE SET record = excluded.record";
inline constexpr char kDeleteHealth[] = "DELETE FROM health WHERE subscription = ?";
inline constexpr char kPutOrganization[] =
    "INSERT INTO organization VALUES(?, ?) ON CONFLICT DO UPDATE SET path = excluded.path "
    "WHERE path <> excluded.path";

// --- Maintenance --------------------------------------------------------------------------------

inline constexpr char kIndexByOrganization[] =
    "INSERT INTO event_by_organization SELECT organization, key FROM event "
    "WHERE key > ? AND key <= ? ORDER BY organization, key";
inline constexpr char kIndexByType[] =
    "INSERT INTO event_by_type SELECT organization, type, key FROM event "
    "WHERE key > ? AND key <= ? ORDER BY organization, type, key";
inline constexpr char kIndexByEvent[] =
    "INSERT INTO attempt_by_event SELECT (key >> 48 << 48) | seq, key FROM attempt "
    "WHERE key > ? AND key <= ? ORDER BY 1, 2";
inline constexpr char kIndexBySubscription[] =
    "INSERT INTO attempt_by_subscription SELECT subscription, time, key FROM attempt "
    "WHERE key > ? AND key <= ? ORDER BY 1, 2, 3";
inline constexpr char kSelectToPurge[] =
    "SELECT number FROM subscription INDEXED BY subscription_to_purge WHERE state = 1 "
    "ORDER BY number LIMIT 1";
inline constexpr char kSelectPurgeEnd[] =
    "SELECT seq FROM exception WHERE shard = ? AND subscription = ? ORDER BY seq LIMIT 1 OFFSET ?";
inline constexpr char kPurgeExceptions[] =
    "DELETE FROM exception WHERE shard = ? AND subscription = ? AND seq < ?";
inline constexpr char kSetPurged[] = "UPDATE subscription SET state = 2 WHERE number = ?";

// --- Reads --------------------------------------------------------------------------------------

// The columns of an event, in the order in which DecodeEntry() takes them.
#define POSTRIDER_EVENT_COLUMNS                                                          \
  "event.key, event.id, event.organization, event.type, event.time, event.accept_time, " \
  "event.content_hash, event.path, event.extra, event.body"
// The columns of an attempt, in the order in which DecodeAttempt() takes them.
#define POSTRIDER_ATTEMPT_COLUMNS                                                         \
  "attempt.key, attempt.subscription, attempt.seq, attempt.origin, attempt.disposition, " \
  "attempt.outcome, attempt.number, attempt.http_status, attempt.time, attempt.latency, " \
  "attempt.next_attempt_time, attempt.error_text, attempt.response, event.id, "           \
  "event.organization, event.type"

inline constexpr char kSelectSubscriptions[] =
    "SELECT number, id, organization, version, state, start_seqs, record FROM subscription "
    "WHERE state = 0 ORDER BY number";
inline constexpr char kSelectHealth[] = "SELECT subscription, record FROM health";
inline constexpr char kSelectOrganizations[] = "SELECT organization, path FROM organization";
inline constexpr char kSelectShard[] =
    "SELECT head, cursor, attempt_head, attempt_floor, last_accept_time, indexed_seq, "
    "indexed_attempt, first_seq FROM shard WHERE shard = ?";
inline constexpr char kSelectReaders[] =
    "SELECT reader.subscription, reader.next_seq, reader.settled FROM reader "
    "LEFT JOIN subscription ON subscription.number = reader.subscription "
    "WHERE reader.shard = ? AND coalesce(subscription.state, 0) = 0";
inline constexpr char kSelectSettled[] =
    "SELECT subscription, seq FROM attempt "
    "WHERE key > ? AND key <= ? AND origin = 0 AND disposition <> 3 AND seq > ?";
inline constexpr char kSelectParked[] =
    "SELECT subscription, seq FROM exception INDEXED BY exception_unattempted "
    "WHERE attempts = 0 AND throttled = 0 AND origin = 0 AND shard = ? AND seq > ?";
inline constexpr char kSelectBlockedKeys[] =
    "SELECT subscription, ordering_key, seq FROM exception INDEXED BY exception_by_key "
    "WHERE ordering_key <> 0 AND state <> 1 AND shard = ?";
inline constexpr char kSelectNextDue[] =
    "SELECT subscription, due_time FROM exception INDEXED BY exception_due "
    "WHERE state = 0 AND shard = ? AND subscription > ? ORDER BY subscription, due_time LIMIT 1";
inline constexpr char kCountWaiting[] =
    "SELECT count(*) FROM exception INDEXED BY exception_due "
    "WHERE state = 0 AND shard = ? AND subscription = ?";
inline constexpr char kSelectState[] = "SELECT state FROM subscription WHERE number = ?";
inline constexpr char kSelectLog[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS " FROM event WHERE key > ? AND key <= ? ORDER BY key LIMIT ?";
inline constexpr char kSelectDue[] =
    "SELECT exception.seq, exception.origin, exception.generation, exception.attempts, "
    "exception.throttled, exception.due_time, exception.first_attempt_time, "
    "exception.ordering_key, exception.redriven, " POSTRIDER_EVENT_COLUMNS
    " FROM exception INDEXED BY exception_due "
    "CROSS JOIN event ON event.key = (exception.shard << 48) | exception.seq "
    "WHERE exception.state = 0 AND exception.shard = ? AND exception.subscription = ? "
    "AND exception.due_time <= ? AND (exception.origin = 0 OR NOT EXISTS "
    "(SELECT 1 FROM replay WHERE replay.number = exception.origin AND replay.state >= 2)) "
    "ORDER BY exception.due_time, exception.seq LIMIT ?";
inline constexpr char kSelectEvent[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS
    " FROM event_id CROSS JOIN event ON event.key = event_id.key "
    "WHERE event_id.id = ? AND event_id.organization = ?";

// Where accept times lead to: the segment in which a time may begin, and one event's time.
inline constexpr char kSelectSegmentBefore[] =
    "SELECT first_seq FROM segment INDEXED BY segment_by_time "
    "WHERE shard = ? AND first_accept_time < ? ORDER BY first_accept_time DESC LIMIT 1";
inline constexpr char kSelectSegmentFrom[] =
    "SELECT first_seq FROM segment INDEXED BY segment_by_time "
    "WHERE shard = ? AND first_accept_time >= ? ORDER BY first_accept_time LIMIT 1";
inline constexpr char kSelectAcceptTime[] = "SELECT accept_time FROM event WHERE key = ?";

// Newest first: the stretch that is not indexed yet, then the index.
inline constexpr char kListRecent[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS
    " FROM event WHERE key > ? AND key <= ? AND organization = ? ORDER BY key DESC LIMIT ?";
inline constexpr char kListRecentByType[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS
    " FROM event WHERE key > ? AND key <= ? AND organization = ? AND type = ? "
    "ORDER BY key DESC LIMIT ?";
inline constexpr char kListIndexed[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS
    " FROM event_by_organization AS i CROSS JOIN event ON event.key = i.key "
    "WHERE i.organization = ? AND i.key > ? AND i.key <= ? ORDER BY i.key DESC LIMIT ?";
inline constexpr char kListIndexedByType[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS
    " FROM event_by_type AS i CROSS JOIN event ON event.key = i.key "
    "WHERE i.organization = ? AND i.type = ? AND i.key > ? AND i.key <= ? "
    "ORDER BY i.key DESC LIMIT ?";
inline constexpr char kListRecentAttemptsByEvent[] =
    "SELECT " POSTRIDER_ATTEMPT_COLUMNS
    " FROM attempt LEFT JOIN event ON event.key = ((attempt.key >> 48) << 48) | attempt.seq "
    "WHERE attempt.key > ? AND attempt.key <= ? AND attempt.seq = ? "
    "ORDER BY attempt.key DESC LIMIT ?";
inline constexpr char kListAttemptsByEvent[] =
    "SELECT " POSTRIDER_ATTEMPT_COLUMNS
    " FROM attempt_by_event AS i CROSS JOIN attempt ON attempt.key = i.attempt_key "
    "LEFT JOIN event ON event.key = i.event_key "
    "WHERE i.event_key = ? AND i.attempt_key <= ? ORDER BY i.attempt_key DESC LIMIT ?";
inline constexpr char kFindRecentAttempts[] =
    "SELECT time, key FROM attempt WHERE key > ? AND key <= ? AND subscription = ? AND seq >= ?";
inline constexpr char kFindAttempts[] =
    "SELECT time, attempt_key FROM attempt_by_subscription "
    "WHERE subscription = ? AND (time, attempt_key) < (?, ?) "
    "ORDER BY time DESC, attempt_key DESC LIMIT ?";
inline constexpr char kSelectRecentAttemptOfPair[] =
    "SELECT " POSTRIDER_ATTEMPT_COLUMNS
    " FROM attempt LEFT JOIN event ON event.key = ((attempt.key >> 48) << 48) | attempt.seq "
    "WHERE attempt.key > ? AND attempt.key <= ? AND attempt.seq = ? AND attempt.subscription = ? "
    "ORDER BY attempt.key DESC LIMIT 1";
inline constexpr char kSelectAttemptOfPair[] =
    "SELECT " POSTRIDER_ATTEMPT_COLUMNS
    " FROM attempt_by_event AS i CROSS JOIN attempt ON attempt.key = i.attempt_key "
    "LEFT JOIN event ON event.key = i.event_key "
    "WHERE i.event_key = ? AND attempt.subscription = ? ORDER BY i.attempt_key DESC LIMIT 1";
inline constexpr char kSelectEntry[] =
    "SELECT " POSTRIDER_EVENT_COLUMNS " FROM event WHERE event.key = ?";
inline constexpr char kSelectAttempt[] =
    "SELECT " POSTRIDER_ATTEMPT_COLUMNS
    " FROM attempt LEFT JOIN event ON event.key = ((attempt.key >> 48) << 48) | attempt.seq "
    "WHERE attempt.key = ?";

#undef POSTRIDER_EVENT_COLUMNS
#undef POSTRIDER_ATTEMPT_COLUMNS

}  // namespace postrider::sql
