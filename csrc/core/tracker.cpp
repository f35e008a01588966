#include "tracker.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "assignment.hpp"

namespace facewire {
namespace {

// Estimates, measured afterwards with tests/bench/trackers.py (docs/adr/0007). Lengths are in face sizes, so that near
// and far faces behave alike.
constexpr double kFadeS = 1.0;           // speed falls to 1/e in this time while a track is unseen
constexpr double kPositionNoise = 0.04;  // jitter of a detector's box middle
constexpr double kSizeNoise = 0.06;      // jitter of log width and height
constexpr double kAcceleration = 6.0;    // face sizes a second squared
constexpr double kSizeAcceleration = 1.0;
constexpr double kFirstSpeed = 2.5;  // face sizes a second: what a new track may do
constexpr double kFirstSizeSpeed = 0.5;
constexpr double kReach = 0.8;      // how far from its predicted place a track is looked for
constexpr double kReachPerS = 2.0;  // and how much farther for each second unseen
constexpr double kLongestReach = 2.0;
constexpr double kSizeReach = 0.7;  // difference of log sizes
constexpr float kOutOfReach = 100.0f;
constexpr float kMatchLimit = 1.25f;    // motion alone costs at most 1
constexpr float kClearlyBetter = 0.5f;  // a pair this much cheaper than any rival needs no look
// Cosines of looks: at kLikeSame nothing changes, below it a pair costs more, above it less.
constexpr float kLikeSame = 0.40f, kLooksRange = 0.25f, kLooksWeight = 1.2f;

double log_size(const TrackedBox& box) { return 0.5 * (std::log(box.width) + std::log(box.height)); }

float looks_cost(float cosine) {
    if (std::isnan(cosine)) return 0.0f;
    return kLooksWeight * std::clamp((kLikeSame - cosine) / kLooksRange, -1.0f, 1.0f);
}

}  // namespace

Motion::Motion(double position, double noise, double first_speed)
    : position_(position), var_position_(noise * noise), var_speed_(first_speed * first_speed) {}

double Motion::at(double dt) const { return position_ + speed_ * kFadeS * (1.0 - std::exp(-dt / kFadeS)); }

// The textbook predict and update steps for state (position, speed), transition [[1, f], [0, e]] with e = exp(-dt/T),
// f = T (1 - e), white acceleration noise, and position observed.
void Motion::observe(double position, double dt, double noise, double acceleration) {
    const double e = std::exp(-dt / kFadeS), f = kFadeS * (1.0 - e);
    const double q = acceleration * acceleration * dt * dt;
    const double pp = var_position_ + 2 * f * covar_ + f * f * var_speed_ + q * dt * dt / 4;
    const double pv = e * (covar_ + f * var_speed_) + q * dt / 2;
    const double vv = e * e * var_speed_ + q;
    const double innovation = position - (position_ + f * speed_);
    const double total = pp + noise * noise;
    const double gain_position = pp / total, gain_speed = pv / total;
    position_ += f * speed_ + gain_position * innovation;
    speed_ = e * speed_ + gain_speed * innovation;
    var_position_ = (1 - gain_position) * pp;
    covar_ = (1 - gain_position) * pv;
    var_speed_ = vv - gain_speed * pv;
}

TrackedBox Tracker::Track::box(double time_s) const {
    const double dt = std::max(0.0, time_s - seen_s);
    const double w = std::exp(width.at(dt)), h = std::exp(height.at(dt));
    return {static_cast<float>(x.at(dt) - w / 2), static_cast<float>(y.at(dt) - h / 2), static_cast<float>(w),
            static_cast<float>(h)};
}

void Tracker::Track::observe(const TrackedBox& seen, double time_s) {
    const double dt = std::max(0.0, time_s - seen_s);
    const double size = std::exp(log_size(seen));
    x.observe(seen.x + seen.width / 2, dt, kPositionNoise * size, kAcceleration * size);
    y.observe(seen.y + seen.height / 2, dt, kPositionNoise * size, kAcceleration * size);
    width.observe(std::log(seen.width), dt, kSizeNoise, kSizeAcceleration);
    height.observe(std::log(seen.height), dt, kSizeNoise, kSizeAcceleration);
    seen_s = std::max(seen_s, time_s);
    ++hits;
}

bool Tracker::over(const Track& track, double time_s) const {
    return time_s - track.seen_s > (track.confirmed ? settings_.ttl_s : settings_.tentative_s);
}

// From 0, where it should be, to 1, at the edge of its reach.
float Tracker::motion_cost(const Track& track, const TrackedBox& box, double time_s) const {
    if (over(track, time_s)) return kOutOfReach;
    const TrackedBox place = track.box(time_s);
    const double size = std::exp(0.5 * (log_size(place) + log_size(box)));
    const double dx = (place.x + place.width / 2) - (box.x + box.width / 2);
    const double dy = (place.y + place.height / 2) - (box.y + box.height / 2);
    const double reach = std::min(kReach + kReachPerS * std::max(0.0, time_s - track.seen_s), kLongestReach);
    const double distance = std::hypot(dx, dy) / size / reach;
    const double growth = std::abs(log_size(place) - log_size(box)) / kSizeReach;
    if (!(distance < 1.0) || !(growth < 1.0)) return kOutOfReach;
    return static_cast<float>(0.75 * distance + 0.25 * growth);
}

std::vector<float> Tracker::motion_costs(double time_s, const TrackedBox* boxes, std::size_t count) const {
    std::vector<float> costs(tracks_.size() * count);
    for (std::size_t t = 0; t < tracks_.size(); ++t)
        for (std::size_t b = 0; b < count; ++b) costs[t * count + b] = motion_cost(tracks_[t], boxes[b], time_s);
    return costs;
}

std::vector<bool> Tracker::ambiguous(double time_s, const TrackedBox* boxes, std::size_t count) const {
    const std::vector<float> costs = motion_costs(time_s, boxes, count);
    std::vector<float> best_of_track(tracks_.size(), kOutOfReach), best_of_box(count, kOutOfReach);
    const auto each_pair = [&](const auto& visit) {
        for (std::size_t t = 0; t < tracks_.size(); ++t)
            for (std::size_t b = 0; b < count; ++b)
                if (tracks_[t].confirmed && costs[t * count + b] < kOutOfReach) visit(t, b, costs[t * count + b]);
    };
    each_pair([&](std::size_t t, std::size_t b, float cost) {
        best_of_track[t] = std::min(best_of_track[t], cost);
        best_of_box[b] = std::min(best_of_box[b], cost);
    });
    std::vector<std::size_t> rivals_of_track(tracks_.size()), rivals_of_box(count);
    each_pair([&](std::size_t t, std::size_t b, float cost) {
        rivals_of_track[t] += cost < best_of_track[t] + kClearlyBetter;
        rivals_of_box[b] += cost < best_of_box[b] + kClearlyBetter;
    });
    std::vector<bool> unclear(count);
    each_pair([&](std::size_t t, std::size_t b, float cost) {
        const bool contested = cost < best_of_track[t] + kClearlyBetter || cost < best_of_box[b] + kClearlyBetter;
        if (contested && (rivals_of_track[t] > 1 || rivals_of_box[b] > 1)) unclear[b] = true;
    });
    return unclear;
}

std::vector<std::int64_t> Tracker::update(double time_s, const TrackedBox* boxes, std::size_t count,
                                          const float* affinity) {
    std::vector<float> costs = motion_costs(time_s, boxes, count);
    if (affinity != nullptr)
        for (std::size_t i = 0; i < costs.size(); ++i) costs[i] += looks_cost(affinity[i]);
    const std::vector<std::int32_t> assigned = assign(costs, tracks_.size(), count, kMatchLimit);
    std::vector<std::int64_t> ids(count);
    for (std::size_t t = 0; t < assigned.size(); ++t) {
        if (assigned[t] == kUnassigned) continue;
        const auto b = static_cast<std::size_t>(assigned[t]);
        tracks_[t].observe(boxes[b], time_s);
        confirm(tracks_[t]);
        ids[b] = tracks_[t].id;
    }
    for (std::size_t b = 0; b < count; ++b) {
        if (ids[b] != 0) continue;
        ids[b] = next_id_;
        start(boxes[b], time_s);
    }
    make_room();
    return ids;
}

void Tracker::make_room() {
    while (tracks_.size() > settings_.max_tracks) {
        const auto first = std::min_element(tracks_.begin(), tracks_.end(), [](const Track& a, const Track& b) {
            return a.confirmed != b.confirmed ? b.confirmed : a.seen_s < b.seen_s;
        });
        evicted_.push_back(first->id);
        tracks_.erase(first);
    }
}

void Tracker::start(const TrackedBox& box, double time_s) {
    const double size = std::exp(log_size(box));
    Track track{next_id_++,
                Motion(box.x + box.width / 2, kPositionNoise * size, kFirstSpeed * size),
                Motion(box.y + box.height / 2, kPositionNoise * size, kFirstSpeed * size),
                Motion(std::log(box.width), kSizeNoise, kFirstSizeSpeed),
                Motion(std::log(box.height), kSizeNoise, kFirstSizeSpeed),
                time_s,
                time_s,
                1,
                false};
    confirm(track);
    tracks_.push_back(track);
}

void Tracker::confirm(Track& track) const {
    // At low frame rates two looks some time apart say as much as three in a row.
    constexpr double kApartS = 0.09;
    const bool often = track.hits >= settings_.confirm_hits;
    const bool apart = track.hits >= 2 && track.seen_s - track.first_s >= kApartS;
    track.confirmed = track.confirmed || often || apart;
}

std::vector<std::int64_t> Tracker::expire(double time_s) {
    std::vector<std::int64_t> ended = std::exchange(evicted_, {});
    std::erase_if(tracks_, [&](const Track& track) {
        const bool ends = over(track, time_s);
        if (ends) ended.push_back(track.id);
        return ends;
    });
    return ended;
}

bool Tracker::merge(std::int64_t lost, std::int64_t found) {
    const auto by_id = [this](std::int64_t id) {
        return std::find_if(tracks_.begin(), tracks_.end(), [id](const Track& track) { return track.id == id; });
    };
    const auto old_track = by_id(lost), new_track = by_id(found);
    if (old_track == tracks_.end() || new_track == tracks_.end() || lost == found) return false;
    if (old_track->seen_s >= new_track->first_s) return false;
    new_track->id = lost;
    new_track->first_s = old_track->first_s;
    new_track->hits += old_track->hits;
    new_track->confirmed = true;
    tracks_.erase(old_track);
    return true;
}

std::vector<std::int64_t> Tracker::ids() const {
    std::vector<std::int64_t> all;
    for (const Track& track : tracks_) all.push_back(track.id);
    return all;
}

std::vector<TrackView> Tracker::view(double time_s) const {
    std::vector<TrackView> all;
    for (const Track& track : tracks_)
        all.push_back({track.id, track.box(time_s), track.first_s, track.seen_s, track.hits, track.confirmed});
    return all;
}

}  // namespace facewire
