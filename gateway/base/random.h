#pragma once

#include <cstdint>

namespace postrider {

// Chance, as an argument: no other file of the engine draws a random number. Thread-safe.
class Random {
 public:
  virtual ~Random() = default;

  // 64 uniformly random bits. The system's are cryptographically strong.
  virtual uint64_t Next() = 0;
};

// The operating system's generator. Never destroyed.
Random* SystemRandom();

}  // namespace postrider
