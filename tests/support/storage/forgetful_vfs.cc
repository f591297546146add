#include "tests/support/storage/forgetful_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "gateway/base/check.h"
#include "gateway/base/mutex.h"

namespace postrider {
namespace {

constexpr size_t kSectorBytes = 512;

// A write, or, without bytes, a truncation.
struct Change {
  size_t offset = 0;
  std::string bytes;
  bool truncates = false;
};

// A file as the disk has it, and what it may lose.
struct Shadow {
  std::string durable;
  std::vector<Change> unsynced;
};

void ApplyTo(std::string* file, size_t offset, const char* bytes, size_t size) {
  if (file->size() < offset + size) {
    file->resize(offset + size);
  }
  std::memcpy(file->data() + offset, bytes, size);
}

void ApplyTo(std::string* file, const Change& change) {
  if (change.truncates) {
    file->resize(std::min(file->size(), change.offset));
  } else {
    ApplyTo(file, change.offset, change.bytes.data(), change.bytes.size());
  }
}

// What is left of a file when the power goes.
std::string Survivor(const Shadow& shadow, std::mt19937_64* chance) {
  std::string file = shadow.durable;
  for (const Change& change : shadow.unsynced) {
    switch ((*chance)() % 3) {
      case 0: ApplyTo(&file, change); break;
      case 1:  // Torn.
        for (size_t at = 0; at < change.bytes.size(); at += kSectorBytes) {
          const size_t size = std::min(kSectorBytes, change.bytes.size() - at);
          if ((*chance)() % 2 == 0) {
            ApplyTo(&file, change.offset + at, change.bytes.data() + at, size);
          }
        }
        break;
      default: break;
    }
  }
  return file;
}

}  // namespace

struct ForgetfulVfs::State {
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;

  Mutex mutex;
  std::map<std::string, Shadow> files ABSL_GUARDED_BY(mutex);
  std::string ignored_suffix ABSL_GUARDED_BY(mutex);
  int write_code ABSL_GUARDED_BY(mutex) = SQLITE_OK;
  int sync_code ABSL_GUARDED_BY(mutex) = SQLITE_OK;
  std::function<int()> shared_memory_code ABSL_GUARDED_BY(mutex);
};

namespace {

// An open file: SQLite's part, ours, and, behind it, the system's.
struct File {
  sqlite3_file base{};
  ForgetfulVfs::State* state = nullptr;
  std::string path;  // Empty: a temporary file, which is nobody's loss.

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* From(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return From(file)->real(); }

int Close(sqlite3_file* file) {
  const int code = Real(file)->pMethods->xClose(Real(file));
  From(file)->~File();
  return code;
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return Real(file)->pMethods->xRead(Real(file), to, size, offset);
}

int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  ForgetfulVfs::State* const state = From(file)->state;
  MutexLock lock(&state->mutex);
  if (state->write_code != SQLITE_OK) {
    return state->write_code;
  }
  const int code = Real(file)->pMethods->xWrite(Real(file), bytes, size, offset);
  if (code == SQLITE_OK && !From(file)->path.empty()) {
    Change change;
    change.offset = static_cast<size_t>(offset);
    change.bytes.assign(static_cast<const char*>(bytes), static_cast<size_t>(size));
    state->files[From(file)->path].unsynced.push_back(std::move(change));
  }
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  ForgetfulVfs::State* const state = From(file)->state;
  MutexLock lock(&state->mutex);
  const int code = Real(file)->pMethods->xTruncate(Real(file), size);
  if (code == SQLITE_OK && !From(file)->path.empty()) {
    Change change;
    change.offset = static_cast<size_t>(size);
    change.truncates = true;
    state->files[From(file)->path].unsynced.push_back(std::move(change));
  }
  return code;
}

int Sync(sqlite3_file* file, int) {
  ForgetfulVfs::State* const state = From(file)->state;
  MutexLock lock(&state->mutex);
  if (state->sync_code != SQLITE_OK) {
    return state->sync_code;
  }
  const std::string& path = From(file)->path;
  if (!state->ignored_suffix.empty() && absl::EndsWith(path, state->ignored_suffix)) {
    return SQLITE_OK;
  }
  // The real disk keeps its power: only our own account needs the sync.
  Shadow& shadow = state->files[path];
  for (const Change& change : shadow.unsynced) {
    ApplyTo(&shadow.durable, change);
  }
  shadow.unsynced.clear();
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Real(file)->pMethods->xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int Unlock(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), result);
}
int FileControl(sqlite3_file* file, int op, void* argument) {
  return Real(file)->pMethods->xFileControl(Real(file), op, argument);
}
int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
int DeviceCharacteristics(sqlite3_file* file) {
  return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
}
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  ForgetfulVfs::State* const state = From(file)->state;
  {
    MutexLock lock(&state->mutex);
    const int code = state->shared_memory_code ? state->shared_memory_code() : SQLITE_OK;
    if (extend != 0 && code != SQLITE_OK) {
      return code;
    }
  }
  return Real(file)->pMethods->xShmMap(Real(file), page, size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int erase) {
  return Real(file)->pMethods->xShmUnmap(Real(file), erase);
}

// Version 2: with shared memory, without memory mapping, which would go past us.
constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* memory, int flags, int* out_flags) {
  auto* const state = static_cast<ForgetfulVfs::State*>(vfs->pAppData);
  File* const file = new (memory) File;
  file->state = state;
  const int code = state->real->xOpen(state->real, path, file->real(), flags, out_flags);
  if (code != SQLITE_OK) {
    if (file->real()->pMethods != nullptr) {
      file->real()->pMethods->xClose(file->real());
    }
    file->~File();
    memory->pMethods = nullptr;
    return code;
  }
  file->base.pMethods = &kMethods;
  if (path != nullptr) {
    file->path = path;
    MutexLock lock(&state->mutex);
    state->files.try_emplace(path);
  }
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  auto* const state = static_cast<ForgetfulVfs::State*>(vfs->pAppData);
  const int code = state->real->xDelete(state->real, path, sync_directory);
  MutexLock lock(&state->mutex);
  state->files.erase(path);
  return code;
}

}  // namespace

