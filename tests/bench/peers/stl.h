/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Binary STL in and out for the peers' drivers: nine floats a triangle. */
#ifndef TESTS_BENCH_PEERS_STL_H
#define TESTS_BENCH_PEERS_STL_H

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

inline bool stl_load(std::vector<float> &corners, const char *path)
{
    std::FILE *f = std::fopen(path, "rb");
    char head[80];
    std::uint32_t count = 0;
    if (!f)
        return false;
    bool good = std::fread(head, 80, 1, f) == 1 && std::fread(&count, 4, 1, f) == 1;
    std::vector<char> records(good ? 50 * (std::size_t)count : 0);
    good = good && std::fread(records.data(), 1, records.size(), f) == records.size();
    std::fclose(f);
    corners.resize(9 * (std::size_t)count);
    for (std::size_t i = 0; good && i < count; i++)
        std::memcpy(&corners[9 * i], &records[50 * i + 12], 36);
    return good;
}

inline bool stl_save(const std::vector<float> &corners, const char *path)
{
    std::FILE *f = std::fopen(path, "wb");
    char head[80] = "peer";
    std::uint32_t count = (std::uint32_t)(corners.size() / 9);
    std::vector<char> records(50 * (std::size_t)count, 0);
    if (!f)
        return false;
    for (std::size_t i = 0; i < count; i++)
        std::memcpy(&records[50 * i + 12], &corners[9 * i], 36);
    bool good = std::fwrite(head, 80, 1, f) == 1 && std::fwrite(&count, 4, 1, f) == 1 &&
                std::fwrite(records.data(), 1, records.size(), f) == records.size();
    return std::fclose(f) == 0 && good;
}

#endif
