#include "arguments.hpp"

#include <limits>

namespace facewire::bindings {
namespace {

PixelFormat format_named(const std::string& format) {
    if (format == "bgr") return PixelFormat::kBgr24;
    if (format == "rgb") return PixelFormat::kRgb24;
    if (format == "gray") return PixelFormat::kGray8;
    if (format == "nv12") return PixelFormat::kNv12;
    throw py::value_error("format must be 'bgr', 'rgb', 'gray' or 'nv12', not '" + format + "'");
}

void require_adjacent_pixels(const py::array& array, py::ssize_t row_bytes) {
    const bool colour = array.ndim() == 3;
    // The stride of an axis of length 1 means nothing, and numpy leaves anything there.
    const bool columns_adjacent = array.shape(1) == 1 || array.strides(1) == (colour ? 3 : 1);
    const bool adjacent = columns_adjacent && (!colour || array.strides(2) == 1);
    const bool rows_apart = array.shape(0) == 1 || array.strides(0) >= row_bytes;
    if (!adjacent || !rows_apart)
        throw py::value_error(
            "pixels must have adjacent pixels in each row and rows in rising order (any row stride); "
            "use numpy.ascontiguousarray()");
}

}  // namespace

FrameView require_frame(py::handle pixels, const std::string& format_name) {
    const PixelFormat format = format_named(format_name);
    const py::array array = require_array(pixels, "pixels");
    if (!py::isinstance<py::array_t<std::uint8_t>>(array))
        throw py::type_error("pixels must have dtype uint8, not " + std::string(py::str(array.dtype())));
    const bool colour = format == PixelFormat::kBgr24 || format == PixelFormat::kRgb24;
    const bool matches = colour ? array.ndim() == 3 && array.shape(2) == 3 : array.ndim() == 2;
    if (!matches)
        throw py::value_error("pixels must have shape " + std::string(colour ? "(H, W, 3)" : "(rows, W)") +
                              " for format '" + format_name + "', not " +
                              shape_text(array.shape(), static_cast<std::size_t>(array.ndim())));
    if (array.shape(0) < 1 || array.shape(1) < 1) throw py::value_error("pixels is empty");
    const py::ssize_t row_bytes = array.shape(1) * (colour ? 3 : 1);
    require_adjacent_pixels(array, row_bytes);
    const py::ssize_t stride = array.shape(0) == 1 ? row_bytes : array.strides(0);
    if (array.shape(0) > std::numeric_limits<std::int32_t>::max() / stride)
        throw py::value_error("pixels spans more than 2 GiB");
    py::ssize_t height = array.shape(0);
    if (format == PixelFormat::kNv12) {
        if (height % 3 != 0 || (height / 3 * 2) % 2 != 0 || array.shape(1) % 2 != 0)
            throw py::value_error(
                "pixels for format 'nv12' must have H*3/2 rows and W columns with H and W even, not " +
                shape_text(array.shape(), 2));
        height = height / 3 * 2;
    }
    return {static_cast<const std::uint8_t*>(array.data()), static_cast<std::int32_t>(array.shape(1)),
            static_cast<std::int32_t>(height), static_cast<std::int32_t>(stride), format};
}

}  // namespace facewire::bindings
