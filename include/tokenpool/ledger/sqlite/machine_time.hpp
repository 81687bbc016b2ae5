#pragma once
// The clock of a file that processes of one machine share. The time of day jumps when somebody sets it, and a
// jump ahead would end every window early; the time since the machine was started does not, but begins anew.
// So a file goes on by the one, and from start to start by the other.

#include <array>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>

#ifdef __linux__
#include <time.h>
#endif

namespace tokenpool {

/// One reading, in milliseconds.
struct MachineTime {
  std::string boot{};           ///< names the run of the machine; the same for all its processes
  std::int64_t since_boot = 0;  ///< goes on while the machine sleeps, and never back
  std::int64_t wall = 0;        ///< since 1970
};

/// Reads the machine's clocks. Where a run of the machine has no name, the time of day is all there is.
inline MachineTime machine_time() {
  using std::chrono::milliseconds;
  const auto wall =
      std::chrono::floor<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
#ifdef __linux__
  // Needs no destructor: a ledger of static lifetime is still used while the program ends.
  static const std::array<char, 40> boot = [] {
    std::array<char, 40> name{};
    std::ifstream("/proc/sys/kernel/random/boot_id").getline(name.data(), name.size());
    return name;
  }();
  timespec since{};
  if (boot.front() != '\0' && clock_gettime(CLOCK_BOOTTIME, &since) == 0) {
    return {boot.data(), std::int64_t{since.tv_sec} * 1000 + since.tv_nsec / 1'000'000, wall};
  }
#endif
  return {{}, wall, wall};
}

}  // namespace tokenpool
