#include "client.hpp"

template class tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::CurlTransport,
                                              tokenpool::SteadyClock>;
template class tokenpool::detail::Call<test::ClientState>;
template class tokenpool::detail::AsyncCall<test::ClientState>;
