#pragma once

// Packed bodies, made by the program that everybody has.

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "support/temporary_folder.hpp"

namespace test {

/// What gzip makes of the output of a shell command. Throws std::runtime_error if that fails.
inline std::string gzipped(const std::string& command) {
  const TemporaryFolder folder;
  if (std::system(("(" + command + ") | gzip -c >" + folder / "gz").c_str()) != 0) {
    throw std::runtime_error("cannot pack the output of " + command);
  }
  return folder.read("gz");
}

}  // namespace test
