#include "../core/detection.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>

#include "arguments.hpp"
#include "register.hpp"

namespace facewire::bindings {
namespace {

constexpr py::ssize_t kFaceColumns = 15;  // x, y, w, h, ten landmark coordinates, score

DecoderKind kind_named(const std::string& kind) {
    if (kind == "yunet") return DecoderKind::kYunet;
    if (kind == "scrfd") return DecoderKind::kScrfd;
    throw py::value_error("kind must be 'yunet' or 'scrfd', not '" + kind + "'");
}

std::int32_t require_int(py::handle value, const std::string& name) {
    py::detail::make_caster<std::int32_t> caster;
    if (!caster.load(value, /*convert=*/true)) throw py::type_error(name + " must be an int below 2**31");
    return py::detail::cast_op<std::int32_t>(caster);
}

void require_share(float value, const char* name) {
    if (!(value >= 0.0f && value <= 1.0f)) throw py::value_error(std::string(name) + " must be from 0 to 1");
}

// One level as Python gives it: (stride, columns, rows, score, objectness or None, box, landmarks).
OutputLevel require_level(const py::tuple& level, DecoderKind kind, std::size_t number) {
    const std::string name = "levels[" + std::to_string(number) + "]";
    if (level.size() != 7)
        throw py::value_error(name + " must be (stride, columns, rows, score, objectness, box, landmarks)");
    OutputLevel out{};
    out.stride = require_int(level[0], name + ".stride");
    out.columns = require_int(level[1], name + ".columns");
    out.rows = require_int(level[2], name + ".rows");
    if (out.stride < 1 || out.columns < 1 || out.rows < 1)
        throw py::value_error(name + ": stride, columns and rows must be positive");
    out.anchors = kind == DecoderKind::kScrfd ? 2 : 1;
    const py::ssize_t n = py::ssize_t{out.columns} * out.rows * out.anchors;
    out.score = require_input<float>(level[3], (name + ".score").c_str(), {n}).data;
    if (kind == DecoderKind::kYunet)
        out.objectness = require_input<float>(level[4], (name + ".objectness").c_str(), {n}).data;
    out.box = require_input<float>(level[5], (name + ".box").c_str(), {n, 4}).data;
    out.landmarks = require_input<float>(level[6], (name + ".landmarks").c_str(), {n, 10}).data;
    return out;
}

py::array_t<float> to_rows(const std::vector<Detection>& faces) {
    py::array_t<float> rows({static_cast<py::ssize_t>(faces.size()), kFaceColumns});
    float* out = rows.mutable_data();
    for (const Detection& face : faces) {
        *out++ = face.x, *out++ = face.y, *out++ = face.width, *out++ = face.height;
        out = std::copy(face.landmarks.begin(), face.landmarks.end(), out);
        *out++ = face.score;
    }
    return rows;
}

py::array_t<float> py_decode_faces(const std::string& kind_name, const std::vector<py::tuple>& levels,
                                   float score_threshold, float nms_iou, std::array<float, 2> scale,
                                   std::int32_t max_faces) {
    const DecoderKind kind = kind_named(kind_name);
    require_share(score_threshold, "score_threshold");
    require_share(nms_iou, "nms_iou");
    for (const float axis : scale)
        if (!(axis > 0.0f) || !std::isfinite(axis)) throw py::value_error("scale must be positive");
    if (max_faces < 1) throw py::value_error("max_faces must be at least 1");
    std::vector<OutputLevel> views;
    for (std::size_t i = 0; i < levels.size(); ++i) views.push_back(require_level(levels[i], kind, i));
    std::vector<Detection> faces;
    {
        const py::gil_scoped_release unlocked;  // crowded frames take longer than 50 microseconds
        faces = decode_faces(kind, views, {score_threshold, nms_iou, scale[0], scale[1], max_faces});
    }
    return to_rows(faces);
}

}  // namespace

void register_detection(py::module_& m) {
    m.def("decode_faces", &py_decode_faces, py::arg("kind"), py::arg("levels"), py::kw_only(),
          py::arg("score_threshold"), py::arg("nms_iou"), py::arg("scale"), py::arg("max_faces"));
}

}  // namespace facewire::bindings
