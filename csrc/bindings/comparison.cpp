#include <pybind11/stl.h>

#include "../core/bandwidth.hpp"
#include "../core/gallery_index.hpp"
#include "../kernels/dispatch.hpp"
#include "arguments.hpp"
#include "register.hpp"

namespace facewire::bindings {
namespace {

constexpr std::size_t kLargestDim = 4096, kLargestTop = 10000;
constexpr std::size_t kSmallestRead = std::size_t{1} << 20, kLargestRead = std::size_t{16} << 30;

py::array_t<float> py_normalise_rows(py::handle rows_in) {
    const auto rows = require_output<float>(rows_in, "rows", {kAny, kAny});
    require_finite(rows, "rows");
    std::vector<float> lengths;
    {
        const py::gil_scoped_release unlocked;
        lengths = normalise_rows(rows.data, rows.length(0), rows.length(1));
    }
    return py::array_t<float>(static_cast<py::ssize_t>(lengths.size()), lengths.data());
}

py::array_t<float> py_cosine_matrix(py::handle a_in, py::handle b_in) {
    const auto a = require_finite(require_input<float>(a_in, "a", {kAny, kAny}), "a");
    const auto b = require_finite(require_input<float>(b_in, "b", {kAny, a.shape[1]}), "b");
    py::array_t<float> cosines({a.shape[0], b.shape[0]});
    float* out = cosines.mutable_data();
    const std::size_t dim = a.length(1);
    {
        const py::gil_scoped_release unlocked;
        std::vector<float> left(a.data, a.data + a.size), right(b.data, b.data + b.size);
        normalise_rows(left.data(), a.length(0), dim);
        normalise_rows(right.data(), b.length(0), dim);
        const Kernels& table = kernels();
        for (std::size_t i = 0; i < a.length(0); ++i)
            table.dot_rows(right.data(), b.length(0), dim, left.data() + i * dim, out + i * b.length(0));
    }
    return cosines;
}

// The first row that cannot be scaled to unit length, or the number of rows. Needs no GIL: a gallery loaded at
// once has a hundred million floats.
std::size_t first_without_direction(const ArrayView<const float>& rows) {
    const std::size_t count = rows.length(0), dim = rows.length(1);
    for (std::size_t r = 0; r < count; ++r) {
        double squares = 0;
        for (std::size_t d = 0; d < dim; ++d) squares += double{rows.data[r * dim + d]} * rows.data[r * dim + d];
        if (!(squares > 1e-12) || !std::isfinite(squares)) return r;
    }
    return count;
}

void require_directions(const ArrayView<const float>& rows, std::size_t first_without, const char* name) {
    if (first_without < rows.length(0))
        throw py::value_error(std::string(name) + " row " + std::to_string(first_without) +
                              " has no direction (zero, NaN or infinite)");
}

py::array_t<std::int64_t> index_add(GalleryIndex& index, py::handle rows_in, py::handle subjects_in) {
    const auto dim = static_cast<py::ssize_t>(index.dim());
    const auto rows = require_input<float>(rows_in, "rows", {kAny, dim});
    const auto subjects = require_input<std::int64_t>(subjects_in, "subjects", {rows.shape[0]});
    for (std::size_t i = 0; i < subjects.size; ++i)
        if (subjects.data[i] < 0) throw py::value_error("subjects must not be negative");
    std::vector<std::int64_t> numbers;
    std::size_t first_without;
    {
        const py::gil_scoped_release unlocked;
        first_without = first_without_direction(rows);
        if (first_without == rows.length(0)) numbers = index.add(rows.data, subjects.data, rows.length(0));
    }
    require_directions(rows, first_without, "rows");
    return py::array_t<std::int64_t>(static_cast<py::ssize_t>(numbers.size()), numbers.data());
}

void index_remove(GalleryIndex& index, py::handle rows_in) {
    const auto rows = require_input<std::int64_t>(rows_in, "rows", {kAny});
    bool removed;
    {
        const py::gil_scoped_release unlocked;
        removed = index.remove(rows.data, rows.size);
    }
    if (!removed) throw py::key_error("rows names a row twice, or one that is not in the index; nothing was removed");
}

py::tuple index_search(const GalleryIndex& index, py::handle queries_in, std::size_t k, float floor, bool compressed) {
    const auto dim = static_cast<py::ssize_t>(index.dim());
    const auto queries = require_input<float>(queries_in, "queries", {kAny, dim});
    require_directions(queries, first_without_direction(queries), "queries");
    if (k < 1 || k > kLargestTop) throw py::value_error("k must be from 1 to 10000");
    if (std::isnan(floor)) throw py::value_error("floor must not be NaN");
    const std::size_t count = queries.length(0);
    std::vector<std::vector<Candidate>> found;
    {
        const py::gil_scoped_release unlocked;
        std::vector<float> unit(queries.data, queries.data + queries.size);
        normalise_rows(unit.data(), count, index.dim());
        found = index.search(unit.data(), count, k, floor, compressed ? Scan::kCodes : Scan::kFloats);
    }
    const auto shape = {static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(k)};
    py::array_t<std::int64_t> subjects(shape), rows(shape);
    py::array_t<float> similarities(shape);
    for (std::size_t q = 0; q < count; ++q) {
        for (std::size_t i = 0; i < k; ++i) {
            const bool filled = i < found[q].size();
            subjects.mutable_data()[q * k + i] = filled ? found[q][i].subject : -1;
            rows.mutable_data()[q * k + i] = filled ? found[q][i].row : -1;
            similarities.mutable_data()[q * k + i] = filled ? found[q][i].similarity : -2.0f;
        }
    }
    return py::make_tuple(subjects, similarities, rows);
}

py::array_t<float> index_read(const GalleryIndex& index, std::int64_t row) {
    py::array_t<float> out(static_cast<py::ssize_t>(index.dim()));
    float* values = out.mutable_data();
    bool live;
    {
        // The lock may be held by a writer that waits for the GIL nowhere, but may take long.
        const py::gil_scoped_release unlocked;
        live = index.read(row, values);
    }
    if (!live) throw py::key_error("row " + std::to_string(row) + " is not in the index");
    return out;
}

double py_read_bandwidth(std::size_t bytes) {
    if (bytes < kSmallestRead || bytes > kLargestRead) throw py::value_error("bytes must be from 1 MB to 16 GB");
    const py::gil_scoped_release unlocked;
    return read_bandwidth(bytes);
}

std::unique_ptr<GalleryIndex> make_index(std::size_t dim) {
    if (dim < 1 || dim > kLargestDim) throw py::value_error("dim must be from 1 to 4096");
    return std::make_unique<GalleryIndex>(dim);
}

}  // namespace

void register_comparison(py::module_& m) {
    m.def("normalise_rows", &py_normalise_rows, py::arg("rows"));
    m.def("read_bandwidth", &py_read_bandwidth, py::arg("bytes"));
    m.def("cosine_matrix", &py_cosine_matrix, py::arg("a"), py::arg("b"));
    py::class_<GalleryIndex>(m, "GalleryIndex")
        .def(py::init(&make_index), py::arg("dim"))
        .def("add", &index_add, py::arg("rows"), py::arg("subjects"))
        .def("remove", &index_remove, py::arg("rows"))
        .def("search", &index_search, py::arg("queries"), py::arg("k"), py::arg("floor") = -1.0f, py::kw_only(),
             py::arg("compressed") = true)
        .def(
            "scanned_bytes",
            [](const GalleryIndex& index, bool compressed) {
                return index.scanned_bytes(compressed ? Scan::kCodes : Scan::kFloats);
            },
            py::kw_only(), py::arg("compressed") = true, py::call_guard<py::gil_scoped_release>())
        .def("read", &index_read, py::arg("row"))
        .def("__len__", &GalleryIndex::size, py::call_guard<py::gil_scoped_release>())
        .def_property_readonly("dim", &GalleryIndex::dim)
        .def_property_readonly("capacity",
                               py::cpp_function(&GalleryIndex::capacity, py::call_guard<py::gil_scoped_release>()));
}

}  // namespace facewire::bindings
