#pragma once
// The version, said once: the build files, the package and the user agent read it from here.

#define TOKENPOOL_VERSION_MAJOR 0
#define TOKENPOOL_VERSION_MINOR 1
#define TOKENPOOL_VERSION_PATCH 0
#define TOKENPOOL_VERSION_STRING "0.1.0"

namespace tokenpool {

/// The library's version as "major.minor.patch"; semantic versioning, and while it is 0.x a minor step may
/// change the interface.
inline constexpr const char* version = TOKENPOOL_VERSION_STRING;

}  // namespace tokenpool
