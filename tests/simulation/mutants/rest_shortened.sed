# A later and shorter word shortens a rest.
# header: quota/rest.hpp
# simulated: unknown
# breaks: nothing is sent for what rests
s/until_ = active_ ? (std::max)(until_, until) : until;/until_ = until;/
