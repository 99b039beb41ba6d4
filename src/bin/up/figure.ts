import type { Arrow, Progress } from '../../ports/progress.ts'

/** One arrow of a figure, as it happened. */
export interface Step {
  /** as cited everywhere: `TR 33.839 6.Y.2 step 3` */
  readonly clause: string
  readonly from: string
  readonly to: string
  readonly message: string
  /** milliseconds */
  readonly ms: number
  readonly ok: boolean
}

/** One figure in one of its cases. */
export interface Figure {
  readonly id: string
  readonly case: string
  readonly ok: boolean
  readonly steps: readonly Step[]
}

/** Hears of every figure and step while it happens. */
export interface Audience {
  prepared(what: string): void
  begins(figure: { readonly id: string; readonly case: string }): void
  happened(step: Step): void
  ended(figure: Figure): void
}

/** Each step is told with the time that it took. */
export interface Stage extends Progress {
  /** A step between others, as one of them recorded it. @param ms - milliseconds that it took */
  recorded(arrow: Arrow, message: string, ms: number): void
  /** A step that must be refused: it succeeds if `act` throws what `refusal` recognises. */
  refused(
    arrow: Arrow,
    message: string,
    act: () => Promise<unknown>,
    refusal: (error: unknown) => boolean,
  ): Promise<void>
}

/**
 * Plays a figure. A step that fails ends it; what was played until then stands in the result.
 */
export async function play(
  id: string,
  name: string,
  audience: Audience,
  script: (stage: Stage) => Promise<void>,
): Promise<Figure> {
  audience.begins({ id, case: name })
  const steps: Step[] = []
  const tell = (step: Step) => {
    steps.push(step)
    audience.happened(step)
  }
  let ok = true
  try {
    await script(stageFor(tell))
  } catch (error) {
    ok = false
    if (steps.at(-1)?.ok !== false) tell({ clause: '', from: '', to: '', message: reasonOf(error), ms: 0, ok: false })
  }
  const figure = { id, case: name, ok, steps }
  audience.ended(figure)
  return figure
}

/** @param tell - hears of each step when it has ended */
export function stageFor(tell: (step: Step) => void): Stage {
  return {
    async step(arrow, message, act) {
      const start = performance.now()
      try {
        const result = await act()
        tell({ ...arrow, message: typeof message === 'string' ? message : message(result), ms: since(start), ok: true })
        return result
      } catch (error) {
        tell({ ...arrow, message: reasonOf(error), ms: since(start), ok: false })
        throw error
      }
    },
    recorded: (arrow, message, ms) => tell({ ...arrow, message, ms, ok: true }),
    async refused(arrow, message, act, refusal) {
      const start = performance.now()
      const outcome = await act().then(
        () => 'it was not refused',
        (error: unknown) => (refusal(error) ? undefined : reasonOf(error)),
      )
      tell({ ...arrow, message: outcome ?? message, ms: since(start), ok: outcome === undefined })
      if (outcome !== undefined) throw new Error(outcome)
    },
  }
}

const since = (start: number) => Math.round((performance.now() - start) * 10) / 10

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : 'failed for an unknown reason')
