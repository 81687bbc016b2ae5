// Structured fields. Properties: what is read, written again as RFC 9651 section 4.1 says, is read as the
// same; a field in several lines is the same as its lines joined; a field with rubbish behind it is refused
// whole; numbers and names keep the format's bounds.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "tokenpool/http/structured_fields.hpp"

using fuzz::holds;
using tokenpool::detail::SfBareItem;
using tokenpool::detail::SfMember;
using tokenpool::detail::SfType;
using Members = std::optional<std::vector<SfMember>>;

namespace {

std::string decimal(std::int64_t thousandths) {
  char text[32];
  const auto size = thousandths < 0 ? -thousandths : thousandths;
  static_cast<void>(std::snprintf(text, sizeof text, "%s%lld.%03lld", thousandths < 0 ? "-" : "",
                                  static_cast<long long>(size / 1000), static_cast<long long>(size % 1000)));
  return text;
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string written(const SfBareItem& item) {
  switch (item.type) {
    case SfType::integer: return std::to_string(item.number);
    case SfType::decimal: return decimal(item.number);
    case SfType::string: return quoted(item.text);
    case SfType::token: return item.text;
    case SfType::byte_sequence: return ":" + item.text + ":";
    case SfType::boolean: return item.number != 0 ? "?1" : "?0";
    case SfType::date: return "@" + std::to_string(item.number);
    case SfType::display_string: return "%\"" + item.text + "\"";
    case SfType::inner_list: return "()";
  }
  return {};
}

std::string written(const std::vector<SfMember>& members) {
  std::string text;
  for (const SfMember& member : members) {
    if (!text.empty()) text += ", ";
    text += member.name + (member.name.empty() ? "" : "=") + written(member.item);
    for (const auto& [name, value] : member.parameters) text += ";" + name + "=" + written(value);
  }
  return text;
}

bool same(const SfBareItem& a, const SfBareItem& b) {
  return a.type == b.type && a.number == b.number && a.text == b.text;
}

bool same(const Members& a, const Members& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return std::equal(a->begin(), a->end(), b->begin(), b->end(), [](const SfMember& x, const SfMember& y) {
    return x.name == y.name && same(x.item, y.item) &&
           std::equal(
               x.parameters.begin(), x.parameters.end(), y.parameters.begin(), y.parameters.end(),
               [](const auto& p, const auto& q) { return p.first == q.first && same(p.second, q.second); });
  });
}

void check_bounds(const SfBareItem& item) {
  const std::int64_t most = 999'999'999'999'999;
  const bool number =
      item.type == SfType::integer || item.type == SfType::decimal || item.type == SfType::date;
  holds(!number || (item.number >= -most && item.number <= most), "a number has fifteen digits at most");
  holds(item.as_count().value_or(0) >= 0, "a count is not negative");
}

template <class Parse>
void check(const std::string& text, std::size_t cut, Parse parse) {
  const Members read = parse({text});
  if (read) {
    const std::string again = written(*read);
    holds(same(parse({again}), read), "what is written again is read as the same");
    holds(read->empty() || !parse({text + ","}), "a comma at the end is no field");
    holds(read->empty() || !parse({text + " \x01"}), "rubbish behind a field refuses it whole");
    for (const SfMember& member : *read) {
      check_bounds(member.item);
      for (const auto& [name, value] : member.parameters) {
        check_bounds(value);
        holds(!name.empty() && (tokenpool::detail::is_lower(name[0]) || name[0] == '*'),
              "a name begins as names do");
      }
    }
  }
  const std::string front = text.substr(0, cut);
  const std::string back = text.substr(cut);
  if (!front.empty())
    holds(same(parse({front, back}), parse({front + ", " + back})), "lines are joined by a comma");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto at = input.ConsumeIntegral<std::uint16_t>();
  const std::string text = fuzz::rest(input);
  const std::size_t cut = text.empty() ? 0 : at % text.size();
  check(text, cut, [](const std::vector<std::string>& lines) {
    return tokenpool::detail::parse_sf_list({lines.begin(), lines.end()});
  });
  check(text, cut, [](const std::vector<std::string>& lines) {
    return tokenpool::detail::parse_sf_dictionary({lines.begin(), lines.end()});
  });
  return 0;
}
