// The in-memory index: unit template rows with a subject id each, and exact search for the best subjects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <vector>

#include "slab.hpp"
#include "template_codes.hpp"

namespace facewire {

struct Candidate {
    std::int64_t subject;
    std::int64_t row;  // the best template of the subject
    float similarity;  // raw cosine
};

// How a search goes over the rows. The answers are the same.
enum class Scan {
    kCodes,   // 8-bit codes first, then the floats of those rows that may be among the best
    kFloats,  // the floats of every row: four times the memory
};

// Thread-safe: any number of searches at once; add and remove wait for them. A row keeps its number until it
// is removed; numbers of removed rows are used again.
class GalleryIndex {
  public:
    explicit GalleryIndex(std::size_t dim);

    // Copies `count` rows of dim floats, scaled to unit length, and returns their row numbers. The rows must be
    // finite and non-zero, subjects non-negative (the binding checks).
    std::vector<std::int64_t> add(const float* rows, const std::int64_t* subjects, std::size_t count);

    // Overwrites the rows with zeros and frees their numbers; false, and nothing removed, if any of them is not
    // a live row or is named twice.
    bool remove(const std::int64_t* rows, std::size_t count);

    // For each of `count` queries of dim floats (unit length) the k best subjects with similarity at least
    // `floor`, each once with its best row, by falling similarity, ties by lower row. Exact.
    std::vector<std::vector<Candidate>> search(const float* queries, std::size_t count, std::size_t k, float floor,
                                               Scan scan = Scan::kCodes) const;

    // The stored unit row, dim floats at `out`; false if it is not a live row.
    bool read(std::int64_t row, float* out) const;

    std::size_t dim() const { return dim_; }
    std::size_t size() const;                    // live rows
    std::size_t capacity() const;                // rows there is memory for
    std::size_t scanned_bytes(Scan scan) const;  // what one search reads, but for the candidates' floats

  private:
    static constexpr std::size_t kChunkRows = 4096;  // 2 MB at 128 dimensions
    class TopSubjects;

    float* row_data(std::int64_t row) const;
    bool is_live(std::int64_t row) const;
    std::shared_lock<std::shared_mutex> shared() const;
    void add_chunk();
    void look_at_floats(const float* query, std::size_t first, std::size_t count, TopSubjects& best) const;
    void look_at_codes(const float* query, const CodedQuery& coded, std::size_t first, std::size_t count,
                       TopSubjects& best) const;
    void offer(std::size_t row, float similarity, TopSubjects& best) const;

    std::size_t dim_;
    std::size_t live_ = 0;
    std::int64_t next_row_ = 0;
    std::vector<Slab<float>> chunks_;
    TemplateCodes codes_;
    std::vector<std::int64_t> subjects_;  // by row; kNoSubject marks a tombstone
    std::vector<std::int64_t> free_rows_;
    // Searches in a row would keep a change waiting for ever (shared_mutex prefers readers): a change holds the gate
    // while it waits, and searches come through the gate.
    mutable std::mutex gate_;
    mutable std::shared_mutex mutex_;
};

// Scales `count` rows of `dim` floats to unit length in place; returns the lengths they had. A zero row stays
// zero.
std::vector<float> normalise_rows(float* rows, std::size_t count, std::size_t dim);

}  // namespace facewire
