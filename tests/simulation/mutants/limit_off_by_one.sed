# One unit too many fits into every limit.
# header: quota/window.hpp
# simulated: known
# breaks: with known limits no request meets 429
s/units - (limit.amount - used(now))/units - (limit.amount + 1 - used(now))/
