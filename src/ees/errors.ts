/** The bundle, or the folder of the EES, is not one that this EES can start from. Nothing was sent. */
export class NotUsable extends Error {
  override readonly name = 'NotUsable'
}
