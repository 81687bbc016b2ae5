# When the first of the queue leaves, nobody looks whom that helps.
# header: pool/serving.hpp
# simulated: known
# breaks: nobody waits while there is room
/end_wait(waiter);/,/}/s/serve(state_.latest);//
