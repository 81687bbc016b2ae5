#pragma once
// The planner's answer as a picture: answers, waits and 429s over time, a line for each policy.

#include <string>
#include <vector>

#include "day.hpp"

namespace plan {

/// An SVG document; all days have the same slices over `length`.
std::string chart(const std::vector<Day>& days, simulator::Length length);

}  // namespace plan
