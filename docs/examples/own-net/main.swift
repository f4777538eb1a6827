// A net of one's own on MNIST, on any number of ranks: mpirun -n 4 own-net
import Lockstep

World.run { communicator in
  let directory = try ImageDataset.directory(named: "mnist")
  let training = try ImageDataset.load(directory: directory, part: .train)
  let test = try ImageDataset.load(directory: directory, part: .test)
  let model = Model("mine", input: training.inputShape) {
    Conv2D(filters: 16, kernel: 3)
    ReLU()
    MaxPool2D(2)
    Flatten()
    Dense(10)
  }
  var recipe = Recipe(model: model, loss: SoftmaxCrossEntropy(classes: 10))
  recipe.epochs = 1
  try Trainer(recipe, training: training, test: test, on: communicator, observers: [ConsoleObserver()]).run()
}
