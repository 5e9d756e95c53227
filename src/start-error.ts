/** Parley cannot start, and a person has to act. The message is a sentence for them; it is shown without a stack. */
export class StartError extends Error {
  override readonly name = 'StartError'
}
