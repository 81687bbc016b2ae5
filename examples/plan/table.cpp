#include "table.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace plan {

std::string in_words(double seconds) {
  std::ostringstream text;
  text << std::fixed;
  if (seconds < 60) {
    text << std::setprecision(1) << seconds << " s";
  } else if (seconds < 3600) {
    text << std::setprecision(0) << seconds / 60 << " min";
  } else {
    text << std::setprecision(1) << seconds / 3600 << " h";
  }
  return text.str();
}

void print_table(std::ostream& out, const std::vector<Day>& days) {
  out << std::left << std::setw(22) << "policy" << std::right << std::setw(9) << "calls" << std::setw(10)
      << "answered" << std::setw(9) << "share" << std::setw(9) << "gave up" << std::setw(8) << "429s"
      << std::setw(12) << "wait p50" << std::setw(10) << "p95" << std::setw(10) << "longest" << '\n';
  for (const Day& day : days) {
    std::ostringstream share;
    share << std::fixed << std::setprecision(1) << 100 * day.share() << " %";
    out << std::left << std::setw(22) << day.policy << std::right << std::setw(9) << day.calls
        << std::setw(10) << day.answers << std::setw(9) << share.str() << std::setw(9)
        << day.calls - day.answers << std::setw(8) << day.refusals << std::setw(12)
        << in_words(day.wait_of(0.5)) << std::setw(10) << in_words(day.wait_of(0.95)) << std::setw(10)
        << in_words(day.wait_of(1)) << '\n';
  }
}

}  // namespace plan
