#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>

#include "../core/alignment.hpp"
#include "../core/crop.hpp"
#include "../core/quality.hpp"
#include "arguments.hpp"
#include "register.hpp"

namespace facewire::bindings {
namespace {

Landmarks landmarks_at(const float* values, std::size_t face) {
    Landmarks points;
    std::copy_n(values + face * 10, 10, points.begin());
    return points;
}

py::array_t<float> py_similarity_transform(py::handle from, py::handle to) {
    const auto source = require_input<float>(from, "source", {5, 2});
    const auto target = require_input<float>(to, "target", {5, 2});
    AffineMap map{};
    switch (similarity_transform(landmarks_at(source.data, 0), landmarks_at(target.data, 0), map)) {
        case AlignStatus::kAligned:
            break;
        case AlignStatus::kNotFinite:
            throw py::value_error("source and target must be finite");
        case AlignStatus::kCoincident:
            throw py::value_error("source: the five points coincide");
        case AlignStatus::kOutsideFrame:
            throw py::value_error("source: coordinates beyond a million pixels");
    }
    py::array_t<float> matrix({2, 3});
    const float values[6] = {map.a, map.b, map.tx, map.c, map.d, map.ty};
    std::copy_n(values, 6, matrix.mutable_data());
    return matrix;
}

py::array_t<std::uint8_t> py_align_faces(py::handle pixels, const std::string& format, py::handle landmarks,
                                         py::handle reference, py::handle out, const PixelTransform& transform) {
    const FrameView frame = require_frame(pixels, format);
    const auto points = require_input<float>(landmarks, "landmarks", {kAny, 5, 2});
    const auto target = require_finite(require_input<float>(reference, "reference", {5, 2}), "reference");
    const auto faces = static_cast<py::ssize_t>(points.length(0));
    const auto chips = require_output<float>(out, "out", {faces, 3, kAny, kAny});
    if (chips.shape[2] != chips.shape[3] || (faces > 0 && chips.shape[2] < 2))
        throw py::value_error("out must have shape (n, 3, size, size) with size at least 2");
    py::array_t<std::uint8_t> statuses(faces);
    std::uint8_t* status = statuses.mutable_data();
    const Landmarks wanted = landmarks_at(target.data, 0);
    const auto size = static_cast<std::int32_t>(chips.shape[2]);
    const std::size_t chip_size = 3 * chips.length(2) * chips.length(3);
    {
        const py::gil_scoped_release unlocked;
        for (std::size_t i = 0; i < points.length(0); ++i)
            status[i] = static_cast<std::uint8_t>(
                align_face(frame, landmarks_at(points.data, i), wanted, transform, size, chips.data + i * chip_size));
    }
    return statuses;
}

void py_crop_boxes(py::handle pixels, const std::string& format, py::handle boxes_in, py::handle out,
                   const PixelTransform& transform) {
    const FrameView frame = require_frame(pixels, format);
    const auto boxes = require_finite(require_input<float>(boxes_in, "boxes", {kAny, 4}), "boxes");
    const auto count = static_cast<py::ssize_t>(boxes.length(0));
    const auto chips = require_output<float>(out, "out", {count, 3, kAny, kAny});
    if (chips.shape[2] != chips.shape[3] || (count > 0 && chips.shape[2] < 1))
        throw py::value_error("out must have shape (n, 3, size, size) with size at least 1");
    for (std::size_t i = 0; i < boxes.length(0); ++i) {
        const float* box = boxes.data + i * 4;
        const bool far = std::any_of(box, box + 4, [](float v) { return std::abs(v) > 1e6f; });
        if (far || !(box[2] > 0.0f && box[3] > 0.0f))
            throw py::value_error("boxes must have a positive width and height, and lie within a million pixels");
    }
    const auto size = static_cast<std::int32_t>(chips.shape[2]);
    const std::size_t chip_size = 3 * chips.length(2) * chips.length(3);
    const py::gil_scoped_release unlocked;
    for (std::size_t i = 0; i < boxes.length(0); ++i) {
        const float* box = boxes.data + i * 4;
        crop_box(frame, {box[0], box[1], box[2], box[3]}, transform, size, chips.data + i * chip_size);
    }
}

py::array_t<float> py_measure_quality(py::handle chips_in, py::handle boxes_in, py::handle landmarks_in,
                                      std::int32_t frame_width, std::int32_t frame_height,
                                      const PixelTransform& transform) {
    const auto chips = require_input<float>(chips_in, "chips", {kAny, 3, kAny, kAny});
    const auto faces = static_cast<py::ssize_t>(chips.length(0));
    if (chips.shape[2] != chips.shape[3]) throw py::value_error("chips must have shape (n, 3, size, size)");
    if (frame_width < 1 || frame_height < 1) throw py::value_error("frame_width and frame_height must be positive");
    const auto boxes = require_finite(require_input<float>(boxes_in, "boxes", {faces, 4}), "boxes");
    const auto points = require_finite(require_input<float>(landmarks_in, "landmarks", {faces, 5, 2}), "landmarks");
    py::array_t<float> rows({faces, py::ssize_t{9}});
    float* row = rows.mutable_data();
    const std::size_t chip_size = 3 * chips.length(2) * chips.length(3);
    const auto size = static_cast<std::int32_t>(chips.shape[2]);
    {
        const py::gil_scoped_release unlocked;
        for (std::size_t i = 0; i < chips.length(0); ++i) {
            const float* box = boxes.data + i * 4;
            const Quality q =
                measure_quality(chips.data + i * chip_size, size, transform, {box[0], box[1], box[2], box[3]},
                                landmarks_at(points.data, i), frame_width, frame_height);
            const float values[9] = {q.sharpness, q.brightness, q.contrast,      q.yaw_deg,    q.pitch_deg,
                                     q.roll_deg,  q.size_px,    q.outside_share, q.glare_share};
            row = std::copy_n(values, 9, row);
        }
    }
    return rows;
}

}  // namespace

void register_faces(py::module_& m) {
    m.def("similarity_transform", &py_similarity_transform, py::arg("source"), py::arg("target"));
    m.def("align_faces", &py_align_faces, py::arg("pixels"), py::arg("format"), py::arg("landmarks"),
          py::arg("reference"), py::arg("out"), py::arg("transform") = PixelTransform{});
    m.def("crop_boxes", &py_crop_boxes, py::arg("pixels"), py::arg("format"), py::arg("boxes"), py::arg("out"),
          py::arg("transform") = PixelTransform{});
    m.def("measure_quality", &py_measure_quality, py::arg("chips"), py::arg("boxes"), py::arg("landmarks"),
          py::kw_only(), py::arg("frame_width"), py::arg("frame_height"), py::arg("transform") = PixelTransform{});
}

}  // namespace facewire::bindings
