#include <pybind11/stl.h>

#include <array>

#include "../core/letterbox.hpp"
#include "../core/noise.hpp"
#include "arguments.hpp"
#include "register.hpp"

namespace facewire::bindings {
namespace {

PixelTransform make_transform(bool rgb, std::array<float, 3> mean, std::array<float, 3> scale) {
    PixelTransform transform;
    transform.rgb_order = rgb;
    for (int i = 0; i < 3; ++i) {
        const auto plane = static_cast<std::size_t>(i);
        if (!std::isfinite(mean[plane])) throw py::value_error("mean must be finite");
        if (!std::isfinite(scale[plane]) || scale[plane] == 0.0f)
            throw py::value_error("scale must be finite and not zero");
        transform.mean[i] = mean[plane];
        transform.scale[i] = scale[plane];
    }
    return transform;
}

bool changes_values(const PixelTransform& transform) {
    for (int plane = 0; plane < 3; ++plane)
        if (transform.mean[plane] != 0.0f || transform.scale[plane] != 1.0f) return true;
    return false;
}

float require_max_scale(float max_scale) {
    if (!std::isfinite(max_scale) || max_scale <= 0.0f) throw py::value_error("max_scale must be finite and positive");
    return max_scale;
}

py::tuple letterbox_to_bytes(const FrameView& frame, py::handle out, const PixelTransform& transform, float max_scale) {
    const auto tensor = require_output<std::uint8_t>(out, "out", {kAny, kAny, 3});
    if (tensor.size == 0) throw py::value_error("out is empty");
    if (changes_values(transform)) throw py::value_error("transform must not have mean or scale where out holds bytes");
    LetterboxScale scale{};
    {
        const py::gil_scoped_release unlocked;
        scale = letterbox_bytes(frame, transform.rgb_order, static_cast<std::int32_t>(tensor.shape[1]),
                                static_cast<std::int32_t>(tensor.shape[0]), tensor.data, max_scale);
    }
    return py::make_tuple(scale.x, scale.y);
}

py::tuple py_letterbox(py::handle pixels, const std::string& format, py::handle out, const PixelTransform& transform,
                       float max_scale) {
    const FrameView frame = require_frame(pixels, format);
    require_max_scale(max_scale);
    if (py::isinstance<py::array_t<std::uint8_t>>(out)) return letterbox_to_bytes(frame, out, transform, max_scale);
    const auto tensor = require_output<float>(out, "out", {3, kAny, kAny});
    if (tensor.size == 0) throw py::value_error("out is empty");
    LetterboxScale scale{};
    {
        // Hundreds of microseconds for a camera frame: other threads run meanwhile.
        const py::gil_scoped_release unlocked;
        scale = letterbox(frame, transform, static_cast<std::int32_t>(tensor.shape[2]),
                          static_cast<std::int32_t>(tensor.shape[1]), tensor.data, max_scale);
    }
    return py::make_tuple(scale.x, scale.y);
}

float py_letterbox_scale(std::int32_t frame_width, std::int32_t frame_height, std::int32_t width, std::int32_t height,
                         float max_scale) {
    if (frame_width < 1 || frame_height < 1 || width < 1 || height < 1)
        throw py::value_error("frame_width, frame_height, width and height must be positive");
    return letterbox_scale(frame_width, frame_height, width, height, require_max_scale(max_scale));
}

float py_estimate_noise(py::handle pixels, const std::string& format) {
    const FrameView frame = require_frame(pixels, format);
    const py::gil_scoped_release unlocked;
    return estimate_noise(frame);
}

py::array_t<std::uint8_t> py_smooth_frame(py::handle pixels, const std::string& format) {
    const FrameView frame = require_frame(pixels, format);
    const py::array given = py::reinterpret_borrow<py::array>(pixels);
    py::array_t<std::uint8_t> out(std::vector<py::ssize_t>(given.shape(), given.shape() + given.ndim()));
    std::uint8_t* to = out.mutable_data();
    {
        const py::gil_scoped_release unlocked;
        smooth_frame(frame, to);
    }
    return out;
}

}  // namespace

void register_pixels(py::module_& m) {
    py::class_<PixelTransform>(m, "PixelTransform")
        .def(py::init(&make_transform), py::kw_only(), py::arg("rgb") = false,
             py::arg("mean") = std::array<float, 3>{0, 0, 0}, py::arg("scale") = std::array<float, 3>{1, 1, 1})
        .def_property_readonly("rgb", [](const PixelTransform& t) { return t.rgb_order; })
        .def_property_readonly(
            "mean", [](const PixelTransform& t) { return std::array<float, 3>{t.mean[0], t.mean[1], t.mean[2]}; })
        .def_property_readonly(
            "scale", [](const PixelTransform& t) { return std::array<float, 3>{t.scale[0], t.scale[1], t.scale[2]}; });
    m.def("letterbox", &py_letterbox, py::arg("pixels"), py::arg("format"), py::arg("out"),
          py::arg("transform") = PixelTransform{}, py::arg("max_scale") = 1.0f);
    m.def("estimate_noise", &py_estimate_noise, py::arg("pixels"), py::arg("format"));
    m.def("smooth_frame", &py_smooth_frame, py::arg("pixels"), py::arg("format"));
    m.def("letterbox_scale", &py_letterbox_scale, py::arg("frame_width"), py::arg("frame_height"), py::arg("width"),
          py::arg("height"), py::arg("max_scale") = 1.0f);
}

}  // namespace facewire::bindings
