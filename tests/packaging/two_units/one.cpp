#include "all_headers.hpp"

const void* version_seen_by_the_other_unit();

int main() { return version_seen_by_the_other_unit() == &tokenpool::version ? 0 : 1; }
