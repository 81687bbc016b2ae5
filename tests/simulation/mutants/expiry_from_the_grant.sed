# A request counts from its grant instead of its answer.
# header: pool/settling.hpp
# simulated: known
# breaks: with known limits no request meets 429
s/arrival(outcome), answer(outcome))/grant_.at, grant_.at)/
