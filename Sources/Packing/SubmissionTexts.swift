import Files
import Foundation

/// The pages of a submission that are written here.
extension Submission {
  /// A script that stands for one of the sheet's, by a command of the lab.
  func script(_ command: String, _ options: String) -> String {
    """
    #!/bin/sh
    # Stands for the sheet's mnist_\(command).py; see CODE.md.
    cd "$(dirname "$0")/code" && exec swift run lab \(command)\(options) "$@"

    """
  }

  func readme(_ start: String, _ predictions: Data) -> String {
    let digest = SHA256.digest(of: predictions).hexadecimal
    var text = """
      # \(team)

      - `writeup/\(start)`: the write-up
      - `predictions.csv`: the predictions for the 10,000 test images, `ID,label`
      - `mnist_model.sh` and `mnist_result.sh`: train the model and write the predictions
      - `CODE.md`: which code does what
      - `code/`: the lab, whole, as a Swift package
      - `SHA256SUMS`: the SHA-256 of each of these files

      ## To have it again

      With Swift 6.3 on Debian or Ubuntu, and the system packages that `code/README.md` names:

      ```sh
      sha256sum --check SHA256SUMS
      ./mnist_model.sh
      ./mnist_result.sh
      cmp code/predictions.csv predictions.csv
      ```

      The first of the two scripts trains for half an hour or more, writes `code/model.lab` and fetches MNIST where it is missing; an
      interrupted training goes on with `./mnist_model.sh --resume`. The second one writes
      `code/predictions.csv`. `cd code && swift run lab check` holds the write-up against its records.

      ## The model

      It is not in this folder, as the sheet asks; its link is in the message.

      - SHA-256: `\(model.digest)`
      - size: \(model.bytes) bytes
      - made by: `swift run lab model\(model.options)`
      - SHA-256 of `predictions.csv`: `\(digest)`

      The same seed gives the same model, whatever the number of threads; another processor or BLAS may
      round otherwise.

      """
    if let differing {
      text += """

        After the first steps on either of the lab's two tiles of products, the wide one of AVX-512 and
        the narrow one of AVX2, the networks differ in \(differing) of the 10,000 predictions, by the
        record of chapter 3.4.

        """
    }
    return text
  }

  /// Which code stands for which of the sheet's scripts.
  var page: String {
    """
    # Which code does what

    The sheet asks for two scripts in Python. Here both are commands of one Swift program, whose code
    is in `code/`.

    | the sheet's script | command | its code, in the order of reading |
    |---|---|---|
    | `mnist_model.py` | `swift run lab model\(model.options)` | `Sources/lab/ModelCommands.swift`, `Sources/Methods/FinalModel.swift`, `Sources/Methods/CrossLabels.swift`, `Sources/Methods/CrossSettings.swift` |
    | `mnist_result.py` | `swift run lab result` | `Sources/lab/ModelCommands.swift`, `Sources/Handwriting/ModelFile.swift`, `evaluate` in `Sources/Methods/CrossLabels.swift`, `table` in `Sources/Methods/FinalModel.swift` |

    `mnist_model.sh` and `mnist_result.sh` run these commands. How the model was found is chapter 3.4,
    `Chapters/3.4-the-final-model.md` and the Swift file beside it; what the chapters before it train is
    in `Sources/Experiments`, the methods of the literature in `Sources/Methods`.

    """
  }
}
