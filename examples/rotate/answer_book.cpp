#include "answer_book.hpp"

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

namespace rotate {

namespace {

std::runtime_error cannot_write(const std::string& path) {
  return std::runtime_error("--output: " + path +
                            " cannot be written: give another file, or check the folder and its rights");
}

}  // namespace

AnswerBook::AnswerBook(std::string path, const std::vector<std::string>& prompts)
    : path_(std::move(path)), journal_path_(path_ + ".journal"), prompts_(prompts), lines_(prompts.size()) {
  take_up(path_, false);
  take_up(journal_path_, true);
  open_journal();
}

/// A journal with nothing in it is no news for the next run.
AnswerBook::~AnswerBook() {
  std::error_code ignored;
  if (std::filesystem::file_size(journal_path_, ignored) == 0) {
    std::filesystem::remove(journal_path_, ignored);
  }
}

void AnswerBook::open_journal() {
  const bool was_there = std::filesystem::exists(path_);
  // The answers are moved to their place at the end: see now, before anything is sent, that this will be
  // possible.
  if (std::ofstream probe(path_, std::ios::app); !probe) {
    throw cannot_write(path_);
  }
  if (!was_there) {
    std::filesystem::remove(path_);
  }
  journal_.open(journal_path_, std::ios::app);
  if (!journal_) {
    throw cannot_write(journal_path_);
  }
}

void AnswerBook::take_up(const std::string& path, bool may_end_torn) {
  std::ifstream file(path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (!entry.is_object() || !entry.contains("line") || !entry["line"].is_number_unsigned() ||
        !entry.contains("prompt")) {
      if (may_end_torn && file.peek() == std::ifstream::traits_type::eof()) {
        // A kill in the middle of a write: end the line, or the next entry would be glued to it.
        std::ofstream(path, std::ios::app) << '\n';
        return;
      }
      if (may_end_torn) {
        continue;
      }
      throw std::runtime_error("--output: line " + std::to_string(number) + " of " + path +
                               " is not an answer of this program: give another file");
    }
    const std::size_t place = entry["line"].get<std::size_t>();
    if (place >= 1 && place <= prompts_.size() && entry["prompt"] == prompts_[place - 1]) {
      lines_[place - 1] = line;
    }
  }
}

std::vector<std::size_t> AnswerBook::missing() const {
  std::vector<std::size_t> places;
  for (std::size_t place = 0; place < lines_.size(); ++place) {
    if (!lines_[place]) {
      places.push_back(place);
    }
  }
  return places;
}

void AnswerBook::add(std::size_t place, const std::string& answer, const std::string& token_id) {
  const nlohmann::ordered_json entry{
      {"line", place + 1}, {"prompt", prompts_[place]}, {"answer", answer}, {"token", token_id}};
  std::string line = entry.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  const std::lock_guard lock(mutex_);
  journal_ << line << '\n' << std::flush;
  if (!journal_) {
    throw cannot_write(journal_path_);
  }
  lines_[place] = std::move(line);
}

void AnswerBook::close() {
  const std::lock_guard lock(mutex_);
  const std::string fresh = path_ + ".new";
  std::ofstream file(fresh, std::ios::trunc);
  for (const auto& line : lines_) {
    if (line) {
      file << *line << '\n';
    }
  }
  file.close();
  std::error_code failed;
  if (file) {
    std::filesystem::rename(fresh, path_, failed);
  }
  if (!file || failed) {
    throw cannot_write(path_);
  }
  journal_.close();
  std::filesystem::remove(journal_path_, failed);
}

void AnswerBook::clear() {
  const std::lock_guard lock(mutex_);
  lines_.assign(lines_.size(), std::nullopt);
}

}  // namespace rotate
