// facewire._native: one register_<concept> each, nothing else. The public face is facewire.kernels.
#include "register.hpp"

PYBIND11_MODULE(_native, m) {
    m.doc() = "Native kernels of facewire; import them from facewire.kernels.";
    facewire::bindings::register_isa(m);
    facewire::bindings::register_pixels(m);
    facewire::bindings::register_detection(m);
    facewire::bindings::register_faces(m);
    facewire::bindings::register_comparison(m);
    facewire::bindings::register_tracking(m);
}
