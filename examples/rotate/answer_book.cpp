#include "answer_book.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

namespace rotate {

namespace {

/// `path`, if the answers can be moved there at the end: seen now, before anything is sent.
std::string writable(std::string path) {
  std::error_code unreadable;
  const bool was_there = std::filesystem::exists(path, unreadable);
  if (was_there && !std::filesystem::is_regular_file(path, unreadable)) {
    throw std::runtime_error("--output: " + path + " is no plain file: give the name of one");
  }
  if (std::ofstream probe(path, std::ios::app); !probe) {
    throw Journal::cannot_write(path);
  }
  if (!was_there) {
    std::filesystem::remove(path);
  }
  return path;
}

/// The place that `entry` is for.
std::size_t place_of(const nlohmann::json& entry, const std::vector<std::string>& prompts,
                     const std::string& where) {
  if (!entry.is_object() || !entry.contains("prompt") || !entry.contains("line") ||
      !entry["line"].is_number_unsigned()) {
    throw std::runtime_error("--output: " + where + " is not an answer of this program: give another file");
  }
  const std::size_t number = entry["line"].get<std::size_t>();
  if (number < 1 || number > prompts.size() || entry["prompt"] != prompts[number - 1]) {
    throw std::runtime_error("--output: " + where +
                             " answers another prompt than --prompts has there: give another file");
  }
  return number - 1;
}

}  // namespace

AnswerBook::AnswerBook(std::string path, const std::vector<std::string>& prompts)
    : path_(writable(std::move(path))),
      journal_(path_ + ".journal"),
      prompts_(prompts),
      lines_(prompts.size()) {
  take_up(path_, false);
  take_up(journal_.path(), true);
}

void AnswerBook::take_up(const std::string& path, bool may_be_torn) {
  std::ifstream file(path);
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_discarded() && may_be_torn) {
      continue;
    }
    lines_[place_of(entry, prompts_, "line " + std::to_string(number) + " of " + path)] = line;
  }
}

std::vector<std::size_t> AnswerBook::missing() const {
  const std::lock_guard lock(mutex_);
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
  journal_.add(line);
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
    std::filesystem::remove(fresh, failed);
    throw Journal::cannot_write(path_);
  }
  journal_.remove();
}

void AnswerBook::clear() {
  const std::lock_guard lock(mutex_);
  lines_.assign(lines_.size(), std::nullopt);
}

}  // namespace rotate
