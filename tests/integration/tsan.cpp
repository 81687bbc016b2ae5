// Only in builds under the thread sanitizer, which does not see how the standard library, installed without
// it, counts the owners of an exception: when a future hands an Error from one thread to another, the last
// owner's clean-up looks like a race.

// The name is the sanitizer's. NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __tsan_default_suppressions() { return "race:std::__exception_ptr::exception_ptr"; }
