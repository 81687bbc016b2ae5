#pragma once
// Measuring beside each other: short rounds of each case in turn, so that what else the machine does falls on
// all of them, and the ratios of one round mean more than the figures of any.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// Median, minimum and maximum of an odd number of values.
struct Spread {
  explicit Spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    median = values[values.size() / 2];
    least = values.front();
    most = values.back();
  }

  double median{};
  double least{};
  double most{};
};

/// What was measured, for the report: a file in the folder that the environment variable FIGURES names, if it
/// does.
inline void keep_figures(const std::string& name, const std::vector<std::string>& names,
                         const std::vector<std::vector<double>>& values) {
  const char* const folder = std::getenv("FIGURES");
  if (folder == nullptr) {
    return;
  }
  std::ofstream file(std::string(folder) + "/" + name + ".json");
  for (std::size_t i = 0; i < names.size(); ++i) {
    file << (i == 0 ? "{" : ",\n ") << std::quoted(names[i]) << ": [";
    for (std::size_t round = 0; round < values[i].size(); ++round) {
      file << (round == 0 ? "" : ", ") << values[i][round];
    }
    file << ']';
  }
  file << "}\n";
}

/// A case: its name and what measures it once.
struct Case {
  std::string name;
  std::function<double()> measure;
};

/// What each case gave, round by round.
class Rounds {
 public:
  /// The first round of all warms up and is left out.
  Rounds(std::vector<Case> cases, std::size_t rounds) : cases_(std::move(cases)), values_(cases_.size()) {
    for (std::size_t round = 0; round <= rounds; ++round) {
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const double value = cases_[i].measure();
        if (round != 0) {
          values_[i].push_back(value);
        }
      }
    }
  }

  /// A line for each case: median (least to most), and over the baseline of the same round.
  void print(std::size_t baseline, int digits = 0) const {
    for (std::size_t i = 0; i < cases_.size(); ++i) {
      const Spread value(values_[i]);
      const Spread ratio = over(i, baseline);
      std::cout << std::fixed << std::left << std::setw(34) << cases_[i].name << std::right
                << std::setprecision(digits) << std::setw(9) << value.median << "  (" << value.least << " to "
                << value.most << ")" << std::setprecision(3) << "   " << ratio.median << "  (" << ratio.least
                << " to " << ratio.most << ")\n";
    }
  }

  /// The same for the report.
  void keep(const std::string& name) const {
    std::vector<std::string> names(cases_.size());
    std::transform(cases_.begin(), cases_.end(), names.begin(), [](const Case& one) { return one.name; });
    keep_figures(name, names, values_);
  }

  [[nodiscard]] double median(std::size_t which) const { return Spread(values_[which]).median; }

  /// Case `which` over case `baseline`, each round by itself.
  [[nodiscard]] Spread over(std::size_t which, std::size_t baseline) const {
    std::vector<double> ratios(values_[which].size());
    std::transform(values_[which].begin(), values_[which].end(), values_[baseline].begin(), ratios.begin(),
                   std::divides<>());
    return Spread(std::move(ratios));
  }

 private:
  std::vector<Case> cases_;
  std::vector<std::vector<double>> values_;
};

/// Does `work`, which is `steps` steps; how many a second. Adds the microseconds of CPU for each to `cpu`.
template <class Work>
double per_second(std::size_t steps, std::vector<double>& cpu, const Work& work) {
  const auto began = std::chrono::steady_clock::now();
  const std::clock_t used = std::clock();
  work();
  const auto count = static_cast<double>(steps);
  cpu.push_back(static_cast<double>(std::clock() - used) * 1e6 / CLOCKS_PER_SEC / count);
  return count / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

/// Prints and keeps what per_second() added for each case; the first round warmed up.
inline void report_cpu(const std::string& name, const std::vector<std::string>& names,
                       std::vector<std::vector<double>> cpu) {
  std::cout << "microseconds of CPU for each, median:";
  for (std::vector<double>& values : cpu) {
    values.erase(values.begin());
    std::cout << ' ' << Spread(values).median;
  }
  std::cout << '\n';
  keep_figures(name, names, cpu);
}

}  // namespace benchmarks
