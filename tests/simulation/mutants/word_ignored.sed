# The service's word on how long to wait is not heard.
# header: pool/ending.hpp
# simulated: unknown
# breaks: nothing is sent for what rests
s/rest_length(strikes, meaning.rest,/rest_length(strikes, std::nullopt,/
