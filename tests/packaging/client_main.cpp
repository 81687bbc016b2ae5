#include <curl/curl.h>

#include <nlohmann/json.hpp>
#include <tokenpool/version.hpp>

int main() {
  const nlohmann::json version = tokenpool::version;
  return curl_version() != nullptr && version.is_string() ? 0 : 1;
}
