// A program that compiles in no time and links only if the package brought its own folder and both
// libraries'.
#include <curl/curl.h>
#include <nlohmann/json_fwd.hpp>
#include <tokenpool/version.hpp>

int main() { return curl_version() != nullptr && tokenpool::version[0] != '\0' ? 0 : 1; }
