/**
 * A guard of the unit, or a unique index, said no: nothing of the unit is stored.
 *
 * `guard` is what the statement's `expect.otherwise` says; for a unique index its columns as SQLite names them
 * (`registration.ees_id`, several joined by a comma and a blank); for a foreign key the words `foreign key`.
 */
export class GuardFailed extends Error {
  override readonly name = 'GuardFailed'
  readonly guard: string

  constructor(guard: string) {
    super(`guard failed: ${guard}`)
    this.guard = guard
  }
}

/**
 * The store cannot answer for the unit: the disk, the writer or the store's own end. It was not acknowledged and is
 * almost always not stored; after a failed fsync followed by a crash it may be, so read before you do it again.
 */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/**
 * - `locked`: another process, or this one, has it open
 * - `newer`: a later release wrote it
 * - `foreign`: the file is a database, but not ours
 * - `damaged`: acknowledged content is lost or changed
 */
export type ReasonNotToOpen = 'locked' | 'newer' | 'foreign' | 'damaged'

/** Thrown by what opens a store: nothing of it was changed. */
export class CannotOpenStore extends Error {
  override readonly name = 'CannotOpenStore'
  readonly reason: ReasonNotToOpen

  constructor(reason: ReasonNotToOpen, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
