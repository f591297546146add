#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace postrider {

// A layer between SQLite and the disk that remembers what was synced, so that a test can lose the
// power: an SQLite VFS over the system's, known by name().
//
// Thread-safe. Outlives every connection that uses it.
class ForgetfulVfs {
 public:
  explicit ForgetfulVfs(const std::string& name);
  ~ForgetfulVfs();
  ForgetfulVfs(const ForgetfulVfs&) = delete;
  ForgetfulVfs& operator=(const ForgetfulVfs&) = delete;

  const std::string& name() const;

  // Writes the files of `from`, as the disk holds them if the power goes now, to the directory
  // `to`. What was written since a file's last sync is lost: all of it with seed 0, otherwise each
  // write, or only some of its sectors, by chance, as disks do it.
  void LosePower(const std::string& from, const std::string& to, uint64_t seed);

  // From now on syncs of files whose name ends so do nothing: what `synchronous = NORMAL` amounts
  // to for "-wal".
  void IgnoreSyncsOf(const std::string& suffix);

  // From now on writes, or syncs, give this SQLite result code; 0: they work again.
  void FailWrites(int code);
  void FailSyncs(int code);
  // What taking more of the disk for the index of the write-ahead log gives.
  void FailSharedMemory(std::function<int()> code);

  struct State;

 private:
  const std::unique_ptr<State> state_;
};

}  // namespace postrider
