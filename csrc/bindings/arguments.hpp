// Checks what Python hands in, before any pointer is taken: type, dtype, shape, contiguity, finiteness. Every
// error names the argument. The returned views hold no reference: the caller keeps the array alive (pybind11
// arguments live for the call), so the GIL may be released while they are used.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "../core/frame.hpp"

namespace facewire::bindings {

namespace py = pybind11;

inline constexpr py::ssize_t kAny = -1;

inline std::string shape_text(const py::ssize_t* shape, std::size_t n) {
    std::string text = "(";
    for (std::size_t i = 0; i < n; ++i)
        text += (i > 0 ? ", " : "") + (shape[i] == kAny ? std::string("n") : std::to_string(shape[i]));
    return text + (n == 1 ? ",)" : ")");
}

inline py::array require_array(py::handle value, const char* name) {
    if (!py::isinstance<py::array>(value))
        throw py::type_error(std::string(name) + " must be a numpy array, not " +
                             std::string(py::str(py::type::of(value).attr("__name__"))));
    return py::reinterpret_borrow<py::array>(value);
}

template <typename T>
struct ArrayView {
    T* data;
    std::vector<py::ssize_t> shape;
    std::size_t size;

    std::size_t length(std::size_t axis) const { return static_cast<std::size_t>(shape[axis]); }
};

// A C-contiguous array of exactly this dtype; kAny in `shape` admits any length. No conversion, no copy.
template <typename T>
ArrayView<const T> require_input(py::handle value, const char* name, std::initializer_list<py::ssize_t> shape) {
    const py::array array = require_array(value, name);
    // Equivalent, not identical: an unpickled array has a dtype object of its own.
    if (!py::isinstance<py::array_t<T>>(array))
        throw py::type_error(std::string(name) + " must have dtype " + std::string(py::str(py::dtype::of<T>())) +
                             ", not " + std::string(py::str(array.dtype())));
    bool matches = static_cast<std::size_t>(array.ndim()) == shape.size();
    for (std::size_t i = 0; matches && i < shape.size(); ++i) {
        const py::ssize_t wanted = shape.begin()[i];
        matches = wanted == kAny || wanted == array.shape(static_cast<py::ssize_t>(i));
    }
    if (!matches)
        throw py::value_error(std::string(name) + " must have shape " + shape_text(shape.begin(), shape.size()) +
                              ", not " + shape_text(array.shape(), static_cast<std::size_t>(array.ndim())));
    if ((array.flags() & py::array::c_style) == 0)
        throw py::value_error(std::string(name) + " must be C-contiguous; use numpy.ascontiguousarray()");
    if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
        throw py::value_error(std::string(name) + " must be aligned to its dtype; use .copy()");
    return {static_cast<const T*>(array.data()), std::vector<py::ssize_t>(array.shape(), array.shape() + array.ndim()),
            static_cast<std::size_t>(array.size())};
}

// The same, and writable.
template <typename T>
ArrayView<T> require_output(py::handle value, const char* name, std::initializer_list<py::ssize_t> shape) {
    ArrayView<const T> view = require_input<T>(value, name, shape);
    py::array array = require_array(value, name);
    if (!array.writeable()) throw py::value_error(std::string(name) + " is read-only");
    return {static_cast<T*>(array.mutable_data()), std::move(view.shape), view.size};
}

template <typename View>
const View& require_finite(const View& view, const char* name) {
    for (std::size_t i = 0; i < view.size; ++i)
        if (!std::isfinite(view.data[i]))
            throw py::value_error(std::string(name) + " holds a NaN or an infinity at element " + std::to_string(i));
    return view;
}

// uint8 pixels: (H, W, 3) for "bgr" and "rgb", (H, W) for "gray", (H*3/2, W) for "nv12". Rows may be any
// distance apart; the pixels of a row must be adjacent.
FrameView require_frame(py::handle pixels, const std::string& format);

}  // namespace facewire::bindings
