#include "tokenpool/policy/any_policy.hpp"

tokenpool::AnyPolicy fit{tokenpool::Random{}};
#ifdef WITH_FAULT
tokenpool::AnyPolicy unfit{7};
#endif
