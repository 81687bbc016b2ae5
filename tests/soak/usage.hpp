#pragma once
// What this process holds: memory and descriptors, as the kernel and the allocator count them.

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>

namespace soak {

struct Usage {
  std::size_t heap = 0;         ///< bytes that are allocated
  std::size_t resident = 0;     ///< bytes of physical memory
  std::size_t descriptors = 0;  ///< one of them reads the list
};

inline Usage usage() {
  Usage now;
  now.heap = ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  now.resident = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::filesystem::directory_iterator open("/proc/self/fd");
  now.descriptors = static_cast<std::size_t>(std::distance(begin(open), end(open)));
  return now;
}

inline std::ostream& operator<<(std::ostream& out, const Usage& usage) {
  return out << usage.heap / 1024 << " KiB of heap, " << usage.resident / 1024 << " KiB resident, "
             << usage.descriptors << " descriptors";
}

}  // namespace soak
