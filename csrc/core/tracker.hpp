// Follows boxes through time: where each track should be, and which detection is it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace facewire {

struct TrackedBox {
    float x, y, width, height;  // top left corner and size, pixels
};

// One coordinate and its speed, estimated from noisy positions at irregular times: a Kalman filter whose speed fades
// while nothing is seen (people who vanish rarely walk on at full speed).
class Motion {
  public:
    Motion(double position, double noise, double first_speed);
    double at(double dt) const;  // where it should be, dt seconds after the last observation
    void observe(double position, double dt, double noise, double acceleration);

  private:
    double position_, speed_ = 0;
    double var_position_, covar_ = 0, var_speed_;  // covariance of position and speed
};

struct TrackerSettings {
    double ttl_s;  // a track unseen for longer ends
    // A track is confirmed when seen so often; before that it ends when unseen for tentative_s.
    std::int32_t confirm_hits;
    double tentative_s;
    std::size_t max_tracks;  // beyond, whoever was unseen longest ends, unconfirmed ones first
};

struct TrackView {
    std::int64_t id;
    TrackedBox box;          // at the time asked for
    double first_s, seen_s;  // of its first and last detection
    std::int32_t hits;
    bool confirmed;
};

// Multi-object tracking by prediction and assignment. Driven by time, not by the number of frames: dropped frames and
// changing rates only widen what a track may have done meanwhile. Not thread-safe.
class Tracker {
  public:
    explicit Tracker(const TrackerSettings& settings) : settings_(settings) {}

    // Which of `count` boxes could be more than one track, or a track several of the boxes: only looks can tell.
    std::vector<bool> ambiguous(double time_s, const TrackedBox* boxes, std::size_t count) const;

    // Assigns boxes to tracks and makes new tracks of the rest; returns each box's track id. `affinity`, if not null,
    // holds for each track (in the order of ids()) and box the cosine of their looks, NaN where unknown.
    // `time_s` must not fall.
    std::vector<std::int64_t> update(double time_s, const TrackedBox* boxes, std::size_t count, const float* affinity);

    // Ends tracks unseen for too long; returns their ids, and those of tracks that had to make room meanwhile.
    std::vector<std::int64_t> expire(double time_s);

    // The track `lost` was found again as `found`: it goes on from there, and `found` is no more. False if either is
    // no track, or `lost` was seen after `found` began.
    bool merge(std::int64_t lost, std::int64_t found);

    std::vector<std::int64_t> ids() const;
    std::vector<TrackView> view(double time_s) const;
    std::size_t size() const { return tracks_.size(); }
    void set_ttl(double ttl_s) { settings_.ttl_s = ttl_s; }

  private:
    struct Track {
        std::int64_t id;
        Motion x, y, width, height;  // of the middle, and log sizes
        double first_s, seen_s;
        std::int32_t hits;
        bool confirmed;

        TrackedBox box(double time_s) const;
        void observe(const TrackedBox& seen, double time_s);
    };

    bool over(const Track& track, double time_s) const;
    float motion_cost(const Track& track, const TrackedBox& box, double time_s) const;
    std::vector<float> motion_costs(double time_s, const TrackedBox* boxes, std::size_t count) const;
    void start(const TrackedBox& box, double time_s);
    void confirm(Track& track) const;
    void make_room();

    TrackerSettings settings_;
    std::vector<Track> tracks_;
    std::vector<std::int64_t> evicted_;
    std::int64_t next_id_ = 1;
};

}  // namespace facewire
