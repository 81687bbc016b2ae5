# The estimate of a cost stays when the truth is known.
# header: quota/meter.hpp
# simulated: known
# breaks: nobody waits while there is room
s/units(reserved), units(cost), counted)/units(reserved), units(reserved), counted)/
