# A rest in one bucket is not looked at.
# header: pool/rests.hpp
# simulated: unknown
# breaks: nothing is sent for what rests
s/return rest == nullptr ? whole_.opens_at() : .*$/return rest == nullptr ? whole_.opens_at() : whole_.opens_at();/