ForgetfulVfs::ForgetfulVfs(const std::string& name) : state_(std::make_unique<State>()) {
  state_->name = name;
  state_->real = sqlite3_vfs_find(nullptr);
  CHECK(state_->real != nullptr);
  state_->vfs = *state_->real;
  state_->vfs.szOsFile = static_cast<int>(sizeof(File)) + state_->real->szOsFile;
  state_->vfs.zName = state_->name.c_str();
  state_->vfs.pNext = nullptr;
  state_->vfs.pAppData = state_.get();
  state_->vfs.xOpen = Open;
  state_->vfs.xDelete = Delete;
  CHECK(sqlite3_vfs_register(&state_->vfs, 0) == SQLITE_OK);
}

ForgetfulVfs::~ForgetfulVfs() { sqlite3_vfs_unregister(&state_->vfs); }

const std::string& ForgetfulVfs::name() const { return state_->name; }

void ForgetfulVfs::LosePower(const std::string& from, const std::string& to, uint64_t seed) {
  std::mt19937_64 chance(seed);
  MutexLock lock(&state_->mutex);
  for (const auto& [path, shadow] : state_->files) {
    if (!absl::StartsWith(path, from + "/")) {
      continue;
    }
    const std::string bytes = seed == 0 ? shadow.durable : Survivor(shadow, &chance);
    std::ofstream file(to + path.substr(from.size()), std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    CHECK(file.good());
  }
}

void ForgetfulVfs::IgnoreSyncsOf(const std::string& suffix) {
  MutexLock lock(&state_->mutex);
  state_->ignored_suffix = suffix;
}

void ForgetfulVfs::FailWrites(int code) {
  MutexLock lock(&state_->mutex);
  state_->write_code = code;
}

void ForgetfulVfs::FailSharedMemory(std::function<int()> code) {
  MutexLock lock(&state_->mutex);
  state_->shared_memory_code = std::move(code);
}

void ForgetfulVfs::FailSyncs(int code) {
  MutexLock lock(&state_->mutex);
  state_->sync_code = code;
}

}  // namespace postrider
