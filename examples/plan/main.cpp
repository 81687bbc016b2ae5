// How many tokens do I need, and which policy? Simulates the limits and the calls of a day in a second.

#include <exception>
#include <fstream>
#include <iostream>
#include <vector>

#include "chart.hpp"
#include "day.hpp"
#include "options.hpp"
#include "table.hpp"

namespace {

void print_advice(const plan::Options& options) {
  constexpr double wanted = 0.99;
  const std::string& policy = options.policies.front();
  const std::size_t needed = plan::tokens_needed(options, policy, wanted);
  if (needed == 0) {
    std::cout
        << "Not even 1000 tokens would answer 99 % of these calls: another limit than that of the tokens, or "
           "the wait, is in the way.\n";
  } else {
    std::cout << needed << (needed == 1 ? " token answers" : " tokens answer") << " 99 % of these calls ("
              << policy << ").\n";
  }
}

int run(const plan::Options& options) {
  std::vector<plan::Day> days;
  for (const std::string& policy : options.policies) {
    days.push_back(plan::simulate(options, policy, options.tokens));
  }
  std::cout << options.tokens << (options.tokens == 1 ? " token, " : " tokens, ")
            << plan::in_words(std::chrono::duration<double>(options.length).count()) << " simulated, seed "
            << options.seed << "\n\n";
  plan::print_table(std::cout, days);
  std::cout << '\n';
  print_advice(options);
  if (!options.svg.empty()) {
    std::ofstream file(options.svg);
    file << plan::chart(days, options.length) << std::flush;
    if (!file) {
      std::cerr << "plan: --svg is \"" << options.svg
                << "\", which cannot be written: give a file in a folder "
                << "that exists\n";
      return 2;
    }
    std::cout << "The chart is in " << options.svg << ".\n";
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const plan::CommandLine command_line = plan::read_command_line(count, words);
  if (!command_line.options) {
    return command_line.exit_code;
  }
  try {
    return run(*command_line.options);
  } catch (const std::exception& mistake) {
    std::cerr << "plan: " << mistake.what() << '\n';
    return 2;
  }
}
