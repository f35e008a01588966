#pragma once

#include <pybind11/pybind11.h>

namespace facewire::bindings {

void register_isa(pybind11::module_& m);         // which instruction set is in force
void register_pixels(pybind11::module_& m);      // PixelTransform, letterbox
void register_detection(pybind11::module_& m);   // decode_faces
void register_faces(pybind11::module_& m);       // similarity_transform, align_faces, crop_boxes, measure_quality
void register_comparison(pybind11::module_& m);  // normalise_rows, cosine_matrix, GalleryIndex
void register_tracking(pybind11::module_& m);    // Tracker

}  // namespace facewire::bindings
