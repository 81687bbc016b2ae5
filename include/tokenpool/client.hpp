#pragma once
// The client without the JSON library: bodies are texts, `post` needs <tokenpool/tokenpool.hpp>.

#include "tokenpool/client/client.hpp"
#include "tokenpool/core.hpp"
