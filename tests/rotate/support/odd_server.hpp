#pragma once

// A server with manners that the quota server does not have; odd_server.py says which.

#include <string>

#include "child_process.hpp"

namespace test {

class OddServer {
 public:
  OddServer() : process_({"/usr/bin/env", "python3", ODD_SERVER_PATH}), port_(process_.read_line()) {}

  std::string base_url() const { return "http://127.0.0.1:" + port_ + "/v1"; }

 private:
  support::ChildProcess process_;
  std::string port_;
};

}  // namespace test
