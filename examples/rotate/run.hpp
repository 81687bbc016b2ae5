#pragma once

// The work itself: prompts in, answers out, over as many threads as asked for.

#include <string>

#include "settings.hpp"

namespace rotate {

/// How a run ended.
enum class Ending { complete = 0, incomplete = 1, interrupted = 130 };

/// Sends what has no answer yet. Throws std::runtime_error or tokenpool::Error for what the user has to mend
/// before anything can be sent.
Ending run(const Settings& settings);

}  // namespace rotate
