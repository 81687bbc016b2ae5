#pragma once
// What every fuzz target uses: each of them states the property that it checks and ends here when it is
// broken.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace fuzz {

/// Ends the program unless `condition`; libFuzzer then keeps the input.
inline void holds(bool condition, const char* property) {
  if (!condition) {
    static_cast<void>(std::fprintf(stderr, "BROKEN: %s\n", property));
    std::abort();
  }
}

/// What is left of the input as text. FuzzedDataProvider takes numbers from the end, so a corpus of texts
/// stays readable.
inline std::string rest(FuzzedDataProvider& input) { return input.ConsumeRemainingBytesAsString(); }

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
