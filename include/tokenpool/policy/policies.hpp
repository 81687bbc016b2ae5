#pragma once
// All policies. AnyPolicy knows each of the others and so brings them.

#include "tokenpool/policy/any_policy.hpp"
