# A success ends a rest, but the strikes stay.
# header: quota/rest.hpp
# simulated: strikes
# breaks: a success forgets the strikes
/bool succeeded(/,/^  }/s/\*this = awake;/active_ = false; probe_ = 0;/
