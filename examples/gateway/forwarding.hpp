#pragma once
// What passes from one side of the gateway to the other, as pure functions: requests without what is between
// the client and us (RFC 9110 7.6.1) and without its credential, answers without what is between the server
// and us.

#include <string>
#include <string_view>

#include "inbound.hpp"
#include "tokenpool/http/message.hpp"

namespace gateway {

/// Where the affinity of a request is found; empty names: it has none.
struct AffinitySource {
  std::string header{};  ///< a header field
  std::string member{};  ///< a member of the JSON body, if the header is not there
};

/// `fields` without those that are for one connection only, those that `Connection` names included.
tokenpool::Headers end_to_end(const tokenpool::Headers& fields);

/// The request for the server. Bucket is the JSON body's "model", if it has one.
tokenpool::Request outbound(Inbound request, const AffinitySource& affinity);

/// The header of the server's answer for the client; of a body that libcurl has unpacked it says nothing.
tokenpool::Headers answer_headers(const tokenpool::Headers& from_server, std::string_view token_id,
                                  std::size_t attempts);

/// The texts of up to two members of a JSON object; empty where there is none. The body is read until both
/// are found, never as a whole into memory.
struct Members {
  std::string first{};
  std::string second{};
};
Members text_members(std::string_view json, std::string_view first, std::string_view second);

}  // namespace gateway
