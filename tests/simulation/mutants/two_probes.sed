# The end of a rest lets everybody through.
# header: quota/rest.hpp
# simulated: unknown
# breaks: the end of a rest lets one request through
s/probe_ != 0 ? end_of_time : until_;/until_;/
