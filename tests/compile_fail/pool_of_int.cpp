#include "tokenpool/pool/pool.hpp"

#ifdef WITH_FAULT
using Pool = tokenpool::TokenPool<int>;
#endif
