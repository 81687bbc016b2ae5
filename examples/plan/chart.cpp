#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <iomanip>
#include <sstream>

namespace plan {

namespace {

constexpr double width = 960;
constexpr double left = 80;
constexpr double right = 30;
constexpr double plot_height = 190;
constexpr double panel_height = 260;

/// Colours that the colour-blind can tell apart (Okabe and Ito).
constexpr std::array<const char*, 7> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#e69f00", "#56b4e9", "#555555"};
constexpr std::array<const char*, 3> dashes{"", "8 4", "2 3"};

std::string number(double value) {
  std::ostringstream text;
  text << std::setprecision(6) << value;
  return text.str();
}

/// 1, 2 or 5 times a power of ten, so that about five steps make `most`.
double nice_step(double most) {
  const double power = std::pow(10, std::floor(std::log10(most / 5)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (most / (factor * power) <= 6) {
      return factor * power;
    }
  }
  return 10 * power;
}

/// What one panel shows of a slice.
struct Quantity {
  std::string title;
  std::string unit;
  std::function<double(const Slice&)> value;
};

class Panel {
 public:
  Panel(const Quantity& quantity, const std::vector<Day>& days, double hours, double top)
      : quantity_(quantity), days_(days), hours_(hours), top_(top) {
    for (const Day& day : days) {
      for (const Slice& slice : day.slices) {
        most_ = (std::max)(most_, quantity.value(slice));
      }
    }
    step_ = nice_step((std::max)(most_, 1e-9));
    most_ = step_ * std::ceil((std::max)(most_, step_) / step_);
  }

  void draw(std::ostream& out) const {
    text(out, left, top_ - 14, "start", quantity_.title, "font-weight='bold'");
    for (int tick = 0; tick * step_ <= most_ * 1.0001; ++tick) {
      const double at = tick * step_;
      line(out, left, y(at), width - right, y(at), "#dddddd");
      text(out, left - 8, y(at) + 4, "end", number(at));
    }
    const double hour_step = nice_step(hours_) * (hours_ > 12 && hours_ <= 48 ? 0.8 : 1);
    for (int tick = 0; tick * hour_step <= hours_ * 1.0001; ++tick) {
      line(out, x(tick * hour_step), y(0), x(tick * hour_step), y(0) + 5, "#333333");
      text(out, x(tick * hour_step), y(0) + 19, "middle", number(tick * hour_step));
    }
    line(out, left, y(0), width - right, y(0), "#333333");
    line(out, left, top_, left, y(0), "#333333");
    text(out, (left + width - right) / 2, y(0) + 37, "middle", "time (hours)");
    out << "<text transform='translate(20 " << top_ + plot_height / 2
        << ") rotate(-90)' text-anchor='middle'>" << quantity_.unit << "</text>\n";
    for (std::size_t i = 0; i < days_.size(); ++i) {
      curve(out, i);
    }
  }

 private:
  [[nodiscard]] double x(double hour) const { return left + hour / hours_ * (width - left - right); }
  [[nodiscard]] double y(double value) const { return top_ + plot_height * (1 - value / most_); }

  /// Where lines lie on each other the ones below are wider, so that all can be seen.
  void curve(std::ostream& out, std::size_t index) const {
    const std::vector<Slice>& slices = days_[index].slices;
    out << "<polyline fill='none' stroke='" << colours[index % colours.size()] << "' stroke-dasharray='"
        << dashes[index % dashes.size()] << "' stroke-width='"
        << 1.8 + 1.6 * static_cast<double>(days_.size() - 1 - index) << "' stroke-linejoin='round' points='";
    for (std::size_t i = 0; i < slices.size(); ++i) {
      const double hour = (static_cast<double>(i) + 0.5) / static_cast<double>(slices.size()) * hours_;
      out << number(x(hour)) << ',' << number(y(quantity_.value(slices[i]))) << ' ';
    }
    out << "'/>\n";
  }

  static void line(std::ostream& out, double x1, double y1, double x2, double y2, const char* colour) {
    out << "<line x1='" << x1 << "' y1='" << y1 << "' x2='" << x2 << "' y2='" << y2 << "' stroke='" << colour
        << "'/>\n";
  }
  static void text(std::ostream& out, double at_x, double at_y, const char* anchor, const std::string& words,
                   const char* style = "") {
    out << "<text x='" << at_x << "' y='" << at_y << "' text-anchor='" << anchor << "' " << style << ">"
        << words << "</text>\n";
  }

  const Quantity& quantity_;
  const std::vector<Day>& days_;
  double hours_;
  double top_;
  double most_ = 0;
  double step_ = 1;
};

constexpr std::size_t in_a_row = 4;

void legend(std::ostream& out, const std::vector<Day>& days) {
  for (std::size_t i = 0; i < days.size(); ++i) {
    const double x = left + 215 * static_cast<double>(i % in_a_row);
    const std::size_t row = i / in_a_row;
    const double y = 52 + 20 * static_cast<double>(row);
    out << "<line x1='" << x << "' y1='" << y << "' x2='" << x + 34 << "' y2='" << y << "' stroke='"
        << colours[i % colours.size()] << "' stroke-width='3' stroke-dasharray='" << dashes[i % dashes.size()]
        << "'/>\n<text x='" << x + 42 << "' y='" << y + 4 << "'>" << days[i].policy << "</text>\n";
  }
}

}  // namespace

std::string chart(const std::vector<Day>& days, simulator::Length length) {
  const double hours = std::chrono::duration<double, std::ratio<3600>>(length).count();
  const double slice_hours = hours / static_cast<double>(days.front().slices.size());
  const std::array<Quantity, 3> quantities{{
      {"Answers", "per hour",
       [=](const Slice& slice) { return static_cast<double>(slice.answers) / slice_hours; }},
      {"Mean wait of the answered calls", "seconds",
       [](const Slice& slice) {
         return slice.answers == 0 ? 0 : slice.waited / static_cast<double>(slice.answers);
       }},
      {"429s", "per hour",
       [=](const Slice& slice) { return static_cast<double>(slice.refusals) / slice_hours; }},
  }};
  const std::size_t last_row = (days.size() - 1) / in_a_row;
  const double top = 100 + 20 * static_cast<double>(last_row);
  const double height = top + panel_height * static_cast<double>(quantities.size()) - 10;
  std::ostringstream out;
  out << "<svg xmlns='http://www.w3.org/2000/svg' width='" << width << "' height='" << height
      << "' viewBox='0 0 " << width << ' ' << height
      << "' font-family='sans-serif' font-size='13' fill='#222222'>\n"
      << "<rect width='100%' height='100%' fill='#ffffff'/>\n"
      << "<text x='" << left
      << "' y='28' font-size='17' font-weight='bold'>Simulated calls by policy</text>\n";
  legend(out, days);
  for (std::size_t i = 0; i < quantities.size(); ++i) {
    Panel(quantities[i], days, hours, top + panel_height * static_cast<double>(i)).draw(out);
  }
  out << "</svg>\n";
  return out.str();
}

}  // namespace plan
