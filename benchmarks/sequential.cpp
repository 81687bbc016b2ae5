// One thread, one POST after the other on a kept-alive connection: a bare easy handle that is given a URL
// string, the way everyone writes it, against Client. Both in one run, round by round, since only their ratio
// means anything.
//
//   nginx -p /tmp -c "$PWD/benchmarks/nginx.conf"        # a fixed JSON answer of 500 bytes on 127.0.0.1:8099
//   sequential_benchmark http://127.0.0.1:8099/v1        # requests/s, median of 7 rounds and their ratio
//   valgrind --tool=callgrind sequential_benchmark http://127.0.0.1:8099/v1 bare 1200     # or client;
//   instructions of
//                                                        # two lengths subtracted are those of a request

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "tokenpool/client.hpp"

namespace {

const std::string body =
    R"({"model":"demo","messages":[{"role":"user","content":"Please tell me something about rate limits."}]})";

std::size_t keep(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

class Bare {
 public:
  explicit Bare(const std::string& base_url) : url_(base_url + "/chat/completions"), easy_(curl_easy_init()) {
    for (const char* line :
         {"Authorization: Bearer sk-bench-1", "Content-Type: application/json", "Accept: application/json"}) {
      headers_ = curl_slist_append(headers_, line);
    }
    curl_easy_setopt(easy_, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &keep);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &answer_);
  }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;
  ~Bare() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
  }

  bool post() {
    long status = 0;
    answer_.clear();
    return curl_easy_perform(easy_) == CURLE_OK &&
           curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
  }

 private:
  std::string url_;
  std::string answer_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
};

double per_second(const std::function<bool()>& post, int requests) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < requests; ++i) {
    if (!post()) {
      std::cerr << "a request failed: is the server there?\n";
      std::exit(1);
    }
  }
  return requests / std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 && count != 4) {
    std::cerr << "usage: sequential_benchmark BASE_URL [bare|client REQUESTS]\n";
    return 2;
  }
  const std::string base_url = words[1];
  curl_global_init(CURL_GLOBAL_DEFAULT);
  Bare bare(base_url);
  tokenpool::Client<> client{
      {.base_url = base_url,
       .tokens = tokenpool::parse_tokens("sk-bench-1,sk-bench-2,sk-bench-3,sk-bench-4"),
       .limits = {tokenpool::Limit::per_token(100'000'000, std::chrono::hours(24))}}};
  const auto post_bare = [&] { return bare.post(); };
  const auto post_client = [&] {
    const auto result = client.try_send({.method = "POST", .path = "/chat/completions", .body = body});
    return result && result->ok();
  };
  if (count == 4) {
    std::cout << per_second(std::string(words[2]) == "bare" ? std::function<bool()>(post_bare) : post_client,
                            std::atoi(words[3]))
              << " requests/s\n";
    return 0;
  }
  std::vector<double> rates[2];
  std::vector<double> ratios;
  for (int round = 0; round < 8; ++round) {
    const double of_bare = per_second(post_bare, 4000);
    const double of_client = per_second(post_client, 4000);
    if (round != 0) {  // the first one warms up
      rates[0].push_back(of_bare);
      rates[1].push_back(of_client);
      ratios.push_back(of_client / of_bare);
    }
  }
  for (std::vector<double>* values : {&rates[0], &rates[1], &ratios}) {
    std::sort(values->begin(), values->end());
  }
  std::cout << "bare libcurl " << rates[0][3] << "/s, Client " << rates[1][3] << "/s, ratio " << ratios[3]
            << " (" << ratios.front() << " to " << ratios.back() << ")\n";
}
