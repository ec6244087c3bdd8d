// SPDX-License-Identifier: GPL-3.0-or-later
// CGAL as a peer of `make bench`: its alpha wrap, or its polygon mesh processing (repair, orient
// and stitch the soup, fill holes).   cgal_peer wrap|pmp IN.stl OUT.stl
#include <CGAL/Exact_predicates_inexact_constructions_kernel.h>
#include <CGAL/Polygon_mesh_processing/bbox.h>
#include <CGAL/Polygon_mesh_processing/border.h>
#include <CGAL/Polygon_mesh_processing/orient_polygon_soup.h>
#include <CGAL/Polygon_mesh_processing/orientation.h>
#include <CGAL/Polygon_mesh_processing/polygon_soup_to_polygon_mesh.h>
#include <CGAL/Polygon_mesh_processing/repair.h>
#include <CGAL/Polygon_mesh_processing/repair_polygon_soup.h>
#include <CGAL/Polygon_mesh_processing/stitch_borders.h>
#include <CGAL/Polygon_mesh_processing/triangulate_hole.h>
#include <CGAL/Surface_mesh.h>
#include <CGAL/alpha_wrap_3.h>

#include <cstdio>
#include <cstring>

#include "tests/bench/peers/stl.h"

using kernel = CGAL::Exact_predicates_inexact_constructions_kernel;
using point = kernel::Point_3;
using surface = CGAL::Surface_mesh<point>;
namespace pmp = CGAL::Polygon_mesh_processing;

static bool write(const surface &mesh, const char *path)
{
    std::vector<float> corners;
    for (auto face : mesh.faces())
        for (auto vertex : mesh.vertices_around_face(mesh.halfedge(face)))
            for (int k = 0; k < 3; k++)
                corners.push_back((float)mesh.point(vertex)[k]);
    return stl_save(corners, path);
}

static void wrap(surface &out, std::vector<point> &points,
                 std::vector<std::array<std::size_t, 3>> &faces)
{
    CGAL::Bbox_3 box = CGAL::bbox_3(points.begin(), points.end());
    double size = std::max({box.x_span(), box.y_span(), box.z_span()});
    CGAL::alpha_wrap_3(points, faces, size / 100, size / 3000, out);
}

static void repair(surface &out, std::vector<point> &points,
                   std::vector<std::array<std::size_t, 3>> &faces)
{
    pmp::repair_polygon_soup(points, faces);
    pmp::orient_polygon_soup(points, faces);
    pmp::polygon_soup_to_polygon_mesh(points, faces, out);
    pmp::stitch_borders(out);
    pmp::duplicate_non_manifold_vertices(out);
    for (bool delaunay : {true, false}) { // what the first way cannot fill, the second may
        std::vector<surface::Halfedge_index> borders;
        pmp::extract_boundary_cycles(out, std::back_inserter(borders));
        for (auto border : borders)
            pmp::triangulate_hole(out, border, CGAL::Emptyset_iterator(),
                                  CGAL::parameters::use_delaunay_triangulation(delaunay));
    }
    if (CGAL::is_closed(out))
        pmp::orient_to_bound_a_volume(out);
}

int main(int argc, char **argv)
{
    std::vector<float> corners;
    if (argc != 4 || !stl_load(corners, argv[2]))
        return 2;
    std::vector<point> points;
    std::vector<std::array<std::size_t, 3>> faces;
    for (std::size_t i = 0; i + 8 < corners.size(); i += 9) {
        std::size_t first = points.size();
        for (std::size_t k = 0; k < 9; k += 3)
            points.emplace_back(corners[i + k], corners[i + k + 1], corners[i + k + 2]);
        faces.push_back({first, first + 1, first + 2});
    }
    surface out;
    if (std::strcmp(argv[1], "wrap") == 0)
        wrap(out, points, faces);
    else
        repair(out, points, faces);
    return write(out, argv[3]) ? 0 : 1;
}
