// SPDX-License-Identifier: GPL-3.0-or-later
// OpenVDB as a peer of `make bench`: a level set with the sign that meshToVolume finds by flood
// fill, then volumeToMesh.   openvdb_peer VOXEL_MM IN.stl OUT.stl
#include <openvdb/openvdb.h>
#include <openvdb/tools/MeshToVolume.h>
#include <openvdb/tools/VolumeToMesh.h>

#include <cstdlib>
#include <map>

#include "tests/bench/peers/stl.h"

static void put(std::vector<float> &to, const openvdb::Vec3s &p)
{
    for (int k = 0; k < 3; k++)
        to.push_back(p[k]);
}

int main(int argc, char **argv)
{
    std::vector<float> corners;
    double voxel = argc == 4 ? std::atof(argv[1]) : 0;
    if (voxel <= 0 || !stl_load(corners, argv[2]))
        return 2;
    openvdb::initialize();
    std::vector<openvdb::Vec3s> points;
    std::vector<openvdb::Vec3I> triangles;
    std::vector<openvdb::Vec4I> quads;
    std::map<std::array<float, 3>, std::uint32_t> known;
    for (std::size_t i = 0; i + 8 < corners.size(); i += 9) {
        openvdb::Vec3I t;
        for (int k = 0; k < 3; k++) {
            const float *c = &corners[i + 3 * (std::size_t)k];
            auto made = known.insert({{c[0], c[1], c[2]}, (std::uint32_t)points.size()});
            if (made.second)
                points.emplace_back(c[0], c[1], c[2]);
            t[k] = made.first->second;
        }
        triangles.push_back(t);
    }
    auto where = openvdb::math::Transform::createLinearTransform(voxel);
    auto grid =
        openvdb::tools::meshToLevelSet<openvdb::FloatGrid>(*where, points, triangles, quads, 3.0f);
    points.clear();
    triangles.clear();
    openvdb::tools::volumeToMesh(*grid, points, triangles, quads, 0.0, 0.0);
    std::vector<float> out;
    for (const auto &t : triangles) // OpenVDB's faces look inward
        for (int k : {0, 2, 1})
            put(out, points[t[k]]);
    for (const auto &q : quads)
        for (int k : {0, 2, 1, 0, 3, 2})
            put(out, points[q[k]]);
    return stl_save(out, argv[3]) ? 0 : 1;
}
