import ComplexModule
import Gradients
import Notebook
import Tensors
import _Differentiation

/// What chapter 1.1 checks its formulas on, and the routes that it checks them by.
///
/// The error, and the formulas under test, are the chapter's own: they are handed in.
package struct ActivationRoutes: Sendable {
  /// One activation function in all the forms that the routes need.
  package struct Subject: Sendable {
    package let name: String
    package let forward: @Sendable (Double) -> Double
    package let complex: @Sendable (Complex<Double>) -> Complex<Double>
    package let backward: @Sendable (_ outputGradient: Double, _ x: Double, _ y: Double) -> Double
    fileprivate let compiled: @differentiable(reverse) @Sendable (Double) -> Double
    fileprivate let taped: @Sendable (Variable) -> Variable

    package init(
      name: String, forward: @escaping @Sendable (Double) -> Double,
      complex: @escaping @Sendable (Complex<Double>) -> Complex<Double>,
      backward: @escaping @Sendable (_ outputGradient: Double, _ x: Double, _ y: Double) -> Double,
      compiled: @escaping @differentiable(reverse) @Sendable (Double) -> Double,
      taped: @escaping @Sendable (Variable) -> Variable
    ) {
      (self.name, self.forward, self.complex, self.backward) = (name, forward, complex, backward)
      self.compiled = compiled
      self.taped = taped
    }

    /// f′(x): what comes back of an error of 1.
    package func slope(_ x: Double) -> Double { backward(1, x, forward(x)) }
  }

  /// Inputs and targets of the error.
  package struct Sample: Sendable {
    fileprivate let inputs: [Double]
    fileprivate let targets: [Double]

    /// Inputs between −3 and 3, none within 0.1 of the kink of ReLU.
    package init(count: Int, seed: UInt64) {
      var random = RandomStream(seed: seed, "1.1", "sample")
      inputs = (0..<count).map { _ in
        let size = 0.1 + 2.9 * Double(random.uniform())
        return random.uniform() < 0.5 ? -size : size
      }
      targets = (0..<count).map { _ in Double(random.normal()) }
    }

    /// ∂E/∂x_in for each input, by a function of the input and its target.
    package func map(_ gradient: (_ x: Double, _ target: Double) -> Double) -> [Double] {
      zip(inputs, targets).map(gradient)
    }
  }

  /// A route that knows the function and the error, but not the formula for the derivative.
  private struct Route: Sendable {
    let name: String
    let key: String
    let tolerance: Double
    let gradient: @Sendable (Subject, Sample) -> [Double]
  }

  private let subjects: [Subject]
  private let error: @Sendable (_ y: Double, _ target: Double) -> Double
  private let complexError:
    @Sendable (_ y: Complex<Double>, _ target: Complex<Double>) -> Complex<Double>
  private let formula:
    @Sendable (_ subject: Subject, _ sample: Sample, _ factor: Double) -> [Double]

  /// Routes to the gradient of an error, whose formula may have a factor put into its derivative.
  package init(
    _ subjects: [Subject], error: @escaping @Sendable (_ y: Double, _ target: Double) -> Double,
    complexError:
      @escaping @Sendable (_ y: Complex<Double>, _ target: Complex<Double>) -> Complex<Double>,
    formula:
      @escaping @Sendable (_ subject: Subject, _ sample: Sample, _ factor: Double) -> [Double]
  ) {
    (self.subjects, self.error) = (subjects, error)
    (self.complexError, self.formula) = (complexError, formula)
  }

  private var routes: [Route] {
    [
      Route(name: "central difference", key: "central", tolerance: 1.4e-10) { subject, sample in
        sample.map { x, target in
          Routes.centralDifference(at: x, step: 1e-5) { error(subject.forward($0), target) }
        }
      },
      Route(name: "complex step", key: "complex", tolerance: 2e-15) { subject, sample in
        sample.map { x, target in
          Routes.complexStep(at: x) { complexError(subject.complex($0), Complex(target)) }
        }
      },
      // ½(y − target)² once more, for the compiler must see what it shall differentiate.
      Route(name: "compiler", key: "compiler", tolerance: 2.2e-15) { subject, sample in
        sample.map { x, target in
          let f = subject.compiled
          return gradient(at: x) { x in 0.5 * (f(x) - target) * (f(x) - target) }
        }
      },
      Route(name: "tape (Float)", key: "tape", tolerance: 6.5e-7) { subject, sample in
        let tape = Tape()
        let x = tape.variable(Tensor([sample.inputs.count], sample.inputs.map(Float.init)))
        let y = subject.taped(x)
        let errors = zip(y.value.values, sample.targets).map { $0 - Float($1) }
        let gradients = tape.backward(from: y, cotangent: Tensor(y.value.shape, errors))
        return gradients[x].values.map(Double.init)
      },
    ]
  }

  /// Holds the formulas against every route, as they are and 3 % too steep.
  package func compare(on page: Page) {
    let sample = Sample(count: 64, seed: page.seed)
    var rows: [[String]] = []
    for route in routes {
      var row = [route.name]
      for subject in subjects {
        let other = route.gradient(subject, sample)
        let right = Routes.distance(formula(subject, sample, 1), other)
        let wrong = Routes.distance(formula(subject, sample, 1.03), other)
        page.check("\(subject.name): formula = \(route.name)", right, atMost: route.tolerance)
        page.check(
          "\(subject.name), 3 % too steep: rejected by \(route.name)", wrong,
          atLeast: 1000 * route.tolerance)
        let key = "\(route.key).\(subject.name.lowercased())"
        page.value("\(key).right", right, tolerance: route.tolerance)
        row.append(right.scientific)
      }
      rows.append(row)
    }
    page.table(["distance from the formula"] + subjects.map(\.name), rows)
  }
}
