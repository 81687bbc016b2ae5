#pragma once
// The planner's answer as text.

#include <iosfwd>
#include <string>
#include <vector>

#include "day.hpp"

namespace plan {

/// "1.5 s", "12 min", "3.4 h".
std::string in_words(double seconds);

/// One line for each policy.
void print_table(std::ostream& out, const std::vector<Day>& days);

}  // namespace plan
