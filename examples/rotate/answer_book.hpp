#pragma once

// The answers on disk. Each goes into a journal the moment it is there, so that whatever ends the program
// nothing answered is lost; at the end journal and earlier answers become one file in the order of the
// prompts.

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal.hpp"

namespace rotate {

class AnswerBook {
 public:
  /// Takes up what an earlier run left at `path`. `prompts` must outlive the book. Throws std::runtime_error
  /// with one sentence, and leaves everything as it was, when a file cannot be written, holds something else
  /// or answers other prompts.
  AnswerBook(std::string path, const std::vector<std::string>& prompts);

  /// The places of the prompts that have no answer yet.
  std::vector<std::size_t> missing() const;

  /// Thread-safe. Throws std::runtime_error when the journal cannot be written.
  void add(std::size_t place, const std::string& answer, const std::string& token_id);

  /// Writes all answers in order and removes the journal. Throws std::runtime_error; the journal then still
  /// has them.
  void close();

  /// Forgets all answers: a complete book is begun again.
  void clear();

 private:
  void take_up(const std::string& path, bool may_be_torn);

  std::string path_;
  Journal journal_;
  const std::vector<std::string>& prompts_;
  std::vector<std::optional<std::string>> lines_;
  mutable std::mutex mutex_;
};

}  // namespace rotate
