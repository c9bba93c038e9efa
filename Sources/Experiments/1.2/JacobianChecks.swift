import Notebook

/// The chapter's Jacobian against its routes, and with mistakes in it.
package struct JacobianChecks {
  private let page: Page
  private let study: SoftmaxRoutes

  package init(_ page: Page, _ study: SoftmaxRoutes) { (self.page, self.study) = (page, study) }

  /// Checks four properties of the matrix that the complex step gives.
  ///
  /// That knows nothing of the formula: what holds of a product P_i·P_j by the order of its factors
  /// would show nothing.
  package func checkProperties() {
    var (rows, columns, asymmetry, variance) = (0.0, 0.0, 0.0, 0.0)
    for example in study.examples(page.seed) {
      let matrix = study.complexStep(example.x, example.β, step: 1e-200)
      let transposed = LinearAlgebra.transposed(matrix)
      rows = max(rows, LinearAlgebra.largest(matrix.map { $0.reduce(0, +) }))
      columns = max(columns, LinearAlgebra.largest(transposed.map { $0.reduce(0, +) }))
      asymmetry = max(
        asymmetry,
        LinearAlgebra.largest(zip(matrix.joined(), transposed.joined()).map { $0 - $1 }))
      let v = example.target
      let mean = LinearAlgebra.dot(example.p, v)
      let spread = LinearAlgebra.dot(example.p, v.map { ($0 - mean) * ($0 - mean) })
      variance = max(
        variance,
        abs(LinearAlgebra.dot(v, LinearAlgebra.product(matrix, v)) / (-example.β * spread) - 1))
    }
    page.check("rows of the Jacobian sum to 0", rows, atMost: 8e-16)
    page.check("columns sum to 0", columns, atMost: 1e-15)
    page.check("the Jacobian is symmetric", asymmetry, atMost: 1.6e-16)
    page.check("v·Jv = −β times the variance of v under P", variance, atMost: 4e-14)
  }

  /// Holds the formula against every route, at every β.
  package func compareRoutes() {
    var rows: [[String]] = []
    for route in study.routes {
      var row = [route.name]
      for (key, β) in SoftmaxRoutes.temperatures {
        let distance = study.distance(of: route, β, study.examples(page.seed, β: β))
        page.check("β = \(β): formula = \(route.name)", distance, atMost: route.tolerance)
        page.value("\(route.key).\(key)", distance, tolerance: route.tolerance)
        row.append(distance.scientific)
      }
      rows.append(row)
    }
    page.table(
      ["distance from the formula"] + SoftmaxRoutes.temperatures.map { "β = \($0.β)" }, rows)
  }

  /// Checks that each route, and the order of the Taylor remainder, refuse each mistake.
  package func rejectMistakes(
    remainder: ([SoftmaxRoutes.Example], SoftmaxRoutes.Mistake, _ step: Double) -> Double
  ) {
    let examples = study.examples(page.seed)
    for mistake in SoftmaxRoutes.Mistake.allCases {
      let (name, key) = (mistake.rawValue, mistake.key)
      let order = Routes.order { remainder(examples, mistake, $0) }
      page.check(
        "\(name): order of the Taylor remainder", order, near: mistake == .none ? 2 : 1,
        tolerance: mistake == .none ? 4e-4 : 0.014)
      page.value("\(key).order", order, tolerance: 1e-3)
      let sums = examples.map { example in
        let matrix = study.jacobian(example, mistake)
        return LinearAlgebra.largest(matrix.map { $0.reduce(0, +) })
          / LinearAlgebra.largest(Array(matrix.joined()))
      }
      page.value("\(key).sum", sums.max()!, tolerance: 1e-3)
      if mistake == .none { continue }
      for route in study.routes {
        let distances = SoftmaxRoutes.temperatures.map { _, β in
          study.distance(of: route, β, examples.filter { $0.β == β }, mistake)
        }
        page.check(
          "\(name): rejected by \(route.name)", distances.min()!, atLeast: 1000 * route.tolerance)
        if route.key == "central" {
          page.value("\(key).distance", distances.min()!, tolerance: 1e-3)
        }
      }
    }
  }
}
