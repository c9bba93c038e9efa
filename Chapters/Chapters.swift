import Notebook

/// All chapters, in the order of the table of contents.
public let allChapters: [any Chapter.Type] = [
  ActivationDerivatives.self,
  SoftmaxJacobian.self,
  MomentumVersusNesterov.self,
  DropoutAsEnsemble.self,
  WeightScaling.self,
  AugmentationForMNIST.self,
  HeVersusXavier.self,
  Pretraining.self,
  WhatGoesWrong.self,
  Baseline.self,
  TechniquesTogether.self,
  WhatUnlabelledImagesGive.self,
  Ladder.self,
  VariationalAutoencoders.self,
  WhatWhere.self,
  NoneOfTheClasses.self,
  LabelsByGuess.self,
  SurrogateFeatures.self,
  SparseFeatures.self,
  DenoisingAutoencoders.self,
  TheFinalModel.self,
  PartsOfTheFinalModel.self,
]
