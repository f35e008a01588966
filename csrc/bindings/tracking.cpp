#include <pybind11/stl.h>

#include <algorithm>
#include <memory>

#include "../core/tracker.hpp"
#include "arguments.hpp"
#include "register.hpp"

namespace facewire::bindings {
namespace {

// Keeps the last time, which must not fall: filters run forward only. A frame of a few faces takes microseconds, a
// crowd milliseconds: then without the GIL.
class TimedTracker {
  public:
    explicit TimedTracker(const TrackerSettings& settings) : tracker_(settings), ttl_s_(settings.ttl_s) {}

    py::array_t<bool> ambiguous(double time_s, py::handle boxes_in) {
        const auto boxes = boxes_of(boxes_in);
        const double at = time_at(time_s);
        std::vector<bool> unclear;
        {
            const py::gil_scoped_release unlocked;
            unclear = tracker_.ambiguous(at, boxes.data(), boxes.size());
        }
        py::array_t<bool> out(static_cast<py::ssize_t>(unclear.size()));
        std::copy(unclear.begin(), unclear.end(), out.mutable_data());
        return out;
    }

    py::array_t<std::int64_t> update(double time_s, py::handle boxes_in, const py::object& affinity_in) {
        const auto boxes = boxes_of(boxes_in);
        const float* affinity = nullptr;
        if (!affinity_in.is_none()) {
            const auto tracks = static_cast<py::ssize_t>(tracker_.size());
            const auto count = static_cast<py::ssize_t>(boxes.size());
            affinity = require_input<float>(affinity_in, "affinity", {tracks, count}).data;
        }
        last_s_ = time_at(time_s);
        std::vector<std::int64_t> ids;
        {
            const py::gil_scoped_release unlocked;
            ids = tracker_.update(time_s, boxes.data(), boxes.size(), affinity);
        }
        return py::array_t<std::int64_t>(static_cast<py::ssize_t>(ids.size()), ids.data());
    }

    std::vector<std::int64_t> expire(double time_s) { return tracker_.expire(time_at(time_s)); }

    py::tuple view(double time_s) const {
        const std::vector<TrackView> tracks = tracker_.view(time_s);
        const auto count = static_cast<py::ssize_t>(tracks.size());
        py::array_t<std::int64_t> ids(count);
        py::array_t<float> boxes({count, py::ssize_t{4}});
        py::array_t<double> first(count), seen(count);
        py::array_t<bool> confirmed(count);
        for (std::size_t i = 0; i < tracks.size(); ++i) {
            const TrackView& track = tracks[i];
            ids.mutable_data()[i] = track.id;
            const float box[4] = {track.box.x, track.box.y, track.box.width, track.box.height};
            std::copy_n(box, 4, boxes.mutable_data() + 4 * i);
            first.mutable_data()[i] = track.first_s;
            seen.mutable_data()[i] = track.seen_s;
            confirmed.mutable_data()[i] = track.confirmed;
        }
        return py::make_tuple(ids, boxes, first, seen, confirmed);
    }

    Tracker& tracker() { return tracker_; }
    const Tracker& tracker() const { return tracker_; }
    double ttl_s() const { return ttl_s_; }
    void set_ttl_s(double ttl_s) {
        if (!(ttl_s > 0) || !std::isfinite(ttl_s)) throw py::value_error("ttl_s must be positive");
        ttl_s_ = ttl_s;
        tracker_.set_ttl(ttl_s);
    }

  private:
    double time_at(double time_s) const {
        if (!std::isfinite(time_s)) throw py::value_error("time_s must be finite");
        if (time_s < last_s_) throw py::value_error("time_s must not fall");
        return time_s;
    }

    static std::vector<TrackedBox> boxes_of(py::handle boxes_in) {
        const auto values = require_finite(require_input<float>(boxes_in, "boxes", {kAny, 4}), "boxes");
        std::vector<TrackedBox> boxes;
        for (std::size_t i = 0; i < values.length(0); ++i) {
            const float* box = values.data + 4 * i;
            if (!(box[2] > 0) || !(box[3] > 0)) throw py::value_error("boxes must have positive width and height");
            boxes.push_back({box[0], box[1], box[2], box[3]});
        }
        return boxes;
    }

    Tracker tracker_;
    double ttl_s_;
    double last_s_ = -1e300;
};

std::unique_ptr<TimedTracker> make_tracker(double ttl_s, std::int32_t confirm_hits, double tentative_s,
                                           std::size_t max_tracks) {
    if (!(ttl_s > 0) || !(tentative_s > 0) || !std::isfinite(ttl_s) || !std::isfinite(tentative_s))
        throw py::value_error("ttl_s and tentative_s must be positive");
    if (confirm_hits < 1) throw py::value_error("confirm_hits must be at least 1");
    if (max_tracks < 1) throw py::value_error("max_tracks must be at least 1");
    return std::make_unique<TimedTracker>(TrackerSettings{ttl_s, confirm_hits, tentative_s, max_tracks});
}

}  // namespace

void register_tracking(py::module_& m) {
    py::class_<TimedTracker>(m, "Tracker")
        .def(py::init(&make_tracker), py::kw_only(), py::arg("ttl_s") = 3.0, py::arg("confirm_hits") = 3,
             py::arg("tentative_s") = 0.5, py::arg("max_tracks") = 1000)
        .def("ambiguous", &TimedTracker::ambiguous, py::arg("time_s"), py::arg("boxes"))
        .def("update", &TimedTracker::update, py::arg("time_s"), py::arg("boxes"), py::arg("affinity") = py::none())
        .def("expire", &TimedTracker::expire, py::arg("time_s"))
        .def(
            "merge",
            [](TimedTracker& timed, std::int64_t lost, std::int64_t found) {
                return timed.tracker().merge(lost, found);
            },
            py::arg("lost"), py::arg("found"))
        .def("ids", [](const TimedTracker& timed) { return timed.tracker().ids(); })
        .def("view", &TimedTracker::view, py::arg("time_s"))
        .def("__len__", [](const TimedTracker& timed) { return timed.tracker().size(); })
        .def_property("ttl_s", &TimedTracker::ttl_s, &TimedTracker::set_ttl_s);
}

}  // namespace facewire::bindings
