#include "scripted_client.hpp"

template class tokenpool::detail::ClientState<tokenpool::RoundRobin, tokenpool::testing::ScriptedTransport,
                                              tokenpool::testing::ManualClock>;
template class tokenpool::detail::Call<test::ScriptedState>;
