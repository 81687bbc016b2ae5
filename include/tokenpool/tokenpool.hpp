#pragma once
// Everything but the add-ons.

#include "tokenpool/client.hpp"
#include "tokenpool/json/json.hpp"
#include "tokenpool/json/load_tokens.hpp"
