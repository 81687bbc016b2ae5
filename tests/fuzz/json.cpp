// Error bodies. Properties, with nlohmann/json as the oracle: what the oracle reads is read as the same
// scalars in the same order with the same paths; what is read as a whole document the oracle accepts; of a
// text that is cut anywhere the scalars are a beginning of those of the whole text; a visitor that stops has
// seen just that beginning.

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "tokenpool/http/json_scan.hpp"

using fuzz::holds;
using tokenpool::JsonKind;
using tokenpool::JsonScalar;

namespace {

struct Seen {
  std::string path;
  JsonKind kind;
  std::string text;
  friend bool operator==(const Seen&, const Seen&) = default;
};

struct Scan {
  std::vector<Seen> seen;
  bool whole;
};

Scan scan(std::string_view text, std::size_t most = std::string_view::npos) {
  Scan scan{};
  scan.whole = tokenpool::scan_json(text, [&](const JsonScalar& scalar) {
    scan.seen.push_back({std::string(scalar.path), scalar.kind, std::string(scalar.text)});
    return scan.seen.size() < most;
  });
  return scan;
}

/// The oracle's events, as ours would be; the text of a number is left out, which it does not keep.
class Oracle : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<Seen> seen;
  std::size_t deepest = 0;
  bool out_of_range = false;

  bool null() override { return add(JsonKind::null, "null"); }
  bool boolean(bool value) override { return add(JsonKind::boolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t) override { return add(JsonKind::number, ""); }
  bool number_unsigned(number_unsigned_t) override { return add(JsonKind::number, ""); }
  bool number_float(number_float_t, const string_t&) override { return add(JsonKind::number, ""); }
  bool string(string_t& value) override { return add(JsonKind::string, value); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    paths_.back() = outer() + (outer().empty() ? "" : ".") + value;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    out_of_range = error.id == 406;
    return false;
  }

 private:
  bool add(JsonKind kind, std::string text) {
    seen.push_back({paths_.back(), kind, std::move(text)});
    return true;
  }
  /// What the keys of the innermost object are put behind.
  [[nodiscard]] const std::string& outer() const { return paths_[paths_.size() - 2]; }
  bool open() {
    paths_.push_back(paths_.back());
    deepest = (std::max)(deepest, paths_.size() - 1);
    return true;
  }
  bool close() {
    paths_.pop_back();
    return true;
  }

  std::vector<std::string> paths_{""};
};

std::vector<Seen> without_digits(std::vector<Seen> seen) {
  for (Seen& scalar : seen) {
    if (scalar.kind == JsonKind::number) scalar.text.clear();
  }
  return seen;
}

void compare(std::string_view text, bool is_ascii) {
  const Scan ours = scan(text);
  Oracle oracle;
  const bool accepted = nlohmann::json::sax_parse(text, &oracle);
  // The oracle takes a NUL for the end.
  if (accepted && text.find('\0') == std::string_view::npos && oracle.deepest <= tokenpool::json_scan_depth) {
    holds(ours.whole, "what the oracle accepts is read whole");
    holds(without_digits(ours.seen) == oracle.seen, "the oracle sees the same scalars");
  }
  // Ours takes half a surrogate pair, a number beyond double, and empty keys joined by dots.
  const bool lenient = oracle.out_of_range || text.find("\\u") != std::string_view::npos;
  if (ours.whole && is_ascii && !lenient) holds(accepted, "what is read whole the oracle accepts");
  for (const Seen& scalar : ours.seen) {
    if (scalar.kind != JsonKind::number) continue;
    Oracle alone;
    holds(nlohmann::json::sax_parse(scalar.text, &alone) || alone.out_of_range, "a number is one");
  }
}

void cut(std::string_view text, std::size_t end, std::size_t most) {
  const Scan whole = scan(text);
  const Scan part = scan(text.substr(0, end));
  // A bare number that is cut is a whole document, too.
  holds(part.whole || (part.seen.size() <= whole.seen.size() &&
                       std::equal(part.seen.begin(), part.seen.end(), whole.seen.begin())),
        "a cut text shows a beginning of the whole one");
  const Scan stopped = scan(text, most);
  holds(stopped.seen.size() == (std::min)(most, whole.seen.size()), "a visitor that stops sees no more");
  holds(std::equal(stopped.seen.begin(), stopped.seen.end(), whole.seen.begin()),
        "a visitor that stops has seen the beginning");
  holds(!stopped.whole || whole.seen.size() < most, "who stopped has not seen all");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto at = input.ConsumeIntegral<std::uint16_t>();
  const auto most = input.ConsumeIntegralInRange<std::size_t>(1, 8);
  std::string text = fuzz::rest(input);
  cut(text, text.empty() ? 0 : at % text.size(), most);
  compare(text, false);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, 'x');
  compare(text, true);
  return 0;
}
