#pragma once

// Catch2 in the versions that distributions ship: 2 (one header) and 3 (a library). Every test includes this
// file and takes from `test::` the few names that moved between the two.

#define CATCH_CONFIG_ENABLE_ALL_STRINGMAKERS

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace test {

#if __has_include(<catch2/catch_all.hpp>)
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
using Catch::Detail::Approx;
inline auto ContainsSubstring(const std::string& part) { return Catch::Matchers::Contains(part); }
#endif

using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Catch::Matchers::WithinAbs;

}  // namespace test
