# Who comes last is served first.
# header: pool/waiters.hpp
# simulated: known
# breaks: equals are served in the order of their coming
s/splice(line->waiters.end(), node)/splice(line->waiters.begin(), node)/
