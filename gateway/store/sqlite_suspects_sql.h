#pragma once

// The tables of what earlier processes died of (E8), and the statements about them.
namespace postrider::sql {

// Both are as long as the misfortunes of late: an item stays until it has been worked on, or, if it
// is quarantined, until it is redriven; a process until the file that says of its death is emptied.
inline constexpr char kSuspectSchema[] = R"(
CREATE TABLE suspect(
  shard INTEGER NOT NULL,
  subscription INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  deaths INTEGER NOT NULL,
  PRIMARY KEY(shard, subscription, seq)
) WITHOUT ROWID;
CREATE TABLE counted_boot(
  boot INTEGER PRIMARY KEY
);
)";

inline constexpr char kSelectCountedBoots[] = "SELECT boot FROM counted_boot";
inline constexpr char kInsertCountedBoot[] =
    "INSERT INTO counted_boot VALUES(?) ON CONFLICT DO NOTHING";
inline constexpr char kDeleteCountedBoot[] = "DELETE FROM counted_boot WHERE boot = ?";
inline constexpr char kCountDeath[] =
    "INSERT INTO suspect VALUES(?, ?, ?, 1) ON CONFLICT DO UPDATE SET deaths = deaths + 1";
inline constexpr char kForgetSuspect[] =
    "DELETE FROM suspect WHERE shard = ? AND subscription = ? AND seq = ?";
// At a start that has deaths to count only.
inline constexpr char kDropOldSuspects[] =
    "DELETE FROM suspect WHERE "
    "NOT EXISTS (SELECT 1 FROM event WHERE event.key = (suspect.shard << 48) | suspect.seq) OR "
    "(subscription <> 0 AND NOT EXISTS (SELECT 1 FROM subscription "
    "WHERE subscription.number = suspect.subscription AND subscription.state = 0))";
inline constexpr char kSelectSuspects[] =
    "SELECT shard, subscription, seq, deaths FROM suspect ORDER BY shard, subscription, seq";

}  // namespace postrider::sql
