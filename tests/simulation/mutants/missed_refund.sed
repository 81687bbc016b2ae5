# What was never sent is not given back.
# header: pool/settling.hpp
# simulated: known
# breaks: no lease leaks
/} else {/,/}/s/state_.quotas.refund(slot_, grant_);//
