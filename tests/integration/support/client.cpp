#include "client.hpp"

template class tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::CurlTransport,
                                              tokenpool::SteadyClock>;
template class tokenpool::detail::Call<test::ClientState>;
template class tokenpool::detail::AsyncCall<test::ClientState>;

#if defined(__GLIBCXX__) && defined(__LP64__)
// With the two counters of its shared_ptr as large as what glibc's malloc keeps at hand for a thread.
static_assert(sizeof(tokenpool::detail::AsyncCall<test::ClientState>) <= 1032 - 16);
#endif
