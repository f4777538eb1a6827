import Tensors

extension Network {
  /// All tensors of the network as `framework` has them: each parameter of ``layout`` once, and what there is beside.
  ///
  /// Throws ``ModelError`` if a layer has no module in `framework`.
  public func tensors(in framework: Framework) throws -> [FrameworkTensor] {
    do {
      let module = try FrameworkModule.sequence(of: model.layers, in: framework, input: .init(model.input))
      let names = framework == .pytorch ? model.moduleNames : ModuleNames()
      let tensors = module.tensors.map { $0.named(by: names) }
      try requireAllParameters(in: tensors, framework)
      return tensors
    } catch let error as ModelError {
      throw ModelError("model \(model.name): \(error)")
    }
  }

  /// A layer of one's own may learn without saying so.
  private func requireAllParameters(in tensors: [FrameworkTensor], _ framework: Framework) throws {
    var counts: [String: Int] = [:]
    for tensor in tensors {
      if case .parameter(let name, let order) = tensor.content { counts[name] = order.count }
    }
    for parameter in layout.parameters where counts[parameter.name] != parameter.shape.count {
      throw ModelError("its parameter \(parameter.name) has no name and layout of \(framework.possessive)")
    }
  }
}
