# Who becomes the first of the queue is not told that the timer is his.
# header: pool/serving.hpp
# simulated: known
# breaks: nobody waits while there is room
s/woken_->push_back(first->wakeable);//
