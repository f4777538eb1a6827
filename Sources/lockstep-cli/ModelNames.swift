import Lockstep

/// What `--model` takes, for help.
let modelNames = "\(Model.names.joined(separator: ", ")), or FILE.json (docs/models.md)"
