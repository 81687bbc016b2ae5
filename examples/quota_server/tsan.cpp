// Only in builds under the thread sanitizer, which would take the HTTP library, installed without it, for
// racing with itself: it sees that library's memory and not its locks.

// The name is the sanitizer's. NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libcpp-httplib.so"; }
