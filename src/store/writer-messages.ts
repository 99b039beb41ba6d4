import type { UnitOfWork } from './unit-of-work.ts'
import type { Outcome } from './writing-connection.ts'

/** What the writer's thread is started with. */
export interface WriterData {
  readonly file: string
}

/** Units of one turn of the event loop, or the end. */
export type ToWriter = readonly UnitOfWork[] | 'close'

/** Units are answered in the order in which they were sent, those of several messages together. */
export type FromWriter =
  | 'ready'
  | { readonly count: number; readonly refused: readonly (readonly [index: number, outcome: Outcome])[] }
  | { readonly count: number; readonly unavailable: string }
  | 'closed'
