// The server of the comparison: prints its base URL and answers until its input ends.   benchmark_server
// [DELAY_MS]

#include "server.hpp"

#include <iostream>
#include <string>

int main(int count, char** words) {
  const benchmarks::Server server(std::chrono::milliseconds(count > 1 ? std::stoi(words[1]) : 0));
  std::cout << server.base_url() << std::endl;
  std::cin.ignore(1);
}
