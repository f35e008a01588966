#include <pybind11/stl.h>

#include "../kernels/dispatch.hpp"
#include "register.hpp"

namespace facewire::bindings {

void register_isa(pybind11::module_& m) {
    kernels();  // a wrong FACEWIRE_ISA fails the import, with the sets this processor has
    m.def("isa", [] { return std::string(kernels().name); });
    m.def("available_isas", &available_isas);
    m.def("use_isa", [](const std::string& name) { use_kernels(name); }, pybind11::arg("name"));
}

}  // namespace facewire::bindings
