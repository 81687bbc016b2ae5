#pragma once

// The client that the tests on real sockets use, compiled once, in client.cpp: what a call is made of is most
// of the time that such a test takes to build.

#include "tokenpool/tokenpool.hpp"

namespace test {

using ClientState =
    tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::CurlTransport, tokenpool::SteadyClock>;

}  // namespace test

extern template class tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::CurlTransport,
                                                     tokenpool::SteadyClock>;
extern template class tokenpool::detail::Call<test::ClientState>;
extern template class tokenpool::detail::AsyncCall<test::ClientState>;
