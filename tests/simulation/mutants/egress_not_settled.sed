# The egress is not told that a request is over.
# header: pool/settling.hpp
# simulated: known
# breaks: no lease leaks
s/--state_.egress_places\[grant_.place.egress\].in_flight;//
