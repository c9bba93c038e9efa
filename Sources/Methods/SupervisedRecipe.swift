import Digits

/// The best that labels alone give, and what more is measured against.
public enum SupervisedRecipe {
  /// What validation chose in chapter 3.2.
  ///
  /// It stands here and not with `Recipe`: the trainings from which it was chosen do not depend on it.
  public static let chosen: Recipe = {
    var recipe = Recipe()
    (recipe.blocks, recipe.hidden) = (Recipe.kitBlocks(32), 100)
    recipe.activation = .leakyReLU(slope: 0.1)
    recipe.hasStrayReLU = false
    recipe.initialiser = .he
    recipe.normalises = true
    recipe.channelKeep = 1
    recipe.noise = 0.3
    recipe.augmentation = Augmentation(
      rotation: 15, shift: 2, scale: 0.15, shear: 0.2,
      elastic: ElasticDistortion(strength: 24, smoothness: 4))
    (recipe.rule, recipe.rate, recipe.decays) = (.adam, 0.008, true)
    (recipe.batchSize, recipe.epochs) = (50, 150)
    return recipe
  }()
}
